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

// TestSchemaHasEveryMember walks the Go types and the schema side by side, so that a member is in both or in none, and
// is required just where it is always written.
func TestSchemaHasEveryMember(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../docs/report.schema.json")
	require.NoError(t, err)
	var schema map[string]any
	require.NoError(t, json.Unmarshal(data, &schema))
	defs := schema["$defs"].(map[string]any)
	seen := map[string]bool{}
	var compare func(at string, of reflect.Type, node map[string]any)
	compare = func(at string, of reflect.Type, node map[string]any) {
		if ref, ok := node["$ref"].(string); ok {
			name := strings.TrimPrefix(ref, "#/$defs/")
			seen[name] = true
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
			members := map[string]reflect.Type{}
			var required []any
			for _, f := range reflect.VisibleFields(of) {
				name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
				if f.Anonymous || name == "-" {
					continue
				}
				require.NotEmpty(t, name, "%s: %s has no name in JSON", at, f.Name)
				members[name] = f.Type
				if !strings.Contains(options, "omitempty") {
					required = append(required, name)
				}
			}
			properties, _ := node["properties"].(map[string]any)
			require.ElementsMatch(t, slices.Collect(maps.Keys(members)), slices.Collect(maps.Keys(properties)), at)
			listed, _ := node["required"].([]any)
			assert.ElementsMatch(t, required, listed, "%s: required", at)
			for name, member := range members {
				compare(at+"/"+name, member, properties[name].(map[string]any))
			}
		}
	}
	compare("", reflect.TypeFor[conformance.Report](), schema)
	for name := range defs {
		assert.True(t, seen[name], "nothing refers to %s", name)
	}
}
