package sandbox

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// closes counts.
type closes struct {
	Store

	closed int
	ctx    error // that of the context of the last Add
}

func (c *closes) Close() error { c.closed++; return nil }

func (c *closes) Add(ctx context.Context, r Record) (int64, error) {
	c.ctx = ctx.Err()
	return c.Store.Add(ctx, r)
}

func TestStoreIsClosed(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]Option{"rate limit": {WithRateLimit(-1)}, "nil": {nil}, "fixtures": {WithFixtures(Fixtures{})}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &closes{Store: NewMemory()}
			_, err := New(append(opts, WithStore(store))...)
			require.Error(t, err)
			assert.Equal(t, 1, store.closed)
		})
	}
	first, second := &closes{Store: NewMemory()}, &closes{Store: NewMemory()}
	_, err := New(WithStore(first), WithStore(second))
	require.ErrorContains(t, err, "there are two stores")
	assert.Equal(t, []int{1, 1}, []int{first.closed, second.closed})
}

// TestCallerLeaves holds that a fault is created although no client waits for the response.
func TestCallerLeaves(t *testing.T) {
	t.Parallel()
	store := &closes{Store: NewMemory()}
	s, err := New(WithStore(store))
	require.NoError(t, err)
	left, leave := context.WithCancel(t.Context())
	leave()
	w := s.call(t, minimal, func(r *http.Request) { *r = *r.WithContext(left) })
	assert.Equal(t, http.StatusCreated, w.Code)
	require.NoError(t, store.ctx)
}
