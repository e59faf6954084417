package redact

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"html"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// unescape decodes one layer of escapes of all kinds, and reports whether there is any.
func unescape(text []byte) (decoded []byte, changed bool) {
	done := 0
	for i := 0; i < len(text); {
		if !isEscape[text[i]] {
			i++
			continue
		}
		if decoded == nil {
			decoded = make([]byte, 0, len(text))
		}
		decoded = append(decoded, text[done:i]...)
		start := len(decoded)
		var n int
		decoded, n = appendUnescaped(decoded, text, i)
		changed = changed || n > 1 || len(decoded) == start // a line break may be one byte
		i += n
		done = i
	}
	if !changed {
		return text, false
	}
	return append(decoded, text[done:]...), true
}

// unescapeQuery decodes a value of a query or form, where + is a space. Malformed escapes stay.
func unescapeQuery(value string) string {
	decoded, _ := unescape([]byte(strings.ReplaceAll(value, "+", " ")))
	return string(decoded)
}

// source replaces sorted spans of the decoded text by those of the text.
func source(text []byte, spans []span) {
	var scratch []byte
	i, offset := 0, 0 // in the text and in the decoded text
	// find returns the span in the text of a byte in the decoded text.
	find := func(decoded int) (start, end int) {
		for {
			for offset < decoded && !isEscape[text[i]] {
				i, offset = i+1, offset+1
			}
			var n int
			scratch, n = appendUnescaped(scratch[:0], text, i)
			if decoded < offset+len(scratch) {
				return i, i + n
			}
			i, offset = i+n, offset+len(scratch)
		}
	}
	for at, s := range spans {
		spans[at].start, _ = find(s.start)
		_, spans[at].end = find(s.end - 1)
	}
}

var isEscape = [256]bool{'%': true, '\\': true, '&': true, '~': true, '\r': true, '\n': true}

// appendUnescaped appends the decoded escape at an offset in a text, or its first byte, and returns its length in the text.
func appendUnescaped(dst, text []byte, at int) (result []byte, n int) {
	all := text
	text = text[at:]
	switch c := text[0]; {
	case c == '%' && len(text) >= 3: // URLs
		if result, err := hex.AppendDecode(dst, text[1:3]); err == nil {
			return result, 3
		}
	case c == '~' && len(text) >= 2 && (text[1] == '0' || text[1] == '1'): // JSON pointers
		return append(dst, "~/"[text[1]-'0']), 2
	case c == '&':
		entity := text[:min(len(text), maxEntity)]
		if end := bytes.IndexByte(entity, ';') + 1; end > 0 {
			if result := html.UnescapeString(string(entity[:end])); len(result) < end {
				return append(dst, result...), end
			}
		}
	case c == '\r' || c == '\n':
		if n := lineBreak(all, at); n > 0 {
			return dst, n
		}
	case c == '\\' && len(text) >= 2: // JSON, and patterns
		if first, ok := unit(text); ok {
			if second, ok := unit(text[6:]); ok && utf16.IsSurrogate(first) {
				if pair := utf16.DecodeRune(first, second); pair != utf8.RuneError {
					return utf8.AppendRune(dst, pair), 12
				}
			}
			return utf8.AppendRune(dst, first), 6
		}
		if i := strings.IndexByte(`nrtbf`, text[1]); i >= 0 {
			return append(dst, "\n\r\t\b\f"[i]), 2
		}
		return append(dst, text[1]), 2
	}
	return append(dst, text[0]), 1
}

// maxEntity is the maximum length of a character reference in HTML, in bytes. Numeric ones may have leading zeros.
const maxEntity = 20

// lineBreak returns the length of the line break at an offset in a text if it is within a word, as in base64 in lines of
// 64 or 76 characters (RFC 2045, section 6.8).
func lineBreak(text []byte, at int) int {
	const minWord = 16
	if at < minWord || slices.ContainsFunc(text[at-minWord:at], func(c byte) bool { return !isBase64[c] }) {
		return 0
	}
	end := skipBlanks(text, at)
	if end == len(text) || !isBase64[text[end]] {
		return 0
	}
	return end - at
}

var isBase64 = func() (is [256]bool) {
	for c := range utf8.RuneSelf {
		is[c] = alphanumeric[c] || strings.IndexByte("+/-_", byte(c)) >= 0
	}
	return is
}()

// unit parses the code unit of an escape such as \u0041.
func unit(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(v), err == nil
}

// maxInflated is the maximum size of all decompressed data in a text, in bytes. Each signature of an archive counts as
// openingCost, also if it is none.
const (
	maxInflated = 16 << 20
	openingCost = 4 << 10
)

// inArchives reports whether compressed data contains a secret, or is too large to decompress. Even if the compressor left
// the secret readable, it cannot be replaced: length and checksum would be wrong. inArchives finds zlib (RFC 1950) at the
// start of the text, and gzip (RFC 1952), also in base64, at any offset.
func (s *search) inArchives(text []byte) bool {
	if len(text) > 1 && text[0]&0xf == 8 && (int(text[0])<<8|int(text[1]))%31 == 0 { // the method, and a check; most texts start with other bytes
		if archive, err := zlib.NewReader(bytes.NewReader(text)); err == nil && s.inArchive(archive) {
			return true
		}
	}
	for _, magic := range []string{"\x1f\x8b\x08", "H4sI"} {
		rest := text
		for at := bytes.Index(rest, []byte(magic)); at >= 0; at = bytes.Index(rest, []byte(magic)) {
			rest = rest[at:]
			var data io.Reader = bytes.NewReader(rest)
			if magic == "H4sI" {
				data = base64.NewDecoder(base64.StdEncoding, data)
			}
			if archive, err := gzip.NewReader(data); err == nil && s.inArchive(archive) {
				return true
			}
			if s.inflatable -= openingCost; s.inflatable < 0 {
				return true
			}
			rest = rest[1:]
		}
	}
	return false
}

func (s *search) inArchive(archive io.Reader) bool {
	data, _ := io.ReadAll(io.LimitReader(archive, int64(s.inflatable)+1)) // the readable part of a broken one
	if s.inflatable -= len(data); s.inflatable < 0 {
		return true
	}
	spans, opaque := s.layers(data, maxLayers)
	return len(spans) > 0 || opaque
}
