package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
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
		scale = math.MaxInt32
		if strings.HasPrefix(exponent, "-") {
			scale = -scale
		}
	}
	scale = min(max(scale, -math.MaxInt32), math.MaxInt32) // what is added to it must not overflow
	// The number is 0.SIGNIFICANT times ten to the power of point, and whole where no digit is behind the point.
	all := strings.TrimLeft(whole+fraction, "0")
	point := len(whole) + scale - (len(whole+fraction) - len(all))
	significant := strings.TrimRight(all, "0")
	whole = ""
	switch {
	case significant == "":
		return new(big.Rat)
	case point > longest && len(significant) > point:
		whole, significant, point = strings.Repeat("9", longest), "5", 0
	case point > longest:
		significant, point = "1", longest
	case point < -longest:
		significant, point = "1", -longest
	case len(significant) > 2*longest:
		significant = significant[:2*longest] + "1" // beyond so many digits it counts only that there are more
	}
	value, _ := new(big.Rat).SetString(sign + "0" + whole + "." + significant + "e" + strconv.Itoa(point))
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
