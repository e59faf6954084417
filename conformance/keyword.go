package conformance

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/fleetcontract/fleetio-go/conformance/internal/bitset"
	"github.com/fleetcontract/fleetio-go/conformance/internal/formats"
	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

// keyword is a claim of a schema. A value of a type that it does not apply to is no evidence.
type keyword struct {
	rule, spec, text string
	types            uint8  // that it applies to, a bit for each
	pointer          string // of the property that it is about, below the value; "" for the value itself
	property         string // that is required
	claim            int    // its index, or noClaim
}

// numberOfTypes is the number of JSON types.
const numberOfTypes = strictjson.Object + 1

// keywords lists the claims of a schema itself about a part of an exchange. It makes the list once.
func (c *Contract) keywords(s *schema, part validatedPart) []keyword {
	if s.claims[part] == nil {
		s.claims[part] = &schemaClaims{keywords: c.listKeywords(s, part)}
	}
	return s.claims[part].keywords
}

func (c *Contract) listKeywords(s *schema, part validatedPart) []keyword {
	list := []keyword{}
	anything := typeSet(strictjson.Boolean, strictjson.Number, strictjson.String, strictjson.Array, strictjson.Object)
	add := func(rule, text string, types uint8) {
		list = append(list, keyword{rule: rule, spec: s.place + "/" + rule, text: text, types: types})
	}
	if len(s.typeNames()) > 0 {
		add("type", s.typeText(), anything)
	}
	switch {
	case s.Nullable:
		add("nullable", "may be null", typeSet(strictjson.Null))
	case s.HasNullable && len(s.typeNames()) > 0:
		add("nullable", "not null", anything)
	}
	withNull := anything
	if len(s.typeNames()) == 0 && !s.Nullable {
		withNull |= typeSet(strictjson.Null)
	}
	if len(s.enum) > 0 {
		add("enum", s.choices(), withNull)
	}
	for _, limit := range c.limits(s) {
		limit.spec = s.place + "/" + limit.rule
		list = append(list, limit)
	}
	switch {
	case formats.IntegerBits[s.Format] > 0:
		add("format", "format "+s.Format, typeSet(strictjson.Number))
	case formats.Matchers[s.Format] != nil:
		add("format", "format "+s.Format, typeSet(strictjson.String))
	}
	if s.NoOtherProperties {
		list = append(list, keyword{rule: "additionalProperties", spec: s.place + "/additionalProperties",
			text: "no other properties", types: typeSet(strictjson.Object), pointer: "/*"})
	}
	if s.Discriminator != nil && len(s.OneOf)+len(s.AnyOf) > 0 {
		list = append(list, keyword{rule: "discriminator", spec: s.place + "/discriminator", types: typeSet(strictjson.Object),
			text: "the property " + s.Discriminator.PropertyName + " names a schema", pointer: strictjson.Pointer(s.Discriminator.PropertyName)})
	}
	for rule, parts := range map[string]int{"anyOf": len(s.AnyOf), "oneOf": len(s.OneOf)} {
		if parts > 0 && s.Discriminator == nil {
			add(rule, map[string]string{"anyOf": "valid against one of several schemas", "oneOf": "valid against exactly one of several schemas"}[rule], withNull)
		}
	}
	if s.Not != nil {
		add("not", "not valid against the schema below not", withNull)
	}
	for i, name := range s.Required {
		if !s.Omits(name, part.ofRequest()) {
			list = append(list, keyword{rule: "required", spec: s.place + "/required/" + strconv.Itoa(i),
				text: "the property " + name, pointer: strictjson.Pointer(name), property: name})
		}
	}
	for _, property := range s.Properties {
		if marked := property.Schema.WrongDirection(false); marked != nil && !part.ofRequest() {
			list = append(list, keyword{rule: "writeOnly", spec: marked.Pointer + "/writeOnly", text: "no property " + property.Name,
				types: typeSet(strictjson.Object), pointer: strictjson.Pointer(property.Name)})
		}
	}
	slices.SortStableFunc(list, func(a, b keyword) int { return cmp.Compare(a.spec, b.spec) })
	for i := range list {
		list[i].claim = noClaim
	}
	return list
}

// limits lists the keywords that bound a value, except those that every value satisfies, such as minLength: 0.
func (c *Contract) limits(s *schema) []keyword {
	var list []keyword
	add := func(rule, text string, t strictjson.Type) {
		list = append(list, keyword{rule: rule, text: text, types: typeSet(t)})
	}
	if s.minimum != nil {
		if s.ExclusiveMinimum {
			add("exclusiveMinimum", "more than "+s.Minimum.String(), strictjson.Number)
		} else {
			add("minimum", "at least "+s.Minimum.String(), strictjson.Number)
		}
	}
	if s.maximum != nil {
		if s.ExclusiveMaximum {
			add("exclusiveMaximum", "less than "+s.Maximum.String(), strictjson.Number)
		} else {
			add("maximum", "at most "+s.Maximum.String(), strictjson.Number)
		}
	}
	if s.multipleOf != nil {
		add("multipleOf", "a multiple of "+s.MultipleOf.String(), strictjson.Number)
	}
	if s.MinLength > 0 {
		add("minLength", fmt.Sprintf("at least %d characters", s.MinLength), strictjson.String)
	}
	if s.MaxLength != nil {
		add("maxLength", fmt.Sprintf("at most %d characters", *s.MaxLength), strictjson.String)
	}
	if s.pattern != nil {
		add("pattern", "a match of "+s.Pattern, strictjson.String)
	}
	if s.MinItems > 0 {
		add("minItems", fmt.Sprintf("at least %d items", s.MinItems), strictjson.Array)
	}
	if s.MaxItems != nil {
		add("maxItems", fmt.Sprintf("at most %d items", *s.MaxItems), strictjson.Array)
	}
	if s.UniqueItems {
		list = append(list, keyword{rule: "uniqueItems", text: "unique items"}) // see validator.unique: it needs two
	}
	if s.MinProperties > 0 {
		add("minProperties", fmt.Sprintf("at least %d properties", s.MinProperties), strictjson.Object)
	}
	if s.MaxProperties != nil {
		add("maxProperties", fmt.Sprintf("at most %d properties", *s.MaxProperties), strictjson.Object)
	}
	return list
}

// schemaClaims holds the indexes of a schema's claims about one part of an exchange.
type schemaClaims struct {
	keywords []keyword // nil once they are bound

	byType   [numberOfTypes][]bitset.Word // the claims that apply to values of the type
	required []int                        // by the position in required; noClaim for a property of the other direction
	unique   int                          // or noClaim
}

// bindClaims tells each schema which claims apply to its values, for the parts that it makes claims about.
func (c *Contract) bindClaims() {
	for _, s := range c.schemas {
		for _, bound := range s.claims {
			if bound == nil {
				continue // the schema is not in this part
			}
			bound.unique, bound.required = noClaim, make([]int, len(s.Required))
			for i := range bound.required {
				bound.required[i] = noClaim
			}
			var byType [numberOfTypes][]int
			for _, k := range bound.keywords {
				if k.claim == noClaim {
					continue
				}
				for t := range numberOfTypes {
					if k.types&(1<<t) != 0 {
						byType[t] = append(byType[t], k.claim)
					}
				}
				switch k.rule {
				case "required":
					at, _ := strconv.Atoi(k.spec[len(s.place+"/required/"):])
					bound.required[at] = k.claim
				case "uniqueItems":
					bound.unique = k.claim
				}
			}
			for t, claims := range byType {
				bound.byType[t] = bitset.Words(claims)
			}
			bound.keywords = nil
		}
	}
}
