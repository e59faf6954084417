package mutate

import (
	"cmp"
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/internal/generate"
)

// oracle decides what a value violates, in the simplest way and without the checker's code.
type oracle struct {
	part       conformance.Part
	violations []Expectation
}

// check returns what a value of a part violates.
func check(n *generate.Schema, v any, part conformance.Part) []Expectation {
	o := oracle{part: part}
	o.value(n, v, "", n)
	if part == conformance.RequestBody || part == conformance.ResponseBody {
		o.drift([]*generate.Schema{n}, v, "")
	}
	return o.violations
}

func (o *oracle) add(rule, pointer, at string) { o.addOnce(claim(at, rule, o.part, pointer)) }

// note adds what is no violation, but worth a note.
func (o *oracle) note(rule, pointer string) { o.addOnce(Expectation{"", rule, o.part, pointer}) }

func (o *oracle) addOnce(e Expectation) {
	if !slices.Contains(o.violations, e) {
		o.violations = append(o.violations, e)
	}
}

// satisfied reports whether a value satisfies a schema, whatever notes it deserves.
func (o *oracle) satisfied(n *generate.Schema, v any, at string, root *generate.Schema) bool {
	other := oracle{part: o.part}
	other.value(n, v, at, root)
	return !slices.ContainsFunc(other.violations, func(e Expectation) bool { return !e.isNote() })
}

// noteRules are the rules of what violates nothing.
var noteRules = []string{"nullable", "portability", "readOnly", "undocumented-property"}

func (e Expectation) isNote() bool { return e.Claim == "" && slices.Contains(noteRules, e.Rule) }

// value checks a value. root is the schema of the value that the schema is combined in, or the schema itself.
func (o *oracle) value(n *generate.Schema, v any, at string, root *generate.Schema) {
	switch {
	case v == nil && n.Nullable:
		if !o.allowsNull(n, at, root) {
			o.note("nullable", at)
		}
		return
	case v == nil && len(n.Types) > 0:
		o.add("nullable", at, n.NullClaim)
		return
	case v != nil && len(n.Types) > 0 && !allows(n, v):
		o.add("type", at, n.At+"/type")
		return
	}
	if len(n.Enum) > 0 && !generate.Contains(n.Enum, v) {
		o.add("enum", at, n.At+"/enum")
	}
	for _, rule := range violated(n, v) {
		o.add(rule, at, n.At+"/"+rule)
	}
	switch v := v.(type) {
	case string:
		if strings.HasSuffix(n.Format, "time") && strings.ContainsAny(v, "tz") && wellFormed(n.Format, v) {
			o.note("portability", at)
		}
	case []any:
		for i, item := range v {
			if n.Item != nil {
				o.value(n.Item, item, at+pointer(strconv.Itoa(i)), n.Item)
			}
		}
	case map[string]any:
		o.object(n, v, at, root)
	}
	o.combined(n, v, at, root)
}

// allowsNull reports whether the enum and the combined schemas allow null, too.
func (o *oracle) allowsNull(n *generate.Schema, at string, root *generate.Schema) bool {
	allows := func(part *generate.Schema) bool { return o.satisfied(part, nil, at, root) }
	return (len(n.Enum) == 0 || generate.Contains(n.Enum, nil)) &&
		!slices.ContainsFunc(n.AllOf, func(part *generate.Schema) bool { return !allows(part) }) &&
		(len(n.AnyOf) == 0 || slices.ContainsFunc(n.AnyOf, allows)) &&
		(len(n.OneOf) == 0 || slices.ContainsFunc(n.OneOf, allows))
}

// allows reports whether the schema's types include that of a value. 1.0 is an integer, as in later drafts of JSON Schema.
func allows(n *generate.Schema, v any) bool {
	name := "object"
	switch v := v.(type) {
	case bool:
		name = "boolean"
	case string:
		name = "string"
	case []any:
		name = "array"
	case json.Number:
		name = "number"
		if generate.Rat(v).IsInt() && slices.Contains(n.Types, "integer") {
			return true
		}
	}
	return slices.Contains(n.Types, name)
}

