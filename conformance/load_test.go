package conformance_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/internal/testspec"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// edit replaces text in the real spec, which must contain it.
func edit(t *testing.T, from, to string) []byte {
	t.Helper()
	if !strings.Contains(string(testspec.Spec), from) {
		t.Fatalf("the spec has no %q", from)
	}
	return []byte(strings.Replace(string(testspec.Spec), from, to, 1))
}

func TestLoadRejects(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ old, new, err string }{
		"assumption on no keyword":     {"required:\n          last_occurred_at: The", "requires:\n          last_occurred_at: The", `there is no "requires"`},
		"assumption on no entry":       {"          is_sample: The mark", "          is_simple: The mark", `there is no "is_simple" at #/components/schemas/Fault/required`},
		"assumption on a keyword gone": {"          nullable: false\n", "", `there is no "nullable" at #/components/schemas/Fault/properties/is_sample`},
		"assumption without a reason":  {"          minimum: No page states a bound. RFC 9110, section 10.2.3, has no sign in a delay.", "          minimum: ''", "needs a reason"},
		"assumption that is a number":  {"          minimum: No page states a bound. RFC 9110, section 10.2.3, has no sign in a delay.", "          minimum: 7", "needs a reason"},
		"assumption that is no object": {"x-assumed:\n        required: The mark", "x-assumed: yes\n      x-was:\n        required: The mark", "x-assumed maps the keywords"},
		"assumption on itself":         {"            format: No page", "            x-assumed: No page", "x-assumed has no claim"},

		"criterion on no property": {"== $request.body#/count", "== $request.body#/counts", "$request.body#/counts: the schema has no such property"},
		"when on no property":      {"when: [$request.body#/code]", "when: [$request.body#/kode]", "$request.body#/kode"},
		"criterion on no header":   {"context: $response.header.Location", "context: $response.header.Locator", "no such response header"},
		"embedded in a pattern":    {"condition: /{$response.body#/id}$", "condition: /{$response.body#/ids}$", "$response.body#/ids"},
		"brace left open":          {"condition: /{$response.body#/id}$", "condition: /{$response.body#/id", "unclosed brace"},
		"not a pattern":            {"condition: /{$response.body#/id}$", "condition: '/({$response.body#/id}'", "missing closing"},
		"unknown expression":       {"$response.body#/status == $statusCode", "$response.body#/status == $code", "$code is not an expression"},
		"unknown operator":         {"$response.body#/status == $statusCode", "$response.body#/status === $statusCode", `unknown operator "==="`},
		"half a comparison":        {"$response.body#/status == $statusCode", "$response.body#/status", "not one comparison"},
		"order of text":            {"$response.body#/name == $request.body#/name", "$response.body#/name <= $request.body#/name", "orders numbers and date-times, not"},
		"bare word":                {"$response.body#/status == $statusCode", "$response.body#/status == open", `"open" is neither`},
		"literal on the left":      {"$response.body#/status == $statusCode", "401 == $statusCode", "the left side"},
		"a name taken":             {"name: echoes-code", "name: echoes-count", `duplicate name "echoes-count"`},
		"unknown property":         {"              when: [$request.body#/code]", "              if: [$request.body#/code]", `no property "if"`},
		"unknown type":             {"type: regex", "type: jsonpath", "simple or regex"},
		"no name":                  {"- name: echoes-code\n              description", "- description", "needs a name"},
		"literal in when":          {"when: [$request.body#/code]", "when: ['true']", "always has a value"},
		"criteria out of place":    {"components:\n", "x-criteria: []\ncomponents:\n", "belongs beside the content of a response"},
		"criteria that are none":   {"          x-criteria:\n            - name: location", "          x-criteria: {}\n          x-was:\n            - name: location", "x-criteria is a list"},

		"assumption in a default response": {"        '500':\n", "        default:\n          x-assumed: {nonsense: guess}\n          description: d\n        '500':\n", `there is no "nonsense"`},
		"criterion on an array":            {"$response.body#/status == $statusCode", "$response.body == $statusCode", "not a scalar"},
		"order of a literal":               {"$response.body#/status == $statusCode", "$response.body#/status > true", "orders numbers"},
		"no number":                        {"$response.body#/status == $statusCode", "$response.body#/status == inf", `"inf" is neither`},
		"an unknown request header":        {"when: [$request.body#/code]", "when: [$request.header.Nonsense]", "no such request header"},
		"a keyword without a value":        {"          maxLength: 255\n", "          maxLength:\n", "maxLength has no value"},
		"a second document":                {"components:\n", "---\ncomponents:\n", "a second document"},

		"another version":     {"openapi: 3.0.3", "openapi: 3.1.0", "expected OpenAPI 3.0, found OpenAPI \"3.1.0\""},
		"Swagger":             {"openapi: 3.0.3", "swagger: '2.0'", "this is a document of Swagger 2.0"},
		"unknown keyword":     {"maxLength: 255", "maxLenght: 255", "maxLenght"},
		"dangling reference":  {"$ref: '#/components/schemas/Fault'", "$ref: '#/components/schemas/Default'", `there is nothing at "#/components/schemas/Default"`},
		"reference to itself": {"  schemas:\n    FaultCreate:\n", "  schemas:\n    Self:\n      $ref: '#/components/schemas/Self'\n    FaultCreate:\n", "/components/schemas/Self/$ref: the reference refers to itself"},
		"reference to a file": {"$ref: '#/components/schemas/Fault'", "$ref: 'other.yaml#/Fault'", `the reference to the file "other.yaml" is not followed, as the spec was not loaded from a folder`},
		"unknown scheme":      {"  - apiKey: []", "  - apiToken: []", `undefined security scheme "apiToken"`},
		"a key twice":         {"maxLength: 255", "maxLength: 255\n          maxLength: 256", "maxLength"},
		"broken indentation":  {"      properties:", "   properties:", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := conformance.Load(edit(t, test.old, test.new))
			require.Error(t, err)
			assert.ErrorContains(t, err, test.err)
		})
	}
}

