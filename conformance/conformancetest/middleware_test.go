package conformancetest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance/conformancetest"
	"github.com/fleetcontract/fleetio-go/conformance/internal/testspec"
)

// serve makes one exchange with a handler behind the middleware, over HTTP/1.1 on loopback, and returns the reports to the
// test, and the response with its body.
func serve(t *testing.T, r *http.Request, handler http.HandlerFunc, options ...conformancetest.Option) (*observed, *http.Response, string) {
	t.Helper()
	o := &observed{t: t}
	server := httptest.NewServer(conformancetest.Middleware(o, loadContract(t), handler, options...))
	defer func() { server.Close(); o.end() }()
	at := strings.TrimPrefix(server.URL, "http://")
	r.URL.Scheme, r.URL.Host = "http", at
	resp, err := server.Client().Transport.RoundTrip(r)
	if err != nil {
		return o, nil, ""
	}
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return o, resp, string(body)
}

// create reads the request and responds with a fault.
func create(id int, write func(http.ResponseWriter, []byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Location", "/api/v1/faults/7")
		write(w, testspec.Fault(func(f map[string]any) { f["id"] = id }))
	}
}

func whole(w http.ResponseWriter, body []byte) {
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(body)
}

// TestMiddlewareReports findings, and compares the response with that of the handler without middleware.
func TestMiddlewareReports(t *testing.T) {
	t.Parallel()
	const minimum = "createFault 201: response.body /id minimum"
	big := strings.Repeat(" ", 1<<20)
	for name, test := range map[string]struct {
		request string
		handler http.HandlerFunc
		options []conformancetest.Option
		errors  []string
		logs    []string
	}{
		"conforms": {request, create(7, whole), nil, nil, nil},
		"deviates": {request, create(0, whole), nil, []string{minimum}, nil},
		"accepts a violation": {`{"vehicle_id":4711}`, create(7, whole), nil,
			[]string{"createFault 201: request.body /code required: accepted with 201 although it violates the contract: "}, nil},
		"in pieces": {request, create(0, func(w http.ResponseWriter, body []byte) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusCreated)
			w.WriteHeader(http.StatusOK) // too late
			w.Header().Del("Location")   // too late as well
			for _, b := range body {
				_, _ = w.Write([]byte{b})
				w.(http.Flusher).Flush()
			}
		}), nil, []string{minimum}, nil},
		"an implicit status": {request, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }, nil, nil,
			[]string{"createFault 200: response.status  status"}},
		"an implicit status, strictly": {request, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") },
			[]conformancetest.Option{conformancetest.Strict()}, []string{"createFault 200: response.status  status"}, nil},
		"too large":           {request, create(0, func(w http.ResponseWriter, body []byte) { whole(w, append(body, big...)) }), nil, nil, nil},
		"of the maximum size": {request, create(0, func(w http.ResponseWriter, body []byte) { whole(w, append(body, big[len(body):]...)) }), nil, []string{minimum}, nil},
		"of an implicit type": {request, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/api/v1/faults/7")
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, "<ht")
			_, _ = io.WriteString(w, "ml>")
		}, nil, []string{`createFault 201: response.header /Content-Type media-type: expected application/json, found "text/html`}, nil},
		"of no type": {request, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			w.Header()["Date"] = nil
			w.Header().Set("Location", "/api/v1/faults/7")
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write(testspec.Fault(nil))
		}, nil, []string{`createFault 201: response.header /Content-Type media-type: expected application/json, found no Content-Type`}, nil},
		"of no type, after a flush": {request, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/api/v1/faults/7")
			w.WriteHeader(http.StatusCreated)
			assert.NoError(t, http.NewResponseController(w).Flush())
			_, _ = w.Write(testspec.Fault(nil))
		}, nil, []string{`createFault 201: response.header /Content-Type media-type: expected application/json, found no Content-Type`}, nil},
		"with a trailer": {request, create(7, func(w http.ResponseWriter, body []byte) {
			w.Header().Set(http.TrailerPrefix+"X-Sum", "1")
			w.Header()["x-lower"] = []string{"1"}
			whole(w, body)
		}), nil, nil, []string{"createFault 201: response.header /X-Lower undocumented-header"}},
		"a request that is not read completely": {`{"vehicle_id":4711}`, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.CopyN(io.Discard, r.Body, 3)
			create(7, whole)(w, &http.Request{Body: http.NoBody})
		}, nil, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, resp, body := serve(t, newCreate(t, "http://h", test.request), test.handler, test.options...)
			assertPrefixes(t, test.errors, o.errors)
			assertPrefixes(t, test.logs, o.logs)
			plain := httptest.NewServer(test.handler)
			r := newCreate(t, plain.URL, test.request)
			want, err := plain.Client().Transport.RoundTrip(r)
			require.NoError(t, err)
			wanted, err := io.ReadAll(want.Body)
			require.NoError(t, err)
			plain.Close()
			want.Header.Del("Date")
			resp.Header.Del("Date")
			assert.Equal(t, want.StatusCode, resp.StatusCode)
			assert.Equal(t, want.Header, resp.Header)
			assert.Equal(t, want.ContentLength, resp.ContentLength)
			assert.Equal(t, string(wanted), body)
		})
	}
}

