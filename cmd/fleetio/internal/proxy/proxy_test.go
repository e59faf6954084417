package proxy_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/proxy"
)

// start starts an upstream server and a proxy, each with HTTP/1.1 or HTTP/2, and returns a client and the proxy's URL.
func start(t *testing.T, http2 bool, path string, upstream http.HandlerFunc) (*http.Client, string) {
	t.Helper()
	serve := func(handler http.Handler) *httptest.Server {
		s := httptest.NewUnstartedServer(handler)
		if s.EnableHTTP2 = http2; http2 {
			s.StartTLS()
		} else {
			s.Start()
		}
		t.Cleanup(s.Close)
		return s
	}
	to := serve(upstream)
	url, err := proxy.ParseUpstream(to.URL + path)
	require.NoError(t, err)
	transport := proxy.Transport()
	if http2 {
		transport.TLSClientConfig = to.Client().Transport.(*http.Transport).TLSClientConfig
	}
	t.Cleanup(transport.CloseIdleConnections)
	p := serve(proxy.New(url, transport, func(err error) { assert.NoError(t, err) }))
	client := p.Client()
	client.Transport.(*http.Transport).DisableCompression = true
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client, p.URL
}

// TestProxyChangesNothing compares requests and responses on both sides of the proxy.
func TestProxyChangesNothing(t *testing.T) {
	t.Parallel()
	random := make([]byte, 3<<20)
	for i := range random {
		random[i] = byte(rand.IntN(256))
	}
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, _ = zip.Write([]byte(`{"a":1}`))
	require.NoError(t, zip.Close())
	for name, test := range map[string]struct {
		sent, received []byte
		known          bool // the lengths are
		status         int
		header         http.Header
	}{
		"empty":        {nil, nil, true, 204, nil},
		"known length": {random, random, true, 200, http.Header{"Content-Type": {"x/y"}, "X-Two": {"1", "2"}}},
		"chunked":      {random, random, false, 200, http.Header{"Content-Type": {"x/y"}}},
		"gzip":         {packed.Bytes(), packed.Bytes(), true, 201, http.Header{"Content-Encoding": {"gzip"}, "Content-Type": {"application/json"}}},
		"no type":      {[]byte("{}"), []byte("<html>"), true, 200, nil},
		"a redirect":   {[]byte("{}"), []byte("x"), true, 307, http.Header{"Location": {"https://elsewhere.example/x"}, "Content-Type": {"x/y"}}},
		"an error":     {[]byte("{}"), []byte("x"), true, 500, http.Header{"Content-Type": {"x/y"}}},
	} {
		for _, http2 := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", HTTP/2"}[http2], func(t *testing.T) {
				t.Parallel()
				const target = "/a%2Fb/c%20d?x=1;y&filter[z][eq]=%zz"
				client, base := start(t, http2, "/base", func(w http.ResponseWriter, r *http.Request) {
					body, err := io.ReadAll(r.Body)
					assert.NoError(t, err)
					assert.True(t, bytes.Equal(test.sent, body), "the bytes of the request")
					assert.Equal(t, "/base"+target, r.RequestURI)
					assert.Equal(t, http2, r.ProtoMajor == 2)
					if test.known {
						assert.Equal(t, int64(len(test.sent)), r.ContentLength)
					} else {
						assert.Equal(t, int64(-1), r.ContentLength)
						assert.Equal(t, http.Header{"X-Sum": {"7"}}, r.Trailer)
					}
					for _, added := range []string{"Accept-Encoding", "User-Agent"} {
						assert.NotContains(t, r.Header, added)
					}
					assert.Equal(t, "1.2.3.4", r.Header.Get("X-Forwarded-For"))
					assert.Equal(t, []string{"Token x"}, r.Header["Authorization"])
					maps.Copy(w.Header(), test.header)
					if test.header["Content-Type"] == nil {
						w.Header()["Content-Type"] = nil
					}
					w.Header()["Date"] = nil
					if !test.known {
						w.Header().Set("Trailer", "X-End")
						defer w.Header().Set("X-End", "8")
					}
					w.WriteHeader(test.status)
					_, _ = w.Write(test.received)
				})
				var body io.Reader = bytes.NewReader(test.sent)
				if !test.known {
					body = io.MultiReader(body)
				}
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+target, body)
				require.NoError(t, err)
				r.Header = http.Header{"Authorization": {"Token x"}, "X-Forwarded-For": {"1.2.3.4"}, "User-Agent": {""}}
				if !test.known {
					r.Trailer = http.Header{"X-Sum": {"7"}}
				}
				resp, err := client.Do(r)
				require.NoError(t, err)
				got, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				assert.Equal(t, test.status, resp.StatusCode)
				assert.True(t, bytes.Equal(test.received, got), "the bytes of the response")
				resp.Header.Del("Content-Length")
				if test.header == nil {
					test.header = http.Header{}
				}
				assert.Equal(t, test.header, resp.Header)
				if !test.known {
					assert.Equal(t, http.Header{"X-End": {"8"}}, resp.Trailer)
				}
			})
		}
	}
}

// TestProxyStreams reads each part of a response before the server sends the next.
func TestProxyStreams(t *testing.T) {
	t.Parallel()
	next := make(chan struct{})
	client, base := start(t, false, "", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "6") // not a stream by its header
		for _, part := range []string{"ab", "cd", "ef"} {
			_, _ = io.WriteString(w, part)
			assert.NoError(t, http.NewResponseController(w).Flush())
			<-next
		}
	})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base, nil)
	require.NoError(t, err)
	resp, err := client.Do(r)
	require.NoError(t, err)
	for _, part := range []string{"ab", "cd", "ef"} {
		got := make([]byte, 2)
		_, err := io.ReadFull(resp.Body, got)
		require.NoError(t, err)
		assert.Equal(t, part, string(got))
		next <- struct{}{}
	}
	require.NoError(t, resp.Body.Close())
}

// TestProxyReportsNoResponse of a server that is not there.
func TestProxyReportsNoResponse(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	url, err := proxy.ParseUpstream("http://" + listener.Addr().String())
	require.NoError(t, err)
	var failure error
	w := httptest.NewRecorder()
	proxy.New(url, proxy.Transport(), func(err error) { failure = err }).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	assert.Equal(t, http.StatusBadGateway, w.Code)
	require.ErrorContains(t, failure, "refused")
	assert.True(t, strings.HasPrefix(w.Body.String(), "fleetio record: the server sent no response: "), w.Body.String())
}

func TestParseUpstream(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "h", "ftp://h", "https://", "https://u:s3cret@h", "https://h?a", "https://h#a", "https://s3cret:x:y"} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			_, err := proxy.ParseUpstream(text)
			require.ErrorContains(t, err, "expected a URL such as https://secure.fleetio.com")
			assert.NotContains(t, err.Error(), "s3cret")
		})
	}
}
