package conformance

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// Ledger adds up what exchanges say of each claim. It is not safe for concurrent use: one for each goroutine, and
// [Merge] for their reports.
type Ledger struct {
	contract   *Contract
	next       int64
	checker    *checker
	tallies    []tally // by claim
	run        run     // not yet in the tallies
	counts     Summary
	checked    int
	deviations map[string]*deviationTally
	largest    string // of the deviations' fingerprints; "" where that is not known
	limit      int    // of what is listed of one deviation
	listed     int
}

// tally is what a ledger knows of one claim.
type tally struct {
	supported, consistent, refuted int
	first, last                    Occurrence
}

// note takes exchanges, which need not come in the order of the traffic.
func (t *tally) note(first, last Occurrence) {
	none := t.supported+t.consistent+t.refuted == 0
	if none || first.Index < t.first.Index {
		t.first = first
	}
	if none || last.Index > t.last.Index {
		t.last = last
	}
}

// run is a row of exchanges that satisfy the same claims.
type run struct {
	satisfied   bitset
	count       int
	first, last Occurrence
}

// deviationTally is what a ledger knows of one deviation.
type deviationTally struct {
	Deviation

	listed []Finding
	last   int64 // index of the exchange that was counted last
}

// occurrenceOf takes the name of a file, which need not be UTF-8 as JSON is.
func occurrenceOf(source string, index int64) Occurrence {
	return Occurrence{strings.ToValidUTF8(source, "\uFFFD"), index}
}

// NewLedger returns an empty ledger.
func (c *Contract) NewLedger() *Ledger {
	return &Ledger{contract: c, checker: c.newChecker(), tallies: make([]tally, len(c.claims)),
		deviations: map[string]*deviationTally{}, limit: listLimits[0]}
}

// Add checks an exchange, as [Contract.Check] does, and adds its evidence. It numbers the exchanges from 0.
func (l *Ledger) Add(ex *traffic.Exchange) ([]Finding, error) {
	l.next++
	return l.addAt(ex, l.next-1)
}

// Report returns what the ledger shows so far.
func (l *Ledger) Report() *Report {
	l.endRun()
	c := l.contract
	r := &Report{Spec: SpecInfo{c.title, c.version, c.hash}, Exchanges: l.checked, Summary: l.counts, Unchecked: c.Unchecked}
	for _, k := range l.deviations {
		r.Deviations = append(r.Deviations, k.Deviation)
		r.Findings = append(r.Findings, k.listed...)
	}
	for i, t := range l.tallies {
		e := Evidence{Claim: c.claims[i], Supported: t.supported, Consistent: t.consistent, Refuted: t.refuted}
		if t.supported+t.consistent+t.refuted > 0 {
			first, last := t.first, t.last
			e.First, e.Last = &first, &last
		}
		r.Claims = append(r.Claims, e)
	}
	return merge([]*Report{r})
}

// addAt is Add for the exchange at a position of the traffic.
func (l *Ledger) addAt(ex *traffic.Exchange, index int64) ([]Finding, error) {
	findings, err := l.checker.check(ex)
	switch {
	case errors.Is(err, ErrNoOperation):
		l.counts.Unmatched++
		return nil, err
	case errors.Is(err, ErrNoResponse):
		l.counts.Unanswered++
		return nil, err
	}
	l.checked++
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
	l.count(&l.checker.evidence, occurrenceOf(ex.Source, index))
	for i := range findings {
		findings[i].Index = index
	}
	slices.SortStableFunc(findings, compareFindings)
	deviates := false
	for i := range findings {
		deviates = deviates || findings[i].Fails()
		l.addFinding(findings[i])
	}
	if deviates {
		l.counts.Deviating++
	}
	return findings, nil
}

// compareFindings is the order of every list: that of the traffic, and within an exchange one that does not depend on
// how it was checked.
func compareFindings(a, b Finding) int {
	return cmp.Or(cmp.Compare(a.Index, b.Index), cmp.Compare(a.Part, b.Part), cmp.Compare(a.Pointer, b.Pointer),
		cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Fingerprint, b.Fingerprint), cmp.Compare(a.Message, b.Message),
		cmp.Compare(a.Claim, b.Claim), cmp.Compare(a.Spec.Pointer, b.Spec.Pointer))
}

