package contracttest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance/probe"
)

// edited starts a server whose handler may change a response after it is written, by [editor].
func edited(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := &editor{header: http.Header{}}
		handler(e, r)
		e.send(w)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// planOf returns a plan with the values of [onLoopback].
func planOf(t *testing.T, options probe.Options) *probe.Plan {
	t.Helper()
	target := onLoopback("", "")
	options.Set = target.options().Set
	plan, err := probe.New(loadContract(t), options)
	require.NoError(t, err)
	return plan
}

// probed sends a plan to a server, and returns what is wrong, a line each, and all findings.
func probed(t *testing.T, base, key, account string, plan *probe.Plan) (wrong, findings string) {
	t.Helper()
	target := onLoopback(key, account)
	target.base = base
	result, err := plan.Run(t.Context(), target.target())
	require.NoError(t, err)
	lines := result.Problems
	var all []string
	for _, o := range result.Outcomes {
		for _, f := range o.Findings {
			line := fmt.Sprintf("%s: %d %s %s %s", o.Case.Name, f.Status, f.Part, f.Pointer, f.Rule)
			if all = append(all, line+" "+f.Message); f.Fails() {
				lines = append(lines, line)
			}
		}
		if o.Leaked != "" {
			lines = append(lines, o.Case.Name+": leaked "+o.Leaked)
		}
	}
	return strings.Join(lines, "\n"), strings.Join(all, "\n")
}

// TestProbeFindsDeviations probes servers that deviate in one way each.
func TestProbeFindsDeviations(t *testing.T) {
	t.Parallel()
	const key, account = "k-123456", "t-123456"
	stub, plan := newSandbox(key, account), planOf(t, probe.Options{})
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		problem string
	}{
		"requires no key": {func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Authorization", "Token "+key)
			stub.ServeHTTP(w, r)
		}, "createFault/header/Authorization/wrong: expected 401, 403, found 201"},
		"requires no account": {func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Account-Token", account)
			stub.ServeHTTP(w, r)
		}, "request.header /Account-Token security"},
		"accepts any body": {func(w http.ResponseWriter, r *http.Request) {
			stub.ServeHTTP(w, r)
			if e, ok := w.(*editor); ok && e.status == 422 {
				e.status, e.body = 201, []byte(validFault)
				e.Header().Set("Location", "/api/v1/faults/7")
			}
		}, "request.body /code required"},
		"accepts any code": {func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			body = regexp.MustCompile("x{9,}").ReplaceAll(body, nil)
			r.Body = io.NopCloser(bytes.NewReader(body))
			stub.ServeHTTP(w, r)
		}, "createFault/request/code/maxLength/over: 201 request.body /code maxLength"},
		"responds with 200": {func(w http.ResponseWriter, r *http.Request) {
			stub.ServeHTTP(w, r)
			if e, ok := w.(*editor); ok && e.status == 201 {
				e.status = 200
			}
		}, "createFault/valid/full: expected 201, found 200"},
		"sends no Location": {func(w http.ResponseWriter, r *http.Request) {
			stub.ServeHTTP(w, r)
			w.Header().Del("Location")
		}, "response.header /Location required"},
		"redirects": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, "createFault/valid/full: expected 201, found 307"},
		"redirects to an invalid URL": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://%zz/")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, "createFault/valid/full: expected 201, found 307"},
		"fails": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, `{"status":500,"title":"Internal Server Error","detail":"Out of vehicles"}`)
		}, "createFault/valid/full: expected 201, found 500"},
		"rejects everything": {func(w http.ResponseWriter, r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(`{"vehicle_id":1}`))
			stub.ServeHTTP(w, r)
		}, "createFault/valid/full: expected 201, found 422"},
		"responds with text": {func(w http.ResponseWriter, r *http.Request) {
			stub.ServeHTTP(w, r)
			w.Header().Set("Content-Type", "text/plain")
		}, "createFault/valid/full: 201 response.header /Content-Type media-type"},
		"loses the source": {func(w http.ResponseWriter, r *http.Request) {
			stub.ServeHTTP(w, r)
			if e, ok := w.(*editor); ok && e.status == 201 {
				e.body = bytes.Replace(e.body, []byte(`"source":"telematics"`), []byte(`"source":null`), 1)
			}
		}, "/source criterion"},
		"hangs up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "no response"},
		"never ends": {func(w http.ResponseWriter, _ *http.Request) {
			for range 3 {
				_, _ = w.Write(make([]byte, 1<<20))
			}
		}, "no response"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wrong, findings := probed(t, edited(t, test.handler), key, account, plan)
			assert.Contains(t, wrong, test.problem)
			assert.NotContains(t, wrong+findings, "123456", "a credential is shown")
		})
	}
}

