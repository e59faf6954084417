package conformance

import (
	"maps"
	"math"
	"slices"

	"github.com/fleetcontract/fleetio-go/conformance/internal/limits"
	"github.com/fleetcontract/fleetio-go/internal/ecma"
	"github.com/fleetcontract/fleetio-go/internal/formats"
	"github.com/fleetcontract/fleetio-go/internal/openapi"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// schema is a Schema Object of OpenAPI 3.0.3, compiled once for all references, for the [validator].
type schema struct {
	*openapi.Schema

	id      int    // from 0
	place   string // pointer in the spec
	types   uint8  // a bit for each type of a value other than null
	integer bool   // numbers must be integers
	limits  limits.Limits
	pattern *ecma.Pattern
	format  func(text []byte) bool // nil if it is not checked
	enum    []value
	claims  [validatedParts]*schemaClaims // nil where the schema is not used, or makes no claims of its own

	propertyIndex map[string]int // in properties by name, from 1
	properties    []property     // of the keywords properties and required
	required      []int          // index in properties of each entry of required
	items         *schema        // nil if the spec does not describe them
	additional    *schema        // likewise

	allOf, anyOf, oneOf []*schema
	not                 *schema
	children            []*schema // that extend the schema and that its discriminator selects
	combines            bool      // one of these is there
}

// property is a property of an object whose name is in the schema.
type property struct {
	name   string
	schema *schema // nil if it is only required
}

// compileSchemas compiles the schemas of a spec. Enums at the places in ignored are not checked.
func (c *Contract) compileSchemas(doc *openapi.Document, ignored map[string]bool) {
	for _, from := range doc.Schemas {
		c.schemas = append(c.schemas, &schema{Schema: from, id: from.ID, place: from.Pointer})
	}
	for _, s := range c.schemas {
		if s.Type == "" {
			s.types = math.MaxUint8
		} else {
			s.types = typeSet(strictjson.TypesByName[s.Type])
		}
		s.integer = s.Type == "integer"
		s.format = formats.Matchers[s.Format]
		s.limits = limits.Of(s.Schema)
		if s.Pattern != "" {
			var err error
			if s.pattern, err = ecma.Compile(s.Pattern); err != nil {
				c.addUnchecked(s.place+"/pattern", "the pattern, which is no regular expression of ECMA-262 that can be matched here: "+err.Error())
			}
		}
		if !ignored[s.place+"/enum"] {
			for _, n := range s.Enum {
				v, _ := strictjson.ParseValue(n.AppendJSON(nil))
				s.enum = append(s.enum, v)
			}
		}
		s.items, s.not, s.additional = c.schemaOf(s.Items), c.schemaOf(s.Not), c.schemaOf(s.AdditionalProperties)
		s.allOf, s.anyOf, s.oneOf = c.schemasOf(s.AllOf), c.schemasOf(s.AnyOf), c.schemasOf(s.OneOf)
		if d := s.Discriminator; d != nil && len(s.OneOf)+len(s.AnyOf) == 0 {
			for _, name := range sortedKeys(d.Mapping) {
				s.children = append(s.children, c.schemaOf(d.Mapping[name]))
			}
			if len(s.children) == 0 {
				c.addUnchecked(s.place+"/discriminator", "a discriminator that selects no schema")
			}
		}
		s.combines = len(s.allOf)+len(s.anyOf)+len(s.oneOf)+len(s.children) > 0 || s.not != nil
		for _, p := range s.Properties {
			c.names[p.Name] = true
		}
		c.compileProperties(s)
	}
}

func (c *Contract) schemaOf(s *openapi.Schema) *schema {
	if s == nil {
		return nil
	}
	return c.schemas[s.ID]
}

func (c *Contract) schemasOf(schemas []*openapi.Schema) (list []*schema) {
	for _, s := range schemas {
		list = append(list, c.schemaOf(s))
	}
	return list
}

func (c *Contract) compileProperties(s *schema) {
	names := slices.Clone(s.Required)
	for _, p := range s.Properties {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	if len(names) > 0 {
		s.propertyIndex = make(map[string]int, len(names))
	}
	for _, name := range slices.Compact(names) {
		s.properties = append(s.properties, property{name, c.schemaOf(s.Property(name))})
		s.propertyIndex[name] = len(s.properties)
	}
	for _, name := range s.Required {
		s.required = append(s.required, s.propertyIndex[name]-1)
	}
}

// typeSet returns the set of a type.
func typeSet(t strictjson.Type) uint8 { return 1 << t }

// choices describes the values of the enum.
func (s *schema) choices() (texts []string) {
	for _, v := range s.enum {
		texts = append(texts, v.Text())
	}
	return texts
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
