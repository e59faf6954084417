package strictjson

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestExact(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"1", "1.0", 0}, {"9.021e4", "90210", 0}, {"9007199254740993", "9007199254740992", 1}, {"-0", "0", 0},
		{"1e-3", "0.001", 0}, {"2", "10", -1}, {"0.99999999999999999999", "1", -1}, {"1e999999999", "1e400", 1},
		{"-1e999999999", "-1e400", -1}, {"1e-999999999", "0", 1}, {"0e999999999", "0", 0}, {"1e99999999999999999999", "1e400", 1},
		{"1e-99999999999999999999", "1e-400", -1}, {"0." + strings.Repeat("0", 100) + "1", "1e-101", 0},
		{"1." + strings.Repeat("0", 5000) + "1", "1", 1},
		{"0." + strings.Repeat("0", 1_000_001) + "1", "0", 1},
		{"0." + strings.Repeat("0", 1100) + "1e1101", "1", 0},
		{"1" + strings.Repeat("0", 3000) + "e-3000", "1", 0},
		{"-1" + strings.Repeat("0", 3000) + ".5e-3000", "-1", -1},
		{"1e9223372036854775807", "5", 1}, {"-1e9223372036854775807", "5", -1}, {"1e-9223372036854775808", "5", -1},
		{"120e-1", "12", 0}, {"0.00120e3", "1.2", 0}, {"9007199254740993.0", "9007199254740993", 0},
	} {
		t.Run(fmt.Sprintf("%.40s %.40s", test.a, test.b), func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, Exact(test.a).Cmp(Exact(test.b)))
		})
	}
}

func TestExactIsInteger(t *testing.T) {
	t.Parallel()
	for text, whole := range map[string]bool{
		"1.0": true, "1.5": false, "1e999999999": true, "1e-999999999": false, strings.Repeat("9", 3000): true,
		strings.Repeat("9", 3000) + ".5": false, "0." + strings.Repeat("0", 2000) + "1": false, "12.50e1": true, "12.55e1": false,
	} {
		t.Run(fmt.Sprintf("%.40s", text), func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, whole, Exact(text).IsInt())
		})
	}
}

// TestExactIsBounded has numbers that would take longer to compute exactly than the timeout of go test.
func TestExactIsBounded(t *testing.T) {
	t.Parallel()
	for _, n := range []string{"1e999999999", "1e-999999999", strings.Repeat("9", 1<<20), "0." + strings.Repeat("7", 1<<20),
		strings.Repeat("9", 1<<20) + "e-1048570"} {
		t.Run(fmt.Sprintf("%.40s", n), func(t *testing.T) {
			t.Parallel()
			assert.Positive(t, Exact(n).Sign())
		})
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{`{"a":[1,"x",null],"b":true}`, `{"b":true,"a":[1.0,"x",null]}`, true},
		{`[1,[2]]`, `[[1],2]`, false}, {`["1"]`, `[1]`, false}, {`[null]`, `["null"]`, false}, {`[]`, `{}`, false},
		{`{"a":1}`, `{"a":1,"b":1}`, false}, {`[9007199254740993]`, `[9007199254740992]`, false}, {`["a,b"]`, `["a","b"]`, false},
	} {
		t.Run(test.a+" "+test.b, func(t *testing.T) {
			t.Parallel()
			a, err := ParseValue([]byte(test.a))
			require.NoError(t, err)
			b, err := ParseValue([]byte(test.b))
			require.NoError(t, err)
			assert.Equal(t, test.want, a.Equal(b))
		})
	}
}
