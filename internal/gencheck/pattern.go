package main

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// The white space of ECMA-262 (WhiteSpace and LineTerminator), of which Go's \s has a part, and all else.
const (
	space    = `\t\n\v\f\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`
	notSpace = `\x{0}-\x{8}\x{e}-\x{1f}!-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}` +
		`\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff}`
)

// goPattern translates a regular expression of ECMA-262, read with its flag u, to Go's syntax. It fails where Go cannot
// express it.
func goPattern(pattern string) (string, error) {
	t := translator{rest: pattern}
	for t.rest != "" {
		if err := t.next(); err != nil {
			return "", err
		}
	}
	if _, err := regexp.Compile(t.out.String()); err != nil {
		return "", err
	}
	return t.out.String(), nil
}

type translator struct {
	rest    string
	out     strings.Builder
	inClass bool
}

// replace writes the translation of a prefix of the rest.
func (t *translator) replace(prefix, translation string) bool {
	if !strings.HasPrefix(t.rest, prefix) {
		return false
	}
	t.rest = t.rest[len(prefix):]
	t.out.WriteString(translation)
	return true
}

func (t *translator) next() error {
	switch {
	case t.rest[0] == '\\':
		return t.escape()
	case t.inClass:
		t.inClass = t.rest[0] != ']'
		// Go takes [[:name:]] for a class of POSIX.
		_ = t.replace("[", `\[`) || t.replace(t.rest[:1], t.rest[:1])
	case t.replace("[]", `[^\x{0}-\x{10ffff}]`), t.replace("[^]", `[\x{0}-\x{10ffff}]`), t.replace(".", `[^\n\r\x{2028}\x{2029}]`):
	case t.replace("[^", "[^"), t.replace("[", "["):
		t.inClass = true
	case strings.HasPrefix(t.rest, "(?") && !namedGroup.MatchString(t.rest):
		return fmt.Errorf("%s is not in Go's regular expressions", t.rest[:min(4, len(t.rest))])
	default:
		t.replace(t.rest[:1], t.rest[:1])
	}
	return nil
}

var (
	namedGroup = regexp.MustCompile(`^\(\?(:|<[A-Za-z_])`)
	category   = regexp.MustCompile(`^\\[pP]\{[A-Za-z_]+\}`)
	hex        = regexp.MustCompile(`^\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]+)\})`)
	control    = regexp.MustCompile(`^\\c[A-Za-z]`)
)

func (t *translator) escape() error {
	white, notWhite, boundary := "["+space+"]", "["+notSpace+"]", `\b`
	if t.inClass {
		white, notWhite, boundary = space, notSpace, `\x{8}`
	}
	if t.replace(`\s`, white) || t.replace(`\S`, notWhite) || t.replace(`\b`, boundary) || t.replace(`\0`, `\x{0}`) {
		return nil
	}
	if name := category.FindString(t.rest); name != "" {
		t.replace(name, name)
		return nil
	}
	if c := control.FindString(t.rest); c != "" {
		t.replace(c, fmt.Sprintf(`\x{%x}`, c[2]&31))
		return nil
	}
	if digits := hex.FindStringSubmatch(t.rest); digits != nil {
		t.rest = t.rest[len(digits[0]):]
		r, _ := strconv.ParseUint(digits[1]+digits[2]+digits[3], 16, 32)
		if second := hex.FindStringSubmatch(t.rest); utf16.IsSurrogate(rune(r)) && second != nil { //nolint:gosec // 32 bits
			low, _ := strconv.ParseUint(second[2], 16, 32)
			r = uint64(utf16.DecodeRune(rune(r), rune(low))) //nolint:gosec // 16 bits each
			t.rest = t.rest[len(second[0]):]
		}
		if !utf8.ValidRune(rune(r)) { //nolint:gosec // 32 bits
			return fmt.Errorf("%s is no character", digits[0])
		}
		fmt.Fprintf(&t.out, `\x{%x}`, r)
		return nil
	}
	if len(t.rest) == 1 {
		return errors.New(`a \ at the end`)
	}
	if !strings.ContainsAny(t.rest[1:2], `dDwWBfnrtv^$\.*+?()[]{}|/-`) {
		return fmt.Errorf("%s does not have the same meaning in Go's regular expressions", t.rest[:2])
	}
	t.replace(t.rest[:2], t.rest[:2])
	return nil
}
