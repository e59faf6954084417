package main

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
	"time"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server/page"
	"github.com/fleetcontract/fleetio-go/internal/sandboxserver"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// front sends each request where it belongs. It is no [http.ServeMux], which answers what is not quite a path with a
// redirect, as the vendor does not.
type front struct {
	sandbox    *sandbox.Sandbox
	page       *page.Page // nil for none
	url        string     // of all this, for callers on this machine
	onLoopback bool
	logger     *slog.Logger
}

// ServeHTTP implements [http.Handler].
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/healthz" && reads(r):
		f.health(w, r)
	case f.page == nil || !asksForPage(r):
		f.sandbox.ServeHTTP(w, r)
	case f.onLoopback && !isLocal(r.Host):
		// A name that some site in the user's browser has let point to this machine, to read the page from here.
		http.Error(w, "The page is for localhost and for IP addresses: "+f.url+"/", http.StatusForbidden)
	default:
		f.page.ServeHTTP(w, r)
	}
}

// asksForPage leaves to the sandbox what no browser sends: a client that calls the root shall see a problem, and people see
// that it did.
func asksForPage(r *http.Request) bool {
	path := r.URL.Path
	return reads(r) && (path == "/" || path == "/events" || strings.HasPrefix(path, "/assets/"))
}

func reads(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// health tells whether faults can be stored.
func (f *front) health(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	text := "ok\n"
	if err := f.sandbox.Check(r.Context()); err != nil {
		if r.Context().Err() == nil { // else it is the caller who has gone
			f.logger.Error("no fault can be stored", "error", err)
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		text = "no fault can be stored: " + f.sandbox.Redact(err.Error()) + "\n"
	}
	_, _ = io.WriteString(w, text) // the caller has gone
}

// isLocal tells whether a Host header names an address, or this machine.
func isLocal(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	_, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	return err == nil || strings.EqualFold(host, "localhost")
}

func isLoopback(a net.Addr) bool {
	tcp, is := a.(*net.TCPAddr)
	return is && tcp.IP.IsLoopback()
}

// baseURL is the URL for callers on this machine: nobody can call the address that stands for all.
func baseURL(a net.Addr) string {
	if tcp, is := a.(*net.TCPAddr); is && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", tcp.Port)
	}
	return "http://" + a.String()
}

// serve answers until ctx ends, and then, for as long as the grace, what is on its way.
func serve(ctx context.Context, f *front, listener net.Listener, logger *slog.Logger, grace time.Duration) error {
	server := newServer(f, logger)
	var silent connections
	server.ConnState = silent.follow
	server.RegisterOnShutdown(silent.close)
	if f.page != nil {
		server.RegisterOnShutdown(f.page.Close) // its streams would go on for ever
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	logger.Info("stopping")
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := server.Shutdown(stop)
	if errors.Is(err, context.DeadlineExceeded) {
		logger.Error("calls were cut off", "after", grace)
		err = server.Close()
	}
	if end := <-served; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}

// connections are those of which no request has been read yet. Browsers keep such ones, and Shutdown would give them 5 s
// to begin.
type connections struct {
	mu     sync.Mutex
	open   map[net.Conn]bool
	closed bool
}

func (c *connections) follow(conn net.Conn, state http.ConnState) {
	if state == http.StateIdle { // it was active before
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(c.open, conn)
	case c.closed:
		_ = conn.Close() // it has come too late
	case c.open == nil:
		c.open = map[net.Conn]bool{conn: true}
	default:
		c.open[conn] = true
	}
}

func (c *connections) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for conn := range c.open {
		_ = conn.Close() // it has not begun
	}
}

func newServer(handler http.Handler, logger *slog.Logger) sandboxserver.Server {
	server := sandboxserver.New(handler)
	server.ErrorLog = slog.NewLogLogger(logger.Handler(), slog.LevelError)
	return server
}
