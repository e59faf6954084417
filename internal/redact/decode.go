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

// escape is the span of an escape in a text, and the end of its character in the decoded text.
type escape struct{ start, end, decodedEnd int }

// unescape decodes one layer of escapes of all kinds.
func unescape(text []byte) (decoded []byte, escapes []escape) {
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
		var n int
		decoded, n = appendUnescaped(decoded, text[i:])
		if n > 1 {
			escapes = append(escapes, escape{i, i + n, len(decoded)})
		}
		i += n
		done = i
	}
	return append(decoded, text[done:]...), escapes
}

var isEscape = [256]bool{'%': true, '\\': true, '&': true, '~': true}

// appendUnescaped appends the decoded escape at the start of a text, or its first byte, and returns its length in the text.
func appendUnescaped(dst, text []byte) (result []byte, n int) {
	switch c := text[0]; {
	case c == '%' && len(text) >= 3: // URLs
		if result, err := hex.AppendDecode(dst, text[1:3]); err == nil {
			return result, 3
		}
	case c == '~' && len(text) >= 2 && (text[1] == '0' || text[1] == '1'): // JSON pointers
		return append(dst, "~/"[text[1]-'0']), 2
	case c == '&':
		entity := text[:min(len(text), 12)]
		if end := bytes.IndexByte(entity, ';') + 1; end > 0 {
			if result := html.UnescapeString(string(entity[:end])); len(result) < end {
				return append(dst, result...), end
			}
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

// unit parses the code unit of an escape such as \u0041.
func unit(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(v), err == nil
}

// source returns the span in a text of a byte in the decoded text.
func source(escapes []escape, offset int) (start, end int) {
	next, _ := slices.BinarySearchFunc(escapes, offset+1, func(e escape, end int) int { return e.decodedEnd - end })
	var last escape
	if next > 0 {
		last = escapes[next-1]
	}
	start = last.end + offset - last.decodedEnd
	if next < len(escapes) && start >= escapes[next].start {
		return escapes[next].start, escapes[next].end
	}
	return start, start + 1
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
func (r *Redactor) inArchives(text []byte, inflatable *int) bool {
	if archive, err := zlib.NewReader(bytes.NewReader(text)); err == nil && r.inArchive(archive, inflatable) {
		return true
	}
	for _, magic := range []string{"\x1f\x8b\x08", "H4sI"} {
		rest := text
		for at := bytes.Index(rest, []byte(magic)); at >= 0; at = bytes.Index(rest, []byte(magic)) {
			rest = rest[at:]
			var data io.Reader = bytes.NewReader(rest)
			if magic == "H4sI" {
				data = base64.NewDecoder(base64.StdEncoding, data)
			}
			if archive, err := gzip.NewReader(data); err == nil && r.inArchive(archive, inflatable) {
				return true
			}
			if *inflatable -= openingCost; *inflatable < 0 {
				return true
			}
			rest = rest[1:]
		}
	}
	return false
}

func (r *Redactor) inArchive(archive io.Reader, inflatable *int) bool {
	data, _ := io.ReadAll(io.LimitReader(archive, int64(*inflatable)+1)) // the readable part of a broken one
	if *inflatable -= len(data); *inflatable < 0 {
		return true
	}
	f := r.searchLayers(data, maxLayers, inflatable)
	return len(f.spans) > 0 || f.apart || f.opaque
}
