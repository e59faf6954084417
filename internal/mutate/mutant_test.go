// Package mutate makes the mutants that test the checker.
//
// A mutant is an exchange that violates exactly one claim. [Mutants] takes an exchange that conforms, changes it in one
// place (a required property is missing, a text has one character too many, a 2xx response to a request without a
// credential), and says which claim that violates, and where. The tests of this package show each mutant to the checker
// (`make selftest`): one that is not reported, is reported by another rule or at another place, or is reported twice is a
// survivor, and a claim without a mutant needs a reason. Random exchanges that conform must have no finding.
//
// The checker's code takes no part in this. What a mutant violates is decided by an oracle of this package: a small and
// slow evaluation of the spec. The tests compare it with a JSON Schema library.
package mutate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/generate"
)

// Mutant is an exchange that violates exactly one claim, or has exactly one thing that no claim covers (drift, or a note).
type Mutant struct {
	Name     string            // parts with slashes between: createFault/201/body/id/minimum/one-beyond
	Exchange *traffic.Exchange // its Source is the name
	Expected Expectation       // the one finding
	// SideEffects are findings that come with it, as the claim cannot be violated alone: a number out of its bounds that
	// must also be equal to the status (default none).
	SideEffects []Expectation
}

// Expectation is what a finding must say.
type Expectation struct {
	Claim   string // ID of the violated claim, see [conformance.Claim]; "" for drift and notes
	Rule    string
	Part    conformance.Part
	Pointer string
}

// claim is what a finding about a claim must say. at is the claim's place in the spec.
func claim(at, rule string, part conformance.Part, pointer string) Expectation {
	return Expectation{string(part) + "#" + at, rule, part, pointer}
}

// Mutants makes the mutants of a spec, in a stable order. The error is that of a spec that cannot be read.
func Mutants(spec []byte) ([]Mutant, error) {
	c, err := parse(spec)
	if err != nil {
		return nil, err
	}
	return c.mutants()
}

// collector collects the mutants of a contract.
type collector struct {
	rng         *rand.Rand
	mutants     []Mutant
	names       map[string]bool
	taken       map[string]bool   // values, with their places, that are a mutant
	inseparable map[string]Mutant // by claim: the mutant with the fewest side effects
	prefix      string            // of their names: the operation
}

// maxBases bounds how many exchanges the mutants of a combination are made of, as each has other alternatives of a
// schema. Where three in a row add nothing, there are no more.
const maxBases = 12

func (c *contract) mutants() ([]Mutant, error) {
	all := &collector{rng: newRand(1), names: map[string]bool{}, taken: map[string]bool{}, inseparable: map[string]Mutant{}}
	for _, of := range c.combinations() {
		all.prefix = of.op.id + "/"
		idle := 0
		for i := 0; i < maxBases && idle < 3; i++ {
			before := len(all.names)
			base := conforming(all.rng, of, true)
			if base == nil {
				return nil, fmt.Errorf("%s %d: no exchange that conforms was found", of.op.id, of.to.status)
			}
			all.values(base)
			all.criteria(base)
			if i == 0 {
				all.bodies(base)
				all.undocumented(base)
				all.parameters(base)
				all.credentials(base)
			}
			if idle++; len(all.names) > before {
				idle = 0
			}
		}
	}
	violated := map[string]bool{}
	for _, m := range all.mutants {
		violated[m.Expected.Claim] = true
	}
	for _, claim := range generate.SortedKeys(all.inseparable) {
		if m := all.inseparable[claim]; !violated[claim] {
			m.Exchange.Source = m.Name
			all.mutants = append(all.mutants, m)
		}
	}
	slices.SortStableFunc(all.mutants, func(a, b Mutant) int { return strings.Compare(a.Name, b.Name) })
	return all.mutants, nil
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 2)) }

// add adds an exchange as a mutant if it violates exactly one thing, which the name is made for.
func (c *collector) add(changed *exchangeModel, name func(Expectation) string) bool {
	all := changed.violations()
	for i, e := range all {
		m := Mutant{Name: c.prefix + name(e), Expected: e}
		if c.names[m.Name] || name(e) == "" {
			continue
		}
		if len(all) == 1 {
			m.Exchange = changed.exchange()
			c.take(m)
			return true
		}
		if known, isKnown := c.inseparable[e.Claim]; e.Claim != "" && (!isKnown || len(all) <= len(known.SideEffects)) {
			m.Exchange, m.SideEffects = changed.exchange(), slices.Delete(slices.Clone(all), i, i+1)
			c.inseparable[e.Claim] = m
		}
	}
	return false
}

func (c *collector) take(m Mutant) {
	c.names[m.Name] = true
	m.Exchange.Source = m.Name
	c.mutants = append(c.mutants, m)
}

// label begins the names of mutants of a part.
func (m *exchangeModel) label(part conformance.Part) string {
	status := strconv.Itoa(m.status)
	switch part {
	case conformance.RequestBody:
		return status + "/request" + m.op.request.label(m.request)
	case conformance.ResponseBody:
		return status + m.to.content.label(m.response) + "/body"
	case conformance.ResponseHeader:
		return status + "/header"
	}
	return status + "/" + string(part)
}

// values adds the mutants of the schemas of both bodies, of parameters and of headers.
func (c *collector) values(base *exchangeModel) {
	for _, part := range valueParts {
		whole, known := base.value(part)
		bases := base.quiet()
		if generate.OfRequest(part) {
			known, bases = known && base.accepted(), bases[:1]
		}
		if !known || base.schemas[part] == nil {
			continue
		}
		g := newGenerator(c.rng, part, true)
		for _, at := range generate.Sites(base.schemas[part], whole, nil, base.schemas[part]) {
			present, _ := generate.Lookup(whole, at.Path)
			g.Candidates(at.Schema, present, 0, func(name string, value any) {
				key := strings.Join([]string{c.prefix, base.label(part), pointer(at.Path...), generate.Encode(value)}, "\x00")
				for i := 0; i < len(bases) && !c.taken[key]; i++ {
					changed := bases[i].with(part, at.Path, value)
					c.taken[key] = c.add(changed, func(e Expectation) string {
						if e.Rule == "criterion" || e.Part != part || e.Claim == "" && !e.isNote() {
							return ""
						}
						return base.label(part) + e.Pointer + "/" + e.Rule + "/" + name
					})
				}
			})
		}
	}
}
