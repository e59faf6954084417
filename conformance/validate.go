package conformance

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

// violation is a schema keyword that a value violates.
type violation struct {
	keyword  string
	pointer  string // into the instance
	spec     string // pointer of the keyword in the spec
	expected string
	actual   string // in our own words; "" for the value itself
	value    value  // none where it is missing
	basis    Source // Drift or Note; "" for a violated claim
}

// maxPerClaim bounds how many findings about one claim a body has. Bodies can be made that violate it in a million places.
const maxPerClaim = 100

// validator walks a value and its schema together. One walk gives the evidence and the violations.
type validator struct {
	contract  *Contract
	part      validatedPart // readOnly and writeOnly depend on it
	satisfied bitset        // takes the claims that apply to the value; nil in a trial
	doc       *strictjson.Document
	path      []step // from the root to the current value
	text      []byte // of a string with escapes
	present   []uint64
	// By schema and property: the one that came after it in the last object, from 1. Servers write members in the same order
	// each time, so that most names need no map.
	following [][]int

	nested   int // schemas at the current value: beyond the first, those that are combined in it
	combined int // values on the path whose schemas combine others
	// Without these two, the time would double with each level of schemas that are combined, or of a value whose schema is
	// combined with itself.
	visited map[visit]bool // whether it was the first schema there, which drift is found by
	trials  map[visit]bool // outcomes

	trial  bool // only whether there is a violation is of interest
	failed bool // there is one in the trial

	counts map[string]int // of the violations of each claim
	found  []violation
}

// step leads from a value to one below it.
type step struct {
	name int32 // node of the member's name
	item int   // position in an array where name is 0
}

// visit is a schema at a node.
type visit struct {
	at     int32
	schema *schema
}

// validatedPart is a part of an exchange that schemas describe.
type validatedPart int

const (
	inRequestBody validatedPart = iota
	inResponseBody
	inResponseHeader
	validatedParts
)

var partNames = [validatedParts]Part{RequestBody, ResponseBody, ResponseHeader}

// validate returns every keyword of a schema that a value violates, by its place in the value.
func (v *validator) validate(s *schema, val value) []violation {
	if s == nil {
		return nil
	}
	if v.following == nil {
		v.following = make([][]int, len(v.contract.schemas))
	}
	v.doc, v.path, v.present = val.Doc, v.path[:0], v.present[:0]
	v.nested, v.combined, v.counts, v.found = 0, 0, nil, nil
	clear(v.visited)
	clear(v.trials)
	v.value(s, val.At)
	if len(v.found) > 1 {
		slices.SortStableFunc(v.found, func(a, b violation) int {
			return cmp.Or(strings.Compare(a.pointer, b.pointer), strings.Compare(a.spec, b.spec))
		})
		v.found = slices.CompactFunc(v.found, func(a, b violation) bool { return a.pointer == b.pointer && a.spec == b.spec })
	}
	return v.found
}

// violate adds the violation of a keyword by the current value.
func (v *validator) violate(s *schema, keyword, expected, actual string, at int32) {
	v.add(violation{keyword: keyword, spec: s.place + "/" + keyword, expected: expected, actual: actual, value: value{Doc: v.doc, At: at}})
}

// add takes a violation at the current place, or at the member below it that is named.
func (v *validator) add(found violation, member ...string) {
	if v.trial {
		v.failed = v.failed || found.basis == "" // drift and notes violate nothing
		return
	}
	if v.counts == nil {
		v.counts = map[string]int{}
	}
	key := string(found.basis) + found.spec
	if v.counts[key]++; v.counts[key] > maxPerClaim {
		return
	}
	tokens := make([]string, 0, len(v.path)+len(member))
	for _, s := range v.path {
		if s.name == 0 {
			tokens = append(tokens, strconv.Itoa(s.item))
		} else {
			tokens = append(tokens, inPointer(string(v.doc.Text(s.name, nil))))
		}
	}
	for _, name := range member {
		tokens = append(tokens, inPointer(name))
	}
	found.pointer = strictjson.Pointer(tokens...)
	v.found = append(v.found, found)
}

// satisfy notes which claims apply to a value of a type.
func (v *validator) satisfy(s *schema, t strictjson.Type) {
	if v.satisfied != nil {
		v.satisfied.addWords(s.claims[v.part].byType[t])
	}
}

// child validates a member or an item.
func (v *validator) child(s *schema, below step, at int32) {
	nested := v.nested
	v.nested = 0
	v.path = append(v.path, below)
	v.value(s, at)
	v.path = v.path[:len(v.path)-1]
	v.nested = nested
}

