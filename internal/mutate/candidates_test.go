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

// proposal takes another value for a place, by a name. What the value violates is for the oracle to say.
type proposal func(name string, value any)

// candidates proposes values for a place: for each keyword of its schema, one for each way in which servers get it wrong.
// The schema is nested so deep in others that combine it.
func (g generator) candidates(n *schema, v any, nested int, propose proposal) {
	if len(n.types)+len(n.anyOf)+len(n.oneOf) > 0 && (n.discriminator == "" || n.inherits) {
		propose("null", nil)
		for _, name := range sortedKeys(others) {
			propose(name, others[name])
		}
	}
	if len(n.enum) > 0 {
		near(n.enum[0], propose)
	}
	n.numbers(func(name string, r *big.Rat) { propose(name, decimal(r)) })
	switch v := v.(type) {
	case string:
		g.strings(n, v, propose)
	case []any:
		g.lists(n, v, propose)
	case map[string]any:
		g.objects(n, v, nested, propose)
	}
	g.alternatives(n, v, nested, propose)
}

// others are values of each type.
var others = map[string]any{
	"text": "text", "empty-text": "", "number-as-text": "4711", "true-as-text": "true",
	"integer": json.Number("4711"), "fraction": json.Number("1.5"), "true": true, "false": false,
	"list": []any{}, "list-of-text": []any{"text"}, "list-of-numbers": []any{json.Number("1")},
	"object": map[string]any{}, "object-with-a-property": map[string]any{"a": json.Number("1")},
}

// near proposes values near one of an enum.
func near(value any, propose proposal) {
	switch v := value.(type) {
	case string:
		propose("upper-case", strings.ToUpper(v))
		propose("swapped-case", swapCase(v))
		propose("longer", v+"x")
		propose("shorter", shorten(v, utf8.RuneCountInString(v)-1))
		propose("space-after", v+" ")
		propose("space-before", " "+v)
		propose("empty", "")
		propose("other", "neither-of-them")
	case json.Number:
		propose("one-more", decimal(plus(rat(v), 1)))
		propose("large", json.Number("987654"))
		propose("negative", json.Number("-987654"))
	case bool:
		propose("opposite", !v)
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
func (n *schema) numbers(propose func(name string, r *big.Rat)) {
	for _, side := range []struct {
		bound *bound
		sign  int64
	}{{n.minimum, -1}, {n.maximum, 1}} {
		if side.bound == nil {
			continue
		}
		beyond := func(by *big.Rat) *big.Rat {
			return new(big.Rat).Add(side.bound.at, new(big.Rat).Mul(by, big.NewRat(side.sign, 1)))
		}
		propose("the-bound", side.bound.at)
		propose("just-beyond", beyond(big.NewRat(1, 8)))
		propose("one-beyond", beyond(big.NewRat(1, 1)))
		propose("far-beyond", beyond(big.NewRat(1_000_000, 1)))
		propose("a-multiple-beyond", beyond(cmp.Or(n.step, new(big.Rat))))
		propose("zero", new(big.Rat))
		propose("negative", big.NewRat(-1, 1))
	}
	if n.step != nil {
		times := func(r *big.Rat) *big.Rat { return new(big.Rat).Mul(n.step, r) }
		propose("half", times(big.NewRat(1, 2)))
		propose("third", times(big.NewRat(7, 3)))
		propose("eighth", times(big.NewRat(81, 8)))
		for i := range int64(4) {
			propose("one-more", plus(times(big.NewRat(i*10, 1)), 1))
			propose("one-less", plus(times(big.NewRat(i*10, 1)), -1))
		}
	}
	if w, known := widths[n.format]; known {
		far := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(30), nil))
		propose("one-above", plus(w.maximum, 1))
		propose("one-below", plus(w.minimum, -1))
		propose("far-above", far)
		propose("far-below", new(big.Rat).Neg(far))
	}
}

// strings proposes texts of a wrong length, in characters of one to four bytes, and malformed ones.
func (g generator) strings(n *schema, v string, propose proposal) {
	runes := utf8.RuneCountInString(v)
	for _, c := range []struct {
		name string
		r    rune
	}{{"ascii", 'x'}, {"accents", 'é'}, {"emoji", '🚗'}, {"digits", '1'}} {
		if most := n.length.max; n.length.bounded {
			propose("one-more-in-"+c.name, lengthen(shorten(v, most), most+1, c.r))
			propose("one-more-all-"+c.name, lengthen("", most+1, c.r))
		}
		propose("one-less-in-"+c.name, lengthen("", n.length.min-1, c.r))
	}
	propose("cut", shorten(v, n.length.min-1))
	if n.pattern != nil {
		for i := range 40 {
			propose("matching", matching(g.rng, n.pattern.String(), 1+i))
		}
		propose("empty", "")
		propose("line-after", v+"\n")
		propose("line-before", "\n"+v)
		propose("other-case", swapCase(v))
		propose("longer", v+"!")
		propose("shorter", shorten(v, runes-1))
		propose("exclamation", lengthen("", runes, '!'))
		propose("digits", lengthen("", runes, '7'))
		propose("letters", lengthen("", runes, 'q'))
	}
	for _, text := range slices.Concat(formats[n.format].Invalid, formats[n.format].Unusual) {
		propose(cmp.Or(strings.Trim(strings.ReplaceAll(encode(text), "/", "|"), `"`), "empty"), text)
	}
}

