package mutate

import (
	"cmp"
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// candidate is another value for a site, which may violate a keyword of its schema. Whether it does, and nothing else, is
// for the oracle to say.
type candidate struct {
	rule     string
	claim    string // its place in the spec
	name     string
	property string // pointer of the property that the claim is about
	value    any
}

// candidates proposes values for a site, one for each way to violate a keyword that people get wrong. The schema is
// nested so deep in others that combine it.
func (g generator) candidates(n *schema, v any, nested int) (all []candidate) {
	add := func(rule, name string, value any) {
		all = append(all, candidate{rule: rule, claim: n.at + "/" + rule, name: name, value: value})
	}
	if len(n.types) > 0 {
		for name, other := range others {
			add("type", name, other)
		}
		all = append(all, candidate{rule: "nullable", claim: n.nullClaim, name: "null"})
	}
	if len(n.enum) > 0 {
		near(n.enum[0], func(name string, value any) { add("enum", name, value) })
	}
	n.numbers(func(rule, name string, r *big.Rat) { add(rule, name, decimal(r)) })
	switch v := v.(type) {
	case string:
		g.strings(n, v, add)
	case []any:
		g.lists(n, v, add)
	case map[string]any:
		all = append(all, g.objects(n, v, nested)...)
	}
	all = append(all, g.alternatives(n, v, nested)...)
	slices.SortStableFunc(all, func(a, b candidate) int {
		return strings.Compare(a.rule+a.property+"/"+a.name, b.rule+b.property+"/"+b.name)
	})
	return all
}

// others are values of each type.
var others = map[string]any{
	"text": "text", "empty-text": "", "number-as-text": "4711", "true-as-text": "true",
	"integer": json.Number("4711"), "fraction": json.Number("1.5"), "true": true, "false": false,
	"list": []any{}, "list-of-text": []any{"text"}, "list-of-numbers": []any{json.Number("1")},
	"object": map[string]any{}, "object-with-a-member": map[string]any{"a": json.Number("1")},
}

// near proposes values near one of an enum.
func near(value any, add func(name string, value any)) {
	switch v := value.(type) {
	case string:
		add("upper-case", strings.ToUpper(v))
		add("swapped-case", swapCase(v))
		add("longer", v+"x")
		add("shorter", shorten(v, utf8.RuneCountInString(v)-1))
		add("space-after", v+" ")
		add("space-before", " "+v)
		add("empty", "")
		add("other", "neither-of-them")
	case json.Number:
		add("one-more", decimal(plus(rat(v), 1)))
		add("large", json.Number("987654"))
		add("negative", json.Number("-987654"))
	case bool:
		add("opposite", !v)
	default:
		add("empty-list", []any{})
		add("empty-object", map[string]any{})
		add("text", "other")
	}
}

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}

// numbers proposes what is just beyond each bound, and far beyond.
func (n *schema) numbers(add func(rule, name string, r *big.Rat)) {
	for sign, b := range map[int64]*bound{-1: n.minimum, 1: n.maximum} {
		if b == nil {
			continue
		}
		rule := b.rule("minimum", "exclusiveMinimum")
		if sign > 0 {
			rule = b.rule("maximum", "exclusiveMaximum")
		}
		beyond := func(by *big.Rat) *big.Rat {
			return new(big.Rat).Add(b.at, new(big.Rat).Mul(by, big.NewRat(sign, 1)))
		}
		add(rule, "the-bound", b.at)
		add(rule, "just-beyond", beyond(big.NewRat(1, 8)))
		add(rule, "one-beyond", beyond(big.NewRat(1, 1)))
		add(rule, "far-beyond", beyond(big.NewRat(1_000_000, 1)))
		if n.step != nil {
			add(rule, "a-multiple-beyond", beyond(n.step))
		}
		add(rule, "zero", new(big.Rat))
		add(rule, "negative", big.NewRat(-1, 1))
	}
	if n.step != nil {
		times := func(r *big.Rat) *big.Rat { return new(big.Rat).Mul(n.step, r) }
		add("multipleOf", "half", times(big.NewRat(1, 2)))
		add("multipleOf", "third", times(big.NewRat(7, 3)))
		add("multipleOf", "eighth", times(big.NewRat(81, 8)))
		for i := range int64(4) {
			add("multipleOf", "one-more", plus(times(big.NewRat(i*10, 1)), 1))
			add("multipleOf", "one-less", plus(times(big.NewRat(i*10, 1)), -1))
		}
	}
	if w, known := widths[n.format]; known {
		far := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(30), nil))
		add("format", "one-above", plus(w.maximum, 1))
		add("format", "one-below", plus(w.minimum, -1))
		add("format", "far-above", far)
		add("format", "far-below", new(big.Rat).Neg(far))
	}
}