func (v *validator) value(s *schema, at int32) {
	if v.failed {
		return
	}
	v.nested++
	if v.combined > 0 && !v.isNew(s, at) {
		return
	}
	n := &v.doc.Nodes[at]
	switch {
	case n.Type == strictjson.Null && s.Nullable:
		v.satisfy(s, n.Type)
		return
	case n.Type == strictjson.Null && len(s.typeNames()) > 0:
		// Where nullable is left out, it is the type that leaves no room for null.
		spec := s.place + "/nullable"
		if v.contract.source.Node(spec) == nil {
			spec = s.place + "/type"
		}
		v.add(violation{keyword: "nullable", spec: spec, expected: s.typeText() + ", not null", value: value{Doc: v.doc, At: at}})
		return
	case n.Type != strictjson.Null && (s.types&(1<<n.Type) == 0 || s.integer && n.Type == strictjson.Number && !value{Doc: v.doc, At: at}.IsInteger()):
		v.violate(s, "type", s.typeText(), "", at)
		return
	}
	v.satisfy(s, n.Type)
	if len(s.enum) > 0 && !s.lists(value{Doc: v.doc, At: at}) {
		v.violate(s, "enum", s.choices(), "", at)
	}
	switch n.Type {
	case strictjson.Number:
		v.number(s, at)
	case strictjson.String:
		v.string(s, at)
	case strictjson.Array:
		v.array(s, at)
	case strictjson.Object:
		v.object(s, at)
	case strictjson.Null, strictjson.Boolean:
	}
	if len(s.allOf)+len(s.anyOf)+len(s.oneOf) > 0 || s.not != nil {
		v.combination(s, at)
	}
}

// lists reports whether the schema's enum has a value.
func (s *schema) lists(v value) bool {
	for _, choice := range s.enum {
		if choice.Equal(v) {
			return true
		}
	}
	return false
}

// isNew reports whether a schema has not been walked at a node: again, it says nothing new.
func (v *validator) isNew(s *schema, at int32) bool {
	key, isFirst := visit{at, s}, v.nested == 1
	if wasFirst, known := v.visited[key]; known && (wasFirst || !isFirst) {
		return false
	}
	v.visited[key] = isFirst
	return true
}

func (v *validator) number(s *schema, at int32) {
	val := value{Doc: v.doc, At: at}
	small, isSmall := val.SmallInteger()
	if s.integral && isSmall && s.low <= small && small <= s.high && small%s.step == 0 {
		return
	}
	n := strictjson.Exact(val.Text())
	before := len(v.found)
	if s.bits > 0 && n.IsInt() {
		// The range is -2^(bits-1) to 2^(bits-1)-1, so one more than a negative integer must fit in as many bits.
		integer := n.Num()
		if integer.Sign() < 0 {
			integer = new(big.Int).Not(integer)
		}
		if integer.BitLen() >= s.bits {
			v.violate(s, "format", "format "+s.Format, "", at)
		}
	}
	if s.minimum != nil {
		order := n.Cmp(s.minimum)
		if s.exclusiveMinimum() {
			if order <= 0 {
				v.violate(s, "exclusiveMinimum", "more than "+v.contract.literal(s, "minimum"), "", at)
			}
		} else if order < 0 {
			v.violate(s, "minimum", "at least "+v.contract.literal(s, "minimum"), "", at)
		}
	}
	if s.maximum != nil {
		order := n.Cmp(s.maximum)
		if s.exclusiveMaximum() {
			if order >= 0 {
				v.violate(s, "exclusiveMaximum", "less than "+v.contract.literal(s, "maximum"), "", at)
			}
		} else if order > 0 {
			v.violate(s, "maximum", "at most "+v.contract.literal(s, "maximum"), "", at)
		}
	}
	if s.multipleOf != nil && s.multipleOf.Sign() > 0 && !new(big.Rat).Quo(n, s.multipleOf).IsInt() {
		v.violate(s, "multipleOf", "a multiple of "+v.contract.literal(s, "multipleOf"), "", at)
	}
	if before == len(v.found) && s.integer && !digits.Match(v.doc.Raw(at)) {
		v.add(violation{keyword: rulePortability, spec: s.place + "/type", basis: Note, value: val,
			expected: "an integer without fraction or exponent, as many decoders refuse others"})
	}
}

func (v *validator) string(s *schema, at int32) {
	if s.MinLength == 0 && s.MaxLength == nil && s.pattern == nil && s.format == nil {
		return
	}
	text := v.doc.Raw(at)
	if v.doc.Nodes[at].Escaped {
		v.text = v.doc.Text(at, v.text[:0])
		text = v.text
	}
	// A string has at most as many characters as bytes, so that most need no counting.
	if s.MinLength > 0 || s.MaxLength != nil && uint64(len(text)) > *s.MaxLength {
		length := uint64(utf8.RuneCount(text)) //nolint:gosec // a length is not negative
		if length < s.MinLength {
			v.violate(s, "minLength", fmt.Sprintf("at least %d characters", s.MinLength), strconv.FormatUint(length, 10), at)
		}
		if s.MaxLength != nil && length > *s.MaxLength {
			v.violate(s, "maxLength", fmt.Sprintf("at most %d characters", *s.MaxLength), strconv.FormatUint(length, 10), at)
		}
	}
	if s.pattern != nil && !s.pattern.Match(text) {
		v.violate(s, "pattern", "a match of "+s.Pattern, "", at)
	}
	if s.format != nil && !s.format(text) {
		v.violate(s, "format", "format "+s.Format, "", at)
	}
}

