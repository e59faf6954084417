package sandbox

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Exchange is a request that arrived, with its response.
type Exchange struct {
	Number int64         // from 1, in the order in which the responses were made
	At     time.Time     // when the request arrived
	Took   time.Duration // until the response was made; an injected delay is not part of it
	// Account and APIKey are the names of the caller's in the fixtures; "" if the credentials are unknown, or were not
	// looked at (404, 405). An account without a name is "account" and its id.
	Account, APIKey string

	Method string
	URL    string // as it was sent: path and query
	// Header and Body are those of the request. In all of the exchange, a placeholder stands for the credentials in the
	// header, and, where they have six characters or more, for what repeats them and for all that the fixtures have.
	Header http.Header
	Body   []byte
	// BodyOmitted says that there was a body that was not read: too long, or broken off. Body is empty then.
	BodyOmitted bool

	// The response, as it was to be sent: the client may have gone.
	Status         int // 0 if the connection was dropped before a response
	ResponseHeader http.Header
	ResponseBody   []byte
	// Failure is what was injected into this request; "" for nothing.
	Failure string
}

// Requests returns the exchanges that the sandbox keeps, the oldest first: the last thousand, or as many as
// [WithHistory] says. They are copies; to count, [Sandbox.Latest] is cheaper.
func (s *Sandbox) Requests() []Exchange {
	s.history.mu.Lock()
	list := slices.Clone(s.history.list)
	s.history.mu.Unlock()
	for i := range list {
		s.redactorFor(list[i].Header).exchange(&list[i])
	}
	return list
}

// Latest returns the number of the newest exchange; 0 if nothing has arrived.
func (s *Sandbox) Latest() int64 {
	s.history.mu.Lock()
	defer s.history.mu.Unlock()
	return s.history.last
}

// Exchange returns one exchange; false if the sandbox does not keep it.
func (s *Sandbox) Exchange(number int64) (Exchange, bool) {
	e, kept := s.Unredacted(number)
	if kept {
		s.redactorFor(e.Header).exchange(&e)
	}
	return e, kept
}

// Summary is [Sandbox.Exchange] without headers and bodies, for lists: it costs the same however long they are.
func (s *Sandbox) Summary(number int64) (Exchange, bool) {
	e, kept := s.Unredacted(number)
	if kept {
		r := s.redactorFor(e.Header)
		e.Method, e.URL = r.Text(e.Method), r.url(e.URL)
		e.Header, e.Body, e.ResponseHeader, e.ResponseBody = nil, nil, nil, nil
	}
	return e, kept
}

// Unredacted is [Sandbox.Exchange] with the credentials, for a check that shows nothing of it. It is not a copy, and
// must not be changed.
func (s *Sandbox) Unredacted(number int64) (Exchange, bool) {
	h := &s.history
	h.mu.Lock()
	defer h.mu.Unlock()
	i := number - h.last + int64(len(h.list)) - 1
	if i < 0 || i >= int64(len(h.list)) {
		return Exchange{}, false
	}
	return h.list[i], true
}

// Wait returns when there is an exchange with a higher number, or with the error of ctx.
func (s *Sandbox) Wait(ctx context.Context, number int64) error {
	h := &s.history
	for {
		h.mu.Lock()
		if h.last > number {
			h.mu.Unlock()
			return nil
		}
		if h.changed == nil {
			h.changed = make(chan struct{})
		}
		changed := h.changed
		h.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// maxKept bounds what the kept exchanges hold, in bytes.
const maxKept = 16 << 20

// history keeps the last exchanges as they were: credentials are redacted when they are read.
type history struct {
	mu      sync.Mutex
	max     int        // how many exchanges
	list    []Exchange // the newest last
	last    int64      // number of the newest
	bytes   int        // of what they hold
	changed chan struct{}
}

// add keeps an exchange and gives it its number.
func (h *history) add(e *Exchange) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	e.Number = h.last
	if h.max > 0 {
		h.list = append(h.list, *e)
		h.bytes += e.bytes()
	}
	for len(h.list) > h.max || h.bytes > maxKept && len(h.list) > 1 {
		h.bytes -= h.list[0].bytes()
		h.list[0] = Exchange{} // the array keeps nothing alive
		h.list = h.list[1:]
	}
	if h.changed != nil {
		close(h.changed)
		h.changed = nil
	}
}

const (
	fieldSize = 128 // about what a map takes for a header field, beside its name and values
	valueSize = 16  // what a slice takes for a string, beside its bytes
)

// bytes is the size of what has no bound of its own in an exchange.
func (e *Exchange) bytes() int {
	n := len(e.Method) + len(e.URL) + cap(e.Body) + cap(e.ResponseBody)
	for _, header := range [...]http.Header{e.Header, e.ResponseHeader} {
		for name, values := range header {
			n += fieldSize + len(name)
			for _, value := range values {
				n += valueSize + len(value)
			}
		}
	}
	return n
}
