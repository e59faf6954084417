package fleetio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

// operation is what calls of an operation have in common.
type operation struct {
	name   string // in errors
	status int    // of a success
	// accept reads the body of a response with that status. An error names the property, and contains no value.
	accept func(c *call, body []byte) error
}

// call is one call of an operation, with all of its attempts.
type call struct {
	*transport
	*operation

	request *http.Request // the template of its requests
	body    []byte
	maxBody int64 // of the response, by default
	raw     **http.Response
	paced   bool            // waits for the rate window
	waits   context.Context //nolint:containedctx // ends the waits, while the request may continue

	fault FaultCreate // to create: the response must be about it
	id    int64       // to retrieve: the response must have it

	began    time.Time // the start of the last attempt
	result   *Fault    // of a create or a retrieve; after an error, what could be read of it
	page     *faultPage
	date     string // the Date of the response
	lookedUp bool   // the result was looked up
}

// isRead reports whether the request changes nothing, so that it may be sent again (RFC 9110, section 9.2.1).
func (c *call) isRead() bool { return c.request.Method == http.MethodGet }

// newError returns an error of the call.
func (c *call) newError(err error) *Error {
	return &Error{Err: err, operation: c.name, isRead: c.isRead()}
}

// attempt is one request, and the body of that request. No part of it is reused, because a RoundTripper may read a body
// after RoundTrip has returned.
type attempt struct {
	url    url.URL
	unread bytes.Reader
	limit  io.LimitedReader
	state  atomic.Int32
}

// The states of an attempt. A server that received no part of the body cannot have created a fault.
const (
	untouched  = iota // no byte of the body was read
	bodyRead          // some bytes were read
	bodySealed        // no byte was read, and none can be
)

var errSealed = errors.New("fleetio: the request was given up")

// Read implements [io.Reader].
func (a *attempt) Read(p []byte) (int, error) {
	if !a.state.CompareAndSwap(untouched, bodyRead) && a.state.Load() == bodySealed {
		return 0, errSealed
	}
	return a.unread.Read(p)
}

// Close implements [io.Closer].
func (*attempt) Close() error { return nil }

// seal reports whether no byte of the body was read. If so, later reads fail.
func (a *attempt) seal() bool { return a.state.CompareAndSwap(untouched, bodySealed) }

// newRequest returns the request of an attempt. A create has no GetBody, so that net/http cannot send it a second time:
// over HTTP/2 it would do so after a stream error, although the server may have processed the request.
func (c *call) newRequest(ctx context.Context, a *attempt) *http.Request {
	r := c.request.WithContext(ctx)
	a.url = *r.URL
	r.URL = &a.url
	r.Header = r.Header.Clone()
	if c.body != nil {
		a.unread.Reset(c.body)
		r.Body = a
		r.ContentLength = int64(len(c.body))
	}
	if c.http.Jar != nil {
		for _, cookie := range c.http.Jar.Cookies(r.URL) {
			r.AddCookie(cookie)
		}
	}
	return r
}

// attempt sends the request once. It uses the RoundTripper directly, because an http.Client follows redirects, and that
// would send the credentials to another server.
func (c *call) attempt(ctx context.Context) *Error {
	own, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	a := new(attempt)
	r := c.newRequest(own, a)
	c.began = time.Now()
	response, err := c.http.Transport.RoundTrip(r)
	if err == nil && response == nil {
		err = errors.New("the RoundTripper returned neither a response nor an error")
	}
	if err != nil {
		e := c.newError(c.cause(ctx, own, err))
		e.unsent = !e.isRead && a.seal()
		return e
	}
	if c.http.Jar != nil {
		if cookies := response.Cookies(); len(cookies) > 0 {
			c.http.Jar.SetCookies(r.URL, cookies)
		}
	}
	b := buffers.Get().(*bytes.Buffer) //nolint:forcetypeassert // the pool holds nothing else
	defer release(b)
	if err = c.read(response, a, b); err != nil {
		err = c.cause(ctx, own, err)
	}
	if c.raw != nil {
		raw := *response
		raw.Request, raw.Body = nil, io.NopCloser(bytes.NewReader(bytes.Clone(b.Bytes())))
		*c.raw = &raw
	}
	return c.decode(response, b.Bytes(), err)
}

// cause adds to an error which context ended, and redacts the credentials in its message.
func (c *call) cause(ctx, own context.Context, err error) error {
	if ended := ctx.Err(); ended != nil {
		if !errors.Is(err, ended) {
			err = fmt.Errorf("%w: %w", ended, err)
		}
	} else if own.Err() != nil {
		err = fmt.Errorf("no response within %v: %w", c.timeout, err)
	}
	if redacted := c.redactor.Replace(err.Error()); redacted != err.Error() {
		return redactedError{redacted, err}
	}
	return err
}

// redactedError is an error whose message contained credentials. It has no Unwrap, which would expose them.
type redactedError struct {
	message  string
	original error
}

func (e redactedError) Error() string        { return e.message }
func (e redactedError) Is(target error) bool { return errors.Is(e.original, target) }