func (v *validator) array(s *schema, at int32) {
	n := v.doc.Nodes[at]
	count := uint64(n.Count) //nolint:gosec // not negative
	if count < s.MinItems {
		v.violate(s, "minItems", fmt.Sprintf("at least %d items", s.MinItems), strconv.Itoa(int(n.Count)), at)
	}
	if s.MaxItems != nil && count > *s.MaxItems {
		v.violate(s, "maxItems", fmt.Sprintf("at most %d items", *s.MaxItems), strconv.Itoa(int(n.Count)), at)
	}
	if s.UniqueItems && count > 1 {
		v.unique(s, at)
	}
	if s.items == nil {
		return
	}
	for i, item := at+1, 0; i < n.Next; i, item = v.doc.Nodes[i].Next, item+1 {
		v.child(s.items, step{item: item}, i)
	}
}

func (v *validator) unique(s *schema, at int32) {
	if v.satisfied != nil {
		v.satisfied.add(s.claims[v.part].unique)
	}
	first := map[string]int{}
	for i, item := at+1, 0; i < v.doc.Nodes[at].Next; i, item = v.doc.Nodes[i].Next, item+1 {
		text := value{Doc: v.doc, At: i}.Canonical()
		if other, twice := first[text]; twice {
			v.violate(s, "uniqueItems", "items that differ", fmt.Sprintf("items %d and %d alike", other, item), at)
			return
		}
		first[text] = item
	}
}

func (v *validator) object(s *schema, at int32) {
	n := v.doc.Nodes[at]
	count := uint64(n.Count) //nolint:gosec // not negative
	if count < s.MinProps {
		v.violate(s, "minProperties", fmt.Sprintf("at least %d members", s.MinProps), strconv.Itoa(int(n.Count)), at)
	}
	if s.MaxProps != nil && count > *s.MaxProps {
		v.violate(s, "maxProperties", fmt.Sprintf("at most %d members", *s.MaxProps), strconv.Itoa(int(n.Count)), at)
	}
	base := len(v.present)
	for range (len(s.properties) + 63) / 64 {
		v.present = append(v.present, 0)
	}
	if n.Count <= maxPerClaim {
		last := 0
		for i := at + 1; i < n.Next; i = v.doc.Nodes[i+1].Next {
			if !v.doc.Nodes[i].Repeated {
				last = v.member(s, i, base, last)
			}
		}
	} else {
		// In the order of the names, so that which findings are the first hundred does not depend on the order of the members.
		for _, i := range v.sortedMembers(at) {
			v.member(s, i, base, 0)
		}
	}
	for i, p := range s.required {
		name := s.Required[i]
		switch {
		case otherWay(s.properties[p].schema, v.part):
		case v.present[base+p>>6]&(1<<(p&63)) == 0:
			v.add(violation{keyword: "required", spec: s.place + "/required/" + strconv.Itoa(i), expected: "the member",
				actual: "nothing"}, name)
		case v.satisfied != nil:
			v.satisfied.add(s.claims[v.part].required[i])
		}
	}
	v.present = v.present[:base]
}

