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
type conn struct {
	*net.TCPConn

	listener *listener
	accepted time.Time
	gone     context.CancelFunc // ends the context of the calls

	mu          sync.Mutex
	read, write deadline
	unhurried   bool // nothing was read since the read deadline was taken away
	unwatched   bool // the caller may leave, and nobody would notice
	watching    bool
	watched     sync.Cond
	ahead       []byte // what came while he was watched: a byte at most
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
	c.unwatched = c.unhurried && len(p) == 1
	c.unhurried = false
	if c.unwatched {
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

// SetReadDeadline implements [net.Conn].
func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unhurried = t.IsZero()
	return c.read.put(t, t.Before(c.accepted), c.TCPConn.SetReadDeadline)
}

// SetWriteDeadline implements [net.Conn].
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.write.put(t, t.Before(c.accepted), c.TCPConn.SetWriteDeadline)
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
	if c.read.at.Before(now) {
		_ = c.read.put(c.read.at, true, c.TCPConn.SetReadDeadline) // it fails where the connection is closed
	}
	if c.write.at.Before(now) {
		_ = c.write.put(c.write.at, true, c.TCPConn.SetWriteDeadline)
	}
	if c.unwatched {
		c.unwatched, c.watching = false, true
		go c.watch()
	}
}

// watch reads until there is a byte, or until the caller has gone.
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

// put notes a deadline, and tells the runtime if it is over, or if the one before was.
func (d *deadline) put(t time.Time, over bool, tell func(time.Time) error) error {
	was := d.over
	d.at, d.over = t, over && !t.IsZero()
	switch {
	case d.over:
		return tell(longAgo)
	case was:
		return tell(time.Time{})
	}
	return nil
}
