package conformancetest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/conformancetest"
	"github.com/fleetcontract/fleetio-go/conformance/internal/testspec"
)

const (
	apiKey       = "76cbe06c49a64"
	accountToken = "acc0un7-t0ken"
	request      = `{"vehicle_id":4711,"code":"P0420"}`
)

func loadContract(t testing.TB) *conformance.Contract {
	t.Helper()
	contract, err := conformance.Load(testspec.Spec)
	require.NoError(t, err)
	return contract
}

// observed is a TB that records reports. It fails the real test for a report after its end.
type observed struct {
	t       *testing.T
	skipped bool

	mu       sync.Mutex
	errors   []string
	logs     []string
	cleanups []func()
	ended    bool
}

func (o *observed) Helper()       {}
func (o *observed) Name() string  { return "TestOfAUser" }
func (o *observed) Skipped() bool { return o.skipped }

func (o *observed) record(to *[]string, format string, args []any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	*to = append(*to, fmt.Sprintf(format, args...))
	if o.ended {
		o.t.Errorf("a report after the end: "+format, args...)
	}
}

func (o *observed) Errorf(format string, args ...any) { o.record(&o.errors, format, args) }
func (o *observed) Logf(format string, args ...any)   { o.record(&o.logs, format, args) }
func (o *observed) Cleanup(f func())                  { o.cleanups = append(o.cleanups, f) }

// end ends the test, and returns its errors.
func (o *observed) end() []string {
	for _, v := range slices.Backward(o.cleanups) {
		v()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	return o.errors
}

// respond is a transport that reads the request before it responds.
type respond func(*http.Request) (*http.Response, error)

func (f respond) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	return f(r)
}

func created(body io.ReadCloser) respond {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusCreated, Body: body, ContentLength: -1, Request: r,
			Header: http.Header{"Content-Type": {"application/json"}, "Location": {"/api/v1/faults/7"}}}, nil
	}
}

func text(s string) io.ReadCloser { return io.NopCloser(strings.NewReader(s)) }

// newCreate returns a request for the operation with both credentials.
func newCreate(t testing.TB, base, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/api/v1/faults", strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Token "+apiKey)
	r.Header.Set("Account-Token", accountToken)
	return r
}

// exchangeAll makes one exchange and returns the response body.
func exchangeAll(t *testing.T, transport http.RoundTripper, r *http.Request) string {
	t.Helper()
	resp, err := transport.RoundTrip(r)
	require.NoError(t, err)
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return string(got)
}

func TestTransportReports(t *testing.T) {
	t.Parallel()
	contract := loadContract(t)
	const base = "http://127.0.0.1"
	fault := func(name string, value any) string {
		return string(testspec.Fault(func(f map[string]any) { f[name] = value }))
	}
	for name, test := range map[string]struct {
		request, response string
		options           []conformancetest.Option
		errors, logs      []string // prefixes
	}{
		"conforms": {request, string(testspec.Fault(nil)), nil, nil, nil},
		"deviates": {request, fault("id", 0), nil, []string{"createFault 201: response.body /id minimum: expected at least 1, found 0 (documented, line "}, nil},
		"accepts a violation": {`{"vehicle_id":4711}`, string(testspec.Fault(nil)), nil,
			[]string{"createFault 201: request.body /code required: accepted with 201 although it violates the contract: "}, nil},
		"drifts":           {request, fault("new", 1), nil, nil, []string{"createFault 201: response.body /new undocumented-property: "}},
		"is not printable": {request, fault("\x1b\n\u009b\u202e", 1), nil, nil, []string{`createFault 201: response.body /\x1b\n\u009b\u202e undocumented-property: `}},
		"drifts, strictly": {request, fault("new", 1), []conformancetest.Option{conformancetest.Strict()},
			[]string{"createFault 201: response.body /new undocumented-property: "}, nil},
		"twice":         {request, strings.Replace(fault("account_id", -1), `"id":7`, `"id":-7`, 1), nil, []string{"createFault 201: response.body /account_id minimum", "createFault 201: response.body /id minimum"}, nil},
		"repeats a key": {request, fault("status", apiKey+accountToken), nil, []string{`createFault 201: response.body /status enum: `}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &observed{t: t}
			transport := conformancetest.Transport(o, contract, created(text(test.response)), test.options...)
			assert.Equal(t, test.response, exchangeAll(t, transport, newCreate(t, base, test.request)))
			o.end()
			assertPrefixes(t, test.errors, o.errors)
			assertPrefixes(t, test.logs, o.logs)
			reports := strings.Join(append(o.errors, o.logs...), "\n")
			assert.NotContains(t, reports, apiKey)
			assert.NotContains(t, reports, accountToken)
			if reports != "" {
				assert.Contains(t, reports, "; POST /api/v1/faults #1 (TestOfAUser))")
			}
		})
	}
}

