package sqlite

import (
	"context"
	"runtime"
	"sync"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// queue gathers the rows that come in while a batch is being written.
type queue struct {
	mu     sync.Mutex
	next   *batch // not yet taken
	closed bool

	// Holds a token from a batch's first row until the batch is taken, so sending never blocks.
	wake    chan struct{}
	closing chan struct{}
}

// batch is what goes into one transaction. Who added a row waits for done, and finds the outcome in the row.
type batch struct {
	rows []row
	done chan struct{}
}

type row struct {
	account int64
	fault   []byte

	id  int64
	err error
}

func newQueue() queue {
	return queue{next: newBatch(0), wake: make(chan struct{}, 1), closing: make(chan struct{})}
}

func newBatch(size int) *batch {
	return &batch{rows: make([]row, 0, size), done: make(chan struct{})}
}

// add puts a row into the next batch, and returns the batch and the place of the row in it.
func (q *queue) add(r sandbox.Record) (*batch, int, error) {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return nil, 0, errClosed
	}
	b := q.next
	i := len(b.rows)
	b.rows = append(b.rows, row{account: r.Account, fault: r.Fault})
	q.mu.Unlock()
	if i == 0 {
		q.wake <- struct{}{}
	}
	return b, i, nil
}

// still is how many looks in a row must show the same. After two, some are often still on their way; a few more looks cost a
// lone caller a microsecond.
const still = 4

// gather lets whoever is about to add something do it, or else the first of many callers would get a commit for itself while
// the others wait. Nobody is held up where nobody else wants to run.
func (q *queue) gather() {
	for last, same := 0, 0; same < still; same++ {
		q.mu.Lock()
		rows := len(q.next.rows)
		q.mu.Unlock()
		if rows != last {
			last, same = rows, 0
		}
		runtime.Gosched()
	}
}

// take returns the batch that is next, and begins another.
func (q *queue) take() *batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	b := q.next
	q.next = newBatch(len(b.rows)) // it will be about as long
	return b
}

// close lets no row in any more. It is called once.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	close(q.closing)
}

func (q *queue) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

// run writes batch by batch, until the queue is closed and empty.
func (s *Store) run(ctx context.Context) {
	defer close(s.ended)
	for open := true; open; {
		select {
		case <-s.queue.wake:
		case <-s.queue.closing:
			open = false
		}
		s.queue.gather()
		b := s.queue.take()
		if len(b.rows) > 0 {
			s.writing.Lock()
			s.writer.write(ctx, b.rows)
			s.writing.Unlock()
		}
		close(b.done)
	}
}
