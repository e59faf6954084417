package conformance

import (
	"fmt"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// combination validates allOf, whose broken claims are reported one by one, and the others, which are broken as a whole.
func (v *validator) combination(s *schema, value any) {
	if len(s.AllOf)+len(s.AnyOf)+len(s.OneOf) == 0 && s.Not == nil {
		return
	}
	if v.place == nil {
		v.place = &place{}
		v.walked[visit{v.place, s.Schema}] = v.nested == 1
	}
	v.combined++
	defer func() { v.combined-- }()
	for _, part := range s.AllOf {
		v.value(part.Value, value)
	}
	if s.Not != nil && v.holds(s.Not.Value, value) {
		v.report(s, "not", "a value that the schema below not refuses", value, value)
	}
	chosen, broken := v.discriminate(s, value)
	if broken {
		return
	}
	if chosen != nil {
		v.value(chosen, value)
		return
	}
	if len(s.AnyOf) > 0 && v.matches(s.AnyOf, value) == 0 {
		v.report(s, "anyOf", "a match of one of the schemas below anyOf", value, value)
	}
	if len(s.OneOf) > 0 {
		if n := v.matches(s.OneOf, value); n != 1 {
			v.report(s, "oneOf", fmt.Sprintf("a match of exactly one schema below oneOf, not of %d", n), value, value)
		}
	}
}

func (v *validator) matches(schemas openapi3.SchemaRefs, value any) int {
	n := 0
	for _, part := range schemas {
		if v.holds(part.Value, value) {
			n++
		}
	}
	return n
}

// holds validates on the side, once by each schema.
func (v *validator) holds(of *openapi3.Schema, value any) bool {
	at := v.place
	if held, known := at.holds[of]; known {
		return held
	}
	if at.holds == nil {
		at.holds = map[*openapi3.Schema]bool{}
	}
	at.holds[of] = true // where the schema is combined with itself, that decides nothing
	aside := &validator{contract: v.contract, part: v.part, place: at, combined: 1, walked: map[visit]bool{}}
	aside.value(of, value)
	at.holds[of] = !slices.ContainsFunc(aside.found, func(v violation) bool { return v.basis == "" }) // drift and notes break nothing
	return at.holds[of]
}

// discriminate finds the schema that a discriminator's value chooses, by its mapping or as a name (OpenAPI 3.0.3,
// Discriminator Object).
func (v *validator) discriminate(s *schema, value any) (chosen *openapi3.Schema, broken bool) {
	object, isObject := value.(map[string]any)
	alternatives := slices.Concat(s.OneOf, s.AnyOf)
	if s.Discriminator == nil || !isObject || len(alternatives) == 0 {
		return nil, false
	}
	property := s.Discriminator.PropertyName
	name, isText := object[property].(string)
	target := name
	if ref, mapped := s.Discriminator.Mapping[name]; mapped {
		target = ref.Ref
	}
	for _, part := range alternatives {
		if isText && (part.Ref == target || part.Ref == "#/components/schemas/"+target) {
			return part.Value, false
		}
	}
	var found any = plain("nothing")
	if member, there := object[property]; there {
		found = member
	}
	v.add(violation{keyword: "discriminator", spec: s.place + "/discriminator", expected: "the name of one of the schemas",
		found: found, value: object[property]}, inPointer(property))
	return nil, true
}
