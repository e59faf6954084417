// Package check checks JSON and Go values against schemas of OpenAPI 3.0. Gencheck copies its files into the package of
// the generated types, beside the schemas of the spec.
package check

import (
	"cmp"
	"slices"
	"strings"
)

// Schema is a Schema Object of OpenAPI 3.0.3. A keyword that the spec does not have is the zero value.
type Schema struct {
	Type      string // string, number, integer, boolean, array or object; "" for any
	Format    string // the formats that are checked are those of [Schema.Check]
	Nullable  bool
	ReadOnly  bool     // a property that no request may have
	WriteOnly bool     // a property that no response may have
	Enum      []string // as JSON
	Default   string   // as JSON
	Example   string   // as JSON

	Minimum, Maximum, MultipleOf       string // as in the spec
	ExclusiveMinimum, ExclusiveMaximum bool

	MinLength int  // in characters
	MaxLength *int // in characters; nil without a limit
	Pattern   string
	// Regexp is the pattern in Go's syntax. It is "" if Go has no such pattern, which only a schema of responses may have.
	Regexp string

	Items               *Schema // nil for any
	MinItems            int
	MaxItems            *int // nil without a limit
	UniqueItems         bool
	Properties          []Field // sorted by name
	Required            []string
	Additional          *Schema // of the other properties; nil for any
	NoAdditional        bool    // there are no other properties
	MinProperties       int
	MaxProperties       *int // nil without a limit
	AllOf, AnyOf, OneOf []*Schema
	Not                 *Schema
	Discriminator       string             // property that names one of the schemas of AnyOf or OneOf
	Mapping             map[string]*Schema // by the value of the discriminator
}

// Field is a property of an object.
type Field struct {
	Name        string // in JSON
	Required    bool
	Description string
	Schema      *Schema
}

// Fields returns the properties of an object that the schema and those in its allOf have, sorted by name. A property that
// several of them have is required if it is in one of them, and has all their schemas.
func (s *Schema) Fields() []Field {
	if len(s.AllOf) == 0 {
		return s.Properties
	}
	fields, required := slices.Clone(s.Properties), slices.Clone(s.Required)
	for _, part := range s.AllOf {
		for _, f := range part.Fields() {
			i := slices.IndexFunc(fields, func(other Field) bool { return other.Name == f.Name })
			if i < 0 {
				fields = append(fields, f)
				continue
			}
			fields[i].Description = cmp.Or(fields[i].Description, f.Description)
			fields[i].Required = fields[i].Required || f.Required
			fields[i].Schema = &Schema{AllOf: []*Schema{fields[i].Schema, f.Schema}}
		}
		required = append(required, part.Required...)
	}
	for i := range fields {
		fields[i].Required = fields[i].Required || slices.Contains(required, fields[i].Name)
	}
	slices.SortFunc(fields, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

// Typed returns the schema with the type, format, default, choices, limits and items that it or else the first schema in
// its allOf has. That is how OpenAPI writes a reference that may be null, or has a default.
func (s *Schema) Typed() *Schema {
	if len(s.AllOf) == 0 {
		return s
	}
	typed := *s
	for _, part := range s.AllOf {
		p := part.Typed()
		typed.Type, typed.Format, typed.Default = cmp.Or(typed.Type, p.Type), cmp.Or(typed.Format, p.Format), cmp.Or(typed.Default, p.Default)
		typed.Minimum, typed.Maximum = cmp.Or(typed.Minimum, p.Minimum), cmp.Or(typed.Maximum, p.Maximum)
		typed.MaxLength, typed.Items = cmp.Or(typed.MaxLength, p.MaxLength), cmp.Or(typed.Items, p.Items)
		if typed.Enum == nil {
			typed.Enum = p.Enum
		}
	}
	return &typed
}

// Violation is the violation of a keyword by a value.
type Violation struct {
	// Field is the place of the value: a JSON pointer (RFC 6901) without its first slash, such as vehicle_id or
	// tags/0/name; "" for the whole value.
	Field string
	// Rule is the keyword of the schema, "unicode" for a string that is not valid UTF-8, which JSON requires, or "json" for
	// a value that is no JSON.
	Rule  string
	Limit string // the value of the keyword; "" if the rule says it all
}

// String returns a sentence that starts with the field. It does not contain the value.
func (v Violation) String() string {
	text, known := sentences[v.Rule]
	if !known {
		text = "violates " + v.Rule
	}
	return cmp.Or(v.Field, "the value") + " " + strings.Replace(text, "LIMIT", v.Limit, 1)
}

var sentences = map[string]string{
	"type":                 "is not of type LIMIT",
	"nullable":             "must not be null",
	"enum":                 "is none of LIMIT",
	"format":               "cannot be written as a LIMIT",
	"minimum":              "is less than LIMIT",
	"maximum":              "is more than LIMIT",
	"exclusiveMinimum":     "is not more than LIMIT",
	"exclusiveMaximum":     "is not less than LIMIT",
	"multipleOf":           "is not a multiple of LIMIT",
	"minLength":            "has fewer than LIMIT characters",
	"maxLength":            "has more than LIMIT characters",
	"pattern":              "does not match LIMIT",
	"minItems":             "has fewer than LIMIT items",
	"maxItems":             "has more than LIMIT items",
	"uniqueItems":          "has equal items",
	"required":             "is required",
	"additionalProperties": "is not a known property",
	"minProperties":        "has fewer than LIMIT properties",
	"maxProperties":        "has more than LIMIT properties",
	"readOnly":             "is read-only",
	"anyOf":                "matches none of the possible schemas",
	"oneOf":                "does not match exactly one of the possible schemas",
	"not":                  "matches a schema that it must not match",
	"discriminator":        "does not name one of the possible schemas",
	"unicode":              "is not valid UTF-8",
	"json":                 "is not valid JSON",
}
