package fleetio_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

// call creates a fault at a server, which it counts the requests of.
func call(t *testing.T, server *httptest.Server, opts ...fleetio.Option) (*fleetio.Fault, error) {
	t.Helper()
	c, err := fleetio.NewClient(credentials, append([]fleetio.Option{fleetio.WithBaseURL(server.URL),
		fleetio.WithHTTPClient(server.Client())}, opts...)...)
	require.NoError(t, err)
	return c.CreateFault(t.Context(), minimal)
}

func serve(t *testing.T, handler http.HandlerFunc) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	count := new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	return server, count
}

// TestHostileBodies has bodies that are too much of something. What is read of them is bounded.
func TestHostileBodies(t *testing.T) {
	t.Parallel()
	piece := []byte(strings.Repeat("x", 64<<10))
	endless := func(w io.Writer) {
		for { // until the client has hung up
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	}
	for name, row := range map[string]struct {
		status int
		body   func(http.ResponseWriter)
		became string
		id     int64
	}{
		"64 MiB": {502, func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", strconv.Itoa(64<<20))
			w.WriteHeader(http.StatusBadGateway)
			for range 64 << 20 / len(piece) {
				if _, err := w.Write(piece); err != nil {
					return
				}
			}
		}, ambiguous, 0},
		"a body that never ends": {500, func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusInternalServerError)
			endless(w)
		}, ambiguous, 0},
		"a fault that never ends": {201, func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, created[:len(created)-1]+`,"more":"`)
			endless(w)
		}, wasCreated, 90210},
		"a gzip bomb": {201, func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(http.StatusCreated)
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, `{"id":7,"more":"`)
			for range 1 << 30 / len(piece) {
				if _, err := z.Write(piece); err != nil || z.Flush() != nil {
					return
				}
			}
		}, wasCreated, 7},
		"a gzip that is none": {201, func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, created)
		}, wasCreated, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, count := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				row.body(w)
			})
			_, err := call(t, server)
			var e *fleetio.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, row.status, e.StatusCode)
			assert.Equal(t, row.became, became(err))
			assert.Less(t, len(e.Body), 1<<20+1<<10)
			assert.Less(t, len(err.Error()), 300)
			assert.EqualValues(t, 1, count.Load())
			if row.id != 0 {
				require.NotNil(t, e.Fault)
				assert.Equal(t, row.id, e.Fault.ID)
			}
		})
	}
}

func TestMaxResponseBytes(t *testing.T) {
	t.Parallel()
	for limit, ok := range map[int64]bool{int64(len(created)): true, int64(len(created)) - 1: false, 1<<63 - 1: true} {
		t.Run(strconv.FormatInt(limit, 10), func(t *testing.T) {
			t.Parallel()
			_, err := client(t, respond(reply{201, nil, created}), fleetio.WithMaxResponseBytes(limit)).CreateFault(t.Context(), minimal)
			if ok {
				require.NoError(t, err)
				return
			}
			assert.Equal(t, wasCreated, became(err))
			assert.ErrorContains(t, err, "its body has more than")
		})
	}
}

// TestLargeFault gets back what it sent, each byte escaped: more than the usual limit.
func TestLargeFault(t *testing.T) {
	t.Parallel()
	description := strings.Repeat("+", 1<<20)
	large := strings.Replace(created, "Efficiency of the catalyst on bank 1 is below its threshold",
		strings.Repeat(`\u002b`, len(description)), 1)
	require.Greater(t, len(large), 6<<20)
	f := minimal
	f.Description = &description
	fault, err := client(t, respond(reply{201, nil, large})).CreateFault(t.Context(), f)
	require.NoError(t, err)
	back, has := fault.Description.Get()
	assert.True(t, has)
	assert.Equal(t, description, back)
}

// TestHostileRedirects leads to another server, which must get no request at all.
func TestHostileRedirects(t *testing.T) { //nolint:tparallel // the last line is about all cases
	t.Parallel()
	other, got := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) })
	for _, status := range []int{300, 301, 302, 303, 304, 305, 307, 308} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			server, count := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", other.URL+"/api/v1/faults")
				w.WriteHeader(status)
			})
			_, err := call(t, server)
			var e *fleetio.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, status, e.StatusCode)
			assert.Equal(t, other.URL+"/api/v1/faults", e.Header.Get("Location"))
			assert.EqualValues(t, 1, count.Load())
		})
	}
	assert.Zero(t, got.Load())
}
