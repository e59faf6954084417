package strictjson

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// scalar returns the length of the number or literal that starts with c, the next byte.
func (d *Decoder) scalar(c byte) (int, error) {
	switch {
	case c == '-' || isDigit(c):
		return d.number()
	case c == 't':
		return d.literal("true")
	case c == 'f':
		return d.literal("false")
	case c == 'n':
		return d.literal("null")
	default:
		return 0, d.unexpected(d.pos, "looking for beginning of value")
	}
}

func (d *Decoder) literal(want string) (int, error) {
	for n := 1; n < len(want); n++ {
		switch c, ok, err := d.byteAt(n); {
		case err != nil:
			return 0, err
		case !ok:
			return 0, d.failure(io.EOF)
		case c != want[n]:
			return 0, d.unexpected(d.pos+n, fmt.Sprintf("in literal %s (expecting %s)", want, quoted(want[n])))
		}
	}
	return len(want), nil
}

// expect returns an error unless the text goes on, n bytes behind the next one, with a byte that is allowed.
func (d *Decoder) expect(n int, allowed func(byte) bool, where string) error {
	c, ok, err := d.byteAt(n)
	switch {
	case err != nil:
		return err
	case !ok:
		return d.failure(io.EOF)
	case !allowed(c):
		return d.unexpected(d.pos+n, where)
	}
	return nil
}

// wholeNumber returns the length of the integer that text starts with, or 0 if it might be anything else.
func wholeNumber(text []byte) int {
	n := 0
	if text[0] == '-' {
		n++
	}
	first := n
	for n < len(text) && isDigit(text[n]) {
		n++
	}
	if n == first || n == len(text) || text[first] == '0' && n > first+1 || text[n] == '.' || text[n]|0x20 == 'e' {
		return 0
	}
	return n
}

func (d *Decoder) number() (int, error) {
	if n := wholeNumber(d.buf[d.pos:]); n > 0 {
		return n, nil
	}
	n := 0
	// optional goes past one of these bytes.
	optional := func(these string) (bool, error) {
		c, ok, err := d.byteAt(n)
		if err != nil || !ok || strings.IndexByte(these, c) < 0 {
			return false, err
		}
		n++
		return true, nil
	}
	// digits goes past one or more.
	digits := func(where string) error {
		if err := d.expect(n, isDigit, where); err != nil {
			return err
		}
		for {
			n++
			if c, ok, err := d.byteAt(n); err != nil || !ok || !isDigit(c) {
				return err
			}
		}
	}
	if _, err := optional("-"); err != nil {
		return 0, err
	}
	if zero, err := optional("0"); err != nil {
		return 0, err
	} else if !zero {
		if err := digits("in numeric literal"); err != nil {
			return 0, err
		}
	}
	if point, err := optional("."); err != nil {
		return 0, err
	} else if point {
		if err := digits("after decimal point in numeric literal"); err != nil {
			return 0, err
		}
	}
	if exponent, err := optional("eE"); err != nil || !exponent {
		return n, err
	}
	if _, err := optional("+-"); err != nil {
		return 0, err
	}
	err := digits("in exponent of numeric literal")
	return n, err
}

// text returns the length of the string that is next, and whether it is ASCII without escapes.
func (d *Decoder) text() (length int, plain bool, err error) {
	var union uint64 // of all words
	plain = true
	for n := 1; ; {
		for rest := d.buf[d.pos:]; n+wordSize <= len(rest); n += wordSize {
			word := binary.LittleEndian.Uint64(rest[n:])
			union |= word
			if ends := endsRun(word); ends != 0 {
				n += bits.TrailingZeros64(ends) / 8
				break
			}
		}
		if d.pos+n >= len(d.buf) {
			if _, ok, err := d.byteAt(n); err != nil {
				return 0, false, err
			} else if !ok {
				return 0, false, d.failure(io.EOF)
			}
		}
		switch c := d.buf[d.pos+n]; {
		case c == '"':
			n++
			if union&highBits != 0 {
				plain = false
				if d.RequireUTF8 {
					if i := InvalidUTF8(d.buf[d.pos : d.pos+n]); i >= 0 {
						return 0, false, &Error{d.Offset() + int64(i), ErrUTF8}
					}
				}
			}
			return n, plain, nil
		case c == '\\':
			plain = false
			length, err := d.escape(n)
			if err != nil {
				return 0, false, err
			}
			n += length
		case c < ' ':
			return 0, false, d.unexpected(d.pos+n, "in string literal")
		default:
			union |= uint64(c)
			n++
		}
	}
}

// shortText is text for a string that is whole in buf, of ASCII, without the escapes that are long. It returns 0 for
// another, which it may be or not.
func shortText(buf []byte) (length int, plain bool) {
	plain = true
	for n := 1; n+wordSize <= len(buf); {
		word := binary.LittleEndian.Uint64(buf[n:])
		ends := endsRun(word)
		if word&highBits != 0 {
			return 0, false
		}
		if ends == 0 {
			n += wordSize
			continue
		}
		n += bits.TrailingZeros64(ends) / 8
		switch c := buf[n]; {
		case c == '"':
			return n + 1, plain
		case c != '\\' || n+1 == len(buf) || escapes[buf[n+1]] == 0:
			return 0, false
		}
		plain = false
		n += 2
	}
	return 0, false
}

