package sandbox

import (
	"context"
	"math"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	fleetio "github.com/fleetcontract/fleetio-go/fleetio"
)

// TB is what [Start] needs of a test. [*testing.T] is one.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(f func())
}

// Server is a sandbox that a test runs, on a port of loopback.
type Server struct {
	*Sandbox

	// URL is the base URL, without a slash at its end.
	URL string
	// Credentials are those of the first key that may create faults; the zero value if none may.
	Credentials fleetio.Credentials
	// Client calls this server with these credentials and the default retries; nil if there are none.
	Client *fleetio.Client

	tb  TB
	end func() // does it once
}

// Close ends the server and its sandbox before the test does, for code that must bear an unreachable server.
// [Sandbox.Requests] still works; the faults are gone. It waits a second at most for requests that are being served.
func (s *Server) Close() { s.end() }

// Start runs a sandbox until the test ends. An error ends the test. It speaks HTTP/1.1, and HTTP/2 without TLS. In a
// bubble of testing/synctest, time stands still for a network: call the handler that [New] returns there.
func Start(tb TB, opts ...Option) *Server {
	tb.Helper()
	s, err := newSandbox(opts...)
	if err != nil {
		tb.Fatalf("%v", err)
		return nil
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // to listen does not wait
	if err != nil {
		_ = s.Close() // the error at hand is the one that helps
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
		_ = server.Serve(listener) // ends when it is closed
	}()
	transport := &http.Transport{}
	end := sync.OnceFunc(func() {
		transport.CloseIdleConnections()
		stop, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(stop) != nil {
			_ = server.Close() // a request hangs, such as one that is delayed
		}
		<-served
		_ = s.Close() // nothing of the test is left to tell
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

// InjectNext is [Sandbox.InjectNext]; a failure that cannot be injected ends the test.
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
