package redact

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// span is a part of a text. If isNumber, it is of a JSON number.
type span struct {
	start, end int
	isNumber   bool
}

// appendSpan appends a span, or extends the last one if they overlap.
func appendSpan(spans []span, s span) []span {
	if i := len(spans) - 1; i >= 0 && spans[i].start <= s.start && s.start < spans[i].end {
		spans[i].end = max(spans[i].end, s.end)
		return spans
	}
	return append(spans, s)
}

// merge sorts spans; overlapping ones become one.
func merge(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	merged := spans[:0]
	for _, s := range spans {
		merged = appendSpan(merged, s)
	}
	return merged
}

// replace returns the text with a placeholder, or a mask, in place of each span; and if numbers, with other digits in place
// of those of a JSON number. isNew reports whether it has other digits or a mask, which may be another secret.
func replace(text []byte, spans []span, numbers, masks bool) (result []byte, isNew bool) {
	if start := skipBlanks(text, 0); start < len(text) && strings.IndexByte(`{["`, text[start]) >= 0 {
		spans = withinValues(text, spans)
	} else if numbers && isNumber(text) {
		for i := range spans {
			spans[i].isNumber = true
		}
	}
	result = make([]byte, 0, len(text)+len(spans)*len(Placeholder))
	done := 0
	for _, s := range spans {
		result = append(result, text[done:s.start]...)
		secret := text[s.start:s.end]
		switch {
		case s.isNumber && numbers, masks:
			isNew = true
			result = appendMask(result, secret, s.isNumber)
		default:
			result = append(result, Placeholder...)
		}
		done = s.end
	}
	return append(result, text[done:]...), isNew
}

// withinValues returns the parts of sorted spans that are in the strings and numbers of a JSON text, so that the
// text stays JSON. It omits the property names in a span that has more than the name: a secret can be JSON itself. The
// text need not be valid JSON: words without quotation marks are handled like strings.
func withinValues(text []byte, spans []span) []span {
	var parts []span
	for at := 0; at < len(text) && len(spans) > 0; {
		c := text[at]
		if isBlank(c) || strings.IndexByte("{}[]:,", c) >= 0 {
			at++
			continue
		}
		start, end := at, at
		isString, isName := c == '"', false
		if isString {
			start = at + 1
			end = stringEnd(text, start)
			at = min(end+1, len(text))
			next := skipBlanks(text, at)
			isName = next < len(text) && text[next] == ':'
		} else {
			for end < len(text) && !isBlank(text[end]) && strings.IndexByte(`{}[]:,"`, text[end]) < 0 {
				end++
			}
			at = end
		}
		for len(spans) > 0 && spans[0].end <= start {
			spans = spans[1:]
		}
		if len(spans) == 0 || spans[0].start >= end || !isString && isLiteral(string(text[start:end])) {
			continue
		}
		isNumber := !isString && isNumber(text[start:end])
		for _, s := range spans {
			if s.start >= end {
				break
			}
			if isName && (s.start < start-1 || s.end > end+1) {
				continue
			}
			part := span{max(s.start, start), min(s.end, end), isNumber}
			if isString {
				part = wholeEscapes(text, start, part)
			}
			parts = appendSpan(parts, part)
		}
	}
	return parts
}

// wholeEscapes extends a part of a JSON string with its content at an offset, so that it has no half of an escape.
func wholeEscapes(text []byte, content int, part span) span {
	part.start, _ = escapeAround(text, content, part.start)
	_, part.end = escapeAround(text, content, part.end)
	return part
}

// escapeAround returns the span of the escape that starts before an offset and ends behind it, or the offset twice.
func escapeAround(text []byte, content, offset int) (start, end int) {
	const length = len(`\u0000`)
	for at := offset - 1; at >= max(content, offset-length+1); at-- {
		first := at
		for first > content && text[first-1] == '\\' {
			first--
		}
		if text[at] != '\\' || (at-first)%2 != 0 { // not a backslash that starts an escape
			continue
		}
		end := at + 2
		if _, ok := unit(text[at:]); ok {
			end = at + length
		}
		if end > offset {
			return at, min(end, len(text))
		}
	}
	return offset, offset
}

func isNumber(text []byte) bool {
	return !slices.ContainsFunc(text, func(c byte) bool { return !isNumberByte[c] })
}

// placeholder returns what replaces a secret.
func (r *Redactor) placeholder(secret string) string {
	if r.masks {
		return string(appendMask(nil, []byte(secret), false))
	}
	return Placeholder
}

// appendMask appends a secret with other letters and digits. Of a number, it replaces digits only; of other text, it
// replaces escapes by letters.
func appendMask(dst, secret []byte, isNumber bool) []byte {
	start := len(dst)
	for _, letters := range []string{"aA1", "bB2"} {
		dst = dst[:start]
		for i := 0; i < len(secret); i++ {
			switch c := secret[i]; {
			case '0' <= c && c <= '9':
				dst = append(dst, letters[2])
			case isNumber:
				dst = append(dst, c)
			case c == '\\':
				var n int
				_, n = appendUnescaped(nil, secret, i)
				dst = append(dst, letters[0])
				i += n - 1
			case 'A' <= c && c <= 'Z':
				dst = append(dst, letters[1])
			case c >= utf8.RuneSelf:
				_, n := utf8.DecodeRune(secret[i:])
				dst = append(dst, letters[0])
				i += n - 1
			case alphanumeric[c]:
				dst = append(dst, letters[0])
			default:
				dst = append(dst, c)
			}
		}
		if string(dst[start:]) != string(secret) {
			return dst
		}
	}
	return append(dst[:start], Placeholder...)
}