// strings proposes texts of a wrong length, in characters of one to four bytes, and malformed ones.
func (g generator) strings(n *schema, v string, add func(rule, name string, value any)) {
	runes := utf8.RuneCountInString(v)
	for name, r := range map[string]rune{"ascii": 'x', "accents": 'é', "emoji": '🚗', "digits": '1'} {
		if most := n.length.max; n.length.bounded {
			add("maxLength", "one-more-in-"+name, lengthen(shorten(v, most), most+1, r))
			add("maxLength", "one-more-all-"+name, lengthen("", most+1, r))
		}
		add("minLength", "one-less-in-"+name, lengthen("", n.length.min-1, r))
	}
	add("minLength", "empty", "")
	add("minLength", "cut", shorten(v, n.length.min-1))
	if n.pattern != nil {
		for i := range 40 {
			text := matching(g.rng, n.pattern.String(), 1+i)
			add("maxLength", "matching", text)
			add("minLength", "matching", text)
		}
		add("pattern", "empty", "")
		add("pattern", "line-after", v+"\n")
		add("pattern", "line-before", "\n"+v)
		add("pattern", "other-case", swapCase(v))
		add("pattern", "longer", v+"!")
		add("pattern", "shorter", shorten(v, runes-1))
		for name, r := range map[string]rune{"exclamation": '!', "digits": '7', "letters": 'q'} {
			add("pattern", name, lengthen("", runes, r))
		}
	}
	for _, text := range formats[n.format].Invalid {
		label := "empty"
		if text != "" {
			label = strings.Trim(strings.ReplaceAll(encode(text), "/", "|"), `"`)
		}
		add("format", label, text)
	}
}

// lengthen repeats a character until the text has so many.
func lengthen(s string, length int, with rune) string {
	return s + strings.Repeat(string(with), max(0, length-utf8.RuneCountInString(s)))
}

func shorten(s string, length int) string {
	return string([]rune(s)[:max(0, min(length, utf8.RuneCountInString(s)))])
}

func (g generator) lists(n *schema, v []any, add func(rule, name string, value any)) {
	add("minItems", "one-less", v[:max(0, min(len(v), n.items.min-1))])
	add("minItems", "empty", []any{})
	if n.items.bounded {
		longer := slices.Clone(v)
		for try := 0; len(longer) <= n.items.max && try < 1000; try++ {
			if item, _ := g.value(cmp.Or(n.item, &schema{})); !n.unique || !contains(longer, item) {
				longer = append(longer, item)
			}
		}
		add("maxItems", "one-more", longer)
	}
	if !n.unique || len(v) == 0 {
		return
	}
	last := len(v) - 1
	twins := map[string]any{"last": v[last], "first": v[0]}
	if number, isNumber := v[0].(json.Number); isNumber && !rat(number).IsInt() {
		twins["other-spelling"] = scientific(number)
	}
	for name, twin := range twins {
		add("uniqueItems", name, append(slices.Clone(v), twin))
		add("uniqueItems", name+"-replaced", replaced(v, []string{strconv.Itoa(last)}, twin))
	}
}

