// Package limits compares numbers with the limits of a schema, without rounding.
package limits

import (
	"encoding/json"
	"math"
	"math/big"

	"github.com/fleetcontract/fleetio-go/internal/formats"
	"github.com/fleetcontract/fleetio-go/internal/openapi"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// Limits are the keywords of a schema about numbers.
type Limits struct {
	schema                       *openapi.Schema
	minimum, maximum, multipleOf *big.Rat // or nil
	bits                         int      // of an integer format; 0 for none

	// An integer within these satisfies all limits, so that most numbers need no big.Rat.
	low, high, step int64
	integral        bool // false if a limit is no int64
}

// Of returns the limits of a schema.
func Of(s *openapi.Schema) Limits {
	l := Limits{schema: s, minimum: exact(s.Minimum), maximum: exact(s.Maximum), multipleOf: exact(s.MultipleOf),
		bits: formats.IntegerBits[s.Format], low: math.MinInt64, high: math.MaxInt64, step: 1, integral: true}
	if l.bits == 32 {
		l.low, l.high = math.MinInt32, math.MaxInt32
	}
	integer := func(limit *big.Rat) int64 {
		l.integral = l.integral && limit.IsInt() && limit.Num().IsInt64()
		return limit.Num().Int64()
	}
	if l.minimum != nil {
		low := integer(l.minimum)
		if s.ExclusiveMinimum && low < math.MaxInt64 {
			low++
		}
		l.low = max(l.low, low)
	}
	if l.maximum != nil {
		high := integer(l.maximum)
		if s.ExclusiveMaximum && high > math.MinInt64 {
			high--
		}
		l.high = min(l.high, high)
	}
	if l.multipleOf != nil {
		l.step = max(integer(l.multipleOf), 1)
		l.integral = l.integral && l.multipleOf.Sign() > 0
	}
	return l
}

func exact(limit json.Number) *big.Rat {
	if limit == "" {
		return nil
	}
	return strictjson.Exact(limit.String())
}

// Text says what a keyword requires of a number.
func (l *Limits) Text(keyword string) string {
	switch keyword {
	case "minimum":
		return "at least " + l.schema.Minimum.String()
	case "exclusiveMinimum":
		return "more than " + l.schema.Minimum.String()
	case "maximum":
		return "at most " + l.schema.Maximum.String()
	case "exclusiveMaximum":
		return "less than " + l.schema.Maximum.String()
	case "multipleOf":
		return "a multiple of " + l.schema.MultipleOf.String()
	}
	return ""
}

// Allow reports whether an integer surely satisfies the limits, which most do.
func (l *Limits) Allow(n int64) bool { return l.integral && l.low <= n && n <= l.high && n%l.step == 0 }

// Violated returns the keywords that a number violates.
func (l *Limits) Violated(n *big.Rat) (keywords []string) {
	if l.bits > 0 && n.IsInt() {
		// The range is -2^(bits-1) to 2^(bits-1)-1, so that -(n+1) of a negative n must be below 2^(bits-1).
		integer := n.Num()
		if integer.Sign() < 0 {
			integer = new(big.Int).Not(integer)
		}
		if integer.BitLen() >= l.bits {
			keywords = append(keywords, "format")
		}
	}
	if l.minimum != nil {
		switch order := n.Cmp(l.minimum); {
		case l.schema.ExclusiveMinimum && order <= 0:
			keywords = append(keywords, "exclusiveMinimum")
		case order < 0:
			keywords = append(keywords, "minimum")
		}
	}
	if l.maximum != nil {
		switch order := n.Cmp(l.maximum); {
		case l.schema.ExclusiveMaximum && order >= 0:
			keywords = append(keywords, "exclusiveMaximum")
		case order > 0:
			keywords = append(keywords, "maximum")
		}
	}
	if l.multipleOf != nil && l.multipleOf.Sign() > 0 && !new(big.Rat).Quo(n, l.multipleOf).IsInt() {
		keywords = append(keywords, "multipleOf")
	}
	return keywords
}
