package suggest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
)

const (
	assumedKey  = "x-assumed"
	criteriaKey = "x-criteria"
)

// patch is a spec in the making, with the actions that make it.
type patch struct {
	state

	claims     []conformance.Claim // of the spec as it was
	info       conformance.SpecInfo
	evidence   map[string]conformance.Evidence
	documented bool // whether documented claims may be loosened

	of    *deviation // the present one
	begun int        // its first action
}

// state is what a deviation changes. An earlier one is as good as a later one: nothing that it holds is changed.
type state struct {
	root          any
	actions       []action
	loosened      []string // pointers of claims
	bodiless      []string // uses with a response that lost its body
	inexpressible []string
}

// action is one of an overlay's: an update, or a removal.
type action struct {
	Target      string `yaml:"target"`
	Description string `yaml:"description"`
	Update      object `yaml:"update,omitempty"`
	Remove      bool   `yaml:"remove,omitempty"`
}

// applyAll applies the edits of deviations as far as the spec still loads and says nothing else otherwise. Those that prevent it are
// found by halves.
func (p *patch) applyAll(list []*deviation) {
	before := p.state
	for _, of := range list {
		earlier := p.state
		if err := p.apply(of); err != nil {
			p.state = earlier
			p.cannot(of, err)
		}
	}
	err := p.verify()
	if err == nil {
		return
	}
	if p.state = before; len(list) == 1 {
		p.cannot(list[0], err)
		return
	}
	p.applyAll(list[:len(list)/2])
	p.applyAll(list[len(list)/2:])
}

func (p *patch) cannot(of *deviation, err error) {
	p.inexpressible = append(p.inexpressible, fmt.Sprintf("%s at #%s: %v. %s", of.rule, pointerOf(of.at), err, of.describe()))
}

func (p *patch) apply(of *deviation) error {
	edit := edits[of.rule]
	switch {
	case !p.fits(of):
		return errors.New("the spec has no such place")
	case edit == nil:
		return fmt.Errorf("an overlay has no edit for the rule %s", of.rule)
	}
	p.of, p.begun = of, len(p.actions)
	if !of.drift {
		if err := p.loosen(of.at...); err != nil {
			return err
		}
	}
	of.into = of.at[:len(of.at)-1]
	fields, err := edit(p, of)
	if err != nil {
		return err
	}
	if fields != nil {
		p.set(of.into, fields)
	}
	for _, id := range of.observed.Criteria { // that the deviation kept from being refuted
		if err := p.dropCriterion(tokensOf(placeOf(id))); err != nil {
			p.inexpressible = append(p.inexpressible, fmt.Sprintf("%v, and will be refuted where it was skipped so far", err))
		}
	}
	return nil
}

// fits reports whether a deviation is one that the spec can have, which a report from elsewhere may not be.
func (p *patch) fits(of *deviation) bool {
	last := len(of.at) - 1
	if of.drift {
		_, isObject := get(p.root, of.at...).(object)
		place, limited := map[string]string{"status": "responses", "media-type": "content"}[of.rule]
		return isObject && last > 0 && (!limited || of.at[last] == place)
	}
	return last > 1 && !slices.ContainsFunc(of.kinds, func(k conformance.Deviation) bool {
		return !slices.ContainsFunc(p.claims, func(c conformance.Claim) bool {
			return c.ID == k.Claim && (c.Rule == k.Rule || c.Rule == "type" && k.Rule == "nullable")
		})
	})
}

// verify loads the spec in the making, and compares its claims: none may change but those that were to.
func (p *patch) verify() error {
	text, err := json.Marshal(p.root)
	c, errLoad := conformance.Load(text)
	if err := errors.Join(err, errLoad); err != nil {
		return fmt.Errorf("the spec would not load: %w", err)
	}
	now := map[string]conformance.Claim{}
	for _, claim := range c.Claims() {
		now[claim.ID] = claim
	}
	for _, claim := range p.claims {
		pointer := placeOf(claim.ID)
		loosened := slices.ContainsFunc(p.loosened, func(at string) bool { return strings.HasPrefix(pointer+"/", at+"/") })
		lostBody := claim.Part == conformance.ResponseBody &&
			!slices.ContainsFunc(claim.Uses, func(use string) bool { return !slices.Contains(p.bodiless, use) })
		same := now[claim.ID]
		if claim.Rule != "media-type" && !lostBody && !loosened && (same.Text != claim.Text || same.Source != claim.Source) {
			return fmt.Errorf("the claim %s would change, which nothing speaks against", claim.ID)
		}
	}
	return nil
}

