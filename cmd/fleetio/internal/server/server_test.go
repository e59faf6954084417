package server

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// pipes is a listener whose connections are in memory, for a bubble of synctest.
type pipes struct {
	connections chan net.Conn
	closed      chan struct{}
	close       func()
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.connections:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.close(); return nil }

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{} }

// served is a server in a bubble.
type served struct {
	listener *pipes
	stop     context.CancelFunc
	ended    chan error
	log      *bytes.Buffer
}

func serve(t *testing.T) *served {
	t.Helper()
	box, err := sandbox.New()
	require.NoError(t, err)
	closed := make(chan struct{})
	s := &served{ended: make(chan error, 1), log: new(bytes.Buffer)}
	s.listener = &pipes{connections: make(chan net.Conn), closed: closed, close: sync.OnceFunc(func() { close(closed) })}
	ctx, cancel := context.WithCancel(t.Context())
	s.stop = cancel
	server := New(&Listener{Listener: s.listener}, slog.New(slog.NewTextHandler(s.log, nil)), box, nil, nil)
	go func() { s.ended <- server.Serve(ctx) }()
	return s
}

// dial connects, and sends the start of a request.
func (s *served) dial(t *testing.T, request string) net.Conn {
	t.Helper()
	near, far := net.Pipe()
	t.Cleanup(func() { _ = near.Close() })
	s.listener.connections <- far
	_, err := io.WriteString(near, request)
	require.NoError(t, err)
	return near
}

func (s *served) end(t *testing.T) {
	t.Helper()
	s.stop()
	require.NoError(t, <-s.ended)
}

const header = "POST /api/v1/faults HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20\r\n"

// TestTimeouts has connections that stall. Each ends after its time.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sent     string
		after    time.Duration
		response string // how it starts
	}{
		"nothing":                 {"", time.Minute, ""},
		"part of a header":        {"POST /api", time.Minute, ""},
		"part of a body":          {header + "\r\n{", time.Minute, "HTTP/1.1 401 "},
		"idle after the response": {"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 2 * time.Minute, "HTTP/1.1 200 "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := serve(t)
				begin := time.Now()
				conn := s.dial(t, test.sent)
				read, err := io.ReadAll(conn)
				require.NoError(t, err)
				assert.InDelta(t, test.after.Seconds(), time.Since(begin).Seconds(), 1)
				assert.True(t, strings.HasPrefix(string(read), test.response), "%s", read)
				s.end(t)
			})
		})
	}
	t.Run("response that is not read", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := serve(t)
			conn := s.dial(t, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
			time.Sleep(91 * time.Second)
			_, err := conn.Read(make([]byte, 1))
			require.ErrorIs(t, err, io.EOF)
			s.end(t)
		})
	})
}

// TestShutdown ends a server with a request in flight.
func TestShutdown(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rest     string // of the body, after 9 s
		took     time.Duration
		response string
	}{
		"completes":  {strings.Repeat(" ", 19), 9 * time.Second, "HTTP/1.1 401 "},
		"is cut off": {"", shutdownTimeout, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := serve(t)
				conn := s.dial(t, header+"\r\n{")
				synctest.Wait()
				s.stop()
				begin := time.Now()
				time.AfterFunc(9*time.Second, func() { _, _ = io.WriteString(conn, test.rest) })
				response, err := io.ReadAll(conn)
				require.NoError(t, err)
				require.NoError(t, <-s.ended)
				assert.InDelta(t, test.took.Seconds(), time.Since(begin).Seconds(), 0.6, "Shutdown polls")
				assert.True(t, strings.HasPrefix(string(response), test.response), "%s", response)
				time.Sleep(time.Second) // net/http waits before it closes what was cut off
				assert.Equal(t, test.rest == "", strings.Contains(s.log.String(), "in-flight requests were cut off"), s.log)
			})
		})
	}
}

// TestUnusedConnection has a connection without a request, as browsers keep them: the end does not wait for it.
func TestUnusedConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serve(t)
		conn := s.dial(t, "")
		synctest.Wait()
		begin := time.Now()
		s.stop()
		require.NoError(t, <-s.ended)
		assert.Less(t, time.Since(begin), time.Second)
		_, err := conn.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
	})
}

func TestLongHeader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serve(t)
		conn := s.dial(t, "")
		go func() { _, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", 1<<20)) }()
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, response.StatusCode)
		require.NoError(t, conn.Close())
		s.end(t)
	})
}

func TestHealth(t *testing.T) {
	t.Parallel()
	box, err := sandbox.New()
	require.NoError(t, err)
	s := New(nil, slog.New(slog.DiscardHandler), box, nil, nil)
	for _, expected := range []string{"200 ok\n", "503 no fault can be stored: the store is closed\n"} {
		response := httptest.NewRecorder()
		s.ServeHTTP(response, httptest.NewRequest(http.MethodGet, "/healthz", nil))
		assert.Equal(t, expected, fmt.Sprint(response.Code, " ", response.Body))
		require.NoError(t, box.Close())
	}
}

func TestListen(t *testing.T) {
	t.Parallel()
	s, err := Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	assert.True(t, s.OnLoopback())
	for name, test := range map[string]struct{ address, expected string }{
		"in use":  {s.Addr().String(), "is in use; choose another port"},
		"no host": {":8080", "expected HOST:PORT"},
		"no port": {"localhost", "expected HOST:PORT"},
		"no such": {"127.0.0.1:99999", "invalid port"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Listen(t.Context(), test.address)
			require.ErrorContains(t, err, test.expected)
		})
	}
}

// TestServerLogs holds that errors of the HTTP server itself are logged.
func TestServerLogs(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	HTTPServer(http.NotFoundHandler(), slog.New(slog.NewTextHandler(&log, nil))).ErrorLog.Print("broken")
	assert.Contains(t, log.String(), "level=ERROR msg=broken")
}
