package check

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func text(violations []Violation) string {
	var list []string
	for _, v := range violations {
		list = append(list, strings.TrimSpace(v.Field+" "+v.Rule+" "+v.Limit))
	}
	return strings.Join(list, "; ")
}

func object(fields ...Field) *Schema { return &Schema{Type: "object", Properties: fields} }

func TestCheck(t *testing.T) {
	t.Parallel()
	integer, word := &Schema{Type: "integer"}, &Schema{Type: "string"}
	pet := object(Field{Name: "kind", Schema: word})
	cat := &Schema{AllOf: []*Schema{pet, object(Field{Name: "lives", Schema: integer})}}
	node := object()
	node.Properties = []Field{{Name: "next", Schema: &Schema{OneOf: []*Schema{node, {Type: "boolean"}}}}}
	deep := strings.Repeat(`{"next":`, 200) + "1" + strings.Repeat("}", 200)
	for name, row := range map[string]struct {
		schema      *Schema
		value, want string
	}{
		"anything":                 {&Schema{}, `{"a":[null,1]}`, ""},
		"no JSON":                  {&Schema{}, `{`, "json"},
		"two values":               {&Schema{}, `1 2`, "json"},
		"no UTF-8":                 {&Schema{}, "\"\xff\"", "unicode"},
		"null":                     {&Schema{Type: "string"}, `null`, "nullable"},
		"nullable":                 {&Schema{Type: "string", Nullable: true, Enum: []string{`"x"`}}, `null`, ""},
		"type":                     {word, `1`, "type string"},
		"not a number":             {&Schema{Type: "number"}, `"1"`, "type number"},
		"integer":                  {integer, `10e-1`, ""},
		"no integer":               {integer, `1e-400`, "type integer"},
		"large integer":            {integer, `1e999999999999999999999`, ""},
		"no int32":                 {&Schema{Type: "integer", Format: "int32"}, `2147483648`, "format int32"},
		"smallest int64":           {&Schema{Type: "integer", Format: "int64"}, `-9223372036854775808`, ""},
		"no int64":                 {&Schema{Type: "integer", Format: "int64"}, `9223372036854775808`, "format int64"},
		"minimum":                  {&Schema{Minimum: "0.1"}, `0.09999999999999999999`, "minimum 0.1"},
		"at the minimum":           {&Schema{Minimum: "0.1"}, `1e-1`, ""},
		"exclusive minimum":        {&Schema{Minimum: "-1", ExclusiveMinimum: true}, `-1.0`, "exclusiveMinimum -1"},
		"maximum":                  {&Schema{Maximum: "-2"}, `-1`, "maximum -2"},
		"exclusive maximum":        {&Schema{Maximum: "0", ExclusiveMaximum: true}, `-0`, "exclusiveMaximum 0"},
		"multiple":                 {&Schema{MultipleOf: "0.01"}, `4.35`, ""},
		"no multiple":              {&Schema{MultipleOf: "0.01"}, `4.351`, "multipleOf 0.01"},
		"tiny":                     {&Schema{MultipleOf: "0.01"}, `1e-999999999`, "multipleOf 0.01"},
		"enum":                     {&Schema{Enum: []string{`1`, `"a"`, `{"b":[1,2]}`}}, `{"b":[1.0,2]}`, ""},
		"no enum":                  {&Schema{Enum: []string{`1`, `"a"`}}, `"1"`, "enum 1, a"},
		"minLength":                {&Schema{MinLength: 2}, `"é"`, "minLength 2"},
		"maxLength":                {&Schema{MaxLength: new(0)}, `"x"`, "maxLength 0"},
		"pattern":                  {&Schema{Pattern: "^a", Regexp: "^a"}, `"ba"`, "pattern ^a"},
		"items":                    {&Schema{Items: integer, MinItems: 3, MaxItems: new(1)}, `[1,"x"]`, "maxItems 1; minItems 3; 1 type integer"},
		"uniqueItems":              {&Schema{UniqueItems: true}, `[1,1.0]`, "uniqueItems"},
		"unique items":             {&Schema{UniqueItems: true}, `[1,"1",true,"true",null]`, ""},
		"properties":               {&Schema{Properties: []Field{{Name: "a/b", Schema: integer}}, Required: []string{"a/b", "c"}}, `{"a/b":"x"}`, "a~1b type integer; c required"},
		"additional":               {&Schema{Additional: integer}, `{"x":""}`, "x type integer"},
		"no additional":            {&Schema{NoAdditional: true, MinProperties: 2, MaxProperties: new(0)}, `{"x":""}`, "maxProperties 0; minProperties 2; x additionalProperties"},
		"read-only":                {&Schema{Properties: []Field{{Name: "a", Schema: &Schema{ReadOnly: true}}}, Required: []string{"a"}}, `{"a":1}`, "a readOnly"},
		"required and read-only":   {&Schema{Properties: []Field{{Name: "a", Schema: &Schema{ReadOnly: true}}}, Required: []string{"a"}}, `{}`, ""},
		"allOf":                    {&Schema{AllOf: []*Schema{{Minimum: "2"}, {Minimum: "2"}, {Maximum: "0"}}}, `1`, "maximum 0; minimum 2"},
		"anyOf":                    {&Schema{AnyOf: []*Schema{word, integer}}, `true`, "anyOf"},
		"oneOf":                    {&Schema{OneOf: []*Schema{{Type: "number"}, integer}}, `1`, "oneOf"},
		"not":                      {&Schema{Not: word}, `"x"`, "not"},
		"discriminator":            {&Schema{OneOf: []*Schema{cat}, Discriminator: "kind", Mapping: map[string]*Schema{"cat": cat}}, `{"kind":"cat","lives":"x"}`, "lives type integer"},
		"unknown to discriminator": {&Schema{OneOf: []*Schema{cat}, Discriminator: "kind", Mapping: map[string]*Schema{"cat": cat}}, `{"kind":1}`, "kind discriminator"},
		"recursion":                {node, deep, "next oneOf"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			violations := row.schema.Check([]byte(row.value))
			assert.Equal(t, row.want, text(violations))
			for _, v := range violations {
				assert.NotContains(t, v.String(), "violates", "each rule has words: %s", v)
			}
		})
	}
}

