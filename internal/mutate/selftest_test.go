package mutate

import (
	_ "embed"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/generate"
)

var update = flag.Bool("update", false, "write golden files anew")

//go:embed testdata/vocabulary.yaml
var vocabulary []byte

//go:embed testdata/parameters.yaml
var parametersSpec []byte

// specs are the one of this project, one with everything that OpenAPI 3.0 can say of bodies, and one with parameters.
var specs = map[string][]byte{"api": api.Spec, "vocabulary": vocabulary, "parameters": parametersSpec}

// TestSelftest is the mutation test of the checker: `make selftest` prints its summary. It also compares the claims that
// cannot be violated alone with a reviewed list, and all bodies with the reference validator. It runs on one goroutine, so
// the race detector has nothing to see and makes it ten times as slow.
func TestSelftest(t *testing.T) {
	if raceDetector {
		t.Skip("slow, and on one goroutine")
	}
	t.Parallel()
	used := map[string]bool{}
	for name, spec := range specs {
		t.Run(name, func(t *testing.T) {
			c, cases := derive(t, spec)
			contract, err := conformance.Load(spec)
			require.NoError(t, err)
			reference := newReference(t, c)
			under := checker{contract.Claims(), contract.Check, func() ledger { return contract.NewLedger() }}
			r := under.run(cases)
			t.Logf("%d claims, %d mutants, %d killed, %d survivors; %d positive cases; %d conforming exchanges",
				len(contract.Claims()), len(cases.mutants), r.killed, len(cases.mutants)-r.killed, len(cases.positive), len(cases.conforming))
			assert.Empty(t, r.failures)
			assert.Equal(t, len(cases.mutants), r.killed, "survivors")
			assert.Greater(t, len(cases.mutants), 2*len(contract.Claims()))
			golden(t, "testdata/"+name+".unbreakable.golden", strings.Join(r.inseparable, "\n")+"\n")
			for _, m := range cases.mutants {
				assert.Empty(t, reference.differences(m.Exchange, append(m.SideEffects, m.Expected)), m.Name)
			}
			for _, ex := range cases.conforming {
				assert.Empty(t, reference.differences(ex, nil), excerpt(ex))
			}
			for difference := range reference.used {
				used[difference] = true
			}
		})
	}
	for difference := range knownDifferences {
		assert.True(t, used[difference], "the reference validator has no such difference any more: %s", difference)
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "%s; -update writes it anew", path)
}

// cases are what the checker is tested with.
type cases struct {
	mutants    []Mutant
	positive   []positiveCase
	conforming []*traffic.Exchange
	reasons    map[string]string // by claim: why it cannot be violated alone
}

func derive(t *testing.T, spec []byte) (*contract, cases) {
	t.Helper()
	c, err := parse(spec)
	require.NoError(t, err)
	mutants, err := c.mutants()
	require.NoError(t, err)
	return c, cases{mutants, positiveCases(t, c, mutants), conformingExchanges(t, c, 2000), reasons(c, mutants)}
}

// checker is what is tested: the real one, or one that is crippled.
type checker struct {
	claims []conformance.Claim
	check  func(*traffic.Exchange) ([]conformance.Finding, error)
	ledger func() ledger
}

type ledger interface {
	Add(ex *traffic.Exchange) ([]conformance.Finding, error)
	Report() *conformance.Report
}

// result is what the checker did.
type result struct {
	killed      int      // mutants that were reported as expected, and nothing else
	failures    []string // what it did wrong, with the name of the case
	inseparable []string // claims that cannot be violated alone, with the reason
}

func (r *result) fail(name, problem string) {
	if problem != "" {
		r.failures = append(r.failures, name+": "+problem)
	}
}

func (c checker) run(of cases) *result {
	r := &result{}
	all := c.ledger()
	for _, m := range of.mutants {
		problem := c.mutant(m, all)
		if problem == "" {
			r.killed++
		}
		r.fail(m.Name, problem)
	}
	r.refuted(of.mutants, all.Report())
	for _, p := range of.positive {
		r.fail(p.name, c.positive(p))
	}
	for _, ex := range of.conforming {
		if findings, err := c.check(ex); err != nil || len(expectations(findings)) > 0 {
			r.fail(ex.Source, fmt.Sprint("a false alarm: ", show(expectations(findings)), " in ", excerpt(ex), err))
		}
	}
	alone, violated := map[string]bool{}, map[string]bool{}
	for _, m := range of.mutants {
		violated[m.Expected.Claim] = true
		alone[m.Expected.Claim] = alone[m.Expected.Claim] || m.SideEffects == nil
	}
	for _, claim := range c.claims {
		switch reason := of.reasons[claim.ID]; {
		case !violated[claim.ID] && reason == "":
			r.fail(claim.ID, "no mutant violates this claim, and there is no reason for that")
		case reason != "" && !alone[claim.ID]:
			r.inseparable = append(r.inseparable, claim.ID+": "+reason)
		}
	}
	return r
}

// expectations are the findings without the notes about the status, which TestStatusNotes is about.
func expectations(findings []conformance.Finding) (list []Expectation) {
	for _, f := range findings {
		if f.Rule != "rejected" && f.Rule != "server-error" {
			list = append(list, Expectation{f.Claim, f.Rule, f.Part, f.Pointer})
		}
	}
	return list
}