// TestMiddlewareDetectsTypesAsNetHTTPDoes compares the detected type with the one in the response.
func TestMiddlewareDetectsTypesAsNetHTTPDoes(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"text":    func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "text") },
		"nothing": func(http.ResponseWriter, *http.Request) {},
		"a long begin": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat(" ", 600)+"<html>")
		},
		"in two": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("\x89PNG"))
			_, _ = w.Write([]byte("\r\n\x1a\n"))
		},
		"coded": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			_, _ = io.WriteString(w, "x")
		},
		"204": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
			_, _ = io.WriteString(w, "x")
		},
		"flushed first": func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush(); _, _ = io.WriteString(w, "x") },
		"flushed in two": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "\x89PNG")
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, "\r\n\x1a\n")
		},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			t.Run(method+" "+name, func(t *testing.T) {
				t.Parallel()
				r, err := http.NewRequestWithContext(t.Context(), method, "http://h/x", nil)
				require.NoError(t, err)
				_, resp, _ := serve(t, r, handler)
				assert.Equal(t, resp.Header.Get("Content-Type"), conformancetest.DetectedType(handler, method))
			})
		}
	}
}

// TestMiddlewarePassesOn panics, hijacked connections and the methods of the response writer.
func TestMiddlewarePassesOn(t *testing.T) {
	t.Parallel()
	const vacuous = "none was for an operation of the contract"

	o, resp, _ := serve(t, newCreate(t, "http://h", request), func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	assert.Nil(t, resp, "the connection was closed")
	require.Len(t, o.errors, 1, "nothing was checked")
	assert.Contains(t, o.errors[0], vacuous)

	o, resp, body := serve(t, newCreate(t, "http://h", request), func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if assert.NoError(t, err) {
			_, _ = io.WriteString(conn, "HTTP/1.1 418 Mine\r\nContent-Length: 2\r\n\r\nhi")
			_ = conn.Close()
		}
	})
	assert.Equal(t, http.StatusTeapot, resp.StatusCode)
	assert.Equal(t, "hi", body)
	require.Len(t, o.errors, 1, "nothing was checked")
	assert.Contains(t, o.errors[0], vacuous)

	o, resp, _ = serve(t, newCreate(t, "http://h", request), create(7, func(w http.ResponseWriter, body []byte) {
		assert.NoError(t, http.NewResponseController(w).EnableFullDuplex(), "a method of the wrapped writer")
		whole(w, body)
	}))
	assert.Equal(t, http.StatusCreated, resp.StatusCode)
	assert.Empty(t, o.errors)

	// A writer without Flush and Hijack.
	o = &observed{t: t}
	recorder := httptest.NewRecorder()
	conformancetest.Middleware(o, loadContract(t), create(0, func(w http.ResponseWriter, body []byte) {
		_, flushes := w.(http.Flusher)
		assert.False(t, flushes)
		controller := http.NewResponseController(w)
		assert.ErrorIs(t, controller.Flush(), http.ErrNotSupported)
		_, _, err := controller.Hijack()
		assert.ErrorIs(t, err, http.ErrNotSupported)
		whole(w, body)
	})).ServeHTTP(struct{ http.ResponseWriter }{recorder}, httptest.NewRequest(http.MethodPost, "/api/v1/faults", nil))
	assert.NotEmpty(t, o.end())
}

