package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
)

// Failure is a failure to inject: see [Sandbox.InjectNext] and [WithFailure]. It applies to the requests of every
// operation, unless [OnOperation] limits it. "The fault is created" below holds for a valid request that creates one;
// otherwise the failure is applied to the response. Requests that fail by [Fail], [RateLimited], [Unavailable] or
// [DropBefore] do not count for the rate limit. The zero Failure cannot be injected.
type Failure struct {
	operation string   // its operationId; "" for every one
	parts     []string // in the syntax of the flag --failure
	err       error    // of parsing them
	plan      plan
}

// plan is a parsed failure.
type plan struct {
	status int // of the error response that replaces the operation; 0 for none
	delay  time.Duration
	late   time.Duration // until the operation is performed; 0 for at once
	drop   bool          // send no response
	cut    bool          // send half of the body
	accept bool          // create a fault whatever the request is
	edits  []func(*response)
}

// Fail responds with an error status, 400 to 599, instead of creating the fault. The documented ones (401, 403, 422,
// 429, 500) have the documented body, others, such as the 503 of an outage, a problem object.
func Fail(status int) Failure { return newFailure(strconv.Itoa(status)) }

// RateLimited responds with a 429 with Retry-After, in whole seconds, rounded up.
func RateLimited(retryAfter time.Duration) Failure { return newFailure("429=" + retryAfter.String()) }

// Unavailable responds with a 503 with Retry-After, in whole seconds, rounded up. The fault is not created; a client
// cannot know that, because a gateway sends the same for a request that it has forwarded.
func Unavailable(retryAfter time.Duration) Failure { return newFailure("503=" + retryAfter.String()) }

// Delay delays the response. The fault is created at once.
func Delay(d time.Duration) Failure { return newFailure("delay=" + d.String()) }

// Truncate closes the connection after half of the response's body. The fault is created. Behind middleware that cannot
// flush, no part of the response may arrive.
func Truncate() Failure { return newFailure("truncate") }

// Malform responds with half of the body as if it were complete, which is invalid JSON. The fault is created.
func Malform() Failure { return newFailure("malform") }

// DropBefore closes the connection without a response. The fault is not created.
func DropBefore() Failure { return newFailure("drop-before") }

// DropAfter closes the connection without a response. The fault is created, and the client cannot know.
func DropAfter() Failure { return newFailure("drop-after") }

// StoreLate closes the connection without a response, and the operation is performed only after d, more than 0, as if
// the request were on its way through a slow proxy; it is dropped if the sandbox is closed before. With an error status,
// as in StoreLate(d).And(Fail(504)), that is the response.
func StoreLate(d time.Duration) Failure { return newFailure("store-late=" + d.String()) }

// OnOperation limits a failure to the requests of an operation, which is named by its operationId in the contract, such
// as createFault, so that a test can lose creates and not the look-ups after them.
func OnOperation(operationID string, f Failure) Failure {
	f.operation = operationID
	if !slices.ContainsFunc(fleetioserver.Operations, func(o fleetioserver.Operation) bool { return o.ID == operationID }) {
		var known []string
		for _, o := range fleetioserver.Operations {
			known = append(known, o.ID)
		}
		f.err = errors.Join(f.err, fmt.Errorf("sandbox: failure %q: the contract has no such operation; it has %s",
			f, strings.Join(known, ", ")))
	}
	return f
}

// And combines failures for one request: Fail(429).And(Edit("header=Retry-After")). If two contradict each other, the
// last one counts. They must not be limited to different operations.
func (f Failure) And(others ...Failure) Failure {
	err := f.check()
	parts, operation := slices.Clone(f.parts), f.operation
	for _, o := range others {
		parts, err = append(parts, o.parts...), errors.Join(err, o.check())
		if o.operation != "" && operation != "" && o.operation != operation {
			err = errors.Join(err, fmt.Errorf("sandbox: failure %q: it is not for %s", o, operation))
		}
		operation = cmp.Or(operation, o.operation)
	}
	both := newFailure(parts...)
	both.operation, both.err = operation, err
	return both
}

// separator separates the parts of a failure.
const separator = " && "