// TestProbeShowsDrift without a problem: a vendor may add a property or a header at any time.
func TestProbeShowsDrift(t *testing.T) {
	t.Parallel()
	stub := newSandbox("k-123456", "t-123456")
	wrong, findings := probed(t, edited(t, func(w http.ResponseWriter, r *http.Request) {
		stub.ServeHTTP(w, r)
		w.Header().Set("X-New", "1")
		if e, ok := w.(*editor); ok && e.status == 201 {
			e.body = append([]byte(`{"new":1,`), e.body[1:]...)
		}
	}), "k-123456", "t-123456", planOf(t, probe.Options{}))
	assert.Empty(t, wrong)
	assert.Contains(t, findings, "createFault/valid/full: 201 response.body /new undocumented-property")
	assert.Contains(t, findings, "createFault/request/code/required: 422 response.header /X-New undocumented-header")
}

// TestProbeShowsNoCredential has servers that repeat the credentials where errors of net/http or findings could quote them.
func TestProbeShowsNoCredential(t *testing.T) {
	t.Parallel()
	const key, account = "Key3xAmPlE76cbE06c", "Acc0Un7t0KEN9e1F"
	const created, secret = "HTTP/1.1 201 Created\r\nConnection: close\r\n", key + account
	plan := planOf(t, probe.Options{MaxRequests: 3})
	for _, response := range []string{
		created + secret + "\r\n\r\n", created + secret + ": x\r\n\r\n", created + "Content-Length: " + secret + "\r\n\r\n",
		created + "Transfer-Encoding: " + secret + "\r\n\r\n", "HTTP/1.1 201" + secret + "\r\n\r\n", secret + "\r\n\r\n",
		"HTTP/1.1 307 Go\r\nConnection: close\r\nLocation: http://%zz/" + secret + "\r\n\r\n",
		created + "Content-Type: text/" + secret + "\r\n\r\nx", created + "Content-Type: application/json\r\n\r\n" + secret,
		created + "Content-Type: application/json\r\n\r\n{\"" + secret + "\":1,\"" + secret + "\":2,\"code\":\"" + secret + "\"}",
	} {
		t.Run(response, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
					_, _ = io.WriteString(conn, response)
					_ = conn.Close()
				}
			}))
			wrong, findings := probed(t, server.URL, key, account, plan)
			server.Close()
			require.NotEmpty(t, wrong)
			shown := strings.ToLower(wrong + findings)
			assert.NotContains(t, shown, strings.ToLower(key))
			assert.NotContains(t, shown, strings.ToLower(account))
		})
	}
}

// TestProbeRateLimit has a server that responds with 429, in a bubble with fake time.
func TestProbeRateLimit(t *testing.T) {
	t.Parallel()
	plan := planOf(t, probe.Options{MaxRequests: 10})
	for _, test := range []struct {
		name       string
		limited    func(nth int) bool
		retryAfter string
		rate       int
		requests   int
		took       time.Duration
		unsent     int
		finding    bool
	}{
		{name: "once", limited: func(nth int) bool { return nth == 3 }, retryAfter: "22", requests: 10, took: 22 * time.Second, unsent: 1},
		{name: "first", limited: func(nth int) bool { return nth == 1 }, retryAfter: "0", requests: 10, unsent: 1},
		{name: "for good", limited: func(nth int) bool { return nth > 4 }, retryAfter: "7", requests: 6, took: 7 * time.Second, unsent: 6},
		{name: "for long", limited: func(nth int) bool { return nth > 4 }, retryAfter: "3600", requests: 5, unsent: 6},
		{name: "no seconds", limited: func(nth int) bool { return nth == 2 }, retryAfter: "soon", requests: 2, unsent: 9, finding: true},
		{name: "rate", limited: func(int) bool { return false }, rate: 4, requests: 10, took: 2 * time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				stub, requests := newSandbox("k-123456", "t-123456"), 0
				target := onLoopback("k-123456", "t-123456")
				target.base = "http://127.0.0.1"
				to := target.target()
				to.Rate = test.rate
				to.Transport = inProcess(func(w http.ResponseWriter, r *http.Request) {
					if requests++; !test.limited(requests) {
						stub.ServeHTTP(w, r)
						return
					}
					w.Header().Set("Content-Type", "application/json")
					w.Header().Set("Retry-After", test.retryAfter)
					w.WriteHeader(http.StatusTooManyRequests)
					_, _ = io.WriteString(w, `{"error":"Rate limit exceeded."}`)
				})
				started := time.Now()
				result, err := plan.Run(t.Context(), to)
				require.NoError(t, err)
				assert.Equal(t, test.requests, requests)
				assert.Equal(t, test.took, time.Since(started))
				assert.Len(t, result.Unsent, test.unsent)
				assert.Equal(t, test.requests, result.Report.Exchanges)
				assert.Equal(t, test.finding, result.Report.Summary.Findings > 0, "%+v", result.Report.Findings)
				assert.Empty(t, result.Problems)
			})
		})
	}
}

// inProcess is a transport without a network.
type inProcess http.HandlerFunc

func (h inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h(w, r)
	return w.Result(), nil
}
