package mutate

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
)

func (d *drawing) lists(n *node, v []any) []variant {
	var all []variant
	add := func(rule, name string, value []any) {
		all = append(all, variant{rule: rule, claim: n.at + "/" + rule, name: name, value: value})
	}
	if n.MinItems > 0 && uint64(len(v)) >= n.MinItems {
		add("minItems", "one-less", v[:n.MinItems-1])
		add("minItems", "empty", []any{})
	}
	if n.MaxItems != nil {
		longer := slices.Clone(v)
		for try := 0; uint64(len(longer)) <= *n.MaxItems && try < 1000; try++ {
			if item := d.item(n); !n.UniqueItems || !slices.ContainsFunc(longer, func(other any) bool { return same(other, item) }) {
				longer = append(longer, item)
			}
		}
		add("maxItems", "one-more", longer)
	}
	if n.UniqueItems && len(v) > 0 {
		for name, twin := range map[string]any{"last": v[len(v)-1], "first": v[0], "other-spelling": respelled(v[0])} {
			add("uniqueItems", name, append(slices.Clone(v), twin))
			replacing := slices.Clone(v)
			if replacing[len(v)-1] = twin; len(v) > 1 {
				add("uniqueItems", name+"-replaced", replacing)
			}
		}
	}
	return all
}

// respelled writes a number that is not whole in another way, and leaves others alone.
func respelled(v any) any {
	if n, isNumber := v.(json.Number); isNumber && !rat(n).IsInt() {
		return spelled(n)
	}
	return v
}

func (d *drawing) item(n *node) any {
	if n.Items == nil {
		return d.anything(0)
	}
	v, _ := d.value(d.spec.node(n.Items, n.at+"/items"))
	return v
}

func (d *drawing) objects(n *node, v map[string]any, nested int) []variant {
	var all []variant
	add := func(of variant, change func(map[string]any)) {
		object := maps.Clone(v)
		change(object)
		of.value = object
		all = append(all, of)
	}
	for _, name := range n.Required {
		add(variant{rule: "required", claim: n.at + "/required" + pointer(name), name: "missing", member: pointer(name)},
			func(o map[string]any) { delete(o, name) })
	}
	if n.closed() {
		for _, name := range []string{"undocumented", "a/b~c", "x-undocumented", ""} {
			add(variant{rule: "additionalProperties", claim: n.at + "/additionalProperties", name: "one", member: pointer(name)},
				func(o map[string]any) { o[name] = d.anything(0) })
		}
	}
	if n.MinProps > 0 {
		add(variant{rule: "minProperties", claim: n.at + "/minProperties", name: "empty"}, func(o map[string]any) { clear(o) })
		add(variant{rule: "minProperties", claim: n.at + "/minProperties", name: "one-less"}, func(o map[string]any) {
			for _, name := range sortedKeys(o) {
				if uint64(len(o)) >= n.MinProps && !slices.Contains(n.Required, name) {
					delete(o, name)
				}
			}
		})
	}
	if n.MaxProps != nil {
		add(variant{rule: "maxProperties", claim: n.at + "/maxProperties", name: "one-more"}, func(o map[string]any) {
			for _, name := range sortedKeys(n.Properties) {
				if _, there := o[name]; !there && uint64(len(o)) <= *n.MaxProps {
					o[name], _ = d.value(d.spec.property(n, name))
				}
			}
			for i := 0; uint64(len(o)) <= *n.MaxProps; i++ {
				o["more-"+strings.Repeat("e", i)] = d.member(&merged{rest: slices.DeleteFunc([]*node{d.spec.rest(n)}, func(n *node) bool { return n == nil })}, 0)
			}
		})
	}
	for _, name := range sortedKeys(n.Properties) {
		of := d.spec.property(n, name)
		if rule := map[bool]string{true: "readOnly", false: "writeOnly"}[d.part == conformance.RequestBody]; otherWay(of, d.part) && nested < mostNested {
			member, ok := d.value(of)
			if !ok {
				continue
			}
			add(variant{rule: rule, claim: of.at + "/" + rule, name: "sent", member: pointer(name)}, func(o map[string]any) { o[name] = member })
			for _, inner := range d.variants(of, member, nested+1) { // one that is sent all the same is weighed, too
				add(variant{inner.rule, inner.claim, "sent-" + inner.name, pointer(name) + inner.member, nil}, func(o map[string]any) { o[name] = inner.value })
			}
		}
	}
	if d.part == conformance.ResponseBody {
		for _, name := range []string{"undocumented", "a/b~c"} {
			add(variant{rule: "undocumented-property", name: "one", member: pointer(name)}, func(o map[string]any) { o[name] = d.anything(0) })
		}
	}
	return all
}

// mostNested bounds how deep the variants of a schema are looked for in those of another: their number grows with each level,
// without an end where a schema contains itself.
const mostNested = 2

// combinations proposes values for anyOf, oneOf, not and the discriminator: of each alternative, of two at once, and
// of none.
func (d *drawing) combinations(n *node, v any, nested int) []variant {
	var all []variant
	add := func(rule, name string, value any) {
		all = append(all, variant{rule: rule, claim: n.at + "/" + rule, name: name, value: value})
	}
	object, isObject := v.(map[string]any)
	if n.Discriminator != nil && isObject && len(n.AnyOf)+len(n.OneOf) > 0 {
		member := n.Discriminator.PropertyName
		for name, value := range map[string]any{"unknown": "Nobody", "number": json.Number("1"), "null": nil, "empty": "",
			"reference": "#/components/schemas/Nobody", "other-case": swapCase(asText(object[member]))} {
			changed := maps.Clone(object)
			changed[member] = value
			all = append(all, variant{"discriminator", n.at + "/discriminator", name, pointer(member), changed})
		}
		all = append(all, variant{"discriminator", n.at + "/discriminator", "missing", pointer(member), without(v, []string{member})})
		return all
	}
	var rules []string
	if len(n.AnyOf) > 0 {
		rules = append(rules, "anyOf")
	}
	if len(n.OneOf) > 0 {
		rules = append(rules, "oneOf")
	}
	if n.Not != nil {
		rules = append(rules, "not")
		for range 30 {
			add("not", "drawn", d.draw([]*node{n, d.spec.node(n.Not, n.at+"/not")}, 0))
		}
	}
	for _, rule := range rules {
		for name, other := range others {
			add(rule, name, other)
		}
		parts := slices.Concat(d.spec.list(n.AnyOf, n.at+"/anyOf"), d.spec.list(n.OneOf, n.at+"/oneOf"))
		for i := range parts {
			for j := range i {
				for range 10 {
					add(rule, "two-at-once", d.draw([]*node{n, parts[i], parts[j]}, 0))
				}
			}
			if nested == mostNested {
				continue
			}
			for _, inner := range d.variants(parts[i], v, nested+1) {
				add(rule, "inner-"+inner.rule+"-"+inner.name, inner.value)
			}
		}
	}
	return all
}

func asText(v any) string { s, _ := v.(string); return s }
