package conformance

import (
	"cmp"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
)

// violation is a schema keyword that a value breaks.
type violation struct {
	keyword  string
	pointer  string // into the instance
	spec     string // pointer of the keyword in the spec
	expected string
	found    any // the value, or a [plain] text about it
}

// direction is who sends a value: readOnly and writeOnly depend on it.
type direction int

const (
	sentByServer direction = iota
	sentByClient
)

// violations returns every keyword of a schema that a value breaks, by its place in the value.
func (c *Contract) violations(of *openapi3.Schema, value any, from direction) []violation {
	if of == nil {
		return nil
	}
	v := &validator{contract: c, from: from}
	v.value(of, value)
	slices.SortStableFunc(v.found, func(a, b violation) int {
		return cmp.Or(strings.Compare(a.pointer, b.pointer), strings.Compare(a.spec, b.spec))
	})
	return slices.CompactFunc(v.found, func(a, b violation) bool { return a.pointer == b.pointer && a.spec == b.spec })
}

// mostOfAKind bounds what one body is worth telling of one claim. Bodies can be made that break it in a million places.
const mostOfAKind = 100

// validator walks a value and its schema together.
type validator struct {
	contract *Contract
	from     direction
	path     []string           // tokens of the current place
	visiting []*openapi3.Schema // at the current value, so that a cycle of allOf ends
	count    map[string]int     // of the violations of each claim
	found    []violation
}

func (v *validator) report(s *schema, keyword, expected string, found any) {
	v.add(keyword, s.place+"/"+keyword, expected, found)
}

func (v *validator) add(keyword, spec, expected string, found any) {
	if v.count == nil {
		v.count = map[string]int{}
	}
	if v.count[spec]++; v.count[spec] <= mostOfAKind {
		v.found = append(v.found, violation{keyword, pointerOf(v.path...), spec, expected, found})
	}
}

// child validates a member or an item.
func (v *validator) child(token string, of *openapi3.Schema, value any) {
	outer := v.visiting
	v.visiting = nil
	v.path = append(v.path, inPointer(token))
	v.value(of, value)
	v.path = v.path[:len(v.path)-1]
	v.visiting = outer
}

func (v *validator) value(of *openapi3.Schema, value any) {
	if slices.Contains(v.visiting, of) {
		return
	}
	v.visiting = append(v.visiting, of)
	defer func() { v.visiting = v.visiting[:len(v.visiting)-1] }()
	s := v.contract.schemas[of]
	switch {
	case value == nil && s.Nullable:
		return
	case value == nil && len(s.types()) > 0:
		// Where nullable is left out, it is the type that leaves no room for null.
		at := s.place + "/nullable"
		if v.contract.source.node(at) == nil {
			at = s.place + "/type"
		}
		v.add("nullable", at, s.kind()+", not null", value)
		return
	case value != nil && !s.admits(value):
		v.report(s, "type", s.kind(), value)
		return
	}
	if len(s.enum) > 0 && !slices.ContainsFunc(s.enum, func(e any) bool { return equal(e, value) }) {
		v.report(s, "enum", s.choices(), value)
	}
	switch value := value.(type) {
	case number:
		v.number(s, value)
	case string:
		v.text(s, value)
	case []any:
		v.array(s, value)
	case map[string]any:
		v.object(s, value)
	}
	v.combined(s, value)
}

// integerFormats are the integers that fit.
var integerFormats = map[string]int{"int32": 32, "int64": 64}

func (v *validator) number(s *schema, value number) {
	n := exact(value)
	if bits := integerFormats[s.Format]; bits > 0 && n.IsInt() {
		// The range is -2^(bits-1) to 2^(bits-1)-1, so one more than a negative integer must fit in as many bits.
		whole := n.Num()
		if whole.Sign() < 0 {
			whole = new(big.Int).Not(whole)
		}
		if whole.BitLen() >= bits {
			v.report(s, "format", "format "+s.Format, value)
		}
	}
	if limit := s.limits["minimum"]; limit != nil {
		order := n.Cmp(limit)
		if b := s.ExclusiveMin.Bool; b != nil && *b {
			if order <= 0 {
				v.report(s, "exclusiveMinimum", "more than "+v.contract.literal(s, "minimum"), value)
			}
		} else if order < 0 {
			v.report(s, "minimum", "at least "+v.contract.literal(s, "minimum"), value)
		}
	}
	if limit := s.limits["maximum"]; limit != nil {
		order := n.Cmp(limit)
		if b := s.ExclusiveMax.Bool; b != nil && *b {
			if order >= 0 {
				v.report(s, "exclusiveMaximum", "less than "+v.contract.literal(s, "maximum"), value)
			}
		} else if order > 0 {
			v.report(s, "maximum", "at most "+v.contract.literal(s, "maximum"), value)
		}
	}
	if step := s.limits["multipleOf"]; step != nil && step.Sign() > 0 && !new(big.Rat).Quo(n, step).IsInt() {
		v.report(s, "multipleOf", "a multiple of "+v.contract.literal(s, "multipleOf"), value)
	}
}

