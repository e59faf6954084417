package mutate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// Mutant is an exchange that breaks exactly one claim, or shows exactly one thing that no claim covers.
type Mutant struct {
	Name     string            // parts with slashes between: 201/body/id/minimum/zero
	Claim    string            // ID of the claim that is broken, see [conformance.Claim]; "" for drift
	Exchange *traffic.Exchange // its Source is the name
	Base     *traffic.Exchange // what it was made of: an exchange that conforms, shared by many mutants, not to be changed
	Want     Want              // the one finding
	// Also are findings that come with it, as the claim cannot be broken alone: a number out of its bounds that must
	// also be equal to the status. By default, none.
	Also []Want
	// Against is the pointer of the other member of the same body that a criterion compares the place with; "" where the
	// claim is about one place.
	Against string

	also []string // the claims of Also
}

// Want is what a finding must say.
type Want struct {
	Rule    string           `json:"rule"`
	Part    conformance.Part `json:"part"`
	Pointer string           `json:"pointer"`
}

// proof is an exchange that conforms, and what the ledger must then say of one claim.
type proof struct {
	name, claim string
	exchange    *traffic.Exchange
	state       conformance.State
}

// derivation collects what a spec gives.
type derivation struct {
	spec    *spec
	rng     *rand.Rand
	mutants []Mutant
	proofs  []proof
	names   map[string]bool
	claims  map[string]bool
	partial map[string]Mutant // by claim: the least that can be broken with it
	reasons map[string]string // by claim: why nothing breaks it
	answers map[*answer]*draft
	base    *traffic.Exchange // that of the mutants to come
	prefix  string
}

// Mutants derives the mutants of a spec, in a stable order. The error is that of a spec that cannot be read.
func Mutants(data []byte) ([]Mutant, error) {
	s, err := parse(data)
	if err != nil {
		return nil, err
	}
	d, err := s.derive()
	if err != nil {
		return nil, err
	}
	return d.mutants, nil
}

// draws bounds how many exchanges each answer's mutants are made of, as each has other alternatives of a schema. Where
// three in a row give nothing new, there are no more.
const draws = 12

