package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A value is what encoding/json makes of JSON, with numbers as json.Number.

// decode returns nil for what is no JSON.
func decode(data []byte) any {
	var v any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil
	}
	return v
}

// encode writes a value in the way in which the mutants are written.
func encode(v any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic("a value that is no JSON: " + err.Error())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// differing lists the names of the members in which two objects differ.
func differing(a, b map[string]any) []string {
	both := map[string]any{}
	maps.Copy(both, a)
	maps.Copy(both, b)
	return slices.DeleteFunc(sortedKeys(both), func(name string) bool {
		_, inA := a[name]
		_, inB := b[name]
		return inA == inB && reflect.DeepEqual(a[name], b[name])
	})
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

// replaced returns a value with another one at a path that is there. It shares what it did not change.
func replaced(v any, path []string, with any) any {
	if len(path) == 0 {
		return with
	}
	switch of := v.(type) {
	case map[string]any:
		of = maps.Clone(of)
		of[path[0]] = replaced(of[path[0]], path[1:], with)
		return of
	case []any:
		of = slices.Clone(of)
		if i, err := strconv.Atoi(path[0]); err == nil && i >= 0 && i < len(of) {
			of[i] = replaced(of[i], path[1:], with)
		}
		return of
	}
	return v
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// pointer is a JSON pointer (RFC 6901).
func pointer(path []string) string {
	var b strings.Builder
	for _, token := range path {
		b.WriteString("/" + strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1"))
	}
	return b.String()
}

// tokens splits a JSON pointer.
func tokens(pointer string) []string {
	if pointer == "" {
		return nil
	}
	list := strings.Split(pointer[1:], "/")
	for i, token := range list {
		list[i] = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
	}
	return list
}
