package sandboxserver

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// conn spares net/http what it does for each call and nearly no call needs.
//
// Deadlines take effect at the next tick of the listener. net/http sets half a dozen of them for each call; to note one
// costs a fraction of what a timer of the runtime does.
//
// Whether the caller leaves while a call is being answered, the connection watches by itself, from the next tick on.
// net/http has a goroutine read meanwhile, and stops it after each call.
//
// Both are for servers only that read by Read, and hijack nothing.
type conn struct {
	*net.TCPConn

	listener *listener
	accepted time.Time
	gone     context.CancelFunc // ends the context of the calls

	mu          sync.Mutex
	read, write deadline
	unhurried   bool // nothing was read since the read deadline was taken away
	asked       bool // net/http waits to hear that the caller has gone
	watching    bool
	watched     sync.Cond
	ahead       []byte // what came while he was watched: a byte, which the next Read takes
}

// withGone is for [http.Server.ConnContext].
func withGone(ctx context.Context, c net.Conn) context.Context {
	if c, ours := c.(*conn); ours {
		ctx, c.gone = context.WithCancel(ctx)
	}
	return ctx
}

// Read implements [net.Conn].
func (c *conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	// So net/http begins to watch, and an answer of nothing ends that (see io.Reader).
	c.asked = c.unhurried && len(p) == 1
	c.unhurried = false
	if c.asked {
		c.mu.Unlock()
		return 0, nil
	}
	for c.watching { // which ends as this read would
		c.watched.Wait()
	}
	n := copy(p, c.ahead)
	c.ahead = c.ahead[n:]
	c.mu.Unlock()
	if n > 0 {
		return n, nil
	}
	return c.TCPConn.Read(p)
}

// SetReadDeadline implements [net.Conn]. A time before there was a connection means at once, as net/http says it.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unhurried = t.IsZero()
	return c.read.put(t, c.accepted, c.TCPConn.SetReadDeadline)
}

// SetWriteDeadline implements [net.Conn], as SetReadDeadline does.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.write.put(t, c.accepted, c.TCPConn.SetWriteDeadline)
}

// SetDeadline implements [net.Conn].
func (c *conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// Close implements [net.Conn].
func (c *conn) Close() error {
	c.listener.forget(c)
	c.gone()
	return c.TCPConn.Close()
}

// look ends what has taken too long, and begins to watch a caller who has waited for that long.
func (c *conn) look(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.read.put(c.read.at, now, c.TCPConn.SetReadDeadline) // it fails where the connection is closed
	_ = c.write.put(c.write.at, now, c.TCPConn.SetWriteDeadline)
	// A caller who sends one request after the other is asked about again before anything is read.
	if c.asked && !c.watching && len(c.ahead) == 0 {
		c.watching = true
		go c.watch()
	}
}

// watch reads until there is a byte, until the caller has gone or until the deadline.
func (c *conn) watch() {
	var one [1]byte
	n, err := c.TCPConn.Read(one[:])
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.gone()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead = one[:n]
	c.watching = false
	c.watched.Signal()
}

// deadline is one for reads or for writes. The runtime gets to know it once it is over, and ends what is under way.
type deadline struct {
	at   time.Time // zero for none
	over bool
}

var longAgo = time.Unix(1, 0)

// put notes a deadline, and tells the runtime if it has passed by now, or if the one before had.
func (d *deadline) put(t, now time.Time, tell func(time.Time) error) error {
	was := d.over
	d.at, d.over = t, !t.IsZero() && t.Before(now)
	switch {
	case d.over:
		return tell(longAgo)
	case was:
		return tell(time.Time{})
	}
	return nil
}
