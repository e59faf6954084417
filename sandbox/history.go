package sandbox

import (
	"context"
	"net/http"
	"sync"
	"unsafe"
)

// mostKept bounds what the kept exchanges hold, in bytes.
const mostKept = 16 << 20

// history keeps the last exchanges, as they were: credentials are taken out when somebody asks.
type history struct {
	mu      sync.Mutex
	ring    []kept // number n is at n modulo its length
	first   int64  // number of the oldest that is kept
	last    int64  // number of the newest
	bytes   int    // of what they hold
	changed chan struct{}
}

type kept struct {
	Exchange

	size int // in bytes
}

// add keeps an exchange and gives it its number.
func (h *history) add(e *Exchange) {
	size := 0
	if len(h.ring) > 0 {
		size = e.bytes()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	e.Number = h.last
	if n := int64(len(h.ring)); n > 0 {
		h.bytes += size
		for h.first <= h.last-n || h.bytes > mostKept && h.first < h.last {
			old := &h.ring[h.first%n]
			h.bytes -= old.size
			*old = kept{}
			h.first++
		}
		h.ring[h.last%n] = kept{*e, size}
	}
	if h.changed != nil {
		close(h.changed)
		h.changed = nil
	}
}

// fieldSize is about what a map takes for a header field, beside its name and values.
const fieldSize = 128

// bytes is what of an exchange has no bound of its own.
func (e *Exchange) bytes() int {
	n := len(e.Method) + len(e.URL) + cap(e.Body) + cap(e.AnswerBody)
	for _, header := range [...]http.Header{e.Header, e.AnswerHeader} {
		for name, values := range header {
			n += fieldSize + len(name)
			for _, value := range values {
				n += int(unsafe.Sizeof(value)) + len(value)
			}
		}
	}
	return n
}

func (h *history) latest() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}

func (h *history) get(number int64) (Exchange, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.ring) == 0 || number < h.first || number > h.last {
		return Exchange{}, false
	}
	return h.ring[number%int64(len(h.ring))].Exchange, true
}

// all returns what is kept, the oldest first.
func (h *history) all() []Exchange {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := int64(len(h.ring))
	if n == 0 || h.last == 0 {
		return nil
	}
	list := make([]Exchange, 0, h.last-h.first+1)
	for i := h.first; i <= h.last; i++ {
		list = append(list, h.ring[i%n].Exchange)
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
