package main

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/internal/gencheck/check"
)

// compiler makes schemas of the spec's Schema Objects, one for each.
type compiler struct {
	*document

	schemas  map[string]*check.Schema // by pointer
	places   map[*check.Schema]place
	patterns map[*check.Schema]error // those that Go does not have
}

func newCompiler(d *document) *compiler {
	return &compiler{d, map[string]*check.Schema{}, map[*check.Schema]place{}, map[*check.Schema]error{}}
}

// schema returns the schema at a place or that the reference there leads to.
func (c *compiler) schema(p place) (*check.Schema, error) {
	p, err := c.resolve(p)
	if err != nil {
		return nil, err
	}
	if s := c.schemas[p.pointer]; s != nil {
		return s, nil
	}
	s := &check.Schema{}
	c.schemas[p.pointer], c.places[s] = s, p
	for _, e := range p.entries() {
		if err := c.keyword(s, p, e.key, e.value); err != nil {
			return nil, err
		}
	}
	return s, c.mapping(s, p)
}

var schemaTypes = []string{"string", "number", "integer", "boolean", "array", "object"}

func (c *compiler) keyword(s *check.Schema, p place, keyword string, value place) (err error) {
	switch keyword {
	case "title", "description", "externalDocs", "xml", "deprecated":
	case "type":
		if s.Type = value.text(); !slices.Contains(schemaTypes, s.Type) {
			return c.errorAt(value, "the type is none of OpenAPI 3.0: write one of %s, and nullable: true for null", strings.Join(schemaTypes, ", "))
		}
	case "format":
		s.Format = value.text()
	case "enum":
		for _, e := range value.entries() {
			choice, err := c.json(e.value)
			if err != nil {
				return err
			}
			s.Enum = append(s.Enum, choice)
		}
	case "default":
		s.Default, err = c.json(value)
	case "example":
		s.Example, err = c.json(value)
	case "pattern":
		s.Pattern = value.text()
		if s.Regexp, err = goPattern(s.Pattern); err != nil {
			c.patterns[s] = c.errorAt(value, "the pattern cannot be checked: %v; write one without it, or remove it and say it in the description", err)
		}
		return nil
	case "required":
		for _, e := range value.entries() {
			s.Required = append(s.Required, e.value.text())
		}
	case "properties":
		err = c.properties(s, p, value)
	case "items":
		s.Items, err = c.schema(value)
	case "not":
		s.Not, err = c.schema(value)
	case "additionalProperties":
		if value.node.Tag == "!!bool" {
			s.NoAdditional = !value.isTrue()
			return nil
		}
		s.Additional, err = c.schema(value)
	case "allOf", "anyOf", "oneOf":
		list := map[string]*[]*check.Schema{"allOf": &s.AllOf, "anyOf": &s.AnyOf, "oneOf": &s.OneOf}[keyword]
		for _, e := range value.entries() {
			part, err := c.schema(e.value)
			if err != nil {
				return err
			}
			*list = append(*list, part)
		}
	case "discriminator":
		s.Discriminator = value.at("propertyName").text()
	default:
		known, err := c.scalar(s, keyword, value)
		if !known && !strings.HasPrefix(keyword, "x-") {
			return c.errorAt(value, "%s is not a schema keyword of OpenAPI 3.0, so that nothing would check it: correct or remove it", keyword)
		}
		return err
	}
	return err
}

// scalar sets a keyword that is true or false, a number or a length; known is false for another one.
func (c *compiler) scalar(s *check.Schema, keyword string, value place) (known bool, err error) {
	if flag := map[string]*bool{"nullable": &s.Nullable, "readOnly": &s.ReadOnly, "writeOnly": &s.WriteOnly, "uniqueItems": &s.UniqueItems,
		"exclusiveMinimum": &s.ExclusiveMinimum, "exclusiveMaximum": &s.ExclusiveMaximum}[keyword]; flag != nil {
		if value.node.Tag != "!!bool" {
			return true, c.errorAt(value, "%s is true or false in OpenAPI 3.0", keyword)
		}
		*flag = value.isTrue()
		return true, nil
	}
	if number := map[string]*string{"minimum": &s.Minimum, "maximum": &s.Maximum, "multipleOf": &s.MultipleOf}[keyword]; number != nil {
		if *number = value.text(); !jsonNumber.MatchString(*number) || keyword == "multipleOf" && strings.Trim(*number, "-0.eE") == "" {
			return true, c.errorAt(value, "%s is not a number: write one in decimal", keyword)
		}
		return true, nil
	}
	least := map[string]*int{"minLength": &s.MinLength, "minItems": &s.MinItems, "minProperties": &s.MinProperties}[keyword]
	most := map[string]**int{"maxLength": &s.MaxLength, "maxItems": &s.MaxItems, "maxProperties": &s.MaxProperties}[keyword]
	if least == nil && most == nil {
		return false, nil
	}
	n, err := strconv.Atoi(value.text())
	if err != nil || n < 0 {
		return true, c.errorAt(value, "%s is not a whole number from 0", keyword)
	}
	if least != nil {
		*least = n
	} else {
		*most = &n
	}
	return true, nil
}

