package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// body is the schema of a request's body.
type body struct {
	Name   string // of the schema, and of its Go type
	Fields []*field
}

// field is one member of it.
type field struct {
	Name             string // on the wire
	Type             string
	Format           string
	Required         bool
	MinLength        uint64
	MaxLength        *uint64
	Minimum, Maximum *int64
	Enum             []string
	Go               string // the field of the struct
	Pointer          bool
}

// known are the keywords that are checked or ask for no check. A default is what the service does, and no limit.
var known = map[string]bool{
	"type": true, "format": true, "required": true, "properties": true, "minLength": true, "maxLength": true,
	"minimum": true, "maximum": true, "enum": true, "nullable": true, "default": true,
	"title": true, "description": true, "example": true, "deprecated": true, "externalDocs": true,
}

// readBodies returns the JSON bodies of all operations, ordered by name, their fields too.
func readBodies(spec []byte) ([]*body, error) {
	doc, err := openapi3.NewLoader().LoadFromData(spec)
	if err != nil {
		return nil, err
	}
	bodies := map[string]*body{}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			if operation.RequestBody == nil {
				continue
			}
			for media, content := range operation.RequestBody.Value.Content {
				at := method + " " + path + " " + media
				if media != "application/json" || content.Schema == nil {
					return nil, fmt.Errorf("%s: only application/json with a schema can be checked", at)
				}
				name, component := strings.CutPrefix(content.Schema.Ref, "#/components/schemas/")
				if !component {
					return nil, fmt.Errorf("%s: the schema of a body must be a component, which has a Go type of its name", at)
				}
				fields, err := readFields(name, content.Schema.Value)
				if err != nil {
					return nil, err
				}
				bodies[name] = &body{name, fields}
			}
		}
	}
	if len(bodies) == 0 {
		return nil, errors.New("no operation has a body")
	}
	return slices.SortedFunc(maps.Values(bodies), func(a, b *body) int { return cmp.Compare(a.Name, b.Name) }), nil
}

func readFields(at string, schema *openapi3.Schema) ([]*field, error) {
	if err := understood(at, schema); err != nil {
		return nil, err
	}
	if !schema.Type.Is("object") || schema.Nullable {
		return nil, fmt.Errorf("%s: a body must be an object", at)
	}
	for _, name := range schema.Required {
		if schema.Properties[name] == nil {
			return nil, fmt.Errorf("%s: %s is required, and no property", at, name)
		}
	}
	fields := make([]*field, 0, len(schema.Properties))
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		f, err := readField(at+"."+name, schema.Properties[name].Value)
		if err != nil {
			return nil, err
		}
		f.Name, f.Required = name, slices.Contains(schema.Required, name)
		fields = append(fields, f)
	}
	return fields, nil
}

func readField(at string, s *openapi3.Schema) (*field, error) {
	if err := understood(at, s); err != nil {
		return nil, err
	}
	f := &field{Type: strings.Join(s.Type.Slice(), " "), Format: s.Format, MinLength: s.MinLength, MaxLength: s.MaxLength}
	for _, value := range s.Enum {
		name, ok := value.(string)
		if !ok {
			return nil, fmt.Errorf("%s: enum: only texts can be checked", at)
		}
		f.Enum = append(f.Enum, name)
	}
	text := f.MinLength > 0 || f.MaxLength != nil || f.Enum != nil
	number := s.Min != nil || s.Max != nil
	switch kind := strings.TrimSpace(f.Type + " " + f.Format); {
	case s.Nullable:
		return nil, fmt.Errorf("%s: nullable: a member of a body that may be null cannot be checked yet", at)
	case kind == "string" && !number, kind == "string date-time" && !number && !text, kind == "integer int64" && !text,
		kind == "boolean" && !number && !text:
	default:
		return nil, fmt.Errorf("%s: a %s with these keywords cannot be checked yet", at, kind)
	}
	var err error
	if f.Minimum, err = whole(at+": minimum", s.Min); err != nil {
		return nil, err
	}
	f.Maximum, err = whole(at+": maximum", s.Max)
	return f, err
}

// whole returns a bound as an integer. The spec's numbers come as float64, which is exact up to 2^53.
func whole(at string, bound *float64) (*int64, error) {
	if bound == nil {
		return nil, nil
	}
	if *bound != math.Trunc(*bound) || math.Abs(*bound) > 1<<53 {
		return nil, fmt.Errorf("%s: only integers up to 2^53 can be checked", at)
	}
	n := int64(*bound)
	return &n, nil
}

// understood fails on a keyword that is not known. A schema is asked for its JSON, as that has what is set.
func understood(at string, schema *openapi3.Schema) error {
	data, err := json.Marshal(schema)
	if err != nil {
		return err
	}
	var keywords map[string]json.RawMessage
	if err := json.Unmarshal(data, &keywords); err != nil {
		return err
	}
	for _, keyword := range slices.Sorted(maps.Keys(keywords)) {
		if !known[keyword] && !strings.HasPrefix(keyword, "x-") {
			return fmt.Errorf("%s: the keyword %s cannot be checked yet", at, keyword)
		}
	}
	return nil
}
