package sandbox

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
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

	request   *http.Request
	operation *fleetioserver.Operation // nil for none
	sent      []byte                   // the request's body
	sentErr   error                    // why it could not be read
	caller    *credential              // nil if none was authenticated
	account   *account                 // the caller's
	arguments []argument               // the valid parameters
	input     *input                   // the decoded body; empty for none
	failure   Failure                  // to inject
}

// exchangeOf returns the exchange of the ResponseWriter that the router passes on.
func exchangeOf(w http.ResponseWriter) *exchange {
	return w.(*exchange) //nolint:forcetypeassert // the router passes its own ResponseWriter on
}

// ServeHTTP implements [http.Handler].
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started, at := time.Now(), s.Now()
	c := &exchange{response: response{header: http.Header{}}, request: r}
	// Read the body first, so that the history has all of it, also after an error response.
	defer c.readBody(&s.bodies)()
	s.mux.ServeHTTP(c, r)
	if c.operation == nil { // replace the mux's response: a redirect, which the vendor does not document, or text
		if allow := c.header.Get("Allow"); allow != "" {
			c.problem(http.StatusMethodNotAllowed, "This path takes "+allow+".")
			c.header.Set("Allow", allow) // RFC 9110, section 15.5.6
		} else {
			c.problem(http.StatusNotFound, nothingHere)
		}
	}
	s.finish(r.Context(), w, c, at, time.Since(started))
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

// finish adds the exchange to the history and the log, and sends the response as the failure allows.
func (s *Sandbox) finish(ctx context.Context, w http.ResponseWriter, c *exchange, at time.Time, took time.Duration) {
	// HTTP allows no body in these responses (RFC 9110, section 6.4.1).
	if c.request.Method == http.MethodHead || c.status == http.StatusNoContent || c.status == http.StatusNotModified {
		c.body = nil
	}
	e := Exchange{
		At: at, Took: took,
		Method: c.request.Method, URL: cmp.Or(c.request.RequestURI, c.request.URL.RequestURI()),
		Header: c.request.Header, Body: c.sent, BodyOmitted: c.sentErr != nil,
		Status: c.status, ResponseHeader: c.header, ResponseBody: c.body, Failure: c.failure.String(),
	}
	if c.operation != nil {
		e.Operation = c.operation.ID
	}
	if s.history.max > 0 || s.observe != nil { // middleware may change the header later
		e.Header = maps.Clone(e.Header)
	}
	if c.caller != nil {
		e.Account, e.APIKey = c.account.Name, c.caller.key.Name
	}
	if c.failure.plan.drop {
		e.Status, e.ResponseHeader, e.ResponseBody = 0, nil, nil
	}
	s.history.add(&e)
	if s.observe != nil {
		s.observe(&e)
	}
	s.log(ctx, c, &e)
	maps.Copy(w.Header(), c.header)
	c.failure.plan.send(w, c, &s.clock)
}

func (s *Sandbox) log(ctx context.Context, c *exchange, e *Exchange) {
	if !s.logger.Enabled(ctx, slog.LevelInfo) {
		return
	}
	method, address := e.Method, e.URL
	if c.operation == nil || c.operation.Parameters != nil || c.request.URL.RawQuery != "" { // only these can contain credentials
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
