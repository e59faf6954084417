package page

import (
	"sync"
	"time"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

const (
	maxListed = 100  // exchanges in a list
	maxLooked = 1000 // exchanges that are looked at for a list of those with findings
)

// list is a page of the exchanges, the newest first.
type list struct {
	Rows  []row
	Older int64 // there are more with a lower number; 0 for none
}

// row is an exchange in the list.
type row struct {
	Number       int64
	At           time.Time
	Took         string
	Caller, Key  string
	Method, Path string
	Status       string
	StatusKind   string
	Failure      string
	Verdict      verdict
}

// list asks for one exchange after the other, as the sandbox copies what it hands out.
func (p *Page) list(q query, newest int64) (l list) {
	from := newest
	if q.Before != 0 {
		from = min(from, q.Before-1)
	}
	for n := from; n > 0; n-- {
		_, kept := p.source.Unredacted(n)
		switch {
		case !kept: // and none before it
			return l
		case from-n == maxLooked:
			l.Older = n + 1
			return l
		case q.Only && p.row(n).Verdict.Kind != kinds[failing].class:
			continue
		case len(l.Rows) == maxListed:
			l.Older = n + 1
			return l
		}
		if r := p.row(n); r.Number != 0 { // else it was let go meanwhile
			l.Rows = append(l.Rows, r)
		}
	}
	return l
}

// row returns the row of an exchange; the zero value if the sandbox does not keep it.
func (p *Page) row(number int64) row {
	return p.rows.get(number, func() row {
		ex, has := p.source.Summary(number)
		raw, still := p.source.Unredacted(number)
		if !has || !still {
			return row{}
		}
		r := p.newRow(&ex, &raw)
		r.Verdict.found = nil // a list does not show them
		return r
	})
}

func (p *Page) newRow(ex, raw *sandbox.Exchange) row {
	return row{
		Number: ex.Number, At: ex.At, Took: took(ex.Took),
		Caller: clip(ex.Account, maxCell), Key: clip(ex.APIKey, maxCell),
		Method: clip(ex.Method, maxCell), Path: clip(ex.URL, maxCell),
		Status: statusText(ex.Status), StatusKind: statusKind(ex.Status),
		Failure: clip(ex.Failure, maxCell), Verdict: p.verdict(raw),
	}
}

const (
	maxRows    = 2000 // more than a list looks at, or each look would begin anew
	maxDetails = 8    // of bounded texts: a megabyte or two at most
)

// cache keeps what was made of exchanges, which do not change, so that each is redacted, checked and laid out once and
// not for each reader. The oldest entry goes when there are more than max.
type cache[K comparable, V any] struct {
	max int

	mu      sync.Mutex
	entries map[K]func() V
	order   []K // the oldest first
}

// get returns the entry of a key, and makes it if there is none. Callers that ask at the same time wait for the first
// one.
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
