package report_test

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// TestSchemaHasEveryProperty walks the Go types and the schema side by side: they have the same properties, and those
// without omitempty are required.
func TestSchemaHasEveryProperty(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../docs/report.schema.json")
	require.NoError(t, err)
	var schema map[string]any
	require.NoError(t, json.Unmarshal(data, &schema))
	defs := schema["$defs"].(map[string]any)
	used := map[string]bool{}
	var compare func(at string, of reflect.Type, node map[string]any)
	compare = func(at string, of reflect.Type, node map[string]any) {
		if ref, ok := node["$ref"].(string); ok {
			name := strings.TrimPrefix(ref, "#/$defs/")
			used[name] = true
			node = defs[name].(map[string]any)
		}
		switch of.Kind() {
		case reflect.Pointer:
			compare(at, of.Elem(), node)
		case reflect.Slice:
			require.Equal(t, "array", node["type"], at)
			compare(at+"/*", of.Elem(), node["items"].(map[string]any))
		case reflect.Struct:
			require.Equal(t, "object", node["type"], at)
			assert.Equal(t, false, node["additionalProperties"], "%s is closed", at)
			fields := map[string]reflect.Type{}
			var required []any
			for _, f := range reflect.VisibleFields(of) {
				name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
				if f.Anonymous || name == "-" {
					continue
				}
				require.NotEmpty(t, name, "%s: %s has no name in JSON", at, f.Name)
				fields[name] = f.Type
				if !strings.Contains(options, "omitempty") {
					required = append(required, name)
				}
			}
			properties, _ := node["properties"].(map[string]any)
			require.ElementsMatch(t, slices.Collect(maps.Keys(fields)), slices.Collect(maps.Keys(properties)), at)
			listed, _ := node["required"].([]any)
			assert.ElementsMatch(t, required, listed, "%s: required", at)
			for name, field := range fields {
				compare(at+"/"+name, field, properties[name].(map[string]any))
			}
		}
	}
	compare("", reflect.TypeFor[conformance.Report](), schema)
	for name := range defs {
		assert.True(t, used[name], "nothing refers to %s", name)
	}
}
