package page

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pipes is a listener whose connections are in memory, so that time in a bubble goes by at once.
type pipes struct {
	connections chan net.Conn
	closed      chan struct{}
	once        sync.Once
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.connections:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipes) Addr() net.Addr { return &net.UnixAddr{} }

// serve serves the page as the command does, with timeouts that are shorter than any stream.
func serve(t *testing.T, p *Page) (*http.Server, *http.Client) {
	t.Helper()
	return serveProtocol(t, p, (*http.Protocols).SetHTTP1)
}

func serveProtocol(t *testing.T, p *Page, set func(*http.Protocols, bool)) (*http.Server, *http.Client) {
	t.Helper()
	protocols := new(http.Protocols)
	set(protocols, true)
	l := &pipes{connections: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: p, ReadTimeout: time.Second, WriteTimeout: time.Second, Protocols: protocols}
	server.RegisterOnShutdown(p.Close)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(l)
	}()
	transport := &http.Transport{Protocols: protocols, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		near, far := net.Pipe()
		select {
		case l.connections <- far:
			return near, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		assert.NoError(t, server.Shutdown(context.Background()))
		<-served
	})
	return server, &http.Client{Transport: transport}
}

// listen opens a stream. The lines of what comes are sent on the channel, which is closed at the end of the stream.
func listen(t *testing.T, client *http.Client, last string) (lines chan string, leave func()) {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://sandbox/events?after=1", nil)
	require.NoError(t, err)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	resp, err := client.Do(r) //nolint:bodyclose // below
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
	lines = make(chan string, 1000)
	go func() {
		defer close(lines)
		defer resp.Body.Close()
		for s := bufio.NewScanner(resp.Body); s.Scan(); {
			if s.Text() != "" {
				lines <- s.Text()
			}
		}
	}()
	return lines, leave
}

// heard is what came so far.
func heard(lines chan string) string {
	synctest.Wait()
	var all []string
	for {
		select {
		case line, open := <-lines:
			if !open {
				return strings.Join(append(all, "end"), " ")
			}
			all = append(all, line)
		default:
			return strings.Join(all, " ")
		}
	}
}
