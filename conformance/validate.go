package conformance

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/conformance/internal/bitset"
	"github.com/fleetcontract/fleetio-go/internal/openapi"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// violation is the violation of a schema keyword by a value.
type violation struct {
	keyword  string
	pointer  string // into the instance
	spec     string // pointer of the keyword in the spec
	expected string
	actual   string // "" for the value itself
	value    value  // none if it is missing
	source   Source // Drift or Note; "" for a violated claim
	open     bool   // a note that the claim is not checked
}

// maxPerClaim is the maximum number of findings about a claim in a body. A hostile body can violate it in a million places.
const maxPerClaim = 100

// validator walks a value and its schema together. One walk gives the evidence and the violations.
type validator struct {
	contract  *Contract
	part      validatedPart // readOnly and writeOnly depend on it
	satisfied bitset.Set    // receives the claims that apply to the value; nil in a trial
	doc       *strictjson.Document
	path      []step   // from the root to the current value
	text      []byte   // of a string with escapes
	present   []uint64 // a bit for each property of the objects on the path
	// following has, by schema and property, the property that followed in the last object, from 1. A server writes
	// properties in the same order each time, so that most names need no map.
	following [][]int

	root     *schema // the first schema at the current value; the others are combined in it
	combined int     // values on the path whose schemas combine others
	// Without visited and trials, the time would double with each level of combined schemas, and of values whose schema is
	// combined with itself.
	visited map[visit]bool
	trials  map[visit]trial

	isTrial   bool      // look only for whether there is a violation
	tried     visit     // the schema of the trial
	failed    bool      // there is one in the trial
	undecided bool      // a pattern of the trial took too long
	slow      []*schema // whose pattern took too long for a string of the value

	counts     map[string]int // of the violations of each claim
	violations []violation
}

// step leads from a value to one below it.
type step struct {
	name int32 // node of the property's name, or 0
	item int   // position in an array if name is 0
}

// visit is a schema at a node.
type visit struct {
	at     int32
	schema *schema
}

// trial is the result of a trial. matches is its result until it ends, for a schema that is combined with itself.
type trial int

const (
	matches trial = iota
	mismatches
	undecided
)

// validatedPart is a part of an exchange that has a schema.
type validatedPart int

const (
	inRequestBody validatedPart = iota
	inRequestPath
	inRequestQuery
	inRequestHeader
	inRequestCookie
	inResponseBody
	inResponseHeader
	validatedParts
)

var partNames = [validatedParts]Part{RequestBody, RequestPath, RequestQuery, RequestHeader, RequestCookie, ResponseBody, ResponseHeader}

func (p validatedPart) ofRequest() bool { return p < inResponseBody }

func (p validatedPart) isBody() bool { return p == inRequestBody || p == inResponseBody }

// validate returns the violations of a schema by a value, sorted by their place in the value.
func (v *validator) validate(s *schema, val value) []violation {
	if s == nil {
		return nil
	}
	if v.following == nil {
		v.following = make([][]int, len(v.contract.schemas))
	}
	v.doc, v.path, v.present = val.Doc, v.path[:0], v.present[:0]
	v.root, v.combined, v.counts, v.violations, v.slow = nil, 0, nil, nil, nil
	clear(v.visited)
	clear(v.trials)
	v.value(s, val.At)
	if len(v.violations) > 1 {
		slices.SortStableFunc(v.violations, func(a, b violation) int {
			return cmp.Or(strings.Compare(a.pointer, b.pointer), strings.Compare(a.spec, b.spec))
		})
		v.violations = slices.CompactFunc(v.violations, func(a, b violation) bool { return a.pointer == b.pointer && a.spec == b.spec })
	}
	return v.violations
}

// violate adds the violation of a keyword by the current value. actual is "" for the value itself.
func (v *validator) violate(s *schema, keyword, actual string, at int32) {
	if v.isTrial {
		v.failed = true
		return
	}
	v.violateAs(s, keyword, s.text(keyword), actual, at)
}

// violateAs is violate with another text than the claim's.
func (v *validator) violateAs(s *schema, keyword, expected, actual string, at int32) {
	v.add(violation{keyword: keyword, spec: s.place + "/" + keyword, expected: expected, actual: actual, value: value{Doc: v.doc, At: at}})
}

