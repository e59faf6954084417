// Package server serves a sandbox over HTTP: the API, the page that shows its exchanges, the control API, and /healthz.
package server

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server/page"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// Server serves a sandbox on a listener. [New] returns one.
type Server struct {
	*Listener

	logger  *slog.Logger
	newPage func(*sandbox.Sandbox) *page.Page // nil for no page
	control *control                          // nil for none
	current atomic.Pointer[current]
}

// current is the sandbox that is served, which a reset replaces.
type current struct {
	sandbox *sandbox.Sandbox
	page    *page.Page // nil for no page
}

// New returns a server of a sandbox. newPage returns the page of a sandbox; it is nil for no page, and control is nil for
// no control API.
func New(listener *Listener, logger *slog.Logger, box *sandbox.Sandbox, newPage func(*sandbox.Sandbox) *page.Page, control *Control) *Server {
	s := &Server{Listener: listener, logger: logger, newPage: newPage}
	s.use(box)
	if control != nil {
		s.control = newControl(control, s)
	}
	return s
}

// Sandbox returns the sandbox that is served.
func (s *Server) Sandbox() *sandbox.Sandbox { return s.current.Load().sandbox }

// Serve serves until ctx ends, then gives in-flight requests 10 s to complete.
func (s *Server) Serve(ctx context.Context) error {
	server := HTTPServer(s, s.logger)
	server.ReadTimeout = time.Minute
	server.WriteTimeout = 90 * time.Second // counts from the header, so it leaves time to respond to a body that stalled
	if s.control != nil {
		server.RegisterOnShutdown(func() { close(s.control.stopping) })
	}
	return s.Listener.Serve(ctx, server, s.logger)
}

// ServeHTTP implements [http.Handler]. The server is no [http.ServeMux], which redirects unclean paths, as the vendor
// does not.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, served := r.URL.Path, s.current.Load()
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	var handler http.Handler
	switch {
	case s.control != nil && strings.HasPrefix(path, controlBase+"/"):
		handler = s.control
	case reads && path == "/healthz":
		s.serveHealth(w, r)
		return
	case reads && served.page != nil && (path == "/" || path == "/state" || strings.HasPrefix(path, "/assets/")):
		handler = served.page
	default:
		served.sandbox.ServeHTTP(w, r)
		return
	}
	if s.OnLoopback() && !isLocal(r.Host) {
		// DNS rebinding: a website has let its name point to this machine, to read the page.
		http.Error(w, "The page and the control API are for localhost and for IP addresses: "+s.URL()+"/", http.StatusForbidden)
		return
	}
	handler.ServeHTTP(w, r)
}

// use replaces the sandbox, and returns the one before.
func (s *Server) use(box *sandbox.Sandbox) *sandbox.Sandbox {
	next := &current{sandbox: box}
	if s.newPage != nil {
		next.page = s.newPage(box)
	}
	if before := s.current.Swap(next); before != nil {
		return before.sandbox
	}
	return nil
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
	box := s.Sandbox()
	if err := box.Check(r.Context()); err != nil {
		if r.Context().Err() == nil { // otherwise the client has disconnected
			s.logger.Error("no fault can be stored", "error", err)
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		text = "no fault can be stored: " + box.Redact(err.Error()) + "\n"
	}
	_, _ = io.WriteString(w, text) //nolint:gosec // it is plain text; it fails if the client has disconnected
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
