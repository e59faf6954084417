package conformance

import (
	"maps"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/formats"
	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/conformance/internal/yamltree"
	"github.com/getkin/kin-openapi/openapi3"
)

// schema is a Schema Object of OpenAPI 3.0.3, compiled once for all references, for the [validator].
type schema struct {
	*openapi3.Schema
	numberLimits

	id         int    // from 0
	place      string // pointer in the spec
	types      uint8  // a bit for each type of a value other than null
	integer    bool   // numbers must be integers
	pattern    *regexp.Regexp
	format     func(text []byte) bool // nil if it is not checked
	enum       []value
	exhaustive bool                          // a property that the schema does not list is undocumented
	claims     [validatedParts]*schemaClaims // nil for a part without claims

	keywords [validatedParts][]keyword // see [Contract.keywords]

	propertyIndex map[string]int // in properties by name, from 1
	properties    []property     // of the keyword properties, and other names in the schema
	required      []int          // index in properties of each entry of required
	items         *schema        // nil if the spec does not describe them
	additional    *schema        // likewise
	noAdditional  bool

	allOf, anyOf, oneOf []*schema
	not                 *schema
}

// property is a property of an object whose name is in the schema.
type property struct {
	name       string
	schema     *schema // nil if only required or a combined schema has the name
	documented bool    // in this or in a combined schema
}

// numberLimits are the limits of a number, exact and as integers.
type numberLimits struct {
	minimum, maximum, multipleOf *big.Rat // or nil
	bits                         int      // of an integer format; 0 for none

	// An integer within these satisfies all limits, so that most numbers need no big.Rat.
	low, high, step int64
	integral        bool // false if a limit is no int64
}

// readSchemas collects the schemas of a spec.
func (c *Contract) readSchemas(doc *openapi3.T) error {
	if doc.Components != nil {
		for _, name := range slices.Sorted(maps.Keys(doc.Components.Schemas)) {
			if doc.Components.Schemas[name].Value == nil {
				return c.specError("/components/schemas/"+name+"/$ref", "the reference refers to itself")
			}
		}
	}
	return doc.WalkSchemas(func(pointer string, ref *openapi3.SchemaRef) error {
		s := &schema{Schema: ref.Value, id: len(c.schemas), place: c.source.Canonical(pointer)}
		if err := c.rejectUnknownKeywords(s); err != nil {
			return err
		}
		if err := c.readLimits(s); err != nil {
			return err
		}
		if s.Pattern != "" {
			var err error
			if s.pattern, err = regexp.Compile(s.Pattern); err != nil {
				return c.specError(s.place+"/pattern", "not supported by Go's regular expressions (RE2): "+err.Error())
			}
		}
		if n := c.source.Node(s.place + "/enum"); n != nil {
			for _, e := range n.Content {
				v, err := yamltree.Value(e)
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
			return c.specError(s.place+"/"+keyword, keyword+" is not a JSON number")
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

// compileSchemas links the schemas after all are read.
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
		c.compileProperties(s)
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

func (c *Contract) compileProperties(s *schema) {
	documented := map[string]bool{}
	s.exhaustive = !listProperties(s.Schema, documented, map[*openapi3.Schema]bool{}) && len(documented) > 0
	if !s.exhaustive {
		documented = map[string]bool{}
	}
	for name := range s.Properties {
		documented[name] = true
	}
	for _, name := range s.Required {
		documented[name] = documented[name] || false // the name needs an entry
	}
	s.propertyIndex = make(map[string]int, len(documented))
	for _, name := range sortedKeys(documented) {
		s.properties = append(s.properties, property{name, c.schemaOf(s.Properties[name]), documented[name]})
		s.propertyIndex[name] = len(s.properties)
	}
	for _, name := range s.Required {
		s.required = append(s.required, s.propertyIndex[name]-1)
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

// typeNames returns the types of a schema; none means any.
func (s *schema) typeNames() []string {
	if s.Type == nil {
		return nil
	}
	return s.Type.Slice()
}

// typeText describes the schema's type.
func (s *schema) typeText() string {
	noun := strings.Join(s.typeNames(), " or ")
	if strings.ContainsAny(noun[:1], "aio") {
		return "an " + noun
	}
	return "a " + noun
}

// literal returns a limit as written in the spec.
func (c *Contract) literal(s *schema, keyword string) string {
	if n := c.source.Node(s.place + "/" + keyword); n != nil {
		return n.Value
	}
	return "?"
}

// choices describes the values of the enum.
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

// listProperties collects the properties of a schema and of the schemas combined in it. open reports whether one of them
// has additionalProperties, so that no property is undocumented.
func listProperties(s *openapi3.Schema, into map[string]bool, visited map[*openapi3.Schema]bool) (open bool) {
	if visited[s] {
		return false
	}
	visited[s] = true
	for name := range s.Properties {
		into[name] = true
	}
	for _, name := range s.Required {
		into[name] = true
	}
	open = s.AdditionalProperties.Has != nil || s.AdditionalProperties.Schema != nil
	for _, part := range slices.Concat(s.AllOf, s.AnyOf, s.OneOf) {
		open = listProperties(part.Value, into, visited) || open
	}
	return open
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
