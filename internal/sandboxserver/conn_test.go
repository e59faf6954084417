package sandboxserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	often = 5 * time.Millisecond
	never = time.Hour   // so what happens does not wait for a tick
	while = time.Minute // longer than any test: what ends earlier was ended
)

// served is a server with a tick and with the times of its own.
type served struct {
	Server

	listener *listener
}

func serve(t *testing.T, tick time.Duration, handler http.HandlerFunc, times func(s *http.Server)) *served {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &served{New(handler), newListener(tcp, tick)}
	times(s.Server.Server)
	done := make(chan error)
	go func() { done <- s.Server.Server.Serve(s.listener) }()
	t.Cleanup(func() {
		assert.NoError(t, s.Close())
		assert.ErrorIs(t, <-done, http.ErrServerClosed)
	})
	return s
}

func asItIs(*http.Server) {}

// caller is a client that can stop in the middle of anything.
type caller struct {
	*net.TCPConn
	*bufio.Reader

	t *testing.T
}

func call(t *testing.T, s *served, wire string) *caller {
	t.Helper()
	conn, err := net.Dial("tcp", s.listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(while)))
	tcp, _ := conn.(*net.TCPConn)
	c := &caller{tcp, bufio.NewReader(conn), t}
	c.send(wire)
	return c
}

func (c *caller) Read(p []byte) (int, error) { return c.Reader.Read(p) }

func (c *caller) send(wire string) {
	_, err := io.WriteString(c.TCPConn, wire)
	require.NoError(c.t, err)
}

func (c *caller) answer() string {
	c.t.Helper()
	r, err := http.ReadResponse(c.Reader, nil)
	require.NoError(c.t, err)
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	require.NoError(c.t, err)
	return string(body)
}

func post(body string) string {
	return "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n" + body
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, _ = w.Write(body)
}

// TestTimesAreKept has each of a server's times pass.
func TestTimesAreKept(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		times   func(s *http.Server, d time.Duration)
		wire    string
		answers string // before the connection ends
	}{
		"nothing comes":           {func(s *http.Server, d time.Duration) { s.ReadHeaderTimeout = d }, "", ""},
		"the header does not end": {func(s *http.Server, d time.Duration) { s.ReadHeaderTimeout = d }, "POST / HTTP/1.1\r\n", ""},
		"the body does not end":   {func(s *http.Server, d time.Duration) { s.ReadTimeout = d }, post("ab"), "i/o timeout"},
		"no next request":         {func(s *http.Server, d time.Duration) { s.IdleTimeout = d }, post("abcd"), "abcd"},
		"the next one is cut off": {func(s *http.Server, d time.Duration) { s.ReadHeaderTimeout = d }, post("abcd") + "POST", "abcd"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, often, echo, func(s *http.Server) {
				s.ReadHeaderTimeout, s.ReadTimeout, s.WriteTimeout, s.IdleTimeout = while, while, while, while
				test.times(s, 50*time.Millisecond)
			})
			begin := time.Now()
			c := call(t, s, test.wire)
			all, err := io.ReadAll(c)
			require.NoError(t, err)
			assert.Contains(t, string(all), test.answers)
			assert.GreaterOrEqual(t, time.Since(begin), 50*time.Millisecond)
			assert.Equal(t, test.answers != "", len(all) > 0)
		})
	}
}

// TestAnswerThatNobodyReads holds that writing ends, too.
func TestAnswerThatNobodyReads(t *testing.T) {
	t.Parallel()
	failed := make(chan error, 1)
	s := serve(t, often, func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				failed <- err
				return
			}
		}
	}, func(s *http.Server) { s.WriteTimeout = 50 * time.Millisecond })
	call(t, s, post("abcd"))
	assert.ErrorContains(t, <-failed, "i/o timeout")
}

// TestNoCallWaitsForATick has one call after the other on one connection, quick and slow, some sent before the answer to the one
// before.
func TestNoCallWaitsForATick(t *testing.T) {
	t.Parallel()
	s := serve(t, never, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.HasPrefix(string(body), "s") {
			time.Sleep(10 * time.Millisecond) // so the server has asked whether the caller leaves
		}
		_, _ = w.Write(body)
	}, asItIs)
	c := call(t, s, post("fast")+post("slow")+post("slo2"))
	assert.Equal(t, "fast", c.answer())
	assert.Equal(t, "slow", c.answer())
	assert.Equal(t, "slo2", c.answer())
	for range 100 {
		c.send(post("quic"))
		assert.Equal(t, "quic", c.answer())
	}
	c.send(post("slo3"))
	assert.Equal(t, "slo3", c.answer())
}

