package conformancetest

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/capture"
)

// Middleware returns a handler that checks every exchange that next handles: a finding is an error of the test; drift and
// notes are logged, see [Strict].
//
// Requests and responses pass through unchanged and are streamed. Middleware checks an exchange when next returns: the
// request as far as next read it, and the response that it wrote, with the Content-Type that net/http detects if next
// sets none. A request body that next did not read completely is not checked, nor a body of more than 1 MiB or in an
// unknown content coding. An exchange is not checked if next panics or hijacks the connection, or returns after
// the end of the test. A test fails at its end if no exchange was checked.
func Middleware(tb TB, contract *conformance.Contract, next http.Handler, options ...Option) http.Handler {
	t := newTester(tb, contract, options)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		number := t.start()
		captured, passed := capture.Request(r, nil)
		copied := &copyingWriter{ResponseWriter: w}
		var writer http.ResponseWriter = copied
		if _, ok := w.(http.Flusher); ok {
			writer = flushingWriter{copied}
		}
		next.ServeHTTP(writer, passed) // a panic skips the check
		if copied.hijacked {
			return
		}
		copied.commit(http.StatusOK)
		ex := captured.Traffic()
		ex.Status, ex.Response = copied.status, copied.message(r.Method)
		t.check(number, ex)
	})
}

// maxDetected is how much of a body [http.DetectContentType] looks at.
const maxDetected = 512

// copyingWriter copies the response that a handler writes.
type copyingWriter struct {
	http.ResponseWriter

	status   int // 0 until the header is written
	header   http.Header
	body     capture.Body
	start    []byte // of the body before the first flush: net/http detects the type of it
	flushed  bool
	failed   bool // a write failed
	hijacked bool
	typed    bool // net/http does not detect the type
}

// Unwrap lets [http.ResponseController] reach the methods that are not copied.
func (w *copyingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements [http.ResponseWriter].
func (w *copyingWriter) WriteHeader(status int) {
	if status/100 != 1 || status == http.StatusSwitchingProtocols { // the other 1xx precede the response
		w.commit(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (w *copyingWriter) Write(p []byte) (int, error) {
	w.commit(http.StatusOK)
	n, err := w.ResponseWriter.Write(p)
	if n > 0 {
		w.body.Add(p[:n])
		if !w.flushed {
			w.start = append(w.start, p[:min(n, maxDetected-len(w.start))]...)
		}
	}
	w.failed = w.failed || err != nil && !errors.Is(err, http.ErrBodyNotAllowed)
	return n, err
}

// FlushError implements the method that [http.ResponseController.Flush] calls.
func (w *copyingWriter) FlushError() error {
	w.commit(http.StatusOK)
	w.flushed = true
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack implements [http.Hijacker].
func (w *copyingWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	w.hijacked = w.hijacked || err == nil
	return conn, rw, err
}

// commit copies the header when it is written.
func (w *copyingWriter) commit(status int) {
	if w.status != 0 {
		return
	}
	w.status, w.header = status, http.Header{}
	for name, values := range w.Header() {
		// A name without values stops net/http from adding that header; a name with this prefix is a trailer.
		if len(values) > 0 && !strings.HasPrefix(name, http.TrailerPrefix) {
			name = http.CanonicalHeaderKey(name)
			w.header[name] = append(w.header[name], values...)
		}
	}
	_, typed := w.Header()["Content-Type"]
	w.typed = typed || w.Header().Get("Content-Encoding") != "" || w.Header().Get("Transfer-Encoding") != ""
}

// message returns the response as the server sends it: without a body where the method or the status has none.
func (w *copyingWriter) message(method string) traffic.Message {
	noBody := w.status/100 == 1 || w.status == http.StatusNoContent || w.status == http.StatusNotModified
	if !w.typed && len(w.start) > 0 && !noBody {
		w.header.Set("Content-Type", http.DetectContentType(w.start))
	}
	if noBody || method == http.MethodHead {
		return traffic.Message{Header: w.header}
	}
	if !w.failed {
		w.body.End()
	}
	return w.body.Message(w.header)
}

// flushingWriter is a copyingWriter for a writer that implements [http.Flusher].
type flushingWriter struct{ *copyingWriter }

// Flush implements [http.Flusher].
func (w flushingWriter) Flush() { _ = w.FlushError() }
