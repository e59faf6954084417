package strictjson

import (
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

// scanNumber returns the length of the number that text starts with. If it is none, where says what the byte behind that
// length should belong to.
func scanNumber(text []byte) (n int, where string) {
	is := func(c byte) bool { return n < len(text) && text[n] == c }
	if is('-') {
		n++
	}
	if is('0') {
		n++
	} else if n = skipDigits(text, n); n == 0 || !isDigit(text[n-1]) {
		return n, "in numeric literal"
	}
	if is('.') {
		if n = skipDigits(text, n+1); !isDigit(text[n-1]) {
			return n, "after decimal point in numeric literal"
		}
	}
	if is('e') || is('E') {
		if n++; is('+') || is('-') {
			n++
		}
		if n = skipDigits(text, n); !isDigit(text[n-1]) {
			return n, "in exponent of numeric literal"
		}
	}
	return n, ""
}

func skipDigits(text []byte, n int) int {
	for n < len(text) && isDigit(text[n]) {
		n++
	}
	return n
}

// IsNumber reports whether a text is a JSON number.
func IsNumber(text string) bool {
	n, where := scanNumber([]byte(text))
	return where == "" && n == len(text)
}

func (d *Decoder) number() (int, error) {
	n, where := scanNumber(d.buf[d.pos:])
	if d.pos+n == len(d.buf) { // it may go on
		for {
			c, ok, err := d.byteAt(n)
			if err != nil {
				return 0, err
			}
			if !ok || !isDigit(c) && strings.IndexByte("+-.eE", c) < 0 {
				break
			}
			n++
		}
		n, where = scanNumber(d.buf[d.pos:])
	}
	switch {
	case where == "":
		return n, nil
	case d.pos+n == len(d.buf):
		return 0, d.failure(io.EOF)
	}
	return 0, d.unexpected(d.pos+n, where)
}

// text returns the length of the string that is next.
func (d *Decoder) text() (int, error) {
	isASCII := true
	for n := 1; ; {
		n = plainEnd(d.buf[d.pos:], n)
		c, ok, err := d.byteAt(n)
		switch {
		case err != nil:
			return 0, err
		case !ok:
			return 0, d.failure(io.EOF)
		case c == '"':
			n++
			if !isASCII && d.RequireUTF8 {
				if i := InvalidUTF8(d.buf[d.pos : d.pos+n]); i >= 0 {
					return 0, &Error{d.Offset() + int64(i), ErrUTF8}
				}
			}
			return n, nil
		case c == '\\':
			length, err := d.escape(n)
			if err != nil {
				return 0, err
			}
			n += length
		case c < ' ':
			return 0, d.unexpected(d.pos+n, "in string literal")
		default:
			isASCII = false
			n++
		}
	}
}

const (
	wordSize = 8
	lowBits  = 0x0101010101010101 // times a byte: a word of it
	highBits = 0x8080808080808080
)

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

// appendText appends the text of a string that is valid JSON, without its quotes. It copies eight bytes at a time.
func appendText(dst, raw []byte) []byte {
	dst = slices.Grow(dst, len(raw)+wordSize) // the text is not longer
	for i := 0; i < len(raw); {
		if i+wordSize <= len(raw) {
			word := binary.LittleEndian.Uint64(raw[i:])
			binary.LittleEndian.PutUint64(dst[len(dst):len(dst)+wordSize], word)
			n := wordSize
			if other := word ^ '\\'*lowBits; (other-lowBits)&^other&highBits != 0 {
				n = bits.TrailingZeros64((other-lowBits)&^other&highBits) / 8
			}
			dst = dst[:len(dst)+n]
			if i += n; n == wordSize {
				continue
			}
		}
		if raw[i] != '\\' {
			dst = append(dst, raw[i])
			i++
			continue
		}
		if c := escapes[raw[i+1]]; c != 0 { // as most are
			dst = append(dst, c)
			i += 2
			continue
		}
		r, size := unescape(raw[i:])
		dst = utf8.AppendRune(dst, r) // U+FFFD for a lone surrogate
		i += size
	}
	return dst
}

// escapeSize returns the size of the escape at the start of text, or 0 if it is invalid. The two escapes of a surrogate
// pair count as one. A lone surrogate is valid JSON.
func escapeSize(text []byte) (size int, lone bool) {
	if len(text) < 2 || escapes[text[1]] == 0 {
		if _, ok := parseUnit(text); !ok {
			return 0, false
		}
	}
	r, size := unescape(text)
	return size, utf16.IsSurrogate(r)
}

// unescape returns the character of the valid escape at the start of text, and its size.
func unescape(text []byte) (r rune, size int) {
	if c := escapes[text[1]]; c != 0 {
		return rune(c), 2
	}
	r, _ = parseUnit(text)
	if second, ok := parseUnit(text[6:]); ok && utf16.IsSurrogate(r) {
		if pair := utf16.DecodeRune(r, second); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return r, 6
}

// parseUnit parses the \uXXXX at the start of text.
func parseUnit(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(n), err == nil
}

// AppendString appends a text as a JSON string. Bytes that are not UTF-8 become U+FFFD.
func AppendString(dst, text []byte) []byte {
	dst = append(dst, '"')
	for {
		n := plainEnd(text, 0)
		dst = append(dst, text[:n]...)
		if n == len(text) {
			return append(dst, '"')
		}
		r, size := utf8.DecodeRune(text[n:])
		text = text[n+size:]
		switch short := strings.IndexRune("\"\\\b\f\n\r\t", r); {
		case short >= 0:
			dst = append(dst, '\\', `"\bfnrt`[short])
		case r < ' ':
			dst = fmt.Appendf(dst, `\u%04x`, r)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
}
