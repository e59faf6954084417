package sandbox

import (
	"context"
	"math"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

// TB is the part of [testing.TB] that [Start] needs.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(f func())
}

// Server is a sandbox on a loopback port, for a test. [Start] returns one.
type Server struct {
	*Sandbox

	// URL is the base URL, without a slash at its end.
	URL string
	// Credentials are those of the first key that may create faults; the zero value for none.
	Credentials fleetio.Credentials
	// Client uses this server with these credentials and the default retries; nil without credentials.
	Client *fleetio.Client

	tb  TB
	end func() // idempotent
}

// Close stops the server before the test ends, to test code with an unreachable server. It waits up to 1 s for requests
// in flight. [Sandbox.Requests] still works; the faults are lost.
func (s *Server) Close() { s.end() }

// Start runs a sandbox until the test ends, with HTTP/1.1 and HTTP/2 without TLS. After an error it calls Fatalf. In a
// bubble of testing/synctest, where network I/O does not work with fake time, use the handler that [New] returns.
func Start(tb TB, opts ...Option) *Server {
	tb.Helper()
	s, err := newSandbox(opts...)
	if err != nil {
		tb.Fatalf("%v", err)
		return nil
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not block
	if err != nil {
		_ = s.Close() // the first error is the cause
		tb.Fatalf("sandbox: %v", err)
		return nil
	}
	var handler http.Handler = s
	if s.wrap != nil {
		if handler = s.wrap(s); handler == nil {
			handler = http.NotFoundHandler()
		}
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10}
	server.Protocols = new(http.Protocols)
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener) // until it is closed
	}()
	transport := &http.Transport{}
	end := sync.OnceFunc(func() {
		transport.CloseIdleConnections()
		stop, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(stop) != nil {
			_ = server.Close() // a request is still in flight, such as a delayed one
		}
		<-served
		_ = s.Close() // the test has ended
	})
	tb.Cleanup(end)
	url := "http://" + listener.Addr().String()
	running := &Server{Sandbox: s, URL: url, Credentials: s.credentials(), tb: tb, end: end}
	if running.Credentials != (fleetio.Credentials{}) {
		client := &http.Client{Transport: transport}
		running.Client, err = fleetio.NewClient(running.Credentials, fleetio.WithBaseURL(url), fleetio.WithHTTPClient(client))
		if err != nil {
			tb.Fatalf("%v", err)
		}
	}
	return running
}

// InjectNext is [Sandbox.InjectNext]. After an error it calls Fatalf.
func (s *Server) InjectNext(f ...Failure) {
	s.tb.Helper()
	if err := s.Sandbox.InjectNext(f...); err != nil {
		s.tb.Fatalf("%v", err)
	}
}

// Faults returns all faults of all accounts, the oldest first.
func (s *Server) Faults() []fleetio.Fault {
	s.tb.Helper()
	list, err := s.NewestFaults(context.Background(), 0, math.MaxInt)
	if err != nil {
		s.tb.Fatalf("%v", err)
	}
	slices.Reverse(list)
	return list
}
