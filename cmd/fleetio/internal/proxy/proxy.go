// Package proxy forwards requests to one server without changing them.
package proxy

import (
	"errors"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
)

// Transport returns a transport for a proxy, with connections in HTTP/1.1 or, if the server of an https URL has it, HTTP/2.
func Transport() *http.Transport {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	t.DisableCompression = true // it would decompress what the client did not ask for
	t.MaxIdleConnsPerHost = 100
	t.MaxResponseHeaderBytes = http.DefaultMaxHeaderBytes
	return t
}

// ParseUpstream parses the URL of a server, which may have a path.
func ParseUpstream(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		// The text may hold a password.
		return nil, errors.New("expected a URL such as https://secure.fleetio.com, without user, query and fragment")
	}
	return u, nil
}

// New returns a handler that forwards requests to the server at a URL, and streams both bodies. onError is called with each
// request that gets no response; the client then gets a 502.
func New(upstream *url.URL, transport http.RoundTripper, onError func(error)) http.Handler {
	proxy := &httputil.ReverseProxy{
		Transport:     transport,
		FlushInterval: -1, // at once
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(upstream)
			// ReverseProxy removes what a server could misunderstand, but the client said it.
			r.Out.URL.RawQuery = r.In.URL.RawQuery
			for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
				if values, ok := r.In.Header[name]; ok {
					r.Out.Header[name] = slices.Clone(values)
				}
			}
			r.Out.Trailer = r.In.Trailer // net/http fills it at the end of the body
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil { // otherwise the client has disconnected
				onError(err)
			}
			http.Error(w, "fleetio record: the server sent no response: "+err.Error(), http.StatusBadGateway)
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"], w.Header()["Date"] = nil, nil // net/http would add what the server did not send
		proxy.ServeHTTP(w, r)
	})
}
