package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// number is a JSON number as it was written.
type number = json.Number

// longest bounds the digits and the exponent of a number that is weighed exactly. What goes beyond is brought to it
// with its sign, its size and whether it is whole intact: traffic must not make us compute for minutes.
const longest = 1000

// exact reads a JSON number without rounding.
func exact(n number) *big.Rat {
	if i, err := n.Int64(); err == nil {
		return new(big.Rat).SetInt64(i)
	}
	text := strings.ToLower(n.String())
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	digits, exponent, _ := strings.Cut(text, "e")
	whole, fraction, _ := strings.Cut(digits, ".")
	scale, err := strconv.Atoi(exponent)
	if exponent != "" && err != nil {
		scale = longest * longest
		if strings.HasPrefix(exponent, "-") {
			scale = -scale
		}
	}
	all := whole + strings.TrimRight(fraction, "0")
	significant := strings.TrimLeft(all, "0")
	switch point := len(whole) + scale; {
	case significant == "":
		return new(big.Rat)
	case point > longest:
		text = "1e" + strconv.Itoa(longest)
	case point < -longest:
		text = "1e-" + strconv.Itoa(longest)
	case len(significant) > 2*longest:
		// Beyond so many digits it counts only that there are more.
		zeros := all[:len(all)-len(significant)]
		text = "0." + zeros + significant[:2*longest] + "1e" + strconv.Itoa(point)
	}
	value, ok := new(big.Rat).SetString(sign + text)
	if !ok {
		return new(big.Rat) // not a JSON number, which the decoder has ruled out
	}
	return value
}

// equal compares two JSON values; numbers by value, so that 1 is 1.0.
func equal(a, b any) bool { return canonical(a) == canonical(b) }

// canonical writes a JSON value so that equal values have equal texts.
func canonical(value any) string {
	switch v := value.(type) {
	case number:
		return exact(v).RatString()
	case []any:
		var b strings.Builder
		for _, item := range v {
			b.WriteString("[" + canonical(item))
		}
		return b.String() + "]"
	case map[string]any:
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(v)) {
			b.WriteString("{" + strconv.Quote(name) + canonical(v[name]))
		}
		return b.String() + "}"
	case string:
		return strconv.Quote(v)
	}
	return fmt.Sprint(value)
}
