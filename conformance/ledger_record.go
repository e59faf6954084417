package conformance

import (
	"bytes"
	"slices"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// alike are exchanges of one batch that conform and bear on the same claims. Most do, so they are counted together.
type alike struct {
	kept        bitset
	accepted    bool
	count       int
	first, last *traffic.Record
}

// mostAlike bounds how many groups are looked through for each exchange.
const mostAlike = 8

// record weighs a record, on its bytes where that is enough. The error is that it cannot be decoded.
func (l *Ledger) record(r *traffic.Record) error {
	v, w := &l.view, l.weigher
	viewed := r.View(v)
	if viewed {
		if op, sure := w.contract.plainOperation(v); sure {
			switch {
			case op == nil:
				l.counts.Unmatched++
				return nil
			case v.Status == 0:
				l.counts.Unanswered++
				return nil
			}
			if w.conforms(op, v) && l.drifts(r, op, v) {
				l.conforms(r, v.Status/100 == 2)
				return nil
			}
		}
	}
	ex, err := r.Exchange()
	if err != nil {
		return err
	}
	findings, err := l.weigh(ex, r.Index)
	if err == nil && viewed {
		w.drifts.learn(w.contract.operation(ex.Method, ex.URL), ex, v, findings)
	}
	return nil // what it was not about is counted
}

// drifts takes the undocumented headers of an exchange that is proven otherwise. It reports false, and takes nothing, where
// one of them was not met before beside the same credentials.
func (l *Ledger) drifts(r *traffic.Record, op *operation, v *traffic.View) bool {
	w := l.weigher
	if len(w.strange) == 0 {
		return true
	}
	if !w.drifts.isBeside(op, v) {
		return false
	}
	l.met = l.met[:0]
	for _, i := range w.strange {
		f := w.drifts.find(v.Status, v.Response.Fields[i].Name)
		if f == nil {
			return false
		}
		if !slices.Contains(l.met, f) { // a header may stand there twice
			l.met = append(l.met, f)
		}
	}
	source := sighting(r.Source(), r.Index).Exchange
	slices.SortFunc(l.met, func(a, b *Finding) int { return compareFindings(*a, *b) })
	for _, f := range l.met {
		met := *f
		met.Exchange, met.Index = source, r.Index
		l.take(met)
	}
	return true
}

// conforms counts the evidence of the weigher's last exchange, later.
func (l *Ledger) conforms(r *traffic.Record, accepted bool) {
	l.judged++
	if accepted {
		l.counts.Accepted++
	}
	kept := l.weigher.evidence.kept
	for i := range l.alike {
		if a := &l.alike[i]; a.accepted == accepted && a.kept.equal(kept) {
			a.count++
			a.last = r
			return
		}
	}
	if len(l.alike) == mostAlike {
		l.settle()
	}
	if len(l.alike) < cap(l.alike) {
		l.alike = l.alike[:len(l.alike)+1] // with the memory of a group that was settled
	} else {
		l.alike = append(l.alike, alike{})
	}
	a := &l.alike[len(l.alike)-1]
	if a.kept == nil {
		a.kept = make(bitset, len(kept))
	}
	copy(a.kept, kept)
	a.accepted, a.count, a.first, a.last = accepted, 1, r, r
}

// settle counts what was kept for later. The records are valid no longer afterwards.
func (l *Ledger) settle() {
	for i := range l.alike {
		a := &l.alike[i]
		first, last := sighting(a.first.Source(), a.first.Index), sighting(a.last.Source(), a.last.Index)
		l.countKept(a.kept, a.count, first, last)
		a.first, a.last = nil, nil
	}
	l.alike = l.alike[:0]
}

// plainOperation finds the operation of a view, or nil for none, as [Contract.operation] does of a parsed URL. It is not
// sure about URLs that are anything but a scheme, a host, a path and a query.
func (c *Contract) plainOperation(v *traffic.View) (op *operation, sure bool) {
	scheme, rest, found := bytes.Cut(v.URL, []byte("://"))
	if !found || string(scheme) != "https" && string(scheme) != "http" {
		return nil, false
	}
	rest, query, _ := bytes.Cut(rest, []byte("?"))
	for _, b := range query {
		if b <= ' ' || b >= 0x7f || b == '#' || b == '%' {
			return nil, false
		}
	}
	slash := bytes.IndexByte(rest, '/')
	if slash <= 0 {
		return nil, false
	}
	host, path := rest[:slash], rest[slash:]
	if colon := bytes.IndexByte(host, ':'); colon >= 0 {
		for _, b := range host[colon+1:] {
			if b < '0' || b > '9' {
				return nil, false
			}
		}
		host = host[:colon]
	}
	if len(host) == 0 || !areUnreserved(host) || !areUnreserved(path) {
		return nil, false
	}
	for _, op := range c.operations {
		if string(v.Method) == op.method && op.path.matchBytes(path) {
			return op, true
		}
	}
	return nil, true
}
