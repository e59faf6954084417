package generate

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

// Proposal takes another value for a place, by a name. What the value violates is for the oracle to say.
type Proposal func(name string, value any)

// Candidates proposes values for a place: for each keyword of its schema, one for each way in which servers get it wrong.
// The schema is nested so deep in others that combine it.
func (g Generator) Candidates(n *Schema, v any, nested int, propose Proposal) {
	if len(n.Types)+len(n.AnyOf)+len(n.OneOf) > 0 && (n.Discriminator == "" || n.Inherits) {
		propose("null", nil)
		for _, name := range SortedKeys(others) {
			propose(name, others[name])
		}
	}
	if len(n.Enum) > 0 {
		near(n.Enum[0], propose)
	}
	n.numbers(func(name string, r *big.Rat) { propose(name, Decimal(r)) })
	switch v := v.(type) {
	case string:
		g.texts(n, v, propose)
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
func near(value any, propose Proposal) {
	switch v := value.(type) {
	case string:
		propose("upper-case", strings.ToUpper(v))
		propose("swapped-case", SwapCase(v))
		propose("longer", v+"x")
		propose("shorter", shorten(v, utf8.RuneCountInString(v)-1))
		propose("space-after", v+" ")
		propose("space-before", " "+v)
		propose("empty", "")
		propose("other", "neither-of-them")
	case json.Number:
		propose("one-more", Decimal(Plus(Rat(v), 1)))
		propose("large", json.Number("987654"))
		propose("negative", json.Number("-987654"))
	case bool:
		propose("opposite", !v)
	}
}

// SwapCase swaps the case of each letter.
func SwapCase(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}

// numbers proposes what is just beyond each bound, and far beyond.
func (n *Schema) numbers(propose func(name string, r *big.Rat)) {
	for _, side := range []struct {
		bound *Bound
		sign  int64
	}{{n.Minimum, -1}, {n.Maximum, 1}} {
		if side.bound == nil {
			continue
		}
		beyond := func(by *big.Rat) *big.Rat {
			return new(big.Rat).Add(side.bound.At, new(big.Rat).Mul(by, big.NewRat(side.sign, 1)))
		}
		propose("the-bound", side.bound.At)
		propose("just-beyond", beyond(big.NewRat(1, 8)))
		propose("one-beyond", beyond(big.NewRat(1, 1)))
		propose("far-beyond", beyond(big.NewRat(1_000_000, 1)))
		propose("a-multiple-beyond", beyond(cmp.Or(n.Step, new(big.Rat))))
		propose("zero", new(big.Rat))
		propose("negative", big.NewRat(-1, 1))
	}
	if n.Step != nil {
		times := func(r *big.Rat) *big.Rat { return new(big.Rat).Mul(n.Step, r) }
		propose("half", times(big.NewRat(1, 2)))
		propose("third", times(big.NewRat(7, 3)))
		propose("eighth", times(big.NewRat(81, 8)))
		for i := range int64(4) {
			propose("one-more", Plus(times(big.NewRat(i*10, 1)), 1))
			propose("one-less", Plus(times(big.NewRat(i*10, 1)), -1))
		}
	}
	if w, known := Widths[n.Format]; known {
		far := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(30), nil))
		propose("one-above", Plus(w.Maximum, 1))
		propose("one-below", Plus(w.Minimum, -1))
		propose("far-above", far)
		propose("far-below", new(big.Rat).Neg(far))
	}
}

// strings proposes texts of a wrong length, in characters of one to four bytes, and malformed ones.
func (g Generator) texts(n *Schema, v string, propose Proposal) {
	runes := utf8.RuneCountInString(v)
	for _, c := range []struct {
		name string
		r    rune
	}{{"ascii", 'x'}, {"accents", 'é'}, {"emoji", '🚗'}, {"digits", '1'}} {
		if most := n.Length.Max; n.Length.Bounded {
			propose("one-more-in-"+c.name, lengthen(shorten(v, most), most+1, c.r))
			propose("one-more-all-"+c.name, lengthen("", most+1, c.r))
		}
		propose("one-less-in-"+c.name, lengthen("", n.Length.Min-1, c.r))
	}
	propose("cut", shorten(v, n.Length.Min-1))
	if n.Pattern != nil {
		for i := range 40 {
			propose("matching", Matching(g.Rand, n.Pattern.String(), 1+i))
		}
		propose("empty", "")
		propose("line-after", v+"\n")
		propose("line-before", "\n"+v)
		propose("other-case", SwapCase(v))
		propose("longer", v+"!")
		propose("shorter", shorten(v, runes-1))
		propose("exclamation", lengthen("", runes, '!'))
		propose("digits", lengthen("", runes, '7'))
		propose("letters", lengthen("", runes, 'q'))
	}
	for _, text := range slices.Concat(Formats[n.Format].Invalid, Formats[n.Format].Unusual) {
		propose(cmp.Or(strings.Trim(strings.ReplaceAll(Encode(text), "/", "|"), `"`), "empty"), text)
	}
}

