package mutate

import (
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// A value is what encoding/json makes of JSON, with numbers as json.Number.

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		c := map[string]any{}
		for name, member := range v {
			c[name] = clone(member)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, item := range v {
			c[i] = clone(item)
		}
		return c
	}
	return v
}

// tokens splits a JSON pointer.
func tokens(pointer string) []string {
	if pointer == "" {
		return nil
	}
	list := strings.Split(pointer[1:], "/")
	for i := range list {
		list[i] = unescape(list[i])
	}
	return list
}

func lookup(v any, path []string) (any, bool) {
	for _, token := range path {
		switch of := v.(type) {
		case map[string]any:
			member, there := of[token]
			if !there {
				return nil, false
			}
			v = member
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(of) {
				return nil, false
			}
			v = of[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// replaced returns a copy of v with another value at a path that is there, but for its last token.
func replaced(v any, path []string, with any) any {
	if len(path) == 0 {
		return clone(with)
	}
	v = clone(v)
	holder, _ := lookup(v, path[:len(path)-1])
	last := path[len(path)-1]
	switch holder := holder.(type) {
	case map[string]any:
		holder[last] = clone(with)
	case []any:
		if i, err := strconv.Atoi(last); err == nil && i < len(holder) {
			holder[i] = clone(with)
		}
	}
	return v
}

// without returns a copy of v that lacks a member.
func without(v any, path []string) any {
	v = clone(v)
	if len(path) > 0 {
		holder, _ := lookup(v, path[:len(path)-1])
		if object, isObject := holder.(map[string]any); isObject {
			delete(object, path[len(path)-1])
		}
	}
	return v
}

// encode writes a value in the plainest way.
func encode(v any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic("a value that is no JSON: " + err.Error())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func decode(text string) any {
	var v any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil
	}
	return v
}

// rat reads a number of traffic. Those that this package makes are short.
func rat(n json.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(n.String())
	if !ok {
		return new(big.Rat)
	}
	return r
}

// limit is a bound of the spec, which kin-openapi keeps as a float64.
func limit(f *float64) *big.Rat {
	if f == nil {
		return nil
	}
	return rat(json.Number(strconv.FormatFloat(*f, 'g', -1, 64)))
}

// decimal writes a number without an exponent, and a whole one without a fraction.
func decimal(r *big.Rat) json.Number {
	if r.IsInt() {
		return json.Number(r.Num().String())
	}
	return json.Number(strings.TrimRight(r.FloatString(12), "0"))
}

// same compares JSON values; numbers by what they are worth.
func same(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		n, isNumber := b.(json.Number)
		return isNumber && rat(a).Cmp(rat(n)) == 0
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

// plainValue reads a value of the spec, where numbers are Go's.
func plainValue(v any) any { return decode(encode(v)) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
