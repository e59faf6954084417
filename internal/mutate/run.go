package mutate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// Options say how much [Run] does.
type Options struct {
	Conformant int    // how many exchanges that conform are drawn. By default, 0, none
	Seed       uint64 // of the draw: the same seed draws the same exchanges. By default, 0
}

// Result is what came of a run.
type Result struct {
	Mutants    int // derived from the spec
	Killed     int // found by the judge as they should be, and by nothing else
	Shown      int // exchanges that conform and must count for one claim
	Conformant int // drawn at random, and rightly left alone
	// Failures say what is wrong with the judge, or with the derivation; empty where nothing is.
	Failures []string
	// Unbreakable lists the claims that no exchange breaks alone, each with its reason.
	Unbreakable []string

	gaps map[string]int // of the second opinion: how often each explained a difference
}

// judge is what is put to the test.
type judge struct {
	claims []conformance.Claim
	check  func(*traffic.Exchange) ([]conformance.Finding, error)
	ledger func() ledger
}

// ledger is what [conformance.Ledger] is to this package.
type ledger interface {
	Weigh(ex *traffic.Exchange) ([]conformance.Finding, error)
	Report() *conformance.Report
}

// Run shows a contract all mutants of its spec, the exchanges that must count for a claim, and others that conform, and
// compares what it says with what it must say. The second opinion is asked each time. The error is that of a spec that
// cannot be read; what the judge does wrong is in the result.
func Run(contract *conformance.Contract, spec []byte, o Options) (*Result, error) {
	s, err := parse(spec)
	if err != nil {
		return nil, err
	}
	d, err := s.derive()
	if err != nil {
		return nil, err
	}
	j := judge{contract.Claims(), contract.Check, func() ledger { return contract.NewLedger() }}
	return j.run(d, &secondOpinion{spec: s, gaps: map[string]int{}}, o)
}

// run is Run with whatever judge, and without a second opinion where there is none.
func (j judge) run(d *derivation, opinion *secondOpinion, o Options) (*Result, error) {
	r := &Result{Mutants: len(d.mutants), Shown: len(d.proofs)}
	if opinion != nil {
		r.gaps = opinion.gaps
	}
	all := j.ledger()
	for i := range d.mutants {
		m := &d.mutants[i]
		problem := j.mutant(m, all)
		if problem == "" {
			r.Killed++
			problem = opinion.mutant(m)
		}
		r.fail(m.Name, problem)
	}
	r.refuted(d.mutants, all.Report())
	for _, p := range d.proofs {
		r.fail(p.name, j.proof(p))
	}
	r.complete(j, d)
	return r, r.conformant(j, d.spec, opinion, o)
}

func (r *Result) fail(name, problem string) {
	if problem != "" {
		r.Failures = append(r.Failures, name+": "+problem)
	}
}

// verdict is what counts of a finding.
type verdict struct {
	Want

	claim string
}

func verdicts(findings []conformance.Finding) []verdict {
	var list []verdict
	for _, f := range findings {
		list = append(list, verdict{Want{f.Rule, f.Part, f.Pointer}, f.Claim})
	}
	return list
}

func show(list []verdict) string {
	var texts []string
	for _, v := range list {
		texts = append(texts, fmt.Sprintf("%s %s at %q (%s)", v.Part, v.Rule, v.Pointer, v.claim))
	}
	if len(texts) == 0 {
		return "nothing"
	}
	return strings.Join(texts, " and ")
}

// mutant says what the judge does wrong with a mutant, "" for nothing, and adds the mutant to a ledger.
func (j judge) mutant(m *Mutant, all ledger) string {
	findings, err := j.check(m.Exchange)
	if err != nil {
		return "not judged: " + err.Error()
	}
	expected := []verdict{{m.Want, m.Claim}}
	for i, w := range m.Also {
		expected = append(expected, verdict{w, m.also[i]})
	}
	found := verdicts(findings)
	if !sameVerdicts(found, expected) {
		return fmt.Sprintf("expected %s, found %s", show(expected), show(found))
	}
	weighed, err := all.Weigh(m.Exchange)
	if err != nil {
		return "not weighed: " + err.Error()
	}
	if !sameVerdicts(verdicts(weighed), found) {
		return "the ledger finds " + show(verdicts(weighed)) + ", Check " + show(found)
	}
	return j.placed(m)
}

// refuted compares how often the ledger has each claim refuted with how many mutants break it.
func (r *Result) refuted(mutants []Mutant, report *conformance.Report) {
	want := map[string]int{}
	for _, m := range mutants {
		want[m.Claim]++
		for _, claim := range m.also {
			want[claim]++
		}
	}
	for _, e := range report.Claims {
		if e.Refuted != want[e.ID] || (e.State == conformance.Refuted) != (e.Refuted > 0) {
			r.fail(e.ID, fmt.Sprintf("the ledger has it %s, refuted %d times, and %d mutants break it", e.State, e.Refuted, want[e.ID]))
		}
	}
}

