package conformance

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/conformance/internal/testspec"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/redact"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// loadSchema loads a spec with one schema for the response body, in YAML's flow style, and others as components.
func loadSchema(t testing.TB, text, others string) (*Contract, *schema) {
	t.Helper()
	contract, err := Load(specOf(text, others))
	require.NoError(t, err, text)
	return contract, contract.operations[0].responses["200"].body.checked()
}

func specOf(schema, others string) []byte {
	return []byte("openapi: 3.0.3\ninfo: {title: t, version: '1'}\ncomponents: {schemas: {" + others + "}}\n" +
		"paths: {/: {get: {responses: {'200': {description: d, content: {application/json: {schema: " + schema + "}}}}}}}\n")
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
		{"{type: array, items: {}, uniqueItems: true}", `[{"a":1},{"a":1.0}]`, "uniqueItems: unique items, found equal items 0 and 1"},
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
		t.Run(test.schema+" "+test.value, func(t *testing.T) {
			t.Parallel()
			contract, schema := loadSchema(t, test.schema, pets)
			var brief, long []string
			for _, v := range failing(violationsOf(t, contract, schema, test.value, inResponseBody)) {
				brief = append(brief, strings.TrimSpace(v.pointer+" "+v.keyword))
				k := &checker{contract: contract, secrets: &redact.Redactor{}}
				actual := v.actual
				if actual == "" {
					actual = k.describe(v.value)
				}
				long = append(long, strings.TrimSpace(v.pointer+" "+v.keyword)+": "+v.expected+", found "+actual)
				assert.NotNil(t, contract.source.Node(v.spec), "no place in the spec: %s", v.spec)
			}
			if strings.Contains(test.want, ": ") {
				got := strings.Join(long, ",")
				assert.True(t, strings.HasPrefix(got, test.want), got)
				return
			}
			assert.Equal(t, test.want, strings.Join(brief, ","))
		})
	}
}

// violationsOf returns the violations of a schema by a JSON text.
func violationsOf(t testing.TB, c *Contract, s *schema, text string, part validatedPart) []violation {
	t.Helper()
	val, err := strictjson.ParseValue([]byte(text))
	require.NoError(t, err)
	return (&validator{contract: c, part: part}).validate(s, val)
}

// failing removes drift and notes.
func failing(list []violation) []violation {
	return slices.DeleteFunc(list, func(v violation) bool { return v.source != "" })
}

func TestReadOnlyIsNotSent(t *testing.T) {
	t.Parallel()
	contract, schema := loadSchema(t, "{type: object, required: [r], properties: {r: {type: string, readOnly: true}}}", "")
	assert.Empty(t, violationsOf(t, contract, schema, `{}`, inRequestBody))
	got := violationsOf(t, contract, schema, `{"r":"x"}`, inRequestBody)
	require.Len(t, got, 1)
	assert.Equal(t, "readOnly", got[0].keyword)
}

// reference returns a schema for another validator, santhosh-tekuri/jsonschema. It is JSON Schema draft 4, which OpenAPI
// 3.0 derives from, with nullable rewritten, and without formats, which implementations interpret differently.
func reference(t testing.TB, spec []byte, pointer string) *jsonschema.Schema {
	t.Helper()
	var doc any
	require.NoError(t, yaml.Unmarshal(spec, &doc))
	data, err := json.Marshal(withoutNullable(doc))
	require.NoError(t, err)
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft4)
	require.NoError(t, compiler.AddResource("spec.json", parsed))
	compiled, err := compiler.Compile("spec.json#" + pointer)
	require.NoError(t, err)
	return compiled
}

func withoutNullable(node any) any {
	switch node := node.(type) {
	case []any:
		for i := range node {
			node[i] = withoutNullable(node[i])
		}
	case map[string]any:
		for key := range node {
			node[key] = withoutNullable(node[key])
		}
		delete(node, "format")
		if nullable, _ := node["nullable"].(bool); nullable {
			return map[string]any{"anyOf": []any{map[string]any{"enum": []any{nil}}, node}}
		}
	}
	return node
}

// TestReference compares every value with every schema.
func TestReference(t *testing.T) {
	t.Parallel()
	for _, text := range schemas {
		if strings.Contains(text, "format") || strings.Contains(text, "writeOnly") || strings.Contains(text, "Loop") {
			continue // not supported by the reference
		}
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			contract, schema := loadSchema(t, text, components)
			other := reference(t, specOf(text, components), "/paths/~1/get/responses/200/content/application~1json/schema")
			for _, value := range values {
				instance, err := jsonschema.UnmarshalJSON(strings.NewReader(value))
				if _, ok := new(strictjson.Document).ParseBody([]byte(value)); err != nil || !ok {
					continue
				}
				ours := failing(violationsOf(t, contract, schema, value, inResponseBody))
				assert.Equal(t, other.Validate(instance) == nil, len(ours) == 0, "%s: %v", value, ours)
			}
		})
	}
}

