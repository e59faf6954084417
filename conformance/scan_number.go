package conformance

import (
	"math"
	"slices"
	"strconv"
)

// number scans a number and weighs it.
func (s *scanner) number(n *node) bool {
	data, start, i := s.data, s.pos, s.pos
	negative := data[i] == '-'
	if negative {
		i++
	}
	first := i
	var digits uint64
	for ; i < len(data) && '0' <= data[i] && data[i] <= '9'; i++ {
		digits = digits*10 + uint64(data[i]-'0') // overflows beyond longestWhole, where it is not used
	}
	size := i - first
	if size == 0 || size > 1 && data[first] == '0' {
		return s.unsure()
	}
	end := fractionEnd(data, i)
	if end < 0 {
		return s.unsure()
	}
	s.pos = end
	switch {
	case n.admit&(1<<kindNumber) == 0:
		return s.refuted()
	case n == anything:
		return true
	case !n.bounded && !n.listed:
		return end == i || !n.whole || s.unsure() // an integer with a fraction may be one all the same
	case end > i || size > longestWhole || digits > math.MaxInt64 || n.roughly:
		return s.weighRoughly(n, data[start:end])
	}
	value := int64(digits)
	if negative {
		value = -value
	}
	return s.weighNumber(n, value)
}

// longestWhole is how many digits always fit a uint64.
const longestWhole = 19

// weighRoughly proves a number that lies so clearly between the limits that rounding makes no difference.
func (s *scanner) weighRoughly(n *node, text []byte) bool {
	if n.exactly || n.whole || n.listed || len(text) > 32 {
		return s.unsure()
	}
	value, err := strconv.ParseFloat(string(text), 64)
	const rounding = 1e-12
	clearly := func(less, more float64) bool {
		return more-less > rounding*(math.Abs(less)+math.Abs(more)) || math.IsInf(less, -1) || math.IsInf(more, 1)
	}
	return err == nil && clearly(n.above, value) && clearly(value, n.below) || s.unsure()
}

// fractionEnd returns where a number ends whose whole part ends at i, or -1.
func fractionEnd(data []byte, i int) int {
	digits := func() bool {
		from := i
		for i < len(data) && '0' <= data[i] && data[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(data) && data[i] == '.' {
		i++
		if !digits() {
			return -1
		}
	}
	if i < len(data) && (data[i] == 'e' || data[i] == 'E') {
		i++
		if i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		if !digits() {
			return -1
		}
	}
	return i
}

func (s *scanner) weighNumber(n *node, value int64) bool {
	if value < n.low || value > n.high || n.multiple > 1 && value%n.multiple != 0 {
		return s.refuted()
	}
	if n.listed && !slices.Contains(n.integers, value) {
		if n.others&(1<<kindNumber) != 0 {
			return s.unsure()
		}
		return s.refuted()
	}
	return true
}