// TestFormats has strings of each format, and strings that do not have it.
func TestFormats(t *testing.T) {
	t.Parallel()
	for format, texts := range map[string]struct{ valid, invalid string }{
		"date-time": {"2023-03-14T13:46:27-06:00 2024-02-29T23:59:60Z 2023-01-01T00:59:60.5+01:00 0000-01-01T00:00:00Z",
			"2023-03-14 2023-02-29T00:00:00Z 2023-03-14T13:46:27 2023-03-14T13:46:60Z 2023-03-14t13:46:27Z 2023-03-14T13:46:27+24:00 2023-03-14T13:46:27,5Z"},
		"date":          {"2024-02-29", "2023-02-29 2023-2-01 2023-02-01T00:00:00Z"},
		"uri":           {"https://example.com/a?b#c urn:x:y mailto:a@b http://[::1]:80/ x:", "/a example.com http://a%zz http://é"},
		"uri-reference": {"https://example.com/ /a/b a/b?c #d //host/x .", "http://a%zz a|b 1:b"},
		"email":         {"a@b", "a a@ @b a@b@c"},
		"uuid":          {"00000000-0000-4000-8000-00000000000f", "00000000-0000-4000-8000-00000000000 {00000000-0000-4000-8000-00000000000f}"},
		"byte":          {"AAAA AA== AAA=", "AAA A=== AAAA= AA-_"},
		"unknown":       {"anything", ""},
	} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			check := func(value string) []Violation {
				quoted, err := json.Marshal(value)
				require.NoError(t, err)
				return (&Schema{Format: format}).Check(quoted)
			}
			for value := range strings.FieldsSeq(texts.valid) {
				assert.Empty(t, check(value), value)
			}
			for value := range strings.FieldsSeq(texts.invalid) {
				assert.NotEmpty(t, check(value), value)
			}
		})
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	s := &Schema{
		Properties: []Field{{Name: "b", Schema: &Schema{Type: "string"}}},
		AllOf: []*Schema{object(Field{Name: "a", Schema: &Schema{}}, Field{Name: "b", Description: "text", Schema: &Schema{MinLength: 1}}),
			{Required: []string{"a"}}},
	}
	fields := s.Fields()
	require.Len(t, fields, 2)
	assert.Equal(t, Field{Name: "a", Required: true, Schema: &Schema{}}, fields[0])
	assert.Equal(t, "text", fields[1].Description)
	assert.Equal(t, "minLength 1", text(fields[1].Schema.Check([]byte(`""`))))
}

