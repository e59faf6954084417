package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v4"
)

// schema is a Schema Object of OpenAPI 3.0.3 with what kin-openapi does not keep: its place, and its limits without the
// rounding of a float64.
type schema struct {
	*openapi3.Schema

	place   string              // pointer in the spec
	limits  map[string]*big.Rat // minimum, maximum, multipleOf
	pattern *regexp.Regexp
	enum    []any
	claims  map[Part]*schemaClaims
	known   map[string]bool // the members of the objects it describes; nil where it does not list them
}

// readSchemas collects the schemas of a spec.
func (c *Contract) readSchemas(doc *openapi3.T) error {
	if doc.Components != nil {
		for _, name := range slices.Sorted(maps.Keys(doc.Components.Schemas)) {
			if doc.Components.Schemas[name].Value == nil {
				return c.specError("/components/schemas/"+name+"/$ref", "the reference leads to itself")
			}
		}
	}
	return doc.WalkSchemas(func(pointer string, ref *openapi3.SchemaRef) error {
		s := &schema{Schema: ref.Value, place: c.source.canonical(pointer), limits: map[string]*big.Rat{}}
		if err := c.refuseKeywords(s); err != nil {
			return err
		}
		for _, keyword := range []string{"minimum", "maximum", "multipleOf"} {
			n := c.source.node(s.place + "/" + keyword)
			if n == nil {
				continue
			}
			if !isNumber(n.Value) {
				return c.specError(s.place+"/"+keyword, keyword+" is no number as JSON writes it")
			}
			s.limits[keyword] = exact(number(n.Value))
		}
		if s.Pattern != "" {
			var err error
			if s.pattern, err = regexp.Compile(s.Pattern); err != nil {
				return c.specError(s.place+"/pattern", "Go's regular expressions (RE2) cannot do this: "+err.Error())
			}
		}
		if n := c.source.node(s.place + "/enum"); n != nil {
			for _, e := range n.Content {
				value, err := yamlValue(follow(e))
				if err != nil {
					return c.specError(s.place+"/enum", err.Error())
				}
				s.enum = append(s.enum, value)
			}
		}
		for name := range s.Properties {
			c.names[name] = true
		}
		known := map[string]bool{}
		if !c.listMembers(ref.Value, known, map[*openapi3.Schema]bool{}) && len(known) > 0 {
			s.known = known
		}
		c.schemas[ref.Value] = s
		return nil
	})
}

// vocabulary are the keywords of a Schema Object, and what may stand in its type (OpenAPI 3.0.3, Schema Object).
var (
	vocabulary = []string{"title", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength",
		"minLength", "pattern", "maxItems", "minItems", "uniqueItems", "maxProperties", "minProperties", "required", "enum",
		"type", "allOf", "oneOf", "anyOf", "not", "items", "properties", "additionalProperties", "description", "format",
		"default", "nullable", "discriminator", "readOnly", "writeOnly", "xml", "externalDocs", "example", "deprecated"}
	schemaTypes = []string{"string", "number", "integer", "boolean", "array", "object"}
)

// refuseKeywords finds the keywords that nobody would look at: misspelt ones, and those of other versions.
func (c *Contract) refuseKeywords(s *schema) error {
	n := c.source.node(s.place)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		keyword, value := n.Content[i].Value, follow(n.Content[i+1])
		at := s.place + pointerOf(keyword)
		switch {
		case strings.HasPrefix(keyword, "x-") || n.Content[i].Tag == "!!merge":
		case !slices.Contains(vocabulary, keyword):
			return c.specError(at, keyword+" is no keyword of a schema in OpenAPI 3.0")
		case keyword == "type" && value.Kind != yaml.ScalarNode:
			return c.specError(at, "in OpenAPI 3.0 a type is one name; null is allowed by nullable: true")
		case keyword == "type" && !slices.Contains(schemaTypes, value.Value):
			return c.specError(at, fmt.Sprintf("%q is no type; there are %s", value.Value, strings.Join(schemaTypes, ", ")))
		case strings.HasPrefix(keyword, "exclusive") && value.Tag != "!!bool":
			return c.specError(at, "in OpenAPI 3.0 "+keyword+" is true or false, beside the limit")
		case keyword == "exclusiveMinimum" && s.Min == nil, keyword == "exclusiveMaximum" && s.Max == nil:
			return c.specError(at, keyword+" says nothing without the limit")
		case slices.Contains([]string{"enum", "allOf", "anyOf", "oneOf"}, keyword) && len(value.Content) == 0:
			return c.specError(at, keyword+" is an empty list, or none")
		case keyword == "discriminator" && len(s.OneOf)+len(s.AnyOf) == 0:
			c.note(at, "discriminators without oneOf or anyOf beside them")
		}
	}
	return nil
}

