package openapi

import "slices"

// directions are the keywords readOnly and writeOnly of a schema and of those combined in it.
type directions struct {
	readOnly, writeOnly           *Schema // the schema, or the first one in its allOf, that has the keyword
	readOnlyNames, writeOnlyNames []string
}

// WrongDirection returns the schema by which a property should not be in a request or response, or nil: the property's own
// schema or one in its allOf.
func (s *Schema) WrongDirection(inRequest bool) *Schema {
	if inRequest {
		return s.readOnly
	}
	return s.writeOnly
}

// Omits reports whether a required property need not be in a request or response, as it is readOnly or writeOnly, in this
// schema or in one that is combined in it (OpenAPI 3.0.3, Schema Object).
func (s *Schema) Omits(name string, inRequest bool) bool {
	if inRequest {
		return slices.Contains(s.readOnlyNames, name)
	}
	return slices.Contains(s.writeOnlyNames, name)
}

func readDirections(schemas []*Schema) {
	for _, s := range schemas {
		s.readOnly = s.find(func(s *Schema) bool { return s.ReadOnly }, map[*Schema]bool{})
		s.writeOnly = s.find(func(s *Schema) bool { return s.WriteOnly }, map[*Schema]bool{})
	}
	for _, s := range schemas {
		s.listDirections(s, map[*Schema]bool{})
	}
}

// find returns the schema, or the first one in its allOf, that satisfies a condition.
func (s *Schema) find(condition func(s *Schema) bool, visited map[*Schema]bool) *Schema {
	if condition(s) {
		return s
	}
	visited[s] = true
	for _, part := range s.AllOf {
		if !visited[part] {
			if found := part.find(condition, visited); found != nil {
				return found
			}
		}
	}
	return nil
}

// listDirections adds the properties of a schema that is combined in this one.
func (s *Schema) listDirections(from *Schema, visited map[*Schema]bool) {
	if visited[from] {
		return
	}
	visited[from] = true
	for _, p := range from.Properties {
		if p.Schema.readOnly != nil {
			s.readOnlyNames = append(s.readOnlyNames, p.Name)
		}
		if p.Schema.writeOnly != nil {
			s.writeOnlyNames = append(s.writeOnlyNames, p.Name)
		}
	}
	for _, part := range slices.Concat(from.AllOf, from.AnyOf, from.OneOf) {
		s.listDirections(part, visited)
	}
}
