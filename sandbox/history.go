package sandbox

import (
	"context"
	"sync"
)

// mostKept bounds the bodies that are kept, in bytes.
const mostKept = 16 << 20

// history keeps the last exchanges, as they were: credentials are taken out when somebody asks.
type history struct {
	mu      sync.Mutex
	ring    []Exchange // number n is at n modulo its length
	first   int64      // number of the oldest that is kept
	last    int64      // number of the newest
	bytes   int        // of the bodies
	changed chan struct{}
}

// add keeps an exchange and gives it its number.
func (h *history) add(e *Exchange) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	e.Number = h.last
	if n := int64(len(h.ring)); n > 0 {
		h.bytes += e.bytes()
		for h.first <= h.last-n || h.bytes > mostKept && h.first < h.last {
			old := &h.ring[h.first%n]
			h.bytes -= old.bytes()
			*old = Exchange{}
			h.first++
		}
		h.ring[h.last%n] = *e
	}
	if h.changed != nil {
		close(h.changed)
		h.changed = nil
	}
}

func (e *Exchange) bytes() int { return len(e.Body) + len(e.AnswerBody) }

func (h *history) since(number int64) []Exchange {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := int64(len(h.ring))
	from := max(number, h.first-1)
	if n == 0 || from >= h.last {
		return nil
	}
	list := make([]Exchange, 0, h.last-from)
	for i := from + 1; i <= h.last; i++ {
		list = append(list, h.ring[i%n])
	}
	return list
}

func (h *history) wait(ctx context.Context, number int64) error {
	for {
		h.mu.Lock()
		if h.last > number {
			h.mu.Unlock()
			return nil
		}
		if h.changed == nil {
			h.changed = make(chan struct{})
		}
		changed := h.changed
		h.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