// lengthen repeats a character until the text has so many.
func lengthen(s string, length int, with rune) string {
	return s + strings.Repeat(string(with), max(0, length-utf8.RuneCountInString(s)))
}

func shorten(s string, length int) string {
	return string([]rune(s)[:max(0, min(length, utf8.RuneCountInString(s)))])
}

func (g generator) lists(n *schema, v []any, propose proposal) {
	propose("one-less", v[:max(0, min(len(v), n.items.min-1))])
	if n.items.bounded {
		longer := slices.Clone(v)
		for try := 0; len(longer) <= n.items.max && try < 1000; try++ {
			if item := g.item(n, 0); !n.unique || !contains(longer, item) {
				longer = append(longer, item)
			}
		}
		for len(longer) > 0 && len(longer) <= n.items.max { // there are no more that differ
			longer = append(longer, longer[0])
		}
		propose("one-more", longer)
	}
	if !n.unique || len(v) == 0 {
		return
	}
	last := len(v) - 1
	twins := map[string]any{"last": v[last], "first": v[0]}
	if number, isNumber := v[0].(json.Number); isNumber && !rat(number).IsInt() {
		twins["other-spelling"] = scientific(number)
	}
	for _, name := range sortedKeys(twins) {
		propose(name, append(slices.Clone(v), twins[name]))
		propose(name+"-replaced", replaced(v, []string{strconv.Itoa(last)}, twins[name]))
	}
}

func (g generator) objects(n *schema, v map[string]any, nested int, propose proposal) {
	for _, name := range sortedKeys(n.required) {
		propose("missing", without(v, []string{name}))
	}
	for _, name := range []string{"undocumented", "a/b~c", "x-undocumented", ""} {
		propose("one", replaced(v, []string{name}, g.anything(0)))
	}
	propose("empty", map[string]any{})
	fewer, more := maps.Clone(v), maps.Clone(v)
	for _, name := range sortedKeys(v) {
		if _, required := n.required[name]; len(fewer) >= n.size.min && !required {
			delete(fewer, name)
		}
	}
	propose("one-less", fewer)
	for _, name := range sortedKeys(n.properties) {
		if _, present := v[name]; !present && len(more) <= n.size.max {
			more[name], _ = g.value(n.properties[name])
		}
	}
	for i := 0; len(more) <= n.size.max; i++ {
		more["more-"+strings.Repeat("e", i)] = g.unnamed(n, 0)
	}
	propose("one-more", more)
	for _, name := range sortedKeys(n.properties) {
		property := n.properties[name]
		if property.omittedFrom(g.part) == nil || nested == maxNested {
			continue
		}
		value, _ := g.value(property)
		propose("sent", replaced(v, []string{name}, value))
		g.candidates(property, value, nested+1, func(inner string, value any) { // one that is sent is checked, too
			propose("sent-"+inner, replaced(v, []string{name}, value))
		})
	}
}

// maxNested bounds how deep the candidates of a schema are looked for in those of another: their number grows with each
// level, without an end where a schema contains itself.
const maxNested = 2

// alternatives proposes values for anyOf, oneOf, not and the discriminator: of each alternative, of two at once, and of
// none.
func (g generator) alternatives(n *schema, v any, nested int, propose proposal) {
	if object, isObject := v.(map[string]any); n.discriminator != "" && isObject {
		at := []string{n.discriminator}
		propose("unknown", replaced(v, at, "Nobody"))
		propose("reference", replaced(v, at, "#/components/schemas/Nobody"))
		propose("other-case", replaced(v, at, swapCase(asText(object[at[0]]))))
		propose("missing", without(v, at))
		return
	}
	if n.not != nil {
		not := *n.not
		if len(not.types) == 0 {
			not.types = n.types
		}
		for range 30 {
			propose("generated", g.draw(&schema{allOf: []*schema{n, &not}}, 0))
		}
	}
	parts := slices.Concat(n.anyOf, n.oneOf)
	for i, a := range parts {
		for _, b := range parts[:i] {
			for range 10 {
				propose("two-at-once", g.draw(&schema{allOf: []*schema{n, a, b}}, 0))
			}
		}
		if nested < maxNested {
			g.candidates(a, v, nested+1, func(inner string, value any) { propose("inner-"+inner, value) })
		}
	}
}