// count adds the evidence of one exchange. Most exchanges satisfy the same claims as the one before, so that these are
// added up by runs.
func (l *Ledger) count(e *evidence, at Occurrence) {
	if !slices.Equal(e.satisfied, l.run.satisfied) {
		l.endRun()
		l.run.satisfied = append(l.run.satisfied, e.satisfied...)
		l.run.first = at
	}
	l.run.count++
	l.run.last = at
	for i := range e.violated.all() {
		l.tallies[i].note(at, at)
		l.tallies[i].refuted++
	}
	if e.enforced != noClaim {
		l.tallies[e.enforced].note(at, at)
		l.tallies[e.enforced].supported++
	}
}

// endRun adds up the run.
func (l *Ledger) endRun() {
	r := &l.run
	for i := range r.satisfied.all() {
		t := &l.tallies[i]
		t.note(r.first, r.last)
		if part := l.contract.claims[i].Part; part == RequestBody || part == RequestHeader {
			t.consistent += r.count
		} else {
			t.supported += r.count
		}
	}
	r.satisfied, r.count = r.satisfied[:0], 0
}

// findings counts the findings of every source.
func (l *Ledger) findings() int {
	return l.counts.Documented + l.counts.Assumed + l.counts.Drift + l.counts.Notes
}

// A run over traffic without end must not take memory without end. Of one deviation the first listLimits[0] findings are
// listed; where all lists together grow over maxListed, the limit falls. Of more deviations than maxDeviations, those with the
// smallest fingerprints stay. All of that depends on the traffic alone, not on how it was dealt out; only beyond both
// bounds at once may the lists differ in length.
var listLimits = []int{1000, 100, 10, 1}

const (
	maxListed     = 20_000
	maxDeviations = 10_000
)

// addFinding counts a finding, and lists it.
func (l *Ledger) addFinding(f Finding) {
	switch f.Source {
	case Documented:
		l.counts.Documented++
	case Assumed:
		l.counts.Assumed++
	case Drift:
		l.counts.Drift++
	case Note:
		l.counts.Notes++
	}
	k := l.deviations[f.Fingerprint]
	at := occurrenceOf(f.Exchange, f.Index)
	if k == nil {
		if len(l.deviations) == maxDeviations && f.Fingerprint > l.largestFingerprint() {
			return
		}
		k = &deviationTally{last: math.MinInt64, Deviation: Deviation{Fingerprint: f.Fingerprint, Rule: f.Rule, Part: f.Part,
			Pointer: f.Pointer, Operation: f.Operation, Status: f.Status, Claim: f.Claim, Source: f.Source,
			Spec: f.Spec, Message: f.Message, First: at}}
		l.deviations[f.Fingerprint] = k
	}
	k.Findings++
	k.Last = at
	if k.last != f.Index {
		k.Exchanges++
		k.last = f.Index
	}
	if f.Observed != nil {
		if k.Observed == nil {
			k.Observed = &Observed{}
		}
		k.Observed.Add(f.Observed)
	}
	if len(k.listed) < l.limit {
		k.listed = append(k.listed, f)
		l.listed++
	}
	l.shrink()
}

// shrink keeps the lists within their bounds.
func (l *Ledger) shrink() {
	for l.listed > maxListed {
		l.limit = listLimits[min(slices.Index(listLimits, l.limit)+1, len(listLimits)-1)]
		l.listed = 0
		for _, k := range l.deviations {
			k.listed = slices.Clip(k.listed[:min(len(k.listed), l.limit)])
			l.listed += len(k.listed)
		}
	}
	if len(l.deviations) > maxDeviations {
		largest := l.largestFingerprint()
		l.listed -= len(l.deviations[largest].listed)
		delete(l.deviations, largest)
		l.largest = ""
	}
}

// largestFingerprint returns the largest fingerprint, which is looked for only when another has left.
func (l *Ledger) largestFingerprint() string {
	if l.largest == "" {
		for fingerprint := range l.deviations {
			l.largest = max(l.largest, fingerprint)
		}
	}
	return l.largest
}
