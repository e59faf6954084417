package conformance_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// edit replaces one text of the real spec, which must be there.
func edit(t *testing.T, from, to string) []byte {
	t.Helper()
	if !strings.Contains(string(api.Spec), from) {
		t.Fatalf("the spec has no %q", from)
	}
	return []byte(strings.Replace(string(api.Spec), from, to, 1))
}

func TestLoadRefusesWhatMeansNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ old, new, err string }{
		"mark on no keyword":     {"required:\n          last_occurred_at: The", "requires:\n          last_occurred_at: The", `there is no "requires"`},
		"mark on no entry":       {"          is_sample: The mark", "          is_simple: The mark", `there is no "is_simple" at #/components/schemas/Fault/required`},
		"mark on a keyword gone": {"          nullable: false\n", "", `there is no "nullable" at #/components/schemas/Fault/properties/is_sample`},
		"mark without a reason":  {"          minimum: No page states a bound. RFC 9110, section 10.2.3, has no sign in a delay.", "          minimum: ''", "needs a reason"},
		"mark that is a number":  {"          minimum: No page states a bound. RFC 9110, section 10.2.3, has no sign in a delay.", "          minimum: 7", "needs a reason"},
		"mark that is no object": {"x-assumed:\n        required: The mark", "x-assumed: yes\n      x-was:\n        required: The mark", "x-assumed maps the keywords"},
		"mark on itself":         {"            format: No page", "            x-assumed: No page", "points at nothing"},

		"criterion on no property": {"== $request.body#/count", "== $request.body#/counts", "$request.body#/counts: the schema has no such property"},
		"when on no property":      {"when: [$request.body#/code]", "when: [$request.body#/kode]", "$request.body#/kode"},
		"criterion on no header":   {"context: $response.header.Location", "context: $response.header.Locator", "no such header"},
		"embedded in a pattern":    {"condition: /{$response.body#/id}$", "condition: /{$response.body#/ids}$", "$response.body#/ids"},
		"brace left open":          {"condition: /{$response.body#/id}$", "condition: /{$response.body#/id", "not closed"},
		"not a pattern":            {"condition: /{$response.body#/id}$", "condition: '/({$response.body#/id}'", "missing closing"},
		"unknown expression":       {"$response.body#/status == $statusCode", "$response.body#/status == $code", "$code is no expression"},
		"unknown operator":         {"$response.body#/status == $statusCode", "$response.body#/status === $statusCode", `"===" is no operator`},
		"half a comparison":        {"$response.body#/status == $statusCode", "$response.body#/status", "not one comparison"},
		"order of text":            {"$response.body#/name == $request.body#/name", "$response.body#/name <= $request.body#/name", "orders numbers and date-times, not"},
		"bare word":                {"$response.body#/status == $statusCode", "$response.body#/status == open", `"open" is neither`},
		"literal on the left":      {"$response.body#/status == $statusCode", "401 == $statusCode", "the left side"},
		"a name taken":             {"name: echoes-code", "name: echoes-count", `"echoes-count" is taken`},
		"unknown member":           {"              when: [$request.body#/code]", "              if: [$request.body#/code]", `no member "if"`},
		"unknown type":             {"type: regex", "type: jsonpath", "simple or regex"},
		"no name":                  {"- name: echoes-code\n              description", "- description", "needs a name"},
		"literal in when":          {"when: [$request.body#/code]", "when: ['true']", "always has a value"},
		"criteria out of place":    {"components:\n", "x-criteria: []\ncomponents:\n", "stands beside the content of a response"},
		"criteria that are none":   {"          x-criteria:\n            - name: location", "          x-criteria: {}\n          x-was:\n            - name: location", "x-criteria is a list"},

		"mark in a default response": {"        '500':\n", "        default:\n          x-assumed: {nonsense: guess}\n          description: d\n        '500':\n", `there is no "nonsense"`},
		"criterion on an array":      {"$response.body#/status == $statusCode", "$response.body == $statusCode", "no scalar"},
		"order of a literal":         {"$response.body#/status == $statusCode", "$response.body#/status > true", "orders numbers"},
		"no number":                  {"$response.body#/status == $statusCode", "$response.body#/status == inf", `"inf" is neither`},
		"an unknown request header":  {"when: [$request.body#/code]", "when: [$request.header.Nonsense]", "no such header of the request"},
		"a merge key":                {"          maxLength: 255\n", "          <<: {maxLength: 255}\n", "merge keys"},
		"a keyword without a value":  {"          maxLength: 255\n", "          maxLength:\n", "maxLength has no value"},
		"a second document":          {"components:\n", "---\ncomponents:\n", ""},

		"another version":      {"openapi: 3.0.3", "openapi: 3.1.0", "expected OpenAPI 3.0"},
		"unknown keyword":      {"maxLength: 255", "maxLenght: 255", "maxLenght"},
		"dangling reference":   {"$ref: '#/components/schemas/Fault'", "$ref: '#/components/schemas/Default'", "Default"},
		"reference to itself":  {"  schemas:\n    FaultCreate:\n", "  schemas:\n    Self:\n      $ref: '#/components/schemas/Self'\n    FaultCreate:\n", "/components/schemas/Self/$ref: the reference leads to itself"},
		"reference to a file":  {"$ref: '#/components/schemas/Fault'", "$ref: 'other.yaml#/Fault'", "other.yaml"},
		"unknown scheme":       {"  - apiKey: []", "  - apiToken: []", `undefined security scheme "apiToken"`},
		"a key twice":          {"maxLength: 255", "maxLength: 255\n          maxLength: 256", "maxLength"},
		"broken indentation":   {"      properties:", "   properties:", ""},
		"a pattern without RE": {"maxLength: 255", "pattern: '('", "("},
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

func TestLoadRefusesWhatIsNoSpec(t *testing.T) {
	t.Parallel()
	for _, spec := range []string{"", "\n", "null", "[]", "7", "{", "\x00", "openapi: 3.0.3", "a: &a [*a]", "<html>",
		"openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths: {}"} {
		_, err := conformance.Load([]byte(spec))
		assert.Error(t, err, "%q", spec)
	}
}

// TestLoadEndsOnCycles gives it schemas that lead in a circle.
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
	assert.Len(t, findings, 2, "items of a header are no lists")
}

