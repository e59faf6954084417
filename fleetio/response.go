package fleetio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"
)

// buffers hold bodies while they are read. Nothing that is returned points into one.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func release(b *bytes.Buffer) {
	if b.Cap() <= 64<<10 { // one large answer shall not stay in memory
		b.Reset()
		buffers.Put(b)
	}
}

// read reads the body to its end, so that the connection can be used again, or up to the limit, and closes it.
func (c *call) read(response *http.Response, a *attempt, to *bytes.Buffer) error {
	if response.Body == nil {
		return nil
	}
	defer response.Body.Close() //nolint:errcheck // what was read was read
	limit := c.maxBody
	if limit == 0 {
		limit = defaultMaxBody + longestEscape*int64(len(c.body))
	}
	// One byte more than the limit shows that there is more. The limit may be the largest number there is.
	a.limit = io.LimitedReader{R: response.Body, N: max(limit, limit+1)}
	if _, err := to.ReadFrom(&a.limit); err != nil {
		return err
	}
	if int64(to.Len()) > limit {
		to.Truncate(int(limit))
		return fmt.Errorf("its body has more than %d bytes", limit)
	}
	return nil
}

// decode makes the fault or the error of an answer. The cause is what went wrong when its body was read.
func (c *call) decode(response *http.Response, body []byte, cause error) (*Fault, *Error) {
	if cause == nil {
		cause = isJSON(response.Header, body)
	}
	if response.StatusCode == http.StatusCreated {
		fault, err := c.decodeFault(body)
		switch {
		case cause == nil && err == nil:
			return fault, nil
		case cause == nil:
			cause = err
		}
		e := c.answer(response, body, cause)
		e.Created = true
		e.Fault = fault
		return nil, e
	}
	e := c.answer(response, body, cause)
	switch {
	case cause != nil || len(body) == 0:
	case response.StatusCode == http.StatusUnprocessableEntity:
		refused, err := validationErrorsObject.decode(body)
		if err != nil || refused.Errors == nil {
			e.Err = errors.New("its body does not list fields")
			break
		}
		e.Fields = make(map[string][]string, len(refused.Errors))
		for field, messages := range refused.Errors {
			for i := range messages {
				messages[i] = c.hide.Replace(messages[i])
			}
			e.Fields[c.hide.Replace(field)] = messages
		}
	case response.StatusCode == http.StatusTooManyRequests: // its body repeats what the status says
	case response.StatusCode >= http.StatusBadRequest:
		problem, err := problemObject.decode(body)
		if err != nil || *problem == (Problem{}) {
			e.Err = errors.New("its body is no problem object")
			break
		}
		problem.Title = c.hide.Replace(problem.Title)
		for _, text := range []*string{problem.Detail, problem.Instance} {
			if text != nil {
				*text = c.hide.Replace(*text)
			}
		}
		e.Problem = problem
	default:
		e.Err = errors.New("the contract has no such status")
	}
	return nil, e
}

// answer is an error with what all answers have.
func (c *call) answer(response *http.Response, body []byte, cause error) *Error {
	header := response.Header.Clone()
	for name, values := range header {
		if lower := strings.ToLower(name); c.hide.Replace(lower) != lower {
			delete(header, name)
		}
		for i := range values {
			values[i] = c.hide.Replace(values[i])
		}
	}
	_, isTold := retryAfter(header, time.Time{})
	return &Error{
		StatusCode: response.StatusCode, Header: header, RequestID: header.Get("X-Request-ID"),
		Body: []byte(c.hideCut(string(body))), Err: cause,
		refused: c.retry503 && isTold && response.StatusCode == http.StatusServiceUnavailable,
	}
}

// isJSON returns why the answer is not JSON by its header; nil where it is. An answer without a body has no type, and
// only some need a body.
func isJSON(header http.Header, body []byte) error {
	named := header.Get("Content-Type")
	if named == "application/json" || named == "application/json; charset=utf-8" || len(body) == 0 {
		return nil
	}
	media, _, err := mime.ParseMediaType(named)
	switch {
	case named == "":
		return errors.New("it has no Content-Type")
	case err != nil:
		return errors.New("its Content-Type is malformed")
	case media != "application/json" && media != "application/problem+json":
		return errors.New("its Content-Type is not JSON")
	default:
		return nil
	}
}