func sameVerdicts(a, b []verdict) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(v verdict) bool { return !slices.Contains(b, v) })
}

// placed says if the claim does not list the place where it is broken.
func (j judge) placed(m *Mutant) string {
	for _, c := range j.claims {
		if c.ID == m.Claim && c.Rule != "duplicate-key" && m.Want.Rule == c.Rule &&
			!slices.ContainsFunc(c.Places, func(place string) bool { return within(m.Want.Pointer, place) }) {
			return fmt.Sprintf("the claim lists the places %q, and not %q", c.Places, m.Want.Pointer)
		}
	}
	return ""
}

// within reports whether a pointer is one that a pattern with stars stands for. Two stars end a pattern.
func within(at, pattern string) bool {
	a, b := strings.Split(at, "/"), strings.Split(pattern, "/")
	if last := len(b) - 1; b[last] == "**" && len(a) >= last {
		a, b = a[:last], b[:last]
	}
	return slices.EqualFunc(a, b, func(token, of string) bool { return of == "*" || token == of })
}

// proof says what the judge does wrong with an exchange that must count for one claim.
func (j judge) proof(p proof) string {
	l := j.ledger()
	findings, err := l.Weigh(p.exchange)
	if err != nil {
		return "not weighed: " + err.Error()
	}
	if len(findings) > 0 {
		return "expected nothing, found " + show(verdicts(findings))
	}
	problem := "the ledger does not know " + p.claim
	refusal := strings.Contains(p.name, "/refused-with-")
	for _, e := range l.Report().Claims {
		switch {
		case e.ID == p.claim:
			problem = ""
			if e.State != p.state {
				problem = fmt.Sprintf("expected the claim %s to be %s, found %s", e.ID, p.state, e.State)
			}
		case refusal && e.Supported > 0 && (e.Part == conformance.RequestBody || e.Part == conformance.RequestHeader):
			return "a refusal also supports " + e.ID
		}
	}
	return problem
}

// complete looks for claims that nothing breaks, and for mutants of claims that the judge does not know.
func (r *Result) complete(j judge, d *derivation) {
	for _, c := range j.claims {
		reason := d.reasons[c.ID]
		switch broken := d.claims[c.ID]; {
		case !broken && reason == "":
			r.Failures = append(r.Failures, c.ID+": no mutant breaks this claim, and there is no reason for that")
		case reason != "" && (!broken || d.partial[c.ID].Name != "" && !d.alone(c.ID)):
			r.Unbreakable = append(r.Unbreakable, c.ID+": "+reason)
		}
	}
}

// alone reports whether a mutant breaks a claim and nothing else.
func (d *derivation) alone(claim string) bool {
	return slices.ContainsFunc(d.mutants, func(m Mutant) bool { return m.Claim == claim && len(m.Also) == 0 })
}

// conformant draws exchanges that conform, of each answer in turn.
func (r *Result) conformant(j judge, s *spec, opinion *secondOpinion, o Options) error {
	rng := rand.New(rand.NewPCG(o.Seed, 0)) //nolint:gosec // no secret
	var all []recipe
	for _, op := range s.operations {
		for _, a := range op.answers {
			if a.status != 0 {
				all = append(all, recipes(op, a)...)
			}
		}
	}
	for i := range o.Conformant {
		of := all[i%len(all)]
		name := fmt.Sprintf("conformant/%s/%d/%d", of.op.id, of.to.status, i)
		d := s.draft(rng, of, false)
		if d == nil {
			return fmt.Errorf("%s: no exchange that conforms was found", name)
		}
		if rng.IntN(10) == 0 && d.request.has { // recordings without the request's body
			d.request.omitted = true
		}
		ex := d.exchange(rng)
		ex.Source = name
		findings, err := j.check(ex)
		var problem string
		switch {
		case err != nil:
			problem = "not judged: " + err.Error()
		case len(findings) > 0:
			problem = "a false alarm: " + show(verdicts(findings)) + " in " + excerpt(ex)
		default:
			r.Conformant++
			problem = opinion.conformant(ex)
		}
		r.fail(name, problem)
	}
	return nil
}

// excerpt shows an exchange that this package made up: it holds nobody's data.
func excerpt(ex *traffic.Exchange) string {
	return fmt.Sprintf("%.300q answered %d %.300q %v", ex.Request.Body, ex.Status, ex.Response.Body, ex.Response.Header)
}