func TestTyped(t *testing.T) {
	t.Parallel()
	word := &Schema{Type: "string", Nullable: true, Enum: []string{`"x"`, "null"}, MaxLength: new(3)}
	assert.Same(t, word, word.Typed())
	union := &Schema{OneOf: []*Schema{word}}
	assert.Same(t, union, union.Typed())
	reference := &Schema{Default: `"x"`, AllOf: []*Schema{{AllOf: []*Schema{{MinLength: 1}, word}}, {Type: "integer", Minimum: "1"}}}
	typed := reference.Typed()
	assert.Equal(t, &Schema{Type: "string", Default: `"x"`, Enum: word.Enum, MaxLength: word.MaxLength, Minimum: "1", AllOf: reference.AllOf}, typed)
	assert.Empty(t, reference.Type, "the schema itself is unchanged")
}

// optional is like the generated Nullable.
type optional[T any] struct {
	set   bool
	value *T
}

func (o optional[T]) content() any {
	if o.value == nil {
		return nil
	}
	return *o.value
}
func (o optional[T]) IsZero() bool { return !o.set }
func (o optional[T]) MarshalJSON() ([]byte, error) {
	return json.Marshal(o.value)
}

type part struct {
	Name string `json:"name"`
}

// extended is like a generated type with additionalProperties.
type extended struct {
	ID                   int64            `json:"id"`
	AdditionalProperties map[string]*part `json:"-"`
}

func (e extended) MarshalJSON() ([]byte, error) {
	object := map[string]any{"id": e.ID}
	for name, p := range e.AdditionalProperties {
		object[name] = p
	}
	return json.Marshal(object)
}

type everything struct {
	Text     string               `json:"text"`
	Flag     bool                 `json:"flag"`
	Small    int8                 `json:"small"`
	Count    uint16               `json:"count"`
	Ratio    float32              `json:"ratio"`
	Price    float64              `json:"price"`
	At       time.Time            `json:"at"`
	Later    *time.Time           `json:"later,omitempty"`
	Bytes    []byte               `json:"bytes,omitempty"`
	List     []part               `json:"list"`
	Lists    [][]string           `json:"lists,omitempty"`
	Map      map[string]time.Time `json:"map,omitempty"`
	Part     part                 `json:"part"`
	Pointer  *part                `json:"pointer,omitempty"`
	Union    json.RawMessage      `json:"union,omitempty"`
	Any      any                  `json:"any"`
	Nullable optional[time.Time]  `json:"nullable,omitzero"`
	Parts    optional[[]part]     `json:"parts,omitzero"`
	Extended *extended            `json:"extended,omitempty"`
	Skipped  int                  `json:"-"`
	Zero     time.Time            `json:"zero,omitzero"`
	Fixed    [2]int               `json:"fixed"`
	Values   map[string]any       `json:"values,omitempty"`
}

func conforming() everything {
	at := time.Date(2023, 3, 14, 13, 46, 27, 5, time.FixedZone("", -6*3600))
	return everything{Text: "é<", Flag: true, Small: -1, Count: 1, Ratio: 0.1, Price: 1e21, At: at, Later: &at, Bytes: []byte("x"), List: []part{{"a"}},
		Lists: [][]string{{"a"}, nil}, Map: map[string]time.Time{"a/b": at}, Part: part{"p"}, Pointer: &part{}, Union: json.RawMessage(`{"a":1.50}`),
		Any: 1, Nullable: optional[time.Time]{true, &at}, Parts: optional[[]part]{true, nil}, Extended: &extended{1, map[string]*part{"x": {"y"}}},
		Values: map[string]any{"a": []any{nil, true}}}
}