func assertPrefixes(t *testing.T, want, got []string) {
	t.Helper()
	if assert.Len(t, got, len(want), "%s", got) {
		for i := range want {
			assert.True(t, strings.HasPrefix(got[i], want[i]), got[i])
		}
	}
}

// TestTransportFailsAnEmptyTest, which would pass without having checked anything.
func TestTransportFailsAnEmptyTest(t *testing.T) {
	t.Parallel()
	contract := loadContract(t)
	const vacuous = "none was for an operation of the contract"
	get := func(o *observed, next respond, url string) error {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		require.NoError(t, err)
		resp, err := conformancetest.Transport(o, contract, next).RoundTrip(r)
		if resp != nil && resp.Body != nil {
			_ = resp.Body.Close()
		}
		return err
	}
	broken := errors.New("broken")

	o := &observed{t: t}
	conformancetest.Transport(o, contract, nil)
	require.Len(t, o.end(), 1)
	assert.Contains(t, o.errors[0], "of 0 exchanges, "+vacuous)

	o = &observed{t: t}
	require.NoError(t, get(o, created(text("{}")), "http://h/other"))
	require.Len(t, o.end(), 1)
	assert.Contains(t, o.errors[0], "of 1 exchanges, "+vacuous)

	o = &observed{t: t}
	failing := respond(func(*http.Request) (*http.Response, error) { return nil, broken })
	_, err := conformancetest.Transport(o, contract, failing).RoundTrip(newCreate(t, "http://h", request))
	require.ErrorIs(t, err, broken)
	require.Len(t, o.end(), 1)
	assert.Contains(t, o.errors[0], vacuous)

	o = &observed{t: t, skipped: true}
	conformancetest.Transport(o, contract, nil)
	assert.Empty(t, o.end(), "a skipped test")

	o = &observed{t: t}
	neither := respond(func(*http.Request) (*http.Response, error) { return nil, nil }) //nolint:nilnil // broken on purpose
	resp, err := conformancetest.Transport(o, contract, neither).RoundTrip(newCreate(t, "http://h", request))
	require.NoError(t, err)
	assert.Nil(t, resp)
	require.Len(t, o.end(), 1)
}

// TestTransportWithoutBodies has nil bodies, as in hand-written transports.
func TestTransportWithoutBodies(t *testing.T) {
	t.Parallel()
	o := &observed{t: t}
	transport := conformancetest.Transport(o, loadContract(t), created(nil))
	r := newCreate(t, "http://h", request)
	r.Body, r.GetBody, r.Method, r.ContentLength = nil, nil, "POST", 0
	resp, err := transport.RoundTrip(r)
	require.NoError(t, err)
	assert.Nil(t, resp.Body, "it was nil before")
	assert.Same(t, r, resp.Request)
	_, err = transport.RoundTrip(&http.Request{})
	require.NoError(t, err)
	assertPrefixes(t, []string{"createFault 201: request.body  body", "createFault 201: response.body  body"}, o.end())
}

// TestTransportChecksWhatWasRead has bodies that are read completely, partly or not at all.
func TestTransportChecksWhatWasRead(t *testing.T) {
	t.Parallel()
	contract := loadContract(t)
	bad := string(testspec.Fault(func(f map[string]any) { f["id"] = 0 }))
	const minimum = "createFault 201: response.body /id minimum"
	large := strings.Repeat(" ", 1<<20)
	for name, test := range map[string]struct {
		body string
		read func(io.Reader) error
		want []string
	}{
		"all of it": {bad, func(r io.Reader) error { _, err := io.Copy(io.Discard, r); return err }, []string{minimum}},
		"by a decoder": {bad + "\n", func(r io.Reader) error {
			return json.NewDecoder(io.LimitReader(r, int64(len(bad)))).Decode(&struct{}{})
		}, []string{minimum}},
		"half of it":               {bad, func(r io.Reader) error { _, err := io.CopyN(io.Discard, r, int64(len(bad)/2)); return err }, nil},
		"nothing":                  {bad, func(io.Reader) error { return nil }, nil},
		"all, and it is too large": {bad + large, func(r io.Reader) error { _, err := io.Copy(io.Discard, r); return err }, nil},
		"all, of the maximum size": {bad + large[len(bad):], func(r io.Reader) error { _, err := io.Copy(io.Discard, r); return err }, []string{minimum}},
	} {
		for _, closed := range []bool{true, false} { // an open body is checked at the end of the test
			t.Run(fmt.Sprintf("%s, closed %t", name, closed), func(t *testing.T) {
				t.Parallel()
				o := &observed{t: t}
				resp, err := conformancetest.Transport(o, contract, created(text(test.body))).RoundTrip(newCreate(t, "http://h", request))
				require.NoError(t, err)
				require.NoError(t, test.read(resp.Body))
				if closed {
					require.NoError(t, resp.Body.Close())
					assert.Len(t, o.errors, len(test.want))
				}
				assertPrefixes(t, test.want, o.end())
				if !closed { // the observed test fails on a report after its end
					_, _ = io.Copy(io.Discard, resp.Body)
					require.NoError(t, resp.Body.Close())
				}
			})
		}
	}
}

