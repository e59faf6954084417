package conformance

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// mostSniffed is how much of a body [http.DetectContentType] looks at.
const mostSniffed = 512

// copyingWriter copies the answer that a handler writes.
type copyingWriter struct {
	http.ResponseWriter

	status   int // 0 until the header is written
	header   http.Header
	body     bodyCopy
	begin    []byte // of the body before it is flushed: its type is guessed by that
	flushed  bool
	failed   bool // to write all of the body
	hijacked bool
	typed    bool // the type is not guessed
}

// Unwrap lets [http.ResponseController] reach what is not copied.
func (w *copyingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements [http.ResponseWriter].
func (w *copyingWriter) WriteHeader(status int) {
	if status/100 != 1 || status == http.StatusSwitchingProtocols { // others only announce the answer
		w.commit(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (w *copyingWriter) Write(p []byte) (int, error) {
	w.commit(http.StatusOK)
	n, err := w.ResponseWriter.Write(p)
	if n > 0 {
		w.body.add(p[:n])
		if !w.flushed {
			w.begin = append(w.begin, p[:min(n, mostSniffed-len(w.begin))]...)
		}
	}
	w.failed = w.failed || err != nil && !errors.Is(err, http.ErrBodyNotAllowed)
	return n, err
}

// FlushError is what [http.ResponseController.Flush] calls.
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

// commit takes the header as it is when it is written.
func (w *copyingWriter) commit(status int) {
	if w.status != 0 {
		return
	}
	w.status, w.header = status, http.Header{}
	for name, values := range w.Header() {
		// A name without values switches off what net/http adds by itself; one with this prefix is a trailer.
		if len(values) > 0 && !strings.HasPrefix(name, http.TrailerPrefix) {
			name = http.CanonicalHeaderKey(name)
			w.header[name] = append(w.header[name], values...)
		}
	}
	_, typed := w.Header()["Content-Type"]
	w.typed = typed || w.Header().Get("Content-Encoding") != "" || w.Header().Get("Transfer-Encoding") != ""
}

// message is the answer as it goes out. The server cuts the body off where the method or the status has none.
func (w *copyingWriter) message(method string) traffic.Message {
	bodiless := w.status/100 == 1 || w.status == http.StatusNoContent || w.status == http.StatusNotModified
	if !w.typed && len(w.begin) > 0 && !bodiless {
		w.header.Set("Content-Type", http.DetectContentType(w.begin))
	}
	if bodiless || method == http.MethodHead {
		return traffic.Message{Header: w.header}
	}
	if !w.failed {
		w.body.end()
	}
	return w.body.message(w.header, 0)
}

// flushingWriter implements [http.Flusher] for what is one.
type flushingWriter struct{ *copyingWriter }

// Flush implements [http.Flusher].
func (w flushingWriter) Flush() { _ = w.FlushError() }