func show(list []Expectation) string {
	var texts []string
	for _, e := range list {
		texts = append(texts, fmt.Sprintf("%s %s at %q (%s)", e.Part, e.Rule, e.Pointer, e.Claim))
	}
	if len(texts) == 0 {
		return "nothing"
	}
	return strings.Join(texts, " and ")
}

func excerpt(ex *traffic.Exchange) string {
	return fmt.Sprintf("%.300q with response %d %.300q %v", ex.Request.Body, ex.Status, ex.Response.Body, ex.Response.Header)
}

// mutant says what the checker does wrong with a mutant, "" for nothing, and adds the mutant to a ledger.
func (c checker) mutant(m Mutant, all ledger) string {
	findings, err := c.check(m.Exchange)
	if err != nil {
		return "not checked: " + err.Error()
	}
	expected, actual := append(slices.Clone(m.SideEffects), m.Expected), expectations(findings)
	if !sameSet(actual, expected) {
		return fmt.Sprintf("expected %s, reported %s", show(expected), show(actual))
	}
	findings, err = all.Add(m.Exchange)
	if err != nil {
		return "not added: " + err.Error()
	}
	if added := expectations(findings); !sameSet(added, actual) {
		return "the ledger reports " + show(added) + ", Check " + show(actual)
	}
	for _, claim := range c.claims {
		if claim.ID == m.Expected.Claim && claim.Rule == m.Expected.Rule && claim.Rule != "duplicate-key" &&
			!slices.ContainsFunc(claim.Places, func(place string) bool { return within(m.Expected.Pointer, place) }) {
			return fmt.Sprintf("the claim lists the places %q, and not %q", claim.Places, m.Expected.Pointer)
		}
	}
	return ""
}

func sameSet(a, b []Expectation) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(e Expectation) bool { return !slices.Contains(b, e) })
}

// within reports whether a pointer matches a pattern with stars. Two stars end a pattern.
func within(at, pattern string) bool {
	a, b := strings.Split(at, "/"), strings.Split(pattern, "/")
	if last := len(b) - 1; b[last] == "**" && len(a) >= last {
		a, b = a[:last], b[:last]
	}
	return slices.EqualFunc(a, b, func(token, pattern string) bool { return pattern == "*" || token == pattern })
}

// refuted compares how often the ledger has each claim refuted with how many mutants violate it.
func (r *result) refuted(mutants []Mutant, report *conformance.Report) {
	want := map[string]int{}
	for _, m := range mutants {
		for _, e := range append(slices.Clone(m.SideEffects), m.Expected) {
			want[e.Claim]++
		}
	}
	for _, e := range report.Claims {
		if e.Refuted != want[e.ID] || (e.State == conformance.Refuted) != (e.Refuted > 0) {
			r.fail(e.ID, fmt.Sprintf("the ledger has it %s, refuted %d times, and %d mutants violate it", e.State, e.Refuted, want[e.ID]))
		}
	}
}

// positive says what the checker does wrong with an exchange that conforms and counts for a claim.
func (c checker) positive(p positiveCase) string {
	l := c.ledger()
	findings, err := l.Add(p.exchange)
	if err != nil {
		return "not added: " + err.Error()
	}
	if len(expectations(findings)) > 0 {
		return "expected nothing, reported " + show(expectations(findings))
	}
	problem := "the ledger does not know " + p.claim
	for _, e := range l.Report().Claims {
		switch {
		case e.ID == p.claim:
			problem = ""
			if e.State != p.state {
				problem = fmt.Sprintf("expected the claim %s to be %s, reported %s", e.ID, p.state, e.State)
			}
		case p.rejected && e.Supported > 0 && generate.OfRequest(e.Part):
			return "a rejection also supports " + e.ID
		}
	}
	return problem
}

// TestMutantsAreStable makes the mutants twice, and looks at their names.
func TestMutantsAreStable(t *testing.T) {
	t.Parallel()
	first, err := Mutants(parametersSpec)
	require.NoError(t, err)
	second, err := Mutants(parametersSpec)
	require.NoError(t, err)
	assert.Equal(t, first, second)
	names := map[string]bool{}
	for _, m := range first {
		assert.False(t, names[m.Name], m.Name)
		names[m.Name] = true
		assert.Equal(t, m.Name, m.Exchange.Source)
	}
	for _, name := range []string{"fault/200/body/id/minimum/one-beyond", "fault/200/request.path/id/minimum/one-beyond",
		"fault/200/criterion/repeats-id/one-more", "fault/200/header/X-Range/required/empty", "fault/200/json/truncated",
		"addFault/201/request/a/required/missing", "addFault/201/security/api_key/missing", "addFault/418/status/undocumented"} {
		assert.True(t, names[name], name)
	}
}

func TestUnreadableSpec(t *testing.T) {
	t.Parallel()
	for name, spec := range map[string]string{"empty": "", "no paths": "openapi: 3.0.3", "not YAML": "\x00",
		"a negative limit": strings.Replace(string(parametersSpec), "maxLength: 20", "maxLength: -1", 1)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Mutants([]byte(spec))
			assert.Error(t, err)
		})
	}
}
