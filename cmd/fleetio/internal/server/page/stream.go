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
	heartbeat    = 15 * time.Second       // less than the idle timeout of proxies, about a minute
	writeTimeout = 10 * time.Second       // for one event
	pause        = 100 * time.Millisecond // between two events: under load, few are as good as thousands
)

// stream notifies the script of new exchanges by server-sent events (HTML, section 9.2). An event has only the number
// of the newest exchange: the script then loads the page again, so that only one place turns untrusted strings into
// HTML, and lost or repeated events do no harm.
func (p *Page) stream(w http.ResponseWriter, r *http.Request) {
	after, err := lastSeen(r)
	if r.Method == http.MethodHead {
		return // otherwise it would never end
	}
	if err != nil {
		http.Error(w, "Last-Event-ID, or else the parameter after, must be the number of an exchange.", http.StatusBadRequest)
		return
	}
	select {
	case p.streams <- struct{}{}:
		defer func() { <-p.streams }()
	default:
		w.Header().Set("Retry-After", "5")
		http.Error(w, "Too many windows display this page.", http.StatusServiceUnavailable)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(p.closed, cancel)() //nolint:contextcheck // either of the two ends the stream
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	out := events{w, http.NewResponseController(w)}
	defer out.limit() // for the end of the response
	err = out.send("retry: 2000\n\n")
	if newest := p.source.Latest(); err == nil && newest < after {
		after = newest // the sandbox was restarted, and so were the numbers
		err = out.tick(after)
	}
	for err == nil {
		after, err = p.next(ctx, out, after)
	}
}

// next sends one event, or a comment as a heartbeat, and returns the number of the last event.
func (p *Page) next(ctx context.Context, out events, after int64) (int64, error) {
	wait, reset := p.maxWait()
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

// maxWait returns how long to wait for an exchange, and whether a rate limit is reset then, which needs an event, too.
func (p *Page) maxWait() (wait time.Duration, reset bool) {
	wait = heartbeat
	for _, l := range p.source.RateLimits() {
		if left := time.Until(l.Reset); l.Used > 0 && left > 0 && left < wait {
			wait, reset = left, true
		}
	}
	return wait, reset
}

// lastSeen returns the number of the newest exchange that the browser has: of the last event before it lost the
// connection, or else of the page that it loaded.
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

func (e events) send(s string) error {
	e.limit()
	if _, err := io.WriteString(e.w, s); err != nil {
		return err
	}
	if err := e.control.Flush(); err != nil {
		return err
	}
	// In HTTP/2, a deadline also ends an idle stream.
	_ = e.control.SetWriteDeadline(time.Time{})
	return nil
}

// limit sets the write deadline. The server's own timeout is for responses that end. A writer without deadlines has no
// timeout either.
func (e events) limit() { _ = e.control.SetWriteDeadline(time.Now().Add(writeTimeout)) }
