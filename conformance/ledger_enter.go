package conformance

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

func (l *Ledger) weigh(ex *traffic.Exchange, index int64) ([]Finding, error) {
	findings, err := l.checker.check(ex)
	return l.enter(ex, index, findings, err)
}

// enter adds what an exchange came to.
func (l *Ledger) enter(ex *traffic.Exchange, index int64, findings []Finding, err error) ([]Finding, error) {
	switch {
	case errors.Is(err, ErrNoOperation):
		l.counts.Unmatched++
		return nil, err
	case errors.Is(err, ErrNoAnswer):
		l.counts.Unanswered++
		return nil, err
	}
	l.judged++
	if ex.Response.BodyOmitted {
		l.counts.BodiesOmitted++
	}
	if ex.Request.BodyOmitted {
		l.counts.RequestBodiesOmitted++
	}
	if ex.Request.HeaderOmitted || ex.Response.HeaderOmitted {
		l.counts.HeadersOmitted++
	}
	if ex.Status/100 == 2 {
		l.counts.Accepted++
	}
	l.count(&l.checker.evidence, sighting(ex.Source, index))
	for i := range findings {
		findings[i].Index = index
	}
	slices.SortStableFunc(findings, compareFindings)
	deviates := false
	for i := range findings {
		deviates = deviates || findings[i].Fails()
		l.take(findings[i])
	}
	if deviates {
		l.counts.Deviating++
	}
	return findings, nil
}

// compareFindings is the order of every list: that of the traffic, and within an exchange one that does not depend on
// how it was judged.
func compareFindings(a, b Finding) int {
	return cmp.Or(cmp.Compare(a.Index, b.Index), cmp.Compare(a.Part, b.Part), cmp.Compare(a.Pointer, b.Pointer),
		cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Fingerprint, b.Fingerprint), cmp.Compare(a.Message, b.Message),
		cmp.Compare(a.Claim, b.Claim), cmp.Compare(a.Spec.Pointer, b.Spec.Pointer))
}

// count adds the evidence of one exchange.
func (l *Ledger) count(e *evidence, at Sighting) {
	for i := range e.satisfied.all() {
		t := &l.tallies[i]
		t.seen(at)
		if part := l.contract.claims[i].Part; part == RequestBody || part == RequestHeader {
			t.consistent++
		} else {
			t.supported++
		}
	}
	for i := range e.violated.all() {
		l.tallies[i].seen(at)
		l.tallies[i].refuted++
	}
	if e.enforced != noClaim {
		l.tallies[e.enforced].seen(at)
		l.tallies[e.enforced].supported++
	}
}

// found counts the findings of every basis.
func (l *Ledger) found() int {
	return l.counts.Documented + l.counts.Assumed + l.counts.Drift + l.counts.Notes
}

// A run over traffic without end must not take memory without end. Of one kind the first listLimits[0] findings are
// listed; where all lists together grow over mostListed, the limit falls. Of more kinds than mostKinds, those with the
// smallest fingerprints stay. All of that depends on the traffic alone, not on how it was dealt out; only beyond both
// bounds at once may the lists differ in length.
var listLimits = []int{1000, 100, 10, 1}

const (
	mostListed = 20_000
	mostKinds  = 10_000
)

// take counts a finding, and lists it.
func (l *Ledger) take(f Finding) {
	switch f.Basis {
	case Documented:
		l.counts.Documented++
	case Assumed:
		l.counts.Assumed++
	case Drift:
		l.counts.Drift++
	case Note:
		l.counts.Notes++
	}
	k := l.kinds[f.Fingerprint]
	at := sighting(f.Exchange, f.Index)
	if k == nil {
		if len(l.kinds) == mostKinds && f.Fingerprint > l.largestKind() {
			return
		}
		k = &kindTally{last: math.MinInt64, Kind: Kind{Fingerprint: f.Fingerprint, Rule: f.Rule, Part: f.Part,
			Pointer: f.Pointer, Operation: f.Operation, Status: f.Status, Claim: f.Claim, Basis: f.Basis, Verdict: f.Verdict,
			Spec: f.Spec, Message: f.Message, First: at}}
		l.kinds[f.Fingerprint] = k
	}
	k.Findings++
	k.Last = at
	if k.last != f.Index {
		k.Exchanges++
		k.last = f.Index
	}
	if f.Seen != nil {
		if k.Seen == nil {
			k.Seen = &Seen{}
		}
		k.Seen.Add(f.Seen)
	}
	if len(k.listed) < l.limit {
		k.listed = append(k.listed, f)
		l.listed++
	}
	l.shrink()
}

// shrink keeps the lists within their bounds.
func (l *Ledger) shrink() {
	for l.listed > mostListed {
		l.limit = listLimits[min(slices.Index(listLimits, l.limit)+1, len(listLimits)-1)]
		l.listed = 0
		for _, k := range l.kinds {
			k.listed = slices.Clip(k.listed[:min(len(k.listed), l.limit)])
			l.listed += len(k.listed)
		}
	}
	if len(l.kinds) > mostKinds {
		largest := l.largestKind()
		l.listed -= len(l.kinds[largest].listed)
		delete(l.kinds, largest)
		l.largest = ""
	}
}

// largestKind returns the largest fingerprint, which is looked for only when another has left.
func (l *Ledger) largestKind() string {
	if l.largest == "" {
		for fingerprint := range l.kinds {
			l.largest = max(l.largest, fingerprint)
		}
	}
	return l.largest
}
