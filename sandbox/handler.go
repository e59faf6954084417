package sandbox

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
)

const (
	maxBody    = 1 << 20  // bounds a request's body, in bytes
	maxBodies  = 32 << 20 // bounds the bodies of all requests being served, in bytes
	maxDrained = 32 << 20 // bounds what is read and forgotten of a body that is too large
)

// call is a request being served, with the response that it gets in the end.
type call struct {
	response

	request *http.Request
	routed  bool        // to an operation
	sent    []byte      // the request's body
	sentErr error       // why it could not be read
	caller  *credential // nil if none was authenticated
	account *account    // the caller's
	failure Failure
}

// ServeHTTP implements [http.Handler].
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	c := &call{response: response{header: http.Header{}}, request: r}
	// The body is read before anything is decided, so that the exchange has all of it.
	defer c.readBody(&s.bodies)()
	s.mux.ServeHTTP(c, r)
	if !c.routed { // the mux has responded: with a redirect, which the vendor does not document, or with text
		if allow := c.header.Get("Allow"); allow != "" {
			c.problem(http.StatusMethodNotAllowed, "This path takes "+allow+".")
			c.header.Set("Allow", allow) // RFC 9110, section 15.5.6
		} else {
			c.problem(http.StatusNotFound, "There is nothing here. The sandbox has POST /api/v1/faults.")
		}
	}
	s.finish(r.Context(), w, c, started)
}

// operation wraps each operation of the contract: it injects a failure, and turns whatever goes wrong inside into a
// 500. What that was, only the log tells.
func (s *Sandbox) operation(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := w.(*call) //nolint:forcetypeassert // the router passes on what it gets
		c.routed, c.failure = true, s.failures.next()
		defer func() {
			if p := recover(); p != nil {
				s.logger.Error("panic", "value", p, "stack", string(debug.Stack()))
				c.problem(http.StatusInternalServerError, couldNot+".")
			}
		}()
		next.ServeHTTP(c, r)
		for _, edit := range c.failure.plan.edits {
			edit(&c.response)
		}
		if c.failure.plan.cut {
			c.header.Set("Content-Length", strconv.Itoa(len(c.body)))
			c.body = c.body[:len(c.body)/2]
		}
	})
}

// couldNot is the detail of a 500, before the reason.
const couldNot = "The request could not be processed"

// errBusy says that there is no room for a body.
var errBusy = errors.New("the bodies of other requests leave no room for it")

// budget reads a body as far as the room that all requests share allows.
type budget struct {
	io.Reader

	all  *atomic.Int64
	held int64
}

// Read implements [io.Reader].
func (b *budget) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.held += int64(n)
	if b.all.Add(int64(n)) > maxBodies {
		return n, errBusy
	}
	return n, err
}

// readBody reads the request's body, and returns what gives its room back.
func (c *call) readBody(all *atomic.Int64) (release func()) {
	r := c.request
	if r.Body == nil || r.Body == http.NoBody {
		return func() {}
	}
	b := &budget{Reader: r.Body, all: all}
	if r.ContentLength <= maxBody {
		c.sent, c.sentErr = io.ReadAll(io.LimitReader(b, maxBody+1))
	}
	if r.ContentLength > maxBody || len(c.sent) > maxBody {
		c.sentErr = &http.MaxBytesError{Limit: maxBody}
		// Many clients send all of a body before they read the response, and would find the connection closed. One that
		// waits for 100 Continue has sent nothing yet.
		if r.ContentLength <= maxBody || r.Header["Expect"] == nil {
			_, _ = io.CopyN(io.Discard, r.Body, maxDrained) // if it breaks off, nothing reads the response
		}
	}
	if c.sentErr != nil {
		c.sent = nil
	}
	return func() { all.Add(-b.held) }
}

// operations are the operations of the contract, as the generated router calls them. The generated strict handler would
// decode the body by itself, and tell only the first mistake, in Go's words.
type operations struct{ *Sandbox }

var _ fleetioserver.ServerInterface = operations{}

// CreateFault implements [fleetioserver.ServerInterface].
func (o operations) CreateFault(w http.ResponseWriter, r *http.Request) {
	c := w.(*call) //nolint:forcetypeassert // the router passes on what it gets
	caller, why := o.keys.find(r.Header)
	if caller != nil {
		c.caller, c.account = caller, caller.account
	}
	if c.failure.plan.respond(o.Sandbox, &c.response) {
		return
	}
	if c.failure.plan.accept {
		c.account = cmp.Or(c.account, o.accounts[0])
	} else if !o.admit(c, why) {
		return
	}
	in := readInput(c.sent)
	if !c.failure.plan.accept {
		if c.account.check(in); in.problems != nil {
			c.invalid(in.problems)
			return
		}
	}
	id, body, err := o.add(r.Context(), c.account, in)
	if err != nil {
		o.logger.Error("the fault was not stored", "error", err)
		detail := couldNot
		if told, ok := errors.AsType[interface {
			error
			Detail() string
		}](err); ok {
			detail += ": " + o.Redact(told.Detail())
		}
		c.problem(http.StatusInternalServerError, detail+".")
		return
	}
	c.set(http.StatusCreated, body)
	c.header.Set("Location", location(r, id))
}

