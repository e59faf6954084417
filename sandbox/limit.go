package sandbox

import (
	"sync"
	"time"
)

// window counts an account's calls in the clock minute.
type window struct {
	mu     sync.Mutex
	minute int64 // since 1970
	used   int
}

// take counts a call. Where the limit is used up it does not, and returns how long that lasts, in whole seconds.
func (w *window) take(limit int, now time.Time) (wait int64, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn(now)
	if w.used >= limit {
		left := time.Unix((w.minute+1)*60, 0).Sub(now)
		return int64((left + time.Second - 1) / time.Second), false
	}
	w.used++
	return 0, true
}

// turn begins a new minute where one has begun. Of two calls, the one that comes first here may have read the clock last.
func (w *window) turn(now time.Time) {
	if minute := now.Unix() / 60; minute > w.minute {
		w.minute, w.used = minute, 0
	}
}

// RateLimit is how much an account may call in the clock minute that it is.
type RateLimit struct {
	Account string    // its name
	Limit   int       // calls in a minute; 0 where there is no limit, and none are counted
	Used    int       // of them
	Reset   time.Time // when the minute ends
}

// RateLimits returns the state of each account, in their order.
func (s *Sandbox) RateLimits() []RateLimit {
	now := time.Now()
	var list []RateLimit
	for _, a := range s.accounts {
		a.window.mu.Lock()
		a.window.turn(now)
		list = append(list, RateLimit{Account: a.Name, Limit: s.perMinute, Used: a.window.used, Reset: time.Unix((now.Unix()/60+1)*60, 0)})
		a.window.mu.Unlock()
	}
	return list
}