// TestReferenceOfOurSpec compares thousands of random bodies, with a fixed seed.
func TestReferenceOfOurSpec(t *testing.T) {
	t.Parallel()
	contract, err := Load(testspec.Spec)
	require.NoError(t, err)
	operation := contract.operations[0]
	const at = "/paths/~1api~1v1~1faults/post"
	values := []string{"null", "true", "-1", "0", "1", "1.5", "399", "600", `""`, `"x"`, `"open"`, `"closed"`, `"` + strings.Repeat("é", 255) + `"`,
		`"` + strings.Repeat("é", 256) + `"`, "[]", "[1]", `["a",null]`, "{}", `{"a":"b"}`}
	for name, test := range map[string]struct{ pointer, body string }{
		"request": {at + "/requestBody", `{"vehicle_id":4711,"code":"P0420"}`},
		"201": {at + "/responses/201", `{"id":1,"account_id":1,"vehicle_id":null,"code":"x","count":null,"description":null,"last_occurred_at":null,"name":null,` +
			`"status":"open","source":null,"vehicle_archived_at":null,"fault_rule_id":null,"is_sample":false}`},
		"401": {at + "/responses/401", `{"status":401,"title":"x"}`}, "422": {at + "/responses/422", `{"errors":{"a":["b"]}}`}, "429": {at + "/responses/429", `{"error":"x"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content := operation.request
			if r := operation.responses[name]; r != nil {
				content = r.body
			}
			schema := content.checked()
			other := reference(t, testspec.Spec, schema.place)
			random := rand.New(rand.NewPCG(1, 2))
			names := []string{"undocumented"}
			for _, p := range schema.Properties {
				names = append(names, p.Name)
			}
			slices.Sort(names)
			const bodies = 2000
			faulty := 0
			for range bodies {
				object := map[string]json.RawMessage{}
				require.NoError(t, json.Unmarshal([]byte(test.body), &object))
				for range 1 + random.IntN(4) {
					name := names[random.IntN(len(names))]
					p := schema.Property(name)
					if random.IntN(5) == 0 {
						delete(object, name)
					} else if p == nil || p.Format != "date-time" && p.Format != "uri-reference" {
						object[name] = json.RawMessage(values[random.IntN(len(values))])
					}
				}
				data, err := json.Marshal(object)
				require.NoError(t, err)
				instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
				require.NoError(t, err)
				ours := failing(violationsOf(t, contract, schema, string(data), inResponseBody))
				require.Equal(t, other.Validate(instance) == nil, len(ours) == 0, "%s: %v", data, ours)
				faulty += min(len(ours), 1)
			}
			assert.Greater(t, faulty, bodies/10, "of both kinds")
			assert.Less(t, faulty, bodies*99/100, "of both kinds")
		})
	}
}

// TestPatterns matches strings with patterns that package regexp does not have.
func TestPatterns(t *testing.T) {
	t.Parallel()
	for schema, violated := range map[string]bool{
		`{type: string, pattern: '^(?!a)'}`: true, `{type: string, pattern: '^(?=a)'}`: false, `{type: string, pattern: '^.{1,2000}$'}`: false,
		`{type: string, pattern: '^[^]{5}$'}`: false, `{type: string, pattern: '^\p{Lu}'}`: true, `{type: string, pattern: '('}`: false,
	} {
		t.Run(schema, func(t *testing.T) {
			t.Parallel()
			contract, s := loadSchema(t, schema, "")
			assert.Equal(t, violated, len(violationsOf(t, contract, s, `"aaaab"`, inResponseBody)) > 0)
		})
	}
}

// TestSlowPatterns checks a string for which patterns take too long: a note says so, and nothing is a finding or evidence.
func TestSlowPatterns(t *testing.T) {
	t.Parallel()
	const slow = `{pattern: '^(?=a)(a+)+$'}`
	text := `"` + strings.Repeat("a", 40) + `!"`
	for schema, keywords := range map[string][]string{
		slow: {"pattern"}, `{anyOf: [` + slow + `, {type: integer}]}`: {"anyOf"}, `{anyOf: [` + slow + `, {}]}`: nil,
		`{oneOf: [` + slow + `, {type: string}]}`: {"oneOf"}, `{oneOf: [{}, {type: string}, ` + slow + `]}`: {"oneOf"},
		`{not: ` + slow + `}`: {"not"}, `{not: {not: ` + slow + `}}`: {"not"}, `{allOf: [` + slow + `, {maxLength: 3}]}`: {"pattern", "maxLength"},
	} {
		t.Run(schema, func(t *testing.T) {
			t.Parallel()
			contract, s := loadSchema(t, schema, "")
			var got []string
			for _, v := range violationsOf(t, contract, s, text, inResponseBody) {
				got = append(got, v.keyword)
				definite := v.keyword == "maxLength" || v.keyword == "oneOf" && strings.Contains(schema, "{}")
				assert.Equal(t, definite, v.source == "", v.keyword)
			}
			assert.Equal(t, keywords, got)
		})
	}
	contract, _ := loadSchema(t, slow, "")
	k := contract.newChecker()
	ex := &traffic.Exchange{Method: "GET", URL: &url.URL{Path: "/"}, Status: 200, Response: traffic.Message{
		Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(text)}}
	findings, err := k.check(ex, contract.target(ex.Method, ex.URL))
	require.NoError(t, err)
	require.Len(t, findings, 1)
	assert.Equal(t, Note, findings[0].Source)
	for i := range k.evidence.satisfied.All() {
		assert.NotEqual(t, "pattern", contract.claims[i].Rule)
	}
}
