package fleetio_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestFaultRoundTrip decodes and encodes faults: what was absent stays absent, what was null stays null. The files
// have their properties in the order of the generated struct, so the bytes are compared.
func TestFaultRoundTrip(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/wire/fault-*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var fault fleetio.Fault
		require.NoError(t, json.Unmarshal(data, &fault), file)
		got, err := json.MarshalIndent(fault, "", "  ")
		require.NoError(t, err)
		assert.Equal(t, strings.TrimSpace(string(data)), string(got), file)
	}
}

// TestFaultRoundTripOfEachProperty takes every property that the spec has through each state that it may be in, alone. A
// nullable one may also be absent: where it is required that is a deviation, but not for the types to repair.
func TestFaultRoundTripOfEachProperty(t *testing.T) {
	t.Parallel()
	doc := loadSpec(t)
	schema := doc.Components.Schemas["Fault"].Value
	created := doc.Paths.Value("/api/v1/faults").Post.Responses.Value("201").Value
	example, ok := created.Content["application/json"].Examples["complete"].Value.Value.(map[string]any)
	require.True(t, ok, "the example is an object")
	complete := map[string]any{}
	for name, property := range schema.Properties {
		complete[name] = sample(example[name], property.Value)
	}
	type absent struct{}
	for name, property := range schema.Properties {
		states := []any{complete[name]}
		if property.Value.Nullable {
			states = append(states, nil)
		}
		if property.Value.Nullable || !slices.Contains(schema.Required, name) {
			states = append(states, absent{})
		}
		for _, state := range states {
			in := maps.Clone(complete)
			if in[name] = state; state == (absent{}) {
				delete(in, name)
			}
			text, err := json.Marshal(in)
			require.NoError(t, err)
			var fault fleetio.Fault
			require.NoError(t, json.Unmarshal(text, &fault), "%s %#v", name, state)
			out, err := json.Marshal(fault)
			require.NoError(t, err)
			assert.Equal(t, only(t, name, text), only(t, name, out), "%s", name)
		}
	}
}

// only returns one property of a JSON object, or nothing, so that each failure is about one property.
func only(t *testing.T, name string, object []byte) map[string]any {
	t.Helper()
	var properties map[string]any
	require.NoError(t, json.Unmarshal(object, &properties))
	maps.DeleteFunc(properties, func(other string, _ any) bool { return other != name })
	return properties
}

func loadSpec(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(api.Spec)
	require.NoError(t, err)
	return doc
}

// sample returns a value that is not null: the example of the whole, else the schema's own, else one of its type.
func sample(example any, schema *openapi3.Schema) any {
	switch {
	case example != nil:
		return example
	case schema.Example != nil:
		return schema.Example
	case len(schema.Enum) > 0:
		return schema.Enum[0]
	}
	if schema.Type.Is("object") {
		object := map[string]any{}
		for _, name := range schema.Required {
			object[name] = sample(nil, schema.Properties[name].Value)
		}
		return object
	}
	switch kind := strings.Join(schema.Type.Slice(), " "); kind + " " + schema.Format {
	case "string date-time":
		return "2023-03-14T13:46:27-06:00"
	case "string date":
		return "2023-03-14"
	case "string uuid":
		return "9f1c6cbe-06c4-4a64-8f3b-3a1f5d2c7e90"
	default:
		return map[string]any{
			"string": "a text", "integer": 7, "number": 1.5, "boolean": true, "array": []any{},
		}[kind]
	}
}

// TestNullableProperties fails on a property that may be null and whose Go type cannot tell null from absent.
func TestNullableProperties(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../gen/fleetioapi/types.gen.go")
	require.NoError(t, err)
	for _, problem := range notNullable(t, loadSpec(t), source) {
		assert.Fail(t, problem)
	}
}

func TestNullablePropertiesFindsPointers(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData([]byte(`{openapi: 3.0.3, info: {title: t, version: "1"}, paths: {},
  components: {schemas: {
    Text: {type: string, nullable: true},
    Gone: {properties: {a: {type: string, nullable: true}}},
    Kept: {properties: {
      a: {type: string, nullable: true}, b: {type: string, nullable: true}, c: {$ref: "#/components/schemas/Text"},
      d: {type: string}, e: {type: object, properties: {f: {type: string, nullable: true}}}}}}}}`))
	require.NoError(t, err)
	const source = "package p\ntype Kept struct {\n\tA Nullable[string] `json:\"a,omitzero\"`\n" +
		"\tB *string `json:\"b,omitempty\"`\n\tC *Text `json:\"c\"`\n\tD *string `json:\"d\"`\n}\n"
	const action = ", and is no Nullable in Go: add an action to api/go.overlay.yaml"
	assert.Equal(t, []string{
		"Gone.a may be null" + action, "Kept.b may be null" + action, "Kept.c may be null" + action,
		"Kept.e.f may be null" + action,
	}, notNullable(t, doc, []byte(source)))
}

