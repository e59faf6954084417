package conformance

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// string scans a text from its quote on. Valid UTF-8 and whole surrogate pairs are proven with it.
func (s *scanner) string() (escaped, ok bool) {
	data, i := s.data, s.pos+1
	for {
		i = plainText(data, i)
		if i >= len(data) {
			return false, false
		}
		switch c := data[i]; {
		case c == '"':
			s.pos = i + 1
			return escaped, true
		case c == '\\':
			escaped = true
			n := escape(data[i:])
			if n == 0 {
				return false, false
			}
			i += n
		case c < ' ':
			return false, false
		default:
			r, size := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && size == 1 {
				return false, false
			}
			i += size
		}
	}
}

// plainText returns the first position from i on of a quote, a backslash, a control character or a byte beyond ASCII.
// It looks at eight bytes at a time: in each that is one of them, the highest bit is left.
func plainText(data []byte, i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(data); i += 8 {
		w := binary.LittleEndian.Uint64(data[i:])
		quote, backslash := w^('"'*ones), w^('\\'*ones)
		if found := (w | (w - ' '*ones) | (quote - ones) | (backslash - ones)) & highs; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(data); i++ {
		if c := data[i]; c == '"' || c == '\\' || c < ' ' || c >= 0x80 {
			break
		}
	}
	return i
}

// escape returns how long the escape at the start of data is, both halves of a surrogate pair together; 0 for none.
func escape(data []byte) int {
	if len(data) < 2 {
		return 0
	}
	switch data[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		first, ok := escapedUnit(data)
		if !ok {
			return 0
		}
		if !utf16.IsSurrogate(first) {
			return 6
		}
		second, ok := escapedUnit(data[6:])
		if ok && utf16.DecodeRune(first, second) != utf8.RuneError {
			return 12
		}
	}
	return 0
}

// unescape appends a scanned text without its quotes and escapes.
func unescape(into, text []byte) []byte {
	for text = text[1 : len(text)-1]; len(text) > 0; {
		i := slices.Index(text, '\\')
		if i < 0 {
			return append(into, text...)
		}
		into = append(into, text[:i]...)
		n := escape(text[i:])
		switch c := text[i+1]; c {
		case 'b':
			into = append(into, '\b')
		case 'f':
			into = append(into, '\f')
		case 'n':
			into = append(into, '\n')
		case 'r':
			into = append(into, '\r')
		case 't':
			into = append(into, '\t')
		case 'u':
			unit, _ := escapedUnit(text[i:])
			if n == 12 {
				second, _ := escapedUnit(text[i+6:])
				unit = utf16.DecodeRune(unit, second)
			}
			into = utf8.AppendRune(into, unit)
		default:
			into = append(into, c)
		}
		text = text[i+n:]
	}
	return into
}

// stringValue scans a text and weighs it.
func (s *scanner) stringValue(n *node) (escaped, ok bool) {
	start := s.pos
	escaped, ok = s.string()
	if !ok {
		return escaped, s.unsure()
	}
	if n.admit&(1<<kindString) == 0 {
		return escaped, s.refuted()
	}
	if n == anything {
		return escaped, true
	}
	return escaped, s.weighText(n, s.data[start:s.pos], escaped)
}

// weighText weighs a text with its quotes.
func (s *scanner) weighText(n *node, quoted []byte, escaped bool) bool {
	text := quoted[1 : len(quoted)-1]
	if escaped && (n.minLength > 0 || len(text) > n.maxLength || n.pattern != nil || n.format != nil || n.listed) {
		s.text = unescape(s.text[:0], quoted)
		text = s.text
	}
	return s.weighPlain(n, text)
}

// weighPlain weighs a text.
func (s *scanner) weighPlain(n *node, text []byte) bool {
	if n.minLength > 0 || len(text) > n.maxLength {
		if length := utf8.RuneCount(text); length < n.minLength || length > n.maxLength {
			return s.refuted()
		}
	}
	if n.listed && !slices.ContainsFunc(n.texts, func(choice string) bool { return choice == string(text) }) {
		return s.refuted()
	}
	if n.pattern != nil && !n.pattern.Match(text) {
		return s.refuted()
	}
	if n.format != nil && !n.format(text) {
		return s.unsure()
	}
	return true
}
