package contracttest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
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

// TestLiveSetFindsDeviations runs the live set against servers that deviate in one way each.
func TestLiveSetFindsDeviations(t *testing.T) {
	t.Parallel()
	const key, account = "k-123456", "t-123456"
	stub, contract := newSandbox(key, account), loadContract(t)
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		problem string
	}{
		"requires no key": {func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Authorization", "Token "+key)
			stub.ServeHTTP(w, r)
		}, "without-api-key: expected 401, found 201"},
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
			body = regexp.MustCompile("é+").ReplaceAll(body, []byte("é"))
			r.Body = io.NopCloser(bytes.NewReader(body))
			stub.ServeHTTP(w, r)
		}, "code-too-long: expected 422, found 201"},
		"responds with 200": {func(w http.ResponseWriter, r *http.Request) {
			stub.ServeHTTP(w, r)
			if e, ok := w.(*editor); ok && e.status == 201 {
				e.status = 200
			}
		}, "create: 200 response.status"},
		"sends no Location": {func(w http.ResponseWriter, r *http.Request) {
			stub.ServeHTTP(w, r)
			w.Header().Del("Location")
		}, "response.header /Location required"},
		"redirects": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, "create: 307 response.status"},
		"redirects to an invalid URL": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://%zz/")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, "create: 307 response.status"},
		"fails": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, `{"status":500,"title":"Internal Server Error","detail":"Out of vehicles"}`)
		}, "create: expected 201, found 500"},
		"rejects everything": {func(w http.ResponseWriter, r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(`{"vehicle_id":1}`))
			stub.ServeHTTP(w, r)
		}, "create: expected 201, found 422"},
		"responds with text": {func(w http.ResponseWriter, r *http.Request) {
			stub.ServeHTTP(w, r)
			w.Header().Set("Content-Type", "text/plain")
		}, "create: 201 response.header /Content-Type media-type"},
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
			target := onLoopback(key, account)
			target.base = edited(t, test.handler)
			var out strings.Builder
			problems := runLive(t.Context(), &out, contract, target, liveSet(target))
			assert.Contains(t, strings.Join(problems, "\n"), test.problem)
			assert.NotContains(t, strings.Join(problems, "\n")+out.String(), "123456", "a credential is shown")
			for _, c := range liveSet(target) {
				reported := slices.ContainsFunc(problems, func(p string) bool { return strings.HasPrefix(p, c.name+": expected ") })
				found := slices.ContainsFunc(problems, func(p string) bool {
					return strings.HasPrefix(p, c.name+": ") && strings.Contains(p, " response.status  status: ")
				})
				assert.False(t, reported && found, "%s: two problems for one deviation", c.name)
			}
		})
	}
}

// TestLiveSetShowsDrift without a problem: a vendor may add a property or a header at any time.
func TestLiveSetShowsDrift(t *testing.T) {
	t.Parallel()
	stub := newSandbox("k-123456", "t-123456")
	target := onLoopback("k-123456", "t-123456")
	target.base = edited(t, func(w http.ResponseWriter, r *http.Request) {
		stub.ServeHTTP(w, r)
		w.Header().Set("X-New", "1")
		if e, ok := w.(*editor); ok && e.status == 201 {
			e.body = append([]byte(`{"new":1,`), e.body[1:]...)
		}
	})
	var out strings.Builder
	assert.Empty(t, runLive(t.Context(), &out, loadContract(t), target, liveSet(target)))
	assert.Contains(t, out.String(), "create: 201 response.body /new undocumented-property")
	assert.Contains(t, out.String(), "without-code: 422 response.header /X-New undocumented-header")
}

// TestLiveSetViolatesOneClaimEach checks the invalid request bodies of the live set.
func TestLiveSetViolatesOneClaimEach(t *testing.T) {
	t.Parallel()
	contract := loadContract(t)
	header := http.Header{"Authorization": {"Token key"}, "Account-Token": {"token"}, "Content-Type": {"application/json"}}
	for _, c := range liveSet(onLoopback("k", "t")) {
		if c.status != http.StatusUnprocessableEntity {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			findings, err := contract.Check(&traffic.Exchange{
				Method: http.MethodPost, URL: &url.URL{Path: "/api/v1/faults"}, Status: http.StatusCreated,
				Request:  traffic.Message{Header: header, Body: []byte(c.body)},
				Response: traffic.Message{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(validFault)},
			})
			require.NoError(t, err)
			findings = slices.DeleteFunc(findings, func(f conformance.Finding) bool { return f.Part != conformance.RequestBody })
			require.Len(t, findings, 1)
			assert.Equal(t, conformance.Documented, findings[0].Source)
		})
	}
}

// TestLiveShowsNoCredential has servers that repeat the credentials where errors of net/http or findings could quote them.
func TestLiveShowsNoCredential(t *testing.T) {
	t.Parallel()
	const key, account = "Key3xAmPlE76cbE06c", "Acc0Un7t0KEN9e1F"
	const created, secret = "HTTP/1.1 201 Created\r\nConnection: close\r\n", key + account
	contract := loadContract(t)
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
			target := onLoopback(key, account)
			target.base = server.URL
			var out strings.Builder
			problems := runLive(t.Context(), &out, contract, target, liveSet(target)[:1])
			server.Close()
			require.NotEmpty(t, problems)
			shown := strings.ToLower(out.String() + strings.Join(problems, "\n"))
			assert.NotContains(t, shown, strings.ToLower(key))
			assert.NotContains(t, shown, strings.ToLower(account))
		})
	}
}

// TestLiveStopsAtRateLimit has a server that responds with 429 from the nth request on.
func TestLiveStopsAtRateLimit(t *testing.T) {
	t.Parallel()
	stub, contract := newSandbox("k-123456", "t-123456"), loadContract(t)
	for _, test := range []struct {
		nth        int64
		retryAfter string
		problem    string
		finding    string
	}{
		{1, "22", "create: rate limited; wait 22 s (Retry-After) and run again; 6 requests were not sent", ""},
		{3, "0", "without-account-token: rate limited; wait 0 s (Retry-After) and run again; 4 requests were not sent", ""},
		{7, "7", "status-not-in-enum: rate limited; wait 7 s (Retry-After) and run again; 0 requests were not sent", ""},
		{1, "soon", "create: rate limited; wait (no seconds in Retry-After) and run again; 6 requests were not sent",
			"create: 429 response.header /Retry-After type"},
	} {
		t.Run(test.problem, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			target := onLoopback("k-123456", "t-123456")
			target.base = edited(t, func(w http.ResponseWriter, r *http.Request) {
				if requests.Add(1) < test.nth {
					stub.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("Retry-After", test.retryAfter)
				w.WriteHeader(http.StatusTooManyRequests)
				_, _ = io.WriteString(w, `{"error":"Rate limit exceeded."}`)
			})
			problems := runLive(t.Context(), io.Discard, contract, target, liveSet(target))
			require.NotEmpty(t, problems)
			assert.Equal(t, test.problem, problems[0])
			if found := strings.Join(problems[1:], "\n"); test.finding == "" {
				assert.Empty(t, found)
			} else {
				assert.Contains(t, found, test.finding)
			}
			assert.Equal(t, test.nth, requests.Load())
		})
	}
}
