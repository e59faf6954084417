package fleetio

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync"
	"time"
)

// Result is the result of one fault of [Client.CreateFaults].
type Result struct {
	Index int    // of the fault in the sequence, from 0
	Fault *Fault // as the service stores it; nil after an error
	// LookedUp reports that the create was ambiguous, and that the fault was found by [WithReconcile].
	LookedUp bool
}

// outcome is a result that is not returned yet.
type outcome struct {
	result Result
	err    error
}

// CreateFaults creates many faults, several at a time, and returns their results in the order of the faults. The errors
// are those of [Client.CreateFault]; after one, it continues with the next fault.
//
// All loops of a client share a limiter that learns the clock minute of the rate limit from the responses: faults wait
// for the next minute instead of being rejected. For thousands of faults, use the vendor's Bulk API.
//
// The goroutine that ranges over the results reads the faults, one at a time, and at most as many ahead as
// [WithConcurrency] allows. While the sequence blocks, no result is returned. A fault may be changed once the next one
// is requested.
//
// To stop without losing a result, end the sequence of faults. When ctx ends, no further fault is read, and all read
// ones are returned, those in flight as ambiguous. After a break, CreateFaults waits for the requests in flight, and
// [WithLogger] logs their results. Look-ups count for the rate limit, too, and their delay blocks one of the requests in
// flight.
func (c *Client) CreateFaults(
	ctx context.Context, faults iter.Seq[FaultCreate], opts ...ManyOption,
) iter.Seq2[Result, error] {
	concurrency := 4
	for _, o := range opts {
		if o.concurrency > 0 {
			concurrency = o.concurrency
		}
	}
	return func(yield func(Result, error) bool) {
		if faults == nil {
			return
		}
		m := many{Client: c, ctx: ctx, yield: yield, maxPending: concurrency}
		m.run(faults)
	}
}

// many is one loop over results.
type many struct {
	*Client

	ctx        context.Context //nolint:containedctx // of the one loop
	waits      context.Context //nolint:containedctx // also ends after a break
	yield      func(Result, error) bool
	maxPending int
	pending    []chan outcome // in order, one for each fault that was read and not returned
	next       int            // the index of the first of them
	calls      sync.WaitGroup
}

func (m *many) run(faults iter.Seq[FaultCreate]) {
	if m.ctx == nil {
		m.yield(Result{}, errors.New("fleetio: the context is nil"))
		return
	}
	var stop context.CancelFunc
	m.waits, stop = context.WithCancel(m.ctx)
	defer m.logPending()
	defer stop()
	for f := range faults {
		m.start(&f)
		for len(m.pending) > 0 && (len(m.pending) >= m.maxPending || len(m.pending[0]) > 0) {
			if !m.yieldNext() {
				return
			}
		}
		if m.ctx.Err() != nil {
			break
		}
	}
	for len(m.pending) > 0 && m.yieldNext() {
		continue
	}
}

// start sends a fault. It encodes it first, because the fault may change when the sequence continues.
func (m *many) start(f *FaultCreate) {
	done := make(chan outcome, 1)
	m.pending = append(m.pending, done)
	call, err := m.newCreate(m.ctx, *f)
	if err != nil {
		done <- outcome{err: err}
		return
	}
	call.paced, call.waits = true, m.waits
	m.calls.Go(func() {
		fault, err := call.create(m.ctx)
		done <- outcome{Result{Fault: fault, LookedUp: call.lookedUp}, err}
	})
}

// yieldNext returns the next result, and reports whether the loop continues.
func (m *many) yieldNext() bool {
	o := <-m.pending[0]
	o.result.Index = m.next
	m.pending = m.pending[1:]
	m.next++
	return m.yield(o.result, o.err)
}

// logPending waits for the requests in flight after a break, and logs their results.
func (m *many) logPending() {
	m.calls.Wait()
	if m.Client == nil || m.transport == nil || m.logger == nil {
		return
	}
	for i, done := range m.pending {
		o := <-done
		attributes := []slog.Attr{slog.Int("index", m.next+i)}
		if o.result.Fault != nil {
			attributes = append(attributes, slog.Int64("id", o.result.Fault.ID))
		}
		if o.err != nil {
			attributes = append(attributes, slog.String("error", o.err.Error()))
		}
		m.logger.LogAttrs(m.ctx, slog.LevelWarn, "fleetio: a result was not returned, as the loop ended", attributes...)
	}
}

// rateWindow is the clock minute in which the service counts the requests of an account. It learns from each 429 when
// the minute ends and how many requests it allows. Others may use the same account, so the learned limit is a guess:
// each minute that is exhausted without a 429 raises it.
type rateWindow struct {
	mu     sync.Mutex
	ends   time.Time
	number int  // of the window, from 1
	used   int  // requests begun in it, without rejected ones
	limit  int  // requests that a window allows; 0 before the first 429
	full   bool // a request was rejected in it
}

// take begins a request and returns the number of its window, or else the wait before it can be called again.
func (w *rateWindow) take(now time.Time) (number int, wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !now.Before(w.ends) {
		if w.limit > 0 && w.used >= w.limit && !w.full {
			w.limit += 1 + w.limit/4
		}
		if w.number == 0 {
			w.ends = now.Truncate(time.Minute)
		}
		w.ends = now.Add(time.Minute - now.Sub(w.ends)%time.Minute)
		w.number++
		w.used, w.full = 0, false
	}
	if w.full || w.limit > 0 && w.used >= w.limit {
		return 0, w.ends.Sub(now)
	}
	w.used++
	return w.number, 0
}

// learn notes a 429 to a request of a window. The window ends after Retry-After, if the 429 has one.
func (w *rateWindow) learn(number int, now time.Time, after time.Duration, has bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.full = true
	if has {
		w.ends = now.Add(after)
	}
	// A request of an earlier window shows nothing about the limit of this one.
	if number == w.number {
		w.used--
		w.limit = max(w.used, 1)
	}
}

// awaitWindow waits until the window has room, and returns its number. It fails if the policy does not allow the wait,
// or the wait is canceled.
func (c *call) awaitWindow(policy RetryPolicy) (int, error) {
	if !c.paced {
		return 0, nil
	}
	for {
		number, wait := c.window.take(time.Now())
		if wait == 0 {
			return number, nil
		}
		if wait > policy.MaxWait || exceedsDeadline(c.waits, wait) {
			return 0, c.limited(wait, nil)
		}
		if err := sleep(c.waits, jitter(wait)); err != nil {
			return 0, c.limited(wait, err)
		}
	}
}

// limited returns the error of a request that was not sent, as the rate limit is exhausted.
func (c *call) limited(wait time.Duration, err error) error {
	e := c.newError(err)
	e.unsent = true
	return &RateLimitError{RetryAfter: wait, Err: e}
}
