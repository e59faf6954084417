// Package printable escapes the characters that a terminal or a viewer obeys, hides or reorders: control characters,
// bidirectional controls, line and paragraph separators, zero-width and other invisible characters, noncharacters, and bytes
// that are not UTF-8. It does not use [strconv.IsPrint], as the output must not depend on the release of Go.
//
// Escapes are \n, \x1b and so on for characters that JSON does not allow unescaped (C0 controls, invalid UTF-8), and those
// of JSON, such as \u202e, with surrogate pairs, for the others. Escaped JSON therefore is JSON with the same values.
package printable

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"
)

// Text escapes s for use within one line: line breaks and tabs, too.
func Text(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r == utf8.RuneError || !isPrintable(r) }) {
		return s
	}
	return string(appendEscaped(nil, []byte(s), ""))
}

// Quote is [Text] in quotes. It also escapes quotes and backslashes.
func Quote(s string) string {
	return `"` + Text(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s)) + `"`
}

// invisible are the characters of the categories Cf, Zl and Zp in Unicode 17, and ranges that are reserved for more.
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

// Lines escapes a document, such as JSON or a report, except its line breaks and tabs. It returns text itself if it is
// printable ASCII.
func Lines(text []byte) []byte {
	n := plainLength(text)
	if n == len(text) {
		return text
	}
	return appendEscaped(append(make([]byte, 0, len(text)+len(text)/8), text[:n]...), text[n:], "\n\t")
}

// plainLength returns the length of the printable ASCII, line breaks and tabs that text starts with.
func plainLength(text []byte) int {
	for i := 0; ; i++ {
		const ones = 0x0101010101010101
		for i+8 <= len(text) { // eight bytes at a time: one below ' ', above '~' or beyond ASCII sets its highest bit
			w := binary.LittleEndian.Uint64(text[i:])
			if found := w | (w - ' '*ones) | (w + ones); found&(0x80*ones) != 0 {
				break
			}
			i += 8
		}
		if i == len(text) || text[i] < ' ' && text[i] != '\n' && text[i] != '\t' || text[i] > '~' {
			return i
		}
	}
}

// appendEscaped appends text with escapes, except for the characters of unescaped.
func appendEscaped(dst, text []byte, unescaped string) []byte {
	for len(text) > 0 {
		if n := plainLength(text); n > 0 && unescaped != "" {
			dst, text = append(dst, text[:n]...), text[n:]
			continue
		}
		r, n := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && n == 1:
			dst = fmt.Appendf(dst, `\x%02x`, text[0])
		case isPrintable(r) || strings.ContainsRune(unescaped, r):
			dst = append(dst, text[:n]...)
		case r < ' ':
			quoted := strconv.QuoteRune(r)
			dst = append(dst, quoted[1:len(quoted)-1]...)
		default:
			for _, unit := range utf16.AppendRune(nil, r) {
				dst = fmt.Appendf(dst, `\u%04x`, unit)
			}
		}
		text = text[n:]
	}
	return dst
}

// Writer escapes text as [Lines] does, also a character that is split between two calls of Write. It is safe for
// concurrent use.
type Writer struct {
	w io.Writer

	mu    sync.Mutex
	split []byte // the start of a character
}

// NewWriter returns a Writer that writes to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Unescaped returns the underlying writer of a [Writer], and any other w itself: for text that is escaped already and has
// colors for a terminal.
func Unescaped(w io.Writer) io.Writer {
	if escaping, ok := w.(*Writer); ok {
		return escaping.w
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
	if _, err := w.w.Write(Lines(text[:end])); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes the start of a character from the last Write, as invalid UTF-8. It does not wait for a blocked Write.
func (w *Writer) Flush() error {
	if !w.mu.TryLock() {
		return nil
	}
	defer w.mu.Unlock()
	if len(w.split) == 0 {
		return nil
	}
	_, err := w.w.Write(Lines(w.split))
	w.split = nil
	return err
}
