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

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// Failure is something that goes wrong with a request, on purpose: see [Sandbox.InjectNext] and [WithFailure]. Where
// the fault is said to be created, it is if the request is right; otherwise the failure meets the refusal. A request
// that fails by [Fail] and its kin, or by [DropBefore], does not count for the rate limit. The zero Failure cannot be
// injected.
type Failure struct {
	parts []string // in the syntax of the flag --failure
	err   error    // what is wrong with them
	plan  plan
}

// plan is what a failure does with a request.
type plan struct {
	status int // of the error that takes the place of the operation; 0 for none
	delay  time.Duration
	drop   bool // there is no response
	cut    bool // the second half of the body is not sent
	accept bool // a fault is created whatever was sent
	edits  []func(*response)
}

// Fail responds with an error instead of creating the fault: with a documented one as it is documented (401, 403, 422,
// 429, 500), with another from 400 to 599 as a problem object, such as the 503 of an outage.
func Fail(status int) Failure { return newFailure(strconv.Itoa(status)) }

// RateLimited responds with a 429 that asks to wait, in whole seconds, rounded up.
func RateLimited(retryAfter time.Duration) Failure { return newFailure("429=" + retryAfter.String()) }

// Unavailable responds with a 503 that asks to wait, in whole seconds, rounded up: an outage that is known to end.
// Nothing is stored; a client cannot know that, as a gateway sends the same for a request that it has forwarded.
func Unavailable(retryAfter time.Duration) Failure { return newFailure("503=" + retryAfter.String()) }

// Delay responds late. The fault is created at once.
func Delay(d time.Duration) Failure { return newFailure("delay=" + d.String()) }

// Truncate breaks the connection in the middle of the response's body. The fault is created. Behind middleware that
// cannot flush, nothing of the response may arrive.
func Truncate() Failure { return newFailure("truncate") }

// Malform responds with half of the body, and as if that were all: it arrives, and is no JSON. The fault is created.
func Malform() Failure { return newFailure("malform") }

// DropBefore breaks the connection without a response. The fault is not created.
func DropBefore() Failure { return newFailure("drop-before") }

// DropAfter breaks the connection without a response. The fault is created, and the client cannot know.
func DropAfter() Failure { return newFailure("drop-after") }

// And combines failures, for the same request: Fail(429).And(Edit("header=Retry-After")). Where two contradict each
// other, the last one counts.
func (f Failure) And(others ...Failure) Failure {
	err := f.check()
	parts := slices.Clone(f.parts)
	for _, o := range others {
		parts, err = append(parts, o.parts...), errors.Join(err, o.check())
	}
	both := newFailure(parts...)
	both.err = err
	return both
}

// joint stands between the parts of a failure.
const joint = " && "

// String returns the failure in the syntax of the flag --failure.
func (f Failure) String() string { return strings.Join(f.parts, joint) }

// check returns why the failure cannot be injected.
func (f Failure) check() error {
	if len(f.parts) == 0 {
		return errors.New("sandbox: there is no failure; a function of this package makes one, such as Fail")
	}
	return f.err
}

// respond takes the place of the operation, if the plan says so.
func (p *plan) respond(s *Sandbox, r *response) bool {
	switch p.status {
	case 0:
		return false
	case http.StatusUnauthorized:
		r.unauthorized(s, "The API key is not valid.")
	case http.StatusForbidden:
		r.forbidden(s, "The API key may not create faults.")
	case http.StatusUnprocessableEntity:
		r.invalid(map[string][]string{fleetioapi.FaultCreateFields[0].Name: {"is invalid"}})
	case http.StatusTooManyRequests:
		r.rateLimited(1)
	default:
		r.problem(p.status, "The sandbox was asked to fail.")
	}
	return true
}

// send sends the response, as far as it shall arrive.
func (p *plan) send(w http.ResponseWriter, c *call) {
	control := http.NewResponseController(w)
	if p.delay > 0 {
		// A server's own timeout is for responses that are not late on purpose. A writer without deadlines has none.
		_ = control.SetWriteDeadline(time.Now().Add(p.delay + time.Minute))
		timer := time.NewTimer(p.delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-c.request.Context().Done():
		}
	}
	if p.drop {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(c.status)
	if len(c.body) > 0 {
		_, _ = w.Write(c.body) // the client has gone
	}
	if p.cut {
		_ = control.Flush() // so that the half arrives
		panic(http.ErrAbortHandler)
	}
}

// failures say which request meets which failure.
type failures struct {
	mu         sync.Mutex
	queue      []Failure
	persistent []persistent
}

// persistent is a failure of a share of the requests.
type persistent struct {
	share          float64
	failure        Failure
	requests, made int
}

// InjectNext injects failures into the next requests of the operation, one each, after those that were injected before.
// The error is that of a failure that cannot be injected, such as an edit with a mistake; then none is.
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

// next returns the failure of the request that begins; the zero Failure for none.
func (s *failures) next() Failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) > 0 {
		f := s.queue[0]
		s.queue = s.queue[1:]
		return f
	}
	for i := range s.persistent {
		s.persistent[i].requests++
	}
	for i := range s.persistent {
		p := &s.persistent[i]
		// A share such as 0.1 is a little less in binary, and must not be late for it.
		if due := int(math.Floor(float64(p.requests)*p.share + 1e-9)); p.made < due {
			p.made++
			return p.failure
		}
	}
	return Failure{}
}

// maxNext bounds how many failures one flag puts into the queue.
const maxNext = 10_000

// hasWhen finds what stands behind the failure itself.
var hasWhen = regexp.MustCompile(`@(next\d*|[^@%]*%)$`)

// ParseFailure reads what the flag --failure takes: WHAT for every request, WHAT@10% for a share of them as
// [WithFailure] counts it, WHAT@next for the next request, WHAT@next3 for the next three. WHAT is a status from 400 to
// 599, 429=30s, 503=5s, delay=250ms, truncate, malform, drop-before, drop-after or an edit (see [Edit]), or several of
// them with " && " between, which apply to the same request. body= takes all that follows.
func ParseFailure(text string) (Option, error) {
	what, when := text, "100%"
	if match := hasWhen.FindStringIndex(text); match != nil {
		what, when = text[:match[0]], text[match[0]+1:]
	}
	f := newFailure(split(what)...)
	if f.err != nil {
		return nil, f.err
	}
	if count, next := strings.CutPrefix(when, "next"); next {
		n, err := strconv.Atoi(cmp.Or(count, "1"))
		if err != nil || n < 1 || n > maxNext {
			return nil, fmt.Errorf("sandbox: failure %q: @next takes a number from 1 to %d", text, maxNext)
		}
		return func(s *settings) error {
			s.failures.queue = append(s.failures.queue, slices.Repeat([]Failure{f}, n)...)
			return nil
		}, nil
	}
	percent, err := strconv.ParseFloat(strings.TrimSuffix(when, "%"), 64)
	if err != nil || !(percent > 0 && percent <= 100) {
		return nil, fmt.Errorf("sandbox: failure %q: a share is above 0%% and at most 100%%", text)
	}
	return WithFailure(percent/100, f), nil
}

// split returns the parts of a failure: body= takes all that follows.
func split(text string) (parts []string) {
	for {
		part, rest, more := strings.Cut(text, joint)
		if !more || strings.HasPrefix(text, "body=") {
			return append(parts, text)
		}
		parts, text = append(parts, part), rest
	}
}