// admit tells whether a request gets as far as its body; if not, it responds. Why is the problem with the credentials.
func (o operations) admit(c *call, why string) bool {
	if c.caller == nil {
		c.unauthorized(o.Sandbox, why)
		return false
	}
	if o.perMinute > 0 {
		if wait, ok := c.account.window.take(o.perMinute, time.Now()); !ok {
			c.rateLimited(wait)
			return false
		}
	}
	_, tooLarge := errors.AsType[*http.MaxBytesError](c.sentErr)
	switch {
	case !c.caller.mayCreate:
		c.forbidden(o.Sandbox, "The API key may not create faults.")
	case !isJSON(c.request.Header):
		c.problem(http.StatusUnsupportedMediaType, "The body must be application/json, in UTF-8 and not encoded.")
	case tooLarge:
		c.problem(http.StatusRequestEntityTooLarge, "The body is longer than "+strconv.Itoa(maxBody)+" bytes.")
	case errors.Is(c.sentErr, errBusy):
		c.problem(http.StatusServiceUnavailable, "The body was not read: the requests being served have more than "+
			strconv.Itoa(maxBodies>>20)+" MiB. Try again.")
		c.header.Set("Retry-After", "1")
	case c.sentErr != nil:
		c.problem(http.StatusBadRequest, "The body could not be read to its end.")
	default:
		return true
	}
	return false
}

// isJSON tells by its header whether a body is JSON, and not encoded (RFC 9110, section 8.4).
func isJSON(header http.Header) bool {
	types := header["Content-Type"]
	if len(types) != 1 {
		return false
	}
	for _, encoding := range header["Content-Encoding"] {
		if encoding != "" && !strings.EqualFold(encoding, "identity") {
			return false
		}
	}
	name, parameters, err := mime.ParseMediaType(types[0])
	charset := cmp.Or(parameters["charset"], "utf-8")
	return err == nil && name == "application/json" && strings.EqualFold(charset, "utf-8")
}

// finish sends the response, or what the failure made of it, and keeps and logs the exchange.
func (s *Sandbox) finish(ctx context.Context, w http.ResponseWriter, c *call, started time.Time) {
	// HTTP itself allows these responses no body (RFC 9110, section 6.4.1).
	if c.request.Method == http.MethodHead || c.status == http.StatusNoContent || c.status == http.StatusNotModified {
		c.body = nil
	}
	e := Exchange{
		At: started, Took: time.Since(started),
		Method: c.request.Method, URL: cmp.Or(c.request.RequestURI, c.request.URL.RequestURI()),
		Header: c.request.Header, Body: c.sent, BodyOmitted: c.sentErr != nil,
		Status: c.status, ResponseHeader: c.header, ResponseBody: c.body, Failure: c.failure.String(),
	}
	if s.history.max > 0 { // what wraps the handler may change the header on the way
		e.Header = maps.Clone(e.Header)
	}
	if c.caller != nil {
		e.Account, e.APIKey = c.account.Name, c.caller.key.Name
	}
	if c.failure.plan.drop {
		e.Status, e.ResponseHeader, e.ResponseBody = 0, nil, nil
	}
	s.history.add(&e)
	s.log(ctx, c, &e)
	maps.Copy(w.Header(), c.header)
	c.failure.plan.send(w, c)
}

func (s *Sandbox) log(ctx context.Context, c *call, e *Exchange) {
	if !s.logger.Enabled(ctx, slog.LevelInfo) {
		return
	}
	method, address := e.Method, e.URL
	if !c.routed || c.request.URL.RawQuery != "" { // others may hold anything
		r := s.redactorFor(e.Header)
		method, address = r.Text(method), r.url(address)
	}
	list := []slog.Attr{
		slog.Int64("number", e.Number), slog.String("method", method), slog.String("url", address),
		slog.Int("status", e.Status), slog.Int64("took_us", e.Took.Microseconds()),
		slog.String("account", e.Account), slog.String("api_key", e.APIKey),
	}
	if e.Failure != "" {
		list = append(list, slog.String("failure", e.Failure))
	}
	s.logger.LogAttrs(ctx, slog.LevelInfo, "exchange", list...)
}
