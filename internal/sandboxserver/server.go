// Package sandboxserver is the HTTP server of the command fleetio sandbox, and what the command sets for the whole process,
// so that the benchmark measures the same.
package sandboxserver

import (
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"time"
)

// GCPercent is for [runtime/debug.SetGCPercent]. What lives long is little, and each call makes garbage: the collector need
// not run as often as it does by default.
const GCPercent = 400

// Server is an [http.Server] that notices up to a second late that the time for something is over, or that a caller has gone.
type Server struct{ *http.Server }

// New returns a server for HTTP/1.1 and for HTTP/2 without encryption, which bounds how long and how much everything may
// take.
func New(handler http.Handler) Server {
	s := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: time.Minute, // the same as the next: another would be set and set again for each call
		ReadTimeout:       time.Minute,
		WriteTimeout:      90 * time.Second, // counts from the header, and leaves time to say that the body came too late
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		Protocols:         new(http.Protocols),
		ConnContext:       withGone,
	}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	return Server{s}
}

// Serve is as that of [http.Server].
func (s Server) Serve(l net.Listener) error { return s.Server.Serve(newListener(l, tick)) }

// OneMoreProcessor makes up for the one of Go's processors (GOMAXPROCS) that a store's goroutine keeps while it waits for
// the disk, which takes longer than a call. It is for the process, so a second store in it brings no second one. Who has
// said how many there are to be gets no other number.
var OneMoreProcessor = sync.OnceFunc(func() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
})