func TestLoadNamesTheLine(t *testing.T) {
	t.Parallel()
	spec := edit(t, "$response.body#/status == $statusCode", "$response.body#/stat == $statusCode")
	_, err := conformance.Load(spec)
	var at *conformance.SpecError
	require.ErrorAs(t, err, &at)
	assert.Equal(t, "/paths/~1api~1v1~1faults/post/responses/401/x-criteria/0", at.Pointer)
	assert.Contains(t, strings.Split(string(spec), "\n")[at.Line-1], "- name: problem-status-is-http-status")
}

func TestLoadRejectsOtherDocuments(t *testing.T) {
	t.Parallel()
	for _, spec := range []string{"", "\n", "null", "[]", "7", "{", "\x00", "openapi: 3.0.3", "a: &a [*a]", "<html>",
		"openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths: {}"} {
		t.Run(spec, func(t *testing.T) {
			t.Parallel()
			_, err := conformance.Load([]byte(spec))
			assert.Error(t, err)
		})
	}
}

// TestLoadEndsOnCycles loads schemas that refer to each other.
func TestLoadEndsOnCycles(t *testing.T) {
	t.Parallel()
	const spec = `{openapi: 3.0.3, info: {title: t, version: "1"},
  components: {schemas: {A: {allOf: [{$ref: "#/components/schemas/B"}]}, B: {allOf: [{$ref: "#/components/schemas/A"}]},
    L: {type: array, items: {$ref: "#/components/schemas/L"}}}},
  paths: {/: {get: {responses: {"200": {description: d, headers: {X: {schema: {$ref: "#/components/schemas/L"}}},
    content: {application/json: {schema: {$ref: "#/components/schemas/A"}}}CRITERIA}}}}}}`
	_, err := conformance.Load([]byte(strings.Replace(spec, "CRITERIA", `, x-criteria: [{name: n, condition: "$response.body#/zz == 1"}]`, 1)))
	require.ErrorContains(t, err, "no such property")
	contract, err := conformance.Load([]byte(strings.Replace(spec, "CRITERIA", "", 1)))
	require.NoError(t, err)
	findings, err := contract.Check(&traffic.Exchange{Method: "GET", URL: &url.URL{Path: "/"}, Status: 200,
		Response: traffic.Message{Header: map[string][]string{"X": {"a,b"}, "Content-Type": {"application/json"}}, Body: []byte("1")}})
	require.NoError(t, err)
	assert.Len(t, findings, 2, "an item of a header is no list")
}

