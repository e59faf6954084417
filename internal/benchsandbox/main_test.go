package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMain makes the test binary the program in the processes that the program starts, as it starts itself.
func TestMain(m *testing.M) {
	// Else each child of a binary with the race detector sleeps for a second at its end.
	_ = os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0")
	if len(os.Args) > 1 && (os.Args[1] == "-serve" || os.Args[1] == "-load") {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

var line = regexp.MustCompile(`(?m)^BenchmarkCreate/server=(\S+)/conns=(\d+)\t *(\d+)\t *(\d+) ns/op\t *(\d+) req/s\t *([\d.]+) p50-ms\t *([\d.]+) p99-ms\t *(\d+) server-cpu-ns/op\t *(\d+) load-cpu-ns/op$`)

func TestRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	profiles := filepath.Join(t.TempDir(), "cpu")
	var out, talk bytes.Buffer
	code := run(t.Context(), []string{
		"-servers", "bare,usual,sandbox", "-conns", "8", "-count", "2", "-d", "100ms", "-warm-up", "10ms", "-dir", dir, "-cpuprofile", profiles,
	}, os.Stdin, &out, &talk)
	require.Zero(t, code, talk.String())

	var names []string
	for _, fields := range line.FindAllStringSubmatch(out.String(), -1) {
		names = append(names, fields[1]+" "+fields[2])
		for _, number := range fields[3:] {
			n, err := strconv.ParseFloat(number, 64)
			require.NoError(t, err)
			assert.Positive(t, n, fields[0])
		}
	}
	assert.Equal(t, []string{"bare 8", "usual 8", "sandbox 8", "sandbox 8", "usual 8", "bare 8"}, names, "the rounds go around the servers")
	assert.Contains(t, out.String(), "\nUnit req/s better=higher\n", "benchstat is told")
	assert.Regexp(t, `^an fsync takes .*(\n.*)+8 connections, median of 2 rounds(\n.*){3}\n  sandbox/bare +\d+\.\d+ .*\n  sandbox/usual +\d+\.\d+ `, talk.String())
	stores, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, stores, "nothing is left behind")
	profile, err := os.ReadFile(profiles + "-sandbox-8-2.pprof")
	require.NoError(t, err)
	assert.NotEmpty(t, profile)
}

func TestRunFails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args string
		code int
		says string
	}{
		{"-h", 0, "-warm-up"},
		{"-servers bare,fast", 2, `"fast" is none of the servers bare, usual, sandbox, sandbox-log, sandbox-memory, bare-tuned`},
		{"-serve fast", 2, `"fast" is none of the servers`},
		{"-servers=", 2, `"" is none of the servers`},
		{"-conns 64,", 2, `-conns "" is no number`},
		{"-conns 0", 2, `-conns "0" is no number from 1 to 10000`},
		{"-conns 10001", 2, `-conns "10001" is no number from 1 to 10000`},
		{"-count 0", 2, "-count and -d must be more than 0"},
		{"-d 0s", 2, "-count and -d must be more than 0"},
		{"-warm-up -1s", 2, "-warm-up not less"},
		{"-d soon", 2, "invalid value"},
		{"faster", 2, `"faster": there is nothing but flags`},
		{"-load 127.0.0.1:1", 2, "-load takes one number of -conns"},
		{"-load 127.0.0.1:1 -conns 1", 1, "refused"},
		{"-serve usual -dir testdata/missing", 1, "unable to open database file"},
		{"-serve sandbox -dir testdata/missing", 1, "testdata"},
		{"-dir testdata/missing", 1, "testdata"},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Parallel()
			in, held, err := os.Pipe()
			require.NoError(t, err)
			defer in.Close()
			held.Close() // a server that should not have started ends
			var talk bytes.Buffer
			assert.Equal(t, test.code, run(t.Context(), strings.Fields(test.args), in, io.Discard, &talk))
			assert.Contains(t, talk.String(), test.says)
		})
	}
}

// TestServeEnds is about what a child must do when the program is gone, however it ended.
func TestServeEnds(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"pipe", "signal"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			ctx, signal := context.WithCancel(t.Context())
			defer signal()
			in, held, err := os.Pipe()
			require.NoError(t, err)
			defer in.Close()
			said, out := io.Pipe()
			code := make(chan int, 1)
			go func() {
				code <- run(ctx, []string{"-serve", "usual", "-dir", t.TempDir()}, in, out, io.Discard)
				out.Close()
			}()
			address := make([]byte, 64)
			n, err := said.Read(address)
			require.NoError(t, err)
			require.NoError(t, probe(t.Context(), strings.TrimSpace(string(address[:n])), true))
			if how == "signal" {
				signal()
				defer held.Close()
			} else {
				held.Close()
			}
			_, _ = io.Copy(io.Discard, said) // until the end of run
			assert.Zero(t, <-code)
		})
	}
}
