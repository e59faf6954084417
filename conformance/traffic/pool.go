package traffic

import "sync"

// Pool reads recordings like [Read] and reuses the memory of exchanges that are put back: to allocate an exchange takes
// longer than to read it. The zero value is ready to use. A Pool is safe for concurrent use.
type Pool struct {
	mu   sync.Mutex
	free []*Exchange
}

// Put returns an exchange to the pool. [Pool.Read] overwrites it, with its URL, headers and bodies, so the caller must not
// use any of them afterwards. A copy stays valid, and so does each string.
func (p *Pool) Put(e *Exchange) {
	for _, m := range []*Message{&e.Request, &e.Response} {
		if cap(m.Body) > maxReused {
			m.Body = nil
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, e)
}

// maxReused bounds the memory for a body that is kept for another.
const maxReused = 16 << 10

// get returns an exchange that was put back, or else a new one.
func (p *Pool) get() *Exchange {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.free) - 1
	if last < 0 {
		return &Exchange{}
	}
	e := p.free[last]
	p.free = p.free[:last]
	return e
}
