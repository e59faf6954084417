package sandbox

import (
	"encoding/json"
	"errors"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestWholeNumber has numbers that are long, or at an edge.
func TestWholeNumber(t *testing.T) {
	t.Parallel()
	zeros := strings.Repeat("0", 1000)
	for raw, want := range map[string]any{
		"1." + zeros: 1, "-1." + zeros + "e0": -1, "1e" + zeros + "1": 10, "0." + zeros + "1e1001": 1, "1" + zeros + "e-1000": 1, "-0." + zeros: 0, "0e" + zeros + "9": 0,
		"9223372036854775807": 9223372036854775807, "-9223372036854775808": -9223372036854775808, "9223372036854775807.000e0": 9223372036854775807,
		"922337203685477580.7e1": 9223372036854775807, "-9.223372036854775808E+18": -9223372036854775808,
		"9223372036854775808": errTooBig, "-9223372036854775809": errTooSmall, "1" + zeros: errTooBig, "1e99999999999999999999": errTooBig, "-1e1000000000": errTooSmall,
		"1." + zeros + "1": errNoInteger, "1e-99999999999999999999": errNoInteger, "0.5": errNoInteger, "9223372036854775807.5": errNoInteger,
		"true": errNoNumber, `"1"`: errNoNumber,
	} {
		n, err := wholeNumber(raw)
		if number, is := want.(int); is {
			assert.NoError(t, err, raw)
			assert.Equal(t, int64(number), n, raw)
		} else {
			assert.Equal(t, want, err, raw)
		}
	}
}

// FuzzWholeNumber has exact arithmetic as its second opinion.
func FuzzWholeNumber(f *testing.F) {
	for _, seed := range []string{"1", "-0", "1.0", "1e3", "12e-1", "1e400", "9223372036854775808", "-9223372036854775808", "0.1e1", "100e-2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if !json.Valid([]byte(raw)) || strings.TrimSpace(raw) != raw || raw[0] != '-' && !isDigit(raw[0]) {
			return
		}
		_, exponent, _ := strings.Cut(strings.ToLower(raw), "e")
		if power, err := strconv.Atoi(exponent); exponent != "" && (err != nil || power > 1000 || power < -1000) {
			return // more than exact arithmetic can bear
		}
		exact, ok := new(big.Rat).SetString(raw)
		assert.True(t, ok, raw)
		n, err := wholeNumber(raw)
		switch {
		case !exact.IsInt():
			assert.ErrorIs(t, err, errNoInteger, raw)
		case exact.Num().IsInt64():
			assert.NoError(t, err, raw)
			assert.Equal(t, exact.Num().Int64(), n, raw)
		default:
			assert.True(t, errors.Is(err, errTooBig) && exact.Sign() > 0 || errors.Is(err, errTooSmall) && exact.Sign() < 0, raw)
		}
	})
}
