// Package server serves a sandbox over HTTP: the API, the page that shows its exchanges, and /healthz.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server/page"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// shutdownTimeout bounds how long in-flight requests may take after the context has ended.
const shutdownTimeout = 10 * time.Second

// Server serves a sandbox on a listener.
type Server struct {
	Sandbox *sandbox.Sandbox
	Page    *page.Page // nil for no page
	Logger  *slog.Logger

	listener net.Listener
}

// Listen returns a server that listens on an address, which is HOST:PORT. Set its fields before Serve.
func Listen(ctx context.Context, address string) (*Server, error) {
	// Both parts are required: an empty host would mean all interfaces.
	host, _, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return nil, fmt.Errorf("expected HOST:PORT, such as 127.0.0.1:8080 or 0.0.0.0:8080, not %q", address)
	}
	network := "tcp"
	if ip := net.ParseIP(host); ip != nil && ip.To4() != nil {
		network = "tcp4" // otherwise 0.0.0.0 would include IPv6
	}
	listener, err := new(net.ListenConfig).Listen(ctx, network, address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use; choose another port, or port 0 for any free one", address)
	}
	if err != nil {
		return nil, err
	}
	return &Server{listener: listener}, nil
}

// Addr returns the address on which the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// URL returns the base URL for clients on this machine.
func (s *Server) URL() string {
	if tcp, ok := s.Addr().(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", tcp.Port)
	}
	return "http://" + s.Addr().String()
}

// OnLoopback reports whether only this machine can reach the server.
func (s *Server) OnLoopback() bool {
	tcp, ok := s.Addr().(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// Close closes the listener of a server that is not served.
func (s *Server) Close() error { return s.listener.Close() }

// Serve serves until ctx ends, then gives in-flight requests 10 s to complete.
func (s *Server) Serve(ctx context.Context) error {
	server := httpServer(s, s.Logger)
	served := make(chan error, 1)
	go func() { served <- server.Serve(s.listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	s.Logger.Info("stopping")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		s.Logger.Error("in-flight requests were cut off", "after", shutdownTimeout)
		err = server.Close()
	}
	if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}

// httpServer returns a server for HTTP/1.1 and for HTTP/2 without TLS that bounds the time and the memory that a
// request and its response take.
func httpServer(handler http.Handler, logger *slog.Logger) *http.Server {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: time.Minute,
		ReadTimeout:       time.Minute,
		WriteTimeout:      90 * time.Second, // counts from the header, so it leaves time to respond to a body that stalled
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		Protocols:         new(http.Protocols),
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelError),
	}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	// Browsers keep connections open without a request, and Shutdown would wait 5 s for one.
	var unused sync.Map
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateNew {
			unused.Store(conn, nil)
		} else {
			unused.Delete(conn)
		}
	}
	server.RegisterOnShutdown(func() {
		for conn := range unused.Range {
			if conn, ok := conn.(net.Conn); ok {
				_ = conn.Close()
			}
		}
	})
	return server
}

// ServeHTTP implements [http.Handler]. The server is no [http.ServeMux], which redirects unclean paths, as the vendor
// does not.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		s.Sandbox.ServeHTTP(w, r)
	case path == "/healthz":
		s.serveHealth(w, r)
	case s.Page == nil || path != "/" && path != "/state" && !strings.HasPrefix(path, "/assets/"):
		s.Sandbox.ServeHTTP(w, r)
	case s.OnLoopback() && !isLocal(r.Host):
		// DNS rebinding: a website has let its name point to this machine, to read the page.
		http.Error(w, "The page is for localhost and for IP addresses: "+s.URL()+"/", http.StatusForbidden)
	default:
		s.Page.ServeHTTP(w, r)
	}
}

// isLocal reports whether a Host header is an IP address or localhost.
func isLocal(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	_, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	return err == nil || strings.EqualFold(host, "localhost")
}

// serveHealth responds with 200 while faults can be stored, and with 503 and the reason while they cannot.
func (s *Server) serveHealth(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	text := "ok\n"
	if err := s.Sandbox.Check(r.Context()); err != nil {
		if r.Context().Err() == nil { // otherwise the client has disconnected
			s.Logger.Error("no fault can be stored", "error", err)
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		text = "no fault can be stored: " + s.Sandbox.Redact(err.Error()) + "\n"
	}
	_, _ = io.WriteString(w, text) // it fails if the client has disconnected
}

// NewLogger returns a logger of exchanges and errors, in the format text or json, or off for errors only.
func NewLogger(w io.Writer, format string) (*slog.Logger, error) {
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, nil)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, nil)), nil
	case "off":
		return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelError})), nil
	}
	return nil, fmt.Errorf("expected text, json or off, not %q", format)
}
