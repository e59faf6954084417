package against_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/against"
	"github.com/fleetcontract/fleetio-go/conformance"
)

func shop(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/shop.yaml")
	require.NoError(t, err)
	return string(text)
}

// compared compares the shop with another document. It returns the contradictions, and what only the other has.
func compared(t *testing.T, name, other string) (*against.Comparison, []string) {
	t.Helper()
	contract, err := conformance.LoadFile("testdata/shop.yaml")
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(other), 0o600))
	c, err := against.Compare(contract, path)
	require.NoError(t, err)
	var found []string
	lines := strings.Split(other, "\n")
	for _, claim := range c.Claims {
		assert.Equal(t, claim.Verdict == against.Silent, claim.Other == nil)
		if claim.Verdict == against.Contradicts {
			found = append(found, fmt.Sprintf("%s %s %s: %s, not %s", claim.Part, claim.Places[0], claim.Rule, claim.Other.Text, claim.Text))
			assert.LessOrEqual(t, claim.Other.Spec.Line, len(lines))
		}
	}
	for _, a := range c.Additions {
		found = append(found, fmt.Sprintf("only there: %s %s %s", a.Part, a.Pointer, a.What))
	}
	return c, found
}

// TestDifferences plants one difference each.
func TestDifferences(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		from, to string
		found    []string
	}{
		"nothing":          {"", "", nil},
		"maxLength":        {"maxLength: 80", "maxLength: 100", []string{"request.body /item maxLength: at most 100 characters, not at most 80 characters"}},
		"minLength":        {"minLength: 1", "minLength: 2", []string{"request.body /item minLength: at least 2 characters, not at least 1 characters"}},
		"pattern":          {"^[A-Z]", "^[a-z]", []string{"request.body /item pattern: a match of ^[a-z], not a match of ^[A-Z]"}},
		"minimum":          {"minimum: 1, maximum", "minimum: 0, maximum", []string{"request.body /count minimum: at least 0, not at least 1"}},
		"maximum":          {"maximum: 99", "maximum: 100", []string{"request.body /count maximum: at most 100, not at most 99"}},
		"exclusiveMinimum": {"exclusiveMinimum: true, ", "", []string{"request.body /price exclusiveMinimum: at least 0, not more than 0"}},
		"multipleOf":       {"0.01", "0.1", []string{"request.body /price multipleOf: a multiple of 0.1, not a multiple of 0.01"}},
		"width":            {"int32", "int64", []string{"request.body /count format: format int64, not format int32"}},
		"format":           {"format: date-time", "format: date", []string{"request.body /due format: format date, not format date-time"}},
		"type":             {"note: {type: string", "note: {type: integer", []string{"response.body /note type: an integer, not a string"}},
		"integer":          {"count: {type: integer, format: int32", "count: {type: number", []string{"request.body /count type: a number, not an integer"}},
		"enum":             {"[gift, sale]", "[gift, sale, loan]", []string{"request.body /kind enum: one of gift, sale, loan, not one of gift, sale"}},
		"fewer in an enum": {"[open, done]", "[open]", []string{"response.body /state enum: one of open, not one of open, done"}},
		"nullable":         {", nullable: true", "", []string{"response.body /note nullable: not null, not may be null"}},
		"may be null":      {"state: {type: string", "state: {type: string, nullable: true", []string{"response.body /state type: may be null, not a string"}},
		"optional":         {"required: [item, count]", "required: [item]", []string{"request.body /count required: optional, not the property count"}},
		"all optional":     {"      required: [item, count]\n", "", []string{"request.body /item required: optional, not the property item", "request.body /count required: optional, not the property count"}},
		"maybe absent":     {"required: [id, state]", "required: [id]", []string{"response.body /state required: optional, not the property state"}},
		"minItems":         {"minItems: 1", "minItems: 2", []string{"request.body /tags minItems: at least 2 items, not at least 1 items"}},
		"maxItems":         {"maxItems: 5", "maxItems: 6", []string{"request.body /tags maxItems: at most 6 items, not at most 5 items"}},
		"items":            {"items: {type: string}", "items: {type: integer}", []string{"request.body /tags/* type: an integer, not a string"}},
		"minProperties":    {"minProperties: 1", "minProperties: 2", []string{"request.body /place minProperties: at least 2 properties, not at least 1 properties"}},
		"maxProperties":    {"maxProperties: 3", "maxProperties: 4", []string{"request.body /place maxProperties: at most 4 properties, not at most 3 properties"}},
		"any property":     {"additionalProperties: {type: string}", "additionalProperties: {type: boolean}", []string{"request.body /place/* type: a boolean, not a string"}},
		"parameter":        {"in: query, required: true", "in: query", []string{"request.query /dry required: optional, not the query parameter dry"}},
		"header":           {"maxLength: 40", "maxLength: 41", []string{"request.header /X-Trace maxLength: at most 41 characters, not at most 40 characters"}},
		"path parameter":   {"format: int64, minimum: 1", "format: int64, minimum: 0", []string{"request.path /id minimum: at least 0, not at least 1"}},
		"response header":  {"Location: {required: true, ", "Location: {", []string{"response.header /Location required: optional, not the header Location"}},
		"no body needed":   {"        required: true\n", "", []string{"request.body  body: a body is optional, not a body"}},
		"success":          {"'201'", "'200'", []string{"response.status  status: status 200 is a documented response, not status 201 is a documented response", "only there: response.status  status"}},
		"credential": {"name: X-Key", "name: X-Token", []string{"request.header /X-Key security: rejected without the credential X-Token, not rejected without the credential X-Key",
			"only there: request.header /X-Token security"}},
		"media type": {"application/json:\n            schema: {$ref: '#/components/schemas/NewOrder'}", "application/xml:\n            schema: {type: object}",
			[]string{"request.header /Content-Type media-type: media type application/xml, not media type application/json", "only there: request.header /Content-Type media-type"}},
		"another status":   {"        '422':", "        '404': {description: Gone.}\n        '422':", []string{"only there: response.status  status"}},
		"another property": {"        due:", "        color: {type: object, properties: {red: {type: integer}}}\n        due:", []string{"only there: request.body /color property"}},
		"another keyword":  {"state: {type: string,", "state: {type: string, maxLength: 9,", []string{"only there: response.body /state maxLength"}},
		"required there":   {"required: [id, state]", "required: [id, state, note]", []string{"only there: response.body /note required"}},
		"other parameter":  {"        - {name: X-Trace", "        - {name: page, in: query, schema: {type: integer}}\n        - {name: X-Trace", []string{"only there: request.query /page parameter"}},
		"less":             {"minLength: 1, maxLength: 80, pattern: '^[A-Z]'", "description: An item.", nil},
		"no properties":    {"      required: [id, state]\n", "", nil}, // it may only not say so
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := shop(t)
			require.Contains(t, text, test.from)
			_, found := compared(t, "other.yaml", strings.Replace(text, test.from, test.to, 1))
			assert.ElementsMatch(t, test.found, found)
		})
	}
}

