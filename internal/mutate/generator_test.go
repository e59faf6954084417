package mutate

import (
	"encoding/json"
	"maps"
	"math/big"
	"math/rand/v2"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// generator generates values that a schema describes.
type generator struct {
	rng  *rand.Rand
	part conformance.Part
	full bool    // with every property, and nothing null
	root *schema // a schema that extends others, which the value is generated for
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

func (g generator) oneIn(n int) bool { return g.rng.IntN(n) == 0 }

// value generates a value that violates nothing, or reports that it found none.
func (g generator) value(n *schema) (any, bool) {
	for range 200 {
		if v := g.draw(n, 0); len(check(n, v, g.part)) == 0 {
			return v, true
		}
	}
	return nil, false
}

// anything generates a value that no schema describes.
func (g generator) anything(depth int) any {
	switch g.rng.IntN(8) {
	case 0:
		return nil
	case 1:
		return g.oneIn(2)
	case 2:
		return json.Number(strconv.FormatInt(g.rng.Int64()-g.rng.Int64(), 10))
	case 3, 4:
		if depth < 3 {
			return []any{g.anything(depth + 1), g.anything(depth + 1)}
		}
	case 5:
		if depth < 3 {
			return map[string]any{text(g.rng, 3, false): g.anything(depth + 1)}
		}
	}
	return text(g.rng, g.rng.IntN(9), isText(g.part))
}

// draw generates a value that is likely to be what the schema describes.
func (g generator) draw(n *schema, depth int) any {
	g.root = n
	v, typed := g.combined(n, depth, nil)
	switch {
	case typed:
		return v
	case depth == 0: // a body without a schema
		return map[string]any{"any": g.anything(0)}
	}
	return g.anything(depth)
}

// combined generates a value for a schema, then for those that it combines and one of each list of alternatives: each
// adds to the same object, and replaces other values. Contradictions and not are left to the oracle. It is not typed
// where none of them has a type.
func (g generator) combined(n *schema, depth int, v any) (_ any, typed bool) {
	v, typed = g.own(n, depth, v)
	parts := slices.Clone(n.allOf)
	switch {
	case n.inherits && g.root != n: // the root is a child, which the value is checked by, whatever it names
		v = replaced(v, []string{n.discriminator}, pick(g.rng, sortedKeys(n.choices)))
	case n.discriminator != "":
		name := pick(g.rng, sortedKeys(n.choices))
		parts = append(parts, n.choices[name], &schema{types: []string{"object"},
			required:   map[string]string{n.discriminator: ""},
			properties: map[string]*schema{n.discriminator: {enum: []any{name}}}})
		g.root = n.choices[name]
	default:
		for _, alternatives := range [][]*schema{n.anyOf, n.oneOf} {
			if len(alternatives) > 0 {
				parts = append(parts, pick(g.rng, alternatives))
			}
		}
	}
	for _, part := range parts {
		if of, partTyped := g.combined(part, depth, v); partTyped {
			v, typed = of, true
		}
	}
	return v, typed
}

func (g generator) own(n *schema, depth int, v any) (_ any, typed bool) {
	switch {
	case n.nullable && !g.full && (g.oneIn(5) || depth > 5) || depth > 12:
		return nil, true
	case len(n.enum) > 0:
		return pick(g.rng, n.enum), true
	case len(n.types) == 0:
		return v, false
	}
	switch pick(g.rng, n.types) {
	case "boolean":
		return g.oneIn(2), true
	case "integer":
		return g.number(n, true), true
	case "number":
		number := g.number(n, g.oneIn(3))
		if !isText(g.part) && g.oneIn(4) {
			number = scientific(number)
		}
		return number, true
	case "string":
		return g.text(n), true
	case "array":
		return g.array(n, depth), true
	}
	object, _ := v.(map[string]any)
	return g.object(n, depth, object), true
}

// number generates a number near its bounds, or a small one.
func (g generator) number(n *schema, whole bool) json.Number {
	low, high := big.NewRat(-1_000_000, 1), big.NewRat(1_000_000, 1)
	if w, known := widths[n.format]; known {
		low, high = w.minimum, w.maximum
	}
	if n.minimum != nil {
		low = n.minimum.at
	}
	if n.maximum != nil {
		high = n.maximum.at
	}
	step := big.NewRat(1, 1)
	if n.step != nil {
		step = n.step
	} else if !whole {
		step = big.NewRat(1, 8)
	}
	times := func(n int) *big.Rat { return new(big.Rat).Mul(step, big.NewRat(int64(n), 1)) }
	v := pick(g.rng, []*big.Rat{low, high, new(big.Rat).Add(low, step), new(big.Rat).Sub(high, step),
		times(g.rng.IntN(2000) - 1000), new(big.Rat).Add(low, times(g.rng.IntN(50)))})
	if n.step != nil || whole { // the multiple at or below
		steps := new(big.Rat).Quo(v, step)
		v = new(big.Rat).Mul(step, new(big.Rat).SetInt(new(big.Int).Div(steps.Num(), steps.Denom())))
	}
	return decimal(v)
}

func (g generator) text(n *schema) string {
	header := isText(g.part)
	if f, known := formats[n.format]; known {
		return pick(g.rng, f.Valid)
	}
	top := n.length.top(12)
	if n.pattern != nil {
		return matching(g.rng, n.pattern.String(), max(1, min(top, 12)))
	}
	length := pick(g.rng, []int{n.length.min, top, n.length.min + g.rng.IntN(max(0, min(top-n.length.min, 16))+1)})
	if header || g.full {
		length = max(length, min(top, 1))
	}
	return text(g.rng, length, header)
}

func (g generator) array(n *schema, depth int) any {
	least, top := n.items.min, n.items.top(3)
	length := least + g.rng.IntN(max(0, min(top-least, 4))+1)
	switch {
	case depth > 4:
		length = least
	case g.oneIn(6):
		length = min(top, 50)
	case length == 0 && g.full || isText(g.part):
		length = max(length, min(top, 2))
	}
	list := []any{}
	for try := 0; len(list) < length && try < 20*length; try++ {
		if item := g.item(n, depth); !n.unique || !contains(list, item) {
			list = append(list, item)
		}
	}
	return list
}

func (g generator) item(n *schema, depth int) any {
	if n.item == nil {
		return g.anything(depth + 1)
	}
	return g.draw(n.item, depth+1)
}

// object adds to an object, or to none.
func (g generator) object(n *schema, depth int, object map[string]any) any {
	object = maps.Clone(object)
	if object == nil {
		object = map[string]any{}
	}
	for _, name := range sortedKeys(n.properties) {
		_, required := n.required[name]
		optional := depth > 3 || !g.full && g.oneIn(3)
		if property := n.properties[name]; property.omittedFrom(g.part) == nil && (required || !optional) {
			object[name] = g.draw(property, depth+1)
		}
	}
	for _, name := range sortedKeys(n.required) {
		if _, present := object[name]; !present && n.properties[name] == nil {
			object[name] = g.unnamed(n, depth)
		}
	}
	more := n.size.min - len(object)
	if n.rest != nil && (g.full && depth < 4 || g.oneIn(2)) {
		more = max(more, 1+g.rng.IntN(2))
	}
	for i := g.rng.IntN(4); more > 0; i, more = i+1, more-1 {
		object[[]string{"extra", "/~ %", "ключ", ""}[i%4]+strings.Repeat("+", i/4)] = g.unnamed(n, depth)
	}
	names := sortedKeys(object)
	g.rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names {
		if _, required := n.required[name]; n.size.bounded && len(object) > n.size.max && !required {
			delete(object, name)
		}
	}
	return object
}

// unnamed generates a property that the schema does not name.
func (g generator) unnamed(n *schema, depth int) any {
	if n.rest == nil {
		return g.anything(depth + 1)
	}
	return g.draw(n.rest, depth+1)
}

// alphabets are what texts are made of: characters that JSON writes as they are, that it escapes, and of two to four bytes.
var alphabets = [][]rune{
	[]rune("abcXYZ019 -_.,;:/"),
	[]rune("\"\\/\b\f\n\r\t<>&'\x00\x1f\x7f"),
	[]rune("äéßñ\u4e2d\u6587\u2028\u2029\uFEFF\uFFFD"),
	[]rune("😀🚗👩‍🔧🏳️‍🌈𝔘"),
}

// headerAlphabet leaves out what separates the items of a list, and white space, which no header ends with.
var headerAlphabet = []rune("abcXYZ019-_.;:/!$*+")

// text generates a text of so many characters, of one alphabet or of all.
func text(rng *rand.Rand, length int, header bool) string {
	alphabet, mixed := pick(rng, alphabets), rng.IntN(3) == 0
	list := make([]rune, length)
	for i := range list {
		switch {
		case header:
			alphabet = headerAlphabet
		case mixed:
			alphabet = pick(rng, alphabets)
		}
		list[i] = pick(rng, alphabet)
	}
	return string(list)
}

// matching generates a text that matches a pattern, or comes close where the pattern has assertions. A repetition without
// an end is repeated up to most times.
func matching(rng *rand.Rand, pattern string, most int) string {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return ""
	}
	var b strings.Builder
	sample(&b, rng, tree, most)
	return b.String()
}

func sample(b *strings.Builder, rng *rand.Rand, tree *syntax.Regexp, most int) {
	least, top := 1, 1 // how often the operands are repeated
	switch tree.Op {
	case syntax.OpLiteral:
		for _, r := range tree.Rune {
			if tree.Flags&syntax.FoldCase != 0 && rng.IntN(2) == 0 {
				r = unicode.SimpleFold(r)
			}
			b.WriteRune(r)
		}
	case syntax.OpCharClass:
		b.WriteRune(visible(rng, tree.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteString(text(rng, 1, true))
	case syntax.OpAlternate:
		sample(b, rng, pick(rng, tree.Sub), most)
		return
	case syntax.OpStar:
		least, top = 0, most
	case syntax.OpPlus:
		top = most
	case syntax.OpQuest:
		least = 0
	case syntax.OpRepeat:
		if least, top = tree.Min, tree.Max; top < 0 {
			top = least + most
		}
	}
	for range least + rng.IntN(max(top-least, 0)+1) {
		for _, sub := range tree.Sub {
			sample(b, rng, sub, most)
		}
	}
}

// visible generates a character of a class, which is pairs of bounds: one in visible ASCII if the class has some.
func visible(rng *rand.Rand, bounds []rune) rune {
	var all []rune
	for i := 0; i+1 < len(bounds); i += 2 {
		for r := max(bounds[i], ' '+1); r <= min(bounds[i+1], '~'); r++ {
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return append(bounds, 'x')[0]
	}
	return pick(rng, all)
}