func TestUnchecked(t *testing.T) {
	t.Parallel()
	const name, operation = "        name:\n          description: A label for people.\n          type: string\n", "      operationId: createFault\n"
	for reason, test := range map[string]struct{ old, new, pointer string }{
		"the extension x-tag": {"    FaultCreate:\n", "    FaultCreate:\n      x-tag: null\n      not: {x-tag: {a: null}}\n", "/components/schemas/FaultCreate/x-tag"},
		"format regex":        {name, name + "          format: regex\n", "/components/schemas/FaultCreate/properties/name/format"},
		"parameters and headers without a type": {operation,
			operation + "      parameters:\n        - {name: X-Api-Version, in: header, schema: {}}\n", "/paths/~1api~1v1~1faults/post/parameters/0/schema"},
		"parameters and headers with content that is neither JSON nor plain text": {operation,
			operation + "      parameters:\n        - {name: x, in: query, content: {text/csv: {}}}\n", "/paths/~1api~1v1~1faults/post/parameters/0/content/text~1csv"},
		"bodies that are not JSON, a form or text": {"paths:\n",
			"paths:\n  /x: {get: {responses: {'200': {description: d, content: {application/xml: {schema: {type: object}}}}}}}\n",
			"/paths/~1x/get/responses/200/content/application~1xml/schema"},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			contract, err := conformance.Load(edit(t, test.old, test.new))
			require.NoError(t, err)
			require.Len(t, contract.Unchecked, 1)
			assert.Equal(t, reason, contract.Unchecked[0].Reason)
			assert.Equal(t, test.pointer, contract.Unchecked[0].Spec.Pointer)
		})
	}
}

// TestExamplesConform checks each pair of a request example and a response example of the spec as an exchange.
func TestExamplesConform(t *testing.T) {
	t.Parallel()
	contract := loadContract(t)
	doc, err := openapi3.NewLoader().LoadFromData(testspec.Spec)
	require.NoError(t, err)
	operation := doc.Paths.Value("/api/v1/faults").Post
	requests := operation.RequestBody.Value.Content["application/json"].Examples
	checked := 0
	for status, ref := range operation.Responses.Map() {
		for name, example := range ref.Value.Content["application/json"].Examples {
			checked++
			t.Run(status+" "+name, func(t *testing.T) {
				t.Parallel()
				request := requests["minimal"]
				if name == "complete" {
					request = requests[name]
				}
				ex := exchange(t, statusCode(t, status), mustJSON(t, request.Value.Value), mustJSON(t, example.Value.Value))
				for header, h := range ref.Value.Headers {
					ex.Response.Header.Set(header, strings.Trim(mustJSON(t, h.Value.Example), `"`))
				}
				if name == "minimal" {
					ex.Response.Header.Set("Location", "https://secure.fleetio.com/api/v1/faults/90211")
				}
				findings, err := contract.Check(ex)
				require.NoError(t, err)
				for _, f := range findings {
					assert.Equal(t, "422 rejected", status+" "+f.Rule, "a note")
				}
			})
		}
	}
	assert.GreaterOrEqual(t, checked, 8)
}

func TestCheckFindsTheOperation(t *testing.T) {
	t.Parallel()
	const templated = `{openapi: 3.0.3, info: {title: t, version: "1"}, servers: [{url: "https://{host}/base", variables: {host: {default: h}}}, {url: /v2/}],
  paths: {"/a/{id}/b": {get: {parameters: [{name: id, in: path, required: true, schema: {type: string}}], responses: {default: {description: d}}}},
  "/a/me/b": {get: {operationId: me, responses: {2XX: {description: d}}}}}}`
	contract, err := conformance.Load([]byte(templated))
	require.NoError(t, err)
	for target, want := range map[string]string{
		"http://127.0.0.1:9/base/a/7/b?x=1": "GET /a/{id}/b", "/base/a/me/b": "me", "/v2/a/x%20y/b/": "GET /a/{id}/b",
		"/a/7/b": "", "/base/a//b": "", "/base/a/7/b/c": "", "/base/a/7/8/b": "", "/Base/a/7/b": "",
	} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			u, err := url.Parse(target)
			require.NoError(t, err)
			findings, err := contract.Check(&traffic.Exchange{Method: "GET", URL: u, Status: 404,
				Response: traffic.Message{Body: []byte("x")}})
			if want == "" {
				require.ErrorIs(t, err, conformance.ErrNoOperation)
				return
			}
			require.NoError(t, err)
			require.Len(t, findings, 1)
			assert.Equal(t, want, findings[0].Operation)
		})
	}
	_, err = contract.Check(&traffic.Exchange{Method: "GET", URL: &url.URL{Path: "/base/a/me/b"}})
	require.ErrorIs(t, err, conformance.ErrNoResponse)
}

