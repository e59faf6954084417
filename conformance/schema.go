package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/yamltree"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/conformance/internal/formats"
	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

// schema is a Schema Object of OpenAPI 3.0.3, compiled once, whatever refers to it, for the [validator].
type schema struct {
	*openapi3.Schema

	id      int    // from 0
	place   string // pointer in the spec
	types   uint8  // a bit for each type of a value that is not null
	integer bool   // numbers must be integers
	pattern *regexp.Regexp
	format  func(text []byte) bool // nil where it is not checked
	enum    []value
	known   bool // the schema lists the members of objects: others are undocumented
	claims  [validatedParts]schemaClaims

	keywords [validatedParts][]keyword // see [Contract.keywords]

	numberLimits

	members      map[string]int // of properties by name, from 1
	properties   []property     // those below properties, and other names that the spec mentions
	required     []int          // the property of each entry of required
	items        *schema        // nil where the spec does not describe them
	additional   *schema        // likewise
	noAdditional bool

	allOf, anyOf, oneOf []*schema
	not                 *schema
}

// property is a member of an object with a name that the spec mentions.
type property struct {
	name   string
	schema *schema // nil where only required or a combined schema has the name
	known  bool    // documented, here or in a combined schema
}

// numberLimits are the limits of a number, exact and as integers.
type numberLimits struct {
	minimum, maximum, multipleOf *big.Rat
	bits                         int // of an integer format; 0 for none

	// A number within these satisfies all of them: what most traffic has is decided without a big.Rat.
	low, high, step int64
	integral        bool // false where a limit is no int64
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
		s := &schema{Schema: ref.Value, id: len(c.schemas), place: c.source.Canonical(pointer)}
		if err := c.refuseKeywords(s); err != nil {
			return err
		}
		if err := c.readLimits(s); err != nil {
			return err
		}
		if s.Pattern != "" {
			var err error
			if s.pattern, err = regexp.Compile(s.Pattern); err != nil {
				return c.specError(s.place+"/pattern", "Go's regular expressions (RE2) cannot do this: "+err.Error())
			}
		}
		if n := c.source.Node(s.place + "/enum"); n != nil {
			for _, e := range n.Content {
				v, err := yamlValue(yamltree.Follow(e))
				if err != nil {
					return c.specError(s.place+"/enum", err.Error())
				}
				s.enum = append(s.enum, v)
			}
		}
		for name := range s.Properties {
			c.names[name] = true
		}
		c.schemas[ref.Value] = s
		return nil
	})
}

func (c *Contract) readLimits(s *schema) error {
	s.bits = formats.IntegerBits[s.Format]
	for keyword, limit := range map[string]**big.Rat{"minimum": &s.minimum, "maximum": &s.maximum, "multipleOf": &s.multipleOf} {
		n := c.source.Node(s.place + "/" + keyword)
		if n == nil {
			continue
		}
		if !strictjson.IsNumber(n.Value) {
			return c.specError(s.place+"/"+keyword, keyword+" is no number as JSON writes it")
		}
		*limit = strictjson.Exact(n.Value)
	}
	s.low, s.high, s.step, s.integral = math.MinInt64, math.MaxInt64, 1, true
	if s.bits == 32 {
		s.low, s.high = math.MinInt32, math.MaxInt32
	}
	integer := func(limit *big.Rat) int64 {
		s.integral = s.integral && limit.IsInt() && limit.Num().IsInt64()
		return limit.Num().Int64()
	}
	if s.minimum != nil {
		low := integer(s.minimum)
		if s.exclusiveMinimum() && low < math.MaxInt64 {
			low++
		}
		s.low = max(s.low, low)
	}
	if s.maximum != nil {
		high := integer(s.maximum)
		if s.exclusiveMaximum() && high > math.MinInt64 {
			high--
		}
		s.high = min(s.high, high)
	}
	if s.multipleOf != nil {
		s.step = max(integer(s.multipleOf), 1)
		s.integral = s.integral && s.multipleOf.Sign() > 0
	}
	return nil
}

// compileSchemas links the schemas once all are read.
func (c *Contract) compileSchemas() {
	for _, s := range c.schemas {
		for _, name := range s.typeNames() {
			s.types |= typesByName[name]
		}
		s.integer = slices.Contains(s.typeNames(), "integer") && !slices.Contains(s.typeNames(), "number")
		if len(s.typeNames()) == 0 {
			s.types = math.MaxUint8
		}
		s.format = formats.Matchers[s.Format]
		s.items = c.schemaOf(s.Items)
		s.additional = c.schemaOf(s.AdditionalProperties.Schema)
		s.noAdditional = s.AdditionalProperties.Has != nil && !*s.AdditionalProperties.Has
		s.allOf, s.anyOf, s.oneOf, s.not = c.schemasOf(s.AllOf), c.schemasOf(s.AnyOf), c.schemasOf(s.OneOf), c.schemaOf(s.Not)
		c.compileMembers(s)
	}
}

