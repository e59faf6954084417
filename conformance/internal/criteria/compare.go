package criteria

import (
	"bytes"

	"github.com/fleetcontract/fleetio-go/internal/formats"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// Compare compares two values, which may be missing, by an operator: strings as instants if both can be, others byte by
// byte. It is not conclusive if values of two types are to be ordered.
func Compare(left strictjson.Value, op string, right strictjson.Value, instants bool) (holds, conclusive bool) {
	if !left.Exists() || !right.Exists() {
		return (op == "!=") == (left.Exists() != right.Exists()), true
	}
	order, ordered := order(left, right, instants)
	switch {
	case !ordered && op != "==" && op != "!=":
		return false, false
	case !ordered && (left.Type() != strictjson.Null || right.Type() != strictjson.Null):
		order = 1 // not equal
	}
	switch op {
	case "==":
		return order == 0, true
	case "!=":
		return order != 0, true
	case "<":
		return order < 0, true
	case "<=":
		return order <= 0, true
	case ">":
		return order > 0, true
	default:
		return order >= 0, true
	}
}

// order compares two values of one type: instants, numbers, strings byte by byte, or booleans.
func order(a, b strictjson.Value, instants bool) (order int, ok bool) {
	if a.Type() != b.Type() {
		return 0, false
	}
	switch a.Type() {
	case strictjson.String:
		left, right := a.Doc.Text(a.At, nil), b.Doc.Text(b.At, nil)
		if instants {
			if t, ok := formats.ParseInstant(left); ok {
				if u, ok := formats.ParseInstant(right); ok {
					return t.Compare(u), true
				}
			}
		}
		return bytes.Compare(left, right), true
	case strictjson.Number:
		return a.Compare(b), true
	case strictjson.Boolean:
		if a.Text() == b.Text() {
			return 0, true
		}
	}
	return 0, false
}

// AppendText appends the text that a value has in a pattern: a string without quotes, an integer in plain digits (9.021e4 as 90210), others as written.
func AppendText(into []byte, v strictjson.Value) []byte {
	if v.Type() == strictjson.Number {
		if _, small := v.SmallInteger(); !small {
			if n := strictjson.Exact(v.Text()); n.IsInt() {
				return append(into, n.Num().String()...)
			}
		}
	}
	return append(into, v.Doc.Text(v.At, nil)...)
}
