package sandbox

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
)

const (
	mostBody    = 1 << 20  // bounds a request's body, in bytes
	usualBody   = 4 << 10  // what is made room for before it arrives
	maxBodies   = 32 << 20 // bounds the bodies of all calls on their way, in bytes
	mostDrained = 32 << 20 // of a body that is too large, what is read and forgotten
)

// call is a request on its way.
type call struct {
	answer // what the generated code writes

	request *http.Request
	caller  *credential // nil where nobody was authenticated
	account *account    // the caller's
	sent    []byte      // the request's body
	sentErr error       // why it could not be read
	input   input
	created created
	trouble Trouble
}

// calls are used again. What an exchange keeps of one is not part of it.
var calls = sync.Pool{New: func() any { return new(call) }}

// ServeHTTP implements [http.Handler].
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	c, _ := calls.Get().(*call)
	*c = call{answer: answer{header: w.Header()}, request: r}
	held := c.readBody(&s.bodies)
	defer s.bodies.Add(-held)
	path := r.URL.Path
	if strings.Contains(strings.ToUpper(r.URL.RawPath), "%2F") {
		path = r.URL.RawPath // an escaped slash separates nothing
	}
	handle, known := s.routes[path][r.Method]
	switch {
	case known:
		c.trouble = s.script.due()
		s.guard(c, handle)
		if c.trouble.cut {
			c.header["Content-Length"] = []string{strconv.Itoa(len(c.body))}
			c.body = c.body[:len(c.body)/2]
		}
	case s.routes[path] != nil:
		c.undocumented(http.StatusMethodNotAllowed, "This path takes POST.")
	default:
		c.undocumented(http.StatusNotFound, "There is nothing here. The sandbox has POST /api/v1/faults.")
	}
	if version := r.Header["X-Api-Version"]; version != nil {
		c.header["X-Api-Version"] = version
	}
	s.finish(r.Context(), w, c, started)
	*c = call{} // so that it keeps nothing alive; where the connection was dropped, it is lost
	calls.Put(c)
}

// guard makes a 500 of whatever goes wrong inside. What that was, only the log tells.
func (s *Sandbox) guard(c *call, handle http.HandlerFunc) {
	defer func() {
		if p := recover(); p != nil {
			s.logger.Error("panic", "value", p, "stack", string(debug.Stack()))
			c.failed("")
		}
	}()
	handle(c, c.request)
	c.trouble.change(&c.answer)
}

// errBusy says that there is no room for a body.
var errBusy = errors.New("the bodies of other calls leave no room for it")

// readBody reads the body before anything is decided, so that whoever looks at the exchange sees it whole. Room is made for
// what arrives, not for what is announced, out of what all calls share; it returns how much of that it took.
func (c *call) readBody(all *atomic.Int64) (held int64) {
	r := c.request
	if r.Body == nil || r.Body == http.NoBody {
		return 0
	}
	if r.ContentLength > mostBody {
		c.tooLarge(r.Header["Expect"] == nil) // who waits to be told to go on is told not to
		return 0
	}
	// The length is a hint: middleware may have put another body in place, or nothing comes. A byte more shows that it ends
	// there.
	room, read := min(max(r.ContentLength, 0), usualBody)+1, 0
	for c.sentErr == nil && read <= mostBody {
		if held += room; all.Add(room) > maxBodies {
			c.sent, c.sentErr = nil, errBusy
			all.Add(-held)
			return 0
		}
		c.sent = append(make([]byte, 0, held), c.sent...)[:held]
		for c.sentErr == nil && read < len(c.sent) {
			var n int
			n, c.sentErr = r.Body.Read(c.sent[read:])
			read += n
		}
		room = min(held, mostBody+1-held)
	}
	c.sent = c.sent[:read]
	switch {
	case read > mostBody:
		c.tooLarge(true)
	case errors.Is(c.sentErr, io.EOF):
		c.sentErr = nil
	}
	if c.sentErr != nil {
		c.sent = nil
	}
	return held
}

// tooLarge gives up a body. Many clients send all of it before they read the answer, and would find the connection closed,
// so the rest is taken in as well, within reason.
func (c *call) tooLarge(drain bool) {
	c.sentErr = &http.MaxBytesError{Limit: mostBody}
	if drain {
		_, _ = io.CopyN(io.Discard, c.request.Body, mostDrained) // if it breaks off, nobody reads the answer
	}
}

// front is the operation as the generated router calls it. The generated strict handler would decode the body by itself,
// and tell only the first thing that is wrong, in Go's words.
type front struct{ *Sandbox }

var _ fleetioserver.ServerInterface = front{}