func (c *Contract) schemaOf(ref *openapi3.SchemaRef) *schema {
	if ref == nil {
		return nil
	}
	return c.schemas[ref.Value]
}

func (c *Contract) schemasOf(refs openapi3.SchemaRefs) (list []*schema) {
	for _, ref := range refs {
		list = append(list, c.schemaOf(ref))
	}
	return list
}

func (c *Contract) compileMembers(s *schema) {
	known := map[string]bool{}
	s.known = !listMembers(s.Schema, known, map[*openapi3.Schema]bool{}) && len(known) > 0
	if !s.known {
		known = map[string]bool{}
	}
	for name := range s.Properties {
		known[name] = true
	}
	for _, name := range s.Required {
		known[name] = known[name] || false
	}
	s.members = make(map[string]int, len(known))
	for _, name := range sortedKeys(known) {
		s.properties = append(s.properties, property{name: name, schema: c.schemaOf(s.Properties[name]), known: known[name]})
		s.members[name] = len(s.properties)
	}
	for _, name := range s.Required {
		s.required = append(s.required, s.members[name]-1)
	}
}

var typesByName = map[string]uint8{
	"string": typeSet(strictjson.String), "boolean": typeSet(strictjson.Boolean), "number": typeSet(strictjson.Number),
	"integer": typeSet(strictjson.Number), "array": typeSet(strictjson.Array), "object": typeSet(strictjson.Object),
}

// typeSet returns a set with a bit for each type.
func typeSet(list ...strictjson.Type) (set uint8) {
	for _, t := range list {
		set |= 1 << t
	}
	return set
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
	n := c.source.Node(s.place)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		keyword, value := n.Content[i].Value, yamltree.Follow(n.Content[i+1])
		at := s.place + strictjson.Pointer(keyword)
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

// yamlValue reads a value of the spec.
func yamlValue(n *yaml.Node) (value, error) {
	if n.Kind == yaml.ScalarNode && strictjson.IsNumber(n.Value) && (n.Tag == "!!int" || n.Tag == "!!float") {
		return strictjson.ParseValue([]byte(n.Value))
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return value{}, err
	}
	data, err := json.Marshal(v)
	if err != nil {
		return value{}, err
	}
	return strictjson.ParseValue(data)
}

// typeNames returns the types that a schema names; none means any.
func (s *schema) typeNames() []string {
	if s.Type == nil {
		return nil
	}
	return s.Type.Slice()
}

// typeText puts the schema's type into words.
func (s *schema) typeText() string {
	noun := strings.Join(s.typeNames(), " or ")
	if strings.ContainsAny(noun[:1], "aio") {
		return "an " + noun
	}
	return "a " + noun
}

// literal shows a limit as the spec writes it.
func (c *Contract) literal(s *schema, keyword string) string {
	if n := c.source.Node(s.place + "/" + keyword); n != nil {
		return n.Value
	}
	return "?"
}

// choices shows the values of an enum.
func (s *schema) choices() string {
	var texts []string
	for _, v := range s.enum {
		if v.Type() == strictjson.String {
			texts = append(texts, v.Text())
		} else {
			texts = append(texts, v.AsJSON())
		}
	}
	return "one of " + strings.Join(texts, ", ")
}

func (s *schema) exclusiveMinimum() bool { return s.ExclusiveMin.Bool != nil && *s.ExclusiveMin.Bool }
func (s *schema) exclusiveMaximum() bool { return s.ExclusiveMax.Bool != nil && *s.ExclusiveMax.Bool }

// listMembers collects the members that a schema and the schemas combined in it describe. Where one of them speaks of
// all others (additionalProperties), nothing is undocumented.
func listMembers(of *openapi3.Schema, into map[string]bool, visited map[*openapi3.Schema]bool) (open bool) {
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
		open = listMembers(part.Value, into, visited) || open
	}
	return open
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// noteFormats lists the formats of the spec that nothing checks.
func (c *Contract) noteFormats() {
	places := map[string]string{}
	for _, s := range c.schemas {
		if s.Format != "" && formats.Matchers[s.Format] == nil && formats.IntegerBits[s.Format] == 0 {
			places[s.place] = s.Format
		}
	}
	for _, place := range slices.Sorted(maps.Keys(places)) {
		c.note(place+"/format", "format "+places[place])
	}
}