// add adds a violation by the current value, or by its property with a name.
func (v *validator) add(found violation, property ...string) {
	if v.isTrial {
		v.failed = v.failed || found.source == "" // drift and notes violate nothing
		return
	}
	if v.counts == nil {
		v.counts = map[string]int{}
	}
	key := string(found.source) + found.spec
	if v.counts[key]++; v.counts[key] > maxPerClaim {
		return
	}
	tokens := make([]string, 0, len(v.path)+len(property))
	for _, s := range v.path {
		if s.name == 0 {
			tokens = append(tokens, strconv.Itoa(s.item))
		} else {
			tokens = append(tokens, strictjson.ShortName(string(v.doc.Text(s.name, nil))))
		}
	}
	for _, name := range property {
		tokens = append(tokens, strictjson.ShortName(name))
	}
	found.pointer = strictjson.Pointer(tokens...)
	v.violations = append(v.violations, found)
}

// undecide adds the note that a keyword is not checked for the current value, as a pattern takes too long.
func (v *validator) undecide(s *schema, keyword string, at int32) {
	v.undecided = true
	v.add(violation{keyword: keyword, spec: s.place + "/" + keyword, source: Note, open: true, value: value{Doc: v.doc, At: at},
		expected: "a value for which the pattern can be matched in time (not checked)"})
}

// satisfy adds the claims of a schema that apply to a value of a type.
func (v *validator) satisfy(s *schema, t strictjson.Type) {
	if claims := s.claims[v.part]; v.satisfied != nil && claims != nil {
		v.satisfied.AddWords(claims.of(t))
	}
}

// child validates a property or an item.
func (v *validator) child(s *schema, below step, at int32) {
	root := v.root
	v.root = nil
	v.path = append(v.path, below)
	v.value(s, at)
	v.path = v.path[:len(v.path)-1]
	v.root = root
}

