package sandbox

import (
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// TestParseInteger has numbers that are long, or at an edge.
func TestParseInteger(t *testing.T) {
	t.Parallel()
	zeros := strings.Repeat("0", 900)
	for raw, want := range map[string]any{
		"1.0": 1, "-1.00e0": -1, "1e1": 10, "0.1e1": 1, "100e-2": 1, "-0.0": 0, "0e9": 0, "123456789012345.0": 123456789012345,
		"9223372036854775807": 9223372036854775807, "-9223372036854775808": -9223372036854775808,
		"9223372036854775808": errTooBig, "-9223372036854775809": errTooSmall, "1" + zeros: errTooBig, "-1" + zeros: errTooSmall,
		"1e99999999999999999999": errTooBig, "-1e1000000000": errTooSmall, "9223372036854775808.0": errTooBig,
		"1." + zeros + "1": errNoInteger, "1e-99999999999999999999": errNoInteger, "0.5": errNoInteger, "9007199254740993e0": errNoInteger, "1." + zeros: errNoInteger,
		"true": errNoNumber, `"1"`: errNoNumber, "[]": errNoNumber,
	} {
		t.Run(raw[:min(len(raw), 30)], func(t *testing.T) {
			t.Parallel()
			n, err := parseInteger(raw)
			if number, is := want.(int); is {
				require.NoError(t, err)
				assert.Equal(t, int64(number), n)
			} else {
				assert.Equal(t, want, err)
			}
		})
	}
}

// FuzzParseInteger compares with exact arithmetic.
func FuzzParseInteger(f *testing.F) {
	for _, seed := range []string{"1", "-0", "1.0", "1e3", "12e-1", "1e400", "9223372036854775808", "-9223372036854775808", "0.1e1", "100e-2", "1e-400", "0e-400"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if !json.Valid([]byte(raw)) || strings.ContainsAny(raw, "\"{[tfn \t\r\n") {
			return
		}
		_, exponent, _ := strings.Cut(strings.ToLower(raw), "e")
		if power, err := strconv.Atoi(exponent); exponent != "" && (err != nil || power > 1000 || power < -1000) {
			return // takes exact arithmetic too long
		}
		exact, ok := new(big.Rat).SetString(raw)
		require.True(t, ok, raw)
		n, err := parseInteger(raw)
		got := new(big.Rat).SetInt64(n)
		switch {
		case err == nil:
			assert.Zero(t, exact.Cmp(got), raw)
		case errors.Is(err, errTooBig):
			assert.Positive(t, exact.Cmp(got), raw)
		case errors.Is(err, errTooSmall):
			assert.Negative(t, exact.Cmp(got), raw)
		default:
			require.ErrorIs(t, err, errNoInteger)
			assert.False(t, exact.IsInt() && len(raw) < 10 && exact.Num().BitLen() <= 53, raw)
		}
	})
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
			in := readInput([]byte(body))
			for property := range in.problems {
				got[property] = true
			}
			assert.Equal(t, want, got)
			if len(want) == 0 {
				assert.Equal(t, maps.Collect(properties(body)), in.values, "all of it is read")
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
		in := readInput(body)
		var want map[string]json.RawMessage
		switch err := json.Unmarshal(body, &want); {
		case err != nil || want == nil || !utf8.Valid(body):
			assert.NotEmpty(t, in.problems["base"])
		case in.problems["base"] != nil:
			assert.Contains(t, strings.ToLower(string(body)), `\ud`)
		default:
			sent := in.object(body)
			assert.Len(t, sent, len(want))
			for name, value := range want {
				assert.Equal(t, string(value), sent[name])
			}
		}
	})
}
