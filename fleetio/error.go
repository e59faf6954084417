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

// Classes of errors, for [errors.Is].
var (
	// ErrUnauthorized is an [*Error] with status 401: a credential is missing or wrong.
	ErrUnauthorized = errors.New("fleetio: unauthorized")
	// ErrForbidden is an [*Error] with status 403: the API key lacks the permission.
	ErrForbidden = errors.New("fleetio: forbidden")
	// ErrNotFound is an [*Error] with status 404: the account has no such fault. A create that was looked up in vain is a
	// [*NotFoundError] instead.
	ErrNotFound = errors.New("fleetio: not found")
	// ErrInvalid is an [*InvalidError], or an [*Error] with status 422: the fault was rejected.
	ErrInvalid = errors.New("fleetio: invalid")
)

// Error is the outcome of a request without the result that the operation documents: another status, an unreadable
// response, or no response. It contains no credentials, also where the server repeats them, except in Fault.
type Error struct {
	// StatusCode is the status of the response; 0 without a response.
	StatusCode int
	// Problem is the problem object of the response; nil if it has none, or an unreadable one.
	Problem *Problem
	// Fields are the messages of a 422 by field name; nil for other responses.
	Fields map[string][]string
	// RequestID is the X-Request-Id of the response, for the vendor's support; "" if it has none.
	RequestID string
	// Header is the header of the response; nil without a response.
	Header http.Header
	// Body is the body of the response as far as it was read, see [WithMaxResponseBytes].
	Body []byte
	// Fault has the properties of the created fault that could be decoded, the others with their zero value: an ID of 0 is
	// unknown, and Extra is nil. It is nil if none could, and if the response is about another fault.
	Fault *Fault
	// Created reports that the fault was created (status 201), although the body is unreadable or about a fault with
	// another vehicle or code. Do not create the fault again.
	Created bool
	// ExternalID is the external_id that a create sent, by which its fault can be looked up; "" if it sent none.
	ExternalID string
	// Err is the cause, such as a lost connection; nil if the status is the only one.
	Err error

	operation string // such as "create fault"
	isRead    bool
	unsent    bool // no byte of the body was read
	refused   bool // a 503 that proves, by WithRetry503, that no fault was created
}

