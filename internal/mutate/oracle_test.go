package mutate

import (
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
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
	o.value(n, v, "", true)
	return o.violations
}

func (o *oracle) add(rule, pointer, at string) {
	e := claim(at, rule, o.part, pointer)
	if !slices.Contains(o.violations, e) {
		o.violations = append(o.violations, e)
	}
}

// satisfied reports whether a value satisfies a schema, whatever it has besides.
func (o *oracle) satisfied(n *schema, v any, at string) bool {
	other := oracle{part: o.part}
	other.value(n, v, at, false)
	return len(other.violations) == 0
}

// value checks a value. whole says that no other schema describes the same value.
func (o *oracle) value(n *schema, v any, at string, whole bool) {
	switch {
	case v == nil && n.nullable:
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
	case []any:
		for i, item := range v {
			if n.item != nil {
				o.value(n.item, item, at+pointer(strconv.Itoa(i)), true)
			}
		}
	case map[string]any:
		o.object(n, v, at, whole)
	}
	o.combined(n, v, at)
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

func (o *oracle) object(n *schema, v map[string]any, at string, whole bool) {
	for _, name := range sortedKeys(n.required) {
		if _, present := v[name]; !present && n.properties[name].omittedFrom(o.part) == "" {
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
			if rule := property.omittedFrom(o.part); rule != "" {
				o.add(rule, place, property.at+"/"+rule)
			}
			o.value(property, v[name], place, true)
		case n.rest != nil:
			o.value(n.rest, v[name], place, true)
		case n.closed:
			o.add("additionalProperties", place, n.at+"/additionalProperties")
		}
	}
	if !whole || o.part != conformance.ResponseBody {
		return
	}
	known := map[string]bool{}
	if all := n.described(known); all || len(known) == 0 {
		return
	}
	for _, name := range sortedKeys(v) {
		if !known[name] {
			o.violations = append(o.violations, Expectation{"", "undocumented-property", o.part, at + pointer(name)})
		}
	}
}

func (o *oracle) combined(n *schema, v any, at string) {
	for _, part := range n.allOf {
		o.value(part, v, at, false)
	}
	if n.not != nil && o.satisfied(n.not, v, at) {
		o.add("not", at, n.at+"/not")
	}
	if n.discriminator != "" {
		object, isObject := v.(map[string]any)
		name, isText := object[n.discriminator].(string)
		switch chosen := n.choices[name]; {
		case isText && chosen != nil:
			o.value(chosen, v, at, false)
		case isObject:
			o.add("discriminator", at+pointer(n.discriminator), n.at+"/discriminator")
		default: // no claim is about that
			o.violations = append(o.violations, Expectation{"", "discriminator", o.part, at})
		}
		return
	}
	matches := func(alternatives []*schema) (count int) {
		for _, alternative := range alternatives {
			if o.satisfied(alternative, v, at) {
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
