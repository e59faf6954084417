package conformance

import (
	"math"
	"slices"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"
)

// wanted is a tree of the places whose values criteria weigh.
type wanted struct {
	capture int // noCapture for none
	below   map[string]*wanted
}

// compiler makes nodes.
type compiler struct {
	contract *Contract
	part     Part
	made     map[nodeKey]*node
}

// nodeKey tells nodes of one schema apart: what criteria want of them, and whether others speak of its value, too.
type nodeKey struct {
	of     *openapi3.Schema
	want   *wanted
	shared bool
}

// anything is the node of a value that the spec does not describe.
var anything = func() *node {
	n := &node{admit: math.MaxUint8, maxLength: math.MaxInt, maxItems: math.MaxInt, maxMembers: math.MaxInt}
	n.item, n.rest = n, n
	return n
}()

func (c *compiler) compile(of *openapi3.Schema, want *wanted, shared bool) *node {
	if of == nil && want == nil {
		return anything
	}
	key := nodeKey{of, want, shared}
	if n := c.made[key]; n != nil {
		return n
	}
	s := c.contract.schemas[of]
	if s == nil {
		return &node{hard: true}
	}
	c.contract.nodes++
	n := &node{id: c.contract.nodes, maxLength: math.MaxInt, maxItems: math.MaxInt, maxMembers: math.MaxInt}
	c.made[key] = n
	c.kinds(n, s)
	c.numbers(n, s)
	n.minLength, n.pattern = clampInt(s.MinLength), s.pattern
	if s.MaxLength != nil {
		n.maxLength = clampInt(*s.MaxLength)
	}
	n.format = proofs[s.Format]
	n.hard = n.hard || n.format == nil && formats[s.Format] != nil
	c.enum(n, s)
	c.array(n, s)
	c.object(n, s, want, shared)
	c.combine(n, s)
	return n
}

func clampInt(v uint64) int { return int(min(v, math.MaxInt)) }

func (c *compiler) kinds(n *node, s *schema) {
	for _, name := range s.types() {
		switch name {
		case "string":
			n.admit |= of(kindString)
		case "boolean":
			n.admit |= of(kindBoolean)
		case "number":
			n.admit |= of(kindNumber)
		case "integer":
			n.admit |= of(kindNumber)
			n.whole = !slices.Contains(s.types(), "number")
		case "array":
			n.admit |= of(kindArray)
		case "object":
			n.admit |= of(kindObject)
		}
	}
	if len(s.types()) == 0 {
		n.admit = math.MaxUint8
	}
	if s.Nullable {
		n.admit |= of(kindNull)
		n.nullEnds = true
	}
	if claims := s.claims[c.part]; claims != nil {
		for k := range kinds {
			n.bear[k] = words(claims.bearing[k])
		}
		n.uniqueBears = words([]int{claims.unique})
	}
}

func (c *compiler) numbers(n *node, s *schema) {
	n.low, n.high = math.MinInt64, math.MaxInt64
	n.above, n.below = math.Inf(-1), math.Inf(1)
	if bits := integerFormats[s.Format]; bits == 32 {
		n.low, n.high = math.MinInt32, math.MaxInt32
	}
	n.bounded = len(s.limits) > 0 || integerFormats[s.Format] > 0
	n.exactly = integerFormats[s.Format] > 0 || s.limits["multipleOf"] != nil
	for keyword, limit := range s.limits {
		rough, _ := limit.Float64()
		value := int64(0)
		if limit.IsInt() && limit.Num().IsInt64() {
			value = limit.Num().Int64()
		} else {
			n.roughly = true
		}
		switch keyword {
		case "multipleOf":
			n.multiple = value
			n.hard = n.hard || value <= 0
		case "minimum":
			n.above = rough
			if s.exclusiveMinimum() {
				n.hard = n.hard || value == math.MaxInt64
				value++
			}
			n.low = max(n.low, value)
		default:
			n.below = rough
			if s.exclusiveMaximum() {
				n.hard = n.hard || value == math.MinInt64
				value--
			}
			n.high = min(n.high, value)
		}
	}
	n.hard = n.hard || n.roughly && n.exactly
}

