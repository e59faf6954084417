package check

import (
	"cmp"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// decimal is the exact value of a JSON number: 0.DIGITS times ten to the power of point.
type decimal struct {
	negative bool
	digits   string // without zeros at the start and the end; "" for 0
	point    int
}

// integerFormats has the smallest and the largest integer of a format.
var integerFormats = map[string][2]string{
	"int32": {"-2147483648", "2147483647"},
	"int64": {"-9223372036854775808", "9223372036854775807"},
}

// parseDecimal parses a JSON number. An exponent beyond 32 bits counts as one of 32 bits.
func parseDecimal(number string) decimal {
	rest, negative := strings.CutPrefix(strings.ToLower(number), "-")
	rest, exponent, _ := strings.Cut(rest, "e")
	whole, fraction, _ := strings.Cut(rest, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	leadingZeros := len(whole+fraction) - len(digits)
	if digits = strings.TrimRight(digits, "0"); digits == "" {
		return decimal{}
	}
	scale, err := strconv.Atoi(cmp.Or(exponent, "0"))
	if err != nil && strings.HasPrefix(exponent, "-") {
		scale = math.MinInt32
	} else if err != nil {
		scale = math.MaxInt32
	}
	return decimal{negative, digits, len(whole) - leadingZeros + min(max(scale, math.MinInt32), math.MaxInt32)}
}

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	default:
		return 1
	}
}

func (d decimal) compare(other decimal) int {
	order := cmp.Compare(d.sign(), other.sign())
	if order == 0 {
		order = d.sign() * cmp.Or(cmp.Compare(d.point, other.point), cmp.Compare(d.digits, other.digits))
	}
	return order
}

func (d decimal) isInteger() bool { return len(d.digits) <= max(d.point, 0) }

// isMultiple reports whether d is a multiple of another number. The exponent counts as one of four digits at most: a
// hostile number must not cost minutes, and no factor in a spec has that many digits.
func (d decimal) isMultiple(factor decimal) bool {
	if d.digits == "" {
		return true
	}
	const maxExponent = 9999
	quotient, divisor := d.rat(maxExponent), factor.rat(maxExponent)
	return divisor.Sign() != 0 && quotient.Quo(quotient, divisor).IsInt()
}

func (d decimal) rat(maxExponent int) *big.Rat {
	point := min(max(d.point, -maxExponent), maxExponent)
	r, _ := new(big.Rat).SetString("0." + cmp.Or(d.digits, "0") + "e" + strconv.Itoa(point))
	return r
}