func (v *validator) sortedMembers(at int32) []int32 {
	var list []int32
	for i := at + 1; i < v.doc.Nodes[at].Next; i = v.doc.Nodes[i+1].Next {
		if !v.doc.Nodes[i].Repeated {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, func(a, b int32) int { return strings.Compare(string(v.doc.Text(a, nil)), string(v.doc.Text(b, nil))) })
	return list
}

// property finds the property with a name, as its index from 1; 0 for none. last is the one before it in the object.
func (v *validator) property(s *schema, name []byte, last int) int {
	if v.following == nil || len(s.properties) == 0 {
		return s.members[string(name)]
	}
	following := v.following[s.id]
	if following == nil {
		following = make([]int, len(s.properties)+1)
		v.following[s.id] = following
	}
	if guess := following[last]; guess > 0 && s.properties[guess-1].name == string(name) {
		return guess
	}
	found := s.members[string(name)]
	following[last] = found
	return found
}

// member validates a member whose name is at a node; base is where the bits of the present members begin. It takes and
// returns properties as [validator.property] does.
func (v *validator) member(s *schema, name int32, base, last int) int {
	text := v.doc.Text(name, nil)
	i := v.property(s, text, last)
	var p property
	if i > 0 {
		p = s.properties[i-1]
		v.present[base+(i-1)>>6] |= 1 << ((i - 1) & 63)
	}
	val := value{Doc: v.doc, At: name + 1}
	switch {
	case p.schema != nil:
		if otherWay(p.schema, v.part) {
			rule := oneWay(v.part)
			v.add(violation{keyword: rule, spec: p.schema.place + "/" + rule, expected: "no such member in this direction", value: val}, string(text))
		}
		v.child(p.schema, step{name: name}, val.At)
	case s.additional != nil:
		v.child(s.additional, step{name: name}, val.At)
	case s.noAdditional:
		v.add(violation{keyword: "additionalProperties", spec: s.place + "/additionalProperties", expected: "no such member", value: val}, string(text))
	case s.known && !p.known && v.part == inResponseBody && v.nested == 1:
		// A schema below allOf knows only some. A request may have more: the server ignores them or it does not, and its
		// response is what tells.
		v.add(violation{keyword: ruleUndocumentedProperty, spec: v.contract.source.Below(s.place, "properties"), basis: Drift,
			expected: "a documented member", value: val}, string(text))
	}
	return i
}

// otherWay reports whether a property is one that the sender of a part does not send.
func otherWay(s *schema, part validatedPart) bool {
	return s != nil && (s.ReadOnly && part == inRequestBody || s.WriteOnly && part != inRequestBody)
}

// oneWay is the keyword of a property that the sender of a part does not send.
func oneWay(part validatedPart) string {
	if part == inRequestBody {
		return "readOnly"
	}
	return "writeOnly"
}

// combination validates allOf, whose violated claims are reported one by one, and the others, which are violated as a
// whole.
func (v *validator) combination(s *schema, at int32) {
	if v.visited == nil {
		v.visited, v.trials = map[visit]bool{}, map[visit]bool{}
	}
	if v.combined == 0 {
		v.visited[visit{at, s}] = v.nested == 1
	}
	v.combined++
	defer func() { v.combined-- }()
	for _, part := range s.allOf {
		v.value(part, at)
	}
	if s.not != nil && v.holds(s.not, at) {
		v.violate(s, "not", "a value that the schema below not refuses", "", at)
	}
	chosen, violated := v.discriminate(s, at)
	if violated {
		return
	}
	if chosen != nil {
		v.value(chosen, at)
		return
	}
	if len(s.anyOf) > 0 && v.matches(s.anyOf, at) == 0 {
		v.violate(s, "anyOf", "a match of one of the schemas below anyOf", "", at)
	}
	if len(s.oneOf) > 0 {
		if n := v.matches(s.oneOf, at); n != 1 {
			v.violate(s, "oneOf", fmt.Sprintf("a match of exactly one schema below oneOf, not of %d", n), "", at)
		}
	}
}

func (v *validator) matches(schemas []*schema, at int32) int {
	n := 0
	for _, s := range schemas {
		if v.holds(s, at) {
			n++
		}
	}
	return n
}

// holds validates on trial, once by each schema.
func (v *validator) holds(s *schema, at int32) bool {
	key := visit{at, s}
	if held, known := v.trials[key]; known {
		return held
	}
	v.trials[key] = true // where the schema is combined with itself, that decides nothing
	t := &validator{contract: v.contract, part: v.part, doc: v.doc, combined: 1, visited: map[visit]bool{}, trials: v.trials, trial: true}
	t.value(s, at)
	v.trials[key] = !t.failed
	return !t.failed
}

// discriminate finds the schema that a discriminator's value chooses, by its mapping or as a name (OpenAPI 3.0.3,
// Discriminator Object).
func (v *validator) discriminate(s *schema, at int32) (chosen *schema, violated bool) {
	if s.Discriminator == nil || v.doc.Nodes[at].Type != strictjson.Object || len(s.oneOf)+len(s.anyOf) == 0 {
		return nil, false
	}
	property := s.Discriminator.PropertyName
	missing := violation{keyword: "discriminator", spec: s.place + "/discriminator", expected: "the name of one of the schemas", actual: "nothing"}
	if member, there := v.doc.Member(at, property); there {
		missing.actual, missing.value = "", value{Doc: v.doc, At: member}
		if missing.value.Type() == strictjson.String {
			name := missing.value.Text()
			target := name
			if ref, mapped := s.Discriminator.Mapping[name]; mapped {
				target = ref.Ref
			}
			for _, ref := range slices.Concat(s.OneOf, s.AnyOf) {
				if ref.Ref == target || ref.Ref == "#/components/schemas/"+target {
					return v.contract.schemaOf(ref), false
				}
			}
		}
	}
	v.add(missing, property)
	return nil, true
}