const (
	wordSize = 8
	lowBits  = 0x0101010101010101 // times a byte: a word of it
	highBits = 0x8080808080808080
)

// endsRun returns a word whose lowest set bit is in the first byte of word that ends a run of plain text in a string: a
// quote, a backslash or a control character. It is 0 if there is none. The lowest byte is the first one.
func endsRun(word uint64) uint64 {
	quote, backslash := word^'"'*lowBits, word^'\\'*lowBits
	return ((quote-lowBits)&^quote | (backslash-lowBits)&^backslash | (word-' '*lowBits)&^word) & highBits
}

// InvalidUTF8 returns the index of the first byte that is not valid UTF-8, or -1.
func InvalidUTF8(text []byte) int {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// escape returns the length of the escape whose backslash is n bytes behind the next byte.
func (d *Decoder) escape(n int) (int, error) {
	if at := d.pos + n + 1; at < len(d.buf) && escapes[d.buf[at]] != 0 {
		return 2, nil
	}
	isEscape := func(c byte) bool { return escapes[c] != 0 || c == 'u' }
	if err := d.expect(n+1, isEscape, "in string escape code"); err != nil {
		return 0, err
	}
	if d.buf[d.pos+n+1] != 'u' {
		return 2, nil
	}
	isHex := func(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }
	for i := 2; i < 6; i++ {
		if err := d.expect(n+i, isHex, `in \u hexadecimal character escape`); err != nil {
			return 0, err
		}
	}
	return 6, nil
}

// escapes has the characters of the escapes, by what follows the backslash, but for the u before hexadecimal digits.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// quoted writes a byte for a message.
func quoted(c byte) string {
	switch c {
	case '\'':
		return `'\''`
	case '"':
		return `'"'`
	}
	text := strconv.Quote(string(rune(c)))
	return "'" + text[1:len(text)-1] + "'"
}

// Unquote returns the text of a string token, in the same memory where it has no escapes. A lone surrogate and a byte that
// is not UTF-8 become U+FFFD.
func Unquote(raw []byte) []byte {
	if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return raw[1 : len(raw)-1 : len(raw)-1]
	}
	return appendText(make([]byte, 0, len(raw)+wordSize), raw)
}

// appendText appends the text of a string token, as [Unquote] returns it.
func appendText(dst, raw []byte) []byte {
	if text, n := appendShortText(dst, raw); n > 0 {
		return text
	}
	for text := raw[1 : len(raw)-1]; len(text) > 0; {
		r, size := utf8.DecodeRune(text)
		if r == '\\' {
			r, size = unescape(text)
		}
		dst = utf8.AppendRune(dst, r)
		text = text[size:]
	}
	return dst
}

// appendShortText appends the text of the string that buf starts with, and returns the length of that string. The length
// is 0 where the string may be anything but whole in buf, and of ASCII with the escapes that are short.
func appendShortText(dst, buf []byte) (text []byte, length int) {
	for n := 1; n < len(buf); {
		if n+wordSize <= len(buf) {
			word := binary.LittleEndian.Uint64(buf[n:])
			if word&highBits != 0 {
				return nil, 0
			}
			dst = slices.Grow(dst, wordSize)
			binary.LittleEndian.PutUint64(dst[len(dst):len(dst)+wordSize], word)
			run := wordSize
			if ends := endsRun(word); ends != 0 {
				run = bits.TrailingZeros64(ends) / 8
			}
			dst = dst[:len(dst)+run]
			if n += run; run == wordSize {
				continue
			}
		}
		switch c := buf[n]; {
		case c == '"':
			return dst, n + 1
		case c == '\\' && n+1 < len(buf) && escapes[buf[n+1]] != 0:
			dst = append(dst, escapes[buf[n+1]])
			n += 2
		case c == '\\' || c < ' ' || c >= utf8.RuneSelf:
			return nil, 0
		default:
			dst = append(dst, c)
			n++
		}
	}
	return nil, 0
}

// unescape returns the character of the escape that the text of a string token starts with, and its length.
func unescape(text []byte) (r rune, size int) {
	if c := escapes[text[1]]; c != 0 {
		return rune(c), 2
	}
	r = unit(text[2:6])
	if utf16.IsSurrogate(r) && len(text) >= 12 && text[6] == '\\' && text[7] == 'u' {
		if pair := utf16.DecodeRune(r, unit(text[8:12])); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return r, 6 // appending a lone surrogate appends U+FFFD
}

// unit reads four hexadecimal digits.
func unit(digits []byte) (r rune) {
	for _, c := range digits {
		if r <<= 4; isDigit(c) {
			r |= rune(c - '0')
		} else {
			r |= rune(c|0x20-'a') + 10
		}
	}
	return r
}