// TestGoValues compares with encoding/json.
func TestGoValues(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]any{"full": conforming(), "pointer": new(conforming()), "nil": (*everything)(nil), "text": "x"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			encoded, err := json.Marshal(v)
			require.NoError(t, err)
			want, err := decode(encoded)
			require.NoError(t, err)
			var e encoder
			assert.Equal(t, canonical(want), canonical(e.value(reflect.ValueOf(v))))
			assert.Empty(t, e.violations)
		})
	}
}

func TestCheckGo(t *testing.T) {
	t.Parallel()
	schema := object(
		Field{Name: "at", Schema: &Schema{Type: "string", Format: "date-time"}}, Field{Name: "extended", Schema: &Schema{Required: []string{"id"}}},
		Field{Name: "flag", Schema: &Schema{}}, Field{Name: "list", Schema: &Schema{Type: "array", Items: &Schema{Required: []string{"name"}}}},
		Field{Name: "part", Schema: &Schema{Required: []string{"name"}}}, Field{Name: "text", Schema: &Schema{MinLength: 2}})
	schema.Required = []string{"at", "flag", "list", "part", "text", "union", "any"}
	never, far := time.Time{}, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		change func(*everything)
		want   string
	}{
		"conforming":           {func(*everything) {}, ""},
		"false":                {func(v *everything) { v.Flag = false }, ""},
		"zero":                 {func(v *everything) { v.Text, v.At, v.List, v.Part, v.Union, v.Any = "", never, nil, part{}, nil, nil }, "any required; at required; list required; part/name required; text required; union required"},
		"empty list":           {func(v *everything) { v.List = []part{} }, ""},
		"nested":               {func(v *everything) { v.List = []part{{"a"}, {}} }, "list/1/name required"},
		"no UTF-8":             {func(v *everything) { v.Text = "\xff" }, "text unicode"},
		"no UTF-8 below":       {func(v *everything) { v.Pointer.Name, v.Lists = "\xff", [][]string{{"a\xed\xa0\x80"}} }, "lists/0/0 unicode; pointer/name unicode"},
		"no UTF-8 in a name":   {func(v *everything) { v.Map = map[string]time.Time{"\xff": v.At} }, "map/\ufffd unicode"},
		"zero time":            {func(v *everything) { v.Later = &never }, "later format date-time"},
		"far time":             {func(v *everything) { v.At, v.Map["x"] = far, far }, "at format date-time; map/x format date-time"},
		"nullable time":        {func(v *everything) { v.Nullable.value = &far }, "nullable format date-time"},
		"infinite":             {func(v *everything) { v.Price = math.Inf(1) }, "price type number"},
		"no JSON":              {func(v *everything) { v.Union = json.RawMessage(`{`) }, "union json"},
		"no UTF-8 in JSON":     {func(v *everything) { v.Union = json.RawMessage("\"\xff\"") }, "union unicode"},
		"additional":           {func(v *everything) { v.Extended.AdditionalProperties["x"].Name = "\xff" }, "extended/x/name unicode"},
		"required in extended": {func(v *everything) { v.Extended.ID = 0 }, "extended/id required"},
		"no JSON at all":       {func(v *everything) { v.Any = func() {} }, "any json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := conforming()
			row.change(&v)
			assert.Equal(t, row.want, text(schema.checkGo(&v)))
		})
	}
}

func ExampleViolation_String() {
	fmt.Println(Violation{"tags/0/name", "maxLength", "255"})
	fmt.Println(Violation{Rule: "minProperties", Limit: "1"})
	// Output:
	// tags/0/name has more than 255 characters
	// the value has fewer than 1 properties
}
