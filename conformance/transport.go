package conformance

import (
	"cmp"
	"io"
	"net/http"
	"net/url"
	"sync"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// Transport returns a transport that judges every exchange a test makes through it: a finding is an error of the test,
// drift and notes are logged, see [Strict]. next makes the exchanges; nil stands for [http.DefaultTransport].
//
// Requests and answers pass through unchanged, and as they come. An exchange is judged when the body of its answer was
// read to its end or is closed, or when the test ends; what nobody read of a body by then is no evidence, nor is a body
// of more than 1 MiB or in a coding other than gzip. An exchange that fails is passed on and not judged. A test in which
// none was for an operation of the contract fails at its end, as a test that shows nothing is no pass.
func Transport(tb TB, contract *Contract, next http.RoundTripper, options ...TestOption) http.RoundTripper {
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
	ex := &traffic.Exchange{Method: cmp.Or(r.Method, http.MethodGet), URL: &url.URL{}}
	if r.URL != nil {
		*ex.URL = *r.URL
	}
	header := r.Header.Clone() // before it is sent, as its owner may change it afterwards
	passed, sent := copyRequest(r)
	resp, err := t.next.RoundTrip(passed)
	if resp == nil || err != nil {
		return resp, err
	}
	if resp.Request == passed {
		resp.Request = r
	}
	answer, got := resp.Header.Clone(), &bodyCopy{}
	ex.Status = resp.StatusCode
	length := resp.ContentLength
	judge := sync.OnceFunc(func() {
		ex.Request = sent().message(header, r.ContentLength)
		ex.Response = got.message(answer, length)
		t.weigh(number, ex)
	})
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols: // its body is a connection
		judge()
	case resp.Body == nil, resp.Body == http.NoBody:
		got.end()
		judge()
	default:
		t.wait(number, judge)
		resp.Body = &copyingBody{ReadCloser: resp.Body, to: got, ending: judge}
	}
	return resp, nil
}

// copyRequest returns the request with a body that is copied as it is sent, and a function for the copy. A transport that
// sends it a second time, over another connection, asks GetBody for it: then that one counts.
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
		return &copyingBody{ReadCloser: body, to: last}
	}
	passed := r.WithContext(r.Context()) // a transport must not change what it is given
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
