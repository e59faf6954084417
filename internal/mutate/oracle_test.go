package mutate

import (
	"cmp"
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// oracle decides what a value violates, in the simplest way and without the checker's code.
type oracle struct {
	part       conformance.Part
	violations []Expectation
}

// check returns what a value of a part violates.
func check(n *schema, v any, part conformance.Part) []Expectation {
	o := oracle{part: part}
	o.value(n, v, "", n)
	if part == conformance.RequestBody || part == conformance.ResponseBody {
		o.drift([]*schema{n}, v, "")
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
func (o *oracle) satisfied(n *schema, v any, at string, root *schema) bool {
	other := oracle{part: o.part}
	other.value(n, v, at, root)
	return !slices.ContainsFunc(other.violations, func(e Expectation) bool { return !e.isNote() })
}

// noteRules are the rules of what violates nothing.
var noteRules = []string{"nullable", "portability", "readOnly", "undocumented-property"}

func (e Expectation) isNote() bool { return e.Claim == "" && slices.Contains(noteRules, e.Rule) }

// value checks a value. root is the schema of the value that the schema is combined in, or the schema itself.
func (o *oracle) value(n *schema, v any, at string, root *schema) {
	switch {
	case v == nil && n.nullable:
		if !o.allowsNull(n, at, root) {
			o.note("nullable", at)
		}
		return
	case v == nil && len(n.types) > 0:
		o.add("nullable", at, n.nullClaim)
		return
	case v != nil && len(n.types) > 0 && !n.allows(v):
		o.add("type", at, n.at+"/type")
		return
	}
	if len(n.enum) > 0 && !contains(n.enum, v) {
		o.add("enum", at, n.at+"/enum")
	}
	for _, rule := range n.violated(v) {
		o.add(rule, at, n.at+"/"+rule)
	}
	switch v := v.(type) {
	case string:
		if strings.HasSuffix(n.format, "time") && strings.ContainsAny(v, "tz") && wellFormed(n.format, v) {
			o.note("portability", at)
		}
	case []any:
		for i, item := range v {
			if n.item != nil {
				o.value(n.item, item, at+pointer(strconv.Itoa(i)), n.item)
			}
		}
	case map[string]any:
		o.object(n, v, at, root)
	}
	o.combined(n, v, at, root)
}

// allowsNull reports whether the enum and the combined schemas allow null, too.
func (o *oracle) allowsNull(n *schema, at string, root *schema) bool {
	allows := func(part *schema) bool { return o.satisfied(part, nil, at, root) }
	return (len(n.enum) == 0 || contains(n.enum, nil)) &&
		!slices.ContainsFunc(n.allOf, func(part *schema) bool { return !allows(part) }) &&
		(len(n.anyOf) == 0 || slices.ContainsFunc(n.anyOf, allows)) &&
		(len(n.oneOf) == 0 || slices.ContainsFunc(n.oneOf, allows))
}

// allows reports whether the schema's types include that of a value. 1.0 is an integer, as in later drafts of JSON Schema.
func (n *schema) allows(v any) bool {
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
		if rat(v).IsInt() && slices.Contains(n.types, "integer") {
			return true
		}
	}
	return slices.Contains(n.types, name)
}

// violated lists the keywords about numbers, strings and lengths that a value violates.
func (n *schema) violated(v any) (rules []string) {
	add := func(violated bool, rule string) {
		if violated {
			rules = append(rules, rule)
		}
	}
	length := func(actual int, s span, minimum, maximum string) {
		add(actual < s.min, minimum)
		add(s.bounded && actual > s.max, maximum)
	}
	switch v := v.(type) {
	case json.Number:
		actual := rat(v)
		if b := n.minimum; b != nil {
			order := actual.Cmp(b.at)
			add(order < 0 || order == 0 && b.exclusive, b.rule("minimum", "exclusiveMinimum"))
		}
		if b := n.maximum; b != nil {
			order := actual.Cmp(b.at)
			add(order > 0 || order == 0 && b.exclusive, b.rule("maximum", "exclusiveMaximum"))
		}
		add(n.step != nil && !new(big.Rat).Quo(actual, n.step).IsInt(), "multipleOf")
		if width, known := widths[n.format]; known && actual.IsInt() {
			add(actual.Cmp(width.minimum) < 0 || actual.Cmp(width.maximum) > 0, "format")
		}
	case string:
		length(utf8.RuneCountInString(v), n.length, "minLength", "maxLength")
		add(n.pattern != nil && !n.pattern.MatchString(v), "pattern")
		add(!wellFormed(n.format, v), "format")
	case []any:
		length(len(v), n.items, "minItems", "maxItems")
		add(n.unique && hasTwins(v), "uniqueItems")
	case map[string]any:
		length(len(v), n.size, "minProperties", "maxProperties")
	}
	return rules
}

func hasTwins(list []any) bool {
	for i := range list {
		if contains(list[:i], list[i]) {
			return true
		}
	}
	return false
}

func (o *oracle) object(n *schema, v map[string]any, at string, root *schema) {
	waived := slices.Concat(n.omitted(o.part), root.omitted(o.part))
	for _, name := range sortedKeys(n.required) {
		if _, present := v[name]; !present && !slices.Contains(waived, name) {
			o.add("required", at+pointer(name), n.required[name])
		}
	}
	for _, name := range sortedKeys(v) {
		place, property := at+pointer(name), n.properties[name]
		switch {
		case v[name] == "" && hasKey(n.emptyClaims, name):
			if n.emptyClaims[name] != "" {
				o.add("allowEmptyValue", place, n.emptyClaims[name])
			}
		case property != nil:
			switch marked := property.omittedFrom(o.part); {
			case marked != nil && ofRequest(o.part):
				o.note("readOnly", place)
			case marked != nil:
				o.add("writeOnly", place, marked.at+"/writeOnly")
			}
			o.value(property, v[name], place, property)
		case n.rest != nil:
			o.value(n.rest, v[name], place, n.rest)
		case n.closed:
			o.add("additionalProperties", place, n.at+"/additionalProperties")
		}
	}
}

// drift adds the properties of a value, and of the values in it, that none of the schemas that apply to it describes.
func (o *oracle) drift(schemas []*schema, v any, at string) {
	var all []*schema
	for _, n := range schemas {
		all = o.applying(all, n, v, at, schemas[0])
	}
	switch v := v.(type) {
	case []any:
		var items []*schema
		for _, n := range all {
			if n.item != nil {
				items = append(items, n.item)
			}
		}
		for i, item := range v {
			o.drift(items, item, at+pointer(strconv.Itoa(i)))
		}
	case map[string]any:
		for _, name := range sortedKeys(v) {
			var below []*schema
			listed, open, known := false, false, false
			for _, n := range all {
				listed = listed || len(n.properties)+len(n.required) > 0
				open = open || n.open || n.closed // then another name violates a claim
				known = known || n.properties[name] != nil || n.required[name] != ""
				if property := cmp.Or(n.properties[name], n.rest); property != nil {
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
func (o *oracle) applying(all []*schema, n *schema, v any, at string, root *schema) []*schema {
	if slices.Contains(all, n) {
		return all
	}
	all = append(all, n)
	parts := slices.Clone(n.allOf)
	if chosen := n.choice(v, root); chosen != nil {
		parts = append(parts, chosen)
	} else {
		for _, alternatives := range [][]*schema{n.anyOf, n.oneOf} {
			fails := func(part *schema) bool { return !o.satisfied(part, v, at, root) }
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

func (o *oracle) combined(n *schema, v any, at string, root *schema) {
	for _, part := range n.allOf {
		o.value(part, v, at, root)
	}
	if n.not != nil && o.satisfied(n.not, v, at, root) {
		o.add("not", at, n.at+"/not")
	}
	chosen := n.choice(v, root)
	switch {
	case n.inherits && chosen != nil && chosen != root:
		o.value(chosen, v, at, chosen)
	case n.discriminator != "" && !n.inherits:
		_, isObject := v.(map[string]any)
		switch {
		case chosen != nil:
			o.value(chosen, v, at, root)
		case isObject:
			o.add("discriminator", at+pointer(n.discriminator), n.at+"/discriminator")
		default: // no claim is about that
			o.violations = append(o.violations, Expectation{"", "discriminator", o.part, at})
		}
		return
	}
	matches := func(alternatives []*schema) (count int) {
		for _, alternative := range alternatives {
			if o.satisfied(alternative, v, at, root) {
				count++
			}
		}
		return count
	}
	if len(n.anyOf) > 0 && matches(n.anyOf) == 0 {
		o.add("anyOf", at, n.at+"/anyOf")
	}
	if len(n.oneOf) > 0 && matches(n.oneOf) != 1 {
		o.add("oneOf", at, n.at+"/oneOf")
	}
}
