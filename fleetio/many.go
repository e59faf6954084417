package fleetio

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync"
)

// Result says what became of one fault of [Client.CreateFaults].
type Result struct {
	Index int    // of the fault in the sequence, from 0
	Fault *Fault // as the service keeps it; nil where there is an error
}

// outcome is a result before it is its turn.
type outcome struct {
	fault *Fault
	err   error
}

// CreateFaults creates many faults, some at once, and returns what became of each, in the order of the faults. Errors
// are those of [Client.CreateFault], and end nothing: the next fault is tried all the same.
//
// The calls of a client share a limiter, which learns the rate limit's clock minute from the answers: when it is used
// up, faults wait for the next one instead of being refused. The vendor's Bulk API is the better way for thousands.
//
// Faults are read in the goroutine that ranges over the results, one at a time, and no more of them ahead than
// [WithConcurrency] says; while the sequence makes it wait for the next fault, no result is returned. A fault may be
// changed when the next one is asked for.
//
// To stop so that nothing is lost, end the sequence of faults. When ctx ends, no further fault is read, and each one
// that was read is returned, those that were on their way as ambiguous: ask ctx whether these were all. A loop that is broken off gives up the results
// of the calls that are on their way: it returns when they are done, and [WithLogger] logs what they made.
func (c *Client) CreateFaults(ctx context.Context, faults iter.Seq[FaultCreate], opts ...ManyOption) iter.Seq2[Result, error] {
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
		m := many{Client: c, ctx: ctx, yield: yield, most: concurrency}
		m.run(faults)
	}
}

// many is one loop over results.
type many struct {
	*Client

	ctx     context.Context //nolint:containedctx // of the one loop
	pause   context.Context //nolint:containedctx // ends when the loop is broken off, too
	yield   func(Result, error) bool
	most    int
	waiting []chan outcome // in order, for each fault that was read and not returned
	next    int            // the index of the first of them
	calls   sync.WaitGroup
}

func (m *many) run(faults iter.Seq[FaultCreate]) {
	if m.ctx == nil {
		m.yield(Result{}, errors.New("fleetio: the context is nil"))
		return
	}
	var stop context.CancelFunc
	m.pause, stop = context.WithCancel(m.ctx)
	defer m.lose()
	defer stop()
	for f := range faults {
		m.begin(&f)
		for len(m.waiting) > 0 && (len(m.waiting) >= m.most || len(m.waiting[0]) > 0) {
			if !m.give() {
				return
			}
		}
		if m.ctx.Err() != nil {
			break
		}
	}
	for len(m.waiting) > 0 && m.give() {
		continue
	}
}

// begin sends a fault on its way. It is encoded here and now, as the fault may change when the sequence goes on.
func (m *many) begin(f *FaultCreate) {
	done := make(chan outcome, 1)
	m.waiting = append(m.waiting, done)
	body, err := m.encode(m.ctx, f)
	if err != nil {
		done <- outcome{err: err}
		return
	}
	call := call{transport: m.transport, body: body, fault: *f, paced: true, pause: m.pause}
	m.calls.Go(func() {
		fault, err := call.do(m.ctx)
		done <- outcome{fault, err}
	})
}

// give returns the next result, and reports whether more are wanted.
func (m *many) give() bool {
	o := <-m.waiting[0]
	index := m.next
	m.waiting = m.waiting[1:]
	m.next++
	return m.yield(Result{Index: index, Fault: o.fault}, o.err)
}

// lose waits for the calls that are on their way when nobody takes their results any more.
func (m *many) lose() {
	m.calls.Wait()
	if m.Client == nil || m.transport == nil || m.logger == nil {
		return
	}
	for i, done := range m.waiting {
		o := <-done
		attributes := []slog.Attr{slog.Int("index", m.next+i)}
		if o.fault != nil {
			attributes = append(attributes, slog.Int64("id", o.fault.ID))
		}
		if o.err != nil {
			attributes = append(attributes, slog.String("error", o.err.Error()))
		}
		m.logger.LogAttrs(m.ctx, slog.LevelWarn, "fleetio: nobody took the result of a fault", attributes...)
	}
}
