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

// body is the schema of a request body, for the template.
type body struct {
	Name   string // of the schema and of its Go type
	Fields []*field
}

// field is a property of a body.
type field struct {
	Name             string // in JSON
	Type             string
	Format           string
	Required         bool
	MinLength        uint64
	MaxLength        *uint64
	Minimum, Maximum *int64
	Enum             []string
	Go               string // name of the Go field
	Pointer          bool   // the Go field is a pointer
}

// supported are the keywords that are checked or need no check.
var supported = map[string]bool{
	"type": true, "format": true, "required": true, "properties": true, "minLength": true, "maxLength": true,
	"minimum": true, "maximum": true, "enum": true, "nullable": true, "default": true,
	"title": true, "description": true, "example": true, "deprecated": true, "externalDocs": true,
}

// readBodies returns the JSON bodies of all operations, sorted by name, as are their fields.
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
					return nil, fmt.Errorf("%s: only application/json with a schema is supported", at)
				}
				name, component := strings.CutPrefix(content.Schema.Ref, "#/components/schemas/")
				if !component {
					return nil, fmt.Errorf("%s: the schema of a body must be a component, so that it has a Go type", at)
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
	if err := checkKeywords(at, schema); err != nil {
		return nil, err
	}
	if !schema.Type.Is("object") || schema.Nullable {
		return nil, fmt.Errorf("%s: a body must be an object", at)
	}
	for _, name := range schema.Required {
		if schema.Properties[name] == nil {
			return nil, fmt.Errorf("%s: %s is required, but not a property", at, name)
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
	if err := checkKeywords(at, s); err != nil {
		return nil, err
	}
	f := &field{Type: strings.Join(s.Type.Slice(), " "), Format: s.Format, MinLength: s.MinLength, MaxLength: s.MaxLength}
	for _, value := range s.Enum {
		name, ok := value.(string)
		if !ok {
			return nil, fmt.Errorf("%s: enum: only strings are supported", at)
		}
		f.Enum = append(f.Enum, name)
	}
	stringLimits := f.MinLength > 0 || f.MaxLength != nil || f.Enum != nil
	numberLimits := s.Min != nil || s.Max != nil
	switch typ := strings.TrimSpace(f.Type + " " + f.Format); {
	case s.Nullable:
		return nil, fmt.Errorf("%s: nullable is not supported", at)
	case typ == "string" && !numberLimits, typ == "integer int64" && !stringLimits,
		(typ == "string date-time" || typ == "boolean") && !numberLimits && !stringLimits:
	default:
		return nil, fmt.Errorf("%s: type %s with these keywords is not supported", at, typ)
	}
	var err error
	if f.Minimum, err = integer(at+": minimum", s.Min); err != nil {
		return nil, err
	}
	f.Maximum, err = integer(at+": maximum", s.Max)
	return f, err
}

// integer returns a bound as an integer. kin-openapi has it as float64, which is exact up to 2^53.
func integer(at string, bound *float64) (*int64, error) {
	if bound == nil {
		return nil, nil
	}
	if *bound != math.Trunc(*bound) || math.Abs(*bound) > 1<<53 {
		return nil, fmt.Errorf("%s: only integers up to 2^53 are supported", at)
	}
	n := int64(*bound)
	return &n, nil
}

// checkKeywords returns an error for an unsupported keyword. The JSON of a schema has the keywords that are set.
func checkKeywords(at string, schema *openapi3.Schema) error {
	data, err := json.Marshal(schema)
	if err != nil {
		return err
	}
	var keywords map[string]json.RawMessage
	if err := json.Unmarshal(data, &keywords); err != nil {
		return err
	}
	for _, keyword := range slices.Sorted(maps.Keys(keywords)) {
		if !supported[keyword] && !strings.HasPrefix(keyword, "x-") {
			return fmt.Errorf("%s: the keyword %s is not supported", at, keyword)
		}
	}
	return nil
}
