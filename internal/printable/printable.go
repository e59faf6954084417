// Package printable escapes the characters that a terminal or a viewer obeys, hides or reorders: control characters,
// bidirectional controls, line and paragraph separators, zero-width and other invisible characters, noncharacters, and bytes
// that are not UTF-8. Everything else stays as it is. What is escaped is listed here, not asked of [strconv.IsPrint]: each
// release of Go may know more characters, and a report must not depend on it.
//
// An escape is \n, \x1b and so on for what JSON text cannot contain unescaped (C0 controls, invalid UTF-8), and JSON's own
// \u202e, with surrogate pairs, for the rest. Escaped JSON therefore stays JSON with the same values.
package printable

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// Text escapes s for use within one line: line breaks and tabs are escaped, too.
func Text(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r == utf8.RuneError || !isPrintable(r) }) {
		return s
	}
	return string(appendEscaped(nil, []byte(s), ""))
}

// Quote is [Text] in quotes, with those in it and backslashes escaped.
func Quote(s string) string {
	return `"` + Text(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s)) + `"`
}

// invisible are the characters of the categories Cf, Zl and Zp in Unicode 17, and what is reserved for more of them.
var invisible = [][2]rune{
	{0x7f, 0x9f}, {0xad, 0xad}, {0x600, 0x605}, {0x61c, 0x61c}, {0x6dd, 0x6dd}, {0x70f, 0x70f}, {0x890, 0x891}, {0x8e2, 0x8e2},
	{0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfdd0, 0xfdef}, {0xfeff, 0xfeff}, {0xfff0, 0xfffb},
	{0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
}

func isPrintable(r rune) bool {
	if r < 0x7f {
		return r >= ' '
	}
	for _, span := range invisible {
		if span[0] <= r && r <= span[1] {
			return false
		}
	}
	return r&0xfffe != 0xfffe // a noncharacter at the end of each plane
}

// Lines escapes a document, such as JSON or a report: its line breaks and tabs stay. It returns text itself where there is
// nothing to escape.
func Lines(text []byte) []byte {
	if clean(text) == len(text) {
		return text
	}
	return appendEscaped(nil, text, "\n\t")
}

// clean returns how many bytes at the start of text are printable ASCII, line breaks or tabs.
func clean(text []byte) int {
	for i, c := range text {
		if (c < ' ' && c != '\n' && c != '\t') || c > '~' {
			return i
		}
	}
	return len(text)
}

func appendEscaped(to, text []byte, keep string) []byte {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && n == 1:
			to = fmt.Appendf(to, `\x%02x`, text[0])
		case isPrintable(r) || strings.ContainsRune(keep, r):
			to = append(to, text[:n]...)
		case r < ' ':
			quoted := strconv.QuoteRune(r)
			to = append(to, quoted[1:len(quoted)-1]...)
		default:
			for _, unit := range utf16.AppendRune(nil, r) {
				to = fmt.Appendf(to, `\u%04x`, unit)
			}
		}
		text = text[n:]
	}
	return to
}

// Writer escapes what is written to it as [Lines] does, also where a character is split between two calls. It is safe for
// concurrent use.
type Writer struct {
	to io.Writer

	mu    sync.Mutex
	split []byte // the start of a character
}

// NewWriter returns a Writer in front of another one.
func NewWriter(to io.Writer) *Writer { return &Writer{to: to} }

// Unescaped returns the writer behind w where w is a [Writer], and w itself otherwise: for text that is escaped already and
// styled for a terminal.
func Unescaped(w io.Writer) io.Writer {
	if escaping, ok := w.(*Writer); ok {
		return escaping.to
	}
	return w
}

// Write implements [io.Writer].
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := p
	if len(w.split) > 0 {
		text = slices.Concat(w.split, p)
	}
	end := len(text)
	for i := max(0, end-utf8.UTFMax+1); i < end; i++ {
		if utf8.RuneStart(text[i]) && !utf8.FullRune(text[i:]) {
			end = i
		}
	}
	w.split = append([]byte(nil), text[end:]...)
	if _, err := w.to.Write(Lines(text[:end])); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes what the last call left of a character, which is then no character. It does not wait for a Write that is
// blocked.
func (w *Writer) Flush() error {
	if !w.mu.TryLock() {
		return nil
	}
	defer w.mu.Unlock()
	if len(w.split) == 0 {
		return nil
	}
	_, err := w.to.Write(Lines(w.split))
	w.split = nil
	return err
}