func (s *spec) derive() (*derivation, error) {
	d := &derivation{spec: s, rng: rand.New(rand.NewPCG(1, 2)), names: map[string]bool{}, claims: map[string]bool{}, //nolint:gosec // no secret
		partial: map[string]Mutant{}, reasons: map[string]string{}, answers: map[*answer]*draft{}}
	for _, o := range s.operations {
		if len(s.operations) > 1 {
			d.prefix = o.id + "/"
		}
		for _, a := range o.answers {
			if a.status == 0 {
				continue
			}
			for _, of := range recipes(o, a) {
				if err := d.answer(of); err != nil {
					return nil, err
				}
			}
		}
	}
	d.inseparable()
	slices.SortFunc(d.mutants, func(a, b Mutant) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(d.proofs, func(a, b proof) int { return strings.Compare(a.name, b.name) })
	return d, nil
}

// answer derives all that one answer gives.
func (d *derivation) answer(of recipe) error {
	idle := 0
	for i := 0; i < draws && idle < 3; i++ {
		before := len(d.names)
		base := d.spec.draft(d.rng, of, true)
		if base == nil {
			return fmt.Errorf("%s %d: no exchange that conforms was found", of.op.id, of.to.status)
		}
		d.base = base.exchange(nil)
		d.schemas(base)
		d.criteria(base)
		d.headers(base)
		if i == 0 {
			d.bodies(base)
			d.heads(base)
			d.shows(base)
			d.credentials(base)
			d.requests(base)
			d.impossible(of)
		}
		if idle++; len(d.names) > before {
			idle = 0
		}
	}
	return nil
}

// unsaid are the drafts in which as little as possible depends on what is changed: as it is, and without the request's
// body in the recording, which the criteria then say nothing of.
func unsaid(base *draft) []*draft {
	list := []*draft{base}
	if base.request.has {
		c := base.clone()
		c.request.omitted = true
		list = append(list, c)
	}
	return list
}

// claimed adds a draft as a mutant if it breaks the claim and nothing else.
func (d *derivation) claimed(changed *draft, name string, claim string, want Want) bool {
	name = d.prefix + name
	if d.names[name] {
		return true
	}
	wanted := broken{want, claim}
	all := changed.read()
	if !slices.Contains(all, wanted) {
		return false
	}
	if len(all) > 1 {
		m := Mutant{Name: name, Claim: claim, Exchange: changed.exchange(nil), Base: d.base, Want: want, Against: changed.against(claim)}
		for _, b := range all {
			if b != wanted {
				m.Also = append(m.Also, b.Want)
				m.also = append(m.also, b.claim)
			}
		}
		if known, there := d.partial[claim]; claim != "" && (!there || len(m.Also) < len(known.Also)) {
			d.partial[claim] = m
		}
		return false
	}
	d.add(name, claim, changed.exchange(nil), want)
	d.mutants[len(d.mutants)-1].Against = changed.against(claim)
	return true
}

// add takes a mutant in as it is.
func (d *derivation) add(name, claim string, ex *traffic.Exchange, want Want) {
	if d.names[name] {
		return
	}
	ex.Source = name
	d.names[name], d.claims[claim] = true, true
	d.mutants = append(d.mutants, Mutant{Name: name, Claim: claim, Exchange: ex, Base: d.base, Want: want})
}

// inseparable takes in the mutants of claims that cannot be broken alone.
func (d *derivation) inseparable() {
	for _, claim := range sortedKeys(d.partial) {
		if d.claims[claim] {
			continue
		}
		m := d.partial[claim]
		m.Exchange.Source = m.Name
		d.names[m.Name], d.claims[claim] = true, true
		d.mutants = append(d.mutants, m)
		var also []string
		for _, w := range m.Also {
			also = append(also, fmt.Sprintf("%s %s at %q", w.Part, w.Rule, w.Pointer))
		}
		d.reasons[claim] = "whatever breaks it breaks too: " + strings.Join(also, ", ")
	}
}

// schemas derives the mutants of the schemas of both bodies.
func (d *derivation) schemas(base *draft) {
	if base.response.has {
		d.values(unsaid(base), answerSide(base).name+"/body", conformance.ResponseBody, base.response.media.schema,
			func(c *draft) *any { return &c.response.value })
	}
	if base.request.has && base.accepted() {
		d.values([]*draft{base}, requestSide(base).name, conformance.RequestBody, base.request.media.schema,
			func(c *draft) *any { return &c.request.value })
	}
}

// values derives the mutants of one body. bases are tried in turn.
func (d *derivation) values(bases []*draft, prefix string, part conformance.Part, root *node, value func(*draft) *any) {
	drawing := &drawing{d.spec, d.rng, part, true}
	whole := *value(bases[0])
	for _, at := range d.spec.sites(root, whole, nil, nil) {
		present, _ := lookup(whole, at.path)
		for _, v := range drawing.variants(at.node, present, 0) {
			claim := ""
			if v.claim != "" {
				claim = claimID(part, v.claim)
			}
			want := Want{v.rule, part, pointer(at.path...) + v.member}
			name := prefix + want.Pointer + "/" + v.rule + "/" + v.name
			for _, base := range bases {
				if d.names[d.prefix+name] {
					break
				}
				changed := *base
				*value(&changed) = replaced(whole, at.path, v.value)
				if d.claimed(&changed, name, claim, want) {
					d.enforced(&changed, name, claim, part)
					break
				}
			}
		}
		if at.node.Nullable && len(at.node.types()) > 0 {
			d.null(bases, prefix, part, at, value)
		}
	}
}

// null shows that a value may be null.
func (d *derivation) null(bases []*draft, prefix string, part conformance.Part, at site, value func(*draft) *any) {
	for _, base := range bases {
		changed := base.clone()
		*value(changed) = replaced(*value(base), at.path, nil)
		if len(changed.read()) == 0 {
			state := conformance.Supported
			if part == conformance.RequestBody {
				state = conformance.Consistent
			}
			claim := claimID(part, at.node.at+"/nullable")
			d.proves(prefix+pointer(at.path...)+"/nullable/null", claim, changed.exchange(nil), state)
			d.reasons[claim] = "it allows, and forbids nothing; an exchange shows that"
			return
		}
	}
}

func (d *derivation) proves(name, claim string, ex *traffic.Exchange, state conformance.State) {
	if name = d.prefix + name; !d.names[name] {
		d.names[name] = true
		ex.Source = name
		d.proofs = append(d.proofs, proof{name, claim, ex, state})
	}
}
