package conformance

// ReportVersion is the version of the JSON form of [Report]. It changes when a property is removed or its type changes.
const ReportVersion = 1

// Report is the result of a run. It is equal for equal traffic and specs, whatever the number of goroutines and shards.
type Report struct {
	Version    int         `json:"version"` // [ReportVersion]
	Spec       SpecInfo    `json:"spec"`
	Shards     *Shards     `json:"shards,omitempty"` // nil for a whole run, and for the merged report of all shards
	Exchanges  int         `json:"exchanges"`        // that were checked
	Summary    Summary     `json:"summary"`
	Findings   []Finding   `json:"findings"`   // with source documented or assumed, in the order of the traffic
	Drift      []Finding   `json:"drift"`      // with source drift, likewise
	Notes      []Finding   `json:"notes"`      // with source note, likewise
	Known      []Finding   `json:"known"`      // known failures, see [Report.ApplyKnown]
	Deviations []Deviation `json:"deviations"` // the findings of all four lists, grouped by fingerprint
	Claims     []Evidence  `json:"claims"`     // by ID
	Unchecked  []Unchecked `json:"unchecked"`
	// OtherHosts are the hosts that [Summary.OtherHosts] counts, by name: the first 100 of them.
	OtherHosts []HostCount `json:"other_hosts,omitempty"`
}

// HostCount is a host with the number of its exchanges.
type HostCount struct {
	Host      string `json:"host"`
	Exchanges int    `json:"exchanges"`
}

// SpecInfo identifies a spec.
type SpecInfo struct {
	Title   string `json:"title"`
	Version string `json:"version"`
	SHA256  string `json:"sha256"` // in hexadecimal, of the file; if it refers to others, of all of them
}

// Shards are the parts of a run that a report covers.
type Shards struct {
	Of    int   `json:"of"`    // number of shards of the run
	Parts []int `json:"parts"` // sorted, from 1
}

// Summary has the counts of a run. Those of findings include the unlisted ones.
type Summary struct {
	Conforms   bool `json:"conforms"` // an exchange was checked, and Findings is 0
	Findings   int  `json:"findings"` // Documented and Assumed
	Documented int  `json:"documented"`
	Assumed    int  `json:"assumed"`
	Drift      int  `json:"drift"`
	Notes      int  `json:"notes"`
	Known      int  `json:"known"`       // which the counts above do not include
	Deviating  int  `json:"deviating"`   // exchanges with a finding, known or not
	Accepted   int  `json:"accepted"`    // exchanges with a 2xx response
	Unmatched  int  `json:"unmatched"`   // unchecked exchanges: no operation of the contract
	OtherHosts int  `json:"other_hosts"` // unchecked exchanges: their host is no server of the contract, see [Servers]
	Unanswered int  `json:"unanswered"`  // unchecked exchanges: no response
	// Unreadable counts unchecked exchanges that may be for an operation and cannot be read, see [traffic.EntryError].
	Unreadable int `json:"unreadable"`
	// CredentialsOmitted counts checked exchanges that lack a credential which no exchange of their recording has, see
	// [MissingCredentialsError].
	CredentialsOmitted int `json:"credentials_omitted"`
	// BodiesOmitted counts checked responses, RequestBodiesOmitted requests, without a recorded body, HeadersOmitted
	// exchanges without a recorded header.
	BodiesOmitted        int `json:"bodies_omitted"`
	RequestBodiesOmitted int `json:"request_bodies_omitted"`
	HeadersOmitted       int `json:"headers_omitted"`
	// Unlisted counts the findings that are not in the lists, which have at most 1000 of a deviation, and fewer if there
	// are many deviations.
	Unlisted int `json:"unlisted"`
	Claims   int `json:"claims"`   // of the spec
	Observed int `json:"observed"` // claims with evidence
}

// Coverage returns the share of claims with evidence in percent, 0 to 100. It counts claims that need a recording.
func (s Summary) Coverage() float64 {
	if s.Claims == 0 {
		return 0
	}
	return 100 * float64(s.Observed) / float64(s.Claims)
}

// Vacuous reports whether no exchange has a 2xx response, so that the run has no evidence for the main responses.
func (s Summary) Vacuous() bool { return s.Accepted == 0 }

// Occurrence is an exchange in the traffic.
type Occurrence struct {
	Exchange string `json:"exchange"` // Source of the [traffic.Exchange]
	Index    int64  `json:"index"`    // position in the whole traffic, from 0
}

// Deviation groups the findings with the same fingerprint.
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
	Findings    int        `json:"findings"`  // number of findings
	Exchanges   int        `json:"exchanges"` // number of exchanges with one
	First       Occurrence `json:"first"`
	Last        Occurrence `json:"last"`
	Observed    *Observed  `json:"observed,omitempty"`
	Known       string     `json:"known,omitempty"` // reason of the known failure; "" if it is none
}

// State is the result of a run for a claim.
type State string

// The states of a claim.
const (
	Supported  State = "supported"  // at least once, and never refuted
	Refuted    State = "refuted"    // at least once
	Consistent State = "consistent" // every accepted request satisfies it; whether the server rejects violations is unknown
	Unobserved State = "unobserved" // no evidence
)

// Evidence is a claim with its evidence.
type Evidence struct {
	Claim

	State State `json:"state"`
	// Supported counts responses that satisfy the claim, and rejected requests that violate nothing but the claim.
	Supported  int         `json:"supported"`
	Consistent int         `json:"consistent"`      // accepted requests that satisfy it
	Refuted    int         `json:"refuted"`         // exchanges that violate it
	First      *Occurrence `json:"first,omitempty"` // the first exchange of the counts above; nil without any
	Last       *Occurrence `json:"last,omitempty"`
}
