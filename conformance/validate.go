package conformance

import (
	"cmp"
	"fmt"
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
	found    any   // the value, or a [plain] text about it
	value    any   // the value
	basis    Basis // Drift or Note; "" for a broken claim
}

// violations returns every keyword of a schema that a value of a part of an exchange breaks, by its place in the value.
// What the value bears on is added to kept, unless that is nil.
func (c *Contract) violations(of *openapi3.Schema, value any, part Part, kept bitset) []violation {
	if of == nil {
		return nil
	}
	v := &validator{contract: c, part: part, kept: kept, walked: map[visit]bool{}}
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
	part     Part     // who sends it: readOnly and writeOnly depend on it
	kept     bitset   // nil where nobody asks
	path     []string // tokens of the current place
	nested   int      // schemas at the current value: beyond the first, those that are combined in it
	combined int      // values on the path whose schemas combine others
	place    *place   // of the current value; nil outside of schemas that are combined
	walked   map[visit]bool
	count    map[string]int // of the violations of each claim
	found    []violation
}

// place is a value that schemas which are combined describe, with those that it was validated by on the side. Without it, the
// time would double with each level of schemas that are combined, or of a value whose schema is combined with itself.
type place struct {
	holds map[*openapi3.Schema]bool
	below map[string]*place
}

// visit is a schema at a place. Whether it is the first one there, which drift is found by, is the value in a map of them.
type visit struct {
	at *place
	of *openapi3.Schema
}

func (p *place) child(token string) *place {
	if p.below == nil {
		p.below = map[string]*place{}
	}
	if p.below[token] == nil {
		p.below[token] = &place{}
	}
	return p.below[token]
}

func (v *validator) report(s *schema, keyword, expected string, found, value any) {
	v.add(violation{keyword: keyword, spec: s.place + "/" + keyword, expected: expected, found: found, value: value})
}

// add takes a violation in at the current place, and at the member below it where one is named.
func (v *validator) add(of violation, member ...string) {
	if v.count == nil {
		v.count = map[string]int{}
	}
	key := string(of.basis) + of.spec
	if v.count[key]++; v.count[key] <= mostOfAKind {
		of.pointer = pointerOf(v.path...) + pointerOf(member...)
		v.found = append(v.found, of)
	}
}

// bear notes which claims a value bears on.
func (v *validator) bear(s *schema, value any) {
	if v.kept != nil && s.claims != nil {
		v.kept.addAll(s.claims[v.part].bearing[kindOf(value)])
	}
}

// child validates a member or an item.
func (v *validator) child(token string, of *openapi3.Schema, value any) {
	nested, at := v.nested, v.place
	v.nested, v.place = 0, nil
	if v.combined > 0 {
		v.place = at.child(token)
	}
	v.path = append(v.path, inPointer(token))
	v.value(of, value)
	v.path = v.path[:len(v.path)-1]
	v.nested, v.place = nested, at
}

