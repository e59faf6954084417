// Package recorder writes the exchanges of HTTP clients to a recording while they pass, without their credentials.
package recorder

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/capture"
)

// Tests have smaller ones.
var (
	maxMemory int64 = 64 << 20 // bytes of the bodies that wait to be written or are in flight
	maxCalls  int64 = 32 << 20 // bytes of the bodies that wait for a call of each
)

const (
	maxQueue = 1024 // exchanges that wait to be written, and written ones that wait for a call of each

	// maxWait is how long the end of an exchange is held back until it is written, so that a kill loses at most what is in
	// flight. After one wait in vain there is none until the queue is empty, so that nothing slows the client.
	maxWait = 250 * time.Millisecond
)

var errBehind = errors.New("more exchanges arrived than could be written")

// Recorder is a transport that writes its exchanges in the background. It does not slow or break their clients: what it cannot write, it counts. It
// is safe for concurrent use.
type Recorder struct {
	transport capture.Transport
	writer    *traffic.Writer
	redactor  *conformance.Redactor
	isBehind  atomic.Bool // no exchange is held back
	calls     chan result // for each; nil for none
	called    *capture.Memory
	skipped   atomic.Int64 // calls
	done      sync.WaitGroup

	mu     sync.Mutex
	queue  chan queued
	closed bool
	ended  int
	lost   int
	reason error // of the first loss
}

type queued struct {
	*capture.Exchange

	number  int
	written chan struct{}
}

type result struct {
	ex  *traffic.Exchange
	err error
}

func (r result) size() int {
	if r.ex == nil {
		return 0
	}
	return len(r.ex.Request.Body) + len(r.ex.Response.Body)
}

// New returns a recorder that sends requests with next (nil for [http.DefaultTransport]) and writes the exchanges to w. The
// redactor must have no other user. If it is not nil, each is called with each exchange as it was written, or with the error
// why it was not, by one goroutine; after an error of the file, with both. If it is too slow, calls are left out.
func New(w *traffic.Writer, redactor *conformance.Redactor, next http.RoundTripper, each func(*traffic.Exchange, error)) *Recorder {
	r := &Recorder{writer: w, redactor: redactor, called: capture.NewMemory(maxCalls), queue: make(chan queued, maxQueue)}
	r.transport = capture.Transport{Next: next, Memory: capture.NewMemory(maxMemory),
		Begin: func() func(*capture.Exchange) { return r.add }}
	if each != nil {
		r.calls = make(chan result, maxQueue)
		r.done.Go(func() {
			for written := range r.calls {
				if attempt(func() error { each(written.ex, written.err); return nil }) != nil {
					r.skipped.Add(1)
				}
				r.called.Give(written.size())
			}
		})
	}
	r.done.Go(r.run)
	return r
}

// RoundTrip implements [http.RoundTripper]. It sends a request with the next transport.
func (r *Recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	return r.transport.RoundTrip(request)
}

// Close ends the exchanges whose response is not complete, waits until all are written, and closes the file. The error
// says how many are not in the recording, and why the first is not, and how many were not passed to each.
func (r *Recorder) Close() error {
	r.transport.Finish()
	r.mu.Lock()
	r.closed = true
	close(r.queue)
	r.mu.Unlock()
	r.done.Wait()
	err := r.writer.Close()
	if n := r.skipped.Load(); n > 0 {
		err = errors.Join(fmt.Errorf("%d of %d exchanges could not be checked", n, r.ended), err)
	}
	if r.lost > 0 {
		err = errors.Join(fmt.Errorf("%d of %d exchanges are not in the recording; the first: %w", r.lost, r.ended, r.reason), err)
	}
	return err
}

// add queues an exchange that has ended.
func (r *Recorder) add(e *capture.Exchange) {
	q := queued{e, 0, make(chan struct{})}
	if !r.enqueue(q) {
		e.Release()
		return
	}
	if r.isBehind.Load() {
		return
	}
	select {
	case <-q.written:
	case <-time.After(maxWait):
		r.isBehind.Store(true)
	}
}

func (r *Recorder) enqueue(q queued) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.ended++
	q.number = r.ended
	if !q.IsLost() {
		select {
		case r.queue <- q:
			return true
		default:
		}
	}
	r.lose(errBehind)
	return false
}

// lose counts an exchange that is not in the recording. r.mu must be locked.
func (r *Recorder) lose(reason error) {
	r.lost++
	if r.reason == nil {
		r.reason = reason
	}
}

func (r *Recorder) run() {
	for q := range r.queue {
		var ex *traffic.Exchange
		err := attempt(func() (err error) {
			ex, err = r.write(q)
			return err
		})
		if err != nil {
			r.mu.Lock()
			r.lose(err)
			r.mu.Unlock()
		}
		close(q.written)
		q.Release()
		if r.calls != nil {
			r.call(result{ex, err})
		}
		if len(r.queue) == 0 {
			r.isBehind.Store(false)
		}
	}
	if r.calls != nil {
		close(r.calls)
	}
}

// call queues a call of each.
func (r *Recorder) call(written result) {
	if r.called.Take(written.size()) {
		select {
		case r.calls <- written:
			return
		default:
			r.called.Give(written.size())
		}
	}
	r.skipped.Add(1)
}

// write writes an exchange without credentials: its own and those of the exchanges before.
func (r *Recorder) write(q queued) (*traffic.Exchange, error) {
	ex := q.Traffic()
	ex.Source = fmt.Sprintf("exchange %d", q.number)
	r.redactor.Add(ex)
	ex, err := r.redactor.Redact(ex)
	if err != nil {
		return nil, err
	}
	source, err := r.writer.Write(ex)
	if err == nil {
		ex.Source = source
	}
	return ex, err
}

// attempt returns a panic as an error: a fault of the recorder must not end the process of the client.
func attempt(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f()
}