// loosen notes that the claim at a place changes, if it may.
func (p *patch) loosen(at ...string) error {
	if !p.documented && !p.assumed(at) {
		return fmt.Errorf("#%s stands in the way, and is documented", pointerOf(at))
	}
	p.loosened = append(p.loosened, pointerOf(at))
	return nil
}

// assumed reports whether the claim at a place is assumed.
func (p *patch) assumed(at []string) bool { return p.markOf(at) != nil }

// markOf returns the place of the mark on a claim, or on what is around it; nil for none.
func (p *patch) markOf(at []string) []string {
	for i := range at {
		place := below(at[:i], assumedKey)
		mark := get(p.root, place...)
		for _, token := range at[i:] {
			if _, isObject := mark.(object); isObject {
				mark, place = get(mark, token), below(place, token)
			}
		}
		if _, isText := mark.(string); isText {
			return place
		}
	}
	return nil
}

// set merges fields into the object at a place, and marks the claims that they make as assumed. A value of another kind is
// taken away first, as tools differ about its update: Overlay 1.0.0 appends a list as one entry, others append each
// entry, and one keeps the YAML tag of a number, !!int or !!float.
func (p *patch) set(at []string, fields object) {
	for _, name := range namesOf(fields) {
		old := get(p.root, below(at, name)...)
		if _, isList := old.([]any); old != nil && (isList || reflect.TypeOf(old) != reflect.TypeOf(fields[name])) {
			p.record(below(at, name), action{Remove: true})
		}
		switch inner := namesOf(fields[name]); {
		case name == "properties" || name == "headers" || name == "required" && p.of.rule == "body":
		case len(inner) == 0:
			fields = p.marked(at, fields, name)
		default:
			for _, token := range inner {
				fields = p.marked(at, fields, name, token)
			}
		}
	}
	p.record(at, action{Update: fields})
}

// marked adds the mark on a claim to the fields that make it at a place, if it is not assumed there already.
func (p *patch) marked(at []string, fields object, claim ...string) object {
	if p.assumed(below(at, claim...)) {
		return fields
	}
	var mark any = p.of.reason()
	for _, token := range slices.Backward(claim) {
		mark = object{token: mark}
	}
	fields, _ = merged(fields, object{assumedKey: mark}).(object)
	return fields
}

// remove removes what is at a place, if anything is, with the marks on it and the objects that then hold none.
func (p *patch) remove(at ...string) {
	if get(p.root, at...) == nil {
		return
	}
	for i := range at {
		if mark := below(below(at[:i], assumedKey), at[i:]...); get(p.root, mark...) != nil {
			p.unmark(mark)
		}
	}
	p.record(at, action{Remove: true})
}

// unmark removes a mark, with the objects that then hold none.
func (p *patch) unmark(mark []string) {
	for mark[len(mark)-1] != assumedKey && len(namesOf(get(p.root, mark[:len(mark)-1]...))) == 1 {
		mark = mark[:len(mark)-1]
	}
	p.record(mark, action{Remove: true})
}

// removeEntry removes an entry of a list that must not be empty.
func (p *patch) removeEntry(at []string) {
	whole := at[:len(at)-1]
	if list, _ := get(p.root, whole...).([]any); len(list) == 1 {
		at = whole
	}
	p.remove(at...)
}

// record notes an action and takes it.
func (p *patch) record(at []string, a action) {
	a.Target, a.Description = target(p.root, at), "Goes with the action before it."
	if len(p.actions) == p.begun {
		a.Description = p.of.describe()
	}
	p.actions = append(p.actions, a)
	p.root, _ = edited(p.root, "", at, func(v any) (any, bool) { return merged(v, a.Update), !a.Remove })
}
