package sandbox

import (
	"cmp"
	"context"
	"errors"
	"mime"
	"net/http"
	"path"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
)

// nothingHere is the detail of a 404 for a path without an operation.
var nothingHere = func() string {
	list := make([]string, len(fleetioserver.Operations))
	for i, o := range fleetioserver.Operations {
		list[i] = o.Method + " " + o.Path
	}
	return "There is nothing here. The sandbox has: " + strings.Join(list, ", ") + "."
}()

// operations implements the operations of the contract; the embedded function implements those without a behaviour. The
// generated strict handler is not used, because it decodes the body itself and reports only the first problem, in Go's
// terms. The sandbox is not embedded, as an operation may have the name of one of its methods.
type operations struct {
	fleetioserver.Unimplemented

	sandbox *Sandbox
}

var _ fleetioserver.ServerInterface = operations{}

// router registers the handlers of the generated server, each also at the alias of its path.
type router struct{ *Sandbox }

// HandleFunc implements [fleetioserver.ServeMux].
func (r router) HandleFunc(pattern string, handle func(http.ResponseWriter, *http.Request)) {
	method, path, _ := strings.Cut(pattern, " ")
	o := operationAt(method, path)
	paths := []string{path}
	if alias, has := fleetioapi.PathWithoutVersion(path); has {
		paths = append(paths, alias)
	}
	for _, path := range paths {
		r.mux.HandleFunc(method+" "+path, func(w http.ResponseWriter, request *http.Request) {
			c := exchangeOf(w)
			c.request, c.operation = request, o // the mux has set the values of the path
			r.serve(c, handle)                  //nolint:contextcheck // a late fault is stored after the request has ended
		})
	}
}

// serve performs the operation of an exchange as its failure says.
func (s *Sandbox) serve(c *exchange, handle http.HandlerFunc) {
	c.failure = s.failures.next(c.operation.ID)
	plan := &c.failure.plan
	caller, why := s.keys.find(c.request.Header)
	if caller != nil {
		c.caller, c.account = caller, caller.account
	}
	switch {
	case plan.late > 0:
		s.performLater(c, why, handle)
		plan.drop = plan.drop || plan.status == 0
		plan.respond(s, c)
	case plan.respond(s, c):
	default:
		s.perform(c, why, handle)
	}
	for _, edit := range plan.edits {
		edit(&c.response)
	}
	if plan.cut {
		c.header.Set("Content-Length", strconv.Itoa(len(c.body)))
		c.body = c.body[:len(c.body)/2]
	}
}

// perform performs the operation of an exchange. why is the problem with the credentials. It responds to a panic with a
// 500; only the log has the details.
func (s *Sandbox) perform(c *exchange, why string, handle http.HandlerFunc) {
	defer func() {
		if p := recover(); p != nil {
			s.logger.Error("panic", "value", p, "stack", string(debug.Stack()))
			c.problem(http.StatusInternalServerError, couldNot+".")
		}
	}()
	if c.failure.plan.accept {
		c.account = cmp.Or(c.account, s.accounts[0])
	} else if !s.admit(c, why) {
		return
	}
	arguments, invalid, problem := readArguments(c.operation, c.request)
	if invalid != nil {
		c.invalidParameter(invalid, problem)
		return
	}
	c.arguments, c.input = arguments, &input{}
	if c.operation.Body != nil && (len(c.sent) > 0 || c.operation.BodyRequired) && !isOtherBody(c.operation, c.request.Header) {
		c.input = readInput(c.operation.Body, c.sent)
	}
	handle(c, c.request)
	for name, example := range c.operation.Header {
		if c.status == c.operation.Status && c.header.Get(name) == "" { // one without a behaviour
			c.header.Set(name, example)
		}
	}
}

// performLater performs the operation of an exchange after the delay of its failure, and discards the response. It does
// nothing once the sandbox is closed.
func (s *Sandbox) performLater(c *exchange, why string, handle http.HandlerFunc) {
	later := &exchange{
		response: response{header: http.Header{}}, operation: c.operation, caller: c.caller, account: c.account,
		request: c.request.Clone(context.WithoutCancel(c.request.Context())), sent: c.sent, sentErr: c.sentErr,
		failure: Failure{plan: plan{accept: c.failure.plan.accept}},
	}
	s.late.mu.Lock()
	defer s.late.mu.Unlock()
	if s.late.closed {
		return
	}
	s.bodies.Add(int64(len(c.sent)))
	s.late.running.Go(func() {
		defer s.bodies.Add(-int64(len(c.sent)))
		if s.clock.wait(c.failure.plan.late, s.late.closing) {
			s.perform(later, why, handle)
		}
	})
}

// admit checks everything but the parameters and the content of the body, and responds if a check fails. why is the
// problem with the credentials.
func (s *Sandbox) admit(c *exchange, why string) bool {
	if c.caller == nil {
		c.unauthorized(s, why)
		return false
	}
	if s.perMinute > 0 {
		if wait, ok := c.account.window.take(s.perMinute, s.Now()); !ok {
			c.rateLimited(wait)
			return false
		}
	}
	_, tooLarge := errors.AsType[*http.MaxBytesError](c.sentErr)
	hasBody := c.operation.Body != nil && (len(c.sent) > 0 || c.sentErr != nil || c.operation.BodyRequired)
	switch {
	case !c.caller.may(permissionFor(c.operation)):
		c.forbidden(s)
	case hasBody && !isJSON(c.request.Header) && !isOtherBody(c.operation, c.request.Header):
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

// isOtherBody reports whether a header is that of a body of another media type than JSON that the operation has. Its
// content is not checked.
func isOtherBody(o *fleetioserver.Operation, header http.Header) bool {
	name, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	return err == nil && slices.ContainsFunc(o.OtherBodies, func(mediaType string) bool {
		matches, _ := path.Match(mediaType, name)
		return matches
	})
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