func (v *validator) text(s *schema, value string) {
	if s.MinLength > 0 || s.MaxLength != nil {
		length := uint64(utf8.RuneCountInString(value)) //nolint:gosec // a length is not negative
		found := plain(strconv.FormatUint(length, 10))
		if length < s.MinLength {
			v.report(s, "minLength", fmt.Sprintf("at least %d characters", s.MinLength), found)
		}
		if s.MaxLength != nil && length > *s.MaxLength {
			v.report(s, "maxLength", fmt.Sprintf("at most %d characters", *s.MaxLength), found)
		}
	}
	if s.pattern != nil && !s.pattern.MatchString(value) {
		v.report(s, "pattern", "a match of "+s.Pattern, value)
	}
	if check := formats[s.Format]; check != nil && check(value) != nil {
		v.report(s, "format", "format "+s.Format, value)
	}
}

func (v *validator) array(s *schema, value []any) {
	length := uint64(len(value))
	found := plain(strconv.Itoa(len(value)))
	if length < s.MinItems {
		v.report(s, "minItems", fmt.Sprintf("at least %d items", s.MinItems), found)
	}
	if s.MaxItems != nil && length > *s.MaxItems {
		v.report(s, "maxItems", fmt.Sprintf("at most %d items", *s.MaxItems), found)
	}
	if s.UniqueItems {
		first := map[string]int{}
		for i, item := range value {
			text := canonical(item)
			if j, twice := first[text]; twice {
				v.report(s, "uniqueItems", "items that differ", plain(fmt.Sprintf("items %d and %d alike", j, i)))
				break
			}
			first[text] = i
		}
	}
	if s.Items != nil {
		for i, item := range value {
			v.child(strconv.Itoa(i), s.Items.Value, item)
		}
	}
}

func (v *validator) object(s *schema, value map[string]any) {
	count := uint64(len(value))
	found := plain(strconv.Itoa(len(value)))
	if count < s.MinProps {
		v.report(s, "minProperties", fmt.Sprintf("at least %d members", s.MinProps), found)
	}
	if s.MaxProps != nil && count > *s.MaxProps {
		v.report(s, "maxProperties", fmt.Sprintf("at most %d members", *s.MaxProps), found)
	}
	for i, name := range s.Required {
		if _, there := value[name]; there || v.otherWay(s.Properties[name]) {
			continue
		}
		v.path = append(v.path, inPointer(name))
		v.add("required", s.place+"/required/"+strconv.Itoa(i), "the member", plain("nothing"))
		v.path = v.path[:len(v.path)-1]
	}
	for _, name := range slices.Sorted(maps.Keys(value)) {
		if p := s.Properties[name]; p != nil {
			if v.otherWay(p) {
				v.path = append(v.path, inPointer(name))
				keyword := map[direction]string{sentByClient: "readOnly", sentByServer: "writeOnly"}[v.from]
				v.report(v.contract.schemas[p.Value], keyword, "no such member in this direction", value[name])
				v.path = v.path[:len(v.path)-1]
			}
			v.child(name, p.Value, value[name])
			continue
		}
		if rest := s.AdditionalProperties.Schema; rest != nil {
			v.child(name, rest.Value, value[name])
		} else if has := s.AdditionalProperties.Has; has != nil && !*has {
			v.path = append(v.path, inPointer(name))
			v.report(s, "additionalProperties", "no such member", value[name])
			v.path = v.path[:len(v.path)-1]
		}
	}
}

// otherWay reports whether a property is one that this side does not send.
func (v *validator) otherWay(p *openapi3.SchemaRef) bool {
	return p != nil && (p.Value.ReadOnly && v.from == sentByClient || p.Value.WriteOnly && v.from == sentByServer)
}