// TestSame has documents that say the same in other words, and mistakes where it does not matter.
func TestSame(t *testing.T) {
	t.Parallel()
	text := shop(t)
	var tree any
	require.NoError(t, yaml.Unmarshal([]byte(text), &tree))
	inJSON, err := json.Marshal(tree)
	require.NoError(t, err)
	for name, other := range map[string]string{
		"other.json": string(inJSON),
		"names.yaml": strings.NewReplacer("Order'", "Purchase'", "Order:", "Purchase:", "addOrder", "create", "getOrder", "read", "{id}", "{order_id}",
			"name: id", "name: order_id").Replace(text),
		"server.yaml":    strings.NewReplacer("/api/v2", "", "/orders", "/v2/orders").Replace(text),
		"variables.yaml": strings.Replace(text, "url: https://shop.example.com/api/v2", "url: 'https://{host}/{v}', variables: {host: {default: h}, v: {default: api/v2}}", 1),
		"unlike.yaml":    strings.Replace(text, "  /orders:\n", "  /broken/{id}: {get: {responses: {'200': {description: x}}}}\n  /orders:\n", 1),
		"none.yaml":      strings.Replace(text, "servers: [{url: https://shop.example.com/api/v2}]\n", "", 1),
		"inline.yaml":    strings.NewReplacer("{$ref: '#/components/schemas/Customer'}", "{type: object, properties: {name: {type: string}}}").Replace(text),
		"allof.yaml":     strings.NewReplacer("{$ref: '#/components/schemas/Customer'}", "{allOf: [{$ref: '#/components/schemas/Customer'}]}").Replace(text),
		"order.yaml":     strings.NewReplacer("[gift, sale]", "[sale, gift]").Replace(text),
		"broken.yaml": strings.NewReplacer("  /orders:\n", "  /broken:\n    get: {responses: {'200': {description: x, content: {a/b: {schema: {$ref: '#/nowhere'}}}}}}\n  /orders:\n",
			"    Problem:\n", "    Broken: {type: strin}\n    Problem:\n").Replace(text),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, found := compared(t, name, other)
			assert.Empty(t, found)
			for _, claim := range c.Claims {
				assert.NotEqual(t, against.Silent, claim.Verdict, claim.ID)
			}
			assert.Empty(t, c.Missing)
			assert.Equal(t, strings.Count(other, "/broken"), c.OtherOperations)
		})
	}
}

