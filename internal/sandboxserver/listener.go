package sandboxserver

import (
	"net"
	"sync"
	"time"
)

// tick is how late a connection may notice that a deadline has passed, or that the caller has gone.
const tick = time.Second

// listener looks after the connections that it has accepted.
type listener struct {
	net.Listener

	tick  time.Duration
	mu    sync.Mutex
	open  map[*conn]bool
	clock *time.Timer // for look, while there is something to look at
}

func newListener(l net.Listener, tick time.Duration) *listener {
	return &listener{Listener: l, tick: tick, open: map[*conn]bool{}}
}

// Accept implements [net.Listener].
func (l *listener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	tcp, is := accepted.(*net.TCPConn)
	if err != nil || !is {
		return accepted, err
	}
	c := &conn{TCPConn: tcp, listener: l, accepted: time.Now(), gone: func() {}}
	c.watched.L = &c.mu
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[c] = true
	switch {
	case l.clock == nil:
		l.clock = time.AfterFunc(l.tick, l.look)
	case len(l.open) == 1:
		l.clock.Reset(l.tick)
	}
	return c, nil
}

func (l *listener) look() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for c := range l.open {
		c.look(now)
	}
	if len(l.open) > 0 {
		l.clock.Reset(l.tick)
	}
}

func (l *listener) forget(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
}
