package mutate

import (
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// broken is a claim that an exchange breaks, as this package reads the spec.
type broken struct {
	Want

	claim string // "" for drift
}

// reading judges one value by a schema, in the plainest way.
type reading struct {
	spec  *spec
	part  conformance.Part
	found []broken
	aside bool    // only whether it holds
	read  []*node // at the present value: a schema that is combined twice says nothing new
	held  map[placed]bool
}

// placed is a schema at a place, which a value holds or does not: without it, the time would double with each level of
// schemas that are combined.
type placed struct {
	node *node
	at   string
}

// read returns what a value breaks.
func (s *spec) read(n *node, v any, part conformance.Part, at string) []broken {
	if n == nil {
		return nil
	}
	r := &reading{spec: s, part: part, held: map[placed]bool{}}
	r.value(n, v, at)
	return r.found
}

func (r *reading) holds(n *node, v any, at string) bool {
	key := placed{n, at}
	if held, known := r.held[key]; known {
		return held
	}
	r.held[key] = true // where the schema is combined with itself, that decides nothing
	aside := &reading{spec: r.spec, part: r.part, aside: true, held: r.held}
	aside.value(n, v, at)
	r.held[key] = len(aside.found) == 0
	return r.held[key]
}

func (r *reading) breaks(rule, at, claim string) {
	b := broken{Want{Rule: rule, Part: r.part, Pointer: at}, claimID(r.part, claim)}
	if !slices.Contains(r.found, b) {
		r.found = append(r.found, b)
	}
}

// claimID is how the judge calls a claim.
func claimID(part conformance.Part, claim string) string { return string(part) + "#" + claim }

// otherWay tells a member that the sender of a part leaves out.
func otherWay(n *node, part conformance.Part) bool {
	return n != nil && (n.ReadOnly && part == conformance.RequestBody || n.WriteOnly && part != conformance.RequestBody)
}

func (r *reading) value(n *node, v any, at string) {
	if slices.Contains(r.read, n) {
		return
	}
	r.read = append(r.read, n)
	types := n.types()
	if v == nil {
		if n.Nullable {
			return
		}
		if len(types) > 0 {
			claim := n.at + "/type"
			if n.written("nullable") {
				claim = n.at + "/nullable"
			}
			r.breaks("nullable", at, claim)
			return
		}
	} else if !slices.ContainsFunc(types, func(name string) bool { return is(v, name) }) && len(types) > 0 {
		r.breaks("type", at, n.at+"/type")
		return
	}
	if len(n.enum) > 0 && !slices.ContainsFunc(n.enum, func(e any) bool { return same(e, v) }) {
		r.breaks("enum", at, n.at+"/enum")
	}
	for _, rule := range scalarRules(n, v) {
		r.breaks(rule, at, n.at+"/"+rule)
	}
	switch v := v.(type) {
	case []any:
		r.array(n, v, at)
	case map[string]any:
		r.object(n, v, at)
	}
	r.combined(n, v, at)
}

// is reports whether a value is of a type. 1.0 is an integer (JSON Schema, Wright draft 00, section 3.5, asks for
// more, later drafts do not, and neither does the judge).
func is(v any, name string) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case json.Number:
		return name == "number" || name == "integer" && rat(v).IsInt()
	case []any:
		return name == "array"
	}
	return name == "object"
}

// scalarRules lists the keywords that a number, a text or a count breaks.
func scalarRules(n *node, v any) []string {
	var rules []string
	add := func(breaks bool, rule string) {
		if breaks {
			rules = append(rules, rule)
		}
	}
	count := func(have uint64, least uint64, most *uint64, low, high string) {
		add(have < least, low)
		add(most != nil && have > *most, high)
	}
	switch v := v.(type) {
	case json.Number:
		is := rat(v)
		if least := n.least; least != nil {
			exclusive := n.ExclusiveMin.Bool != nil && *n.ExclusiveMin.Bool
			add(!exclusive && is.Cmp(least) < 0, "minimum")
			add(exclusive && is.Cmp(least) <= 0, "exclusiveMinimum")
		}
		if most := n.most; most != nil {
			exclusive := n.ExclusiveMax.Bool != nil && *n.ExclusiveMax.Bool
			add(!exclusive && is.Cmp(most) > 0, "maximum")
			add(exclusive && is.Cmp(most) >= 0, "exclusiveMaximum")
		}
		if step := n.step; step != nil {
			add(!new(big.Rat).Quo(is, step).IsInt(), "multipleOf")
		}
		if width := widths[n.Format]; width != nil && is.IsInt() {
			add(is.Num().Cmp(width[0]) < 0 || is.Num().Cmp(width[1]) > 0, "format")
		}
	case string:
		count(uint64(utf8.RuneCountInString(v)), n.MinLength, n.MaxLength, "minLength", "maxLength") //nolint:gosec // not negative
		add(n.pattern != nil && !n.pattern.MatchString(v), "pattern")
		add(!wellFormed(n.Format, v), "format")
	case []any:
		count(uint64(len(v)), n.MinItems, n.MaxItems, "minItems", "maxItems")
		add(n.UniqueItems && hasTwins(v), "uniqueItems")
	case map[string]any:
		count(uint64(len(v)), n.MinProps, n.MaxProps, "minProperties", "maxProperties")
	}
	return rules
}

func hasTwins(list []any) bool {
	for i := range list {
		if slices.ContainsFunc(list[:i], func(other any) bool { return same(other, list[i]) }) {
			return true
		}
	}
	return false
}

// below reads a member or an item.
func (r *reading) below(n *node, v any, at string) {
	read := r.read
	r.read = nil
	r.value(n, v, at)
	r.read = read
}

func (r *reading) array(n *node, v []any, at string) {
	if n.Items == nil {
		return
	}
	for i, item := range v {
		r.below(r.spec.node(n.Items, n.at+"/items"), item, at+pointer(strconv.Itoa(i)))
	}
}

func (r *reading) object(n *node, v map[string]any, at string) {
	for _, name := range n.Required {
		if _, there := v[name]; !there && !otherWay(r.spec.property(n, name), r.part) {
			r.breaks("required", at+pointer(name), n.at+"/required"+pointer(name))
		}
	}
	for _, name := range sortedKeys(v) {
		place := at + pointer(name)
		of := r.spec.property(n, name)
		switch {
		case of != nil:
			if otherWay(of, r.part) {
				rule := map[bool]string{true: "readOnly", false: "writeOnly"}[r.part == conformance.RequestBody]
				r.breaks(rule, place, of.at+"/"+rule)
			}
			r.below(of, v[name], place)
		case n.AdditionalProperties.Schema != nil:
			r.below(r.spec.rest(n), v[name], place)
		case n.closed():
			r.breaks("additionalProperties", place, n.at+"/additionalProperties")
		}
	}
	if r.part != conformance.ResponseBody || len(r.read) > 1 || r.aside {
		return
	}
	if known, all := r.spec.members(n, map[*node]bool{}); !all && len(known) > 0 {
		for _, name := range sortedKeys(v) {
			if !known[name] {
				r.found = append(r.found, broken{Want: Want{"undocumented-property", r.part, at + pointer(name)}})
			}
		}
	}
}
