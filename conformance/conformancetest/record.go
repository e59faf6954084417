package conformancetest

import (
	"cmp"
	"net/http"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/recorder"
)

// Record returns a transport that sends requests with next and writes every exchange to the file at path, without
// credentials, see [conformance.Redactor]: as HAR if its name ends in .har, and else as NDJSON. It overwrites the file. next
// may be nil (default [http.DefaultTransport]). To check the exchanges as well, make it the next of [Transport].
//
// Requests and responses pass through unchanged and are streamed. Record writes an exchange when the response body is read to
// its end or closed, when there is no response, or when the test ends. A body that was not read completely by then is marked
// as omitted, and so is one of more than 1 MiB or in an unknown content coding. A test fails at its end if an exchange could
// not be written.
func Record(tb TB, contract *conformance.Contract, next http.RoundTripper, path string) http.RoundTripper {
	tb.Helper()
	w, err := traffic.Create(path)
	if err != nil {
		tb.Errorf("the exchanges are not recorded: %v", err)
		return cmp.Or(next, http.DefaultTransport)
	}
	r := recorder.New(w, contract.Redactor(), next, nil)
	tb.Cleanup(func() {
		if err := r.Close(); err != nil {
			tb.Errorf("%s: %v", path, err)
		}
	})
	return r
}
