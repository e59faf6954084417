package conformance

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/credentials"
)

// MissingCredentialsError is a warning about a recording: some of its requests need a credential, and none has it. It was
// probably removed from the recording, so that requests without it are neither findings nor evidence.
type MissingCredentialsError struct {
	File  string   // name of the recording
	Names []string // of the credentials, sorted
}

// Error names the recording and the credentials.
func (e *MissingCredentialsError) Error() string {
	return fmt.Sprintf("%s: the recording has no credentials: no request has %s. They were probably removed, so accepted "+
		"requests without them are not reported; to check them, record again, or put placeholders in their place",
		e.File, strings.Join(e.Names, " or "))
}

// held is what a ledger holds back of a recording until the end of it: what its exchanges say about credentials that they
// lack.
type held struct {
	recording *credentials.Recording
	places    map[string]*heldPlace
	exchanges map[string]int // by the places of the credentials that they lack, joined
	alone     map[string]int // those of them that have no other finding
}

// heldPlace is what is held back about the credential at one place.
type heldPlace struct {
	findingList

	tallies map[int]*tally // by claim
}

// hold takes what the last exchange says about credentials out of its findings and evidence. It returns the other findings.
func (l *Ledger) hold(recording *credentials.Recording, findings []Finding, at Occurrence) []Finding {
	if recording == nil {
		return findings
	}
	if l.held != nil && l.held.recording != recording { // no other exchange of it follows
		l.release()
	}
	e := &l.checker.evidence
	isHeld := func(f Finding) bool { return f.Rule == ruleSecurity }
	if e.enforcedPlace == "" && !slices.ContainsFunc(findings, isHeld) {
		return findings
	}
	if l.held == nil {
		l.held = &held{recording, map[string]*heldPlace{}, map[string]int{}, map[string]int{}}
	}
	if e.enforcedPlace != "" {
		l.held.tally(e.enforcedPlace, e.enforced, at).supported++
		l.held.exchanges[e.enforcedPlace]++
		e.enforced = noClaim
		return findings
	}
	var places []string
	var others []Finding
	for _, f := range findings {
		if !isHeld(f) {
			others = append(others, f)
			continue
		}
		places = append(places, f.Pointer)
		claim := l.contract.claimIndex(f.Part, f.Spec.Pointer)
		e.violated.Remove(claim)
		l.held.tally(f.Pointer, claim, at).refuted++
		l.held.places[f.Pointer].addFinding(f)
	}
	key := strings.Join(places, "\x00")
	l.held.exchanges[key]++
	if !slices.ContainsFunc(others, func(f Finding) bool { return f.Fails() }) {
		l.held.alone[key]++
	}
	return others
}

// tally returns the tally of a claim about the credential at a place, for an exchange.
func (h *held) tally(place string, claim int, at Occurrence) *tally {
	p := h.places[place]
	if p == nil {
		p = &heldPlace{newFindingList(), map[int]*tally{}}
		h.places[place] = p
	}
	if p.tallies[claim] == nil {
		p.tallies[claim] = &tally{}
	}
	p.tallies[claim].note(at, at)
	return p.tallies[claim]
}

// release adds what is held back about the credentials that the recording has, and drops the rest.
func (l *Ledger) release() {
	h := l.held
	if h == nil {
		return
	}
	l.held = nil
	for place, p := range h.places {
		if !h.recording.Has(place) {
			continue
		}
		l.absorb(&p.findingList)
		for claim, t := range p.tallies {
			to := &l.tallies[claim]
			to.note(t.first, t.last)
			to.supported += t.supported
			to.refuted += t.refuted
		}
	}
	for key, n := range h.exchanges {
		places := strings.Split(key, "\x00")
		if slices.ContainsFunc(places, h.recording.Has) {
			l.counts.Deviating += h.alone[key]
		}
		if slices.ContainsFunc(places, func(place string) bool { return !h.recording.Has(place) }) {
			l.counts.CredentialsOmitted += n
		}
	}
}
