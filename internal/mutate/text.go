package mutate

import (
	"math/rand/v2"
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"
)

// alphabets are what texts are drawn of: what is written as it is, what JSON escapes, and what takes two to four bytes.
var alphabets = [][]rune{
	[]rune("abcXYZ019 -_.,;:/"),
	[]rune("\"\\/\b\f\n\r\t<>&'\x00\x1f\x7f"),
	[]rune("äéßñ\u4e2d\u6587\u2028\u2029\uFEFF\uFFFD"),
	[]rune("😀🚗👩‍🔧🏳️‍🌈𝔘"),
}

// headerAlphabet leaves out what separates the items of a list, and white space, which no header ends with.
var headerAlphabet = []rune("abcXYZ019-_.;:/!$*+")

// text draws a text of so many characters.
func text(rng *rand.Rand, length int, header bool) string {
	alphabet := alphabets[rng.IntN(len(alphabets))]
	if header {
		alphabet = headerAlphabet
	}
	mixed := rng.IntN(3) == 0
	var b strings.Builder
	for range length {
		if mixed && !header {
			alphabet = alphabets[rng.IntN(len(alphabets))]
		}
		b.WriteRune(alphabet[rng.IntN(len(alphabet))])
	}
	return b.String()
}

// lengthen repeats a character until the text has so many.
func lengthen(s string, length int, with rune) string {
	return s + strings.Repeat(string(with), max(0, length-utf8.RuneCountInString(s)))
}

func shorten(s string, length int) string {
	return string([]rune(s)[:min(length, utf8.RuneCountInString(s))])
}

// matching draws a text that matches a pattern, or one that comes close where the pattern looks around itself. What
// may be repeated without end is repeated up to most times.
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
	repeat := func(least, limit int) {
		for range least + rng.IntN(max(limit-least, 0)+1) {
			sample(b, rng, tree.Sub[0], most)
		}
	}
	switch tree.Op {
	case syntax.OpLiteral:
		for _, r := range tree.Rune {
			if tree.Flags&syntax.FoldCase != 0 && rng.IntN(2) == 0 {
				r = unicode.SimpleFold(r)
			}
			b.WriteRune(r)
		}
	case syntax.OpCharClass:
		b.WriteRune(anyOf(rng, tree.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteString(text(rng, 1, true))
	case syntax.OpCapture:
		sample(b, rng, tree.Sub[0], most)
	case syntax.OpStar:
		repeat(0, most)
	case syntax.OpPlus:
		repeat(1, most)
	case syntax.OpQuest:
		repeat(0, 1)
	case syntax.OpRepeat:
		if tree.Max < 0 {
			repeat(tree.Min, tree.Min+most)
		} else {
			repeat(tree.Min, tree.Max)
		}
	case syntax.OpConcat:
		for _, sub := range tree.Sub {
			sample(b, rng, sub, most)
		}
	case syntax.OpAlternate:
		sample(b, rng, tree.Sub[rng.IntN(len(tree.Sub))], most)
	}
}

// anyOf draws a character of a class, which syntax writes as pairs of bounds; a visible one where it has some.
func anyOf(rng *rand.Rand, bounds []rune) rune {
	var visible []rune
	for i := 0; i+1 < len(bounds); i += 2 {
		for r := max(bounds[i], ' '+1); r <= min(bounds[i+1], '~'); r++ {
			visible = append(visible, r)
		}
	}
	if len(visible) > 0 {
		return visible[rng.IntN(len(visible))]
	}
	if len(bounds) == 0 {
		return 'x'
	}
	return bounds[0]
}
