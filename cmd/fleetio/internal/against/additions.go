package against

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// additions returns what only the document says of our operations: of a status or property that we do not have nothing but
// that it is there.
func (c *comparer) additions() []Addition {
	all := []Addition{}
	seen := map[string]bool{} // a claim is one, whatever it is used by
	var unknown []place
	add := func(what string, at place, s *statement) {
		if key := what + " " + s.claim.ID; !seen[key] {
			seen[key] = true
			all = append(all, Addition{Statement{s.at, s.claim.Text}, what, at.operation, strings.ToLower(at.status), at.part, at.pointer})
		}
	}
	places := slices.SortedFunc(maps.Keys(c.theirs), place.compare) // what is below a place comes after it
	for _, at := range places {
		ours := c.ourUses(at.use)
		if len(ours) == 0 {
			if s := c.theirs.with(at, "status"); s != nil {
				add("status", at, s)
			}
			continue
		}
		isBelow := func(known place) bool {
			return known.use == at.use && known.part == at.part && strings.HasPrefix(at.pointer, known.pointer+"/")
		}
		switch {
		case slices.ContainsFunc(unknown, isBelow):
		case !c.describes(ours, at):
			unknown = append(unknown, at)
			s := c.theirs.with(at, "type")
			if s == nil {
				s = &c.theirs[at][0]
			}
			add(kindOf(at, s), at, s)
		default:
			for i := range c.theirs[at] {
				if s := &c.theirs[at][i]; !c.hasKeyword(ours, at, s) {
					add(s.claim.Rule, at, s)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Addition) int {
		return cmp.Or(strings.Compare(a.Spec.File, b.Spec.File), a.Spec.Line-b.Spec.Line)
	})
	return all
}

// ourUses returns those of our uses that a use of the document is about.
func (c *comparer) ourUses(theirs use) (uses []use) {
	for at := range c.ours {
		if at.operation == theirs.operation && c.theirUse(at.use) == theirs && !slices.Contains(uses, at.use) {
			uses = append(uses, at.use)
		}
	}
	return uses
}

func (c *comparer) describes(ours []use, at place) bool {
	return slices.ContainsFunc(ours, func(u use) bool { return len(c.ours[place{u, at.part, at.pointer}]) > 0 })
}

// hasKeyword reports whether we say something by the same keyword. Of a type, null is a part.
func (c *comparer) hasKeyword(ours []use, at place, s *statement) bool {
	rules := []string{s.claim.Rule}
	switch s.claim.Rule {
	case "json", "body", "status", "security":
		return true
	case "nullable":
		rules = []string{"nullable", "type"}
	case "media-type":
		return slices.ContainsFunc(ours, func(u use) bool {
			return slices.ContainsFunc(c.ours[place{u, at.part, at.pointer}], func(o statement) bool { return normalized(o.claim) == normalized(s.claim) })
		})
	default:
		if same := limits[s.claim.Rule]; same != nil {
			rules = same
		}
	}
	return slices.ContainsFunc(ours, func(u use) bool { return c.ours.with(place{u, at.part, at.pointer}, rules...) != nil })
}

// kindOf names what is at a place that we do not describe.
func kindOf(at place, s *statement) string {
	switch {
	case s.claim.Rule == "security":
		return "security"
	case at.part == conformance.RequestBody || at.part == conformance.ResponseBody:
		if at.pointer == "" {
			return "body"
		}
		return "property"
	case at.part == conformance.ResponseHeader:
		return "header"
	}
	return "parameter"
}
