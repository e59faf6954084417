package conformance

import (
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
)

// loadSchema makes a contract of one schema, written as YAML in flow style, and of others beside it.
func loadSchema(t testing.TB, text, others string) (*Contract, *openapi3.Schema) {
	t.Helper()
	contract, err := Load([]byte("openapi: 3.0.3\ninfo: {title: t, version: '1'}\ncomponents: {schemas: {" + others + "}}\n" +
		"paths: {/: {get: {responses: {'200': {description: d, content: {application/json: {schema: " + text + "}}}}}}}\n"))
	require.NoError(t, err, text)
	return contract, contract.operations[0].responses["200"].body.json()
}

func TestViolations(t *testing.T) {
	t.Parallel()
	const pets = `Cat: {type: object, required: [kind], properties: {kind: {type: string}, lives: {type: integer}}},
		Dog: {type: object, required: [kind], properties: {kind: {type: string}, barks: {type: boolean}}},
		Any: {anyOf: [{$ref: '#/components/schemas/Any'}, {type: integer}]}, First: {$ref: '#/components/schemas/Second'},
		Second: {$ref: '#/components/schemas/Third'}, Third: {type: integer},
		Loop: {allOf: [{$ref: '#/components/schemas/Loop'}]},
		Tree: {type: object, properties: {left: {$ref: '#/components/schemas/Tree'}, n: {type: integer}}}`
	const pet = `{oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}], discriminator: {propertyName: kind, mapping: {puss: '#/components/schemas/Cat'}}}`
	for _, test := range []struct{ schema, value, want string }{
		{"{type: integer}", `1`, ""}, {"{type: integer}", `1.0`, ""}, {"{type: integer}", `1e2`, ""},
		{"{type: integer}", `90210.00000000000000000001`, "type: an integer, found 90210.00000000000000000001"},
		{"{type: integer}", `1e-400`, "type"}, {"{type: integer}", `"1"`, "type"}, {"{type: number}", `1.5`, ""},
		{"{type: integer, format: int64}", `9223372036854775807`, ""}, {"{type: integer, format: int64}", `9223372036854775807.0`, ""},
		{"{type: integer, format: int64}", `9223372036854775808`, "format"}, {"{type: integer, format: int64}", `-9223372036854775808`, ""},
		{"{type: integer, format: int64}", `-9223372036854775809`, "format"}, {"{type: integer, format: int64}", `1e400`, "format"},
		{"{type: integer, format: int32}", `2147483648`, "format"}, {"{type: integer, format: int32}", `-2147483648`, ""},
		{"{type: integer, maximum: 9007199254740992}", `9007199254740993`, "maximum: at most 9007199254740992"},
		{"{type: integer, minimum: 9007199254740993}", `9007199254740992`, "minimum"},
		{"{type: number, minimum: 0.1}", `0.1`, ""}, {"{type: number, minimum: 1, exclusiveMinimum: true}", `1`, "exclusiveMinimum: more than 1"},
		{"{type: number, maximum: 1e7, exclusiveMaximum: true}", `1e7`, "exclusiveMaximum: less than 1e7"},
		{"{type: number, multipleOf: 0.1}", `0.3`, ""}, {"{type: number, multipleOf: 0.1}", `0.35`, "multipleOf"},
		{"{type: integer, minimum: 5}", `"x"`, "type"}, {"{type: string, enum: [a, b]}", `5`, "type"},

		{"{type: string, minLength: 2, maxLength: 3}", `"é"`, "minLength: at least 2 characters, found 1"},
		{"{type: string, minLength: 2, maxLength: 3}", `"😀😀😀"`, ""}, {"{type: string, maxLength: 3}", `"😀😀😀😀"`, "maxLength"},
		{"{type: string, pattern: '^a+$'}", `"ab"`, "pattern: a match of ^a+$"}, {"{type: string, format: uuid}", `"x"`, "format"},
		{"{type: string, enum: ['1', 'x']}", `"x"`, ""}, {"{type: string, enum: ['1', 'x']}", `"y"`, "enum: one of 1, x"},
		{"{enum: [1, null, {a: 1}]}", `null`, ""}, {"{enum: [1, null, {a: 1}]}", `{"a":1.0}`, ""},
		{"{enum: [1, null, {a: 1}]}", `2`, `enum: one of 1, null, {"a":1}`}, {"{enum: [9007199254740992]}", `9007199254740993`, "enum"},
		{"{type: string, enum: [a]}", `null`, "nullable: a string, not null"}, {"{type: string, nullable: true, enum: [a]}", `null`, ""},
		{"{}", `null`, ""}, {"{description: anything}", `{"a":[null]}`, ""},

		{"{type: array, items: {type: integer}, minItems: 2, maxItems: 3}", `[1]`, "minItems"},
		{"{type: array, items: {type: integer}, maxItems: 1}", `[1,"x"]`, "maxItems,/1 type"},
		{"{type: array, items: {}, uniqueItems: true}", `[{"a":1},{"a":1.0}]`, "uniqueItems: items that differ, found items 0 and 1 alike"},
		{"{type: array, items: {}, uniqueItems: true}", `[9007199254740993,9007199254740992]`, ""},

		{"{type: object, required: [a, b], properties: {a: {type: string}}}", `{"a":1}`, "/a type,/b required"},
		{"{type: object, additionalProperties: false, properties: {a: {}}}", `{"a":1,"x/y":2,"z":3}`, "/x~1y additionalProperties,/z additionalProperties"},
		{"{type: object, additionalProperties: {type: integer}}", `{"a":"x"}`, "/a type"},
		{"{type: object, minProperties: 1, maxProperties: 1}", `{}`, "minProperties"}, {"{type: object, maxProperties: 1}", `{"a":1,"b":2}`, "maxProperties"},
		{"{type: object, required: [w], properties: {w: {type: string, writeOnly: true}}}", `{}`, ""},
		{"{type: object, properties: {w: {type: string, writeOnly: true}}}", `{"w":"x"}`, "/w writeOnly"},
		{"{type: object, required: [r], properties: {r: {type: string, readOnly: true}}}", `{}`, "/r required"},

		{"{allOf: [{type: object, required: [a]}, {type: object, required: [b]}], required: [c]}", `{}`, "/a required,/b required,/c required"},
		{"{allOf: [{$ref: '#/components/schemas/Loop'}, {type: integer}]}", `"x"`, "type"},
		{"{anyOf: [{type: integer}, {type: string}]}", `true`, "anyOf"}, {"{anyOf: [{type: integer}, {type: string}]}", `"x"`, ""},
		{"{anyOf: [{type: integer}, {type: string}]}", `9.021e4`, ""}, {"{not: {type: integer}}", `1.0`, "not"},
		{"{anyOf: [{type: object, properties: {a: {type: object, properties: {b: {}}}}}]}", `{"a":{"c":1}}`, ""},
		{"{oneOf: [{type: integer}, {type: number}]}", `1`, "oneOf: a match of exactly one schema below oneOf, not of 2"},
		{"{oneOf: [{type: integer}, {type: number}]}", `1.5`, ""}, {"{not: {type: integer}}", `1`, "not"}, {"{not: {type: integer}}", `"x"`, ""},
		{pet, `{"kind":"Cat","lives":"x"}`, "/lives type"}, {pet, `{"kind":"puss","lives":9}`, ""}, {pet, `{"kind":"Cow"}`, "/kind discriminator"},
		{pet, `{}`, "/kind discriminator"}, {pet, `7`, "oneOf"},
		{"{$ref: '#/components/schemas/Any'}", `"x"`, ""}, {"{$ref: '#/components/schemas/First'}", `"x"`, "type"},
		{"{type: integer, maximum: 1}", strings.Repeat("9", 50), "maximum: at most 1, found a number of 50 digits"},
		{"{$ref: '#/components/schemas/Tree'}", `{"left":{"left":{"n":"x"}}}`, "/left/left/n type"},
	} {
		contract, schema := loadSchema(t, test.schema, pets)
		value, _, ok := decodeJSON([]byte(test.value))
		require.True(t, ok, test.value)
		var brief, long []string
		for _, v := range failing(contract.violations(schema, value, ResponseBody, nil)) {
			brief = append(brief, strings.TrimSpace(v.pointer+" "+v.keyword))
			k := &check{contract: contract, secrets: &secrets{}}
			long = append(long, strings.TrimSpace(v.pointer+" "+v.keyword)+": "+v.expected+", found "+k.describe(v.found))
			assert.NotNil(t, contract.source.node(v.spec), "%s %s: %s is no place in the spec", test.schema, test.value, v.spec)
		}
		got := strings.Join(brief, ",")
		if strings.Contains(test.want, ": ") {
			got = strings.Join(long, ",")
			assert.True(t, strings.HasPrefix(got, test.want), "%s %s: %s", test.schema, test.value, got)
			continue
		}
		assert.Equal(t, test.want, got, "%s %s", test.schema, test.value)
	}
}