// TestTransportStreams reads each part of a response before the server sends the next.
func TestTransportStreams(t *testing.T) {
	t.Parallel()
	next := make(chan struct{})
	parts := []string{string(testspec.Fault(nil)[:20]), string(testspec.Fault(nil)[20:])}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Location", "/api/v1/faults/7")
		w.WriteHeader(http.StatusCreated)
		for _, part := range parts {
			_, _ = io.WriteString(w, part)
			assert.NoError(t, http.NewResponseController(w).Flush())
			<-next
		}
	}))
	defer server.Close()
	o := &observed{t: t}
	transport := conformancetest.Transport(o, loadContract(t), server.Client().Transport)
	resp, err := transport.RoundTrip(newCreate(t, server.URL, request))
	require.NoError(t, err)
	for _, part := range parts {
		got := make([]byte, len(part))
		_, err := io.ReadFull(resp.Body, got)
		require.NoError(t, err)
		assert.Equal(t, part, string(got))
		next <- struct{}{}
	}
	rest, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Empty(t, rest)
	require.NoError(t, resp.Body.Close())
	assert.Empty(t, o.end())
}

// TestTransportChangesNothing compares the request and the response at the client and at the server.
func TestTransportChangesNothing(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("HTTP/2 is %t", http2), func(t *testing.T) {
			t.Parallel()
			sent := `{"vehicle_id":4711,"code":"P0420","description":"` + strings.Repeat("x", 2<<20) + `"}`
			got := string(testspec.Fault(func(f map[string]any) { f["description"] = strings.Repeat("x", 2<<20) }))
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				assert.NoError(t, err)
				assert.Equal(t, sent, string(body))
				assert.Equal(t, int64(len(sent)), r.ContentLength)
				assert.Equal(t, http2, r.ProtoMajor == 2)
				w.Header().Set("Location", "/api/v1/faults/7")
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusCreated)
				_, _ = io.WriteString(w, got)
			}))
			if server.EnableHTTP2 = http2; http2 {
				server.StartTLS()
			} else {
				server.Start()
			}
			o := &observed{t: t}
			r := newCreate(t, server.URL, sent)
			before := r.Clone(t.Context())
			body := r.Body
			resp, err := conformancetest.Transport(o, loadContract(t), server.Client().Transport).RoundTrip(r)
			require.NoError(t, err)
			assert.Equal(t, before.Header, r.Header)
			assert.Equal(t, body, r.Body, "a transport must not change the request")
			assert.Same(t, r, resp.Request)
			all, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			assert.Equal(t, got, string(all))
			require.NoError(t, resp.Body.Close())
			assert.Empty(t, o.end(), "bodies beyond the maximum size are not checked")
			server.Close()
		})
	}
}

// TestTransportDecodes bodies that net/http leaves compressed because the caller set Accept-Encoding.
func TestTransportDecodes(t *testing.T) {
	t.Parallel()
	bad := testspec.Fault(func(f map[string]any) { f["id"] = 0 })
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, _ = zip.Write(bad)
	_ = zip.Close()
	var bomb bytes.Buffer
	zip = gzip.NewWriter(&bomb)
	_, _ = zip.Write(append(bytes.Repeat([]byte(" "), 1<<20), bad...))
	_ = zip.Close()
	for name, test := range map[string]struct {
		coding, accept string
		body           []byte
		want           int
	}{
		"by net/http":    {"gzip", "", packed.Bytes(), 1},
		"by Transport":   {"gzip", "gzip", packed.Bytes(), 1},
		"another name":   {"X-GZip", "x-gzip", packed.Bytes(), 1},
		"no coding":      {"identity", "gzip", bad, 1},
		"unknown":        {"compress", "compress", packed.Bytes(), 0},
		"not compressed": {"gzip", "gzip", bad, 1},
		"too large":      {"gzip", "gzip", bomb.Bytes(), 0},
		"cut":            {"gzip", "gzip", packed.Bytes()[:40], 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/api/v1/faults/0")
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Content-Encoding", test.coding)
				w.WriteHeader(http.StatusCreated)
				_, _ = w.Write(test.body)
			}))
			o := &observed{t: t}
			r := newCreate(t, server.URL, request)
			if test.accept != "" {
				r.Header.Set("Accept-Encoding", test.accept)
			}
			got := exchangeAll(t, conformancetest.Transport(o, loadContract(t), server.Client().Transport), r)
			if test.accept == "" {
				assert.Equal(t, string(bad), got)
			} else {
				assert.Equal(t, string(test.body), got)
			}
			assert.Len(t, o.end(), test.want)
			server.Close()
		})
	}
}

