package fleetio_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestFaultRoundTrip decodes and encodes faults: what was absent stays absent, what was null stays null. The files
// have their members in the order of the generated struct, so the bytes are compared.
func TestFaultRoundTrip(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/wire/fault-*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var fault fleetioapi.Fault
		require.NoError(t, json.Unmarshal(data, &fault), file)
		got, err := json.MarshalIndent(fault, "", "  ")
		require.NoError(t, err)
		assert.Equal(t, strings.TrimSpace(string(data)), string(got), file)
	}
}

// TestFaultRoundTripOfEachMember takes every nullable member through its three states, alone.
func TestFaultRoundTripOfEachMember(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/wire/fault-complete.json")
	require.NoError(t, err)
	var complete map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(data, &complete))
	required := map[string]bool{"id": true, "account_id": true, "code": true, "status": true, "is_sample": true}
	optional := map[string]bool{"created_at": true, "updated_at": true} // may be absent, not null
	for name, value := range complete {
		if required[name] {
			continue
		}
		for _, state := range []json.RawMessage{value, []byte("null"), nil} {
			if optional[name] && string(state) == "null" {
				continue
			}
			in := map[string]json.RawMessage{}
			maps.Copy(in, complete)
			if in[name] = state; state == nil {
				delete(in, name)
			}
			text, err := json.Marshal(in)
			require.NoError(t, err)
			var fault fleetioapi.Fault
			require.NoError(t, json.Unmarshal(text, &fault))
			out, err := json.Marshal(fault)
			require.NoError(t, err)
			assert.JSONEq(t, string(text), string(out), "%s %s", name, state)
		}
	}
}

// TestFaultCreateBytes holds what goes over the wire: an optional field that is not set is not sent.
func TestFaultCreateBytes(t *testing.T) {
	t.Parallel()
	zero, empty, status := int64(0), "", fleetioapi.FaultStatusResolved
	at := time.Date(2023, 3, 14, 13, 46, 27, 0, time.FixedZone("", -6*60*60))
	for name, in := range map[string]fleetioapi.FaultCreate{
		"create-minimal": {VehicleID: 4711, Code: "P0420"},
		"create-zeros":   {VehicleID: 4711, Code: "P0420", Count: &zero, Description: &empty, ExternalID: &empty, Name: &empty, Source: &empty},
		"create-values":  {VehicleID: 4711, Code: "P0420", LastOccurredAt: &at, Status: &status},
	} {
		got, err := json.MarshalIndent(in, "", "  ")
		require.NoError(t, err)
		path := "testdata/wire/" + name + ".json"
		if *update {
			require.NoError(t, os.WriteFile(path, append(got, '\n'), 0o600))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, string(bytes.TrimSpace(want)), string(got), "%s; -update writes it anew", path)
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