// Ambiguous reports that it is unknown whether the fault was created: at least a part of the request was sent, and
// either no response came, or one that proves neither. The API has no idempotency key, so sending the fault again may
// create a second one. Ambiguous is false for requests that only read.
//
// A 201 proves that it was created. A 4xx that a standard defines proves that it was not (RFC 9110, section 15.5).
// Other responses may come from a gateway that has forwarded the request and lost the server:
//
//   - Any 5xx (RFC 9110, section 15.6), such as a 502, a 504, or the 520 to 527 of a content delivery network, also a 503
//     with Retry-After: a cache sends one for a server that stored the fault and closed the connection. [WithRetry503]
//     excludes it.
//   - A 408, which some gateways send when the server, not the client, is too slow.
//   - A 4xx that no standard defines: a 460 or 499 says that a client, possibly another gateway, disconnected.
//   - Any 3xx, also a 307 or 308: a gateway may redirect to another server after it has lost the first.
func (e *Error) Ambiguous() bool {
	known := e.isRead || e.unsent || e.refused || e.Created || e.StatusCode == http.StatusCreated
	return !known && e.mayBeOfGateway()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is makes [errors.Is] find [ErrUnauthorized], [ErrForbidden], [ErrNotFound] and [ErrInvalid].
func (e *Error) Is(target error) bool {
	return target == ErrUnauthorized && e.StatusCode == http.StatusUnauthorized ||
		target == ErrForbidden && e.StatusCode == http.StatusForbidden ||
		target == ErrNotFound && e.StatusCode == http.StatusNotFound ||
		target == ErrInvalid && e.StatusCode == http.StatusUnprocessableEntity
}

// prefix starts the message of an error of an operation.
func prefix(operation string) string {
	if operation == "" {
		return "fleetio: "
	}
	return "fleetio: " + operation + ": "
}

// Error returns what happened and what became of the fault, with the server's problem or field messages, shortened.
func (e *Error) Error() string {
	unknown := "unknown whether created"
	if e.ExternalID != "" {
		unknown += ", external_id " + short(e.ExternalID)
	}
	return e.message(unknown)
}

// mayBeOfGateway reports whether there is no response, or one that a gateway may send that has lost the server.
func (e *Error) mayBeOfGateway() bool {
	return e.StatusCode/100 != 4 || e.StatusCode == http.StatusRequestTimeout || http.StatusText(e.StatusCode) == ""
}

// message returns the message of an error. It ends with what is unknown if the outcome is.
func (e *Error) message(unknown string) string {
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
	if detail := e.detail(); detail != "" {
		parts = append(parts, detail)
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	switch {
	case e.unsent:
		parts = append(parts, "nothing was sent")
	case e.Ambiguous():
		parts = append(parts, unknown)
	}
	message := prefix(e.operation) + strings.Join(parts, ": ")
	if e.RequestID != "" {
		message += " (request " + short(e.RequestID) + ")"
	}
	return message
}

// detail returns the server's message.
func (e *Error) detail() string {
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

// short returns the first 200 characters of a string of the server as one line.
func short(s string) string {
	runes := []rune(strings.ToValidUTF8(s[:min(len(s), 800)], ""))
	more := ""
	if len(runes) > 200 || len(s) > 800 {
		runes, more = runes[:min(len(runes), 200)], "..."
	}
	for i, r := range runes {
		if !unicode.IsPrint(r) {
			runes[i] = ' '
		}
	}
	return string(runes) + more
}

// RateLimitError reports that the rate limit is exhausted, and that the [RetryPolicy] allows no wait that long. No fault
// was created. [errors.As] finds the [*Error] in it, too.
type RateLimitError struct {
	// RetryAfter is the time to wait, from the response; 0 if the response has none, or asks for no wait.
	RetryAfter time.Duration
	// Err has the response. Its status is 0 if nothing was sent, because the client knew from an earlier response that the
	// limit is exhausted.
	Err *Error
}

// Error returns the wait, and after a create names the Bulk API, which suits callers that reach the limit.
func (e *RateLimitError) Error() string {
	wait := "the response does not say until when"
	if e.RetryAfter > 0 {
		wait = "try again in " + e.RetryAfter.Round(time.Millisecond).String()
	} else if e.Err != nil {
		if _, has := retryAfter(e.Err.Header, time.Now()); has {
			wait = "try again at once"
		}
	}
	operation, cause, advice := "", "", "; for many faults, use the Bulk API (POST /api/v1/bulk_api_jobs)"
	if e.Err != nil {
		operation = e.Err.operation
		if e.Err.isRead {
			advice = ""
		}
		if e.Err.Err != nil {
			cause = ": " + e.Err.Err.Error()
		}
	}
	return prefix(operation) + "the rate limit is exhausted: " + wait + advice + cause
}

// Unwrap returns Err.
func (e *RateLimitError) Unwrap() error {
	if e.Err == nil {
		return nil
	}
	return e.Err
}

// NotFoundError reports that a create was ambiguous, and that its fault was not found by its external_id, neither at once
// nor after the delay of [WithReconcile]. Most likely it was not created; a request that is still on its way may create
// it later. Nothing was sent again. A caller that does so should set the same external_id, which shows a second fault.
//
// [errors.As] finds the [*Error] of the create in it, too, which is ambiguous.
type NotFoundError struct {
	// ExternalID is the external_id that was looked up.
	ExternalID string
	// Err is the outcome of the create; nil if [Client.FindCreated] was called.
	Err *Error
}

// Error returns the outcome of the create, and the external_id.
func (e *NotFoundError) Error() string {
	unknown := "not found by its external_id " + short(e.ExternalID)
	if e.Err == nil {
		return prefix(createFault.name) + unknown
	}
	return e.Err.message(unknown)
}

// Unwrap returns Err.
func (e *NotFoundError) Unwrap() error {
	if e.Err == nil {
		return nil
	}
	return e.Err
}

// Violation is one claim of the contract that a fault violates.
type Violation = fleetioapi.Violation

// InvalidError reports that a fault violates the contract, and that nothing was sent. [errors.Is] finds [ErrInvalid].
type InvalidError struct {
	Violations []Violation // ordered by field
}

// Error names every field, and contains no value.
func (e *InvalidError) Error() string {
	list := make([]string, 0, len(e.Violations))
	for _, v := range e.Violations {
		list = append(list, v.String())
	}
	return prefix(createFault.name) + "nothing was sent: " + strings.Join(list, "; ")
}

// Is makes [errors.Is] find [ErrInvalid].
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// Check checks a fault against the contract, as [Client.CreateFault] does before it sends one. It returns an
// [*InvalidError] or nil. A required field with the zero value counts as missing.
func Check(f FaultCreate) error {
	if violations := fleetioapi.CheckFaultCreate((*fleetioapi.FaultCreate)(&f)); violations != nil {
		return &InvalidError{Violations: violations}
	}
	return nil
}
