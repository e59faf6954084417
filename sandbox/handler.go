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
	maxBody    = 1 << 20  // bytes of a request's body
	maxBodies  = 32 << 20 // bytes of the bodies of all requests in flight
	maxDrained = 32 << 20 // bytes that are read and discarded of a body that is too large
)

// exchange is a request in flight with its response.
type exchange struct {
	response

	request *http.Request
	routed  bool        // to an operation
	sent    []byte      // the request's body
	sentErr error       // why it could not be read
	caller  *credential // nil if none was authenticated
	account *account    // the caller's
	failure Failure     // to inject
}

// ServeHTTP implements [http.Handler].
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	c := &exchange{response: response{header: http.Header{}}, request: r}
	// Read the body first, so that the history has all of it, also after an error response.
	defer c.readBody(&s.bodies)()
	s.mux.ServeHTTP(c, r)
	if !c.routed { // replace the mux's response: a redirect, which the vendor does not document, or text
		if allow := c.header.Get("Allow"); allow != "" {
			c.problem(http.StatusMethodNotAllowed, "This path takes "+allow+".")
			c.header.Set("Allow", allow) // RFC 9110, section 15.5.6
		} else {
			c.problem(http.StatusNotFound, "There is nothing here. The sandbox has POST /api/v1/faults.")
		}
	}
	s.finish(r.Context(), w, c, started)
}

// operation wraps each operation of the contract: it injects the failure, and responds to a panic with a 500. Only the
// log has the details.
func (s *Sandbox) operation(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := w.(*exchange) //nolint:forcetypeassert // the router passes its own ResponseWriter on
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

// errBusy reports that maxBodies is exhausted.
var errBusy = errors.New("the bodies of other requests leave no room for it")

// budget reads a body within maxBodies, which all requests share.
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

// readBody reads the request's body. The caller calls release when the request has ended.
func (c *exchange) readBody(all *atomic.Int64) (release func()) {
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
		// Drain it: many clients send the whole body before they read the response, and would only see a closed connection.
		// A client that waits for 100 Continue has sent nothing yet.
		if r.ContentLength <= maxBody || r.Header["Expect"] == nil {
			_, _ = io.CopyN(io.Discard, r.Body, maxDrained) // after an error, no client reads the response
		}
	}
	if c.sentErr != nil {
		c.sent = nil
	}
	return func() { all.Add(-b.held) }
}

// operations implements the operations of the contract. The generated strict handler is not used, because it decodes
// the body itself and reports only the first problem, in Go's terms.
type operations struct {
	*Sandbox
	fleetioserver.Unimplemented
}

var _ fleetioserver.ServerInterface = operations{}

// CreateFault implements [fleetioserver.ServerInterface].
func (o operations) CreateFault(w http.ResponseWriter, r *http.Request) {
	c := w.(*exchange) //nolint:forcetypeassert // the router passes its own ResponseWriter on
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
		if detailed, ok := errors.AsType[interface {
			error
			Detail() string
		}](err); ok {
			detail += ": " + o.Redact(detailed.Detail())
		}
		c.problem(http.StatusInternalServerError, detail+".")
		return
	}
	c.set(http.StatusCreated, body)
	c.header.Set("Location", location(r, id))
}

// admit checks everything but the content of the body, and responds if a check fails. why is the problem with the
// credentials.
func (o operations) admit(c *exchange, why string) bool {
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

// isJSON reports whether a header is that of a JSON body without a content coding (RFC 9110, section 8.4).
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

// finish adds the exchange to the history and the log, and sends the response as the failure allows.
func (s *Sandbox) finish(ctx context.Context, w http.ResponseWriter, c *exchange, started time.Time) {
	// HTTP allows no body in these responses (RFC 9110, section 6.4.1).
	if c.request.Method == http.MethodHead || c.status == http.StatusNoContent || c.status == http.StatusNotModified {
		c.body = nil
	}
	e := Exchange{
		At: started, Took: time.Since(started),
		Method: c.request.Method, URL: cmp.Or(c.request.RequestURI, c.request.URL.RequestURI()),
		Header: c.request.Header, Body: c.sent, BodyOmitted: c.sentErr != nil,
		Status: c.status, ResponseHeader: c.header, ResponseBody: c.body, Failure: c.failure.String(),
	}
	if s.history.max > 0 { // middleware may change the header later
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

func (s *Sandbox) log(ctx context.Context, c *exchange, e *Exchange) {
	if !s.logger.Enabled(ctx, slog.LevelInfo) {
		return
	}
	method, address := e.Method, e.URL
	if !c.routed || c.request.URL.RawQuery != "" { // only these can contain credentials
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