// TestMiddlewareShowsTheRequest unchanged and complete to the handler, whatever its size.
func TestMiddlewareShowsTheRequest(t *testing.T) {
	t.Parallel()
	sent := `{"vehicle_id":4711,"code":"P0420","description":"` + strings.Repeat("x", 3<<20) + `"}`
	o, _, _ := serve(t, newCreate(t, "http://h", sent), func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Equal(t, sent, string(body))
		assert.Equal(t, int64(len(sent)), r.ContentLength)
		r.Header.Del("Authorization") // the check uses the header as received
		create(7, whole)(w, r)
	})
	assert.Empty(t, o.errors)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://h/api/v1/faults", nil)
	require.NoError(t, err)
	o, _, _ = serve(t, r, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, http.NoBody, r.Body)
		create(7, whole)(w, r)
	})
	assertPrefixes(t, []string{"createFault 201: request.header /Account-Token security", "createFault 201: request.header /Authorization security",
		"createFault 201: request.body  body"}, o.errors)
	o = &observed{t: t}
	conformancetest.Middleware(o, loadContract(t), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		assert.Nil(t, r.Body)
	})).ServeHTTP(httptest.NewRecorder(), &http.Request{})
	assert.Len(t, o.end(), 1)
}

// TestMiddlewareUnderATimeout writes to a writer that returns http.ErrHandlerTimeout.
func TestMiddlewareUnderATimeout(t *testing.T) {
	t.Parallel()
	o := &observed{t: t}
	handler := conformancetest.Middleware(o, loadContract(t), create(0, whole))
	handler.ServeHTTP(failingWriter{httptest.NewRecorder()}, newCreate(t, "http://h", request))
	assert.Empty(t, o.end(), "the body was not sent")
}

type failingWriter struct{ *httptest.ResponseRecorder }

func (w failingWriter) Write(p []byte) (int, error) { return len(p) / 2, http.ErrHandlerTimeout }

func TestMiddlewareIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("HTTP/2 is %t", http2), func(t *testing.T) {
			t.Parallel()
			o := &observed{t: t}
			server := httptest.NewUnstartedServer(conformancetest.Middleware(o, loadContract(t), create(7, whole)))
			if server.EnableHTTP2 = http2; http2 {
				server.StartTLS()
			} else {
				server.Start()
			}
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					for range 10 {
						resp, err := server.Client().Do(newCreate(t, server.URL, request))
						if !assert.NoError(t, err) {
							return
						}
						body, _ := io.ReadAll(resp.Body)
						assert.JSONEq(t, string(testspec.Fault(nil)), string(body))
						_ = resp.Body.Close()
					}
				})
			}
			wg.Wait()
			server.Close()
			assert.Empty(t, o.end())
		})
	}
}

// TestMiddlewareAfterTheEnd ends the test before the handler returns.
func TestMiddlewareAfterTheEnd(t *testing.T) {
	t.Parallel()
	o := &observed{t: t}
	handler := conformancetest.Middleware(o, loadContract(t), create(0, func(w http.ResponseWriter, body []byte) {
		assert.Len(t, o.end(), 1, "nothing was checked")
		whole(w, body)
	}))
	handler.ServeHTTP(httptest.NewRecorder(), newCreate(t, "http://h", request))
}
