// Package server serves a sandbox over HTTP: the API, the page that shows its exchanges, and /healthz.
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
	"time"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server/page"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// Server serves a sandbox on a listener.
type Server struct {
	*Listener

	Sandbox *sandbox.Sandbox
	Page    *page.Page // nil for no page
	Logger  *slog.Logger
}

// Serve serves until ctx ends, then gives in-flight requests 10 s to complete.
func (s *Server) Serve(ctx context.Context) error {
	server := HTTPServer(s, s.Logger)
	server.ReadTimeout = time.Minute
	server.WriteTimeout = 90 * time.Second // counts from the header, so it leaves time to respond to a body that stalled
	return s.Listener.Serve(ctx, server, s.Logger)
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
