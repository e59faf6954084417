package page

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/internal/printable"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

const (
	maxListed = 100  // exchanges in a list
	maxLooked = 1000 // exchanges that are searched for those with findings
	maxRows   = 2000 // cached rows; more than maxLooked, otherwise each search would start anew
)

// list is a page of the exchanges, the newest first.
type list struct {
	Rows  []row
	Older int64 // further ones have a lower number; 0 for none
}

// row is an exchange in the list.
type row struct {
	Number       int64
	At           time.Time
	Took         string
	Caller, Key  string // names
	Method, Path string
	Status       string
	StatusKind   string
	Failure      string
	Verdict      verdict
}

// list returns a page of the exchanges. It gets them one by one, because the sandbox copies them.
func (p *Page) list(q query, newest int64) (l list) {
	from := newest
	if q.Before != 0 {
		from = min(from, q.Before-1)
	}
	for n := from; n > 0; n-- {
		_, kept := p.source.Unredacted(n)
		switch {
		case !kept: // nor are those before it
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
		if r := p.row(n); r.Number != 0 { // otherwise it has left the history meanwhile
			l.Rows = append(l.Rows, r)
		}
	}
	return l
}

// row returns the row of an exchange; the zero value if it is not in the history.
func (p *Page) row(number int64) row {
	return p.rows.get(number, func() row {
		ex, has := p.source.Summary(number)
		raw, still := p.source.Unredacted(number)
		if !has || !still {
			return row{}
		}
		r := p.newRow(&ex, &raw)
		r.Verdict.found = nil // a list does not display them
		return r
	})
}

func (p *Page) newRow(ex, raw *sandbox.Exchange) row {
	return row{
		Number: ex.Number, At: ex.At, Took: fmt.Sprintf("%.2f ms", ex.Took.Seconds()*1000),
		Caller: clip(ex.Account, maxCell), Key: clip(ex.APIKey, maxCell),
		Method: clip(ex.Method, maxCell), Path: clip(ex.URL, maxCell),
		Status: statusText(ex.Status), StatusKind: statusKind(ex.Status),
		Failure: clip(ex.Failure, maxCell), Verdict: p.verdict(raw),
	}
}

// cache caches values made from exchanges, which never change, so that each is redacted, checked and formatted once for
// all readers. It holds at most max entries, and evicts the oldest.
type cache[K comparable, V any] struct {
	max int

	mu      sync.Mutex
	entries map[K]func() V
	order   []K // the oldest first
}

// get returns the entry of a key, and creates it if there is none. Concurrent callers with the same key wait for the
// first one.
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

const (
	maxCell = 120  // bytes of a string in a table
	maxText = 2000 // bytes of other strings: a header, a line of a body, a message
)

// clip returns at most n bytes of a string, made printable, and the number of bytes that it omits.
func clip(s string, n int) string {
	if len(s) <= n {
		return printable.Text(s)
	}
	for i := 0; i < utf8.UTFMax-1 && !utf8.RuneStart(s[n]); i++ {
		n--
	}
	return fmt.Sprintf("%s … and %d bytes more", printable.Text(s[:n]), len(s)-n)
}

// statusText returns a status with its name, so that the colour is not the only sign.
func statusText(status int) string {
	if status == 0 {
		return "no response"
	}
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}

// statusKind returns the class of the style sheet for a status.
func statusKind(status int) string {
	switch {
	case status >= 500:
		return "fails"
	case status >= 400:
		return "drift"
	case status >= 200:
		return "conforms"
	default:
		return "none"
	}
}