// TestCallsThatOutlastTicks has one more call come while one of some that were sent at once is being answered: no byte is
// lost.
func TestCallsThatOutlastTicks(t *testing.T) {
	t.Parallel()
	for atOnce := 1; atOnce <= 3; atOnce++ {
		for during := range atOnce {
			t.Run(fmt.Sprintf("%d at once, more during %d", atOnce, during), func(t *testing.T) {
				t.Parallel()
				begun := make(chan bool, 9)
				s := serve(t, often, func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					begun <- true
					time.Sleep(6 * often)
					assert.NoError(t, r.Context().Err())
					_, _ = fmt.Fprintf(w, "%s %s %s", r.Method, r.URL, body)
				}, asItIs)
				c := call(t, s, strings.Repeat(post("once"), atOnce))
				for range during + 1 {
					<-begun
				}
				time.Sleep(3 * often)
				c.send(post("more"))
				for range atOnce {
					assert.Equal(t, "POST / once", c.answer())
				}
				assert.Equal(t, "POST / more", c.answer())
				c.send(post("last"))
				assert.Equal(t, "POST / last", c.answer())
			})
		}
	}
}

// TestCallerWhoLeaves ends the context of the call: with the next tick, or when the server is closed.
func TestCallerWhoLeaves(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		tick  time.Duration
		leave func(s *served, c *caller) error
	}{
		"a caller":        {often, func(_ *served, c *caller) error { return c.Close() }},
		"one who aborts":  {often, func(_ *served, c *caller) error { _ = c.SetLinger(0); return c.Close() }},
		"the server ends": {never, func(s *served, _ *caller) error { return s.Close() }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begun, ended := make(chan bool), make(chan error, 1)
			s := serve(t, test.tick, func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.ReadAll(r.Body)
				begun <- true
				<-r.Context().Done()
				ended <- context.Cause(r.Context())
			}, asItIs)
			c := call(t, s, post("abcd"))
			<-begun
			require.NoError(t, test.leave(s, c))
			assert.ErrorIs(t, <-ended, context.Canceled)
		})
	}
}

// TestHTTP2InSingleBytes holds that a read of one byte is not put off where it is not for callers who leave.
func TestHTTP2InSingleBytes(t *testing.T) {
	t.Parallel()
	s := serve(t, never, echo, asItIs)
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	body, send := io.Pipe()
	go func() {
		for _, b := range []byte("in single bytes") {
			_, _ = send.Write([]byte{b})
		}
		_ = send.Close()
	}()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.listener.Addr().String()+"/", body)
	require.NoError(t, err)
	answer, err := transport.RoundTrip(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	assert.Equal(t, "in single bytes", string(got))
	assert.Equal(t, 2, answer.ProtoMajor)
}

// TestNothingIsLookedAt holds that a server without connections does nothing, and begins again with the next one.
func TestNothingIsLookedAt(t *testing.T) {
	t.Parallel()
	s := serve(t, often, echo, func(s *http.Server) { s.IdleTimeout = 50 * time.Millisecond })
	for range 2 {
		c := call(t, s, post("abcd"))
		assert.Equal(t, "abcd", c.answer())
		_, err := c.ReadByte()
		require.ErrorIs(t, err, io.EOF)
		time.Sleep(20 * often) // the clock runs out
		s.listener.mu.Lock()
		assert.Empty(t, s.listener.open)
		assert.False(t, s.listener.clock.Stop())
		s.listener.mu.Unlock()
	}
}

// TestServe holds that a server has such connections.
func TestServe(t *testing.T) {
	t.Parallel()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := New(http.HandlerFunc(echo))
	conns := make(chan net.Conn, 9)
	s.ConnState = func(c net.Conn, _ http.ConnState) { conns <- c }
	done := make(chan error)
	go func() { done <- s.Serve(tcp) }()
	there, err := net.Dial("tcp", tcp.Addr().String())
	require.NoError(t, err)
	defer there.Close()
	here := <-conns
	if assert.IsType(t, new(conn), here) {
		assert.Equal(t, time.Second, here.(*conn).listener.tick)
	}
	require.NoError(t, s.Close())
	require.ErrorIs(t, <-done, http.ErrServerClosed)
}

// connected returns both ends of a connection at which only the test looks.
func connected(t *testing.T) (*conn, *net.TCPConn) {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer tcp.Close()
	there, err := net.Dial("tcp", tcp.Addr().String())
	require.NoError(t, err)
	here, err := newListener(tcp, never).Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = here.Close(), there.Close() })
	return here.(*conn), there.(*net.TCPConn)
}

