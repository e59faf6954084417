package conformance

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// kind is what a JSON value is.
type kind uint8

const (
	kindNull kind = iota
	kindBoolean
	kindNumber
	kindString
	kindArray
	kindObject
	kinds
)

// keyword is a claim of a schema, with the kinds of values that bear on it: any other is silent about it.
type keyword struct {
	rule, spec, text string
	bears            uint8  // a bit for each kind
	member           string // pointer of the member that it is about, below the value; "" for the value
}

func kindOf(value any) kind {
	switch value.(type) {
	case nil:
		return kindNull
	case bool:
		return kindBoolean
	case number:
		return kindNumber
	case string:
		return kindString
	case []any:
		return kindArray
	}
	return kindObject
}

func of(list ...kind) (set uint8) {
	for _, k := range list {
		set |= 1 << k
	}
	return set
}

// keywords lists what a schema itself claims of a part of an exchange.
func (c *Contract) keywords(s *schema, part Part) []keyword {
	var list []keyword
	anything := of(kindBoolean, kindNumber, kindString, kindArray, kindObject)
	add := func(rule, text string, bears uint8) {
		list = append(list, keyword{rule: rule, spec: s.place + "/" + rule, text: text, bears: bears})
	}
	there := func(name string) bool { return c.source.node(s.place+"/"+name) != nil }
	if len(s.types()) > 0 {
		add("type", s.kind(), anything)
	}
	switch {
	case s.Nullable:
		add("nullable", "may be null", of(kindNull))
	case there("nullable") && len(s.types()) > 0:
		add("nullable", "not null", anything)
	}
	withNull := anything
	if len(s.types()) == 0 && !s.Nullable {
		withNull |= of(kindNull)
	}
	if len(s.enum) > 0 {
		add("enum", s.choices(), withNull)
	}
	for _, limit := range c.limits(s) {
		limit.spec = s.place + "/" + limit.rule
		list = append(list, limit)
	}
	switch {
	case integerFormats[s.Format] > 0:
		add("format", "format "+s.Format, of(kindNumber))
	case formats[s.Format] != nil:
		add("format", "format "+s.Format, of(kindString))
	}
	if has := s.AdditionalProperties.Has; has != nil && !*has {
		list = append(list, keyword{rule: "additionalProperties", spec: s.place + "/additionalProperties",
			text: "no other members", bears: of(kindObject), member: "/*"})
	}
	if s.Discriminator != nil && len(s.OneOf)+len(s.AnyOf) > 0 {
		list = append(list, keyword{rule: "discriminator", spec: s.place + "/discriminator", bears: of(kindObject),
			text: "the member " + s.Discriminator.PropertyName + " names a schema", member: pointerOf(s.Discriminator.PropertyName)})
	}
	for rule, parts := range map[string]int{"anyOf": len(s.AnyOf), "oneOf": len(s.OneOf)} {
		if parts > 0 && s.Discriminator == nil {
			add(rule, map[string]string{"anyOf": "one of several schemas", "oneOf": "exactly one of several schemas"}[rule], withNull)
		}
	}
	if s.Not != nil {
		add("not", "not what a schema describes", withNull)
	}
	for i, name := range s.Required {
		if p := s.Properties[name]; !otherWay(p, part) {
			list = append(list, keyword{rule: "required", spec: s.place + "/required/" + strconv.Itoa(i),
				text: "the member " + name, member: pointerOf(name)})
		}
	}
	for _, name := range sortedKeys(s.Properties) {
		if p := s.Properties[name]; otherWay(p, part) {
			rule := oneWay(part)
			list = append(list, keyword{rule: rule, spec: c.schemas[p.Value].place + "/" + rule, text: "no member " + name,
				bears: of(kindObject), member: pointerOf(name)})
		}
	}
	slices.SortStableFunc(list, func(a, b keyword) int { return cmp.Compare(a.spec, b.spec) })
	return list
}

// limits lists the keywords that bound a value. One that every value keeps, such as minLength: 0, claims nothing.
func (c *Contract) limits(s *schema) []keyword {
	var list []keyword
	add := func(rule, text string, k kind) {
		list = append(list, keyword{rule: rule, text: text, bears: of(k)})
	}
	if s.limits["minimum"] != nil {
		if s.exclusiveMinimum() {
			add("exclusiveMinimum", "more than "+c.literal(s, "minimum"), kindNumber)
		} else {
			add("minimum", "at least "+c.literal(s, "minimum"), kindNumber)
		}
	}
	if s.limits["maximum"] != nil {
		if s.exclusiveMaximum() {
			add("exclusiveMaximum", "less than "+c.literal(s, "maximum"), kindNumber)
		} else {
			add("maximum", "at most "+c.literal(s, "maximum"), kindNumber)
		}
	}
	if s.limits["multipleOf"] != nil {
		add("multipleOf", "a multiple of "+c.literal(s, "multipleOf"), kindNumber)
	}
	if s.MinLength > 0 {
		add("minLength", fmt.Sprintf("at least %d characters", s.MinLength), kindString)
	}
	if s.MaxLength != nil {
		add("maxLength", fmt.Sprintf("at most %d characters", *s.MaxLength), kindString)
	}
	if s.pattern != nil {
		add("pattern", "a match of "+s.Pattern, kindString)
	}
	if s.MinItems > 0 {
		add("minItems", fmt.Sprintf("at least %d items", s.MinItems), kindArray)
	}
	if s.MaxItems != nil {
		add("maxItems", fmt.Sprintf("at most %d items", *s.MaxItems), kindArray)
	}
	if s.UniqueItems {
		list = append(list, keyword{rule: "uniqueItems", text: "items that differ"}) // of fewer than two it says nothing
	}
	if s.MinProps > 0 {
		add("minProperties", fmt.Sprintf("at least %d members", s.MinProps), kindObject)
	}
	if s.MaxProps != nil {
		add("maxProperties", fmt.Sprintf("at most %d members", *s.MaxProps), kindObject)
	}
	return list
}

// schemaClaims holds the indexes of a schema's claims about one part of an exchange.
type schemaClaims struct {
	bearing  [kinds][]int // by the kind of value that bears on them
	required []int        // by the position in required; noClaim where the other side sends the member
	unique   int
}

// bindClaims tells each schema which claims its values bear on.
func (c *Contract) bindClaims() {
	for _, s := range c.schemas {
		s.claims = map[Part]*schemaClaims{}
		for _, part := range []Part{RequestBody, ResponseBody, ResponseHeader} {
			bound := &schemaClaims{unique: noClaim, required: make([]int, len(s.Required))}
			for i := range bound.required {
				bound.required[i] = noClaim
			}
			for _, k := range c.keywords(s, part) {
				i := c.claimIndex(part, k.spec)
				if i == noClaim {
					continue
				}
				for kind := range kinds {
					if k.bears&(1<<kind) != 0 {
						bound.bearing[kind] = append(bound.bearing[kind], i)
					}
				}
				switch k.rule {
				case "required":
					position, _ := strconv.Atoi(k.spec[len(s.place+"/required/"):])
					bound.required[position] = i
				case "uniqueItems":
					bound.unique = i
				}
			}
			s.claims[part] = bound
		}
	}
}
