package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// shutdownTimeout bounds how long in-flight requests may take after the context has ended.
const shutdownTimeout = 10 * time.Second

// Listener listens on an address of this machine.
type Listener struct {
	net.Listener

	host string      // of the address, as it was given
	tls  *tls.Config // nil for HTTP
}

// Listen listens on an address, which is HOST:PORT.
func Listen(ctx context.Context, address string) (*Listener, error) {
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
	return &Listener{Listener: listener, host: host}, nil
}

// URL returns the base URL for clients on this machine.
func (l *Listener) URL() string {
	scheme, address := "http", l.Addr().String()
	if l.tls != nil {
		scheme = "https"
	}
	if tcp, ok := l.Addr().(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		address = fmt.Sprintf("127.0.0.1:%d", tcp.Port)
	}
	return scheme + "://" + address
}

// OnLoopback reports whether only this machine can reach the server.
func (l *Listener) OnLoopback() bool {
	tcp, ok := l.Addr().(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// Serve serves until ctx ends, then gives in-flight requests 10 s to complete.
func (l *Listener) Serve(ctx context.Context, server *http.Server, logger *slog.Logger) error {
	served := make(chan error, 1)
	go func() {
		if server.TLSConfig = l.tls; l.tls != nil {
			served <- server.ServeTLS(l.Listener, "", "")
		} else {
			served <- server.Serve(l.Listener)
		}
	}()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	logger.Info("stopping")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		logger.Error("in-flight requests were cut off", "after", shutdownTimeout)
		err = server.Close()
	}
	if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}

// HTTPServer returns a server for HTTP/1.1 and HTTP/2, with and without TLS, that bounds the time and the memory that a header
// takes.
func HTTPServer(handler http.Handler, logger *slog.Logger) *http.Server {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		Protocols:         new(http.Protocols),
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelError),
	}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetHTTP2(true)
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
