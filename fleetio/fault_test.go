package fleetio_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

const unknown = `{"id":7,"vehicle_id":1,"code":"P0420","x_severity":{"a": [1e400,"<"]},"x_zone":null,"ID":8}`

// TestFaultKeepsWhatItDoesNotKnow has properties that no version knows, from a response and from JSON.
func TestFaultKeepsWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	want := map[string]json.RawMessage{"x_severity": json.RawMessage(`{"a": [1e400,"<"]}`), "x_zone": json.RawMessage(`null`), "ID": json.RawMessage("8")}
	fault, err := client(t, respond(reply{201, nil, unknown})).CreateFault(t.Context(), fleetio.FaultCreate{VehicleID: 1, Code: "P0420"})
	require.NoError(t, err)
	assert.Equal(t, want, fault.Extra)
	var decoded fleetio.Fault
	require.NoError(t, json.Unmarshal([]byte(unknown), &decoded))
	assert.Equal(t, *fault, decoded)
	text, err := json.Marshal(fault)
	require.NoError(t, err)
	var again fleetio.Fault
	require.NoError(t, json.Unmarshal(text, &again))
	assert.Equal(t, "1e400", string(again.Extra["x_severity"][6:11]))
	var object map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(text, &object))
	assert.Equal(t, "null", string(object["x_zone"]))
	assert.Equal(t, "7", string(object["id"]))
	assert.Contains(t, fault.String(), `"x_zone":null`)
	assert.Contains(t, fault.String(), `"<"`, "not escaped for HTML")

	fault.Extra = map[string]json.RawMessage{"id": json.RawMessage("9"), "x": json.RawMessage("1")}
	text, err = json.Marshal(fault)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"id":7`)
	assert.NotContains(t, string(text), `"id":9`)
	fault.Extra["x"] = json.RawMessage("{")
	_, err = json.Marshal(fault)
	require.ErrorContains(t, err, `the property "x" in Extra is no JSON`)
	assert.Contains(t, fault.String(), "no JSON: ")
}

func TestFaultUnmarshal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"id":1,"id":2}`: "its property id is repeated", `{"id":"a secret"}`: "its property id cannot be read", `[]`: "no JSON object",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			var f fleetio.Fault
			err := json.Unmarshal([]byte(text), &f)
			require.ErrorContains(t, err, want)
			assert.NotContains(t, err.Error(), "secret")
		})
	}
	f := fleetio.Fault{ID: 1}
	require.NoError(t, json.Unmarshal([]byte("null"), &f))
	assert.Equal(t, int64(1), f.ID)
}

// TestFaultsPrint prints values that have pointers, in each way that there is.
func TestFaultsPrint(t *testing.T) {
	t.Parallel()
	in := fleetio.FaultCreate{VehicleID: 4711, Code: "P0420", Count: new(int64(3)), Name: new("<b>")}
	var fault fleetio.Fault
	require.NoError(t, json.Unmarshal([]byte(`{"id":7,"vehicle_id":4711,"code":"P0420","created_at":"2026-03-14T13:46:29Z","name":null,"x":1}`), &fault))
	const printed = `{"account_id":0,"code":"P0420","created_at":"2026-03-14T13:46:29Z","id":7,"is_sample":false,"name":null,"status":"","vehicle_id":4711,"x":1}`
	for _, verb := range []string{"%v", "%+v", "%s"} {
		for _, v := range []any{in, &in} {
			assert.Equal(t, `{"code":"P0420","count":3,"name":"<b>","vehicle_id":4711}`, fmt.Sprintf(verb, v)) //nolint:testifylint // the text
		}
		for _, v := range []any{fault, &fault} {
			assert.Equal(t, printed, fmt.Sprintf(verb, v)) //nolint:testifylint // the text
		}
	}
	at := time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)
	assert.Contains(t, fleetio.FaultCreate{LastOccurredAt: &at}.String(), "no JSON: ")
}

// TestTypesConvert keeps the copies of the generated types convertible: a field that only one of them has does not compile.
func TestTypesConvert(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "P0420", fleetioapi.FaultCreate(minimal).Code)
	assert.Nil(t, fleetioapi.ListFaultsParams(fleetio.FaultFilter{}).PerPage)
	assert.Equal(t, reflect.TypeFor[fleetioapi.Fault]().NumField()+1, reflect.TypeFor[fleetio.Fault]().NumField(), "Extra")
}

// TestZeroTimeIsRefused does not send the year 1.
func TestZeroTimeIsRefused(t *testing.T) {
	t.Parallel()
	f := minimal
	f.LastOccurredAt = new(time.Time)
	require.ErrorContains(t, fleetio.Check(f), "last_occurred_at")
}
