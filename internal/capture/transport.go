// Package capture copies the HTTP exchanges that pass a transport or a handler. Requests and responses pass unchanged, and
// are streamed.
package capture

import (
	"cmp"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// Exchange is an exchange with copies of its bodies.
type Exchange struct {
	method         string
	url            url.URL
	status         int
	header         http.Header
	responseHeader http.Header
	received       Body

	mu     sync.Mutex
	memory *Memory
	sent   *Body // of the last attempt to send the request
}

// Request returns an exchange with a request, and the request with a body that is copied as it is read. If a transport
// sends the request again with a new body from GetBody, the exchange has that one. memory bounds the copies; nil for none.
func Request(r *http.Request, memory *Memory) (*Exchange, *http.Request) {
	e := &Exchange{method: cmp.Or(r.Method, http.MethodGet), header: r.Header.Clone(), memory: memory}
	if r.URL != nil {
		e.url = *r.URL
	}
	if values, ok := e.header["User-Agent"]; ok && len(values) == 1 && values[0] == "" {
		delete(e.header, "User-Agent") // net/http sends none then
	}
	if r.Body == nil || r.Body == http.NoBody {
		e.sent = &Body{ended: true}
		return e, r
	}
	passed := r.WithContext(r.Context()) // a transport must not change its request
	passed.Body = e.copied(r.Body, r.ContentLength)
	if r.GetBody != nil {
		passed.GetBody = func() (io.ReadCloser, error) {
			body, err := r.GetBody()
			if err != nil {
				return nil, err
			}
			return e.copied(body, r.ContentLength), nil
		}
	}
	return e, passed
}

// Traffic returns the exchange without a Source, as far as it has passed. It has no response if the transport returned none.
func (e *Exchange) Traffic() *traffic.Exchange {
	u := e.url
	ex := &traffic.Exchange{Method: e.method, URL: &u, Status: e.status, Request: e.lastSent().Message(e.header)}
	if ex.Answered() {
		ex.Response = e.received.Message(e.responseHeader)
	}
	return ex
}

// IsLost reports whether there was no memory left for the bodies.
func (e *Exchange) IsLost() bool { return e.lastSent().isLost() || e.received.isLost() }

// Release frees the memory of the bodies.
func (e *Exchange) Release() {
	e.lastSent().release()
	e.received.release()
}

// copied returns a body of the request that is copied instead of the one before.
func (e *Exchange) copied(body io.ReadCloser, length int64) io.ReadCloser {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.sent != nil {
		e.sent.release()
	}
	e.sent = &Body{memory: e.memory, length: length}
	return &reader{ReadCloser: body, copy: e.sent}
}

func (e *Exchange) lastSent() *Body {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.sent
}

// Transport copies the exchanges of another transport. It is safe for concurrent use.
type Transport struct {
	Next   http.RoundTripper // nil for [http.DefaultTransport]
	Memory *Memory           // nil for no bound

	// Begin is called at the start of each exchange. It returns a function that is called at its end: when the response body
	// is about to be complete for the caller, or is closed, when the transport fails, or by Finish.
	Begin func() (end func(*Exchange))

	mu      sync.Mutex
	started int
	open    map[int]func() // ends the exchanges that have a response, by number
}

// RoundTrip implements [http.RoundTripper].
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	e, passed := Request(r, t.Memory)
	next := t.Next
	if next == nil {
		next = http.DefaultTransport
	}
	t.mu.Lock()
	t.started++
	number := t.started
	t.mu.Unlock()
	callback := t.Begin()
	end := sync.OnceFunc(func() {
		t.mu.Lock()
		delete(t.open, number)
		t.mu.Unlock()
		callback(e)
	})
	resp, err := next.RoundTrip(passed)
	if resp == nil || err != nil {
		end()
		return resp, err
	}
	if resp.Request == passed {
		resp.Request = r
	}
	e.status, e.responseHeader = resp.StatusCode, resp.Header.Clone()
	e.received.memory, e.received.length = t.Memory, resp.ContentLength
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols: // its body is a connection
		end()
	case resp.Body == nil, resp.Body == http.NoBody:
		e.received.End()
		end()
	default:
		t.mu.Lock()
		if t.open == nil {
			t.open = map[int]func(){}
		}
		t.open[number] = end
		t.mu.Unlock()
		resp.Body = &reader{ReadCloser: resp.Body, copy: &e.received, onEnd: end}
	}
	return resp, nil
}

// Finish ends the exchanges whose response is not complete.
func (t *Transport) Finish() {
	t.mu.Lock()
	open := maps.Clone(t.open)
	t.mu.Unlock()
	for _, number := range slices.Sorted(maps.Keys(open)) {
		open[number]()
	}
}