func TestLoadListsWhatItDoesNotCheck(t *testing.T) {
	t.Parallel()
	for _, misspelt := range []string{"x-assume", "x-criterea"} {
		contract, err := conformance.Load(edit(t, "    FaultCreate:\n", "    FaultCreate:\n      "+misspelt+": []\n      not: {"+misspelt+": []}\n"))
		require.NoError(t, err)
		require.Len(t, contract.Unchecked, 1)
		assert.Equal(t, "the extension "+misspelt, contract.Unchecked[0].Reason)
	}

	contract, err := conformance.Load(edit(t, "        name:\n          description: A label for people.\n          type: string\n",
		"        name:\n          description: A label for people.\n          type: string\n          format: hostname\n"))
	require.NoError(t, err)
	require.Len(t, contract.Unchecked, 1)
	assert.Equal(t, "format hostname", contract.Unchecked[0].Reason)
	assert.Equal(t, "/components/schemas/FaultCreate/properties/name/format", contract.Unchecked[0].Spec.Pointer)

	contract, err = conformance.Load(edit(t, "      operationId: createFault\n",
		"      operationId: createFault\n      parameters:\n        - {name: X-Api-Version, in: header, schema: {type: string}}\n"))
	require.NoError(t, err)
	require.Len(t, contract.Unchecked, 1)
	assert.Contains(t, contract.Unchecked[0].Reason, "parameters")
}

