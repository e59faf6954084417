package suggest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// draft is a spec in the making, with the actions that make it.
type draft struct {
	root       *yaml.Node
	claims     []conformance.Claim // of the spec as it was
	evidence   map[string]conformance.Evidence
	documented bool            // whether documented claims may be loosened
	refuted    map[string]bool // pointers of the claims that are to be loosened

	actions []action
	touched map[string]bool // pointers of the claims that were loosened
	silent  map[string]bool // uses whose answers lost their body
	unsaid  []string        // what cannot be expressed

	of    *deviation // the present one
	begun int        // its first action
}

// action is one of an overlay's: an update, or without one a removal.
type action struct {
	at                  []string
	target, description string
	update              *yaml.Node
}

func (a action) apply(root *yaml.Node) {
	if a.update != nil {
		n, _ := find(root, a.at)
		merge(n, a.update)
		return
	}
	above, parent := a.at[:len(a.at)-1], ""
	if len(above) > 0 {
		parent = above[len(above)-1]
	}
	n, _ := find(root, above)
	remove(n, parent, a.at[len(a.at)-1])
}

func newDraft(spec []byte, claims []conformance.Claim, r *conformance.Report, o Options) (*draft, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(spec, &doc); err != nil {
		return nil, err
	}
	d := &draft{root: doc.Content[0], claims: claims, documented: o.Documented, evidence: map[string]conformance.Evidence{},
		touched: map[string]bool{}, silent: map[string]bool{}, refuted: map[string]bool{}}
	for _, e := range r.Claims {
		d.evidence[e.ID] = e
	}
	return d, nil
}

func (d *draft) clone() *draft {
	copied := *d
	copied.root = clone(d.root)
	copied.actions, copied.unsaid = slices.Clone(d.actions), slices.Clone(d.unsaid)
	copied.touched, copied.silent = maps.Clone(d.touched), maps.Clone(d.silent)
	return &copied
}

// answerAll answers deviations as far as the spec stays one that loads and says nothing else otherwise. Those that would not
// leave it so are found by halves.
func (d *draft) answerAll(list []*deviation) {
	before := d.clone()
	for _, of := range list {
		d.try(of, before)
	}
	err := d.verify()
	if err == nil {
		return
	}
	*d = *before
	if len(list) == 1 {
		d.cannot(list[0], err)
		return
	}
	d.answerAll(list[:len(list)/2])
	d.answerAll(list[len(list)/2:])
}

// try answers a deviation, or notes why it cannot. Then what it began is undone from a copy of an earlier draft.
func (d *draft) try(of *deviation, earlier *draft) {
	n, unsaid, touched, silent := len(d.actions), len(d.unsaid), maps.Clone(d.touched), maps.Clone(d.silent)
	err := d.answer(of)
	if err == nil {
		return
	}
	if len(d.actions) > n {
		d.root, d.actions = clone(earlier.root), d.actions[:n]
		for _, a := range d.actions[len(earlier.actions):] {
			a.apply(d.root)
		}
	}
	d.unsaid, d.touched, d.silent = d.unsaid[:unsaid], touched, silent
	d.cannot(of, err)
}

func (d *draft) answer(of *deviation) error {
	edit := edits[of.rule]
	switch {
	case of.rule == "media-type" && !of.drift:
		return errors.New("no spec covers a Content-Type that is missing, malformed or repeated, or text that is not UTF-8")
	case !d.fits(of):
		return errors.New("the spec has no such place")
	case edit == nil:
		return fmt.Errorf("OpenAPI 3.0 has no way to allow what breaks the rule %s", of.rule)
	}
	d.of, d.begun = of, len(d.actions)
	if err := edit(d, of); err != nil {
		return err
	}
	return d.dropSilent()
}

// fits reports whether a deviation is one that the spec can have, which a report from elsewhere may not be.
func (d *draft) fits(of *deviation) bool {
	last := len(of.at) - 1
	if of.drift {
		n, _ := find(d.root, of.at)
		isObject := n != nil && n.Kind == yaml.MappingNode && last > 0
		return isObject && (of.rule != "status" || of.at[last] == "responses") && (of.rule != "media-type" || of.at[last] == "content")
	}
	for _, k := range of.kinds {
		if !slices.ContainsFunc(d.claims, func(c conformance.Claim) bool {
			return c.ID == k.Claim && (c.Rule == k.Rule || c.Rule == "type" && k.Rule == "nullable")
		}) {
			return false
		}
	}
	return last > 1
}

