package fleetio

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// What an error of this package is, for [errors.Is].
var (
	// ErrUnauthorized is an [*Error] with status 401: a credential is missing or wrong.
	ErrUnauthorized = errors.New("fleetio: unauthorized")
	// ErrForbidden is an [*Error] with status 403: the credentials may not create faults.
	ErrForbidden = errors.New("fleetio: forbidden")
	// ErrInvalid is an [*InvalidError], and an [*Error] with status 422: the fault was refused.
	ErrInvalid = errors.New("fleetio: invalid")
)

const prefix = "fleetio: create fault: "

// Error is every outcome of a call that is not a fault in a 201: any other status, an answer that cannot be read, no
// answer at all. Wherever a server repeats the credentials, they are taken out, but for the Fault.
type Error struct {
	// StatusCode is the status of the answer; 0 where none came.
	StatusCode int
	// Problem is what the answer says of the problem; nil where it has no readable problem object.
	Problem *Problem
	// Fields are the messages of a 422 by field name; nil for others.
	Fields map[string][]string
	// RequestID is the X-Request-Id of the answer, for the vendor's support; "" where it has none.
	RequestID string
	// Header is the header of the answer; nil where none came.
	Header http.Header
	// Body is the body as far as it was read, at most as much as [WithMaxResponseBytes] says.
	Body []byte
	// Fault is what could be read of the fault that was created; nil where that is nothing, and where the response is
	// about another fault. What could not be read has its zero value: an ID of 0 says that the id is not known.
	Fault *Fault
	// Created says that the fault was created: the status is 201. The body cannot be read, or is about a fault of another
	// vehicle or code than was sent. Do not create it again.
	Created bool
	// Err is the cause, such as that of a lost connection; nil where the status says it all.
	Err error

	unsent  bool // no byte of the request was written
	refused bool // a 503 that says, by WithRetry503, that nothing was done
}

