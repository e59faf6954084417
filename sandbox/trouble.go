package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// Trouble is something that goes wrong with a call, on purpose: see [Sandbox.Next] and [WithTrouble]. The zero Trouble is
// none. Where it says that the fault is created, it is if the request is right; otherwise the trouble befalls the refusal. A
// call that fails on purpose does not count for the rate limit.
type Trouble struct {
	name   string
	err    error // why it cannot be made
	status int   // of the error that is answered instead; 0 where the call is answered as usual
	wait   int64 // Retry-After, in seconds; of a 503, none where it is negative
	delay  time.Duration
	drop   dropping
	cut    bool // the second half of the body is not sent
	accept bool // whatever was sent
	edit   func(*answer)
}

type dropping uint8

const (
	dropNever dropping = iota
	dropBefore
	dropAfter
)

// Fail answers with an error instead of creating the fault: a documented one as it is documented (401, 403, 422, 429, 500),
// another from 400 to 599 as a problem object, such as the 503 of an outage.
func Fail(status int) Trouble {
	t := Trouble{name: strconv.Itoa(status), status: status, wait: 1}
	if status == http.StatusServiceUnavailable {
		t.wait = -1 // see Unavailable
	}
	if status < 400 || status > 599 {
		t.err = fmt.Errorf("sandbox: %d is no error status, from 400 to 599", status)
	}
	return t
}

// RateLimited answers with a 429 that asks to wait, in whole seconds, rounded up.
func RateLimited(retryAfter time.Duration) Trouble {
	return askingToWait(http.StatusTooManyRequests, retryAfter)
}

// Unavailable answers with a 503 that asks to wait, in whole seconds, rounded up: an outage that is known to end. Nothing is
// stored; a client cannot know that, as a gateway sends the same for a request that it has forwarded.
func Unavailable(retryAfter time.Duration) Trouble {
	return askingToWait(http.StatusServiceUnavailable, retryAfter)
}

func askingToWait(status int, d time.Duration) Trouble {
	t := Trouble{name: strconv.Itoa(status) + "=" + d.String(), status: status, wait: int64(d / time.Second)}
	if d%time.Second != 0 {
		t.wait++
	}
	if d < 0 {
		t.err = fmt.Errorf("sandbox: a wait of %v is negative", d)
	}
	return t
}

// Delay answers late: the fault is created at once.
func Delay(d time.Duration) Trouble {
	t := Trouble{name: "delay=" + d.String(), delay: d}
	if d < 0 {
		t.err = fmt.Errorf("sandbox: a delay of %v is negative", d)
	}
	return t
}

// Truncate breaks the connection off in the middle of the answer's body. The fault is created. Behind middleware that cannot
// flush, nothing of the answer may arrive.
func Truncate() Trouble { return Trouble{name: "truncate", cut: true} }

// Malform answers with half of the body, and as if that were all: it arrives, and is no JSON. The fault is created.
func Malform() Trouble {
	return Trouble{name: "malform", edit: func(a *answer) { a.body = a.body[:len(a.body)/2] }}
}

// MediaType answers with another Content-Type, and the right body. The fault is created.
func MediaType(name string) Trouble {
	t := Trouble{name: "media-type=" + name, edit: func(a *answer) { a.header["Content-Type"] = []string{name} }}
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) {
		t.err = errors.New("sandbox: a media type is empty, or has a character that no header has")
	}
	return t
}

// DropBefore breaks the connection off without an answer. The fault is not created.
func DropBefore() Trouble { return Trouble{name: "drop-before", drop: dropBefore} }

// DropAfter breaks the connection off without an answer. The fault is created, and the caller cannot know.
func DropAfter() Trouble { return Trouble{name: "drop-after", drop: dropAfter} }

// Deviate answers with one deviation from the contract, as the vendor may after a change: one of those that the conformance
// engine is proven to find. [Deviations] lists the names. A name that begins with the status of a documented error (401, 403,
// 422, 429, 500) makes the call fail with that, one of 201/request or 201/security makes the sandbox accept whatever is sent.
// Others change the answer to a fault that was created, also to another status ("404/status/undocumented"), and do nothing
// where the request is refused, or does not have the member that would be echoed.
func Deviate(name string) Trouble {
	t := Trouble{name: "deviate=" + name}
	d, err := findDeviation(name)
	if err != nil {
		t.err = err
		return t
	}
	t.accept = d.accept
	if d.status != http.StatusCreated {
		t.status, t.wait = d.status, 1
	}
	t.edit = func(a *answer) {
		if a.status == d.status {
			d.edit(a)
		}
	}
	return t
}

// String returns the trouble as [ParseTrouble] takes it, or "".
func (t Trouble) String() string { return t.name }

// check returns why the trouble cannot be made.
func (t Trouble) check() error {
	if t.name == "" {
		return errors.New("sandbox: the trouble is none that this package makes")
	}
	return t.err
}

// instead answers in the place of the operation, if it is that kind of trouble.
func (t Trouble) instead(s *Sandbox, a *answer) bool {
	switch {
	case t.status == 0 && t.drop != dropBefore:
		return false
	case t.drop == dropBefore:
		a.failed("") // nobody gets it
	case t.status == http.StatusUnauthorized:
		s.unauthorized(a, "The API key is not valid.")
	case t.status == http.StatusForbidden:
		s.forbidden(a, "The API key may not create faults.")
	case t.status == http.StatusUnprocessableEntity:
		a.refuse(invalid(map[string][]string{fleetioapi.FaultCreateFields[0].Name: {"is invalid"}}))
	case t.status == http.StatusTooManyRequests:
		a.limited(t.wait)
	case t.status == http.StatusInternalServerError:
		a.failed("")
	default:
		a.undocumented(t.status, "The sandbox was asked to fail.")
		if t.status == http.StatusServiceUnavailable && t.wait >= 0 {
			a.header["Retry-After"] = []string{strconv.FormatInt(t.wait, 10)}
		}
	}
	return true
}

// change makes of a right answer what goes out.
func (t Trouble) change(a *answer) {
	if t.edit != nil {
		t.edit(a)
	}
}

// drops tells whether the caller gets no answer.
func (t Trouble) drops() bool { return t.drop != dropNever }

// send sends the answer, as far as it shall arrive.
func (t Trouble) send(w http.ResponseWriter, c *call) {
	if t.delay > 0 {
		// A server's own timeout is for answers that are not late on purpose. A writer without deadlines has none.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(t.delay + time.Minute))
		timer := time.NewTimer(t.delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-c.request.Context().Done():
		}
	}
	if t.drops() {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(c.status)
	if len(c.body) > 0 {
		_, _ = w.Write(c.body) // the caller has gone
	}
	if t.cut {
		_ = http.NewResponseController(w).Flush() // so that the half arrives
		panic(http.ErrAbortHandler)
	}
}