// CreateFault implements [fleetioserver.ServerInterface].
func (f front) CreateFault(w http.ResponseWriter, r *http.Request) {
	c, ours := w.(*call)
	if !ours {
		panic("the router has put another writer in between")
	}
	caller, why := f.keys.find(r.Header)
	if caller != nil {
		c.caller, c.account = caller, caller.account
	}
	if c.trouble.instead(f.Sandbox, &c.answer) || !f.admit(c, why) {
		return
	}
	c.input.read(c.sent)
	answer, err := service{f.Sandbox, c}.CreateFault(r.Context(), fleetioserver.CreateFaultRequestObject{Body: &c.input.fault})
	if err == nil {
		err = answer.VisitCreateFaultResponse(&c.answer)
	}
	if err != nil {
		f.logger.Error("the fault was not stored", "error", err)
		var reason string
		var told interface{ Detail() string }
		if errors.As(err, &told) {
			reason = f.Redact(told.Detail())
		}
		c.failed(reason)
	}
}

// admit tells whether a request gets as far as its body; if not, it has its answer. Why is what is wrong with the credentials.
func (f front) admit(c *call, why string) bool {
	r := c.request
	if c.trouble.accept {
		if c.account == nil {
			c.account = f.accounts[0]
		}
		return true
	}
	if c.caller == nil {
		f.unauthorized(&c.answer, why)
		return false
	}
	if f.perMinute > 0 {
		if wait, ok := c.account.window.take(f.perMinute, time.Now()); !ok {
			c.limited(wait)
			return false
		}
	}
	switch {
	case !c.caller.mayDo:
		f.forbidden(&c.answer, "The API key may not create faults.")
	case !acceptsJSON(r.Header["Accept"]):
		c.undocumented(http.StatusNotAcceptable, "The answer would be application/json, which the header Accept does not take.")
	case !isJSON(r.Header):
		c.undocumented(http.StatusUnsupportedMediaType, "The body must be application/json, in UTF-8 and without a Content-Encoding.")
	case c.sentErr != nil:
		c.noBody()
	default:
		return true
	}
	return false
}

// noBody answers a request of which the body could not be read.
func (c *call) noBody() {
	if _, ok := errors.AsType[*http.MaxBytesError](c.sentErr); ok {
		c.undocumented(http.StatusRequestEntityTooLarge, "The body is longer than "+strconv.Itoa(mostBody)+" bytes.")
		return
	}
	if errors.Is(c.sentErr, errBusy) {
		c.undocumented(http.StatusServiceUnavailable, "The body was not read: the calls on their way have more than "+strconv.Itoa(maxBodies>>20)+" MiB. Try again.")
		c.header["Retry-After"] = []string{"1"}
		return
	}
	c.undocumented(http.StatusBadRequest, "The body could not be read to its end.")
}

// finish sends the answer, or what the script made of it, and keeps and logs the exchange.
func (s *Sandbox) finish(ctx context.Context, w http.ResponseWriter, c *call, started time.Time) {
	e := Exchange{At: started, Took: time.Since(started), Method: c.request.Method, URL: cmp.Or(c.request.RequestURI, c.request.URL.RequestURI()),
		Header: c.request.Header, Body: c.sent, BodyOmitted: c.sentErr != nil, Status: c.status,
		AnswerHeader: c.header, AnswerBody: c.body, Trouble: c.trouble.name}
	if s.kept > 0 { // what wraps a handler may change headers on the way
		e.Header, e.AnswerHeader = maps.Clone(e.Header), maps.Clone(e.AnswerHeader)
	}
	if c.caller != nil {
		e.Account, e.APIKey = c.account.Name, c.caller.key.Name
	}
	if c.bodiless() {
		c.body, e.AnswerBody = nil, nil
	}
	if c.trouble.drops() {
		e.Status, e.AnswerHeader, e.AnswerBody = 0, nil, nil
	}
	s.history.add(&e)
	if s.logger.Enabled(ctx, slog.LevelInfo) {
		s.log(ctx, &e)
	}
	c.trouble.send(w, c)
}

// bodiless tells whether HTTP itself allows the answer no body (RFC 9110, section 6.4.1).
func (c *call) bodiless() bool {
	return c.request.Method == http.MethodHead || c.status == http.StatusNoContent || c.status == http.StatusNotModified
}

func (s *Sandbox) log(ctx context.Context, e *Exchange) {
	method, address := e.Method, e.URL
	if s.routes[address][method] == nil { // others may hold anything
		r := s.redactorFor(e.Header)
		method, address = r.Text(method), r.url(address)
	}
	attributes := [...]slog.Attr{
		slog.Int64("number", e.Number), slog.String("method", method), slog.String("url", address), slog.Int("status", e.Status),
		slog.Int64("took_us", e.Took.Microseconds()), slog.String("account", e.Account), slog.String("api_key", e.APIKey), slog.String("trouble", e.Trouble),
	}
	list := attributes[:]
	if e.Trouble == "" {
		list = list[:len(list)-1]
	}
	s.logger.LogAttrs(ctx, slog.LevelInfo, "exchange", list...)
}