func (v *validator) value(s *schema, at int32) {
	if v.failed {
		return
	}
	if v.root == nil {
		v.root = s
	}
	if s.combines {
		v.combined++
		defer func() { v.combined-- }()
	}
	if v.combined > 0 && !v.isNew(s, at) {
		return
	}
	n := &v.doc.Nodes[at]
	switch {
	case n.Type == strictjson.Null && s.Nullable:
		v.satisfy(s, n.Type)
		if !v.allowsNull(s, at) { // specs and servers differ about it
			v.add(violation{keyword: "nullable", spec: s.place + "/nullable", source: Note, value: value{Doc: v.doc, At: at},
				expected: "a value that the schemas and the enum beside nullable allow, too, as many validators require"})
		}
		return
	case n.Type == strictjson.Null && s.Type != "":
		// Without nullable in the schema, it is the type that excludes null.
		spec := s.place + "/type"
		if s.HasNullable {
			spec = s.place + "/nullable"
		}
		v.add(violation{keyword: "nullable", spec: spec, expected: s.text("type") + ", not null", value: value{Doc: v.doc, At: at}})
		return
	case n.Type != strictjson.Null && (s.types&(1<<n.Type) == 0 || s.integer && n.Type == strictjson.Number && !value{Doc: v.doc, At: at}.IsInteger()):
		v.violate(s, "type", "", at)
		return
	}
	v.satisfy(s, n.Type)
	if len(s.enum) > 0 && !s.enumHas(value{Doc: v.doc, At: at}) {
		v.violate(s, "enum", "", at)
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
	if s.combines {
		v.combination(s, at)
		if v.combined == 1 && !v.isTrial && v.part.isBody() {
			v.drift([]*schema{s}, at)
		}
	}
}

// allowsNull reports whether null is valid beside nullable: true, by the enum and the combined schemas.
func (v *validator) allowsNull(s *schema, at int32) bool {
	if len(s.enum) > 0 && !s.enumHas(value{Doc: v.doc, At: at}) {
		return false
	}
	for _, part := range s.allOf {
		if v.try(part, at) == mismatches {
			return false
		}
	}
	for _, alternatives := range [][]*schema{s.anyOf, s.oneOf} {
		if n, open := v.count(alternatives, at); len(alternatives) > 0 && n+open == 0 {
			return false
		}
	}
	return true
}

// enumHas reports whether the schema's enum has a value.
func (s *schema) enumHas(v value) bool {
	for _, choice := range s.enum {
		if choice.Equal(v) {
			return true
		}
	}
	return false
}

// isNew reports whether a schema has not been validated at a node yet. A second time would give the same violations.
func (v *validator) isNew(s *schema, at int32) bool {
	key := visit{at, s}
	if v.visited[key] {
		return false
	}
	if v.visited == nil {
		v.visited = map[visit]bool{}
	}
	v.visited[key] = true
	return true
}

func (v *validator) number(s *schema, at int32) {
	val := value{Doc: v.doc, At: at}
	if small, isSmall := val.SmallInteger(); isSmall && s.limits.Allow(small) {
		return
	}
	violated := s.limits.Violated(strictjson.Exact(val.Text()))
	for _, keyword := range violated {
		v.violate(s, keyword, "", at)
	}
	if violated == nil && s.integer && bytes.ContainsAny(v.doc.Raw(at), ".eE") {
		v.add(violation{keyword: rulePortability, spec: s.place + "/type", source: Note, value: val,
			expected: "an integer without fraction or exponent, as many decoders reject others"})
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
	// A string has at most as many characters as bytes, so that most strings need no counting.
	if s.MinLength > 0 || s.MaxLength != nil && uint64(len(text)) > *s.MaxLength {
		v.size(s, "Length", utf8.RuneCount(text), s.MinLength, s.MaxLength, at)
	}
	if s.pattern != nil {
		v.pattern(s, text, at)
	}
	switch {
	case s.format == nil:
	case !s.format(text):
		v.violate(s, "format", "", at)
	case strings.HasSuffix(s.Format, "time") && (bytes.IndexByte(text, 't') >= 0 || bytes.IndexByte(text, 'z') >= 0):
		v.add(violation{keyword: rulePortability, spec: s.place + "/format", source: Note, value: value{Doc: v.doc, At: at},
			expected: s.Format + " with an upper-case T and Z, as many decoders reject others"})
	}
}

func (v *validator) pattern(s *schema, text []byte, at int32) {
	matched, decided := false, false
	if !slices.Contains(v.slow, s) {
		if matched, decided = s.pattern.Match(text); !decided {
			v.slow = append(v.slow, s)
		}
	}
	switch {
	case !decided:
		v.undecide(s, "pattern", at)
	case !matched:
		v.violate(s, "pattern", "", at)
	}
}

// size checks the size of a value: Length, Items or Properties.
func (v *validator) size(s *schema, of string, size int, low uint64, high *uint64, at int32) {
	n := uint64(size) //nolint:gosec // not negative
	if n < low {
		v.violate(s, "min"+of, strconv.Itoa(size), at)
	}
	if high != nil && n > *high {
		v.violate(s, "max"+of, strconv.Itoa(size), at)
	}
}

func (v *validator) array(s *schema, at int32) {
	n := v.doc.Nodes[at]
	v.size(s, "Items", int(n.Count), s.MinItems, s.MaxItems, at)
	if s.UniqueItems && n.Count > 1 {
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
	if claims := s.claims[v.part]; v.satisfied != nil && claims != nil {
		v.satisfied.Add(claims.unique)
	}
	first := map[string]int{}
	for i, item := at+1, 0; i < v.doc.Nodes[at].Next; i, item = v.doc.Nodes[i].Next, item+1 {
		text := value{Doc: v.doc, At: i}.Canonical()
		if other, found := first[text]; found {
			v.violate(s, "uniqueItems", fmt.Sprintf("equal items %d and %d", other, item), at)
			return
		}
		first[text] = item
	}
}

func (v *validator) object(s *schema, at int32) {
	n := v.doc.Nodes[at]
	v.size(s, "Properties", int(n.Count), s.MinProperties, s.MaxProperties, at)
	base := len(v.present)
	for range (len(s.properties) + 63) / 64 {
		v.present = append(v.present, 0)
	}
	if n.Count <= maxPerClaim {
		last := 0
		for i := at + 1; i < n.Next; i = v.doc.Nodes[i+1].Next {
			if !v.doc.Nodes[i].Repeated {
				last = v.property(s, i, base, last)
			}
		}
	} else {
		// By name, so that the findings within maxPerClaim do not depend on the order of the properties.
		for _, i := range v.sortedProperties(at) {
			v.property(s, i, base, 0)
		}
	}
	for i, p := range s.required {
		name := s.Required[i]
		switch {
		case s.Omits(name, v.part.ofRequest()) || v.root.Omits(name, v.part.ofRequest()):
		case v.present[base+p>>6]&(1<<(p&63)) == 0:
			v.add(violation{keyword: "required", spec: s.place + "/required/" + strconv.Itoa(i), expected: "the property",
				actual: "nothing"}, name)
		case v.satisfied != nil && s.claims[v.part] != nil:
			v.satisfied.Add(s.claims[v.part].required[i])
		}
	}
	v.present = v.present[:base]
}

func (v *validator) sortedProperties(at int32) []int32 {
	var list []int32
	for i := at + 1; i < v.doc.Nodes[at].Next; i = v.doc.Nodes[i+1].Next {
		if !v.doc.Nodes[i].Repeated {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, func(a, b int32) int { return bytes.Compare(v.doc.Text(a, nil), v.doc.Text(b, nil)) })
	return list
}

// findProperty returns the index of the property with a name, from 1; 0 for none. last is the one before it in the object.
func (v *validator) findProperty(s *schema, name []byte, last int) int {
	if v.following == nil || len(s.properties) == 0 {
		return s.propertyIndex[string(name)]
	}
	following := v.following[s.id]
	if following == nil {
		following = make([]int, len(s.properties)+1)
		v.following[s.id] = following
	}
	if guess := following[last]; guess > 0 && s.properties[guess-1].name == string(name) {
		return guess
	}
	found := s.propertyIndex[string(name)]
	following[last] = found
	return found
}

// property validates the property whose name is at a node, and returns its index as [validator.findProperty] does. base is
// where the object's bits in present begin; last is the index of the property before it.
func (v *validator) property(s *schema, name int32, base, last int) int {
	text := v.doc.Text(name, nil)
	i := v.findProperty(s, text, last)
	var p property
	if i > 0 {
		p = s.properties[i-1]
		v.present[base+(i-1)>>6] |= 1 << ((i - 1) & 63)
	}
	val := value{Doc: v.doc, At: name + 1}
	switch {
	case p.schema != nil:
		if marked := p.schema.WrongDirection(v.part.ofRequest()); marked != nil {
			found := violation{keyword: "writeOnly", spec: marked.Pointer + "/writeOnly", expected: "no such property in this direction", value: val}
			if v.part.ofRequest() { // OpenAPI 3.0.3: SHOULD NOT be sent; a server may ignore it
				found.keyword, found.spec, found.source = "readOnly", marked.Pointer+"/readOnly", Note
			}
			v.add(found, string(text))
		}
		v.child(p.schema, step{name: name}, val.At)
	case s.additional != nil:
		v.child(s.additional, step{name: name}, val.At)
	case s.NoOtherProperties:
		v.add(violation{keyword: "additionalProperties", spec: s.place + "/additionalProperties", expected: "no such property", value: val}, string(text))
	case i == 0 && v.combined == 0 && len(s.properties) > 0 && !s.HasAdditionalProperties && v.part.isBody():
		v.undocumented([]*schema{s}, name)
	}
	return i
}

// combination validates allOf, the schemas of which give violations of their own, and anyOf, oneOf and not, which are
// violated as a whole.
func (v *validator) combination(s *schema, at int32) {
	for _, part := range s.allOf {
		v.value(part, at)
	}
	if s.not != nil {
		switch v.try(s.not, at) {
		case matches:
			v.violateAs(s, "not", "a value that violates the schema below not", "", at)
		case undecided:
			v.undecide(s, "not", at)
		case mismatches:
		}
	}
	chosen, violated := v.discriminate(s, at)
	if violated {
		return
	}
	if chosen != nil {
		root := v.root
		if len(s.children) > 0 {
			// Of alternatives that extend one schema, the value is the one that it names.
			if tried := v.tried; tried.at == at && slices.Contains(s.children, tried.schema) && !chosen.is(tried.schema) {
				v.failed = true
			}
			v.root = chosen
		}
		v.value(chosen, at)
		v.root = root
		return
	}
	if len(s.anyOf) > 0 {
		switch n, open := v.count(s.anyOf, at); {
		case n == 0 && open == 0:
			v.violateAs(s, "anyOf", "a match of one of the schemas below anyOf", "", at)
		case n == 0:
			v.undecide(s, "anyOf", at)
		}
	}
	if len(s.oneOf) > 0 {
		switch n, open := v.count(s.oneOf, at); {
		case n > 1 || open == 0 && n == 0:
			v.violateAs(s, "oneOf", fmt.Sprintf("a match of exactly one schema below oneOf, not of %d", n), "", at)
		case open > 0:
			v.undecide(s, "oneOf", at)
		}
	}
}

// count returns the number of schemas that match the value, and of those that are undecided.
func (v *validator) count(schemas []*schema, at int32) (n, open int) {
	for _, s := range schemas {
		switch v.try(s, at) {
		case matches:
			n++
		case undecided:
			open++
		case mismatches:
		}
	}
	return n, open
}

// try validates a value without adding violations, once for each schema.
func (v *validator) try(s *schema, at int32) trial {
	key := visit{at, s}
	if result, known := v.trials[key]; known {
		return result
	}
	if v.trials == nil {
		v.trials = map[visit]trial{}
	}
	v.trials[key] = matches
	t := &validator{contract: v.contract, part: v.part, doc: v.doc, root: v.root, combined: 1, trials: v.trials, isTrial: true, tried: key, slow: v.slow}
	t.value(s, at)
	v.slow = t.slow
	switch {
	case t.failed:
		v.trials[key] = mismatches
	case t.undecided:
		v.trials[key] = undecided
	}
	return v.trials[key]
}

// is reports whether a schema is another one or extends it by allOf.
func (s *schema) is(other *schema) bool {
	return s == other || s.Extends(other.Schema, map[*openapi.Schema]bool{})
}

// matches reports whether the JSON of a parameter or header is valid.
func (c *Contract) matches(s *schema, doc *strictjson.Document, part validatedPart) bool {
	doc.Parse(doc.Data)
	t := &validator{contract: c, part: part, doc: doc, combined: 1, isTrial: true}
	t.value(s, 0)
	return !t.failed
}

// discriminate returns the schema that a discriminator selects. It is violated if it selects none of oneOf and anyOf.
func (v *validator) discriminate(s *schema, at int32) (chosen *schema, violated bool) {
	chosen = v.selected(s, at)
	if chosen != nil || s.Discriminator == nil || v.doc.Nodes[at].Type != strictjson.Object || len(s.oneOf)+len(s.anyOf) == 0 {
		return chosen, false
	}
	property := s.Discriminator.PropertyName
	mismatch := violation{keyword: "discriminator", spec: s.place + "/discriminator", expected: "the name of one of the schemas", actual: "nothing"}
	if i, found := v.doc.Property(at, property); found {
		mismatch.actual, mismatch.value = "", value{Doc: v.doc, At: i}
	}
	v.add(mismatch, property)
	return nil, true
}

// selected returns the schema that the discriminator of a schema selects for an object, by its mapping or as a name (OpenAPI
// 3.0.3, Discriminator Object): one of oneOf and anyOf, or without these one that extends the schema by allOf; or nil.
func (v *validator) selected(s *schema, at int32) *schema {
	if s.Discriminator == nil || v.doc.Nodes[at].Type != strictjson.Object {
		return nil
	}
	i, found := v.doc.Property(at, s.Discriminator.PropertyName)
	if name := (value{Doc: v.doc, At: i}); found && name.Type() == strictjson.String {
		chosen := v.contract.schemaOf(s.Discriminator.Mapping[name.Text()])
		// A value that is checked as one child is not checked as another.
		if chosen != nil && (len(s.oneOf)+len(s.anyOf) > 0 || !slices.Contains(s.children, v.root) || chosen.is(v.root)) {
			return chosen
		}
	}
	return nil
}