// notNullable lists the nullable properties of the component schemas that are no field of type Nullable in the struct
// of the schema's name. Those of an object within an object have no struct that could be looked at.
func notNullable(t *testing.T, doc *openapi3.T, source []byte) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.SkipObjectResolution)
	require.NoError(t, err)
	nullable := map[string]bool{} // by struct and name on the wire
	ast.Inspect(file, func(n ast.Node) bool {
		spec, _ := n.(*ast.TypeSpec)
		if spec == nil {
			return true
		}
		if fields, isStruct := spec.Type.(*ast.StructType); isStruct {
			for _, field := range fields.Fields.List {
				generic, isGeneric := field.Type.(*ast.IndexExpr)
				if !isGeneric || field.Tag == nil {
					continue
				}
				tag := reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("json")
				name, _, _ := strings.Cut(tag, ",")
				of, _ := generic.X.(*ast.Ident)
				nullable[spec.Name.Name+"."+name] = of != nil && of.Name == "Nullable"
			}
		}
		return false
	})
	var problems []string
	var visit func(at string, schema *openapi3.Schema)
	visit = func(at string, schema *openapi3.Schema) {
		for name, property := range schema.Properties {
			at := at + "." + name
			if property.Value.Nullable && !nullable[at] {
				problems = append(problems, at+" may be null, and is no Nullable in Go: add an action to api/go.overlay.yaml")
			}
			if property.Ref == "" {
				visit(at, property.Value)
			}
		}
	}
	for name, schema := range doc.Components.Schemas {
		visit(name, schema.Value)
	}
	slices.Sort(problems)
	return problems
}

// TestFaultCreateBytes holds what goes over the wire: an optional field that is not set is not sent.
func TestFaultCreateBytes(t *testing.T) {
	t.Parallel()
	zero, empty, status := int64(0), "", fleetioapi.FaultStatusResolved
	at := time.Date(2023, 3, 14, 13, 46, 27, 0, time.FixedZone("", -6*60*60))
	for name, in := range map[string]fleetioapi.FaultCreate{
		"create-minimal": {VehicleID: 4711, Code: "P0420"},
		"create-zeros": {VehicleID: 4711, Code: "P0420", Count: &zero, Description: &empty, ExternalID: &empty,
			Name: &empty, Source: &empty},
		"create-values": {VehicleID: 4711, Code: "P0420", LastOccurredAt: &at, Status: &status},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := json.MarshalIndent(in, "", "  ")
			require.NoError(t, err)
			path := "testdata/wire/" + name + ".json"
			if *update {
				require.NoError(t, os.WriteFile(path, append(got, '\n'), 0o600))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, string(bytes.TrimSpace(want)), string(got), "%s; -update writes it anew", path)
		})
	}
}

func TestNullable(t *testing.T) {
	t.Parallel()
	var absent fleetioapi.Nullable[int64]
	null, seven := fleetioapi.Null[int64](), fleetioapi.Value[int64](7)

	_, ok := absent.Get()
	assert.False(t, ok)
	assert.True(t, absent.IsZero())
	assert.False(t, absent.IsNull())
	assert.Equal(t, "absent", absent.String())

	_, ok = null.Get()
	assert.False(t, ok)
	assert.False(t, null.IsZero())
	assert.True(t, null.IsNull())
	assert.Equal(t, "null", null.String())

	value, ok := seven.Get()
	assert.True(t, ok)
	assert.Equal(t, int64(7), value)
	assert.Equal(t, "7", seven.String())
	set := map[fleetioapi.Nullable[int64]]bool{seven: true}
	assert.True(t, set[fleetioapi.Value[int64](7)], "comparable")

	var got fleetioapi.Nullable[int64]
	require.Error(t, json.Unmarshal([]byte(`"7"`), &got))
	require.NoError(t, json.Unmarshal([]byte(`7`), &got))
	require.NoError(t, json.Unmarshal([]byte(`null`), &got), "a second decode replaces the first")
	assert.Equal(t, null, got)
}
