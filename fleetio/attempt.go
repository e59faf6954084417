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
)

// call is one fault on its way.
type call struct {
	*transport

	body  []byte
	fault FaultCreate // what the response must be about
	raw   **http.Response
	paced bool            // by the window that the rate limit is counted in
	pause context.Context //nolint:containedctx // ends the waits, where the context of the request may go on
}

// attempt is one request. It is the request's body, too. Nothing in it is used twice, as a RoundTripper may read a body
// after it has returned.
type attempt struct {
	url    url.URL
	header [8]string
	unread bytes.Reader
	limit  io.LimitedReader
	state  atomic.Int32
}

// Whether anything can have come of an attempt. A server that did not get the body can have created nothing.
const (
	untouched  = iota // no byte of the body was asked for
	bodyRead          // some were
	bodySealed        // none ever will be
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

// seal reports that no byte of the body was read, and sees to it that none will be.
func (a *attempt) seal() bool { return a.state.CompareAndSwap(untouched, bodySealed) }

// request returns the request of an attempt. It has no GetBody, and that is what keeps net/http from sending it again on
// its own: HTTP/2 would do so after a stream error that comes when the server may have acted.
func (c *call) request(ctx context.Context, a *attempt) *http.Request {
	r := c.transport.request.WithContext(ctx)
	a.url = *r.URL
	a.unread.Reset(c.body)
	r.URL = &a.url
	r.Body = a
	r.ContentLength = int64(len(c.body))
	r.Header = make(http.Header, len(a.header))
	for i, h := range c.header {
		a.header[i] = h.value
		r.Header[h.name] = a.header[i : i+1 : i+1]
	}
	if c.http.Jar != nil {
		for _, cookie := range c.http.Jar.Cookies(r.URL) {
			r.AddCookie(cookie)
		}
	}
	return r
}

// attempt sends the request once. It asks the RoundTripper itself, as an http.Client is for redirects, and a redirect
// must not be followed: the credentials would go where it leads.
func (c *call) attempt(ctx context.Context) (*Fault, *Error) {
	own, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	a := new(attempt)
	r := c.request(own, a)
	response, err := c.http.Transport.RoundTrip(r)
	if err == nil && response == nil {
		err = errors.New("the RoundTripper returned neither a response nor an error")
	}
	if err != nil {
		return nil, &Error{Err: c.cause(ctx, own, err), unsent: a.seal()}
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
		kept := *response
		kept.Request, kept.Body = nil, io.NopCloser(bytes.NewReader(bytes.Clone(b.Bytes())))
		*c.raw = &kept
	}
	return c.decode(response, b.Bytes(), err)
}

// cause says of an error which of the contexts ended, and takes the credentials out of its text.
func (c *call) cause(ctx, own context.Context, err error) error {
	if ended := ctx.Err(); ended != nil {
		if !errors.Is(err, ended) {
			err = fmt.Errorf("%w: %w", ended, err)
		}
	} else if own.Err() != nil {
		err = fmt.Errorf("no answer within %v: %w", c.timeout, err)
	}
	if text := err.Error(); c.hide.Replace(text) != text {
		of := err
		return hiddenError{c.hide.Replace(text), func(target error) bool { return errors.Is(of, target) }}
	}
	return err
}

// hiddenError is an error whose text had credentials in it. It has no Unwrap, which would show them.
type hiddenError struct {
	text string
	is   func(error) bool
}

func (e hiddenError) Error() string        { return e.text }
func (e hiddenError) Is(target error) bool { return e.is(target) }