// violated lists the keywords about numbers, strings and lengths that a value violates.
func violated(n *generate.Schema, v any) (rules []string) {
	add := func(violated bool, rule string) {
		if violated {
			rules = append(rules, rule)
		}
	}
	length := func(actual int, s generate.Span, minimum, maximum string) {
		add(actual < s.Min, minimum)
		add(s.Bounded && actual > s.Max, maximum)
	}
	switch v := v.(type) {
	case json.Number:
		actual := generate.Rat(v)
		if b := n.Minimum; b != nil {
			order := actual.Cmp(b.At)
			add(order < 0 || order == 0 && b.Exclusive, boundRule(b, "minimum", "exclusiveMinimum"))
		}
		if b := n.Maximum; b != nil {
			order := actual.Cmp(b.At)
			add(order > 0 || order == 0 && b.Exclusive, boundRule(b, "maximum", "exclusiveMaximum"))
		}
		add(n.Step != nil && !new(big.Rat).Quo(actual, n.Step).IsInt(), "multipleOf")
		if width, known := generate.Widths[n.Format]; known && actual.IsInt() {
			add(actual.Cmp(width.Minimum) < 0 || actual.Cmp(width.Maximum) > 0, "format")
		}
	case string:
		length(utf8.RuneCountInString(v), n.Length, "minLength", "maxLength")
		add(n.Pattern != nil && !n.Pattern.MatchString(v), "pattern")
		add(!wellFormed(n.Format, v), "format")
	case []any:
		length(len(v), n.Items, "minItems", "maxItems")
		add(n.Unique && hasTwins(v), "uniqueItems")
	case map[string]any:
		length(len(v), n.Size, "minProperties", "maxProperties")
	}
	return rules
}

func hasTwins(list []any) bool {
	for i := range list {
		if generate.Contains(list[:i], list[i]) {
			return true
		}
	}
	return false
}

func (o *oracle) object(n *generate.Schema, v map[string]any, at string, root *generate.Schema) {
	waived := slices.Concat(omitted(n, o.part), omitted(root, o.part))
	for _, name := range generate.SortedKeys(n.Required) {
		if _, present := v[name]; !present && !slices.Contains(waived, name) {
			o.add("required", at+pointer(name), n.Required[name])
		}
	}
	for _, name := range generate.SortedKeys(v) {
		place, property := at+pointer(name), n.Properties[name]
		switch {
		case v[name] == "" && hasKey(n.EmptyClaims, name):
			if n.EmptyClaims[name] != "" {
				o.add("allowEmptyValue", place, n.EmptyClaims[name])
			}
		case property != nil:
			switch marked := property.OmittedFrom(o.part); {
			case marked != nil && generate.OfRequest(o.part):
				o.note("readOnly", place)
			case marked != nil:
				o.add("writeOnly", place, marked.At+"/writeOnly")
			}
			o.value(property, v[name], place, property)
		case n.Rest != nil:
			o.value(n.Rest, v[name], place, n.Rest)
		case n.Closed:
			o.add("additionalProperties", place, n.At+"/additionalProperties")
		}
	}
}

// drift adds the properties of a value, and of the values in it, that none of the schemas that apply to it describes.
func (o *oracle) drift(schemas []*generate.Schema, v any, at string) {
	var all []*generate.Schema
	for _, n := range schemas {
		all = o.applying(all, n, v, at, schemas[0])
	}
	switch v := v.(type) {
	case []any:
		var items []*generate.Schema
		for _, n := range all {
			if n.Item != nil {
				items = append(items, n.Item)
			}
		}
		for i, item := range v {
			o.drift(items, item, at+pointer(strconv.Itoa(i)))
		}
	case map[string]any:
		for _, name := range generate.SortedKeys(v) {
			var below []*generate.Schema
			listed, open, known := false, false, false
			for _, n := range all {
				listed = listed || len(n.Properties)+len(n.Required) > 0
				open = open || n.Open || n.Closed // then another name violates a claim
				known = known || n.Properties[name] != nil || n.Required[name] != ""
				if property := cmp.Or(n.Properties[name], n.Rest); property != nil {
					below = append(below, property)
				}
			}
			o.drift(below, v[name], at+pointer(name))
			if listed && !open && !known {
				o.note("undocumented-property", at+pointer(name))
			}
		}
	}
}

