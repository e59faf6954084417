// Package conformancetest checks the HTTP exchanges of a Go test against a contract: [Transport] those of the test's
// client, [Middleware] those of its server.
package conformancetest

import (
	"net/http"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/internal/capture"
)

// Transport returns a transport that sends requests with next and checks every exchange: a finding is an error of the
// test; drift and notes are logged, see [Strict]. next may be nil (default [http.DefaultTransport]).
//
// Requests and responses pass through unchanged and are streamed. Transport checks an exchange when the response body is
// read to its end or closed, or when the test ends. A body that was not read completely by then is not checked, nor one of
// more than 1 MiB or in an unknown content coding, nor an exchange without a response. A test fails at its end if
// no exchange was checked.
func Transport(tb TB, contract *conformance.Contract, next http.RoundTripper, options ...Option) http.RoundTripper {
	t := newTester(tb, contract, options)
	transport := &capture.Transport{Next: next, Begin: func() func(*capture.Exchange) {
		number := t.start()
		return func(e *capture.Exchange) { t.check(number, e.Traffic()) }
	}}
	tb.Cleanup(transport.Finish) // before the test ends
	return transport
}
