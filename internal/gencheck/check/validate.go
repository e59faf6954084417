package check

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Check returns the violations of the schema by a JSON value in a request, sorted by field; nil without one. Numbers are
// compared exactly. The formats date-time, date, uri, uri-reference, email, uuid, byte, int32 and int64 are checked.
// It does not report lone surrogates and repeated names.
func (s *Schema) Check(value []byte) []Violation {
	if !utf8.Valid(value) {
		return []Violation{{Rule: "unicode"}}
	}
	decoded, err := decode(value)
	if err != nil {
		return []Violation{{Rule: "json"}}
	}
	return s.check(decoded)
}

// decode decodes one JSON value, with numbers as they are written.
func decode(text []byte) (value any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err = d.Decode(&value); err != nil {
		return nil, err
	}
	if _, err = d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the value")
	}
	return value, nil
}

func (s *Schema) check(value any) []Violation {
	var c checker
	c.value(s, value)
	return sorted(c.violations)
}

// sorted sorts violations by field and rule, and removes repeated ones.
func sorted(list []Violation) []Violation {
	slices.SortFunc(list, func(a, b Violation) int {
		return cmp.Or(strings.Compare(a.Field, b.Field), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Limit, b.Limit))
	})
	return slices.Compact(list)
}

// checker walks a decoded value and its schema together.
type checker struct {
	at         path
	violations []Violation
	// Without visited and trials, the time would double with each level of combined schemas.
	visited map[visit]bool // nil outside of combined schemas
	trials  map[visit]bool // whether the schema of an anyOf, oneOf or not holds
}

// visit is a schema at a place in the value.
type visit struct {
	schema *Schema
	at     string
}

// path has the names of properties, and the indexes of items, that lead to a value.
type path []string

var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")

// pointer returns the path as a JSON pointer (RFC 6901).
func (p path) pointer() string {
	var b strings.Builder
	for _, name := range p {
		b.WriteString("/" + escapePointer.Replace(name))
	}
	return b.String()
}

// violation returns the violation of a keyword by the value at the path.
func (p path) violation(rule, limit string) Violation {
	return Violation{strings.TrimPrefix(p.pointer(), "/"), rule, limit}
}

// parent returns the path without its last name.
func (p path) parent() path { return p[:len(p)-1] }

// anything is the schema of a value that the spec does not describe.
var anything = &Schema{}

func (c *checker) violate(rule, limit string) {
	c.violations = append(c.violations, c.at.violation(rule, limit))
}

// below checks a property or an item of the value.
func (c *checker) below(name string, s *Schema, value any) {
	c.at = append(c.at, name)
	c.value(s, value)
	c.at = c.at.parent()
}

// violateBelow is violate for a property of the value.
func (c *checker) violateBelow(name, rule string) {
	c.at = append(c.at, name)
	c.violate(rule, "")
	c.at = c.at.parent()
}

func (c *checker) value(s *Schema, value any) {
	if zero, isZero := value.(zeroField); isZero {
		value = zero.value
	}
	if value == (unwritable{}) {
		return
	}
	if c.visited != nil {
		key := visit{s, c.at.pointer()}
		if c.visited[key] {
			return
		}
		c.visited[key] = true
	}
	switch {
	case value == nil && s.Nullable:
		return
	case value == nil && s.Type != "":
		c.violate("nullable", "")
		return
	case !s.hasType(value):
		c.violate("type", s.Type)
		return
	}
	if s.Enum != nil && !s.enumHas(value) {
		c.violate("enum", strings.Join(s.Choices(), ", "))
	}
	switch value := value.(type) {
	case json.Number:
		c.number(s, value)
	case string:
		c.string(s, value)
	case []any:
		c.array(s, value)
	case map[string]any:
		c.object(s, value)
	}
	c.combination(s, value)
}

func (s *Schema) hasType(value any) bool {
	var name string
	switch value := value.(type) {
	case json.Number:
		if s.Type == "integer" {
			return parseDecimal(string(value)).isInteger()
		}
		name = "number"
	case string:
		name = "string"
	case bool:
		name = "boolean"
	case []any:
		name = "array"
	case map[string]any:
		name = "object"
	}
	return s.Type == "" || s.Type == name
}

func (s *Schema) enumHas(value any) bool {
	text := canonical(value)
	return slices.Contains(s.Enum, text) || slices.ContainsFunc(s.Enum, func(choice string) bool {
		v, err := decode([]byte(choice))
		return err == nil && canonical(v) == text
	})
}

// Choices returns the values of the enum, strings without quotes.
func (s *Schema) Choices() []string {
	list := slices.Clone(s.Enum)
	for i := range list {
		_ = json.Unmarshal([]byte(list[i]), &list[i]) // fails for other types, which stay
	}
	return list
}

// canonical returns a text that is the same for equal values, such as 1 and 1.0.
func canonical(value any) string {
	switch value := value.(type) {
	case json.Number:
		d := parseDecimal(string(value))
		return strconv.FormatBool(d.negative) + d.digits + "e" + strconv.Itoa(d.point)
	case string:
		return strconv.Quote(value)
	case bool:
		return strconv.FormatBool(value) + "!" // unlike a number
	case zeroField:
		return canonical(value.value)
	case []any:
		var b strings.Builder
		for _, item := range value {
			b.WriteString("," + canonical(item))
		}
		return "[" + b.String() + "]"
	case map[string]any:
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(value)) {
			b.WriteString("," + strconv.Quote(name) + ":" + canonical(value[name]))
		}
		return "{" + b.String() + "}"
	default:
		return "null"
	}
}