// applying adds a schema, and those combined in it that apply to a value: of alternatives the ones that it satisfies, or
// all where it satisfies none.
func (o *oracle) applying(all []*generate.Schema, n *generate.Schema, v any, at string, root *generate.Schema) []*generate.Schema {
	if slices.Contains(all, n) {
		return all
	}
	all = append(all, n)
	parts := slices.Clone(n.AllOf)
	if chosen := n.Choice(v, root); chosen != nil {
		parts = append(parts, chosen)
	} else {
		for _, alternatives := range [][]*generate.Schema{n.AnyOf, n.OneOf} {
			fails := func(part *generate.Schema) bool { return !o.satisfied(part, v, at, root) }
			if matching := slices.DeleteFunc(slices.Clone(alternatives), fails); len(matching) > 0 {
				alternatives = matching
			}
			parts = append(parts, alternatives...)
		}
	}
	for _, part := range parts {
		all = o.applying(all, part, v, at, root)
	}
	return all
}

func (o *oracle) combined(n *generate.Schema, v any, at string, root *generate.Schema) {
	for _, part := range n.AllOf {
		o.value(part, v, at, root)
	}
	if n.Not != nil && o.satisfied(n.Not, v, at, root) {
		o.add("not", at, n.At+"/not")
	}
	chosen := n.Choice(v, root)
	switch {
	case n.Inherits && chosen != nil && chosen != root:
		o.value(chosen, v, at, chosen)
	case n.Discriminator != "" && !n.Inherits:
		_, isObject := v.(map[string]any)
		switch {
		case chosen != nil:
			o.value(chosen, v, at, root)
		case isObject:
			o.add("discriminator", at+pointer(n.Discriminator), n.At+"/discriminator")
		default: // no claim is about that
			o.violations = append(o.violations, Expectation{"", "discriminator", o.part, at})
		}
		return
	}
	matches := func(alternatives []*generate.Schema) (count int) {
		for _, alternative := range alternatives {
			if o.satisfied(alternative, v, at, root) {
				count++
			}
		}
		return count
	}
	if len(n.AnyOf) > 0 && matches(n.AnyOf) == 0 {
		o.add("anyOf", at, n.At+"/anyOf")
	}
	if len(n.OneOf) > 0 && matches(n.OneOf) != 1 {
		o.add("oneOf", at, n.At+"/oneOf")
	}
}

// newGenerator returns a generator of values that violate nothing by the oracle.
func newGenerator(rng *rand.Rand, part conformance.Part, full bool) generate.Generator {
	return generate.Generator{Rand: rng, Part: part, Full: full,
		Conforms: func(n *generate.Schema, v any) bool { return len(check(n, v, part)) == 0 }}
}

// boundRule is the keyword that a number beyond the bound violates: minimum or exclusiveMinimum, say.
func boundRule(b *generate.Bound, inclusive, exclusive string) string {
	if b.Exclusive {
		return exclusive
	}
	return inclusive
}

// pointer joins tokens into a JSON pointer (RFC 6901).
func pointer(tokens ...string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString("/" + strings.ReplaceAll(strings.ReplaceAll(t, "~", "~0"), "/", "~1"))
	}
	return b.String()
}

// hasKey reports whether a map has a key.
func hasKey(m map[string]string, key string) bool {
	_, has := m[key]
	return has
}
