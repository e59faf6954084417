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

// list asks for one exchange after the other, as the sandbox copies and redacts what it hands out.
func (p *Page) list(q query, newest int64) (l list) {
	from := newest
	if q.Before != 0 {
		from = min(from, q.Before-1)
	}
	for n := from; n > 0; n-- {
		raw, kept := p.source.Unredacted(n)
		switch {
		case !kept: // and none before it
			return l
		case from-n == mostLooked:
			l.Older = n + 1
			return l
		case q.Only && p.verdicts.of(&raw).Kind != kinds[failing].class:
			continue
		case len(l.Rows) == mostRows:
			l.Older = n + 1
			return l
		}
		if ex, kept := p.source.Exchange(n); kept {
			l.Rows = append(l.Rows, p.row(&ex))
		}
	}
	return l
}

func (p *Page) row(ex *sandbox.Exchange) row {
	return row{
		Number: ex.Number, At: ex.At, Took: took(ex.Took),
		Caller: clip(ex.Account, mostCell), Key: clip(ex.APIKey, mostCell),
		Method: clip(ex.Method, mostCell), Path: clip(ex.URL, mostCell),
		Status: statusText(ex.Status), StatusKind: statusKind(ex.Status),
		Trouble: clip(ex.Trouble, mostCell), Verdict: p.verdicts.of(ex),
	}
}
