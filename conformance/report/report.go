// Package report adds up what [conformance.Contract.Check] found in a run, and prints it.
package report

import (
	"errors"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// Report is the result of a run. Its JSON form is what `fleetio verify --format json` prints.
type Report struct {
	Exchanges int                   `json:"exchanges"` // how many were judged
	Findings  []conformance.Finding `json:"findings"`  // in the order of the exchanges; never null
	Summary   Summary               `json:"summary"`

	kinds map[string]*kind // by fingerprint
}

// kind is what a run says of one deviation.
type kind struct {
	listed    int
	exchanges int
	last      string // the exchange that was counted last
}

// A run over traffic without end must not take memory without end. What is not listed is counted.
const (
	mostOfAKind = 1000
	mostKinds   = 10_000
)

// Summary counts a run.
type Summary struct {
	Conforms   bool `json:"conforms"` // something was judged, and there is no finding
	Findings   int  `json:"findings"`
	Documented int  `json:"documented"` // findings against what the vendor states: the server deviates
	Assumed    int  `json:"assumed"`    // findings against what the spec assumes: the spec may be wrong
	Deviating  int  `json:"deviating"`  // exchanges with a finding
	Unmatched  int  `json:"unmatched"`  // exchanges for no operation of the contract, not judged
	Unanswered int  `json:"unanswered"` // exchanges without an answer, not judged
	// BodiesOmitted counts the judged responses whose body the recording does not hold, RequestBodiesOmitted the requests,
	// HeadersOmitted the exchanges of which it lacks a header.
	BodiesOmitted        int `json:"bodies_omitted"`
	RequestBodiesOmitted int `json:"request_bodies_omitted"`
	HeadersOmitted       int `json:"headers_omitted"`
	// Unlisted counts the findings that are not in the list: of one kind it holds a thousand.
	Unlisted int `json:"unlisted"`
}

// New returns the report of a run in which nothing was judged yet.
func New() *Report {
	return &Report{Findings: []conformance.Finding{}, kinds: map[string]*kind{}}
}

// Add takes in what Check returned for an exchange. An error that is not one of Check's is returned as it is.
func (r *Report) Add(ex *traffic.Exchange, findings []conformance.Finding, err error) error {
	s := &r.Summary
	switch {
	case errors.Is(err, conformance.ErrNoOperation):
		s.Unmatched++
		return nil
	case errors.Is(err, conformance.ErrNoAnswer):
		s.Unanswered++
		return nil
	case err != nil:
		return err
	}
	r.Exchanges++
	if ex.Response.BodyOmitted {
		s.BodiesOmitted++
	}
	if ex.Request.BodyOmitted {
		s.RequestBodiesOmitted++
	}
	if ex.Request.HeaderOmitted || ex.Response.HeaderOmitted {
		s.HeadersOmitted++
	}
	if len(findings) > 0 {
		s.Deviating++
	}
	for _, f := range findings {
		s.Findings++
		if f.Basis == conformance.Assumed {
			s.Assumed++
		} else {
			s.Documented++
		}
		r.list(f)
	}
	s.Conforms = s.Findings == 0
	return nil
}

func (r *Report) list(f conformance.Finding) {
	k := r.kinds[f.Fingerprint]
	if k == nil {
		if len(r.kinds) == mostKinds {
			r.Summary.Unlisted++
			return
		}
		k = &kind{}
		r.kinds[f.Fingerprint] = k
	}
	if k.exchanges == 0 || k.last != f.Exchange {
		k.exchanges++
		k.last = f.Exchange
	}
	if k.listed == mostOfAKind {
		r.Summary.Unlisted++
		return
	}
	k.listed++
	r.Findings = append(r.Findings, f)
}
