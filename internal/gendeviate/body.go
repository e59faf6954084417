package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// body finds the steps that make one body of another: of a value of the same JSON, of its text, or else a text as it is.
func body(from, to []byte) ([]step, error) {
	before, right, text := decode(from), string(from), string(to)
	if encode(before) != right {
		return nil, errors.New("what it was made of is not written in the plainest way")
	}
	switch {
	case text == right:
		return nil, nil
	case text == "":
		return []step{{"body", ""}}, nil
	case encode(decode(to)) == text:
		return []step{differs(nil, before, decode(to))}, nil
	}
	for _, find := range []func(before any, right, text string) []step{twice, around, spliced, whole} {
		if steps := find(before, right, text); steps != nil {
			return steps, nil
		}
	}
	return nil, errors.New("no short edit gives its body")
}

// differs describes in what two values differ: in one member, however deep, or as a whole.
func differs(path []string, before, after any) step {
	old, isObject := before.(map[string]any)
	object, alsoObject := after.(map[string]any)
	if names := differing(old, object); isObject && alsoObject && len(names) == 1 {
		at := append(slices.Clone(path), names[0])
		was, there := old[names[0]]
		is, remains := object[names[0]]
		switch {
		case !remains:
			return step{"remove", pointer(at)}
		case there:
			return differs(at, was, is)
		}
		return step{"set", pointer(at), encode(is)}
	}
	if len(path) == 0 {
		return step{"body", encode(after)}
	}
	return step{"set", pointer(path), encode(after)}
}

// twice finds a member that is there twice, with the same value.
func twice(before any, _, text string) []step {
	for _, p := range places(before, nil, nil) {
		holder, _ := lookup(before, p.path[:len(p.path)-1])
		if _, inObject := holder.(map[string]any); !inObject {
			continue
		}
		name := p.path[len(p.path)-1]
		v, _ := lookup(before, p.path)
		object := "{" + encode(name) + ":" + encode(v) + "," + encode(holder)[1:]
		if first, last := marked(before, p.path[:len(p.path)-1]); first+object+last == text {
			return []step{{"twice", pointer(p.path), encode(v)}}
		}
	}
	return nil
}

// around finds a body in another one, with or without its braces.
func around(_ any, right, text string) []step {
	var steps []step
	for _, part := range []struct {
		text string
		step step
	}{{right, nil}, {right[1 : len(right)-1], step{"inner"}}} {
		if part.step != nil {
			steps = []step{part.step}
		}
		pieces := strings.Split(text, part.text)
		if len(pieces) == 3 && pieces[0] == "" && pieces[2] == "" {
			return append(steps, step{"double", pieces[1]})
		}
		if len(pieces) != 2 || len(part.text) < 3 {
			continue
		}
		if pieces[0] != "" {
			steps = append(steps, step{"before", pieces[0]})
		}
		if pieces[1] != "" {
			steps = append(steps, step{"after", pieces[1]})
		}
		return steps
	}
	return nil
}

// spliced finds a value in whose place something else stands, be it no JSON.
func spliced(before any, _, text string) []step {
	all := places(before, nil, nil)
	slices.SortStableFunc(all, func(a, b place) int { return len(b.path) - len(a.path) }) // the smallest change is the deepest
	for _, p := range all {
		first, last := marked(before, p.path)
		if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
			continue
		}
		raw := text[len(first) : len(text)-len(last)]
		// An answer need not have a list with as many items: it gets the whole list.
		whole, _ := lookup(before, p.member)
		first, last = marked(whole, p.path[len(p.member):])
		return []step{{"set", pointer(p.member), first + raw + last}}
	}
	return nil
}

// whole finds a body that has little to do with the right one.
func whole(_ any, right, text string) []step {
	const short = 100
	depth := strings.Count(text, "[")
	switch {
	case depth > 1 && text == strings.Repeat("[", depth)+strings.Repeat("]", depth):
		return []step{{"nest", strconv.Itoa(depth)}}
	case text == strings.ReplaceAll(right, "", "\x00"):
		return []step{{"zero-bytes"}}
	case len(text) <= short:
		return []step{{"body", text}}
	}
	return nil
}

// place is where a value stands. Member is the same, or the way to the list that it is in.
type place struct{ path, member []string }

// places lists the members of a value, and the items of its lists.
func places(v any, path, member []string) []place {
	var all []place
	add := func(token string, inner any, inList bool) {
		p := place{path: append(slices.Clone(path), token)}
		if p.member = member; !inList {
			p.member = p.path
		}
		all = append(append(all, p), places(inner, p.path, p.member)...)
	}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range sortedKeys(v) {
			add(name, v[name], false)
		}
	case []any:
		for i, item := range v {
			add(strconv.Itoa(i), item, true)
		}
	}
	return all
}

// marked returns what is written before and behind the value at a path.
func marked(v any, path []string) (first, last string) {
	const marker = "\x00MARKER"
	first, last, _ = strings.Cut(encode(replaced(v, path, marker)), encode(marker))
	return first, last
}
