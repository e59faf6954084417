package sandbox

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// TestInteger has the notations of an integer, and values that stay as they are.
func TestInteger(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"1.0": "1", "-1.00e0": "-1", "1e1": "10", "0.1e1": "1", "100e-2": "1", "-0.0": "0", "0e9": "0", "123456789012345.0": "123456789012345",
		"9223372036854775807": "9223372036854775807", "9007199254740993.0": "9007199254740993.0", "1e99999999999999999999": "1e99999999999999999999",
		"1.5": "1.5", "-1e1000000000": "-1e1000000000", "true": "true", `"1.0"`: `"1.0"`, "[]": "[]", "": "",
	} {
		t.Run(raw, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, want, integer(raw))
		})
	}
}

// TestInputAgreesWithTheChecks compares with the generated checks, for values that break each of them.
func TestInputAgreesWithTheChecks(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 256)
	for _, body := range []string{
		`{"vehicle_id":1,"code":"P0420"}`, `{"vehicle_id":0,"code":"P0420"}`, `{"vehicle_id":-1,"code":"P0420"}`, `{}`, `{"vehicle_id":1,"code":""}`,
		`{"vehicle_id":1,"code":"` + long + `"}`, `{"vehicle_id":1,"code":"x","name":"` + long + `"}`, `{"vehicle_id":1,"code":"x","external_id":"` + long + `"}`,
		`{"vehicle_id":1,"code":"x","status":"closed"}`, `{"vehicle_id":1,"code":"x","status":"ignored","count":-3,"description":"","source":"x"}`,
		`{"vehicle_id":1,"code":"x","last_occurred_at":"2026-11-24T03:00:00.5-06:00"}`,
	} {
		t.Run(body[:min(len(body), 60)], func(t *testing.T) {
			t.Parallel()
			var fault fleetioapi.FaultCreate
			require.NoError(t, json.Unmarshal([]byte(body), &fault))
			want, got := map[string]bool{}, map[string]bool{}
			for _, v := range fleetioapi.CheckFaultCreate(&fault) {
				want[v.Field] = true
			}
			in := readInput(fleetioapi.FaultCreateSchema, []byte(body))
			for property := range in.problems {
				got[property] = true
			}
			assert.Equal(t, want, got)
			if len(want) == 0 {
				assert.Equal(t, maps.Collect(properties([]byte(body))), in.values, "all of it is read")
			}
		})
	}
}

// FuzzReadInput compares with encoding/json, which is less strict.
func FuzzReadInput(f *testing.F) {
	for _, seed := range []string{
		"", " \n", `{}`, `{"code":"a","code":"b"}`, `{"c\u006fde" : "x" , "x":[true,false,null,[],{}]}`, `{"name":"\ud83d\ude00é\"\\\/\b"}`,
		`{"name":"\ud83d"}`, `{"name":"\\ud83d"}`, `{"name":"\ude00\ud83d"}`, "{\"a\":\"\xff\"}", `[1]`, `{}}`, "\uFEFF{}", `{"name":null`, `{"count":1e2}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		in := readInput(fleetioapi.FaultCreateSchema, body)
		var want map[string]json.RawMessage
		switch err := json.Unmarshal(body, &want); {
		case err != nil || want == nil || !utf8.Valid(body):
			assert.NotEmpty(t, in.problems["base"])
		case in.problems["base"] != nil:
			assert.Contains(t, strings.ToLower(string(body)), `\ud`)
		default:
			in = &input{values: map[string]string{}}
			in.object(body)
			assert.Len(t, in.values, len(want))
			for name, value := range want {
				assert.Equal(t, string(value), in.values[name])
			}
		}
	})
}
