package conformance

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/bitset"
	"github.com/fleetcontract/fleetio-go/internal/formats"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
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
func (s *schema) keywords(part validatedPart) []keyword {
	if s.claims[part] == nil {
		s.claims[part] = &schemaClaims{keywords: s.listKeywords(part)}
	}
	return s.claims[part].keywords
}

func (s *schema) listKeywords(part validatedPart) []keyword {
	list := []keyword{}
	anything := math.MaxUint8 &^ typeSet(strictjson.Null)
	add := func(rule, text string, types uint8) {
		list = append(list, keyword{rule: rule, spec: s.place + "/" + rule, text: text, types: types})
	}
	if s.Type != "" {
		add("type", s.text("type"), anything)
	}
	switch {
	case s.Nullable:
		add("nullable", "may be null", typeSet(strictjson.Null))
	case s.HasNullable && s.Type != "":
		add("nullable", "not null", anything)
	}
	withNull := anything
	if s.Type == "" && !s.Nullable {
		withNull |= typeSet(strictjson.Null)
	}
	if len(s.enum) > 0 {
		add("enum", s.text("enum"), withNull)
	}
	for _, limit := range []struct {
		rule  string
		isSet bool // and not satisfied by every value, as minLength: 0 is
		types uint8
	}{
		{"minimum", s.Minimum != "" && !s.ExclusiveMinimum, typeSet(strictjson.Number)},
		{"exclusiveMinimum", s.Minimum != "" && s.ExclusiveMinimum, typeSet(strictjson.Number)},
		{"maximum", s.Maximum != "" && !s.ExclusiveMaximum, typeSet(strictjson.Number)},
		{"exclusiveMaximum", s.Maximum != "" && s.ExclusiveMaximum, typeSet(strictjson.Number)},
		{"multipleOf", s.MultipleOf != "", typeSet(strictjson.Number)},
		{"format", formats.IntegerBits[s.Format] > 0, typeSet(strictjson.Number)},
		{"format", s.format != nil, typeSet(strictjson.String)},
		{"minLength", s.MinLength > 0, typeSet(strictjson.String)},
		{"maxLength", s.MaxLength != nil, typeSet(strictjson.String)},
		{"pattern", s.pattern != nil, typeSet(strictjson.String)},
		{"minItems", s.MinItems > 0, typeSet(strictjson.Array)},
		{"maxItems", s.MaxItems != nil, typeSet(strictjson.Array)},
		{"uniqueItems", s.UniqueItems, 0}, // see validator.unique: it needs two items
		{"minProperties", s.MinProperties > 0, typeSet(strictjson.Object)},
		{"maxProperties", s.MaxProperties != nil, typeSet(strictjson.Object)},
	} {
		if limit.isSet {
			add(limit.rule, s.text(limit.rule), limit.types)
		}
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

// text says what a keyword requires of a value.
func (s *schema) text(rule string) string {
	switch rule {
	case "type":
		if strings.ContainsAny(s.Type[:1], "aio") {
			return "an " + s.Type
		}
		return "a " + s.Type
	case "enum":
		return "one of " + strings.Join(s.choices(), ", ")
	case "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf":
		return s.limits.Text(rule)
	case "format":
		return "format " + s.Format
	case "minLength":
		return fmt.Sprintf("at least %d characters", s.MinLength)
	case "maxLength":
		return fmt.Sprintf("at most %d characters", *s.MaxLength)
	case "pattern":
		return "a match of " + s.Pattern
	case "minItems":
		return fmt.Sprintf("at least %d items", s.MinItems)
	case "maxItems":
		return fmt.Sprintf("at most %d items", *s.MaxItems)
	case "uniqueItems":
		return "unique items"
	case "minProperties":
		return fmt.Sprintf("at least %d properties", s.MinProperties)
	case "maxProperties":
		return fmt.Sprintf("at most %d properties", *s.MaxProperties)
	}
	return ""
}

// schemaClaims holds the indexes of a schema's claims about one part of an exchange.
type schemaClaims struct {
	keywords []keyword // nil once they are bound

	byType   [numberOfTypes + 1]uint16 // where the claims that apply to values of a type start in words, and at the end their number
	words    []bitset.Word
	required []int // by the position in required; noClaim for a property of the other direction
	unique   int   // or noClaim
}

// of returns the claims that apply to values of a type.
func (c *schemaClaims) of(t strictjson.Type) []bitset.Word { return c.words[c.byType[t]:c.byType[t+1]] }

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
				bound.words = append(bound.words, bitset.Words(claims)...)
				bound.byType[t+1] = uint16(len(bound.words)) //nolint:gosec // a schema has few claims
			}
			bound.keywords = nil
		}
	}
}
