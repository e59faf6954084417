package generate

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

// Generator generates values that a schema describes.
type Generator struct {
	Rand *rand.Rand
	Part conformance.Part
	Full bool // with every property, and nothing null
	// Conforms reports whether a value violates nothing.
	Conforms func(n *Schema, v any) bool
	root     *Schema // a schema that extends others, which the value is generated for
}

// Pick returns one of a list.
func Pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

// Value generates a value that violates nothing, or reports that it found none.
func (g Generator) Value(n *Schema) (any, bool) {
	for range 200 {
		if v := g.draw(n, 0); g.Conforms(n, v) {
			return v, true
		}
	}
	return nil, false
}

func (g Generator) oneIn(n int) bool { return g.Rand.IntN(n) == 0 }

// anything generates a value that no schema describes.
func (g Generator) anything(depth int) any {
	switch g.Rand.IntN(8) {
	case 0:
		return nil
	case 1:
		return g.oneIn(2)
	case 2:
		return json.Number(strconv.FormatInt(g.Rand.Int64()-g.Rand.Int64(), 10))
	case 3, 4:
		if depth < 3 {
			return []any{g.anything(depth + 1), g.anything(depth + 1)}
		}
	case 5:
		if depth < 3 {
			return map[string]any{text(g.Rand, 3, false): g.anything(depth + 1)}
		}
	}
	return text(g.Rand, g.Rand.IntN(9), isText(g.Part))
}

