package main

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/internal/ecma"
	"github.com/fleetcontract/fleetio-go/internal/gencheck/check"
	"github.com/fleetcontract/fleetio-go/internal/openapi"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// compiler makes schemas of the spec's Schema Objects, one for each.
type compiler struct {
	*document

	schemas  map[string]*check.Schema // by pointer
	pointers map[*check.Schema]string
	patterns map[*check.Schema]error // those that Go does not have
	err      error                   // the first mistake in a schema
}

func newCompiler(d *document) *compiler {
	return &compiler{document: d, schemas: map[string]*check.Schema{}, pointers: map[*check.Schema]string{}, patterns: map[*check.Schema]error{}}
}

// failf keeps the first mistake.
func (c *compiler) failf(pointer, format string, args ...any) {
	c.err = cmp.Or(c.err, c.errorAt(pointer, format, args...))
}

// schema returns the schema of a Schema Object; nil for nil.
func (c *compiler) schema(from *openapi.Schema) *check.Schema {
	if from == nil {
		return nil
	}
	if s := c.schemas[from.Pointer]; s != nil {
		return s
	}
	s := &check.Schema{Type: from.Type, Format: from.Format, Nullable: from.Nullable, ReadOnly: from.ReadOnly, WriteOnly: from.WriteOnly,
		Default: c.json(from.Pointer, "default"), Example: c.json(from.Pointer, "example"),
		Minimum: string(from.Minimum), Maximum: string(from.Maximum), MultipleOf: string(from.MultipleOf),
		ExclusiveMinimum: from.ExclusiveMinimum, ExclusiveMaximum: from.ExclusiveMaximum,
		MinLength: size(from.MinLength), MinItems: size(from.MinItems), MinProperties: size(from.MinProperties),
		MaxLength: limit(from.MaxLength), MaxItems: limit(from.MaxItems), MaxProperties: limit(from.MaxProperties),
		UniqueItems: from.UniqueItems, Required: from.Required, NoAdditional: from.NoOtherProperties, Pattern: from.Pattern}
	c.schemas[from.Pointer], c.pointers[s] = s, from.Pointer // before the schemas below, which can contain this one
	for _, value := range from.Enum {
		s.Enum = append(s.Enum, string(value.AppendJSON(nil)))
	}
	if s.Pattern != "" {
		var err error
		if s.Regexp, err = ecma.Translate(s.Pattern); err != nil {
			c.patterns[s] = c.errorAt(from.Pointer+"/pattern",
				"the pattern cannot be checked: %v; write one without it, or remove it and say it in the description", err)
		}
	}
	s.Items, s.Not, s.Additional = c.schema(from.Items), c.schema(from.Not), c.schema(from.AdditionalProperties)
	s.AllOf, s.AnyOf, s.OneOf = c.list(from.AllOf), c.list(from.AnyOf), c.list(from.OneOf)
	for _, p := range from.Properties {
		s.Properties = append(s.Properties, c.property(from, p))
	}
	c.discriminator(s, from)
	return s
}

func (c *compiler) list(from []*openapi.Schema) (list []*check.Schema) {
	for _, s := range from {
		list = append(list, c.schema(s))
	}
	return list
}

func size(n uint64) int { return int(min(n, math.MaxInt)) }

func limit(n *uint64) *int {
	if n == nil {
		return nil
	}
	return new(size(*n))
}

func (c *compiler) property(object *openapi.Schema, p openapi.Property) check.Field {
	pointer := object.Pointer + "/properties" + strictjson.Pointer(p.Name)
	first, _ := utf8.DecodeRuneInString(p.Name)
	switch isCaseless := unicode.Is(unicode.Lo, first); {
	case !canTag(p.Name):
		c.failf(pointer, "a Go field cannot have the name %q in JSON: leave the property out of properties, and say it in the description", p.Name)
	case isCaseless && c.text(pointer, "x-go-name") == "":
		c.failf(pointer, "no Go name can be made of %q: give it an x-go-name", p.Name)
	}
	return check.Field{Name: p.Name, Required: slices.Contains(object.Required, p.Name),
		Description: cmp.Or(c.text(pointer, "description"), c.text(p.Schema.Pointer, "description")), Schema: c.schema(p.Schema)}
}

// discriminator sets the schemas that a discriminator selects from anyOf and oneOf.
func (c *compiler) discriminator(s *check.Schema, from *openapi.Schema) {
	if from.Discriminator == nil {
		return
	}
	s.Discriminator = from.Discriminator.PropertyName
	if len(from.AnyOf)+len(from.OneOf) == 0 {
		return
	}
	s.Mapping = map[string]*check.Schema{}
	for name, chosen := range from.Discriminator.Mapping {
		s.Mapping[name] = c.schema(chosen)
	}
	for _, e := range c.entries(from.Pointer, "discriminator", "mapping") {
		if s.Mapping[e.Key] == nil {
			c.failf(from.Pointer+"/discriminator/mapping"+strictjson.Pointer(e.Key),
				"the mapping leads to none of the schemas in anyOf and oneOf: add it there, or correct the mapping")
		}
	}
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
			return c.errorAt(c.pointers[s], "the schema is combined with itself: remove one of the references in allOf, anyOf, oneOf and not")
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