func (c *checker) number(s *Schema, value json.Number) {
	d := parseDecimal(string(value))
	if limits, isInteger := integerFormats[s.Format]; isInteger && d.isInteger() &&
		(d.compare(parseDecimal(limits[0])) < 0 || d.compare(parseDecimal(limits[1])) > 0) {
		c.violate("format", s.Format)
	}
	if s.Minimum != "" {
		switch order := d.compare(parseDecimal(s.Minimum)); {
		case s.ExclusiveMinimum && order <= 0:
			c.violate("exclusiveMinimum", s.Minimum)
		case order < 0:
			c.violate("minimum", s.Minimum)
		}
	}
	if s.Maximum != "" {
		switch order := d.compare(parseDecimal(s.Maximum)); {
		case s.ExclusiveMaximum && order >= 0:
			c.violate("exclusiveMaximum", s.Maximum)
		case order > 0:
			c.violate("maximum", s.Maximum)
		}
	}
	if s.MultipleOf != "" && !d.isMultiple(parseDecimal(s.MultipleOf)) {
		c.violate("multipleOf", s.MultipleOf)
	}
}

var patterns sync.Map // of *regexp.Regexp, by text

func matches(pattern, text string) bool {
	compiled, found := patterns.Load(pattern)
	if !found {
		compiled, _ = patterns.LoadOrStore(pattern, regexp.MustCompile(pattern)) // gencheck has compiled it, too
	}
	r, _ := compiled.(*regexp.Regexp)
	return r.MatchString(text)
}

func (c *checker) string(s *Schema, text string) {
	length := utf8.RuneCountInString(text)
	if length < s.MinLength {
		c.violate("minLength", strconv.Itoa(s.MinLength))
	}
	c.most(s.MaxLength, length, "maxLength")
	if s.Regexp != "" && !matches(s.Regexp, text) {
		c.violate("pattern", s.Pattern)
	}
	if hasFormat := formats[s.Format]; hasFormat != nil && !hasFormat(text) {
		c.violate("format", s.Format)
	}
}

func (c *checker) most(limit *int, count int, rule string) {
	if limit != nil && count > *limit {
		c.violate(rule, strconv.Itoa(*limit))
	}
}

func (c *checker) array(s *Schema, items []any) {
	if len(items) < s.MinItems {
		c.violate("minItems", strconv.Itoa(s.MinItems))
	}
	c.most(s.MaxItems, len(items), "maxItems")
	texts := map[string]bool{}
	for i, item := range items {
		c.below(strconv.Itoa(i), cmp.Or(s.Items, anything), item)
		if s.UniqueItems {
			texts[canonical(item)] = true
		}
	}
	if s.UniqueItems && len(texts) < len(items) {
		c.violate("uniqueItems", "")
	}
}

func (c *checker) object(s *Schema, properties map[string]any) {
	if len(properties) < s.MinProperties {
		c.violate("minProperties", strconv.Itoa(s.MinProperties))
	}
	c.most(s.MaxProperties, len(properties), "maxProperties")
	for _, name := range s.Required {
		value, has := properties[name]
		_, isZero := value.(zeroField)
		f := s.field(name)
		if (!has || isZero) && (f == nil || !f.Schema.ReadOnly) {
			c.violateBelow(name, "required")
		}
	}
	for name, value := range properties {
		f := s.field(name)
		_, isZero := value.(zeroField)
		switch {
		case isZero && slices.Contains(s.Required, name): // reported above
		case f != nil:
			if f.Schema.ReadOnly {
				c.violateBelow(name, "readOnly")
			}
			c.below(name, f.Schema, value)
		case s.NoAdditional:
			c.violateBelow(name, "additionalProperties")
		default:
			c.below(name, cmp.Or(s.Additional, anything), value)
		}
	}
}

func (s *Schema) field(name string) *Field {
	i, found := slices.BinarySearchFunc(s.Properties, name, func(f Field, name string) int { return strings.Compare(f.Name, name) })
	if !found {
		return nil
	}
	return &s.Properties[i]
}

// combination checks allOf, whose schemas give violations of their own, and anyOf, oneOf and not, which are violated as a
// whole.
func (c *checker) combination(s *Schema, value any) {
	if c.visited == nil && len(s.AllOf) > 0 {
		c.visited = map[visit]bool{}
		defer func() { c.visited = nil }()
	}
	for _, part := range s.AllOf {
		c.value(part, value)
	}
	if s.Not != nil && c.holds(s.Not, value) {
		c.violate("not", "")
	}
	if object, isObject := value.(map[string]any); isObject && s.Discriminator != "" && len(s.AnyOf)+len(s.OneOf) > 0 {
		name, _ := object[s.Discriminator].(string)
		if chosen := s.Mapping[name]; chosen != nil {
			c.value(chosen, value)
		} else {
			c.violateBelow(s.Discriminator, "discriminator")
		}
		return
	}
	if s.AnyOf != nil && c.count(s.AnyOf, value) == 0 {
		c.violate("anyOf", "")
	}
	if s.OneOf != nil && c.count(s.OneOf, value) != 1 {
		c.violate("oneOf", "")
	}
}

// count returns the number of schemas that hold.
func (c *checker) count(schemas []*Schema, value any) (n int) {
	for _, s := range schemas {
		if c.holds(s, value) {
			n++
		}
	}
	return n
}

func (c *checker) holds(s *Schema, value any) bool {
	if c.trials == nil {
		c.trials = map[visit]bool{}
	}
	key := visit{s, c.at.pointer()}
	if held, known := c.trials[key]; known {
		return held
	}
	trial := checker{at: c.at, visited: map[visit]bool{}, trials: c.trials}
	trial.value(s, value)
	c.trials[key] = trial.violations == nil
	return trial.violations == nil
}
