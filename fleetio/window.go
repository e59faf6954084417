package fleetio

import (
	"sync"
	"time"
)

// window is the clock minute in which the service counts the calls of an account. It learns from each 429 when the
// minute ends and how many calls it takes, and so makes faults wait rather than be refused. Others may call with the
// same account, so what was learned is a guess: each minute that was used up without a 429 raises it.
type window struct {
	mu     sync.Mutex
	ends   time.Time
	number int  // of the window, from 1
	used   int  // calls begun in it, without those that were refused
	limit  int  // calls that a window takes; 0 until a 429 has told
	full   bool // a call was refused in it
}

// take lets a call begin and returns the number of its window, or how long it has to wait before it asks again.
func (w *window) take(now time.Time) (turn int, wait time.Duration) {
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

// refused learns from a 429. The window ends when the answer says that it may be tried again.
func (w *window) refused(turn int, now time.Time, told time.Duration, isTold bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.full = true
	if isTold {
		w.ends = now.Add(told)
	}
	// A call that began in an earlier window says nothing of how many this one takes.
	if turn == w.number {
		w.used--
		w.limit = max(w.used, 1)
	}
}

// turn waits until the window has room. The error is that of a wait that the policy does not allow, or that was ended.
func (c *call) turn(policy RetryPolicy) (int, error) {
	if !c.paced {
		return 0, nil
	}
	for {
		turn, wait := c.window.take(time.Now())
		if wait == 0 {
			return turn, nil
		}
		if wait > policy.MaxWait || late(c.pause, wait) {
			return 0, &RateLimitError{RetryAfter: wait, Err: &Error{unsent: true}}
		}
		if err := sleep(c.pause, jitter(wait)); err != nil {
			return 0, &RateLimitError{RetryAfter: wait, Err: &Error{unsent: true, Err: err}}
		}
	}
}