var jsonNumber = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$`)

func isNumber(text string) bool { return jsonNumber.MatchString(text) }

// yamlValue reads a value of the spec as the decoder reads one of the traffic.
func yamlValue(n *yaml.Node) (any, error) {
	if n.Kind == yaml.ScalarNode && isNumber(n.Value) && (n.Tag == "!!int" || n.Tag == "!!float") {
		return number(n.Value), nil
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return nil, err
	}
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	value, _, _ := decodeJSON(data)
	return value, nil
}

// types returns the types that a schema names; none means any.
func (s *schema) types() []string {
	if s.Type == nil {
		return nil
	}
	return s.Type.Slice()
}

// admits reports whether the schema's type has room for a value that is not null.
func (s *schema) admits(value any) bool {
	types := s.types()
	for _, name := range types {
		switch v := value.(type) {
		case string:
			if name == "string" {
				return true
			}
		case bool:
			if name == "boolean" {
				return true
			}
		case number:
			if name == "number" || name == "integer" && (digits.MatchString(v.String()) || exact(v).IsInt()) {
				return true
			}
		case []any:
			if name == "array" {
				return true
			}
		case map[string]any:
			if name == "object" {
				return true
			}
		}
	}
	return len(types) == 0
}

// kind puts the schema's type into words.
func (s *schema) kind() string {
	noun := strings.Join(s.types(), " or ")
	if strings.ContainsAny(noun[:1], "aio") {
		return "an " + noun
	}
	return "a " + noun
}

// literal shows a limit as the spec writes it.
func (c *Contract) literal(s *schema, keyword string) string {
	if n := c.source.node(s.place + "/" + keyword); n != nil {
		return n.Value
	}
	return "?"
}

// choices shows the values of an enum.
func (s *schema) choices() string {
	var texts []string
	for _, value := range s.enum {
		if text, isText := value.(string); isText {
			texts = append(texts, text)
			continue
		}
		data, err := json.Marshal(value)
		if err != nil {
			data = fmt.Append(nil, value)
		}
		texts = append(texts, string(data))
	}
	return "one of " + strings.Join(texts, ", ")
}

func (s *schema) exclusiveMinimum() bool { return s.ExclusiveMin.Bool != nil && *s.ExclusiveMin.Bool }
func (s *schema) exclusiveMaximum() bool { return s.ExclusiveMax.Bool != nil && *s.ExclusiveMax.Bool }

// listMembers collects the members that a schema and the schemas combined in it describe. Where one of them speaks of
// all others (additionalProperties), nothing is undocumented.
func (c *Contract) listMembers(of *openapi3.Schema, into map[string]bool, visited map[*openapi3.Schema]bool) (open bool) {
	if visited[of] {
		return false
	}
	visited[of] = true
	for name := range of.Properties {
		into[name] = true
	}
	for _, name := range of.Required {
		into[name] = true
	}
	open = of.AdditionalProperties.Has != nil || of.AdditionalProperties.Schema != nil
	for _, part := range slices.Concat(of.AllOf, of.AnyOf, of.OneOf) {
		open = c.listMembers(part.Value, into, visited) || open
	}
	return open
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
