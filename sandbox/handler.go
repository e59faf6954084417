package sandbox

import (
	"bytes"
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
	"sync"
	"time"

	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
)

// mostBody bounds a request's body, in bytes.
const mostBody = 1 << 20

// call is a request on its way.
type call struct {
	answer // what the generated code writes

	request *http.Request
	caller  *credential // nil where nobody was authenticated
	account *account    // the caller's
	body    []byte
	bodyErr error // why the body could not be read
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
	c.readBody(w)
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
			c.header["Content-Length"] = []string{strconv.Itoa(len(c.answer.body))}
			c.answer.body = c.answer.body[:len(c.answer.body)/2]
		}
	case s.routes[path] != nil:
		c.undocumented(http.StatusMethodNotAllowed, "This path takes POST.")
		c.header["Allow"] = []string{http.MethodPost}
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
			c.failed()
		}
	}()
	handle(c, c.request)
	c.trouble.change(&c.answer)
}

// readBody reads the body before anything is decided, so that whoever looks at the exchange sees it whole.
func (c *call) readBody(w http.ResponseWriter) {
	r := c.request
	if r.ContentLength > mostBody {
		c.bodyErr = &http.MaxBytesError{Limit: mostBody}
		return
	}
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	// The length is a hint: middleware may have put another body in place. A byte more shows that it ends there.
	c.body = make([]byte, max(r.ContentLength, 0)+1)
	read := 0
	for c.bodyErr == nil && read < len(c.body) {
		var n int
		n, c.bodyErr = r.Body.Read(c.body[read:])
		read += n
	}
	c.body = c.body[:read]
	switch {
	case c.bodyErr == nil:
		buffer := bytes.NewBuffer(c.body)
		_, c.bodyErr = buffer.ReadFrom(http.MaxBytesReader(w, r.Body, int64(mostBody-read)))
		c.body = buffer.Bytes()
	case errors.Is(c.bodyErr, io.EOF):
		c.bodyErr = nil
	}
	if c.bodyErr != nil {
		c.body = nil
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
	if c.trouble.instead(f.Sandbox, &c.answer) || !f.admit(c) {
		return
	}
	c.input.read(c.body)
	answer, err := service{f.Sandbox, c}.CreateFault(r.Context(), fleetioserver.CreateFaultRequestObject{Body: &c.input.fault})
	if err == nil {
		err = answer.VisitCreateFaultResponse(&c.answer)
	}
	if err != nil {
		f.logger.Error("the fault was not stored", "error", err)
		c.failed()
	}
}

// admit tells whether a request gets as far as its body; if not, it has its answer.
func (f front) admit(c *call) bool {
	r := c.request
	caller, why := f.keys.find(r.Header)
	if c.trouble.accept {
		if caller == nil {
			caller = &credential{account: f.accounts[0], key: &APIKey{}}
		}
		c.caller, c.account = caller, caller.account
		return true
	}
	if caller == nil {
		f.unauthorized(&c.answer, why)
		return false
	}
	c.caller, c.account = caller, caller.account
	if f.perMinute > 0 {
		if wait, ok := c.account.window.take(f.perMinute, time.Now()); !ok {
			c.limited(wait)
			return false
		}
	}
	switch {
	case !caller.mayDo:
		f.forbidden(&c.answer, "The API key may not create faults.")
	case !acceptsJSON(r.Header["Accept"]):
		c.undocumented(http.StatusNotAcceptable, "The answer would be application/json, which the header Accept does not take.")
	case !isJSON(r.Header):
		c.undocumented(http.StatusUnsupportedMediaType, "The body must be application/json, in UTF-8 and without a Content-Encoding.")
	case c.bodyErr != nil:
		c.noBody()
	default:
		return true
	}
	return false
}

// noBody answers a request of which the body could not be read.
func (c *call) noBody() {
	var tooLarge *http.MaxBytesError
	if errors.As(c.bodyErr, &tooLarge) {
		c.undocumented(http.StatusRequestEntityTooLarge, "The body is longer than "+strconv.Itoa(mostBody)+" bytes.")
		return
	}
	c.undocumented(http.StatusBadRequest, "The body ended before it was complete.")
}

// isJSON tells whether a body is JSON by its header.
func isJSON(header http.Header) bool {
	types := header["Content-Type"]
	if len(types) != 1 || header["Content-Encoding"] != nil {
		return false
	}
	if types[0] == "application/json" {
		return true
	}
	name, parameters, err := mime.ParseMediaType(types[0])
	charset, has := parameters["charset"]
	return err == nil && name == "application/json" && (!has || strings.EqualFold(charset, "utf-8"))
}

// acceptsJSON reads Accept (RFC 9110, section 12.5.1). The most specific range counts; what cannot be read is no wish.
func acceptsJSON(accept []string) bool {
	if len(accept) == 0 || len(accept) == 1 && accept[0] == "application/json" {
		return true
	}
	best, quality, readable := -1, 0.0, false
	for _, list := range accept {
		for entry := range strings.SplitSeq(list, ",") {
			name, parameters, err := mime.ParseMediaType(entry)
			if err != nil {
				continue
			}
			readable = true
			rank := map[string]int{"*/*": 0, "application/*": 1, "application/json": 2}
			at, matches := rank[name]
			if !matches || at < best {
				continue
			}
			best, quality = at, 1
			if q, err := strconv.ParseFloat(parameters["q"], 64); err == nil {
				quality = q
			}
		}
	}
	return !readable || best >= 0 && quality > 0
}

// finish sends the answer, or what the script made of it, and keeps and logs the exchange.
func (s *Sandbox) finish(ctx context.Context, w http.ResponseWriter, c *call, started time.Time) {
	e := Exchange{At: started, Took: time.Since(started), Method: c.request.Method, URL: cmp.Or(c.request.RequestURI, c.request.URL.RequestURI()),
		Header: c.request.Header, Body: c.body, BodyOmitted: c.bodyErr != nil, Status: c.status, AnswerHeader: c.header, AnswerBody: c.answer.body,
		Trouble: c.trouble.name}
	if c.caller != nil {
		e.Account, e.APIKey = c.account.Name, c.caller.key.Name
	}
	if ctx.Value(http.ServerContextKey) == nil { // they are the caller's, while a server makes new ones for each call
		e.Header, e.AnswerHeader = maps.Clone(e.Header), maps.Clone(e.AnswerHeader)
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

func (s *Sandbox) log(ctx context.Context, e *Exchange) {
	method, address := e.Method, e.URL
	if s.routes[address][method] == nil { // others may hold anything
		r := s.redactorFor(e.Header)
		method, address = r.text(method), r.url(address)
	}
	attributes := [...]slog.Attr{
		slog.Int64("number", e.Number), slog.String("method", method), slog.String("url", address), slog.Int("status", e.Status),
		slog.Duration("took", e.Took), slog.String("account", e.Account), slog.String("api_key", e.APIKey), slog.String("trouble", e.Trouble),
	}
	list := attributes[:]
	if e.Trouble == "" {
		list = list[:len(list)-1]
	}
	s.logger.LogAttrs(ctx, slog.LevelInfo, "exchange", list...)
}
