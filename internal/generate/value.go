package generate

import (
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// Unescape undoes the escapes of a token of a JSON pointer.
func Unescape(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
}

// Tokens splits a JSON pointer.
func Tokens(pointer string) []string {
	if pointer == "" {
		return nil
	}
	list := strings.Split(pointer[1:], "/")
	for i := range list {
		list[i] = Unescape(list[i])
	}
	return list
}

// Lookup returns the value at a path, if there is one.
func Lookup(v any, path []string) (any, bool) {
	for _, token := range path {
		switch holder := v.(type) {
		case map[string]any:
			property, present := holder[token]
			if !present {
				return nil, false
			}
			v = property
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(holder) {
				return nil, false
			}
			v = holder[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// Replaced returns v with another value at a path, all of which but the last token must be present.
func Replaced(v any, path []string, with any) any {
	if len(path) == 0 {
		return with
	}
	child, present := Lookup(v, path[:1])
	switch v := v.(type) {
	case map[string]any:
		if present || len(path) == 1 {
			v = maps.Clone(v)
			v[path[0]] = Replaced(child, path[1:], with)
			return v
		}
	case []any:
		if i, err := strconv.Atoi(path[0]); err == nil && present {
			v = slices.Clone(v)
			v[i] = Replaced(child, path[1:], with)
			return v
		}
	}
	return v
}

// Without returns v without the property at a path.
func Without(v any, path []string) any {
	if len(path) == 0 {
		return v
	}
	last := len(path) - 1
	holder, _ := Lookup(v, path[:last])
	object, isObject := holder.(map[string]any)
	if !isObject {
		return v
	}
	object = maps.Clone(object)
	delete(object, path[last])
	return Replaced(v, path[:last], object)
}

// Encode writes a value as JSON.
func Encode(v any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic("a value that is no JSON: " + err.Error())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Decode reads JSON text; nil if it is none.
func Decode(text string) any {
	var v any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil
	}
	return v
}

// Rat reads a number of traffic. Those that this package makes are short.
func Rat(n json.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(n.String())
	if !ok {
		return new(big.Rat)
	}
	return r
}

// Plus adds an integer.
func Plus(r *big.Rat, n int64) *big.Rat { return new(big.Rat).Add(r, big.NewRat(n, 1)) }

// Decimal writes a number without an exponent, and an integer without a fraction.
func Decimal(r *big.Rat) json.Number {
	if r.IsInt() {
		return json.Number(r.Num().String())
	}
	return json.Number(strings.TrimRight(r.FloatString(12), "0"))
}

// scientific writes a number with an exponent, unless that would round it.
func scientific(n json.Number) json.Number {
	f, err := n.Float64()
	if err != nil || len(n) > 15 {
		return n
	}
	return json.Number(strconv.FormatFloat(f, 'e', -1, 64))
}

// same compares JSON values, and numbers by what they are worth.
func same(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		n, isNumber := b.(json.Number)
		return isNumber && Rat(a).Cmp(Rat(n)) == 0
	case []any:
		list, isList := b.([]any)
		return isList && slices.EqualFunc(a, list, same)
	case map[string]any:
		object, isObject := b.(map[string]any)
		return isObject && maps.EqualFunc(a, object, same)
	}
	switch b.(type) {
	case []any, map[string]any:
		return false
	}
	return a == b
}

// Contains reports whether a list has an equal value.
func Contains(list []any, v any) bool {
	return slices.ContainsFunc(list, func(other any) bool { return same(other, v) })
}

// AsText returns a string; "" for another value.
func AsText(v any) string { s, _ := v.(string); return s }

// SortedKeys returns the keys in order.
func SortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
