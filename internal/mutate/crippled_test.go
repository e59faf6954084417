package mutate

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// crippled is a ledger that says what a bad judge would.
type crippled struct {
	ledger

	findings func(*traffic.Exchange, []conformance.Finding) []conformance.Finding
	report   func(*conformance.Report)
}

func (c crippled) Weigh(ex *traffic.Exchange) ([]conformance.Finding, error) {
	findings, err := c.ledger.Weigh(ex)
	return c.findings(ex, findings), err
}

func (c crippled) Report() *conformance.Report {
	r := c.ledger.Report()
	c.report(r)
	return r
}

// TestCrippledJudge breaks the judge in each way in which the self test must see it.
func TestCrippledJudge(t *testing.T) {
	t.Parallel()
	contract, err := conformance.Load(api.Spec)
	require.NoError(t, err)
	s, err := parse(api.Spec)
	require.NoError(t, err)
	d, err := s.derive()
	require.NoError(t, err)
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
		}, failure: "201/body/id/minimum/zero: expected response.body minimum"},
		"a second finding": {findings: func(_ *traffic.Exchange, f findings) findings {
			if len(f) == 1 && f[0].Rule == "enum" {
				return append(slices.Clone(f), conformance.Finding{Rule: "type", Part: f[0].Part, Pointer: f[0].Pointer})
			}
			return f
		}, failure: "201/body/status/enum/other: expected"},
		"another place": {findings: change("required", func(f *conformance.Finding) { f.Pointer = "" }), failure: "201/body/code/required/missing: expected"},
		"another rule":  {findings: change("maxLength", func(f *conformance.Finding) { f.Rule = "type" }), failure: "201/request/code/maxLength/one-more-in-emoji: expected"},
		"another part":  {findings: change("media-type", func(f *conformance.Finding) { f.Part = conformance.ResponseBody }), failure: "201/content-type/missing: expected"},
		"another claim": {findings: change("format", func(f *conformance.Finding) { f.Claim = "" }), failure: "201/body/created_at/format/2023-02-30T13:46:27Z: expected"},
		"drift is unseen": {findings: func(_ *traffic.Exchange, f findings) findings {
			return slices.DeleteFunc(slices.Clone(f), func(f conformance.Finding) bool { return f.Basis == conformance.Drift })
		}, failure: "418/status/undocumented: expected"},
		"a false alarm": {findings: func(ex *traffic.Exchange, f findings) findings {
			if strings.HasPrefix(ex.Source, "conformant/") && strings.Contains(string(ex.Request.Body), "🚗") {
				return append(slices.Clone(f), conformance.Finding{Rule: "maxLength"})
			}
			return f
		}, failure: "a false alarm"},
		"a false alarm of a proof": {ledger: func(ex *traffic.Exchange, f findings) findings {
			if strings.HasSuffix(ex.Source, "/nullable/null") {
				return append(slices.Clone(f), conformance.Finding{Rule: "nullable"})
			}
			return f
		}, failure: "201/body/count/nullable/null: expected nothing"},
		"the ledger finds less": {ledger: func(_ *traffic.Exchange, _ findings) findings { return nil },
			failure: "the ledger finds nothing, Check"},
		"the ledger refutes too little": {report: evidence("/Fault/properties/id/minimum", func(e *conformance.Evidence) { e.Refuted-- }),
			failure: "response.body#/components/schemas/Fault/properties/id/minimum: the ledger has it refuted"},
		"the ledger refutes too much": {report: evidence("/responses/201", func(e *conformance.Evidence) { e.Refuted++ }),
			failure: "responses/201: the ledger has it"},
		"the ledger has no support": {report: evidence("/responses/429", func(e *conformance.Evidence) { e.State = conformance.Unobserved }),
			failure: "429/status/answered: expected the claim"},
		"a refusal supports more": {report: evidence("/security/0/apiKey", func(e *conformance.Evidence) { e.Supported++ }),
			failure: "a refusal also supports request.header#/security/0/apiKey"},
		"a claim without a mutant": {claims: func(c []conformance.Claim) []conformance.Claim {
			return append(c, conformance.Claim{ID: "response.body#/new", Rule: "minimum"})
		}, failure: "response.body#/new: no mutant breaks this claim"},
		"a claim without its place": {claims: func(c []conformance.Claim) []conformance.Claim {
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
	d.thin(names)
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
			j := judge{claims: contract.Claims(),
				check: func(ex *traffic.Exchange) (findings, error) {
					f, err := contract.Check(ex)
					return c.findings(ex, f), err
				},
				ledger: func() ledger {
					return crippled{contract.NewLedger(), func(ex *traffic.Exchange, f findings) findings { return c.ledger(ex, c.findings(ex, f)) }, c.report}
				}}
			if c.claims != nil {
				j.claims = c.claims(j.claims)
			}
			r, err := j.run(d, nil, Options{Conformant: 200, Seed: 1})
			require.NoError(t, err)
			all := strings.Join(r.Failures, "\n")
			if c.failure == "" {
				assert.Empty(t, all)
			} else {
				assert.Contains(t, all, c.failure)
			}
		})
	}
}

// thin leaves one mutant and one proof of each claim, one of each rule of drift, and what is named: enough to see a judge
// that is broken, at a tenth of the time.
func (d *derivation) thin(named []string) {
	seen := map[string]bool{}
	first := func(name, key string) bool {
		known := seen[key]
		seen[key] = true
		return !known || slices.Contains(named, name)
	}
	d.mutants = slices.DeleteFunc(d.mutants, func(m Mutant) bool { return !first(m.Name, "mutant"+m.Claim+m.Want.Rule) })
	d.proofs = slices.DeleteFunc(d.proofs, func(p proof) bool { return !first(p.name, "proof"+p.claim+string(p.state)) })
}

// TestMutantsAreStable compares two derivations, as the mutants name known failures elsewhere.
func TestMutantsAreStable(t *testing.T) {
	t.Parallel()
	first, err := Mutants(api.Spec)
	require.NoError(t, err)
	second, err := Mutants(api.Spec)
	require.NoError(t, err)
	assert.Equal(t, first, second)
	contract, err := conformance.Load(api.Spec)
	require.NoError(t, err)
	names, bases := map[string]bool{}, map[*traffic.Exchange]bool{}
	for _, m := range first {
		assert.False(t, names[m.Name], m.Name)
		names[m.Name] = true
		assert.Equal(t, m.Name, m.Exchange.Source)
		against := ""
		if strings.HasPrefix(m.Name, "201/criterion/updated-after-created/") {
			against = "/updated_at"
		}
		assert.Equal(t, against, m.Against, m.Name)
		if bases[m.Base] {
			continue
		}
		bases[m.Base] = true
		findings, err := contract.Check(m.Base)
		require.NoError(t, err, m.Name)
		assert.Empty(t, findings, "%s is made of what conforms", m.Name)
	}
	assert.Less(t, len(bases), len(first)/10, "they share what they are made of")
	for _, name := range []string{"201/body/id/minimum/zero", "201/request/code/maxLength/one-more-in-emoji", "201/security/Account-Token/missing",
		"201/json/truncated", "201/criterion/echoes-count/one-more", "429/header/Retry-After/required/missing"} {
		assert.True(t, names[name], name)
	}
}

func TestUnreadableSpec(t *testing.T) {
	t.Parallel()
	for _, spec := range []string{"", "openapi: 3.0.3", "\x00", strings.Replace(string(api.Spec), "maxLength: 255", "maxLength: -1", 1)} {
		_, err := Mutants([]byte(spec))
		assert.Error(t, err, "%.40q", spec)
	}
}