// draw generates a value that is likely to be what the schema describes.
func (g Generator) draw(n *Schema, depth int) any {
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
func (g Generator) combined(n *Schema, depth int, v any) (_ any, typed bool) {
	v, typed = g.own(n, depth, v)
	parts := slices.Clone(n.AllOf)
	switch {
	case n.Inherits && g.root != n: // the root is a child, which the value is checked by, whatever it names
		v = Replaced(v, []string{n.Discriminator}, Pick(g.Rand, SortedKeys(n.Choices)))
	case n.Discriminator != "":
		name := Pick(g.Rand, SortedKeys(n.Choices))
		parts = append(parts, n.Choices[name], &Schema{Types: []string{"object"},
			Required:   map[string]string{n.Discriminator: ""},
			Properties: map[string]*Schema{n.Discriminator: {Enum: []any{name}}}})
		g.root = n.Choices[name]
	default:
		for _, alternatives := range [][]*Schema{n.AnyOf, n.OneOf} {
			if len(alternatives) > 0 {
				parts = append(parts, Pick(g.Rand, alternatives))
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

func (g Generator) own(n *Schema, depth int, v any) (_ any, typed bool) {
	switch {
	case n.Nullable && !g.Full && (g.oneIn(5) || depth > 5) || depth > 12:
		return nil, true
	case len(n.Enum) > 0:
		return Pick(g.Rand, n.Enum), true
	case len(n.Types) == 0:
		return v, false
	}
	switch Pick(g.Rand, n.Types) {
	case "boolean":
		return g.oneIn(2), true
	case "integer":
		return g.number(n, true), true
	case "number":
		number := g.number(n, g.oneIn(3))
		if !isText(g.Part) && g.oneIn(4) {
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
func (g Generator) number(n *Schema, whole bool) json.Number {
	low, high := big.NewRat(-1_000_000, 1), big.NewRat(1_000_000, 1)
	if w, known := Widths[n.Format]; known {
		low, high = w.Minimum, w.Maximum
	}
	if n.Minimum != nil {
		low = n.Minimum.At
	}
	if n.Maximum != nil {
		high = n.Maximum.At
	}
	step := big.NewRat(1, 1)
	if n.Step != nil {
		step = n.Step
	} else if !whole {
		step = big.NewRat(1, 8)
	}
	times := func(n int) *big.Rat { return new(big.Rat).Mul(step, big.NewRat(int64(n), 1)) }
	v := Pick(g.Rand, []*big.Rat{low, high, new(big.Rat).Add(low, step), new(big.Rat).Sub(high, step),
		times(g.Rand.IntN(2000) - 1000), new(big.Rat).Add(low, times(g.Rand.IntN(50)))})
	if n.Step != nil || whole { // the multiple at or below
		steps := new(big.Rat).Quo(v, step)
		v = new(big.Rat).Mul(step, new(big.Rat).SetInt(new(big.Int).Div(steps.Num(), steps.Denom())))
	}
	return Decimal(v)
}

func (g Generator) text(n *Schema) string {
	header := isText(g.Part)
	if f, known := Formats[n.Format]; known {
		return Pick(g.Rand, f.Valid)
	}
	top := n.Length.top(12)
	if n.Pattern != nil {
		return Matching(g.Rand, n.Pattern.String(), max(1, min(top, 12)))
	}
	length := Pick(g.Rand, []int{n.Length.Min, top, n.Length.Min + g.Rand.IntN(max(0, min(top-n.Length.Min, 16))+1)})
	if header || g.Full {
		length = max(length, min(top, 1))
	}
	return text(g.Rand, length, header)
}

func (g Generator) array(n *Schema, depth int) any {
	least, top := n.Items.Min, n.Items.top(3)
	length := least + g.Rand.IntN(max(0, min(top-least, 4))+1)
	switch {
	case depth > 4:
		length = least
	case g.oneIn(6):
		length = min(top, 50)
	case length == 0 && g.Full || isText(g.Part):
		length = max(length, min(top, 2))
	}
	list := []any{}
	for try := 0; len(list) < length && try < 20*length; try++ {
		if item := g.item(n, depth); !n.Unique || !Contains(list, item) {
			list = append(list, item)
		}
	}
	return list
}

func (g Generator) item(n *Schema, depth int) any {
	if n.Item == nil {
		return g.anything(depth + 1)
	}
	return g.draw(n.Item, depth+1)
}

// object adds to an object, or to none.
func (g Generator) object(n *Schema, depth int, object map[string]any) any {
	object = maps.Clone(object)
	if object == nil {
		object = map[string]any{}
	}
	for _, name := range SortedKeys(n.Properties) {
		_, required := n.Required[name]
		optional := depth > 3 || !g.Full && g.oneIn(3)
		if property := n.Properties[name]; property.OmittedFrom(g.Part) == nil && (required || !optional) {
			object[name] = g.draw(property, depth+1)
		}
	}
	for _, name := range SortedKeys(n.Required) {
		if _, present := object[name]; !present && n.Properties[name] == nil {
			object[name] = g.unnamed(n, depth)
		}
	}
	more := n.Size.Min - len(object)
	if n.Rest != nil && (g.Full && depth < 4 || g.oneIn(2)) {
		more = max(more, 1+g.Rand.IntN(2))
	}
	for i := g.Rand.IntN(4); more > 0; i, more = i+1, more-1 {
		object[[]string{"extra", "/~ %", "ключ", ""}[i%4]+strings.Repeat("+", i/4)] = g.unnamed(n, depth)
	}
	names := SortedKeys(object)
	g.Rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names {
		if _, required := n.Required[name]; n.Size.Bounded && len(object) > n.Size.Max && !required {
			delete(object, name)
		}
	}
	return object
}

// unnamed generates a property that the schema does not name.
func (g Generator) unnamed(n *Schema, depth int) any {
	if n.Rest == nil {
		return g.anything(depth + 1)
	}
	return g.draw(n.Rest, depth+1)
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
	alphabet, mixed := Pick(rng, alphabets), rng.IntN(3) == 0
	list := make([]rune, length)
	for i := range list {
		switch {
		case header:
			alphabet = headerAlphabet
		case mixed:
			alphabet = Pick(rng, alphabets)
		}
		list[i] = Pick(rng, alphabet)
	}
	return string(list)
}

// Matching generates a text that matches a pattern, or comes close where the pattern has assertions. A repetition without
// an end is repeated up to most times.
func Matching(rng *rand.Rand, pattern string, most int) string {
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
		sample(b, rng, Pick(rng, tree.Sub), most)
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
	return Pick(rng, all)
}