func (c *compiler) enum(n *node, s *schema) {
	n.listed = len(s.enum) > 0
	for _, value := range s.enum {
		switch v := value.(type) {
		case string:
			n.texts = append(n.texts, v)
		case number:
			if i, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
				n.integers = append(n.integers, i)
				continue
			}
			n.others |= of(kindNumber)
		default:
			n.others |= of(kindOf(value))
		}
	}
}

func (c *compiler) array(n *node, s *schema) {
	n.minItems, n.unique = clampInt(s.MinItems), s.UniqueItems
	if s.MaxItems != nil {
		n.maxItems = clampInt(*s.MaxItems)
	}
	n.item = anything
	if s.Items != nil {
		n.item = c.compile(s.Items.Value, nil, false)
	}
}

func (c *compiler) object(n *node, s *schema, want *wanted, shared bool) {
	n.minMembers = clampInt(s.MinProps)
	if s.MaxProps != nil {
		n.maxMembers = clampInt(*s.MaxProps)
	}
	n.rest = anything
	if rest := s.AdditionalProperties.Schema; rest != nil {
		n.rest = c.compile(rest.Value, nil, false)
	}
	n.closed = s.AdditionalProperties.Has != nil && !*s.AdditionalProperties.Has
	n.strange = c.part == ResponseBody && s.known != nil && !shared
	names := map[string]bool{}
	for name := range s.Properties {
		names[name] = true
	}
	// What is required, known to a schema combined in, or weighed by a criterion has a place of its own, too.
	for _, name := range s.Required {
		names[name] = names[name] || false
	}
	if n.strange {
		for name := range s.known {
			names[name] = names[name] || false
		}
	}
	if want != nil {
		for name := range want.below {
			names[name] = names[name] || false
		}
	}
	n.hard = n.hard || len(names) > mostMembers
	if n.hard {
		return
	}
	n.index = map[string]int{}
	for _, name := range sortedKeys(names) {
		m := member{capture: noCapture, node: n.rest}
		var below *wanted
		if want != nil && want.below[name] != nil {
			below = want.below[name]
			m.capture = below.capture
			if len(below.below) == 0 {
				below = nil
			}
		}
		p := s.Properties[name]
		switch {
		case p != nil && otherWay(p, c.part):
			m.node = &node{hard: true}
		case p != nil:
			m.node = c.compile(p.Value, below, false)
		case n.closed || below != nil:
			m.node = &node{hard: true}
		}
		if isPlainName(name) {
			m.quoted = `"` + name + `"`
		}
		n.index[name] = len(n.members)
		n.members = append(n.members, m)
	}
	for i, name := range s.Required {
		if otherWay(s.Properties[name], c.part) {
			continue
		}
		at := n.index[name]
		n.required.add(at)
		if claims := s.claims[c.part]; claims != nil {
			n.members[at].bears = words([]int{claims.required[i]})
		}
	}
}

// isPlainName reports whether JSON writes a name without escapes.
func isPlainName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x80 {
			return false
		}
	}
	return true
}

func (c *compiler) combine(n *node, s *schema) {
	parts := func(refs openapi3.SchemaRefs) (list []*node) {
		for _, ref := range refs {
			list = append(list, c.compile(ref.Value, nil, true))
		}
		return list
	}
	n.all, n.anyOf, n.oneOf = parts(s.AllOf), parts(s.AnyOf), parts(s.OneOf)
	if s.Not != nil {
		n.not = c.compile(s.Not.Value, nil, true)
	}
	n.hard = n.hard || s.Discriminator != nil
	n.combined = len(n.all)+len(n.anyOf)+len(n.oneOf) > 0 || n.not != nil
}
