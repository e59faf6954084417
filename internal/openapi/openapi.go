// Package openapi has the parts of an OpenAPI 3.0 document that a checker needs, with references resolved. Field names are
// those of the specification.
package openapi

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/internal/yamltree"
)

// Document is an OpenAPI document.
type Document struct {
	Title, Version  string
	Servers         []Server
	Paths           []*PathItem // by path
	Security        []SecurityRequirement
	SecuritySchemes map[string]*SecurityScheme
	Schemas         []*Schema // all, by ID
}

// Server is a Server Object.
type Server struct {
	URL       string
	Variables map[string]Variable
}

// BasePath returns the path of the URL, with the defaults of its variables, without a slash at its end.
func (s Server) BasePath() string {
	text := s.URL
	for name, v := range s.Variables {
		text = strings.ReplaceAll(text, "{"+name+"}", v.Default)
	}
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return strings.TrimRight(u.Path, "/")
}

// Variable is a Server Variable Object.
type Variable struct {
	Default string
	Enum    []string
}

// PathItem is a Path Item Object.
type PathItem struct {
	Path       string
	Pointer    string
	Parameters []*Parameter
	Servers    []Server
	Operations []*Operation // by method
}

// Operation is an Operation Object.
type Operation struct {
	Method      string // upper case
	Pointer     string
	ID          string // the operationId, or else the method and the path
	Parameters  []*Parameter
	RequestBody *RequestBody // or nil
	Responses   map[string]*Response
	Security    []SecurityRequirement // nil if it is that of the document
	Servers     []Server
}

// Parameter is a Parameter Object, or a Header Object, which has no name and place.
type Parameter struct {
	Pointer         string
	Name, In        string
	Required        bool
	Style           string // "" is the default
	Explode         *bool  // nil is the default of the style
	AllowEmptyValue bool
	Schema          *Schema        // nil if there is a content
	Example         *yamltree.Node // or nil
	Content         map[string]*MediaType
}

// RequestBody is a Request Body Object.
type RequestBody struct {
	Pointer  string
	Required bool
	Content  map[string]*MediaType
}

// Response is a Response Object.
type Response struct {
	Pointer string
	Headers map[string]*Parameter
	Content map[string]*MediaType
	Links   []Link // by name
}

// Link is a Link Object with an operationId.
type Link struct {
	OperationID string
	Parameters  map[string]string // a constant or an expression, by a name such as id or path.id
}

// MediaType is a Media Type Object.
type MediaType struct {
	Schema   *Schema
	Encoding map[string]*Encoding
}

// Encoding is an Encoding Object.
type Encoding struct {
	ContentType string
	Headers     map[string]*Parameter
	Style       string
	Explode     *bool
}

// SecurityRequirement is a Security Requirement Object: the sorted names of the schemes.
type SecurityRequirement []string

// SecurityScheme is a Security Scheme Object.
type SecurityScheme struct {
	Type, In, Name, Scheme string
}

// Schema is a Schema Object. References to one lead to one Schema.
type Schema struct {
	directions

	ID      int
	Pointer string

	Type, Format, Pattern              string
	Minimum, Maximum, MultipleOf       json.Number // as written; "" for none
	MinLength, MinItems, MinProperties uint64
	MaxLength, MaxItems, MaxProperties *uint64
	Enum                               []*yamltree.Node
	Required                           []string
	Properties                         []Property // sorted by name
	Items, Not, AdditionalProperties   *Schema
	AllOf, AnyOf, OneOf                []*Schema
	Discriminator                      *Discriminator
	Example                            *yamltree.Node // or nil
	Fixture                            bool           // the extension x-fixture: a valid value is one that the account has

	Nullable, ReadOnly, WriteOnly, UniqueItems, ExclusiveMinimum, ExclusiveMaximum bool
	HasNullable, HasAdditionalProperties                                           bool // the keyword is there
	NoOtherProperties                                                              bool // additionalProperties is false
}

// Property is an entry of properties.
type Property struct {
	Name   string
	Schema *Schema
}

// Discriminator is a Discriminator Object.
type Discriminator struct {
	PropertyName string
	// Mapping has the schemas of the mapping, and by the names of their components those below oneOf and anyOf, or without
	// these keywords all that extend the schema by allOf.
	Mapping map[string]*Schema
}

// Extends reports whether base is in the schema's allOf, also in that of a schema there. visited is an empty map.
func (s *Schema) Extends(base *Schema, visited map[*Schema]bool) bool {
	visited[s] = true
	return slices.ContainsFunc(s.AllOf, func(part *Schema) bool {
		return part == base || !visited[part] && part.Extends(base, visited)
	})
}

// Property returns the schema of the property with a name, or nil.
func (s *Schema) Property(name string) *Schema {
	i, found := slices.BinarySearchFunc(s.Properties, name, func(p Property, name string) int { return strings.Compare(p.Name, name) })
	if !found {
		return nil
	}
	return s.Properties[i].Schema
}

// Serialization returns the style of a parameter or header, and whether it is exploded.
func (p *Parameter) Serialization() (style string, explode bool) {
	byDefault := "simple"
	if p.In == "query" || p.In == "cookie" {
		byDefault = "form"
	}
	return serialization(p.Style, byDefault, p.Explode)
}

// Serialization returns the style of a property of a form, and whether it is exploded. e may be nil.
func (e *Encoding) Serialization() (style string, explode bool) {
	if e == nil {
		return "form", true
	}
	return serialization(e.Style, "form", e.Explode)
}

// serialization applies the defaults. A deepObject has no form that is not exploded.
func serialization(style, byDefault string, explode *bool) (string, bool) {
	style = cmp.Or(style, byDefault)
	if explode != nil {
		return style, *explode
	}
	return style, style == "form" || style == "deepObject"
}
