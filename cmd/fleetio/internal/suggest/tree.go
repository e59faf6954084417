package suggest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A tree is a spec as encoding/json reads one. Trees are never changed: an edit copies what it changes, so that an
// earlier tree is one step away.

type object = map[string]any

// valueOf reads a node of YAML. What an overlay does to a node that other places share differs between tools.
func valueOf(n *yaml.Node) (v any, err error) {
	switch n.Kind {
	case yaml.DocumentNode:
		return valueOf(n.Content[0])
	case yaml.AliasNode:
		return nil, fmt.Errorf("%w: line %d of the spec has an anchor: other places would change with it", ErrNothing, n.Line)
	case yaml.MappingNode:
		all := object{}
		for i := 0; i+1 < len(n.Content) && err == nil; i += 2 {
			all[n.Content[i].Value], err = valueOf(n.Content[i+1])
		}
		return all, err
	case yaml.SequenceNode:
		all := make([]any, len(n.Content))
		for i := 0; i < len(all) && err == nil; i++ {
			all[i], err = valueOf(n.Content[i])
		}
		return all, err
	}
	err = n.Decode(&v)
	return v, err
}

// position finds what a token names in a list, or -1: a required property by its name, a criterion by its name, a parameter
// by its place and name, others by their position.
func position(list []any, parent, token string) int {
	switch parent {
	case "parameters":
		return slices.IndexFunc(list, func(entry any) bool { return fmt.Sprintf("%v.%v", get(entry, "in"), get(entry, "name")) == token })
	case "required", criteriaKey:
		return slices.IndexFunc(list, func(entry any) bool { return entry == token || get(entry, "name") == token })
	}
	if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(list) {
		return i
	}
	return -1
}

// get returns what is at a place, or nil.
func get(v any, at ...string) any {
	for i, token := range at {
		switch holder := v.(type) {
		case object:
			v = holder[token]
		case []any:
			j := position(holder, at[max(i-1, 0)], token)
			if j < 0 {
				return nil
			}
			v = holder[j]
		default:
			return nil
		}
	}
	return v
}

// edited returns v with a change at a place below parent, if there is such a place. The change removes it or returns what
// is there instead.
func edited(v any, parent string, at []string, change func(any) (any, bool)) (_ any, keep bool) {
	if len(at) == 0 {
		return change(v)
	}
	switch holder := v.(type) {
	case object:
		if child, present := holder[at[0]]; present {
			holder = maps.Clone(holder)
			if child, keep := edited(child, at[0], at[1:], change); keep {
				holder[at[0]] = child
			} else {
				delete(holder, at[0])
			}
			return holder, true
		}
	case []any:
		if i := position(holder, parent, at[0]); i >= 0 {
			if child, keep := edited(holder[i], at[0], at[1:], change); keep {
				holder = slices.Clone(holder)
				holder[i] = child
				return holder, true
			}
			return slices.Concat(holder[:i], holder[i+1:]), true
		}
	}
	return v, true
}

// merged is what an update makes (Overlay 1.0.0, section 4.4.3.1): objects merge, and all else is replaced.
func merged(into, update any) any {
	a, isObject := into.(object)
	b, isUpdate := update.(object)
	if !isObject || !isUpdate {
		return update
	}
	all := maps.Clone(a)
	for name, v := range b {
		all[name] = merged(a[name], v)
	}
	return all
}

func namesOf(v any) []string {
	all, _ := v.(object)
	return slices.Sorted(maps.Keys(all))
}

// below appends to a place.
func below(at []string, tokens ...string) []string { return slices.Concat(at, tokens) }

func tokensOf(pointer string) []string {
	tokens := strings.Split(pointer, "/")[1:]
	for i, t := range tokens {
		tokens[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(t)
	}
	return tokens
}

// placeOf is the place of a claim in the spec, by its ID.
func placeOf(id string) string {
	_, pointer, _ := strings.Cut(id, "#")
	return pointer
}

func pointerOf(tokens []string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(t))
	}
	return b.String()
}

// shorthand are the names that stand behind a dot. Others are quoted: some tools take count or length for functions.
var shorthand = []string{"components", "content", "headers", "items", "paths", "post", "properties", "responses", "schemas"}

// target writes a place as a JSONPath (RFC 9535). Entries of lists that may shrink are chosen by what they hold.
func target(root any, at []string) string {
	quote := func(token string) string { // as RFC 9535, section 2.3.1.1, does, too
		text, _ := json.Marshal(token) //nolint:errchkjson // a text
		return string(text)
	}
	path := []string{"$"}
	for i, token := range at {
		_, inList := get(root, at[:i]...).([]any)
		switch {
		case inList && at[i-1] == "required":
			path = append(path, "[?@==", quote(token), "]")
		case inList && at[i-1] == "parameters":
			in, name, _ := strings.Cut(token, ".")
			path = append(path, "[?@.in==", quote(in), " && @.name==", quote(name), "]")
		case inList && at[i-1] == criteriaKey:
			path = append(path, "[?@.name==", quote(token), "]")
		case inList:
			path = append(path, "[", token, "]")
		case slices.Contains(shorthand, token):
			path = append(path, ".", token)
		default:
			path = append(path, "[", quote(token), "]")
		}
	}
	return strings.Join(path, "")
}
