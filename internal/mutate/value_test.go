package mutate

import (
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// A JSON value is what encoding/json makes of it, with numbers as json.Number. Values are never changed, only copied
// with a difference, so they can share their parts.

// pointer joins tokens into a JSON pointer (RFC 6901).
func pointer(tokens ...string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString("/" + strings.ReplaceAll(strings.ReplaceAll(t, "~", "~0"), "/", "~1"))
	}
	return b.String()
}

func unescape(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
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

// replaced returns v with another value at a path, all of which but the last token must be present.
func replaced(v any, path []string, with any) any {
	if len(path) == 0 {
		return with
	}
	child, present := lookup(v, path[:1])
	switch v := v.(type) {
	case map[string]any:
		if present || len(path) == 1 {
			v = maps.Clone(v)
			v[path[0]] = replaced(child, path[1:], with)
			return v
		}
	case []any:
		if i, err := strconv.Atoi(path[0]); err == nil && present {
			v = slices.Clone(v)
			v[i] = replaced(child, path[1:], with)
			return v
		}
	}
	return v
}

// without returns v without the property at a path.
func without(v any, path []string) any {
	if len(path) == 0 {
		return v
	}
	last := len(path) - 1
	holder, _ := lookup(v, path[:last])
	object, isObject := holder.(map[string]any)
	if !isObject {
		return v
	}
	object = maps.Clone(object)
	delete(object, path[last])
	return replaced(v, path[:last], object)
}

func encode(v any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic("a value that is no JSON: " + err.Error())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// decode reads JSON text; nil if it is none.
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

func plus(r *big.Rat, n int64) *big.Rat { return new(big.Rat).Add(r, big.NewRat(n, 1)) }

// decimal writes a number without an exponent, and an integer without a fraction.
func decimal(r *big.Rat) json.Number {
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

func contains(list []any, v any) bool {
	return slices.ContainsFunc(list, func(other any) bool { return same(other, v) })
}

func hasKey(m map[string]string, key string) bool {
	_, has := m[key]
	return has
}

func asText(v any) string { s, _ := v.(string); return s }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