// String returns the failure in the syntax of the flag --failure.
func (f Failure) String() string {
	text := strings.Join(f.parts, separator)
	if f.operation != "" {
		text = f.operation + ": " + text
	}
	return text
}

// check returns why the failure cannot be injected.
func (f Failure) check() error {
	if len(f.parts) == 0 {
		return errors.New("sandbox: there is no failure; a function of this package makes one, such as Fail")
	}
	return f.err
}

// respond replaces the operation if the plan has a status, and reports whether it did.
func (p *plan) respond(s *Sandbox, c *exchange) bool {
	switch p.status {
	case 0:
		return false
	case http.StatusUnauthorized:
		c.unauthorized(s, "The API key is not valid.")
	case http.StatusForbidden:
		c.forbidden(s)
	case http.StatusUnprocessableEntity:
		c.invalid(map[string][]string{"base": {"is invalid"}})
	case http.StatusTooManyRequests:
		c.rateLimited(1)
	default:
		c.problem(p.status, "The sandbox has injected this failure.")
	}
	return true
}

// send sends the response, or the part of it that the plan allows.
func (p *plan) send(w http.ResponseWriter, c *exchange, clock *clock) {
	control := http.NewResponseController(w)
	if p.delay > 0 {
		// Otherwise the server's timeout would apply. A writer without deadlines has no timeout either.
		_ = control.SetWriteDeadline(time.Now().Add(p.delay + time.Minute))
		clock.wait(p.delay, c.request.Context().Done())
	}
	if _, edited := c.header["Date"]; !edited {
		w.Header().Set("Date", clock.now().UTC().Format(http.TimeFormat)) // else net/http takes the time of the machine
	}
	if p.drop {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(c.status)
	if len(c.body) > 0 {
		_, _ = w.Write(c.body) // fails if the client has disconnected
	}
	if p.cut {
		_ = control.Flush() // send the half before the connection closes
		panic(http.ErrAbortHandler)
	}
}

// failures selects the failure of each request.
type failures struct {
	mu         sync.Mutex
	queue      []Failure
	persistent []persistent
}

// persistent is a failure of a share of the requests.
type persistent struct {
	share              float64
	failure            Failure
	requests, injected int
}

// InjectNext injects failures into the next requests that they apply to, one each, after those injected before. It fails
// if one of them is invalid, such as an edit with a mistake, and then injects none.
func (s *Sandbox) InjectNext(f ...Failure) error {
	for _, f := range f {
		if err := f.check(); err != nil {
			return err
		}
	}
	s.failures.mu.Lock()
	defer s.failures.mu.Unlock()
	s.failures.queue = append(s.failures.queue, f...)
	return nil
}

// maxFailures limits the failures that [Sandbox.Inject] adds to.
const maxFailures = 100_000

// Inject injects failures in the syntax of the flag --failure (see [ParseFailure]), after those injected before. It fails
// if one of them is invalid, or if there would be more than 100,000, and then injects none.
func (s *Sandbox) Inject(texts ...string) error {
	list := make([]scheduled, len(texts))
	n := 0
	for i, text := range texts {
		var err error
		if list[i], err = parseFailure(text); err != nil {
			return err
		}
		n += max(list[i].next, 1)
	}
	f := &s.failures
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.queue)+len(f.persistent)+n > maxFailures {
		return fmt.Errorf("sandbox: there would be more than %d failures; ClearFailures removes them", maxFailures)
	}
	for _, one := range list {
		f.add(one)
	}
	return nil
}

// Failures returns the failures that are still to be injected, in the syntax of the flag --failure: first those of the
// next requests, then those of a share.
func (s *Sandbox) Failures() []string {
	f := &s.failures
	f.mu.Lock()
	defer f.mu.Unlock()
	list := []string{}
	for i := 0; i < len(f.queue); {
		text, n := f.queue[i].String(), 1
		for n < maxNext && i+n < len(f.queue) && f.queue[i+n].String() == text {
			n++
		}
		i += n
		list = append(list, text+"@next"+strconv.Itoa(n))
	}
	for _, p := range f.persistent {
		// 15 digits are those that a decimal number of a flag keeps.
		list = append(list, p.failure.String()+"@"+strconv.FormatFloat(p.share*100, 'g', 15, 64)+"%")
	}
	return list
}

