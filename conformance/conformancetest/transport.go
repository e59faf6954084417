// Package conformancetest checks the HTTP exchanges of a Go test against a contract: [Transport] those of the test's
// client, [Middleware] those of its server.
package conformancetest

import (
	"cmp"
	"io"
	"net/http"
	"net/url"
	"sync"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// Transport returns a transport that sends requests with next and checks every exchange: a finding is an error of the
// test; drift and notes are logged, see [Strict]. next may be nil (default [http.DefaultTransport]).
//
// Requests and responses pass through unchanged and are streamed. Transport checks an exchange when the response body is
// read to its end or closed, or when the test ends. A body that was not read completely by then is not checked, nor one of
// more than 1 MiB or in a content coding other than gzip, nor an exchange without a response. A test fails at its end if
// no exchange was checked.
func Transport(tb TB, contract *conformance.Contract, next http.RoundTripper, options ...Option) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	return &transport{newTester(tb, contract, options), next}
}

type transport struct {
	*tester

	next http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	number := t.start()
	ex := newExchange(r)
	header := r.Header.Clone() // the caller may change it after RoundTrip
	passed, sent := copyRequest(r)
	resp, err := t.next.RoundTrip(passed)
	if resp == nil || err != nil {
		return resp, err
	}
	if resp.Request == passed {
		resp.Request = r
	}
	responseHeader, received, length := resp.Header.Clone(), &bodyCopy{}, resp.ContentLength
	ex.Status = resp.StatusCode
	check := sync.OnceFunc(func() {
		ex.Request = sent().message(header, r.ContentLength)
		ex.Response = received.message(responseHeader, length)
		t.check(number, ex)
	})
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols: // its body is a connection
		check()
	case resp.Body == nil, resp.Body == http.NoBody:
		received.end()
		check()
	default:
		t.checkAtEnd(number, check)
		resp.Body = &copyingBody{ReadCloser: resp.Body, copy: received, onEnd: check}
	}
	return resp, nil
}

func newExchange(r *http.Request) *traffic.Exchange {
	ex := &traffic.Exchange{Method: cmp.Or(r.Method, http.MethodGet), URL: &url.URL{}}
	if r.URL != nil {
		*ex.URL = *r.URL
		ex.URL.Host = "" // it is the server of the contract, whatever the test calls it
	}
	return ex
}

// copyRequest returns the request with a body that is copied as it is read, and a function that returns the copy. If the
// transport sends the request again with a new body from GetBody, it is the copy of the last body.
func copyRequest(r *http.Request) (*http.Request, func() *bodyCopy) {
	if r.Body == nil || r.Body == http.NoBody {
		return r, func() *bodyCopy { return &bodyCopy{ended: true} }
	}
	var mu sync.Mutex
	var last *bodyCopy
	copied := func(body io.ReadCloser) io.ReadCloser {
		mu.Lock()
		defer mu.Unlock()
		last = &bodyCopy{}
		return &copyingBody{ReadCloser: body, copy: last}
	}
	passed := r.WithContext(r.Context()) // a transport must not change its request
	passed.Body = copied(r.Body)
	if r.GetBody != nil {
		passed.GetBody = func() (io.ReadCloser, error) {
			body, err := r.GetBody()
			if err != nil {
				return nil, err
			}
			return copied(body), nil
		}
	}
	return passed, func() *bodyCopy {
		mu.Lock()
		defer mu.Unlock()
		return last
	}
}
