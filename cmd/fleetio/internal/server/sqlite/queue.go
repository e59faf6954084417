package sqlite

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// queue gathers the rows that come in while a batch is being written.
type queue struct {
	mu     sync.Mutex
	next   *batch // not yet taken
	want   int    // how many rows of it wake whoever writes
	closed bool

	wake    chan struct{} // gets a token from the row that is wanted, for whoever writes
	closing chan struct{}

	// Of whoever writes.
	crowd    int // about how many callers there are: so many waited at once, not long ago
	patience *time.Timer
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
	return queue{next: newBatch(0), want: 1, wake: make(chan struct{}, 1), closing: make(chan struct{}), patience: time.NewTimer(0)}
}

func newBatch(size int) *batch {
	return &batch{rows: make([]row, 0, size), done: make(chan struct{})}
}

// add puts a row into the next batch, and returns the batch and the place of the row in it.
func (q *queue) add(r sandbox.Record) (*batch, int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, 0, errClosed
	}
	b := q.next
	b.rows = append(b.rows, row{account: r.Account, fault: r.Fault})
	if len(b.rows) == q.want {
		q.wake <- struct{}{} // it is empty: what was wanted before has come, or the batch was taken
	}
	return b, len(b.rows) - 1, nil
}

// gather lets whoever is about to add something do it, or else the first of a few callers would get a commit for itself
// while the others wait. Nobody is held up where nobody else wants to run.
func (q *queue) gather() {
	for last, rows := 0, 1; rows != last; {
		runtime.Gosched()
		last = rows
		q.mu.Lock()
		rows = len(q.next.rows)
		q.mu.Unlock()
	}
}

// A batch waits for more rows where there were so many callers lately, and so long at most. Fewer have less to gain, and
// often come by chance at the same time.
const (
	crowded   = 32
	lingering = time.Millisecond // some commits, on a fast disk
)

// linger waits for half of a crowd, as a commit costs about the same for one row and for fifty. Callers who send one after
// the other keep the processor busy meanwhile; where they have gone, the first who comes alone waits in vain, once.
func (q *queue) linger() {
	q.mu.Lock()
	want := q.crowd / 2
	enough := q.crowd < crowded || len(q.next.rows) >= want || q.closed
	if !enough {
		q.want = want
	}
	q.mu.Unlock()
	if enough {
		return
	}
	q.patience.Reset(lingering)
	select {
	case <-q.wake:
	case <-q.closing:
	case <-q.patience.C:
		q.crowd = 0 // they are gone
	}
}

// take returns the batch that is next, and begins another.
func (q *queue) take() *batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case <-q.wake:
	default:
	}
	b := q.next
	q.next, q.want = newBatch(len(b.rows)), 1 // it will be about as long
	return b
}

// count notes how many callers wait: those of the batch that was just written, who do not know it yet, and those who came
// meanwhile. Fewer than before may be chance, so they are forgotten bit by bit.
func (q *queue) count(written int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.crowd = max(written+len(q.next.rows), q.crowd-(q.crowd+15)/16)
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
		s.queue.linger()
		b := s.queue.take()
		s.writing.Lock()
		if len(b.rows) > 0 {
			s.writer.write(ctx, b.rows)
		}
		s.queue.count(len(b.rows))
		close(b.done)
		s.writer.fold(ctx)
		s.writing.Unlock()
	}
}