// TestLines has the line of both places.
func TestLines(t *testing.T) {
	t.Parallel()
	c, _ := compared(t, "other.yaml", "# a comment\n"+strings.Replace(shop(t), "maxLength: 80", "maxLength: 81", 1))
	for _, claim := range c.Claims {
		if claim.Other != nil && claim.Rule != "required" {
			assert.Equal(t, claim.Spec.Line+1, claim.Other.Spec.Line, claim.ID)
		}
	}
}

// TestMistakes has mistakes in what is compared: the rest of the document still counts.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ from, to string }{
		"a text for a number":    {"maxLength: 80", "maxLength: '80'"},
		"an unknown field":       {"      operationId: addOrder", "      surprise: 1\n      operationId: addOrder"},
		"a reference to nothing": {"of: {$ref: '#/components/schemas/Customer'}", "of: {$ref: '#/components/schemas/Nobody'}"},
		"an unknown type":        {"price: {type: number", "price: {type: decimal"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(shop(t), test.from, test.to, 1)
			c, found := compared(t, "other.yaml", text)
			assert.Empty(t, found)
			if assert.Equal(t, test.from == "", len(c.Mistakes) == 0); len(c.Mistakes) > 0 {
				assert.Greater(t, c.Mistakes[0].Spec.Line, 1)
			}
		})
	}
}

// TestNullableReference has nullable beside a reference, which means what it says.
func TestNullableReference(t *testing.T) {
	t.Parallel()
	text := strings.Replace(shop(t), "note: {type: string, nullable: true}", "note: {$ref: '#/components/schemas/Note', nullable: true}", 1)
	_, found := compared(t, "other.yaml", strings.Replace(text, "    Problem:\n", "    Note: {type: string}\n    Problem:\n", 1))
	assert.Empty(t, found)
}

func TestErrors(t *testing.T) {
	t.Parallel()
	contract, err := conformance.LoadFile("testdata/shop.yaml")
	require.NoError(t, err)
	for name, test := range map[string]struct{ text, err string }{
		"no YAML": {"a: [", "did not find"}, "no spec": {"a: 1", "openapi"}, "Swagger": {"swagger: '2.0'\npaths: {}", "2.0"},
		"another API": {strings.ReplaceAll(shop(t), "/orders", "/goods"), "no operation"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "other.yaml")
			require.NoError(t, os.WriteFile(path, []byte(test.text), 0o600))
			_, err := against.Compare(contract, path)
			require.ErrorContains(t, err, test.err)
		})
	}
	_, err = against.Compare(contract, "testdata/none.yaml")
	require.ErrorIs(t, err, os.ErrNotExist)
}

// large is a document with 35,000 lines: the shop among other operations.
func large(tb testing.TB) string {
	tb.Helper()
	text, err := os.ReadFile("testdata/shop.yaml")
	require.NoError(tb, err)
	paths, schemas := new(strings.Builder), new(strings.Builder)
	for i := 0; strings.Count(paths.String(), "\n")+strings.Count(schemas.String(), "\n") < 35_000; i++ {
		fmt.Fprintf(paths, "  /things%d:\n    get:\n      operationId: things%d\n      parameters:\n        - name: page\n          in: query\n          schema:\n"+
			"            type: integer\n      responses:\n        '200':\n          description: Things.\n          content:\n            application/json:\n"+
			"              schema:\n                $ref: '#/components/schemas/Thing%d'\n", i, i, i)
		fmt.Fprintf(schemas, "    Thing%d:\n      type: object\n      required:\n        - id\n      properties:\n        id:\n          type: integer\n"+
			"        name:\n          type: string\n          maxLength: %d\n          example: A\n        next:\n          $ref: '#/components/schemas/Thing%d'\n", i, i+1, i/2)
	}
	return strings.NewReplacer("paths:\n", "paths:\n"+paths.String(), "  schemas:\n", "  schemas:\n"+schemas.String()).Replace(string(text))
}

func BenchmarkLarge(b *testing.B) {
	contract, err := conformance.LoadFile("testdata/shop.yaml")
	require.NoError(b, err)
	path := filepath.Join(b.TempDir(), "large.yaml")
	require.NoError(b, os.WriteFile(path, []byte(large(b)), 0o600))
	for b.Loop() {
		c, err := against.Compare(contract, path)
		require.NoError(b, err)
		require.Positive(b, c.OtherOperations)
	}
}

func TestLarge(t *testing.T) {
	t.Parallel()
	started := time.Now()
	c, found := compared(t, "large.yaml", large(t))
	t.Log(time.Since(started))
	assert.Empty(t, found)
	assert.Greater(t, c.OtherOperations, 1000)
}
