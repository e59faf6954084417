package sandbox_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	fleetio "github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// recorded is a call of a handler without a network.
func recorded(t *testing.T, s *sandbox.Sandbox) (*httptest.ResponseRecorder, *http.Request) {
	t.Helper()
	account := s.Accounts()[0]
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/api/v1/faults", strings.NewReader(whole))
	r.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Token " + account.APIKeys[0].Key}, "Account-Token": {account.Token}}
	return httptest.NewRecorder(), r
}

func contextWithTimeout(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}

// TestHundred runs a hundred of them at once; none knows of another.
func TestHundred(t *testing.T) {
	t.Parallel()
	for i := range 100 {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			s := start(t)
			for range 3 {
				_, err := s.Client.CreateFault(t.Context(), fleetio.FaultCreate{VehicleID: 1, Code: "P0420"})
				require.NoError(t, err)
			}
			assert.Len(t, s.Faults(), 3)
			assert.Len(t, s.Requests(), 3)
		})
	}
}

func TestHTTP2WithoutTLS(t *testing.T) {
	t.Parallel()
	s := start(t)
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request(t, s, whole))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, 2, response.ProtoMajor)
	assert.Equal(t, http.StatusCreated, response.StatusCode)
}

func TestHistory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := sandbox.New(sandbox.WithHistory(3))
		require.NoError(t, err)
		assert.Empty(t, s.Requests())
		for range 5 {
			w, r := recorded(t, s)
			s.ServeHTTP(w, r)
		}
		numbers := func(list []sandbox.Exchange) (all []int64) {
			for _, e := range list {
				all = append(all, e.Number)
			}
			return all
		}
		assert.Equal(t, []int64{3, 4, 5}, numbers(s.Requests()))
		assert.Equal(t, int64(5), s.Latest())
		for number, want := range map[int64]bool{-1: false, 0: false, 2: false, 3: true, 5: true, 6: false} {
			e, ok := s.Exchange(number)
			assert.Equal(t, want, ok, number)
			assert.Equal(t, want, e.Number == number && number > 0, number)
		}
		// What was handed out is the caller's.
		s.Requests()[0].Body[0] = '!'
		assert.Equal(t, byte('{'), s.Requests()[0].Body[0])
	})
}

func TestNoHistory(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.WithHistory(0))
	assert.Equal(t, http.StatusCreated, post(t, s, whole).StatusCode)
	assert.Empty(t, s.Requests())
}

// BenchmarkStart is the price of a sandbox in a test, its port included.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		cleanup := &cleaner{B: b}
		sandbox.Start(cleanup)
		cleanup.clean()
	}
}

type cleaner struct {
	*testing.B

	clean func()
}

func (c *cleaner) Cleanup(f func()) { c.clean = f }

// BenchmarkServeHTTP is a call without a network.
func BenchmarkServeHTTP(b *testing.B) {
	s, err := sandbox.New()
	require.NoError(b, err)
	account := s.Accounts()[0]
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/api/v1/faults", nil)
	r.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Token " + account.APIKeys[0].Key}, "Account-Token": {account.Token}}
	r.ContentLength = int64(len(whole))
	b.ReportAllocs()
	for b.Loop() {
		r.Body = readCloser{strings.NewReader(whole)}
		s.ServeHTTP(discard{http.Header{}}, r)
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

type discard struct{ header http.Header }

func (d discard) Header() http.Header       { return d.header }
func (discard) WriteHeader(int)             {}
func (discard) Write(p []byte) (int, error) { return len(p), nil }
