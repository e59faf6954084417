package ecma

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Classes of ECMA-262 that package regexp has with other characters, or not at all, as the inside of a class.
const (
	space    = `\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`
	notSpace = `\x00-\x08\x0e-\x1f!-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}` +
		`\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff}`
	anything = `\x00-\x{10ffff}`
	dot      = `[^\n\r\x{2028}\x{2029}]`
)

// translation reads a pattern and writes it in two other syntaxes.
type translation struct {
	rest       string          // what is not read yet
	linear     strings.Builder // for package regexp
	strict     strings.Builder // ECMA-262 with the flag u
	backtracks bool            // linear is incomplete: package regexp cannot express the pattern
	err        string          // neither can
}

func translate(pattern string) *translation {
	t := &translation{rest: pattern}
	for t.rest != "" && t.err == "" {
		switch c := t.rest[0]; {
		case c == '\\':
			a := t.escape(false)
			t.write(a.linear(false), a.strict)
		case c == '[':
			t.class()
		case c == '.':
			t.take(1, dot)
		case c == '^':
			t.take(1, `\A`)
		case c == '$':
			t.take(1, `\z`)
		case c == '(':
			t.group()
		case c == '{' && quantifier.MatchString(t.rest):
			n := len(quantifier.FindString(t.rest))
			t.take(n, t.rest[:n])
		case strings.IndexByte("{}]", c) >= 0: // a literal without the flag u
			t.write(`\`+t.rest[:1], `\`+t.rest[:1])
			t.rest = t.rest[1:]
		case strings.IndexByte("*+?|)", c) >= 0:
			t.take(1, t.rest[:1])
		default:
			_, size := utf8.DecodeRuneInString(t.rest)
			t.take(size, regexp.QuoteMeta(t.rest[:size]))
		}
	}
	return t
}

var (
	quantifier = regexp.MustCompile(`^\{[0-9]+(?:,[0-9]*)?\}`)
	braces     = regexp.MustCompile(`^(?:\{[^}]*\}|<[^>]*>)`)
	category   = regexp.MustCompile(`^\{[CLMNPSZ][a-z]?\}`) // of Unicode, which package regexp has under the same names
	modifiers  = regexp.MustCompile(`^\(\?[a-z-]*\)`)
	groupName  = regexp.MustCompile(`^\(\?<[\pL_$][\pL\pN_$]*>`)
)

// take reads n bytes, which are the same in the strict syntax.
func (t *translation) take(n int, linear string) {
	t.write(linear, t.rest[:n])
	t.rest = t.rest[n:]
}

func (t *translation) write(linear, strict string) {
	t.linear.WriteString(linear)
	t.strict.WriteString(strict)
}

// group reads the start of a group. What a group captures is of interest only to back references.
func (t *translation) group() {
	name := groupName.FindString(t.rest)
	switch {
	case name != "":
		t.take(len(name), "(?:")
	case strings.HasPrefix(t.rest, "(?:"):
		t.take(len("(?:"), "(?:")
	case modifiers.MatchString(t.rest):
		t.err = "modifiers without a group, such as (?i)"
	default:
		t.backtracks = t.backtracks || strings.HasPrefix(t.rest, "(?")
		t.take(1, "(?:")
	}
}

// atom is a character, or a class such as \d.
type atom struct {
	char   rune   // -1 for a class
	inside string // of a class, for package regexp
	strict string
}

// linear returns the atom for package regexp.
func (a atom) linear(inClass bool) string {
	switch {
	case a.char < 0 && (inClass || strings.HasPrefix(a.inside, `\b`) || strings.HasPrefix(a.inside, `\B`)):
		return a.inside
	case a.char < 0:
		return "[" + a.inside + "]"
	case a.char < utf8.RuneSelf && !isAlphanumeric(byte(a.char)):
		return fmt.Sprintf(`\x%02x`, a.char)
	}
	return string(a.char)
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// escapes are those of one letter, by what they stand for.
var escapes = map[byte]atom{
	'd': {char: -1, inside: `\d`}, 'D': {char: -1, inside: `\D`}, 'w': {char: -1, inside: `\w`}, 'W': {char: -1, inside: `\W`},
	's': {char: -1, inside: space}, 'S': {char: -1, inside: notSpace},
	'n': {char: '\n'}, 'r': {char: '\r'}, 't': {char: '\t'}, 'f': {char: '\f'}, 'v': {char: '\v'},
}

// escape reads the escape at the start of the rest.
func (t *translation) escape(inClass bool) (a atom) {
	before := t.rest
	if len(before) < 2 {
		t.err = `a \ at the end`
		return a
	}
	c := before[1]
	t.rest = t.rest[2:]
	defer func() {
		if a.strict == "" {
			a.strict = before[:len(before)-len(t.rest)]
		}
	}()
	if known, ok := escapes[c]; ok {
		return known
	}
	switch {
	case c == 'b' && inClass:
		return atom{char: '\b'}
	case c == 'b' || c == 'B' && !inClass:
		return atom{char: -1, inside: before[:2]}
	case c == '0' && (t.rest == "" || t.rest[0] < '0' || t.rest[0] > '9'):
		return atom{char: 0}
	case c == 'c' && t.rest != "" && isAlphanumeric(t.rest[0]) && t.rest[0] > '9':
		char := rune(t.rest[0] % 32)
		t.rest = t.rest[1:]
		return atom{char: char}
	case c == 'x':
		return atom{char: t.hex(2)}
	case c == 'u':
		return atom{char: t.unicode()}
	case (c == 'p' || c == 'P') && category.MatchString(t.rest):
		name := category.FindString(t.rest)
		t.rest = t.rest[len(name):]
		return atom{char: -1, inside: before[:2] + name}
	case c == 'p' || c == 'P' || c == 'k' || '1' <= c && c <= '9':
		t.backtracks = true
		t.rest = t.rest[len(braces.FindString(t.rest)):]
		return atom{char: -1}
	case isAlphanumeric(c):
		t.err = `unknown escape \` + string(c)
		return atom{}
	}
	char, size := utf8.DecodeRuneInString(before[1:])
	t.rest = before[1+size:]
	// The flag u allows this of syntax characters only.
	if char < utf8.RuneSelf {
		return atom{char: char, strict: fmt.Sprintf(`\x%02x`, char)}
	}
	return atom{char: char, strict: string(char)}
}

// hex reads n hexadecimal digits.
func (t *translation) hex(n int) rune {
	if len(t.rest) >= n {
		if v, err := strconv.ParseUint(t.rest[:n], 16, 32); err == nil {
			t.rest = t.rest[n:]
			return rune(v) //nolint:gosec // 32 bits at most, and unicode tests for more than there are
		}
	}
	t.err = "an escape without its hexadecimal digits"
	return 0
}

// unicode reads what follows \u.
func (t *translation) unicode() rune {
	if strings.HasPrefix(t.rest, "{") {
		n := strings.IndexByte(t.rest, '}')
		t.rest = t.rest[1:]
		r := t.hex(max(n-1, 1))
		rest, closed := strings.CutPrefix(t.rest, "}")
		if t.rest = rest; !closed || !utf8.ValidRune(r) {
			t.err = "an escape of no character"
		}
		return r
	}
	r := t.hex(4)
	if utf16.IsSurrogate(r) {
		if strings.HasPrefix(t.rest, `\u`) && !strings.HasPrefix(t.rest, `\u{`) {
			t.rest = t.rest[2:]
			r = utf16.DecodeRune(r, t.hex(4))
		}
		if !utf8.ValidRune(r) || r == utf8.RuneError {
			t.err = "an escape of half a surrogate pair"
		}
	}
	return r
}

// class reads a class in brackets.
func (t *translation) class() {
	negated := strings.HasPrefix(t.rest, "[^")
	if t.take(1, "["); negated {
		t.take(1, "^")
	}
	empty := true
	for ; t.err == "" && !strings.HasPrefix(t.rest, "]"); empty = false {
		if t.rest == "" {
			t.err = "a class without its ]"
			return
		}
		low := t.classAtom()
		t.write(low.linear(true), low.strict)
		if len(t.rest) < 2 || t.rest[0] != '-' || t.rest[1] == ']' {
			continue
		}
		t.rest = t.rest[1:]
		high := t.classAtom()
		if low.char < 0 || high.char < 0 { // a literal without the flag u
			t.write(`\-`+high.linear(true), `\-`+high.strict)
		} else {
			t.write("-"+high.linear(true), "-"+high.strict)
		}
	}
	if empty {
		// [] matches nothing, and [^] anything. Package regexp has neither.
		linear := strings.TrimSuffix(strings.TrimSuffix(t.linear.String(), "^"), "[")
		t.linear.Reset()
		t.linear.WriteString(linear + map[bool]string{true: "[", false: "[^"}[negated] + anything)
	}
	if t.rest != "" {
		t.take(1, "]")
	}
}

func (t *translation) classAtom() atom {
	if t.rest[0] == '\\' {
		return t.escape(true)
	}
	char, size := utf8.DecodeRuneInString(t.rest)
	a := atom{char: char, strict: t.rest[:size]}
	if char == '-' {
		a.strict = `\-`
	}
	t.rest = t.rest[size:]
	return a
}