// failing leaves out drift and notes.
func failing(list []violation) []violation {
	return slices.DeleteFunc(list, func(v violation) bool { return v.basis != "" })
}

func TestReadOnlyIsNotSent(t *testing.T) {
	t.Parallel()
	contract, schema := loadSchema(t, "{type: object, required: [r], properties: {r: {type: string, readOnly: true}}}", "")
	assert.Empty(t, contract.violations(schema, map[string]any{}, RequestBody, nil))
	got := contract.violations(schema, map[string]any{"r": "x"}, RequestBody, nil)
	require.Len(t, got, 1)
	assert.Equal(t, "readOnly", got[0].keyword)
}

// TestSecondOpinion asks kin-openapi about thousands of bodies, drawn with a fixed seed: both find fault with the same
// places. Formats are left out, of which kin-openapi has its own view.
func TestSecondOpinion(t *testing.T) {
	t.Parallel()
	contract, err := Load(api.Spec)
	require.NoError(t, err)
	operation := contract.operations[0]
	bodies := map[string]*openapi3.Schema{`{"vehicle_id":4711,"code":"P0420"}`: operation.request.json()}
	for status, body := range map[string]string{
		"201": `{"id":1,"account_id":1,"vehicle_id":null,"code":"x","count":null,"description":null,"last_occurred_at":null,"name":null,` +
			`"status":"open","source":null,"vehicle_archived_at":null,"fault_rule_id":null,"is_sample":false}`,
		"401": `{"status":401,"title":"x"}`, "422": `{"errors":{"a":["b"]}}`, "429": `{"error":"x"}`,
	} {
		bodies[body] = operation.responses[status].body.json()
	}
	roots := map[string]*node{}
	for text, schema := range bodies {
		nodes := compiler{contract: contract, part: ResponseBody, made: map[nodeKey]*node{}}
		roots[text] = nodes.compile(schema, nil, false)
	}
	values := []any{nil, true, number("-1"), number("0"), number("1"), number("1.5"), number("399"), number("600"), "", "x", "open", "closed",
		strings.Repeat("é", 255), strings.Repeat("é", 256), []any{}, []any{number("1")}, []any{"a", nil}, map[string]any{}, map[string]any{"a": "b"}}
	random := rand.New(rand.NewPCG(1, 2))
	compared, faulty, proven := 0, 0, 0
	for text, schema := range bodies {
		names := append(slices.Sorted(maps.Keys(schema.Properties)), "undocumented")
		for range 2000 {
			value, _, _ := decodeJSON([]byte(text))
			object := value.(map[string]any)
			for range 1 + random.IntN(4) {
				name := names[random.IntN(len(names))]
				if random.IntN(5) == 0 {
					delete(object, name)
				} else if p := schema.Properties[name]; p == nil || p.Value.Format != "date-time" && p.Value.Format != "uri-reference" {
					object[name] = values[random.IntN(len(values))]
				}
			}
			ours := map[string]bool{}
			for _, v := range failing(contract.violations(schema, value, ResponseBody, nil)) {
				ours[v.pointer] = true
			}
			theirs := map[string]bool{}
			collectPointers(schema.VisitJSON(asFloats(value), openapi3.MultiErrors(), openapi3.VisitAsResponse()), theirs)
			require.Equal(t, theirs, ours, "%v", value)
			compared++
			faulty += min(len(ours), 1)
			data, err := json.Marshal(value)
			require.NoError(t, err)
			if scanner := (&scanner{captures: make([]capture, 100)}); scanner.proves(roots[text], data) {
				require.Empty(t, ours, "proven to conform: %s", data)
				proven++
			}
		}
	}
	assert.Equal(t, 10_000, compared)
	assert.Greater(t, faulty, 3000, "of both kinds")
	assert.Greater(t, proven, 300, "of both ways")
	assert.Less(t, faulty, 9900, "of both kinds")
}

func collectPointers(err error, into map[string]bool) {
	var many openapi3.MultiError
	var one *openapi3.SchemaError
	switch {
	case errors.As(err, &one) && !errors.As(err, &many):
		into[pointerOf(one.JSONPointer()...)] = true
	case errors.As(err, &many):
		for _, e := range many {
			collectPointers(e, into)
		}
	}
}

func asFloats(value any) any {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		panic(err)
	}
	return v
}