// lengthen repeats a character until the text has so many.
func lengthen(s string, length int, with rune) string {
	return s + strings.Repeat(string(with), max(0, length-utf8.RuneCountInString(s)))
}

func shorten(s string, length int) string {
	return string([]rune(s)[:max(0, min(length, utf8.RuneCountInString(s)))])
}

func (g Generator) lists(n *Schema, v []any, propose Proposal) {
	propose("one-less", v[:max(0, min(len(v), n.Items.Min-1))])
	if n.Items.Bounded {
		longer := slices.Clone(v)
		for try := 0; len(longer) <= n.Items.Max && try < 1000; try++ {
			if item := g.item(n, 0); !n.Unique || !Contains(longer, item) {
				longer = append(longer, item)
			}
		}
		for len(longer) > 0 && len(longer) <= n.Items.Max { // there are no more that differ
			longer = append(longer, longer[0])
		}
		propose("one-more", longer)
	}
	if !n.Unique || len(v) == 0 {
		return
	}
	last := len(v) - 1
	twins := map[string]any{"last": v[last], "first": v[0]}
	if number, isNumber := v[0].(json.Number); isNumber && !Rat(number).IsInt() {
		twins["other-spelling"] = scientific(number)
	}
	for _, name := range SortedKeys(twins) {
		propose(name, append(slices.Clone(v), twins[name]))
		propose(name+"-replaced", Replaced(v, []string{strconv.Itoa(last)}, twins[name]))
	}
}

func (g Generator) objects(n *Schema, v map[string]any, nested int, propose Proposal) {
	for _, name := range SortedKeys(n.Required) {
		propose("missing", Without(v, []string{name}))
	}
	for _, name := range []string{"undocumented", "a/b~c", "x-undocumented", ""} {
		propose("one", Replaced(v, []string{name}, g.anything(0)))
	}
	propose("empty", map[string]any{})
	fewer, more := maps.Clone(v), maps.Clone(v)
	for _, name := range SortedKeys(v) {
		if _, required := n.Required[name]; len(fewer) >= n.Size.Min && !required {
			delete(fewer, name)
		}
	}
	propose("one-less", fewer)
	for _, name := range SortedKeys(n.Properties) {
		if _, present := v[name]; !present && len(more) <= n.Size.Max {
			more[name], _ = g.Value(n.Properties[name])
		}
	}
	for i := 0; len(more) <= n.Size.Max; i++ {
		more["more-"+strings.Repeat("e", i)] = g.unnamed(n, 0)
	}
	propose("one-more", more)
	for _, name := range SortedKeys(n.Properties) {
		property := n.Properties[name]
		if property.OmittedFrom(g.Part) == nil || nested == maxNested {
			continue
		}
		value, _ := g.Value(property)
		propose("sent", Replaced(v, []string{name}, value))
		g.Candidates(property, value, nested+1, func(inner string, value any) { // one that is sent is checked, too
			propose("sent-"+inner, Replaced(v, []string{name}, value))
		})
	}
}

// maxNested bounds how deep the candidates of a schema are looked for in those of another: their number grows with each
// level, without an end where a schema contains itself.
const maxNested = 2

// alternatives proposes values for anyOf, oneOf, not and the discriminator: of each alternative, of two at once, and of
// none.
func (g Generator) alternatives(n *Schema, v any, nested int, propose Proposal) {
	if object, isObject := v.(map[string]any); n.Discriminator != "" && isObject {
		at := []string{n.Discriminator}
		propose("unknown", Replaced(v, at, "Nobody"))
		propose("reference", Replaced(v, at, "#/components/schemas/Nobody"))
		propose("other-case", Replaced(v, at, SwapCase(AsText(object[at[0]]))))
		propose("missing", Without(v, at))
		return
	}
	if n.Not != nil {
		not := *n.Not
		if len(not.Types) == 0 {
			not.Types = n.Types
		}
		for range 30 {
			propose("generated", g.draw(&Schema{AllOf: []*Schema{n, &not}}, 0))
		}
	}
	parts := slices.Concat(n.AnyOf, n.OneOf)
	for i, a := range parts {
		for _, b := range parts[:i] {
			for range 10 {
				propose("two-at-once", g.draw(&Schema{AllOf: []*Schema{n, a, b}}, 0))
			}
		}
		if nested < maxNested {
			g.Candidates(a, v, nested+1, func(inner string, value any) { propose("inner-"+inner, value) })
		}
	}
}