func spec() []byte { return testspec.Spec }

// TestLoadRejectsKeywords with their place and line.
func TestLoadRejectsKeywords(t *testing.T) {
	t.Parallel()
	const schema = "#/paths/~1/get/responses/200/content/application~1json/schema"
	for text, want := range map[string]string{
		"{type: string, maxLenght: 3}":                     "/maxLenght: maxLenght is not a schema keyword",
		"{type: string, const: x}":                         "/const: const is not a schema keyword",
		"{not: {if: {}}}":                                  "/not/if: if is not a schema keyword",
		"{type: [string, 'null']}":                         "/type: in OpenAPI 3.0 a type is one name",
		"{type: strin}":                                    `/type: unknown type "strin"`,
		"{type: integer, minimum: 1, exclusiveMinimum: 3}": "/exclusiveMinimum: in OpenAPI 3.0 exclusiveMinimum is true or false",
		"{type: integer, exclusiveMaximum: true}":          "/exclusiveMaximum: exclusiveMaximum has no effect without the limit",
		"{enum: []}":                                       "/enum: enum must be a list with at least one entry",
		"{oneOf: []}":                                      "/oneOf: oneOf must be a list with at least one entry",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			_, err := conformance.Load([]byte("openapi: 3.0.3\ninfo: {title: t, version: '1'}\ncomponents: {schemas: {U: {type: string}}}\npaths:\n" +
				"  /: {get: {responses: {'200': {description: d, content: {application/json: {schema: " + text + "}}}}}}\n"))
			var specError *conformance.SpecError
			require.ErrorAs(t, err, &specError)
			assert.Contains(t, err.Error(), "line 5: "+schema+want)
		})
	}
}

// FuzzLoad looks for a spec that makes Load or Ledger.Add panic.
func FuzzLoad(f *testing.F) {
	f.Add(spec())
	f.Add([]byte(parameterSpec))
	f.Add([]byte("openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths: {/: {get: {responses: {'2XX': {description: d, content: {'*/*': {schema: {}}}}}}}}\n"))
	f.Add([]byte(`{"openapi":"3.0.3","info":{"title":"t","version":"1"},"paths":{"/":{"post":{"requestBody":{"content":{}},"responses":{"default":{"description":"d","x-criteria":[]}}}}}}`))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		contract, err := conformance.Load(data)
		if err != nil {
			return
		}
		for _, claim := range contract.Claims() {
			if claim.ID == "" || claim.Rule == "" || claim.Text == "" || len(claim.Uses) == 0 || len(claim.Places) == 0 {
				t.Fatalf("a claim lacks a part: %+v", claim)
			}
		}
		ledger := contract.NewLedger()
		_, _ = ledger.Add(exchange(t, 201, request, `{"id":1}`))
		ledger.Report()
	})
}

// TestLoadErrorsOfJSON compares the errors for a JSON document, which must not depend on the release of Go.
func TestLoadErrorsOfJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{\n  \"openapi\": \"3.0.3\"\n  \"info\": {}}":         `line 3: as JSON: invalid character '"' after object key:value pair; as YAML: line 3: did not find expected ',' or '}'`,
		"{\n  \"openapi\": [":                                  `line 2: as JSON: unexpected EOF; as YAML: line 3: did not find expected node content`,
		"{\"openapi\": \"3.0.3\",\n\"info\": {\"title\": {}}}": "line 1: an OpenAPI document needs the field paths\nline 2: #/info: an Info Object needs the field version\nline 2: #/info/title: expected a string, found an object",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			_, err := conformance.Load([]byte(text))
			require.EqualError(t, err, want)
		})
	}
}

// TestLoadIgnoresReferencesInExtensions loads references to nothing where no reference is.
func TestLoadIgnoresReferencesInExtensions(t *testing.T) {
	t.Parallel()
	const reference = "x-a: {$ref: '#/nowhere'}, "
	text := strings.NewReplacer("  /:\n", "  x-a: {$ref: '#/nowhere'}\n  /:\n", "'200': {", reference+"'200': {"+reference).Replace(string(smallSpec("{" + reference + "}")))
	contract, err := conformance.Load([]byte(text))
	require.NoError(t, err)
	assert.Len(t, contract.Unchecked, 1)
}
