package conformance

import (
	"cmp"
	"errors"
	"maps"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/bitset"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// Ledger checks exchanges and adds up their evidence for each claim. It is not safe for concurrent use; [Contract.Verify]
// uses one for each goroutine.
type Ledger struct {
	findingList

	contract *Contract
	next     int64
	checker  *checker
	tallies  []tally // by claim
	streak   streak  // not yet in the tallies
	held     *held   // nil if nothing is held back
	checked  int
	hosts    map[string]int // exchanges of other hosts
}

// findingList has findings within bounds, and the counts of all.
type findingList struct {
	counts     Summary
	deviations map[string]*deviationTally // by fingerprint
	largest    string                     // fingerprint of the deviations; "" if unknown
	limit      int                        // for the listed findings of one deviation
	listed     int
}

func newFindingList() findingList {
	return findingList{deviations: map[string]*deviationTally{}, limit: listLimits[0]}
}

// tally is the evidence for one claim.
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

// streak is consecutive exchanges that satisfy the same claims.
type streak struct {
	satisfied   bitset.Set
	count       int
	first, last Occurrence
}

// deviationTally is a deviation with its listed findings.
type deviationTally struct {
	Deviation

	listed []Finding
	last   int64 // index of the last exchange in Exchanges
}

// occurrenceOf makes the source valid UTF-8 for JSON, as a file name need not be.
func occurrenceOf(source string, index int64) Occurrence {
	return Occurrence{strings.ToValidUTF8(source, "\uFFFD"), index}
}

// NewLedger returns an empty ledger for the contract.
func (c *Contract) NewLedger() *Ledger {
	return &Ledger{findingList: newFindingList(), contract: c, checker: c.newChecker(), tallies: make([]tally, len(c.claims)),
		hosts: map[string]int{}}
}

// Add checks an exchange, as [Contract.Check] does, and adds its evidence. It numbers exchanges from 0, for
// [Finding.Index].
func (l *Ledger) Add(ex *traffic.Exchange) ([]Finding, error) {
	l.next++
	return l.addAt(indexed{ex, l.contract.target(ex.Method, ex.URL), l.next - 1, nil})
}

// Report returns a report of the exchanges so far.
func (l *Ledger) Report() *Report {
	l.endStreak()
	l.release()
	c := l.contract
	r := &Report{Spec: c.Spec(), Exchanges: l.checked, Summary: l.counts, Unchecked: c.Unchecked}
	for host, n := range l.hosts {
		r.OtherHosts = append(r.OtherHosts, HostCount{host, n})
	}
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

// addAt is Add for the exchange at a position in the traffic. What it says about credentials is held back until the next
// recording, if it is of one.
func (l *Ledger) addAt(ex indexed) ([]Finding, error) {
	findings, err := l.checker.check(ex.Exchange, ex.target)
	if err != nil {
		l.skip(ex.URL, err)
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
	for i := range findings {
		findings[i].Index = ex.index
	}
	slices.SortStableFunc(findings, compareFindings)
	at := occurrenceOf(ex.Source, ex.index)
	others := l.hold(ex.recording, findings, at)
	l.count(&l.checker.evidence, at)
	deviates := false
	for i := range others {
		deviates = deviates || others[i].Fails()
		l.addFinding(others[i])
	}
	if deviates {
		l.counts.Deviating++
	}
	return findings, nil
}

// skip counts an exchange that is not checked.
func (l *Ledger) skip(u *url.URL, why error) {
	switch {
	case errors.Is(why, ErrNoOperation):
		l.counts.Unmatched++
	case errors.Is(why, ErrNoResponse):
		l.counts.Unanswered++
	case errors.Is(why, ErrOtherHost):
		l.counts.OtherHosts++
		l.hosts[strings.ToValidUTF8(strings.ToLower(u.Hostname()), "\uFFFD")]++
		limitHosts(l.hosts)
	default:
		l.counts.Unreadable++
	}
}

// addUnreadable counts an exchange that cannot be read: whether it is for an operation, if that is known. It reports whether
// the exchange may be for one.
func (l *Ledger) addUnreadable(e *traffic.EntryError) bool {
	var why error = e
	if e.URL != nil {
		if of := l.contract.target(e.Method, e.URL); of.err != nil {
			why = of.err
		}
	}
	l.skip(e.URL, why)
	return errors.As(why, new(*traffic.EntryError))
}

// maxHosts is the maximum number of other hosts in a report: those with the smallest names, as with deviations.
const maxHosts = 100

func limitHosts(hosts map[string]int) {
	for len(hosts) > maxHosts {
		delete(hosts, slices.Max(slices.Collect(maps.Keys(hosts))))
	}
}

// compareFindings orders findings by their position in the traffic, and within an exchange so that the order does not
// depend on the number of goroutines or shards.
func compareFindings(a, b Finding) int {
	return cmp.Or(cmp.Compare(a.Index, b.Index), cmp.Compare(a.Part, b.Part), cmp.Compare(a.Pointer, b.Pointer),
		cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Fingerprint, b.Fingerprint), cmp.Compare(a.Message, b.Message),
		cmp.Compare(a.Claim, b.Claim), cmp.Compare(a.Spec.Pointer, b.Spec.Pointer))
}

// count adds the evidence of one exchange. Most exchanges satisfy the same claims as the one before, so they are
// counted by streaks.
func (l *Ledger) count(e *evidence, at Occurrence) {
	if !slices.Equal(e.satisfied, l.streak.satisfied) {
		l.endStreak()
		l.streak.satisfied = append(l.streak.satisfied, e.satisfied...)
		l.streak.first = at
	}
	l.streak.count++
	l.streak.last = at
	for i := range e.violated.All() {
		l.tallies[i].note(at, at)
		l.tallies[i].refuted++
	}
	if e.enforced != noClaim {
		l.tallies[e.enforced].note(at, at)
		l.tallies[e.enforced].supported++
	}
}

// endStreak adds the streak to the tallies.
func (l *Ledger) endStreak() {
	s := &l.streak
	for i := range s.satisfied.All() {
		t := &l.tallies[i]
		t.note(s.first, s.last)
		if l.contract.claims[i].Part.ofRequest() {
			t.consistent += s.count
		} else {
			t.supported += s.count
		}
	}
	s.satisfied, s.count = s.satisfied[:0], 0
}

// findings counts the findings of every source.
func (l *findingList) findings() int {
	return l.counts.Documented + l.counts.Assumed + l.counts.Drift + l.counts.Notes
}

// A run over endless traffic needs bounded memory. A report lists at most listLimits[0] findings of a deviation, and fewer
// if it would list more than maxListed in all. It has at most maxDeviations deviations, those with the smallest
// fingerprints. The lists depend on the traffic alone, not on the number of goroutines or shards, unless both bounds are
// exceeded: then their length may differ.
var listLimits = []int{1000, 100, 10, 1}

const (
	maxListed     = 20_000
	maxDeviations = 5_000
)

// addFinding counts a finding and lists it within the bounds.
func (l *findingList) addFinding(f Finding) {
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

// absorb adds the findings of another list.
func (l *findingList) absorb(other *findingList) {
	l.counts = l.counts.plus(other.counts)
	for fingerprint, k := range other.deviations {
		same := l.deviations[fingerprint]
		if same == nil {
			l.deviations[fingerprint], l.largest = k, ""
			k.listed = k.listed[:min(len(k.listed), l.limit)]
			l.listed += len(k.listed)
		} else {
			same.add(k.Deviation)
			same.last = max(same.last, k.last)
			more := k.listed[:min(len(k.listed), l.limit-min(l.limit, len(same.listed)))]
			same.listed = append(same.listed, more...)
			l.listed += len(more)
		}
		l.shrink()
	}
}

// shrink removes findings and deviations beyond the bounds.
func (l *findingList) shrink() {
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

// largestFingerprint returns the largest fingerprint of the deviations. It searches only after a removal.
func (l *findingList) largestFingerprint() string {
	if l.largest == "" {
		for fingerprint := range l.deviations {
			l.largest = max(l.largest, fingerprint)
		}
	}
	return l.largest
}

// evidence is the evidence of one exchange. A claim in neither set does not apply to it.
type evidence struct {
	satisfied bitset.Set
	violated  bitset.Set
	enforced  int // the claim that the request violates and that the server rejected it for, or noClaim
	// enforcedPlace is the place of the credential that enforced is about, or "".
	enforcedPlace string
}

func (e *evidence) reset() {
	clear(e.satisfied)
	clear(e.violated)
	e.enforced, e.enforcedPlace = noClaim, ""
}
