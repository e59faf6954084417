package sandbox

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// unquote takes valid JSON.
func unquote(quoted string) string {
	if strings.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	var s string
	_ = json.Unmarshal([]byte(quoted), &s) // valid
	return s
}

// plain tells of each byte whether it stands for itself in a text.
var plain = func() (plain [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}()

func (r *reader) text() bool {
	for r.at++; ; {
		at := r.at
		for at < len(r.body) && plain[r.body[at]] {
			at++
		}
		r.at = at
		switch c := r.peek(); {
		case c == '"':
			r.at++
			return true
		case c == '\\':
			if !r.escape() {
				return false
			}
		case c < utf8.RuneSelf: // a control character, or the end
			return r.wrong()
		default:
			_, size := utf8.DecodeRuneInString(r.body[r.at:])
			if size == 1 {
				return r.fail(noUTF8)
			}
			r.at += size
		}
	}
}

func (r *reader) escape() bool {
	r.at++
	switch r.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		r.at++
		return true
	}
	unit, ok := r.unit()
	if !ok {
		return r.wrong()
	}
	if !utf16.IsSurrogate(unit) {
		return true
	}
	if !r.take('\\') || r.peek() != 'u' {
		return r.fail(halfCharacter) // of two (RFC 8259, section 8.2)
	}
	if low, ok := r.unit(); !ok {
		return r.wrong()
	} else if utf16.DecodeRune(unit, low) == utf8.RuneError {
		return r.fail(halfCharacter)
	}
	return true
}

// unit reads a u and four digits.
func (r *reader) unit() (rune, bool) {
	const length = len("u0123")
	if r.peek() != 'u' || len(r.body) < r.at+length {
		return 0, false
	}
	unit, err := strconv.ParseUint(r.body[r.at+1:r.at+length], 16, 16)
	if err != nil {
		return 0, false
	}
	r.at += length
	return rune(unit), true
}