// TestTransportRetries has an inner transport that sends the request a second time, as net/http does on a new connection.
func TestTransportRetries(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(create(7, whole))
	defer server.Close()
	o := &observed{t: t}
	attempts := 0
	next := server.Client().Transport
	transport := conformancetest.Transport(o, loadContract(t), respondRaw(func(r *http.Request) (*http.Response, error) {
		for {
			attempts++
			if attempts > 1 {
				return next.RoundTrip(r)
			}
			_, err := io.CopyN(io.Discard, r.Body, 5)
			assert.NoError(t, err)
			_ = r.Body.Close()
			again, err := r.GetBody()
			assert.NoError(t, err)
			r = r.Clone(r.Context())
			r.Body = again
		}
	}))
	got := exchangeAll(t, transport, newCreate(t, server.URL, `{"vehicle_id":4711,"code":"P0420"}`))
	assert.Contains(t, got, `"id":7`)
	assert.Empty(t, o.end(), "the check uses the second body")
	assert.Equal(t, 2, attempts)
}

type respondRaw func(*http.Request) (*http.Response, error)

func (f respondRaw) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestTransportChecksPartOfARequest has a server that responds before it has read the request: a part of a body is not
// checked.
func TestTransportChecksPartOfARequest(t *testing.T) {
	t.Parallel()
	for read, want := range map[int64]int{0: 0, 5: 0, int64(len(`{"vehicle_id":4711}`)): 1} {
		t.Run(fmt.Sprintf("%d bytes", read), func(t *testing.T) {
			t.Parallel()
			o := &observed{t: t}
			transport := conformancetest.Transport(o, loadContract(t), respondRaw(func(r *http.Request) (*http.Response, error) {
				_, _ = io.CopyN(io.Discard, r.Body, read)
				return created(text(string(testspec.Fault(nil))))(r)
			}))
			exchangeAll(t, transport, newCreate(t, "http://h", `{"vehicle_id":4711}`))
			assert.Len(t, o.end(), want)
		})
	}
}

func TestTransportIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(create(7, whole))
	defer server.Close()
	o := &observed{t: t}
	client := &http.Client{Transport: conformancetest.Transport(o, loadContract(t), server.Client().Transport)}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 10 {
				resp, err := client.Do(newCreate(t, server.URL, request))
				if !assert.NoError(t, err) {
					return
				}
				if i%2 == 0 { // the others are checked at the end of the test
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			}
		})
	}
	wg.Wait()
	assert.Empty(t, o.end())
	assert.Empty(t, o.logs)
}

// TestTransportKeepsConnections open, and leaves no goroutine behind, which would fail synctest.
func TestTransportKeepsConnections(t *testing.T) {
	t.Parallel()
	contract := loadContract(t)
	synctest.Test(t, func(t *testing.T) {
		listener := newPipeListener()
		server := &http.Server{Handler: create(7, whole)}
		go func() { _ = server.Serve(listener) }()
		inner := &http.Transport{DialContext: listener.dial}
		o := &observed{t: t}
		client := &http.Client{Transport: conformancetest.Transport(o, contract, inner)}
		connections := 0
		trace := &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) {
			if !c.Reused {
				connections++
			}
		}}
		for range 5 {
			resp, err := client.Do(newCreate(t, "http://pipe", request).WithContext(httptrace.WithClientTrace(t.Context(), trace)))
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			synctest.Wait()
		}
		assert.Equal(t, 1, connections)
		resp, err := client.Do(newCreate(t, "http://pipe", request)) // closed early
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		inner.CloseIdleConnections()
		require.NoError(t, server.Close())
		assert.Empty(t, o.end())
	})
}

// pipeListener connects a client and a server in memory.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }
