// Package template matches texts with regular expressions that contain values of an exchange.
package template

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
)

// Template is a regular expression with expressions in braces, {$EXPRESSION}, which stand for literal values.
type Template struct {
	Expressions []string

	texts []string // before, between and after the expressions

	// Most patterns have only literal text between the values, so that no exchange needs a regular expression of its own.
	literals         [][]byte // the texts without anchors and escapes; nil if one is not literal
	fromStart, toEnd bool     // the pattern is anchored

	// Without values, or with those of an enum, most exchanges need the regular expression of the exchange before.
	last atomic.Pointer[regexp.Regexp]
}

// Parse parses a template.
func Parse(s string) (*Template, error) {
	t := &Template{}
	for rest := s; ; {
		before, after, found := strings.Cut(rest, "{$")
		t.texts = append(t.texts, before)
		if !found {
			break
		}
		expression, after, closed := strings.Cut(after, "}")
		if !closed {
			return nil, fmt.Errorf("%q: unclosed brace", s)
		}
		t.Expressions = append(t.Expressions, "$"+expression)
		rest = after
	}
	t.findLiterals()
	_, err := regexp.Compile(strings.Join(t.texts, "0"))
	return t, err
}

// Match reports whether a text matches with the values of the expressions. With some values, the regular expression is not
// valid, which is an error.
func (t *Template) Match(text []byte, values [][]byte) (bool, error) {
	if t.literals == nil {
		pattern := t.Pattern(values)
		compiled := t.last.Load()
		if compiled == nil || compiled.String() != pattern {
			var err error
			if compiled, err = regexp.Compile(pattern); err != nil {
				return false, err
			}
			t.last.Store(compiled)
		}
		return compiled.Match(text), nil
	}
	pieces := func(i int) []byte { // a literal, a value, a literal, ...
		if i%2 == 0 {
			return t.literals[i/2]
		}
		return values[i/2]
	}
	count, ok := len(t.literals)+len(values), true
	switch {
	case t.fromStart:
		for i := 0; i < count && ok; i++ {
			text, ok = bytes.CutPrefix(text, pieces(i))
		}
		return ok && (!t.toEnd || len(text) == 0), nil
	case t.toEnd:
		for i := count - 1; i >= 0 && ok; i-- {
			text, ok = bytes.CutSuffix(text, pieces(i))
		}
		return ok, nil
	}
	var whole []byte
	for i := range count {
		whole = append(whole, pieces(i)...)
	}
	return bytes.Contains(text, whole), nil
}

// Pattern returns the regular expression with the values of the expressions.
func (t *Template) Pattern(values [][]byte) string {
	if len(values) == 0 {
		return t.texts[0]
	}
	var b strings.Builder
	for i, text := range t.texts {
		b.WriteString(text)
		if i < len(values) {
			b.WriteString(regexp.QuoteMeta(string(values[i])))
		}
	}
	return b.String()
}

// String returns the template.
func (t *Template) String() string {
	var b strings.Builder
	for i, text := range t.texts {
		b.WriteString(text)
		if i < len(t.Expressions) {
			b.WriteString("{" + t.Expressions[i] + "}")
		}
	}
	return b.String()
}

// findLiterals sets literals, fromStart and toEnd.
func (t *Template) findLiterals() {
	texts := slices.Clone(t.texts)
	last := len(texts) - 1
	texts[0], t.fromStart = strings.CutPrefix(texts[0], "^")
	texts[last], t.toEnd = strings.CutSuffix(texts[last], "$")
	var literals [][]byte
	for _, text := range texts {
		pattern, err := regexp.Compile(text)
		if err != nil {
			return
		}
		literal, complete := pattern.LiteralPrefix()
		if !complete {
			return
		}
		literals = append(literals, []byte(literal))
	}
	t.literals = literals
}
