package fleetio_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
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
	if len(schema.AllOf) > 0 || schema.Type.Is("object") {
		object := map[string]any{}
		for _, part := range schema.AllOf {
			of, isObject := sample(nil, part.Value).(map[string]any)
			if !isObject {
				return sample(nil, part.Value)
			}
			maps.Copy(object, of)
		}
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
	case "string byte":
		return "aGk="
	case "string uuid":
		return "9f1c6cbe-06c4-4a64-8f3b-3a1f5d2c7e90"
	default:
		return map[string]any{
			"string": "a text", "integer": 7, "number": 1.5, "boolean": true, "array": []any{},
		}[kind]
	}
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