func (g generator) objects(n *schema, v map[string]any, nested int) (all []candidate) {
	add := func(rule, name, property, claim string, value any) {
		all = append(all, candidate{rule, claim, name, property, value})
	}
	for name, claim := range n.required {
		add("required", "missing", pointer(name), claim, without(v, []string{name}))
	}
	for _, name := range []string{"undocumented", "a/b~c", "x-undocumented", ""} {
		add("additionalProperties", "one", pointer(name), n.at+"/additionalProperties", replaced(v, []string{name}, g.anything(0)))
		add("undocumented-property", "one", pointer(name), "", replaced(v, []string{name}, g.anything(0)))
	}
	add("minProperties", "empty", "", n.at+"/minProperties", map[string]any{})
	fewer, more := maps.Clone(v), maps.Clone(v)
	for _, name := range sortedKeys(v) {
		if _, required := n.required[name]; len(fewer) >= n.size.min && !required {
			delete(fewer, name)
		}
	}
	add("minProperties", "one-less", "", n.at+"/minProperties", fewer)
	if n.size.bounded {
		for _, name := range sortedKeys(n.properties) {
			if _, present := v[name]; !present && len(more) <= n.size.max {
				more[name], _ = g.value(n.properties[name])
			}
		}
		for i := 0; len(more) <= n.size.max; i++ {
			more["more-"+strings.Repeat("e", i)] = g.unnamed(n, 0)
		}
		add("maxProperties", "one-more", "", n.at+"/maxProperties", more)
	}
	for _, name := range sortedKeys(n.properties) {
		property := n.properties[name]
		rule := property.omittedFrom(g.part)
		if rule == "" || nested == maxNested {
			continue
		}
		value, _ := g.value(property)
		add(rule, "sent", pointer(name), property.at+"/"+rule, replaced(v, []string{name}, value))
		for _, inner := range g.candidates(property, value, nested+1) { // one that is sent all the same is checked, too
			add(inner.rule, "sent-"+inner.name, pointer(name)+inner.property, inner.claim, replaced(v, []string{name}, inner.value))
		}
	}
	return all
}

// maxNested bounds how deep the candidates of a schema are looked for in those of another: their number grows with each
// level, without an end where a schema contains itself.
const maxNested = 2

// alternatives proposes values for anyOf, oneOf, not and the discriminator: of each alternative, of two at once, and of
// none.
func (g generator) alternatives(n *schema, v any, nested int) (all []candidate) {
	if object, isObject := v.(map[string]any); n.discriminator != "" && isObject {
		at := []string{n.discriminator}
		add := func(name string, value any) {
			all = append(all, candidate{"discriminator", n.at + "/discriminator", name, pointer(at...), value})
		}
		for name, value := range map[string]any{"unknown": "Nobody", "number": json.Number("1"), "null": nil, "empty": "",
			"reference": "#/components/schemas/Nobody", "other-case": swapCase(asText(object[at[0]]))} {
			add(name, replaced(v, at, value))
		}
		add("missing", without(v, at))
		return all
	}
	parts := slices.Concat(n.anyOf, n.oneOf)
	for _, rule := range []string{"anyOf", "oneOf", "not"} {
		if rule == "anyOf" && n.anyOf == nil || rule == "oneOf" && n.oneOf == nil || rule == "not" && n.not == nil {
			continue
		}
		add := func(name string, value any) {
			all = append(all, candidate{rule: rule, claim: n.at + "/" + rule, name: name, value: value})
		}
		for name, other := range others {
			add(name, other)
		}
		for i := range 30 {
			if n.not != nil {
				add("drawn", g.draw(&schema{allOf: []*schema{n, n.not}}, 0))
			}
			for j, a := range parts {
				for _, b := range parts[:j] {
					if i < 10 {
						add("two-at-once", g.draw(&schema{allOf: []*schema{n, a, b}}, 0))
					}
				}
			}
		}
		for i := 0; i < len(parts) && nested < maxNested; i++ {
			for _, inner := range g.candidates(parts[i], v, nested+1) {
				add("inner-"+inner.rule+"-"+inner.name, inner.value)
			}
		}
	}
	return all
}
