package suites

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	_ "github.com/xeipuuv/gojsonschema" // has the tests in testdata

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// group is a schema of the suite with its tests.
type group struct {
	Description string
	Schema      any
	Tests       []struct {
		Description string
		Data        json.RawMessage
		Valid       bool
	}
}

// TestDraft4 checks each value as the body of a response with the schema.
func TestDraft4(t *testing.T) {
	t.Parallel()
	folder := testdata(t)
	checked := 0
	differences := maps.Clone(differing) // that were not met
	differ := func(t *testing.T, name, what string) {
		t.Helper()
		assert.NotEmpty(t, differing[name], "%s: %s", name, what)
		delete(differences, name)
	}
	for _, pattern := range []string{"*.json", "optional/*.json"} {
		files, err := filepath.Glob(filepath.Join(folder, pattern))
		require.NoError(t, err)
		for _, file := range files {
			name, err := filepath.Rel(folder, file)
			require.NoError(t, err)
			for _, g := range read(t, file) {
				id := strings.TrimSuffix(filepath.ToSlash(name), ".json") + ": " + g.Description
				contract, err := conformance.Load(spec(t, g.Schema))
				if err != nil {
					differ(t, id, err.Error())
					continue
				}
				for _, test := range g.Tests {
					checked++
					if valid := check(t, contract, test.Data); valid != test.Valid {
						differ(t, id+": "+test.Description, string(test.Data))
					}
				}
			}
		}
	}
	assert.Empty(t, differences, "expected differences that are none")
	assert.Greater(t, checked, minChecked)
	t.Logf("%d tests, %d expected differences", checked, len(differing))
}

// minChecked is about the number of tests, so that a suite that is not read does not pass.
const minChecked = 250

// testdata returns the folder of the suite in the module cache.
func testdata(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/xeipuuv/gojsonschema").Output()
	require.NoError(t, err)
	return filepath.Join(strings.TrimSpace(string(out)), "testdata", "draft4")
}

func read(t *testing.T, file string) (groups []group) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // a number is as it is written
	require.NoError(t, decoder.Decode(&groups))
	return groups
}

// spec returns an OpenAPI document whose only response has a schema.
func spec(t *testing.T, schema any) []byte {
	t.Helper()
	schemas := map[string]any{}
	schemas["Root"] = express(schema, schemas)
	type object = map[string]any
	text, err := json.Marshal(object{"openapi": "3.0.3", "info": object{"title": "t", "version": "1"}, "components": object{"schemas": schemas},
		"paths": object{"/": object{"get": object{"responses": object{"200": object{"description": "d",
			"content": object{"application/json": object{"schema": object{"$ref": "#/components/schemas/Root"}}}}}}}}})
	require.NoError(t, err)
	return text
}

// express writes a schema of draft 4 as one of OpenAPI 3.0, with the same meaning: its types are one name, arrays need items,
// and definitions are components. It leaves what OpenAPI does not have to the checker, which rejects it.
func express(node any, components map[string]any) any {
	schema, isObject := node.(map[string]any)
	if !isObject {
		return node
	}
	definitions, _ := schema["definitions"].(map[string]any)
	for name, definition := range definitions {
		components[name] = express(definition, components)
	}
	if ref, isText := schema["$ref"].(string); isText {
		switch {
		case ref == "#":
			ref = "#/components/schemas/Root"
		case strings.HasPrefix(ref, "#/definitions/"):
			ref = strings.Replace(ref, "#/definitions", "#/components/schemas", 1)
		case strings.HasPrefix(ref, "#/"):
			ref = strings.Replace(ref, "#", "#/components/schemas/Root", 1)
		}
		return map[string]any{"$ref": ref}
	}
	result := map[string]any{}
	for keyword, value := range schema {
		switch keyword {
		case "properties":
			properties := map[string]any{}
			for name, property := range value.(map[string]any) {
				properties[name] = express(property, components)
			}
			result[keyword] = properties
		case "allOf", "anyOf", "oneOf":
			var list []any
			for _, part := range value.([]any) {
				list = append(list, express(part, components))
			}
			result[keyword] = list
		case "items", "not", "additionalProperties":
			result[keyword] = express(value, components)
		case "type", "definitions":
		default:
			result[keyword] = value
		}
	}
	switch types := schema["type"].(type) {
	case string:
		for keyword, value := range typed(types) {
			if result[keyword] == nil {
				result[keyword] = value
			}
		}
	case []any:
		var alternatives []any
		for _, name := range types {
			alternatives = append(alternatives, typed(name.(string)))
		}
		return map[string]any{"allOf": []any{map[string]any{"anyOf": alternatives}, result}}
	}
	return result
}

// typed returns a schema for a type.
func typed(name string) map[string]any {
	switch name {
	case "null":
		return map[string]any{"enum": []any{nil}}
	case "array":
		return map[string]any{"type": name, "items": map[string]any{}}
	}
	return map[string]any{"type": name}
}

// check reports whether a value conforms to the contract of a schema.
func check(t *testing.T, contract *conformance.Contract, body []byte) bool {
	t.Helper()
	findings, err := contract.Check(&traffic.Exchange{Method: http.MethodGet, URL: &url.URL{Path: "/"}, Status: http.StatusOK,
		Response: traffic.Message{Header: http.Header{"Content-Type": {"application/json"}}, Body: body}})
	require.NoError(t, err)
	return !slices.ContainsFunc(findings, func(f conformance.Finding) bool { return f.Fails() })
}
