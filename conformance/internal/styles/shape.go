package styles

import (
	"slices"

	"github.com/fleetcontract/fleetio-go/internal/formats"
	"github.com/fleetcontract/fleetio-go/internal/openapi"
)

// Shapes are the shapes of schemas, each of which is made once.
type Shapes map[*openapi.Schema]*Shape

// Of returns the types that the text of a value can have: those of a schema and of the schemas combined in it.
func (all Shapes) Of(s *openapi.Schema) *Shape {
	if s == nil {
		return nil
	}
	if all[s] == nil {
		all[s] = &Shape{Properties: map[string]*Shape{}} // before the rest: a schema can contain itself
		all.read(all[s], s, map[*openapi.Schema]bool{})
	}
	return all[s]
}

var typesByName = map[string]Types{"boolean": Boolean, "integer": Integer, "number": Number, "string": String, "array": Array, "object": Object}

func (all Shapes) read(shape *Shape, s *openapi.Schema, visited map[*openapi.Schema]bool) {
	if visited[s] {
		return
	}
	visited[s] = true
	shape.Types |= typesByName[s.Type]
	if s.Nullable {
		shape.Types |= Null
	}
	shape.Binary = shape.Binary || s.Format == formats.Binary
	if s.Items != nil {
		shape.Items = all.Of(s.Items)
	}
	for _, p := range s.Properties {
		shape.Properties[p.Name] = all.Of(p.Schema)
	}
	if s.AdditionalProperties != nil {
		shape.Additional = all.Of(s.AdditionalProperties)
	}
	shape.Open = shape.Open || s.HasAdditionalProperties && !s.NoOtherProperties
	for _, part := range slices.Concat(s.AllOf, s.AnyOf, s.OneOf) {
		all.read(shape, part, visited)
	}
}
