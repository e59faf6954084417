package page

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

func TestStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub(plainExchange(1))
		p := newPage(s, nil)
		_, client := serve(t, p)
		lines, leave := listen(t, client, "")
		assert.Equal(t, "retry: 2000", heard(lines), "the page has what came before")
		s.add(plainExchange(0))
		assert.Equal(t, "id: 2 data: 2", heard(lines))
		time.Sleep(pause)

		// Many at once are one event, and those that come while it is sent are the next.
		s.add(plainExchange(0), plainExchange(0), plainExchange(0))
		s.add(plainExchange(0))
		assert.Contains(t, []string{"id: 5 data: 5", "id: 6 data: 6"}, heard(lines))
		s.add(plainExchange(0))
		time.Sleep(pause)
		assert.Equal(t, "id: 7 data: 7", heard(lines))
		time.Sleep(pause)

		// Nothing happens for longer than the server's timeouts.
		time.Sleep(heartbeat - 1)
		assert.Empty(t, heard(lines))
		time.Sleep(time.Nanosecond)
		assert.Equal(t, ":", heard(lines))
		time.Sleep(4 * heartbeat)
		assert.Equal(t, ": : : :", heard(lines))
		s.add(plainExchange(0))
		assert.Equal(t, "id: 8 data: 8", heard(lines))
		leave()
		synctest.Wait()
		assert.Empty(t, p.streams, "the place is free at once")
	})
}

// TestStreamHTTP2 is about a stream on which nothing happens for long. In HTTP/2, a deadline is a timer.
func TestStreamHTTP2(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub(plainExchange(1))
		p := newPage(s, nil)
		_, client := serveProtocol(t, p, (*http.Protocols).SetUnencryptedHTTP2)
		lines, leave := listen(t, client, "")
		defer leave()
		assert.Equal(t, "retry: 2000", heard(lines))
		time.Sleep(4 * heartbeat)
		assert.Equal(t, ": : : :", heard(lines))
		s.add(plainExchange(0))
		assert.Equal(t, "id: 2 data: 2", heard(lines))
		time.Sleep(heartbeat - 1)
		assert.Empty(t, heard(lines), "it goes on")
	})
}

// TestStreamAgain connects again after a break.
func TestStreamAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub()
		for range 7 {
			s.add(plainExchange(0))
		}
		_, client := serve(t, newPage(s, nil))
		for last, want := range map[string]string{
			"7":                   "retry: 2000",               // nothing was missed
			"5":                   "retry: 2000 id: 7 data: 7", // two were
			"":                    "retry: 2000 id: 7 data: 7", // then the page's own number counts, which is 1
			"20":                  "retry: 2000 id: 7 data: 7", // of a sandbox that ran before
			"9223372036854775807": "retry: 2000 id: 7 data: 7",
		} {
			lines, leave := listen(t, client, last)
			assert.Equal(t, want, heard(lines), last)
			time.Sleep(2 * pause)
			assert.Empty(t, heard(lines), "once: %s", last)
			leave()
		}
	})
}

// TestStreamReset tells of the end of the minute, which is when the limit shown is wrong.
func TestStreamReset(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub(plainExchange(1))
		s.limits = []sandbox.RateLimit{{Limit: 20, Reset: time.Now().Add(time.Second)}, {Limit: 20, Used: 1, Reset: time.Now().Add(4 * time.Second)}}
		_, client := serve(t, newPage(s, nil))
		lines, leave := listen(t, client, "")
		defer leave()
		assert.Equal(t, "retry: 2000", heard(lines))
		time.Sleep(4*time.Second - 1)
		assert.Empty(t, heard(lines))
		time.Sleep(time.Nanosecond)
		assert.Equal(t, "id: 1 data: 1", heard(lines))
		time.Sleep(heartbeat - 1)
		assert.Empty(t, heard(lines), "once")
	})
}

// TestStreamShutdown says that streams do not hold up the end of the server.
func TestStreamShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPage(newStub(plainExchange(1)), nil)
		server, client := serve(t, p)
		lines, leave := listen(t, client, "")
		defer leave()
		begun := time.Now()
		require.NoError(t, server.Shutdown(t.Context()))
		assert.Equal(t, "retry: 2000 end", heard(lines))
		assert.Less(t, time.Since(begun), heartbeat, "in the time of the bubble")
		assert.Empty(t, p.streams)
		p.Close()
	})
}

func TestStreamLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStub(plainExchange(1))
		_, client := serve(t, newPage(s, nil))
		var leave func()
		for range maxStreams {
			_, leave = listen(t, client, "")
		}
		refused := func() int {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://sandbox/events", nil)
			require.NoError(t, err)
			resp, err := client.Do(r)
			require.NoError(t, err)
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				assert.Equal(t, "5", resp.Header.Get("Retry-After"))
				_, err := io.Copy(io.Discard, resp.Body)
				require.NoError(t, err)
			}
			return resp.StatusCode
		}
		assert.Equal(t, http.StatusServiceUnavailable, refused())
		leave()
		synctest.Wait()
		assert.Equal(t, http.StatusOK, refused())
	})
}

// TestStreamDead has a reader that takes nothing any more, and learns of it by an event, or at the end of the server.
func TestStreamDead(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*testing.T, *http.Server, *Page){
		"an event": func(*testing.T, *http.Server, *Page) { time.Sleep(heartbeat + writeTimeout) },
		"the end": func(t *testing.T, server *http.Server, p *Page) {
			p.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 2*writeTimeout)
			defer cancel()
			assert.NoError(t, server.Shutdown(ctx))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newStub(plainExchange(1))
				p := newPage(s, nil)
				l := &pipes{connections: make(chan net.Conn), closed: make(chan struct{})}
				server := &http.Server{Handler: p, WriteTimeout: time.Second}
				go func() { _ = server.Serve(l) }()
				near, far := net.Pipe()
				l.connections <- far
				_, err := io.WriteString(near, "GET /events?after=1 HTTP/1.1\r\nHost: sandbox\r\n\r\n")
				require.NoError(t, err)
				_, err = near.Read(make([]byte, 4<<10)) // the header and the first event, and no more
				require.NoError(t, err)
				synctest.Wait()
				assert.Len(t, p.streams, 1)
				end(t, server, p)
				synctest.Wait()
				assert.Empty(t, p.streams, "its place is free")
				require.NoError(t, near.Close())
				require.NoError(t, server.Close())
			})
		})
	}
}
