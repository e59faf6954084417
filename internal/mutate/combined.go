package mutate

import (
	"slices"
	"strings"
)

// members lists the members that a schema describes with the schemas that it combines. all says that it describes
// every member.
func (s *spec) members(n *node, visited map[*node]bool) (known map[string]bool, all bool) {
	known = map[string]bool{}
	if visited[n] {
		return known, false
	}
	visited[n] = true
	for name := range n.Properties {
		known[name] = true
	}
	all = n.open() || n.closed() // a closed one has a claim for what is not described
	for _, part := range slices.Concat(s.list(n.AllOf, n.at+"/allOf"), s.list(n.AnyOf, n.at+"/anyOf"), s.list(n.OneOf, n.at+"/oneOf")) {
		more, every := s.members(part, visited)
		for name := range more {
			known[name] = true
		}
		all = all || every
	}
	return known, all
}

func (r *reading) combined(n *node, v any, at string) {
	for _, part := range r.spec.list(n.AllOf, n.at+"/allOf") {
		r.value(part, v, at)
	}
	if n.Not != nil && r.holds(r.spec.node(n.Not, n.at+"/not"), v, at) {
		r.breaks("not", at, n.at+"/not")
	}
	anyOf, oneOf := r.spec.list(n.AnyOf, n.at+"/anyOf"), r.spec.list(n.OneOf, n.at+"/oneOf")
	if object, isObject := v.(map[string]any); n.Discriminator != nil && isObject && len(anyOf)+len(oneOf) > 0 {
		name, _ := object[n.Discriminator.PropertyName].(string)
		if chosen := r.spec.chosen(n, name); chosen != nil {
			r.value(chosen, v, at)
		} else {
			r.breaks("discriminator", at+pointer(n.Discriminator.PropertyName), n.at+"/discriminator")
		}
		return
	}
	matches := func(list []*node) (count int) {
		for _, part := range list {
			if r.holds(part, v, at) {
				count++
			}
		}
		return count
	}
	if len(anyOf) > 0 && matches(anyOf) == 0 {
		r.breaks("anyOf", at, n.at+"/anyOf")
	}
	if len(oneOf) > 0 && matches(oneOf) != 1 {
		r.breaks("oneOf", at, n.at+"/oneOf")
	}
}

// chosen is the schema that a discriminator's value names, by its mapping or itself.
func (s *spec) chosen(n *node, name string) *node {
	for want, part := range s.choices(n) {
		if want == name {
			return part
		}
	}
	return nil
}

// choices lists the schemas of a discriminator by the values that choose them.
func (s *spec) choices(n *node) map[string]*node {
	byRef := map[string]*node{}
	for _, list := range []struct {
		keyword string
		refs    []*node
	}{{"/oneOf", s.list(n.OneOf, n.at+"/oneOf")}, {"/anyOf", s.list(n.AnyOf, n.at+"/anyOf")}} {
		for i, part := range list.refs {
			ref := n.OneOf
			if list.keyword == "/anyOf" {
				ref = n.AnyOf
			}
			byRef[ref[i].Ref] = part
		}
	}
	choices := map[string]*node{}
	for ref, part := range byRef {
		if name, isName := strings.CutPrefix(ref, "#/components/schemas/"); isName {
			choices[name] = part
		}
	}
	for name, ref := range n.Discriminator.Mapping {
		if part := byRef[ref.Ref]; part != nil {
			choices[name] = part
		} else if part := byRef["#/components/schemas/"+ref.Ref]; part != nil {
			choices[name] = part
		}
	}
	return choices
}
