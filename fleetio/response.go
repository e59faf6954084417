package fleetio

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"
)

// buffers hold bodies while they are read. No returned value points into one.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func release(b *bytes.Buffer) {
	if b.Cap() <= 64<<10 { // keep no large body in memory
		b.Reset()
		buffers.Put(b)
	}
}

// read reads the body to its end, so that the connection can be reused, or up to the limit, and closes it.
func (c *call) read(response *http.Response, a *attempt, into *bytes.Buffer) error {
	if response.Body == nil {
		return nil
	}
	defer response.Body.Close() //nolint:errcheck // the body was read
	limit := cmp.Or(c.settings.maxBody, c.maxBody)
	// One byte beyond the limit shows that the body is longer. The limit may be the largest int64.
	a.limit = io.LimitedReader{R: response.Body, N: max(limit, limit+1)}
	if _, err := into.ReadFrom(&a.limit); err != nil {
		return err
	}
	if int64(into.Len()) > limit {
		into.Truncate(int(limit))
		return fmt.Errorf("its body has more than %d bytes", limit)
	}
	return nil
}

// decode reads the body of a success, or returns the error of a response. The cause is the error of reading its body.
func (c *call) decode(response *http.Response, body []byte, cause error) *Error {
	if cause == nil {
		cause = checkType(response.Header, body)
	}
	if response.StatusCode == c.status {
		err := c.accept(c, body)
		c.date = response.Header.Get("Date")
		switch {
		case cause == nil && err == nil:
			return nil
		case cause == nil:
			cause = err
		}
		e := c.responseError(response, body, cause)
		if !e.isRead {
			e.Created, e.Fault = true, c.result
		}
		if e.Fault != nil {
			e.Fault.Extra = nil // whose names a server may fill with credentials
		}
		return e
	}
	e := c.responseError(response, body, cause)
	switch {
	case cause != nil || len(body) == 0:
	case response.StatusCode == http.StatusUnprocessableEntity:
		invalid, _, err := validationErrorsObject.decode(body)
		if err != nil || invalid.Errors == nil {
			e.Err = errors.New("its body does not list fields")
			break
		}
		e.Fields = make(map[string][]string, len(invalid.Errors))
		for field, messages := range invalid.Errors {
			for i := range messages {
				messages[i] = c.redactor.Replace(messages[i])
			}
			e.Fields[c.redactor.Replace(field)] = messages
		}
	case response.StatusCode == http.StatusTooManyRequests: // its body adds nothing to the status
	case response.StatusCode >= http.StatusBadRequest:
		problem, _, err := problemObject.decode(body)
		if err != nil || reflect.ValueOf(*problem).IsZero() {
			e.Err = errors.New("its body is no problem object")
			break
		}
		problem.Title = c.redactor.Replace(problem.Title)
		for _, s := range []*string{problem.Detail, problem.Instance} {
			if s != nil {
				*s = c.redactor.Replace(*s)
			}
		}
		e.Problem = problem
	default:
		e.Err = errors.New("the contract has no such status")
	}
	return e
}

// responseError returns an error with all that is common to responses.
func (c *call) responseError(response *http.Response, body []byte, cause error) *Error {
	header := response.Header.Clone()
	for name, values := range header {
		if lower := strings.ToLower(name); c.redactor.Replace(lower) != lower {
			delete(header, name)
		}
		for i := range values {
			values[i] = c.redactor.Replace(values[i])
		}
	}
	_, hasWait := retryAfter(header, time.Time{})
	e := c.newError(cause)
	e.StatusCode, e.Header, e.RequestID = response.StatusCode, header, header.Get("X-Request-ID")
	e.Body = []byte(c.redactCut(string(body)))
	e.refused = c.retry503 && hasWait && response.StatusCode == http.StatusServiceUnavailable
	return e
}

// checkType fails if the Content-Type is not JSON. A response without a body needs none.
func checkType(header http.Header, body []byte) error {
	value := header.Get("Content-Type")
	if value == "application/json" || value == "application/json; charset=utf-8" || len(body) == 0 {
		return nil
	}
	media, _, err := mime.ParseMediaType(value)
	switch {
	case value == "":
		return errors.New("it has no Content-Type")
	case err != nil:
		return errors.New("its Content-Type is malformed")
	case media != "application/json" && media != "application/problem+json":
		return errors.New("its Content-Type is not JSON")
	default:
		return nil
	}
}