// ClearFailures removes all failures, also those of the options.
func (s *Sandbox) ClearFailures() {
	s.failures.mu.Lock()
	defer s.failures.mu.Unlock()
	s.failures.queue, s.failures.persistent = nil, nil
}

// next returns the failure of the next request of an operation; the zero Failure for none.
func (s *failures) next(operationID string) Failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	applies := func(f Failure) bool { return f.operation == "" || f.operation == operationID }
	if i := slices.IndexFunc(s.queue, applies); i >= 0 {
		f := s.queue[i]
		copy(s.queue[1:], s.queue[:i])
		s.queue = s.queue[1:]
		return f
	}
	for i := range s.persistent {
		if applies(s.persistent[i].failure) {
			s.persistent[i].requests++
		}
	}
	for i := range s.persistent {
		p := &s.persistent[i]
		// The small number makes up for a share such as 0.1 that is slightly less in binary.
		if due := int(math.Floor(float64(p.requests)*p.share + 1e-9)); applies(p.failure) && p.injected < due {
			p.injected++
			return p.failure
		}
	}
	return Failure{}
}

// maxNext limits the failures that one flag adds to the queue.
const maxNext = 10_000

var (
	// occasion matches the suffix that says when a failure is injected.
	occasion = regexp.MustCompile(`@(next\d*|[^@%]*%)$`)
	// limitation matches the prefix that says for which operation.
	limitation = regexp.MustCompile(`^([\w.-]+): `)
)

// ParseFailure parses the argument of the flag --failure: WHAT for every request, WHAT@10% for a share of them as
// [WithFailure] counts it, WHAT@next for the next request, WHAT@next3 for the next three. WHAT is a status from 400 to
// 599, 429=30s, 503=5s, delay=250ms, truncate, malform, drop-before, drop-after, store-late=2s or an edit (see [Edit]),
// or several of them separated by " && ", for one request. body= extends to the end of WHAT. "createFault: WHAT" limits
// it to the requests of an operation, see [OnOperation].
func ParseFailure(s string) (Option, error) {
	f, err := parseFailure(s)
	if err != nil {
		return nil, err
	}
	return func(o *settings) error {
		o.failures.add(f)
		return nil
	}, nil
}

// scheduled is a failure and when it is injected.
type scheduled struct {
	failure Failure
	next    int     // into so many next requests; 0 for a share
	share   float64 // of all requests
}

// add adds a failure. The caller has locked it, or is its only user.
func (s *failures) add(f scheduled) {
	if f.next > 0 {
		s.queue = append(s.queue, slices.Repeat([]Failure{f.failure}, f.next)...)
	} else {
		s.persistent = append(s.persistent, persistent{share: f.share, failure: f.failure})
	}
}

func parseFailure(s string) (scheduled, error) {
	var none scheduled
	what, when := s, "100%"
	if match := occasion.FindStringIndex(s); match != nil {
		what, when = s[:match[0]], s[match[0]+1:]
	}
	operation := limitation.FindStringSubmatch(what)
	if operation != nil {
		what = what[len(operation[0]):]
	}
	f := newFailure(split(what)...)
	if operation != nil {
		f = OnOperation(operation[1], f)
	}
	if f.err != nil {
		return none, f.err
	}
	if count, next := strings.CutPrefix(when, "next"); next {
		n, err := strconv.Atoi(cmp.Or(count, "1"))
		if err != nil || n < 1 || n > maxNext {
			return none, fmt.Errorf("sandbox: failure %q: @next takes a number from 1 to %d", s, maxNext)
		}
		return scheduled{failure: f, next: n}, nil
	}
	percent, err := strconv.ParseFloat(strings.TrimSuffix(when, "%"), 64)
	if err != nil || !(percent > 0 && percent <= 100) {
		return none, fmt.Errorf("sandbox: failure %q: a share is above 0%% and at most 100%%", s)
	}
	return scheduled{failure: f, share: percent / 100}, nil
}

// split returns the parts of a failure. body= extends to the end.
func split(s string) (parts []string) {
	for {
		part, rest, more := strings.Cut(s, separator)
		if !more || strings.HasPrefix(s, "body=") {
			return append(parts, s)
		}
		parts, s = append(parts, part), rest
	}
}
