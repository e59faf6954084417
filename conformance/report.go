package conformance

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// ReportVersion is the version of [Report]'s JSON form. A member that is removed or retyped makes a new one.
const ReportVersion = 1

// Report is what a run showed, in the form in which it is printed, kept and merged. Where the same traffic is weighed
// against the same spec, the report is the same, however many goroutines or machines took part.
type Report struct {
	Version    int         `json:"version"` // [ReportVersion]
	Spec       SpecInfo    `json:"spec"`
	Shards     *Shards     `json:"shards,omitempty"` // nil for a whole run, and for all shards of one merged
	Exchanges  int         `json:"exchanges"`        // how many were judged
	Summary    Summary     `json:"summary"`
	Findings   []Finding   `json:"findings"`   // deviations from the contract, in the order of the traffic
	Drift      []Finding   `json:"drift"`      // what no claim covers, likewise
	Notes      []Finding   `json:"notes"`      // what conforms and may surprise, likewise
	Known      []Finding   `json:"known"`      // deviations that were expected, see [Report.ApplyKnown]
	Deviations []Deviation `json:"deviations"` // each deviation once, by fingerprint; of all four lists
	Claims     []Evidence  `json:"claims"`     // by ID
	Unchecked  []Unchecked `json:"unchecked"`  // what the spec claims and nobody looked at
}

// SpecInfo identifies a spec.
type SpecInfo struct {
	Title   string `json:"title"`
	Version string `json:"version"`
	SHA256  string `json:"sha256"` // of the file, in hexadecimal
}

// Shards says of which shards of a run a report is.
type Shards struct {
	Of    int   `json:"of"`
	Parts []int `json:"parts"` // sorted, from 1
}

// Summary counts a run.
type Summary struct {
	Conforms   bool `json:"conforms"` // something was judged, and there is no finding but known ones
	Findings   int  `json:"findings"`
	Documented int  `json:"documented"` // findings against what the vendor states: the server deviates
	Assumed    int  `json:"assumed"`    // findings against what the spec assumes: the spec may be wrong
	Drift      int  `json:"drift"`
	Notes      int  `json:"notes"`
	Known      int  `json:"known"`
	Deviating  int  `json:"deviating"`  // exchanges with a finding, known or not
	Accepted   int  `json:"accepted"`   // exchanges answered 2xx; without any, the evidence is vacuous
	Unmatched  int  `json:"unmatched"`  // exchanges for no operation of the contract, not judged
	Unanswered int  `json:"unanswered"` // exchanges without an answer, not judged
	// BodiesOmitted counts the judged responses whose body the recording does not hold, RequestBodiesOmitted the requests,
	// HeadersOmitted the exchanges of which it lacks a header.
	BodiesOmitted        int `json:"bodies_omitted"`
	RequestBodiesOmitted int `json:"request_bodies_omitted"`
	HeadersOmitted       int `json:"headers_omitted"`
	// Unlisted counts what is not in the lists: they hold at most a thousand of one kind, and fewer where the kinds are
	// many.
	Unlisted int `json:"unlisted"`
	// Claims counts the claims of the spec, Observed those that traffic was not silent about.
	Claims   int `json:"claims"`
	Observed int `json:"observed"`
}

// Coverage returns the share of the claims that traffic was not silent about, in percent, 0 to 100. What needs a
// recording and has none counts against it.
func (s Summary) Coverage() float64 {
	if s.Claims == 0 {
		return 0
	}
	return 100 * float64(s.Observed) / float64(s.Claims)
}

// Vacuous reports whether the run shows next to nothing: no exchange was accepted, so that none of the answers that
// the operations exist for was seen.
func (s Summary) Vacuous() bool { return s.Accepted == 0 }

// Occurrence is an exchange in the traffic.
type Occurrence struct {
	Exchange string `json:"exchange"` // see [traffic.Exchange]
	Index    int64  `json:"index"`    // position in the whole traffic, from 0
}

// Kind is one deviation, however often it was met.
type Deviation struct {
	Fingerprint string     `json:"fingerprint"`
	Rule        string     `json:"rule"`
	Part        Part       `json:"part"`
	Pointer     string     `json:"pointer"` // of its first finding
	Operation   string     `json:"operation"`
	Status      int        `json:"status"`
	Claim       string     `json:"claim,omitempty"`
	Source      Source     `json:"source"`
	Spec        Location   `json:"spec"`
	Message     string     `json:"message"`   // of its first finding
	Findings    int        `json:"findings"`  // how often
	Exchanges   int        `json:"exchanges"` // in how many
	First       Occurrence `json:"first"`
	Last        Occurrence `json:"last"`
	Observed    *Observed  `json:"observed,omitempty"`
	Known       string     `json:"known,omitempty"` // why it was expected
}

// State is what a run says of a claim.
type State string

// The states of a claim. One refuted once is refuted.
const (
	Supported  State = "supported"
	Refuted    State = "refuted"
	Consistent State = "consistent" // accepted requests kept it, and none that breaks it was refused
	Unobserved State = "unobserved"
)

// Evidence is a claim with what traffic said of it.
type Evidence struct {
	Claim

	State State `json:"state"`
	// Supported counts the exchanges that confirm the claim: an answer that keeps it, or a request that broke it, nothing
	// else, and was refused for it.
	Supported int `json:"supported"`
	// Consistent counts the accepted requests that keep it: no proof that others are refused.
	Consistent int         `json:"consistent"`
	Refuted    int         `json:"refuted"`         // exchanges that break it
	First      *Occurrence `json:"first,omitempty"` // the first exchange that counts above
	Last       *Occurrence `json:"last,omitempty"`
}

// Merge adds up the reports of shards of one run over one traffic. The order of the arguments does not matter. What is
// merged from all shards is the report of the whole run; where some are missing, Shards says which are there. Reports of
// different specs, or of the same shard, or that known failures were applied to, are an error.
func Merge(reports ...*Report) (*Report, error) {
	if len(reports) == 0 {
		return nil, errors.New("there is no report to merge")
	}
	parts := map[int]bool{}
	for _, r := range reports {
		switch {
		case r.Version != ReportVersion:
			return nil, fmt.Errorf("a report of version %d, and only %d can be read", r.Version, ReportVersion)
		case r.Spec != reports[0].Spec:
			return nil, fmt.Errorf("the reports are of different specs: %s and %s", reports[0].Spec.SHA256, r.Spec.SHA256)
		case len(r.Known) > 0:
			return nil, errors.New("known failures are applied to the merged report, not before")
		case len(reports) == 1:
			return merge(reports).of(r.Shards, nil), nil
		case r.Shards == nil:
			return nil, errors.New("the report of a whole run cannot be merged with others")
		case r.Shards.Of != reports[0].Shards.Of:
			return nil, fmt.Errorf("the reports are of shards of %d and of %d", reports[0].Shards.Of, r.Shards.Of)
		}
		for _, part := range r.Shards.Parts {
			if parts[part] {
				return nil, fmt.Errorf("two reports of shard %d of %d", part, r.Shards.Of)
			}
			parts[part] = true
		}
	}
	return merge(reports).of(reports[0].Shards, slices.Sorted(maps.Keys(parts))), nil
}

// of notes which shards a sum is of; without parts, those that are given.
func (r *Report) of(shards *Shards, parts []int) *Report {
	switch {
	case shards == nil || len(parts) == shards.Of:
	case parts == nil:
		r.Shards = shards
	default:
		r.Shards = &Shards{Of: shards.Of, Parts: parts}
	}
	return r
}
