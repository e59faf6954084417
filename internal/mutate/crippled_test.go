package mutate

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// crippled is a ledger that reports what a bad checker would.
type crippled struct {
	ledger

	findings func(*traffic.Exchange, []conformance.Finding) []conformance.Finding
	report   func(*conformance.Report)
}

func (c crippled) Add(ex *traffic.Exchange) ([]conformance.Finding, error) {
	findings, err := c.ledger.Add(ex)
	return c.findings(ex, findings), err
}

func (c crippled) Report() *conformance.Report {
	r := c.ledger.Report()
	c.report(r)
	return r
}

// TestCrippledChecker cripples the checker in each way that the self-test must notice.
func TestCrippledChecker(t *testing.T) {
	t.Parallel()
	contract, err := conformance.Load(parametersSpec)
	require.NoError(t, err)
	_, all := derive(t, parametersSpec)
	type findings = []conformance.Finding
	same := func(_ *traffic.Exchange, f findings) findings { return f }
	leave := func(*conformance.Report) {}
	change := func(rule string, with func(*conformance.Finding)) func(*traffic.Exchange, findings) findings {
		return func(_ *traffic.Exchange, f findings) findings {
			f = slices.Clone(f)
			for i := range f {
				if f[i].Rule == rule {
					with(&f[i])
				}
			}
			return f
		}
	}
	evidence := func(id string, with func(*conformance.Evidence)) func(*conformance.Report) {
		return func(r *conformance.Report) {
			for i := range r.Claims {
				if strings.HasSuffix(r.Claims[i].ID, id) {
					with(&r.Claims[i])
				}
			}
		}
	}
	cripplings := map[string]struct {
		findings func(*traffic.Exchange, findings) findings // of Check and of the ledger
		ledger   func(*traffic.Exchange, findings) findings // of the ledger only
		report   func(*conformance.Report)
		claims   func([]conformance.Claim) []conformance.Claim
		failure  string
	}{
		"whole": {},
		"a rule is missing": {findings: func(_ *traffic.Exchange, f findings) findings {
			return slices.DeleteFunc(slices.Clone(f), func(f conformance.Finding) bool { return f.Rule == "minimum" })
		}, failure: "fault/200/request.path/id/minimum/one-beyond: expected request.path minimum"},
		"a second finding": {findings: func(_ *traffic.Exchange, f findings) findings {
			if len(f) == 1 && f[0].Rule == "enum" {
				return append(slices.Clone(f), conformance.Finding{Rule: "type", Part: f[0].Part, Pointer: f[0].Pointer})
			}
			return f
		}, failure: "fault/200/header/X-Range/unit/enum/other: expected"},
		"another place": {findings: change("required", func(f *conformance.Finding) { f.Pointer = "" }), failure: "fault/200/body/id/required/missing: expected"},
		"another rule":  {findings: change("maxLength", func(f *conformance.Finding) { f.Rule = "type" }), failure: "addFault/201/body/maxLength/one-more-in-emoji: expected"},
		"another part":  {findings: change("media-type", func(f *conformance.Finding) { f.Part = conformance.ResponseBody }), failure: "addFault/201/content-type/missing: expected"},
		"another claim": {findings: change("format", func(f *conformance.Finding) { f.Claim = "" }), failure: "faults/200/request.query/since/format/2023-02-30T13:46:27Z: expected"},
		"drift is not observed": {findings: func(_ *traffic.Exchange, f findings) findings {
			return slices.DeleteFunc(slices.Clone(f), func(f conformance.Finding) bool { return f.Source == conformance.Drift })
		}, failure: "addFault/418/status/undocumented: expected"},
		"a false alarm": {findings: func(ex *traffic.Exchange, f findings) findings {
			if strings.HasPrefix(ex.Source, "conforming/") && strings.Contains(string(ex.Response.Body), "🚗") {
				return append(slices.Clone(f), conformance.Finding{Rule: "maxLength"})
			}
			return f
		}, failure: "a false alarm"},
		"a false alarm of a positive case": {ledger: func(ex *traffic.Exchange, f findings) findings {
			if strings.HasSuffix(ex.Source, "/status/documented") {
				return append(slices.Clone(f), conformance.Finding{Rule: "status"})
			}
			return f
		}, failure: "addFault/201/status/documented: expected nothing"},
		"the ledger reports less": {ledger: func(_ *traffic.Exchange, _ findings) findings { return nil },
			failure: "the ledger reports nothing, Check"},
		"the ledger refutes too little": {report: evidence("/path.id/schema/minimum", func(e *conformance.Evidence) { e.Refuted-- }),
			failure: "/path.id/schema/minimum: the ledger has it refuted"},
		"the ledger refutes too much": {report: evidence("/responses/201", func(e *conformance.Evidence) { e.Refuted++ }),
			failure: "responses/201: the ledger has it"},
		"the ledger has no support": {report: evidence("/responses/422", func(e *conformance.Evidence) { e.State = conformance.Unobserved }),
			failure: "addFault/422/status/documented: expected the claim"},
		"a rejection supports more": {report: evidence("/security/0/queryKey", func(e *conformance.Evidence) { e.Supported++ }),
			failure: "a rejection also supports request.header#/security/0/queryKey"},
		"a claim without a mutant": {claims: func(c []conformance.Claim) []conformance.Claim {
			return append(slices.Clone(c), conformance.Claim{ID: "response.body#/new", Rule: "minimum"})
		}, failure: "response.body#/new: no mutant violates this claim"},
		"a claim without its place": {claims: func(c []conformance.Claim) []conformance.Claim {
			c = slices.Clone(c)
			for i := range c {
				if c[i].Rule == "minimum" {
					c[i].Places = []string{"/elsewhere"}
				}
			}
			return c
		}, failure: `the claim lists the places ["/elsewhere"]`},
	}
	var names []string
	for _, c := range cripplings {
		name, _, _ := strings.Cut(c.failure, ": expected")
		names = append(names, name)
	}
	all.thin(names)
	for name, c := range cripplings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, f := range []*func(*traffic.Exchange, findings) findings{&c.findings, &c.ledger} {
				if *f == nil {
					*f = same
				}
			}
			if c.report == nil {
				c.report = leave
			}
			under := checker{claims: contract.Claims(),
				check: func(ex *traffic.Exchange) (findings, error) {
					f, err := contract.Check(ex)
					return c.findings(ex, f), err
				},
				ledger: func() ledger {
					return crippled{contract.NewLedger(), func(ex *traffic.Exchange, f findings) findings { return c.ledger(ex, c.findings(ex, f)) }, c.report}
				}}
			if c.claims != nil {
				under.claims = c.claims(under.claims)
			}
			failures := strings.Join(under.run(all).failures, "\n")
			if c.failure == "" {
				assert.Empty(t, failures)
			} else {
				assert.Contains(t, failures, c.failure)
			}
		})
	}
}

// thin leaves one mutant and one positive case of each claim, one of each rule of drift, and what is named: enough to see
// that a checker is crippled, in a tenth of the time.
func (c *cases) thin(named []string) {
	visited := map[string]bool{}
	repeated := func(name, key string) bool {
		repeated := visited[key]
		visited[key] = true
		return repeated && !slices.Contains(named, name)
	}
	c.mutants = slices.DeleteFunc(c.mutants, func(m Mutant) bool { return repeated(m.Name, "mutant"+m.Expected.Claim+m.Expected.Rule) })
	c.positive = slices.DeleteFunc(c.positive, func(p positiveCase) bool { return repeated(p.name, "positive"+p.claim+string(p.state)) })
	c.conforming = c.conforming[:200]
}
