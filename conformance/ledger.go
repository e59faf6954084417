package conformance

import (
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// Ledger adds up what exchanges say of each claim. It is not safe for concurrent use: one for each goroutine, and
// [Merge] for their reports.
type Ledger struct {
	contract *Contract
	next     int64
	checker  *checker
	tallies  []tally // by claim
	counts   Summary
	judged   int
	kinds    map[string]*kindTally
	largest  string // of the kinds' fingerprints; "" where that is not known
	limit    int    // of what is listed of one kind
	listed   int
}

// tally is what a ledger knows of one claim.
type tally struct {
	supported, consistent, refuted int
	first, last                    Sighting
}

// seen takes in a sighting, which is behind those before in the order of the traffic.
func (t *tally) seen(at Sighting) {
	if t.supported+t.consistent+t.refuted == 0 {
		t.first = at
	}
	t.last = at
}

// kindTally is what a ledger knows of one deviation.
type kindTally struct {
	Kind

	listed []Finding
	last   int64 // index of the exchange that was counted last
}

// sighting takes the name of a file, which need not be UTF-8 as JSON is.
func sighting(source string, index int64) Sighting {
	return Sighting{strings.ToValidUTF8(source, "\uFFFD"), index}
}

// NewLedger returns a ledger in which nothing was weighed yet.
func (c *Contract) NewLedger() *Ledger {
	return &Ledger{contract: c, checker: c.newChecker(), tallies: make([]tally, len(c.claims)),
		kinds: map[string]*kindTally{}, limit: listLimits[0]}
}

// Weigh judges an exchange, as [Contract.Check] does, and adds its evidence. It counts the exchanges from 0.
func (l *Ledger) Weigh(ex *traffic.Exchange) ([]Finding, error) {
	l.next++
	return l.weigh(ex, l.next-1)
}

// Report returns what the ledger shows so far.
func (l *Ledger) Report() *Report {
	c := l.contract
	r := &Report{Spec: SpecInfo{c.title, c.version, c.hash}, Exchanges: l.judged, Summary: l.counts, Unchecked: c.Unchecked}
	for _, k := range l.kinds {
		r.Kinds = append(r.Kinds, k.Kind)
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
