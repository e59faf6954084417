package styles

import (
	"strings"

	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// Pair is a parameter of a query or form, or a cookie.
type Pair struct {
	Name  string // without escapes, in UTF-8
	Value string // with escapes
}

// AppendQuery appends the parameters of a query or form. Unlike package net/url, it drops none: a malformed escape stays as
// it is, as in the URL standard (https://url.spec.whatwg.org/#percent-decode).
func AppendQuery(dst []Pair, query string) []Pair {
	return appendPairs(dst, query, "&", unescapeQuery)
}

// AppendCookies appends the cookies of Cookie fields (RFC 6265, section 4.2.1).
func AppendCookies(dst []Pair, fields []string) []Pair {
	for _, field := range fields {
		dst = appendPairs(dst, field, ";", strings.TrimSpace)
	}
	return dst
}

func appendPairs(dst []Pair, text, separator string, unescape func(string) string) []Pair {
	for text != "" {
		var pair string
		pair, text, _ = strings.Cut(text, separator)
		if name, value, _ := strings.Cut(pair, "="); pair != "" {
			dst = append(dst, Pair{strings.ToValidUTF8(unescape(name), "\uFFFD"), value})
		}
	}
	return dst
}

// unescapeQuery returns a text of a query without escapes; + is a space.
func unescapeQuery(text string) string { return unescape(strings.ReplaceAll(text, "+", " ")) }

// unescape undoes percent-encoding, as in paths.
func unescape(text string) string {
	if !strings.Contains(text, "%") {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if c, ok := escaped(text[i:]); ok {
			b.WriteByte(c)
			i += 2
		} else {
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

// escaped returns the byte of the escape %XX at the start of a text.
func escaped(text string) (c byte, ok bool) {
	if len(text) < 3 || text[0] != '%' {
		return 0, false
	}
	for _, digit := range []byte(text[1:3]) {
		switch {
		case '0' <= digit && digit <= '9':
			digit -= '0'
		case 'a' <= digit|0x20 && digit|0x20 <= 'f':
			digit = digit | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		c = c<<4 | digit
	}
	return c, true
}

// Unescape returns a text of the field without escapes.
func (f *Field) Unescape(text string) string {
	switch f.In {
	case "header":
		return strings.Trim(text, " \t")
	case "query":
		return unescapeQuery(text)
	case "cookie":
		return unescape(strings.Trim(text, ` "`))
	}
	return unescape(text)
}

// appendScalar appends a text as one of the types of a shape, or as a string. Unlike in JSON, an integer has no fraction
// and no exponent, and may have leading zeros (as Retry-After in RFC 9110, section 10.2.3).
func appendScalar(dst []byte, s *Shape, text string) []byte {
	switch {
	case s.has(Null) && !s.has(String) && text == "":
		return append(dst, "null"...)
	case s.has(Integer) && isInteger(text):
		if text[0] == '-' {
			dst, text = append(dst, '-'), text[1:]
		}
		if text = strings.TrimLeft(text, "0"); text == "" {
			text = "0"
		}
		return append(dst, text...)
	case s.has(Number) && strictjson.IsNumber(text), s.has(Boolean) && (text == "true" || text == "false"):
		return append(dst, text...)
	case s != nil && s.Binary:
		octets := make([]rune, len(text))
		for i := range octets {
			octets[i] = rune(text[i])
		}
		text = string(octets)
	}
	return strictjson.AppendString(dst, []byte(text))
}

func isInteger(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	return digits != "" && strings.Trim(digits, "0123456789") == ""
}

// appendComma appends a comma, unless an object or array was just opened.
func appendComma(dst []byte) []byte {
	if last := dst[len(dst)-1]; last == '{' || last == '[' {
		return dst
	}
	return append(dst, ',')
}

func appendName(dst []byte, name string) []byte {
	return append(strictjson.AppendString(appendComma(dst), []byte(name)), ':')
}
