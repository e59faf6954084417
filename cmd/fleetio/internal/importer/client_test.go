package importer

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestTransport interrupts a request in flight, which goes on with its deadline, and one that is not yet, which does not.
func TestTransport(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	var inner *http.Request
	p := Transport{roundTrip(func(r *http.Request) (*http.Response, error) {
		cancel()
		inner = r
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, r.Context().Err()
	})}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://localhost", nil)
	require.NoError(t, err)
	response, err := p.RoundTrip(r)
	require.NoError(t, err)
	want, _ := ctx.Deadline()
	deadline, has := inner.Context().Deadline()
	assert.True(t, has)
	assert.Equal(t, want, deadline)
	require.NoError(t, inner.Context().Err(), "while the body is read")
	require.NoError(t, response.Body.Close())
	require.Error(t, inner.Context().Err(), "nothing is left behind")
	inner = nil
	_, err = p.RoundTrip(r) //nolint:bodyclose // there is none
	require.Error(t, err)
	assert.Nil(t, inner)
	broken := errors.New("broken")
	p.Base = roundTrip(func(*http.Request) (*http.Response, error) { return nil, broken })
	_, err = p.RoundTrip(r.WithContext(t.Context())) //nolint:bodyclose // there is none
	require.ErrorIs(t, err, broken)
}
