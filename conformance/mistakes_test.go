package conformance_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// smallSpec is a spec with one schema for the response body on line 8, and others as components on line 3.
func smallSpec(schema string) []byte {
	return []byte("openapi: 3.0.3\ninfo: {title: t, version: '1'}\ncomponents: {schemas: {U: {type: string}}}\npaths:\n  /:\n    get:\n" +
		"      responses: {'200': {description: d, content: {application/json: {\n        schema: " +
		strings.ReplaceAll(schema, "\n", "\n          ") + "}}}}\n")
}

const smallSchema = "/paths/~1/get/responses/200/content/application~1json/schema"

// TestMistakes has what is an error: it has no other meaning, or makes a claim that nothing can satisfy.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for schema, want := range map[string]string{
		"{type: object, required: [b], properties: {a: {}}, additionalProperties: false}":         `/required/0: the property "b" is required, and additionalProperties: false excludes it`,
		"{type: object, required: [a, a], properties: {a: {}}}":                                   `/required/1: required has "a" twice`,
		"{properties: {a: {required: true}}}":                                                     "/properties/a/required: expected a list, found true",
		"{minimum: 3, maximum: 2}":                                                                "/minimum: minimum is 3 and maximum is 2: no value can satisfy both",
		"{minimum: 2, maximum: 2, exclusiveMaximum: true}":                                        "/minimum: minimum is 2 and maximum is 2",
		"{minLength: 10, maxLength: 9}":                                                           "/minLength: minLength is 10 and maxLength is 9",
		"{minItems: 1, maxItems: 0}":                                                              "/minItems: minItems is 1",
		"{minProperties: 1, maxProperties: 0}":                                                    "/minProperties: minProperties is 1",
		"{type: integer, enum: [1, two]}":                                                         `/enum/1: the value "two" of the enum is no integer`,
		"{type: boolean, enum: [yes]}":                                                            `/enum/0: the value "yes" of the enum is no boolean`,
		"{x-assumde: {type: guess}, type: string}":                                                "/x-assumde: unknown extension x-assumde; did you mean x-assumed?",
		"{type: string, format: date-tme}":                                                        "/format: unknown format date-tme; did you mean date-time?",
		"{type: integer, format: int46}":                                                          "/format: unknown format int46; did you mean int64?",
		"{$ref: '#/components/schemas/V'}":                                                        `/$ref: there is nothing at "#/components/schemas/V"`,
		"{$ref: 'https://example.com/v.yaml'}":                                                    "/$ref: the reference to \"https://example.com/v.yaml\" is not followed",
		"{$ref: '#/info'}":                                                                        "#/info: expected a schema, but another place refers to it as an Info Object",
		"{oneOf: [{}], discriminator: {propertyName: p, mapping: {a: '#/components/schemas/V'}}}": "/discriminator/mapping/a: there is nothing at",
		"{type: array}": ": an array needs items", "{multipleOf: 0}": "/multipleOf: multipleOf is more than 0",
		"{readOnly: true, writeOnly: true}": ": a property is readOnly or writeOnly, not both",
		"{maxLenght: 3}":                    "/maxLenght: maxLenght is not a schema keyword of OpenAPI 3.0; did you mean maxLength?",
		"{maxLength: '3'}":                  `/maxLength: expected a whole number of at least 0, found "3"`, "{minItems: -1}": "/minItems: expected a whole number",
		"{nullable: 'yes'}": `/nullable: expected true or false, found "yes"`, "{properties: []}": "/properties: expected an object, found a list",
		"{items: 7}": "/items: expected a schema, found 7", "{type:}": "/type: type has no value",
	} {
		t.Run(schema, func(t *testing.T) {
			t.Parallel()
			_, err := conformance.Load(smallSpec(schema))
			list := conformance.SpecErrors(err)
			require.NotEmpty(t, list)
			if strings.HasPrefix(want, "#") {
				assert.Equal(t, 2, list[0].Line)
				assert.ErrorContains(t, err, want)
				return
			}
			assert.Equal(t, 8, list[0].Line)
			assert.ErrorContains(t, err, "#"+smallSchema+want)
		})
	}
}

// TestMistakesOutsideSchemas edits the spec of smallSpec.
func TestMistakesOutsideSchemas(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ old, new, err string }{
		"no status":             {"'200'", "'2000'", `line 7: #/paths/~1/get/responses/2000: "2000" is no status`},
		"a status without text": {"description: d, ", "", "line 7: #/paths/~1/get/responses/200: a response needs the field description"},
		"no responses":          {"responses: {", "response: {", "line 6: #/paths/~1/get: an operation needs the field responses"},
		"a misspelt field":      {"responses: {", "response: {", "line 7: #/paths/~1/get/response: response is not a field of an operation; did you mean responses?"},
		"an unknown method":     {"    get:", "    fetch:", "line 6: #/paths/~1/fetch: fetch is not a field of a path item"},
		"a path without slash":  {"  /:", "  x:", "line 5: #/paths/x: a path starts with a slash"},
		"a path parameter":      {"  /:", "  /{id}:", "line 6: #/paths/~1{id}/get: the path has {id}, and no parameter in path has this name"},
		"the same path":         {"  /:", "  /{a}:\n    $ref: '#/paths/~1{b}'\n  /{b}:", "the path is the same as /{a}"},
		"a parameter not there": {"      responses:", "      parameters: [{name: id, in: path, required: true, schema: {}}]\n      responses:", `the parameter "id" is in path, and the path has no {id}`},
		"an optional one":       {"      responses:", "      parameters: [{name: id, in: path, schema: {}}]\n      responses:", "line 7: #/paths/~1/get/parameters/0: a parameter in path needs required: true"},
		"in nowhere":            {"      responses:", "      parameters: [{name: id, in: body, schema: {}}]\n      responses:", `"body" is no place of a parameter`},
		"no schema":             {"      responses:", "      parameters: [{name: id, in: query}]\n      responses:", "a parameter needs a schema or a content, and not both"},
		"a wrong style":         {"      responses:", "      parameters: [{name: id, in: query, style: simple, schema: {}}]\n      responses:", `/style: "simple" is no style here`},
		"a parameter twice":     {"      responses:", "      parameters: [{name: q, in: query, schema: {}}, {name: q, in: query, schema: {}}]\n      responses:", `/parameters/1: the parameter "q" is there twice`},
		"an operationId twice":  {"    get:", "    put: {operationId: o, responses: {default: {description: d}}}\n    get:\n      operationId: o", `the operationId "o" is that of another operation`},
		"no operations":         {"    get:", "    x-get:", "line 4: #/paths: the spec documents no operation"},
		"no variable":           {"paths:", "servers: [{url: 'https://{h}/'}]\npaths:", `line 4: #/servers/0/url: the variable "h" is not among the variables`},
		"an unknown scheme":     {"paths:", "security: [{key: []}]\npaths:", `line 4: #/security/0/key: undefined security scheme "key"`},
		"a key without header":  {"components: {", "components: {securitySchemes: {k: {type: apiKey}}, ", "a security scheme of type apiKey needs the field name"},
		"criteria on a schema":  {"{type: string}", "{type: string, x-criteria: []}", "line 3: #/components/schemas/U/x-criteria: x-criteria belongs beside the content of a response"},
		"no version":            {"openapi: 3.0.3\n", "", "line 1: this is no OpenAPI document"},
		"OpenAPI 3.1":           {"3.0.3", "3.1.0", `line 1: #/openapi: expected OpenAPI 3.0, found OpenAPI "3.1.0"`},
		"Swagger 2.0":           {"openapi: 3.0.3", "swagger: '2.0'", "line 1: #/swagger: this is a document of Swagger 2.0"},
		"a key twice":           {"info: {", "info: {title: u, ", `line 2: the key "title" is there already, on line 2`},
		"no YAML":               {"info: {", "info: [", "line 2: not YAML: "},
		"an alias of itself":    {"{type: string}", "&a {not: *a}", `line 3: the anchor "a" contains itself`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := string(smallSpec("{}"))
			require.Contains(t, text, test.old)
			_, err := conformance.Load([]byte(strings.Replace(text, test.old, test.new, 1)))
			require.NotEmpty(t, conformance.SpecErrors(err), "every error has a line")
			assert.ErrorContains(t, err, test.err)
			for _, e := range conformance.SpecErrors(err) {
				assert.Positive(t, e.Line)
			}
		})
	}
}

// TestMistakesAreToldTogether sorts them by line.
func TestMistakesAreToldTogether(t *testing.T) {
	t.Parallel()
	_, err := conformance.Load([]byte(strings.Replace(string(smallSpec("{type: strin,\nminimum: 3, maximum: 1,\nformat: date-tme}")), "description: d, ", "", 1)))
	var lines []int
	for _, e := range conformance.SpecErrors(err) {
		lines = append(lines, e.Line)
	}
	assert.Equal(t, []int{7, 8, 9, 10}, lines)
}

// TestHarmless has what is no error: public documents have it, and the rest of the document can be checked without it.
func TestHarmless(t *testing.T) {
	t.Parallel()
	for schema, want := range map[string]string{
		"{$ref: '#/components/schemas/U', nullable: true}":          "/nullable nullable beside a $ref is ignored: put both into an allOf",
		"{$ref: '#/components/schemas/U', description: d, x-a: 1}":  "",
		"{type: object, required: [codes], properties: {code: {}}}": `/required/0 the value of "codes", which is required and not among the properties; did you mean "code"?`,
		"{type: object, required: [a]}":                             "", "{required: [a], properties: {b: {}}, additionalProperties: {}}": "",
		"{allOf: [{properties: {a: {}}}], required: [a], properties: {b: {}}}": "", "{allOf: [{required: [a], properties: {b: {}}}]}": "",
		"{type: integer, default: x}": `/default the default "x", which is no integer`, "{type: string, default: null}": "/default the default no value, which is no string",
		"{type: string, enum: [a, 1]}": "/enum an enum with 1, which is no string: change the quotes", "{type: integer, enum: ['1']}": `/enum an enum with "1", which is no integer: change the quotes`,
		"{type: array, items: {}, enum: [a]}": `/enum an enum of "a" beside type: array, which belongs below items`,
		"{type: string, enum: [a, null]}":     "/enum/1 null in an enum whose type excludes it: nullable: true would allow it", "{type: string, nullable: true, enum: [a, null]}": "",
		"{type: string, enum: [a, {b: c}]}": "/enum an enum with an object, which is no string",
		"{type: string, format: datetime}":  "/format format datetime; did you mean date-time?", "{type: string, format: url}": "/format format url", "{type: string, format: colour}": "/format format colour",
		"{type: string, pattern: '('}":            "/pattern the pattern, which is no regular expression of ECMA-262 that can be matched here: ",
		"{type: string, pattern: '(?=a)\\u{61}'}": "", "{x-null: null, properties: {a: {x-null: {b: null}}}}": "/x-null the extension x-null",
		"{type: string, enum: [2020-01-01, 1:30], example: 2020-01-01, default: 0x10}": "/default the default 16, which is no string", "{type: number, enum: [.5, +1, 010, 0o17, 5.]}": "",
		"{properties: {a: {example: {$ref: '#/nowhere'}, default: {$ref: x.yaml}}}}": "",
		"&u {properties: {a: {<<: {type: string}, type: integer, default: 1}}}":      "",
	} {
		t.Run(schema, func(t *testing.T) {
			t.Parallel()
			contract, err := conformance.Load(smallSpec(schema))
			require.NoError(t, err)
			var list []string
			for _, u := range contract.Unchecked {
				list = append(list, strings.TrimPrefix(u.Spec.Pointer, smallSchema)+" "+u.Reason)
				assert.Equal(t, 8, u.Spec.Line)
			}
			if want == "" {
				assert.Empty(t, list)
				return
			}
			require.Len(t, list, 1)
			assert.Contains(t, list[0], want)
		})
	}
}
