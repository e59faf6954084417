package page

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	maxStreams   = 32
	heartbeat    = 15 * time.Second       // less than a minute, after which proxies call a connection idle
	writeTimeout = 10 * time.Second       // for one event; a reader that takes longer is gone
	pause        = 100 * time.Millisecond // between two events, as under load a few say as much as thousands
)

// stream tells the script when there is something new, by server-sent events (HTML, section 9.2). An event is the
// number of the newest exchange and no more: the script then asks for the page again, so that there is one way only in
// which foreign text becomes HTML, and an event that was lost or came twice does no harm.
func (p *Page) stream(w http.ResponseWriter, r *http.Request) {
	after, err := lastSeen(r)
	if r.Method == http.MethodHead {
		return // a stream without a body would never end
	}
	if err != nil {
		http.Error(w, "Last-Event-ID, or else the parameter after, is the number of an exchange.", http.StatusBadRequest)
		return
	}
	select {
	case p.places <- struct{}{}:
		defer func() { <-p.places }()
	default:
		w.Header().Set("Retry-After", "5")
		http.Error(w, "Too many windows show this page.", http.StatusServiceUnavailable)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	go func() {
		select {
		case <-p.closed:
			cancel()
		case <-ctx.Done():
		}
	}()

	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	out := events{w, http.NewResponseController(w)}
	defer out.limit() // for what the server writes at the end
	err = out.send("retry: 2000\n\n")
	if newest := p.source.Latest(); err == nil && newest < after {
		after = newest // the sandbox began anew, and so do the numbers
		err = out.tick(after)
	}
	for err == nil {
		after, err = p.next(ctx, out, after)
	}
}

// next sends one event, or a comment where there is none for long, and returns the number that was seen last.
func (p *Page) next(ctx context.Context, out events, after int64) (int64, error) {
	wait, reset := p.patience()
	waiting, stop := context.WithTimeout(ctx, wait)
	defer stop()
	err := p.source.Wait(waiting, after)
	switch {
	case ctx.Err() != nil:
		return after, ctx.Err()
	case err == nil:
		after = max(after, p.source.Latest())
	case !errors.Is(err, context.DeadlineExceeded):
		return after, err
	case !reset:
		return after, out.send(":\n\n")
	}
	if err := out.tick(after); err != nil {
		return after, err
	}
	select {
	case <-ctx.Done():
	case <-time.After(pause):
	}
	return after, ctx.Err()
}

// patience is how long to wait for an exchange, and whether a rate limit is reset by then, which is news as well.
func (p *Page) patience() (wait time.Duration, reset bool) {
	wait = heartbeat
	for _, l := range p.source.RateLimits() {
		if left := time.Until(l.Reset); l.Used > 0 && left > 0 && left < wait {
			wait, reset = left, true
		}
	}
	return wait, reset
}

// lastSeen reads the number of the newest exchange that the reader knows: what it got before the connection broke, or
// what the page said that it loaded.
func lastSeen(r *http.Request) (int64, error) {
	n, err := strconv.ParseUint(cmp.Or(r.Header.Get("Last-Event-ID"), r.URL.Query().Get("after"), "0"), 10, 63)
	return int64(n), err // of 63 bits
}

// events writes an event stream.
type events struct {
	w       io.Writer
	control *http.ResponseController
}

func (e events) tick(number int64) error {
	return e.send(fmt.Sprintf("id: %d\ndata: %d\n\n", number, number))
}

func (e events) send(text string) error {
	e.limit()
	if _, err := io.WriteString(e.w, text); err != nil {
		return err
	}
	if err := e.control.Flush(); err != nil {
		return err
	}
	// In HTTP/2 a deadline ends a stream on which nothing is written, too.
	_ = e.control.SetWriteDeadline(time.Time{})
	return nil
}

// limit sets the time that is left to write. The server's own timeout is made for responses that end. A writer without
// deadlines has no timeout either.
func (e events) limit() { _ = e.control.SetWriteDeadline(time.Now().Add(writeTimeout)) }
