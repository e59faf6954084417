package page

import (
	"time"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

const (
	mostRows   = 100  // exchanges in a list
	mostLooked = 1000 // exchanges that are looked at for a list of those with findings
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
	Trouble      string
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
		case from-n == mostLooked:
			l.Older = n + 1
			return l
		case q.Only && p.row(n).Verdict.Kind != kinds[failing].class:
			continue
		case len(l.Rows) == mostRows:
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
		Caller: clip(ex.Account, mostCell), Key: clip(ex.APIKey, mostCell),
		Method: clip(ex.Method, mostCell), Path: clip(ex.URL, mostCell),
		Status: statusText(ex.Status), StatusKind: statusKind(ex.Status),
		Trouble: clip(ex.Trouble, mostCell), Verdict: p.verdict(raw),
	}
}
