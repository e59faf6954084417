package sandbox

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// clock is the time of a sandbox, which runs as that of the machine does, and can be moved. The zero value has not been
// moved.
type clock struct {
	mu     sync.Mutex
	offset time.Duration // from the time of the machine
	// skipped is by how much the clock was moved forward. Waits count it, and are not longer after a move backward.
	skipped time.Duration
	moved   chan struct{} // closed by a move; nil if nothing waits
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset)
}

// move moves the clock.
func (c *clock) move(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += by
	c.skipped += max(by, 0)
	if c.moved != nil {
		close(c.moved)
		c.moved = nil
	}
}

// wait waits until d has passed, and reports whether it has; false if done was closed before.
func (c *clock) wait(d time.Duration, done <-chan struct{}) bool {
	started := time.Now()
	c.mu.Lock()
	end := c.skipped + d
	for {
		left := end - c.skipped - time.Since(started)
		if c.moved == nil {
			c.moved = make(chan struct{})
		}
		moved := c.moved
		c.mu.Unlock()
		if left <= 0 {
			return true
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
			return true
		case <-done:
			timer.Stop()
			return false
		case <-moved:
			timer.Stop()
		}
		c.mu.Lock()
	}
}

// The range of the clock: a [time.Duration] has 292 years.
var (
	minTime = time.Unix(0, 0)
	maxTime = time.Date(2200, time.January, 1, 0, 0, 0, 0, time.UTC)
)

// Now returns the time of the sandbox: that of the machine, unless [Sandbox.SetTime] or [Sandbox.Advance] moved it. The
// rate limit, created_at, the header Date and the times of the history follow it.
func (s *Sandbox) Now() time.Time { return s.clock.now() }

// SetTime sets the clock, which runs on from there. The time is from 1970 to 2199. If it is later than now, it has the
// effect of [Sandbox.Advance]; if it is earlier, the rate limits start anew.
func (s *Sandbox) SetTime(t time.Time) error {
	if t.Before(minTime) || !t.Before(maxTime) {
		return errors.New("sandbox: the clock can be set to a time from 1970 to 2199")
	}
	by := t.Sub(s.clock.now())
	s.clock.move(by)
	if by < 0 {
		for _, a := range s.accounts {
			a.window.reset()
		}
	}
	return nil
}

// Advance moves the clock forward, so that a test need not wait: for the end of a Retry-After, for a fault of [StoreLate],
// or for a response of [Delay]. A fault that became due is stored soon after.
func (s *Sandbox) Advance(d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("sandbox: the clock cannot advance by %v; SetTime sets it back", d)
	}
	return s.SetTime(s.clock.now().Add(d))
}
