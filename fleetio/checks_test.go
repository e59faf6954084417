package fleetio_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

// FuzzCheck looks for a fault that the checks let pass, and that cannot be sent as it is.
func FuzzCheck(f *testing.F) {
	f.Add(int64(4711), "P0420", "text", "open", int64(1678823187), 0)
	f.Add(int64(0), "", "\xff", "?", int64(1)<<62, -20000)
	f.Fuzz(func(t *testing.T, vehicle int64, code, text, status string, seconds int64, offset int) {
		at := time.Unix(seconds, 0).In(time.FixedZone("", offset))
		in := fleetio.FaultCreate{VehicleID: vehicle, Code: code, Name: &text, Description: &text, LastOccurredAt: &at,
			Status: new(fleetio.FaultStatus(status))}
		if fleetio.Check(in) != nil {
			return
		}
		body, err := json.Marshal(in)
		require.NoError(t, err)
		var out fleetio.FaultCreate
		require.NoError(t, json.Unmarshal(body, &out))
		assert.True(t, at.Equal(*out.LastOccurredAt))
		out.LastOccurredAt = in.LastOccurredAt
		assert.True(t, reflect.DeepEqual(in, out), "%#v %#v", in, out)
	})
}

// FuzzDecodeFault looks for a 201 that makes the client panic, or that is an error without saying that the fault was created.
func FuzzDecodeFault(f *testing.F) {
	for _, body := range []string{created, created[:50], "null", "{}", `{"id":7}x`, `{"ID":7,"id":null}`, `[{"id":1}]`, "\xff", `{"id":1e3}`} {
		f.Add(body, "application/json")
	}
	f.Fuzz(func(t *testing.T, body, media string) {
		fault, err := client(t, respond(reply{201, map[string][]string{"Content-Type": {media}}, body})).CreateFault(t.Context(), minimal)
		if err == nil {
			assert.Positive(t, fault.ID)
			return
		}
		assert.Nil(t, fault)
		assert.Equal(t, wasCreated, became(err))
		assert.Less(t, len(err.Error()), 2000)
	})
}