// Ambiguous reports that it is unknown whether the fault was created: a request was sent at least in part, and no
// response came, or one that does not tell. The API has no idempotency key: creating the fault again may make two.
//
// A 201 tells, and each 4xx that a standard defines, as it says that the request was refused (RFC 9110, section 15.5).
// These do not, as a gateway may send them after it has forwarded the request and lost the server:
//
//   - Each 5xx (RFC 9110, section 15.6), such as a 502, a 504, or the 520 to 527 of a content delivery network. A 503 with a
//     Retry-After is no exception: a cache sends it for a server that stored the fault and closed the connection. Only
//     [WithRetry503] makes it one.
//   - A 408, which some gateways send when the server, not the client, was too slow.
//   - A 4xx of no standard. A 460 and a 499 say that a client, which may be another gateway, did not wait for the response.
//   - Each 3xx, a 307 and a 308 too: a gateway may be configured to redirect to another server when it has lost one.
func (e *Error) Ambiguous() bool {
	switch {
	case e.unsent || e.refused || e.Created || e.StatusCode == http.StatusCreated:
		return false
	case e.StatusCode == http.StatusRequestTimeout:
		return true
	default:
		return e.StatusCode/100 != 4 || http.StatusText(e.StatusCode) == ""
	}
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is makes [errors.Is] find [ErrUnauthorized], [ErrForbidden] and [ErrInvalid].
func (e *Error) Is(target error) bool {
	return target == ErrUnauthorized && e.StatusCode == http.StatusUnauthorized ||
		target == ErrForbidden && e.StatusCode == http.StatusForbidden ||
		target == ErrInvalid && e.StatusCode == http.StatusUnprocessableEntity
}

// Error says what happened and what that means for the fault. Of what the server says, it has the problem and the
// messages of the fields, shortened.
func (e *Error) Error() string {
	parts := make([]string, 0, 6)
	if e.Created {
		created := "the fault was created"
		if e.Fault != nil && e.Fault.ID != 0 {
			created += " (id " + strconv.FormatInt(e.Fault.ID, 10) + ")"
		}
		parts = append(parts, created)
	} else if e.StatusCode != 0 {
		parts = append(parts, strings.TrimSpace(strconv.Itoa(e.StatusCode)+" "+http.StatusText(e.StatusCode)))
	}
	if said := e.said(); said != "" {
		parts = append(parts, said)
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	switch {
	case e.unsent:
		parts = append(parts, "nothing was sent")
	case e.Ambiguous():
		parts = append(parts, "unknown whether created")
	}
	text := prefix + strings.Join(parts, ": ")
	if e.RequestID != "" {
		text += " (request " + short(e.RequestID) + ")"
	}
	return text
}

// said is what the server says for people.
func (e *Error) said() string {
	if p := e.Problem; p != nil {
		if p.Detail != nil && *p.Detail != "" {
			return short(*p.Detail)
		}
		if p.Title != http.StatusText(e.StatusCode) {
			return short(p.Title)
		}
	}
	fields := make([]string, 0, len(e.Fields))
	for name, messages := range e.Fields {
		fields = append(fields, short(strings.TrimSpace(name+" "+strings.Join(messages, ", "))))
	}
	slices.Sort(fields)
	if more := len(fields) - 10; more > 0 {
		fields = append(fields[:10], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(fields, "; ")
}

// short makes one line of a text of the server, of 200 characters at most.
func short(text string) string {
	runes := []rune(strings.ToValidUTF8(text[:min(len(text), 800)], ""))
	cut := len(runes) > 200 || len(text) > 800
	runes = runes[:min(len(runes), 200)]
	for i, r := range runes {
		if !unicode.IsPrint(r) {
			runes[i] = ' '
		}
	}
	if cut {
		return string(runes) + "..."
	}
	return string(runes)
}

// RateLimitError says that the rate limit is used up, and that waiting for it would take longer than the [RetryPolicy]
// allows. The fault was not created. [errors.As] finds the [*Error] in it too.
type RateLimitError struct {
	// RetryAfter is how long to wait, counted from the answer; 0 where the answer does not tell, or says that one need not.
	RetryAfter time.Duration
	// Err is the answer. It has no status where nothing was sent, as an earlier call of [Client.CreateFaults] had
	// learned that the limit is used up.
	Err *Error
}

// Error names the Bulk API, as who reaches the limit has many faults.
func (e *RateLimitError) Error() string {
	wait := "the answer does not say until when"
	if e.RetryAfter > 0 {
		wait = "try again in " + e.RetryAfter.Round(time.Millisecond).String()
	} else if e.Err != nil {
		if _, told := retryAfter(e.Err.Header, time.Now()); told {
			wait = "try again at once"
		}
	}
	text := prefix + "the rate limit is used up: " + wait + "; for many faults, use the Bulk API (POST /api/v1/bulk_api_jobs)"
	if e.Err != nil && e.Err.Err != nil {
		text += ": " + e.Err.Err.Error()
	}
	return text
}

// Unwrap returns the answer.
func (e *RateLimitError) Unwrap() error {
	if e.Err == nil {
		return nil
	}
	return e.Err
}

// Violation is one limit of the contract that a fault breaks.
type Violation = fleetioapi.Violation

// InvalidError says that a fault breaks the contract, and that nothing was sent. [errors.Is] finds [ErrInvalid].
type InvalidError struct {
	// Violations has an entry for each limit that is broken, ordered by field.
	Violations []Violation
}

// Error names every field, and repeats no value.
func (e *InvalidError) Error() string {
	words := make([]string, 0, len(e.Violations))
	for _, v := range e.Violations {
		words = append(words, v.String())
	}
	return prefix + "nothing was sent: " + strings.Join(words, "; ")
}

// Is makes [errors.Is] find [ErrInvalid].
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// Check returns what [Client.CreateFault] has against a fault before it sends it, an [*InvalidError], or nil. The limits
// are those of the contract; a required field with the zero value counts as missing.
func Check(f FaultCreate) error {
	if found := fleetioapi.CheckFaultCreate(&f); found != nil {
		return &InvalidError{Violations: found}
	}
	return nil
}