func (v *validator) value(of *openapi3.Schema, value any) {
	v.nested++
	if v.place != nil && !v.isNew(of) {
		return
	}
	s := v.contract.schemas[of]
	switch {
	case value == nil && s.Nullable:
		v.bear(s, value)
		return
	case value == nil && len(s.types()) > 0:
		// Where nullable is left out, it is the type that leaves no room for null.
		at := s.place + "/nullable"
		if v.contract.source.node(at) == nil {
			at = s.place + "/type"
		}
		v.add(violation{keyword: "nullable", spec: at, expected: s.kind() + ", not null"})
		return
	case value != nil && !s.admits(value):
		v.report(s, "type", s.kind(), value, value)
		return
	}
	v.bear(s, value)
	if len(s.enum) > 0 && !slices.ContainsFunc(s.enum, func(e any) bool { return equal(e, value) }) {
		v.report(s, "enum", s.choices(), value, value)
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
	v.combination(s, value)
}

// isNew reports whether a schema has not been walked at the current place: again, it says nothing new.
func (v *validator) isNew(of *openapi3.Schema) bool {
	key, isFirst := visit{v.place, of}, v.nested == 1
	if wasFirst, known := v.walked[key]; known && (wasFirst || !isFirst) {
		return false
	}
	v.walked[key] = isFirst
	return true
}

// integerFormats are the integers that fit.
var integerFormats = map[string]int{"int32": 32, "int64": 64}

func (v *validator) number(s *schema, value number) {
	n := exact(value)
	before := len(v.found)
	if bits := integerFormats[s.Format]; bits > 0 && n.IsInt() {
		// The range is -2^(bits-1) to 2^(bits-1)-1, so one more than a negative integer must fit in as many bits.
		whole := n.Num()
		if whole.Sign() < 0 {
			whole = new(big.Int).Not(whole)
		}
		if whole.BitLen() >= bits {
			v.report(s, "format", "format "+s.Format, value, value)
		}
	}
	if limit := s.limits["minimum"]; limit != nil {
		order := n.Cmp(limit)
		if s.exclusiveMinimum() {
			if order <= 0 {
				v.report(s, "exclusiveMinimum", "more than "+v.contract.literal(s, "minimum"), value, value)
			}
		} else if order < 0 {
			v.report(s, "minimum", "at least "+v.contract.literal(s, "minimum"), value, value)
		}
	}
	if limit := s.limits["maximum"]; limit != nil {
		order := n.Cmp(limit)
		if s.exclusiveMaximum() {
			if order >= 0 {
				v.report(s, "exclusiveMaximum", "less than "+v.contract.literal(s, "maximum"), value, value)
			}
		} else if order > 0 {
			v.report(s, "maximum", "at most "+v.contract.literal(s, "maximum"), value, value)
		}
	}
	if step := s.limits["multipleOf"]; step != nil && step.Sign() > 0 && !new(big.Rat).Quo(n, step).IsInt() {
		v.report(s, "multipleOf", "a multiple of "+v.contract.literal(s, "multipleOf"), value, value)
	}
	if before == len(v.found) && slices.Contains(s.types(), "integer") && !slices.Contains(s.types(), "number") &&
		!digits.MatchString(value.String()) {
		v.add(violation{keyword: rulePortability, spec: s.place + "/type", basis: Note, found: value, value: value,
			expected: "an integer without fraction or exponent, as many decoders refuse others"})
	}
}

func (v *validator) text(s *schema, value string) {
	if s.MinLength > 0 || s.MaxLength != nil {
		length := uint64(utf8.RuneCountInString(value)) //nolint:gosec // a length is not negative
		found := plain(strconv.FormatUint(length, 10))
		if length < s.MinLength {
			v.report(s, "minLength", fmt.Sprintf("at least %d characters", s.MinLength), found, value)
		}
		if s.MaxLength != nil && length > *s.MaxLength {
			v.report(s, "maxLength", fmt.Sprintf("at most %d characters", *s.MaxLength), found, value)
		}
	}
	if s.pattern != nil && !s.pattern.MatchString(value) {
		v.report(s, "pattern", "a match of "+s.Pattern, value, value)
	}
	if check := formats[s.Format]; check != nil && check(value) != nil {
		v.report(s, "format", "format "+s.Format, value, value)
	}
}

func (v *validator) array(s *schema, value []any) {
	length := uint64(len(value))
	found := plain(strconv.Itoa(len(value)))
	if length < s.MinItems {
		v.report(s, "minItems", fmt.Sprintf("at least %d items", s.MinItems), found, value)
	}
	if s.MaxItems != nil && length > *s.MaxItems {
		v.report(s, "maxItems", fmt.Sprintf("at most %d items", *s.MaxItems), found, value)
	}
	if s.UniqueItems && len(value) > 1 {
		if v.kept != nil && s.claims != nil {
			v.kept.add(s.claims[v.part].unique)
		}
		first := map[string]int{}
		for i, item := range value {
			text := canonical(item)
			if j, twice := first[text]; twice {
				v.report(s, "uniqueItems", "items that differ", plain(fmt.Sprintf("items %d and %d alike", j, i)), value)
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
		v.report(s, "minProperties", fmt.Sprintf("at least %d members", s.MinProps), found, value)
	}
	if s.MaxProps != nil && count > *s.MaxProps {
		v.report(s, "maxProperties", fmt.Sprintf("at most %d members", *s.MaxProps), found, value)
	}
	for i, name := range s.Required {
		if otherWay(s.Properties[name], v.part) {
			continue
		}
		if _, there := value[name]; !there {
			v.add(violation{keyword: "required", spec: s.place + "/required/" + strconv.Itoa(i), expected: "the member",
				found: plain("nothing")}, inPointer(name))
		} else if v.kept != nil && s.claims != nil {
			v.kept.add(s.claims[v.part].required[i])
		}
	}
	names := sortedKeys(value)
	for _, name := range names {
		if p := s.Properties[name]; p != nil {
			if otherWay(p, v.part) {
				rule := oneWay(v.part)
				v.add(violation{keyword: rule, spec: v.contract.schemas[p.Value].place + "/" + rule,
					expected: "no such member in this direction", found: value[name], value: value[name]}, inPointer(name))
			}
			v.child(name, p.Value, value[name])
			continue
		}
		if rest := s.AdditionalProperties.Schema; rest != nil {
			v.child(name, rest.Value, value[name])
		} else if has := s.AdditionalProperties.Has; has != nil && !*has {
			v.add(violation{keyword: "additionalProperties", spec: s.place + "/additionalProperties",
				expected: "no such member", found: value[name], value: value[name]}, inPointer(name))
		}
	}
	v.drift(s, value, names)
}

// drift finds the members of an answer that the spec does not know. A request may have them: the server ignores them or
// it does not, and its answer is what tells.
func (v *validator) drift(s *schema, value map[string]any, names []string) {
	if v.part != ResponseBody || s.known == nil || v.nested > 1 {
		return // a schema below allOf knows only some
	}
	for _, name := range names {
		if !s.known[name] {
			v.add(violation{keyword: ruleUndocumentedProperty, spec: v.contract.source.below(s.place, "properties"), basis: Drift,
				expected: "a documented member", found: value[name], value: value[name]}, inPointer(name))
		}
	}
}

// otherWay reports whether a property is one that the sender of a part does not send.
func otherWay(p *openapi3.SchemaRef, part Part) bool {
	return p != nil && (p.Value.ReadOnly && part == RequestBody || p.Value.WriteOnly && part != RequestBody)
}

// oneWay is the keyword of a property that the sender of a part does not send.
func oneWay(part Part) string {
	if part == RequestBody {
		return "readOnly"
	}
	return "writeOnly"
}