// dropSilent strikes the criteria that the present deviation kept from being refuted. A documented one stays, and will be.
func (d *draft) dropSilent() error {
	for _, id := range d.of.seen.Criteria {
		_, pointer, _ := strings.Cut(id, "#")
		at := splitPointer(pointer)
		if len(at) < 4 || at[len(at)-3] != criteriaKey {
			continue
		}
		if !d.documented && !d.marked(at) {
			d.unsaid = append(d.unsaid, fmt.Sprintf("the criterion #%s is documented, and will be refuted where it was silent so far", pointer))
			continue
		}
		if err := d.dropCriterion(at[:len(at)-3], at[len(at)-2]); err != nil {
			return err
		}
	}
	return nil
}

func (d *draft) cannot(of *deviation, err error) {
	d.unsaid = append(d.unsaid, fmt.Sprintf("%s at #%s: %v. %s", of.rule, pointerOf(of.at...), err, of.evidence()))
}

// verify loads the draft, and proves that no claim changed but those that were to.
func (d *draft) verify() error {
	var out bytes.Buffer
	if err := yaml.NewEncoder(&out).Encode(d.root); err != nil {
		return err
	}
	c, err := conformance.Load(out.Bytes())
	if err != nil {
		return fmt.Errorf("the spec would not load: %w", err)
	}
	now := map[string]conformance.Claim{}
	for _, claim := range c.Claims() {
		now[claim.ID] = claim
	}
	for _, claim := range d.claims {
		_, pointer, _ := strings.Cut(claim.ID, "#")
		lostBody := claim.Part == conformance.ResponseBody && !slices.ContainsFunc(claim.Uses, func(use string) bool { return !d.silent[use] })
		if claim.Rule == "media-type" || lostBody || d.touches(pointer) {
			continue
		}
		if same := now[claim.ID]; same.Text != claim.Text || same.Basis != claim.Basis {
			return fmt.Errorf("the claim %s would change, which nothing speaks against", claim.ID)
		}
	}
	return nil
}

func (d *draft) touches(pointer string) bool {
	for at := range d.touched {
		if pointer == at || strings.HasPrefix(pointer, at+"/") {
			return true
		}
	}
	return false
}

// node returns what stands at a place, or nil.
func (d *draft) node(at ...string) *yaml.Node {
	n, _ := find(d.root, at)
	return n
}

// loosen asks whether the claim at a place may be loosened.
func (d *draft) loosen(at ...string) error {
	if !d.documented && !d.marked(at) {
		return fmt.Errorf("#%s stands in the way, and is documented", pointerOf(at...))
	}
	d.touched[pointerOf(at...)] = true
	return nil
}

// update merges an object into the one at a place.
func (d *draft) update(at []string, update *yaml.Node) error {
	n, shared := find(d.root, at)
	switch {
	case n == nil:
		return fmt.Errorf("there is no #%s", pointerOf(at...))
	case shared:
		return fmt.Errorf("#%s has an anchor, so that other places would change with it", pointerOf(at...))
	}
	d.record(at, update)
	return nil
}

// remove takes away what stands at a place, if anything does, with the marks on it.
func (d *draft) remove(at ...string) error {
	if d.node(at...) == nil {
		return nil
	}
	if err := d.unmark(at); err != nil {
		return err
	}
	return d.cut(at)
}

func (d *draft) cut(at []string) error {
	above := at[:len(at)-1]
	if _, shared := find(d.root, above); shared {
		return fmt.Errorf("#%s has an anchor, so that other places would change with it", pointerOf(above...))
	}
	d.record(at, nil)
	return nil
}

// record notes an action and takes it.
func (d *draft) record(at []string, update *yaml.Node) {
	a := action{at: slices.Clone(at), target: target(d.root, at), update: update, description: "Goes with the action before it."}
	if len(d.actions) == d.begun {
		a.description = d.of.evidence() + d.sharers()
	}
	d.actions = append(d.actions, a)
	a.apply(d.root)
}

// sharers names the uses that the place has besides those with evidence.
func (d *draft) sharers() string {
	own, others := map[string]bool{}, map[string]bool{}
	for _, k := range d.of.kinds {
		own[fmt.Sprintf("%s %d", k.Operation, k.Status)] = true
		if k.Part == conformance.RequestBody || k.Part == conformance.RequestHeader {
			own[k.Operation] = true
		}
	}
	if d.of.drift {
		return ""
	}
	for _, claim := range d.claims {
		if _, pointer, _ := strings.Cut(claim.ID, "#"); pointer == pointerOf(d.of.at...) {
			for _, use := range claim.Uses {
				if !own[use] {
					others[use] = true
				}
			}
		}
	}
	if len(others) == 0 {
		return ""
	}
	return " The place serves others too: " + strings.Join(slices.Sorted(maps.Keys(others)), ", ") + "."
}
