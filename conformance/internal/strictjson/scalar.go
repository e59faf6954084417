package strictjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// scalar returns the length of the string, number or literal that starts with c, the next byte.
func (d *Decoder) scalar(c byte) (int, error) {
	switch {
	case c == '"':
		return d.text()
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

func (d *Decoder) number() (int, error) {
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

// text returns the length of the string that is next.
func (d *Decoder) text() (int, error) {
	for n := 1; ; {
		for _, c := range d.buf[min(d.pos+n, len(d.buf)):] {
			if c == '"' || c == '\\' || c < ' ' {
				break
			}
			n++
		}
		c, ok, err := d.byteAt(n)
		switch {
		case err != nil:
			return 0, err
		case !ok:
			return 0, d.failure(io.EOF)
		case c == '"':
			return n + 1, nil
		case c < ' ':
			return 0, d.unexpected(d.pos+n, "in string literal")
		case c == '\\':
			length, err := d.escape(n)
			if err != nil {
				return 0, err
			}
			n += length
		}
	}
}

// escape returns the length of the escape whose backslash is n bytes behind the next byte.
func (d *Decoder) escape(n int) (int, error) {
	isEscape := func(c byte) bool { return strings.IndexByte(`"\/bfnrtu`, c) >= 0 }
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
	var text string
	_ = json.Unmarshal(raw, &text) // it was read as a string, so it is one
	return []byte(text)
}

// failed is a reader that only fails.
type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }
