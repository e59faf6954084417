package conformance_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/internal/testspec"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

const (
	inJSON = "Content-Type: application/json\n\n"
	// An object that the schemas below describe in parts.
	base = `Base: {type: object, properties: {id: {type: integer, readOnly: true}, n: {type: string}, secret: {type: string, writeOnly: true}}},
		ID: {type: integer, readOnly: true}, Strict: {allOf: [{$ref: '#/components/schemas/Base'}], required: [id, n, secret]},`
	pets = `Pet: {type: object, required: [t], properties: {t: {type: string}, n: {type: string}}, discriminator: {propertyName: t, mapping: {puss: '#/components/schemas/Cat'}}},
		Cat: {allOf: [{$ref: '#/components/schemas/Pet'}, {type: object, required: [h], properties: {h: {type: string, enum: [lazy]}}}]},
		Dog: {allOf: [{$ref: '#/components/schemas/Pet'}, {type: object, properties: {barks: {type: boolean}, collar: {type: object, properties: {size: {}}}}}]},
		Puppy: {allOf: [{$ref: '#/components/schemas/Dog'}, {properties: {age: {type: integer}}}]}, Hound: {$ref: '#/components/schemas/Dog'},
		Bird: {allOf: [{$ref: '#/components/schemas/Pet'}, {properties: {nest: {type: integer, readOnly: true}}}, {required: [nest]}]},
		Wolf: {allOf: [{$ref: '#/components/schemas/Dog'}]},
		Plain: {type: object, required: [t, a], properties: {t: {type: string}, a: {type: integer}}}, Other: {type: object, properties: {t: {type: string}, b: {type: string}}},
		Alias: {$ref: '#/components/schemas/Plain'}, Wrapper: {allOf: [{$ref: '#/components/schemas/Plain'}]},`
)

// TestVerdicts has for each kind of traffic that specs and servers differ about what the checker says of it.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	type row struct {
		name     string
		schema   string // of the body of the 200, or of the request if there is one
		response string // or its header and body
		request  string // JSON
		status   int
		content  string // of the 200, instead of a schema
		want     string // "source part pointer rule", sorted
	}
	const drift = "drift response.body "
	ref := func(name string) string { return "{$ref: '#/components/schemas/" + name + "'}" }
	for _, test := range []row{
		{name: "two parts of allOf describe a property", schema: "{allOf: [{properties: {c: {type: object, properties: {x: {}}}}}, {properties: {c: {type: object, properties: {y: {}}}}}]}",
			response: `{"c":{"x":1,"y":2}}`},
		{name: "neither of them", schema: "{allOf: [{properties: {c: {type: object, properties: {x: {}}}}}, {properties: {c: {type: object, properties: {y: {}}}}}]}",
			response: `{"c":{"x":1,"z":2}}`, want: drift + "/c/z undocumented-property"},
		{name: "items of two parts", schema: "{allOf: [{properties: {c: {type: array, items: {properties: {x: {}}}}}}, {properties: {c: {type: array, items: {properties: {y: {}}}}}}]}",
			response: `{"c":[{"x":1,"y":2,"z":3}]}`, want: drift + "/c/0/z undocumented-property"},
		{name: "nested allOf", schema: "{allOf: [{allOf: [{type: object, properties: {a: {}}}]}, {properties: {b: {allOf: [{properties: {c: {}}}]}}}]}",
			response: `{"a":1,"b":{"c":1,"d":2},"e":3}`, want: drift + "/b/d undocumented-property," + drift + "/e undocumented-property"},
		{name: "below oneOf", schema: "{oneOf: [{type: object, required: [a], properties: {a: {type: object, properties: {x: {}}}}}, {type: string}]}",
			response: `{"a":{"y":1}}`, want: drift + "/a/y undocumented-property"},
		{name: "of another alternative", schema: "{oneOf: [" + ref("Plain") + ", {type: object, required: [b], properties: {b: {type: string}}}]}",
			response: `{"t":"x","a":1,"b":2}`, want: drift + "/b undocumented-property"},
		{name: "of two that match", schema: "{anyOf: [{type: object, properties: {a: {}}}, {type: object, properties: {b: {}}}]}", response: `{"a":1,"b":2}`},
		{name: "beside oneOf", schema: "{type: object, properties: {a: {}}, oneOf: [{required: [b], properties: {b: {}}}]}", response: `{"a":1,"b":2,"c":3}`,
			want: drift + "/c undocumented-property"},
		{name: "an open part", schema: "{allOf: [{type: object, properties: {a: {}}}, {additionalProperties: true}]}", response: `{"x":1}`},
		{name: "below additionalProperties of a part", schema: "{allOf: [{type: object, additionalProperties: {properties: {a: {}}}}]}", response: `{"x":{"b":1}}`,
			want: drift + "/x/b undocumented-property"},
		{name: "a tree", schema: ref("Tree"), response: `{"sub":[{"sub":[],"x":1}]}`, want: drift + "/sub/0/x undocumented-property"},

		{name: "a child by allOf", schema: ref("Pet"), response: `{"t":"Cat","n":"x","h":"lazy"}`},
		{name: "by its alias in the mapping", schema: ref("Pet"), response: `{"t":"puss","h":"x"}`, want: "documented response.body /h enum"},
		{name: "that lacks a property", schema: ref("Pet"), response: `{"t":"Cat"}`, want: "documented response.body /h required"},
		{name: "of a child", schema: ref("Pet"), response: `{"t":"Puppy","barks":true,"age":1}`},
		{name: "with drift below", schema: ref("Pet"), response: `{"t":"Puppy","collar":{"size":1,"color":2},"h":1}`,
			want: drift + "/collar/color undocumented-property," + drift + "/h undocumented-property"},
		{name: "of another name", schema: ref("Pet"), response: `{"t":"Fish","fins":1}`, want: drift + "/fins undocumented-property"},
		{name: "the parent itself", schema: ref("Pet"), response: `{"t":"Pet"}`},
		{name: "a child where another is due", schema: ref("Dog"), response: `{"t":"Cat"}`},
		{name: "a grandchild where the child is due", schema: ref("Dog"), response: `{"t":"Puppy","age":"x"}`, want: "documented response.body /age type"},
		{name: "children in a list", schema: "{type: array, items: " + ref("Pet") + "}", response: `[{"t":"Cat","h":"lazy"},{"t":"Dog","h":1}]`,
			want: drift + "/1/h undocumented-property"},
		{name: "alternatives that extend one schema", schema: "{oneOf: [" + ref("Cat") + ", " + ref("Dog") + "]}", response: `{"t":"Cat","h":"lazy"}`},
		{name: "a child of an alternative", schema: "{oneOf: [" + ref("Cat") + ", " + ref("Dog") + "]}", response: `{"t":"Puppy","age":1,"h":1}`,
			want: drift + "/h undocumented-property"},
		{name: "no alternative", schema: "{oneOf: [" + ref("Wolf") + ", " + ref("Puppy") + "]}", response: `{"t":"Cat","h":"lazy"}`, want: "documented response.body  oneOf"},
		{name: "readOnly in a child, required in another part of it", schema: ref("Pet"), request: `{"t":"Bird"}`},
		{name: "the same in a response", schema: ref("Pet"), response: `{"t":"Bird"}`, want: "documented response.body /nest required"},
		{name: "an alias of an alternative", schema: "{oneOf: [" + ref("Alias") + ", " + ref("Other") + "], discriminator: {propertyName: t}}", response: `{"t":"Alias","a":1}`},
		{name: "its own name", schema: "{oneOf: [" + ref("Alias") + ", " + ref("Other") + "], discriminator: {propertyName: t}}", response: `{"t":"Plain","a":"x"}`,
			want: "documented response.body /a type"},
		{name: "a mapping to an alias", schema: "{oneOf: [" + ref("Plain") + ", " + ref("Other") + "], discriminator: {propertyName: t, mapping: {p: '#/components/schemas/Alias', q: Wrapper}}}",
			response: `{"t":"p","a":1}`},
		{name: "a mapping to a wrapper, by name", schema: "{oneOf: [" + ref("Plain") + ", " + ref("Other") + "], discriminator: {propertyName: t, mapping: {p: '#/components/schemas/Alias', q: Wrapper}}}",
			response: `{"t":"q","b":1}`, want: "documented response.body /a required," + drift + "/b undocumented-property"},
		{name: "none of them", schema: "{oneOf: [" + ref("Plain") + "], discriminator: {propertyName: t}}", response: `{"t":"Other"}`, want: "documented response.body /t discriminator"},

		{name: "readOnly in one part, required in another", schema: "{allOf: [" + ref("Base") + ", {type: object, required: [id, n]}]}", request: `{"n":"x"}`},
		{name: "n stays required", schema: "{allOf: [" + ref("Base") + ", {type: object, required: [id, n]}]}", request: `{}`, want: "documented request.body /n required"},
		{name: "required around allOf", schema: ref("Strict"), request: `{"n":"x","secret":"y"}`},
		{name: "required around allOf, in a response", schema: ref("Strict"), response: `{"id":1,"n":"x"}`},
		{name: "which needs id", schema: ref("Strict"), response: `{"n":"x"}`, want: "documented response.body /id required"},
		{name: "required in oneOf, readOnly beside it", schema: "{type: object, properties: {id: {type: integer, readOnly: true}}, oneOf: [{required: [id]}]}", request: `{}`},
		{name: "readOnly behind an allOf", schema: "{type: object, required: [id], properties: {id: {allOf: [" + ref("ID") + "]}}}", request: `{}`},
		{name: "readOnly sent", schema: ref("Base"), request: `{"id":1}`, want: "note request.body /id readOnly"},
		{name: "readOnly sent, behind an allOf", schema: "{type: object, properties: {id: {allOf: [" + ref("ID") + "]}}}", request: `{"id":1}`, want: "note request.body /id readOnly"},
		{name: "writeOnly returned", schema: ref("Base"), response: `{"secret":"x"}`, want: "documented response.body /secret writeOnly"},

		{name: "null, not in the enum", schema: "{type: string, nullable: true, enum: [a]}", response: `null`, want: "note response.body  nullable"},
		{name: "null, in the enum", schema: "{type: string, nullable: true, enum: [a, null]}", response: `null`},
		{name: "null, not in allOf", schema: "{nullable: true, allOf: [" + ref("ID") + "]}", response: `null`, want: "note response.body  nullable"},
		{name: "null, in none of oneOf", schema: "{nullable: true, oneOf: [" + ref("ID") + ", {type: string}]}", response: `null`, want: "note response.body  nullable"},
		{name: "null, in one of anyOf", schema: "{nullable: true, anyOf: [" + ref("ID") + ", {type: string, nullable: true}]}", response: `null`},
		{name: "null, not nullable", schema: "{type: string, enum: [a]}", response: `null`, want: "documented response.body  nullable"},

		{name: "lower-case t and z", schema: "{type: string, format: date-time}", response: `"2026-11-01t10:00:00z"`, want: "note response.body  portability"},
		{name: "lower-case z in a request", schema: "{type: string, format: date-time}", request: `"2026-11-01T10:00:00.5z"`, want: "note request.body  portability"},
		{name: "a space for T", schema: "{type: string, format: date-time}", response: `"2026-11-01 10:00:00Z"`, want: "documented response.body  format"},
		{name: "a password of any form", schema: "{type: string, format: password}", response: `"a b"`},

		{name: "an unknown property of a request", schema: ref("Base"), request: `{"n":"x","N_":1,"severity":2}`,
			want: "drift request.body /N_ undocumented-property,drift request.body /severity undocumented-property"},
		{name: "in a list", schema: "{type: array, items: " + ref("Base") + "}", request: `[{"m":1}]`, want: "drift request.body /0/m undocumented-property"},
		{name: "which is rejected", schema: ref("Base"), request: `{"x":1}`, status: 422},
		{name: "of an open object", schema: "{type: object, additionalProperties: true, properties: {a: {}}}", request: `{"x":1}`},

		{name: "a valid request, rejected", schema: ref("Base"), request: `{"n":"x"}`, status: 422, want: "note response.status  rejected"},
		{name: "a valid request, gone", schema: ref("Base"), request: `{"n":"x"}`, status: 410, want: "note response.status  rejected"},
		{name: "without permission", schema: ref("Base"), request: `{"n":"x"}`, status: 403},
		{name: "in conflict", schema: ref("Base"), request: `{"n":"x"}`, status: 409},
		{name: "too many", schema: ref("Base"), request: `{"n":"x"}`, status: 429},
		{name: "an invalid request, rejected", schema: ref("Base"), request: `{"n":1}`, status: 422},
		{name: "an invalid request, failed", schema: ref("Base"), request: `{"n":1}`, status: 500, want: "note response.status  server-error"},
		{name: "a valid request, failed", schema: ref("Base"), request: `{"n":"x"}`, status: 503},
		{name: "malformed JSON, failed", schema: ref("Base"), request: `{`, status: 502, want: "note response.status  server-error"},

		{name: "a body where none is documented", status: 404, response: inJSON + `{"m":1}`, want: drift + " body"},
		{name: "HTML instead of JSON", schema: "{}", response: "Content-Type: text/html\n\n<html>", want: "documented response.header /Content-Type media-type"},
		{name: "a charset of JSON", schema: "{type: object}", response: "Content-Type: application/json; charset=ISO-8859-1\n\n{}", want: "note response.header /Content-Type media-type"},
		{name: "that of UTF-8", schema: "{type: object}", response: "Content-Type: application/json; charset=\"UTF-8\"\n\n{}"},
		{name: "text that is JSON", content: "text/json: {schema: {type: object}}", response: "Content-Type: text/json\n\n[]", want: "documented response.body  type"},
		{name: "a suffix", content: "application/*+json: {schema: {type: object}}", response: "Content-Type: application/hal+json\n\n[]", want: "documented response.body  type"},
		{name: "without the suffix", content: "application/*+json: {schema: {type: object}}", response: "Content-Type: application/hal\n\n[]", want: "documented response.header /Content-Type media-type"},
		{name: "the first of two parameters", content: "application/json;v=1: {schema: {type: object}}, application/json;v=2: {schema: {type: array, items: {}}}",
			response: "Content-Type: application/json; v=1\n\n[]", want: "documented response.body  type"},
		{name: "the second", content: "application/json;v=1: {schema: {type: object}}, application/json;v=2: {schema: {type: array, items: {}}}",
			response: "Content-Type: application/json; v=2; charset=utf-8\n\n[]"},
		{name: "a third", content: "application/json;v=1: {schema: {type: object}}, application/json;v=2: {schema: {type: array, items: {}}}",
			response: "Content-Type: application/json; v=3\n\n[]", want: "documented response.header /Content-Type media-type"},
		{name: "one that is not recorded", content: "application/json;v=1: {schema: {type: object}}, application/json;v=2: {schema: {type: array, items: {}}}", response: "-\n\n[]"},
		{name: "no parameter before a range", content: "application/json: {schema: {type: object}}, application/*: {}", response: "Content-Type: application/json; v=3\n\n[]",
			want: "documented response.body  type"},
		{name: "octets below a range", content: "'*/*': {schema: {type: string, format: binary}}", response: inJSON + "{}"},
		{name: "octets of JSON", content: "application/json: {schema: {type: string, format: binary}}", response: inJSON + "\xff"},
		{name: "octets", content: "application/pdf: {schema: {type: string, format: binary}}", response: "Content-Type: application/pdf\n\n\xff"},
		{name: "binary in JSON", schema: "{type: object, properties: {a: {type: string, format: binary}}}", response: `{"a":1}`, want: "documented response.body /a type"},

		{name: "an empty element", response: "X-List: 1,,2, \nX-Words: ,a\n\n"},
		{name: "only empty elements", response: "X-List: ,\n\n"},
		{name: "an element of another type", response: "X-List: 1,,x\n\n", want: "documented response.header /X-List/1 type"},
		{name: "headers by oneOf", response: "X-Either: 5\n\n"},
		{name: "the other", response: "X-Either: none\n\n"},
		{name: "neither", response: "X-Either: some\n\n", want: "documented response.header /X-Either oneOf"},
		{name: "digits that are a string", response: "X-Code: 007\n\n"},
		{name: "digits that are too many", response: "X-Code: '0077'\n\n", want: "documented response.header /X-Code oneOf"},
		{name: "a list by oneOf", response: "X-Some: 1,2\n\n"},
		{name: "one by oneOf", response: "X-Some: 1\n\n"},
		{name: "a header by content", response: "X-Object: {\"a\":1}\nX-Text: 5\n\n"},
		{name: "not of it", response: "X-Object: {\"a\":\"x\"}\nX-Text: x\n\n", want: "documented response.header /X-Object/a type,documented response.header /X-Text type"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			schema := test.schema
			if schema == "" {
				schema = "{}"
			}
			content := "application/json: {schema: " + schema + "}"
			body, answer := "", "content: {"+content+"}"
			if test.content != "" {
				answer = "content: {" + test.content + "}"
			}
			if test.request != "" {
				body, answer = "requestBody: {required: true, content: {"+content+"}}, ", "x-none: 1"
			}
			if test.schema == "" && test.content == "" {
				answer = "x-none: 1"
			}
			contract, err := conformance.Load([]byte("openapi: 3.0.3\ninfo: {title: t, version: '1'}\ncomponents: {schemas: {" + base + pets + `
				Tree: {type: object, properties: {sub: {type: array, items: {allOf: [{$ref: '#/components/schemas/Tree'}]}}}}}}
paths: {/: {post: {` + body + `responses: {default: {description: d}, '200': {description: d, ` + answer + `, headers: {
	X-List: {schema: {type: array, items: {type: integer}}}, X-Words: {schema: {type: array, items: {type: string, minLength: 1}}},
	X-Either: {schema: {oneOf: [{type: integer}, {type: string, enum: [none]}]}}, X-Code: {schema: {oneOf: [{type: integer, minimum: 100}, {type: string, pattern: '^0..$'}]}},
	X-Some: {schema: {oneOf: [{type: integer}, {type: array, items: {type: integer}}]}},
	X-Object: {content: {application/json: {schema: {type: object, properties: {a: {type: integer}}}}}}, X-Text: {content: {text/plain: {schema: {type: integer}}}}}}}}}}
`))
			require.NoError(t, err)
			ex := &traffic.Exchange{Method: http.MethodPost, URL: &url.URL{Path: "/"}, Status: max(test.status, http.StatusOK), Request: message("\n\n")}
			if test.request != "" {
				ex.Request = message(inJSON + test.request)
			}
			if !strings.Contains(test.response, "\n\n") && test.response != "" {
				test.response = inJSON + test.response
			}
			ex.Response = message(test.response)
			findings, err := contract.Check(ex)
			require.NoError(t, err)
			var got []string
			for _, f := range findings {
				got = append(got, string(f.Source)+" "+string(f.Part)+" "+f.Pointer+" "+f.Rule)
				assert.Positive(t, f.Spec.Line)
			}
			wanted := []string{}
			if test.want != "" {
				wanted = strings.Split(test.want, ",")
			}
			assert.ElementsMatch(t, wanted, got)
		})
	}
}

// TestNearestName misspells properties of a request.
func TestNearestName(t *testing.T) {
	t.Parallel()
	contract := loadContract(t)
	for name, want := range map[string]string{
		"last_occurred": `a documented property (the nearest is last_occurred_at), found 1`, "externalId": "the nearest is external_id",
		"stauts": "the nearest is status", "severity": "a documented property, found 1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			findings, err := contract.Check(exchange(t, 201, `{"vehicle_id":4711,"code":"P0420","`+name+`":1}`, string(testspec.Fault(nil))))
			require.NoError(t, err)
			require.Len(t, findings, 1)
			assert.Equal(t, conformance.Drift, findings[0].Source)
			assert.Contains(t, findings[0].Message, want)
		})
	}
}

// TestUnless has a criterion for what a response has if the request leaves a property out.
func TestUnless(t *testing.T) {
	t.Parallel()
	contract, err := conformance.Load([]byte(`
openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /:
    post:
      requestBody: {content: {application/json: {schema: {type: object, properties: {s: {type: string, nullable: true}}}}}}
      responses:
        '200':
          description: d
          content: {application/json: {schema: {type: object, properties: {s: {type: string}}}}}
          x-criteria: [{name: default, unless: [$request.body#/s, $response.header.X-Rule], type: regex, context: $response.body#/s, condition: '^(open|ignored)$'}]
          headers: {X-Rule: {schema: {type: string}}}
`))
	require.NoError(t, err)
	claims := contract.Claims()
	assert.Equal(t, "default: unless $request.body#/s or $response.header.X-Rule, $response.body#/s matches ^(open|ignored)$",
		claims[slices.IndexFunc(claims, func(c conformance.Claim) bool { return c.Rule == "criterion" })].Text)
	for name, test := range map[string]struct {
		request, response, header string
		fails                     bool
	}{
		"the default":      {`{}`, `{"s":"open"}`, "", false},
		"another value":    {`{}`, `{"s":"closed"}`, "", true},
		"sent":             {`{"s":"closed"}`, `{"s":"closed"}`, "", false},
		"null was sent":    {`{"s":null}`, `{"s":"closed"}`, "", false},
		"the other is set": {`{}`, `{"s":"closed"}`, "X-Rule: x\n", false},
		"not returned":     {`{}`, `{}`, "", true},
		"unclear if sent":  {`{"x":1,"x":2}`, `{"s":"closed"}`, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			findings, err := contract.Check(&traffic.Exchange{Method: http.MethodPost, URL: &url.URL{Path: "/"}, Status: http.StatusOK,
				Request: message(inJSON + test.request), Response: message(test.header + inJSON + test.response)})
			require.NoError(t, err)
			assert.Equal(t, test.fails, slices.ContainsFunc(findings, func(f conformance.Finding) bool { return f.Rule == "criterion" }))
		})
	}
	for _, unless := range []string{"[true]", "[$request.body#/none]", "[x]", "true"} {
		_, err := conformance.Load([]byte(strings.Replace(`
openapi: 3.0.3
info: {title: t, version: '1'}
paths: {/: {get: {responses: {'200': {description: d, content: {application/json: {schema: {type: object, properties: {s: {}}}}},
  x-criteria: [{name: n, unless: UNLESS, condition: $response.body#/s == 1}]}}}}}
`, "UNLESS", unless, 1)))
		assert.Error(t, err, unless)
	}
}

// TestMappingToFiles has a discriminator whose mapping leads to files that nothing else refers to.
func TestMappingToFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"spec.yaml": "openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths: {/: {post: {responses: {'200': {description: d, content: {application/json: {schema: {$ref: pet.yaml}}}}}}}}\n",
		"pet.yaml":  "{type: object, properties: {t: {type: string}}, discriminator: {propertyName: t, mapping: {cat: ./cat.yaml, dog: dog.yaml}}}\n",
		"cat.yaml":  "allOf: [{$ref: pet.yaml}, {required: [h], properties: {h: {type: string}}}]\n",
		"dog.yaml":  "allOf: [{$ref: pet.yaml}, {properties: {b: {type: string}}}]\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	contract, err := conformance.LoadFile(filepath.Join(folder, "spec.yaml"))
	require.NoError(t, err)
	assert.Empty(t, contract.Unchecked)
	for body, rules := range map[string][]string{`{"t":"cat"}`: {"required"}, `{"t":"dog","b":1}`: {"type"}, `{"t":"dog","b":"x"}`: nil} {
		findings, err := contract.Check(&traffic.Exchange{Method: http.MethodPost, URL: &url.URL{Path: "/"}, Status: http.StatusOK,
			Request: message("\n\n"), Response: message(inJSON + body)})
		require.NoError(t, err)
		var got []string
		for _, f := range findings {
			got = append(got, f.Rule)
		}
		assert.Equal(t, rules, got, body)
	}
}