func (c *compiler) properties(s *check.Schema, object, value place) error {
	var required []string
	for _, e := range object.at("required").entries() {
		required = append(required, e.value.text())
	}
	for _, e := range value.entries() {
		if !canTag(e.key) {
			return c.errorAt(e.value, "a Go field cannot have the name %q in JSON: leave the property out of properties, and say it in the description", e.key)
		}
		if first, _ := utf8.DecodeRuneInString(e.key); unicode.Is(unicode.Lo, first) && !e.value.at("x-go-name").exists() { // neither upper nor lower case
			return c.errorAt(e.value, "no Go name can be made of %q: give it an x-go-name", e.key)
		}
		property, err := c.schema(e.value)
		if err != nil {
			return err
		}
		description := e.value.at("description").text()
		if description == "" {
			description = c.places[property].at("description").text()
		}
		s.Properties = append(s.Properties, check.Field{Name: e.key, Required: slices.Contains(required, e.key),
			Description: description, Schema: property})
	}
	slices.SortFunc(s.Properties, func(a, b check.Field) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

// mapping sets the schemas that a discriminator selects: those of anyOf and oneOf by their references, by the names of their
// components and by the keys of its mapping (OpenAPI 3.0.3, Discriminator Object).
func (c *compiler) mapping(s *check.Schema, p place) error {
	if s.Discriminator == "" || len(s.AnyOf)+len(s.OneOf) == 0 {
		return nil
	}
	s.Mapping = map[string]*check.Schema{}
	for _, keyword := range []string{"anyOf", "oneOf"} {
		for _, e := range p.at(keyword).entries() {
			part, err := c.schema(e.value)
			if err != nil {
				return err
			}
			ref := e.value.at("$ref").text()
			s.Mapping[ref] = part
			if name, isComponent := strings.CutPrefix(ref, "#/components/schemas/"); isComponent {
				s.Mapping[name] = part
			}
		}
	}
	delete(s.Mapping, "") // of those without a reference
	for _, e := range p.at("discriminator", "mapping").entries() {
		part := s.Mapping[e.value.text()]
		if part == nil {
			return c.errorAt(e.value, "the mapping leads to none of the schemas in anyOf and oneOf: add it there, or correct the mapping")
		}
		s.Mapping[e.key] = part
	}
	return nil
}

// parts returns the schemas that are combined in a schema, and below those of its properties and items.
func parts(s *check.Schema) (combined, below []*check.Schema) {
	combined = slices.Concat(s.AllOf, s.AnyOf, s.OneOf)
	for _, f := range s.Properties {
		below = append(below, f.Schema)
	}
	optional := func(list []*check.Schema, s *check.Schema) []*check.Schema {
		if s != nil {
			list = append(list, s)
		}
		return list
	}
	return optional(combined, s.Not), optional(optional(below, s.Items), s.Additional)
}

// reachable returns the schemas that a schema leads to in one or more steps.
func reachable(s *check.Schema, combinedOnly bool) map[*check.Schema]bool {
	found := map[*check.Schema]bool{}
	var walk func(s *check.Schema)
	walk = func(s *check.Schema) {
		combined, below := parts(s)
		if combinedOnly {
			below = nil
		}
		for _, next := range slices.Concat(combined, below) {
			if !found[next] {
				found[next] = true
				walk(next)
			}
		}
	}
	walk(s)
	return found
}

// checkInput returns an error if a schema of requests has a pattern that cannot be checked.
func (c *compiler) checkInput(s *check.Schema) error {
	inputs := reachable(s, false)
	inputs[s] = true
	return c.firstError(func(s *check.Schema) error {
		if inputs[s] {
			return c.patterns[s]
		}
		return nil
	})
}

// checkCombined returns an error if a schema is combined with itself.
func (c *compiler) checkCombined() error {
	return c.firstError(func(s *check.Schema) error {
		if reachable(s, true)[s] {
			return c.errorAt(c.places[s], "the schema is combined with itself: remove one of the references in allOf, anyOf, oneOf and not")
		}
		return nil
	})
}

// firstError calls a function for each schema, in the order of their pointers.
func (c *compiler) firstError(problem func(*check.Schema) error) error {
	for _, pointer := range slices.Sorted(maps.Keys(c.schemas)) {
		if err := problem(c.schemas[pointer]); err != nil {
			return err
		}
	}
	return nil
}
