package page

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// cost is the work that grows with what the sandbox keeps.
type cost struct {
	Exchanges, Summaries, Checks, Faults, Accounts int64
	Redacted                                       int64 // bytes
}

// counting counts what a page asks of a sandbox.
type counting struct {
	*sandbox.Sandbox

	exchanges, summaries, checks, faults, accounts, redacted atomic.Int64
}

func (c *counting) Exchange(number int64) (sandbox.Exchange, bool) {
	c.exchanges.Add(1)
	return c.Sandbox.Exchange(number)
}

func (c *counting) Summary(number int64) (sandbox.Exchange, bool) {
	c.summaries.Add(1)
	return c.Sandbox.Summary(number)
}

func (c *counting) Redact(text string) string {
	c.redacted.Add(int64(len(text)))
	return c.Sandbox.Redact(text)
}

func (c *counting) Accounts() []sandbox.Account {
	c.accounts.Add(1)
	return c.Sandbox.Accounts()
}

func (c *counting) NewestRecords(ctx context.Context, account int64, limit int) ([]sandbox.Record, error) {
	list, err := c.Sandbox.NewestRecords(ctx, account, limit)
	c.faults.Add(int64(len(list)))
	return list, err
}

func (c *counting) check(*sandbox.Exchange) ([]Finding, error) {
	c.checks.Add(1)
	return nil, nil
}

// since returns what has been counted, and begins anew.
func (c *counting) since() cost {
	return cost{
		Exchanges: c.exchanges.Swap(0), Summaries: c.summaries.Swap(0), Checks: c.checks.Swap(0), Faults: c.faults.Swap(0),
		Accounts: c.accounts.Swap(0), Redacted: c.redacted.Swap(0),
	}
}

// fill creates faults with a description of a length.
func fill(tb testing.TB, box *sandbox.Sandbox, n, length int) {
	tb.Helper()
	body := fmt.Sprintf(`{"vehicle_id":1,"code":"P0420","description":"%s"}`, strings.Repeat("x", length))
	for range n {
		r := httptest.NewRequestWithContext(tb.Context(), http.MethodPost, "/api/v1/faults", strings.NewReader(body))
		r.Header.Set("Authorization", "Token sandbox-key-integration")
		r.Header.Set("Account-Token", "sandbox-account-northwind")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		box.ServeHTTP(w, r)
		require.Equal(tb, http.StatusCreated, w.Code)
	}
}

// TestCost holds that a look at the page costs what is new since the one before, however much the sandbox keeps.
func TestCost(t *testing.T) {
	t.Parallel()
	box, err := sandbox.New()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, box.Close()) })
	c := &counting{Sandbox: box}
	p := newPage(c, c.check)
	fill(t, box, 16, 250_000) // the history has room for all of them, and their responses

	body200(t, p, "/")
	first := c.since()
	assert.Zero(t, first.Exchanges, "the list needs no body")
	assert.Equal(t, int64(16), first.Summaries)
	assert.Equal(t, int64(16), first.Checks)
	assert.Less(t, first.Redacted, int64(16*8<<10), "of the faults, the beginnings")
	for _, path := range []string{"/", "/?only=findings", "/?before=9"} {
		body200(t, p, path)
		assert.Equal(t, cost{Faults: 16}, c.since(), path)
	}
	body200(t, p, "/?exchange=16")
	assert.Equal(t, cost{Faults: 16, Exchanges: 1, Checks: 1}, c.since(), "the details of one")

	fill(t, box, 1, 10)
	body200(t, p, "/")
	got := c.since()
	assert.Less(t, got.Redacted, int64(1000))
	got.Redacted = 0
	assert.Equal(t, cost{Faults: 17, Summaries: 1, Checks: 1}, got, "what has arrived")
}

// TestCache holds that the oldest entry goes.
func TestCache(t *testing.T) {
	t.Parallel()
	c := cache[int, int]{max: 3, entries: map[int]func() int{}}
	var made []int
	for _, key := range []int{1, 2, 1, 3, 2, 4, 2, 1} {
		assert.Equal(t, 10*key, c.get(key, func() int { made = append(made, key); return 10 * key }))
	}
	assert.Equal(t, []int{1, 2, 3, 4, 1}, made)
	assert.Len(t, c.entries, 3)
	assert.True(t, slices.Equal([]int{3, 4, 1}, c.order))
}
