package page

import "sync"

const (
	maxRows    = 2000 // more than a list looks at, or each look would begin anew
	maxDetails = 8    // of bounded texts: a megabyte or two at most
)

// cache keeps what was made of exchanges, which do not change, so that each is redacted, checked and laid out once and not for
// each reader. The oldest entry goes when there are more than max.
type cache[K comparable, V any] struct {
	max int

	mu      sync.Mutex
	entries map[K]func() V
	order   []K // the oldest first
}

// get returns the entry of a key, and makes it if there is none. Callers that ask at the same time wait for the first one.
func (c *cache[K, V]) get(key K, create func() V) V {
	c.mu.Lock()
	entry := c.entries[key]
	if entry == nil {
		entry = sync.OnceValue(create)
		if len(c.order) == c.max {
			delete(c.entries, c.order[0])
			c.order = c.order[1:]
		}
		c.entries[key] = entry
		c.order = append(c.order, key)
	}
	c.mu.Unlock()
	return entry()
}