// TestExamplesConform judges the spec by itself: each pair of a request's and a response's example is an exchange.
func TestExamplesConform(t *testing.T) {
	t.Parallel()
	contract := loadContract(t)
	doc, err := openapi3.NewLoader().LoadFromData(api.Spec)
	require.NoError(t, err)
	operation := doc.Paths.Value("/api/v1/faults").Post
	requests := operation.RequestBody.Value.Content["application/json"].Examples
	judged := 0
	for status, ref := range operation.Responses.Map() {
		for name, example := range ref.Value.Content["application/json"].Examples {
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
			assert.Empty(t, findings, "%s %s", status, name)
			judged++
		}
	}
	assert.GreaterOrEqual(t, judged, 8)
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
		u, err := url.Parse(target)
		require.NoError(t, err)
		findings, err := contract.Check(&traffic.Exchange{Method: "GET", URL: u, Status: 404,
			Response: traffic.Message{Body: []byte("x")}})
		if want == "" {
			require.ErrorIs(t, err, conformance.ErrNoOperation, target)
			continue
		}
		require.NoError(t, err, target)
		require.Len(t, findings, 1, target)
		assert.Equal(t, want, findings[0].Operation)
	}
	_, err = contract.Check(&traffic.Exchange{Method: "GET", URL: &url.URL{Path: "/base/a/me/b"}})
	require.ErrorIs(t, err, conformance.ErrNoResponse)
}

func spec() []byte { return api.Spec }

// TestLoadRefusesKeywords that nobody would look at, each with its place and line.
func TestLoadRefusesKeywords(t *testing.T) {
	t.Parallel()
	const schema = "#/paths/~1/get/responses/200/content/application~1json/schema"
	for text, want := range map[string]string{
		"{type: string, maxLenght: 3}":                        "/maxLenght: maxLenght is no keyword",
		"{type: string, const: x}":                            "/const: const is no keyword",
		"{not: {if: {}}}":                                     "/not/if: if is no keyword",
		"{type: string, pattern: '(?=a)'}":                    "/pattern: Go's regular expressions (RE2) cannot do this",
		"{type: [string, 'null']}":                            "/type: in OpenAPI 3.0 a type is one name",
		"{type: strin}":                                       `/type: "strin" is no type`,
		"{type: integer, minimum: 1, exclusiveMinimum: 3}":    "/exclusiveMinimum: in OpenAPI 3.0 exclusiveMinimum is true or false",
		"{type: integer, exclusiveMaximum: true}":             "/exclusiveMaximum: exclusiveMaximum says nothing without the limit",
		"{enum: []}":                                          "/enum: enum is an empty list",
		"{oneOf: []}":                                         "/oneOf: oneOf is an empty list",
		"{$ref: '#/components/schemas/U', nullable: true}":    "/nullable: nullable beside a $ref is ignored",
		"{allOf: [{$ref: '#/components/schemas/U', max: 3}]}": "/allOf/0/max: max beside a $ref is ignored",
	} {
		_, err := conformance.Load([]byte("openapi: 3.0.3\ninfo: {title: t, version: '1'}\ncomponents: {schemas: {U: {type: string}}}\npaths:\n" +
			"  /: {get: {responses: {'200': {description: d, content: {application/json: {schema: " + text + "}}}}}}\n"))
		var specError *conformance.SpecError
		require.ErrorAs(t, err, &specError, text)
		assert.Contains(t, err.Error(), "line 5: "+schema+want, text)
	}
}

// FuzzLoad looks for a spec that makes loading panic, or a contract that cannot judge.
func FuzzLoad(f *testing.F) {
	f.Add(spec())
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

// TestLoadErrorsOfJSON holds the words about a JSON document, which must not depend on the release of Go.
func TestLoadErrorsOfJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{\n  \"openapi\": \"3.0.3\"\n  \"info\": {}}":         `line 3: the spec cannot be loaded: as JSON: invalid character '"' after object key:value pair; as YAML: yaml: line 3: did not find expected ',' or '}'`,
		"{\n  \"openapi\": [":                                  `line 2: the spec cannot be loaded: as JSON: unexpected EOF; as YAML: yaml: line 3: did not find expected node content`,
		"{\"openapi\": \"3.0.3\",\n\"info\": {\"title\": {}}}": "the spec cannot be loaded: yaml: construct errors: line 2: cannot construct !!map into string in /info/title",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			_, err := conformance.Load([]byte(text))
			require.EqualError(t, err, want)
		})
	}
}