// TestDeadlines is about one connection: at times when nothing is under way and in the middle of it.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	soon := time.Now().Add(while)
	for name, test := range map[string]struct {
		set     func(c *conn, t time.Time) error
		blocked func(c *conn) error // until the other end does something
	}{
		"read": {(*conn).SetReadDeadline, func(c *conn) error { _, err := c.Read(make([]byte, 9)); return err }},
		"write": {(*conn).SetWriteDeadline, func(c *conn) error {
			for {
				if _, err := c.Write(make([]byte, 1<<20)); err != nil {
					return err
				}
			}
		}},
		"both, read":  {(*conn).SetDeadline, func(c *conn) error { _, err := c.Read(make([]byte, 9)); return err }},
		"both, write": {(*conn).SetDeadline, func(c *conn) error { _, err := io.Copy(c, endless{}); return err }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := connected(t)
			later := func(do func()) { // when what blocks has probably begun; it works out either way
				time.AfterFunc(10*time.Millisecond, do)
			}
			assert.NoError(t, test.set(c, longAgo))
			assert.ErrorIs(t, test.blocked(c), os.ErrDeadlineExceeded, "over before it begins")

			assert.NoError(t, test.set(c, soon))
			later(func() { assert.NoError(t, test.set(c, longAgo)) })
			assert.ErrorIs(t, test.blocked(c), os.ErrDeadlineExceeded, "over at once")

			assert.NoError(t, test.set(c, soon))
			ended := make(chan error, 1)
			go func() { ended <- test.blocked(c) }()
			c.look(soon.Add(-time.Second))
			select {
			case err := <-ended:
				t.Errorf("it is not over: %v", err)
			case <-time.After(50 * time.Millisecond):
			}
			c.look(soon.Add(time.Second))
			assert.ErrorIs(t, <-ended, os.ErrDeadlineExceeded, "over by the next look")

			assert.NoError(t, test.set(c, time.Time{}))
			later(func() { assert.NoError(t, c.Close()) })
			assert.ErrorIs(t, test.blocked(c), net.ErrClosed, "nothing is over any more")
		})
	}
}

// endless is what nobody reads to its end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// TestWatching has a server ask whether the caller leaves, a tick pass, and then each of the ends.
func TestWatching(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end  func(t *testing.T, c *conn, there *net.TCPConn)
		gone bool
	}{
		"he leaves": {func(t *testing.T, _ *conn, there *net.TCPConn) { assert.NoError(t, there.Close()) }, true},
		"he aborts": {func(t *testing.T, _ *conn, there *net.TCPConn) {
			assert.NoError(t, there.SetLinger(0))
			assert.NoError(t, there.Close())
		}, true},
		"closed": {func(t *testing.T, c *conn, _ *net.TCPConn) { assert.NoError(t, c.Close()) }, true},
		"he sends more before it is read": {func(t *testing.T, c *conn, there *net.TCPConn) {
			_, err := there.Write([]byte("more"))
			assert.NoError(t, err)
			ended(c)
			assert.Equal(t, "more", readMore(t, c))
		}, false},
		"he sends more, and is asked about again": {func(t *testing.T, c *conn, there *net.TCPConn) {
			_, err := there.Write([]byte("more"))
			assert.NoError(t, err)
			ended(c)
			ask(t, c)
			c.look(time.Now())
			ended(c)
			assert.Equal(t, "more", readMore(t, c))
		}, false},
		"he is asked about again, and sends more": {func(t *testing.T, c *conn, there *net.TCPConn) {
			ask(t, c)
			c.look(time.Now())
			_, err := there.Write([]byte("more"))
			assert.NoError(t, err)
			assert.Equal(t, "more", readMore(t, c))
		}, false},
		"he sends more when it is read": {func(t *testing.T, c *conn, there *net.TCPConn) {
			time.AfterFunc(10*time.Millisecond, func() { _, _ = there.Write([]byte("more")) })
			assert.Equal(t, "more", readMore(t, c))
		}, false},
		"the time is over": {func(t *testing.T, c *conn, _ *net.TCPConn) {
			soon := time.Now().Add(while)
			assert.NoError(t, c.SetReadDeadline(soon))
			c.look(soon.Add(time.Second))
			for range 2 {
				_, err := c.Read(make([]byte, 9))
				assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
			}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, there := connected(t)
			caller := withGone(t.Context(), c)
			ask(t, c)
			c.look(time.Now())
			test.end(t, c, there)
			ended(c)
			if test.gone {
				<-caller.Done()
			}
			assert.Equal(t, test.gone, caller.Err() != nil)
		})
	}
}

// ask is how net/http begins to watch.
func ask(t *testing.T, c *conn) {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Time{}))
	n, err := c.Read(make([]byte, 1))
	require.NoError(t, err)
	require.Zero(t, n)
}

// ended waits until nobody is watched any more.
func ended(c *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.watching {
		c.watched.Wait()
	}
}

// readMore reads what is as long as "more".
func readMore(t *testing.T, c *conn) string {
	t.Helper()
	p := make([]byte, 4)
	_, err := io.ReadFull(c, p)
	assert.NoError(t, err)
	return string(p)
}
