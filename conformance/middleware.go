package conformance

import (
	"cmp"
	"net/http"
	"net/url"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// Middleware returns a handler that judges every exchange a test makes with next: a finding is an error of the test, drift
// and notes are logged, see [Strict].
//
// Requests and answers pass through unchanged, and as they come. An exchange is judged when next returns, by what it read
// of the request and wrote as the answer; a Content-Type that it leaves to net/http is guessed as net/http does. What next
// did not read of a request is no evidence, nor is a body of more than 1 MiB or in a coding other than gzip. A handler that
// panics or takes over the connection is not judged, nor is one that returns after the test has ended. A test in which no
// exchange was for an operation of the contract fails at its end, as a test that shows nothing is no pass.
func Middleware(tb TB, contract *Contract, next http.Handler, options ...TestOption) http.Handler {
	t := newTester(tb, contract, options)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		number := t.start()
		ex := &traffic.Exchange{Method: cmp.Or(r.Method, http.MethodGet), URL: &url.URL{}}
		if r.URL != nil {
			*ex.URL = *r.URL
		}
		header := r.Header.Clone()
		passed, sent := copyRequest(r)
		written := &copyingWriter{ResponseWriter: w}
		var writer http.ResponseWriter = written
		if _, ok := w.(http.Flusher); ok {
			writer = flushingWriter{written}
		}
		next.ServeHTTP(writer, passed) // where it panics, the rest does not happen
		if written.hijacked {
			return
		}
		written.commit(http.StatusOK)
		ex.Status = written.status
		ex.Request = sent().message(header, r.ContentLength)
		ex.Response = written.message(r.Method)
		t.weigh(number, ex)
	})
}
