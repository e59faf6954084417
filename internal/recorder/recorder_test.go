package recorder_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/recorder"
)

type respond func(*http.Request) (*http.Response, error)

func (f respond) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// responding reads the request, and responds with a body.
func responding(body string) respond {
	return func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}, nil
	}
}

// send makes one exchange.
func send(t *testing.T, transport http.RoundTripper) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://127.0.0.1/api/v1/faults", strings.NewReader("{}"))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Token 76cbe06c49a64")
	resp, err := transport.RoundTrip(r)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
}

func load(t *testing.T) *conformance.Contract {
	t.Helper()
	contract, err := conformance.Load(api.Spec)
	require.NoError(t, err)
	return contract
}

func read(t *testing.T, path string) []*traffic.Exchange {
	t.Helper()
	var all []*traffic.Exchange
	for ex, err := range traffic.Read(t.Context(), nil, path) {
		require.NoError(t, err)
		all = append(all, ex)
	}
	return all
}

// TestRecorderWritesBeforeTheEnd holds that an exchange is written, and its credentials are not, when its response ends.
func TestRecorderWritesBeforeTheEnd(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "r.ndjson")
	w, err := traffic.Create(path)
	require.NoError(t, err)
	next := responding(`{"access_token":"n3w-t0ken-4711"}`)
	r := recorder.New(w, load(t).Redactor(), respond(func(r *http.Request) (*http.Response, error) { return next(r) }), nil)
	send(t, r)
	assert.Len(t, read(t, path), 1)
	next = responding(`{"value":"n3w-t0ken-4711","of":"76cbe06c49a64"}`)
	send(t, r)
	next = func(*http.Request) (*http.Response, error) { return nil, errors.New("refused") }
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1/x", nil)
	require.NoError(t, err)
	_, err = r.RoundTrip(request) //nolint:bodyclose // there is none
	require.EqualError(t, err, "refused")
	next = responding(`{"a":1}`)
	resp, err := r.RoundTrip(request) // not read
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.NoError(t, resp.Body.Close(), "after the end")
	all := read(t, path)
	require.Len(t, all, 4)
	assert.JSONEq(t, `{"access_token":"[redacted]"}`, string(all[0].Response.Body))
	assert.JSONEq(t, `{"value":"[redacted]","of":"[redacted]"}`, string(all[1].Response.Body))
	assert.False(t, all[2].Answered())
	assert.True(t, all[3].Response.BodyOmitted)
}

// stuck is a file that blocks.
type stuck struct {
	*os.File

	open chan struct{}
}

func (s *stuck) WriteAt(p []byte, at int64) (int, error) {
	<-s.open
	return s.File.WriteAt(p, at)
}

// TestRecorderDoesNotDelay has a file that blocks, a check that takes a minute, and one that panics: many exchanges
// take no longer than one wait.
func TestRecorderDoesNotDelay(t *testing.T) {
	t.Parallel()
	contract := load(t)
	large := `{"a":"` + strings.Repeat("x", 60<<10) + `"}`
	for name, test := range map[string]struct {
		blocked bool
		each    func(*traffic.Exchange, error)
		body    string
		count   int
		err     string // "" for none
		whole   bool   // all are recorded
	}{
		"a file that blocks":      {true, nil, `{}`, 2000, "of 2000 exchanges are not in the recording", false},
		"large bodies":            {true, nil, large, 80, "are not in the recording; the first: more exchanges arrived than could be written", false},
		"a slow check":            {false, func(*traffic.Exchange, error) { time.Sleep(time.Minute) }, `{}`, 2000, " of 2000 exchanges could not be checked", true},
		"a check that panics":     {false, func(*traffic.Exchange, error) { panic("broken") }, `{}`, 100, "100 of 100 exchanges could not be checked", true},
		"a check of large bodies": {false, func(*traffic.Exchange, error) { time.Sleep(time.Second) }, large, 80, " of 80 exchanges could not be checked", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "r.ndjson")
			synctest.Test(t, func(t *testing.T) {
				f, err := os.Create(path)
				require.NoError(t, err)
				file := &stuck{f, make(chan struct{})}
				if !test.blocked {
					close(file.open)
				}
				w, err := traffic.NewWriter(file, path)
				require.NoError(t, err)
				r := recorder.New(w, contract.Redactor(), responding(test.body), test.each)
				start := time.Now()
				for range test.count {
					send(t, r)
				}
				assert.LessOrEqual(t, time.Since(start), 300*time.Millisecond)
				if test.blocked {
					close(file.open)
				}
				err = r.Close()
				if assert.Equal(t, test.whole, len(read(t, path)) == test.count); test.err == "" {
					require.NoError(t, err)
				} else {
					require.ErrorContains(t, err, test.err)
				}
			})
		})
	}
}

// TestRecorderReportsErrors of the file and of exchanges that cannot be redacted.
func TestRecorderReportsErrors(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "r.ndjson")
	f, err := os.Create(path)
	require.NoError(t, err)
	w, err := traffic.NewWriter(f, path)
	require.NoError(t, err)
	require.NoError(t, f.Close()) // so that every write fails
	var calls, checkable atomic.Int32
	r := recorder.New(w, load(t).Redactor(), responding(`{}`), func(ex *traffic.Exchange, err error) {
		calls.Add(1)
		if ex != nil {
			checkable.Add(1)
		}
		assert.ErrorIs(t, err, os.ErrClosed)
	})
	for range 3 {
		send(t, r)
	}
	err = r.Close()
	require.ErrorIs(t, err, os.ErrClosed)
	require.ErrorContains(t, err, "3 of 3 exchanges are not in the recording; the first: ")
	assert.Equal(t, int32(3), calls.Load())
	assert.Equal(t, int32(3), checkable.Load(), "they are checked all the same")
}
