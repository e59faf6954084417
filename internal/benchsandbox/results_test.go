package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// at is a round with so many answers in a second.
func at(perSecond int64, loadShare float64) *round {
	return &round{loaded: loaded{Measured: perSecond, Took: time.Second}, loadShare: loadShare}
}

func TestMiddle(t *testing.T) {
	t.Parallel()
	assert.Zero(t, middle(nil))
	values := []float64{3, 1, 2}
	assert.InDelta(t, 2.0, middle(values), 0)
	assert.Equal(t, []float64{3, 1, 2}, values, "the order of the rounds is kept")
	assert.InDelta(t, 2.5, middle([]float64{4, 1, 3, 2}), 0)
}

func TestSummary(t *testing.T) {
	t.Parallel()
	all := results{}
	for i, perSecond := range []int64{50, 80} {
		all.add("bare", 64, at(100*int64(1+i), 0.95))
		all.add("sandbox-log", 64, at(perSecond, 0.85))
	}
	assert.Equal(t, []float64{0.5, 0.4}, all.ratios("sandbox-log", "bare", 64), "within a round")
	assert.Nil(t, all.ratios("sandbox", "usual", 64))
	assert.Equal(t, `
64 connections, median of 2 rounds
  bare                    150 req/s  WARNING: the load used 95% of its processor, so this may be as fast as it is
  sandbox-log              65 req/s
  sandbox-log/bare       0.45 (0.40 to 0.50)

settings
  bare               Go's defaults
  sandbox-log        GC percent 400, timeouts that are looked at once a second and, unless GOMAXPROCS is set, one more of Go's processors, as fleetio sandbox --db FILE, --no-page
`, all.summary(&config{servers: []string{"bare", "sandbox-log"}, conns: []int{64}, count: 2}))
}

func TestOrder(t *testing.T) {
	t.Parallel()
	for servers, want := range map[string][]string{
		"a":   {"a", "a", "a"},
		"ab":  {"ab", "ba", "ba", "ab", "ab"},
		"abc": {"abc", "cba", "bca", "acb", "cab", "bac", "abc"},
	} {
		var got []string
		for round := range want {
			got = append(got, strings.Join(order(strings.Split(servers, ""), round), ""))
		}
		assert.Equal(t, want, got)
	}
}

func TestFsync(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "an fsync takes 150µs\n", fsync(150*time.Microsecond).String())
	assert.Equal(t, "an fsync takes 3µs\nWARNING: that is no disk; -dir names a directory on one\n", fsync(3*time.Microsecond).String())
	took, err := timeFsync(t.TempDir())
	require.NoError(t, err)
	assert.Positive(t, took)
}
