package sandbox

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// Exchange is a request with its response.
type Exchange struct {
	Number int64         // from 1, in the order of the responses
	At     time.Time     // when the request arrived
	Took   time.Duration // until the response was complete, without an injected delay
	// Account and APIKey are the names of the account and the key in the fixtures; "" if the credentials are unknown, or
	// were not checked (404, 405). An account without a name is "account" and its id.
	Account, APIKey string

	Operation string // its operationId in the contract; "" for none
	Method    string
	URL       string // as sent: path and query
	// Header and Body are those of the request. In all fields, a placeholder replaces the credentials of the header, and,
	// if they have 6 characters or more, their repetitions and all credentials of the fixtures.
	Header http.Header
	Body   []byte
	// BodyOmitted reports that the body was not read completely, because it was too long or the connection was lost. Body
	// is empty then.
	BodyOmitted bool

	// The response, even if the client has disconnected.
	Status         int // 0 if the connection was dropped before a response
	ResponseHeader http.Header
	ResponseBody   []byte
	// Failure is the injected failure; "" for none.
	Failure string
}

// Requests returns copies of the exchanges in the history (see [WithHistory]), the oldest first. To count them,
// [Sandbox.Latest] is cheaper.
func (s *Sandbox) Requests() []Exchange {
	s.history.mu.Lock()
	list := slices.Clone(s.history.list)
	s.history.mu.Unlock()
	for i := range list {
		s.redactorFor(list[i].Header).exchange(&list[i])
	}
	return list
}

// ClearRequests removes all exchanges from the history. Later ones have the next numbers.
func (s *Sandbox) ClearRequests() {
	h := &s.history
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list, h.bytes = nil, 0
}

// Latest returns the number of the newest exchange; 0 for none.
func (s *Sandbox) Latest() int64 {
	s.history.mu.Lock()
	defer s.history.mu.Unlock()
	return s.history.last
}

// Exchange returns one exchange; false if it is not in the history.
func (s *Sandbox) Exchange(number int64) (Exchange, bool) {
	e, ok := s.Unredacted(number)
	if ok {
		s.redactorFor(e.Header).exchange(&e)
	}
	return e, ok
}

// Summary is [Sandbox.Exchange] without headers and bodies. It takes no longer if they are long.
func (s *Sandbox) Summary(number int64) (Exchange, bool) {
	e, ok := s.Unredacted(number)
	if ok {
		r := s.redactorFor(e.Header)
		e.Method, e.URL = r.Text(e.Method), r.url(e.URL)
		e.Header, e.Body, e.ResponseHeader, e.ResponseBody = nil, nil, nil, nil
	}
	return e, ok
}

// Unredacted is [Sandbox.Exchange] with the credentials, for a checker that does not print it. It is not a copy, and
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

// maxHistoryBytes limits the size of the history.
const maxHistoryBytes = 16 << 20

// history holds the last exchanges, unredacted: credentials are redacted when an exchange is read.
type history struct {
	mu    sync.Mutex
	max   int        // number of exchanges
	list  []Exchange // the newest last
	last  int64      // number of the newest
	bytes int        // size of list
}

// add assigns the number of an exchange and stores the exchange.
func (h *history) add(e *Exchange) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	e.Number = h.last
	if h.max > 0 {
		h.list = append(h.list, *e)
		h.bytes += e.bytes()
	}
	for len(h.list) > h.max || h.bytes > maxHistoryBytes && len(h.list) > 1 {
		h.bytes -= h.list[0].bytes()
		h.list[0] = Exchange{} // so that the array does not keep it alive
		h.list = h.list[1:]
	}
}

const (
	fieldSize = 128 // bytes that a map needs for a header field, about, without its name and values
	valueSize = 16  // bytes that a slice needs for a string, without its content
)

// bytes returns the size of the fields without a limit of their own.
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
