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

// escape is an escape in a text, and what it stands for in the decoded text.
type escape struct{ start, end, decodedStart, decodedEnd int32 }

// unescape undoes one layer of escapes. A text of more than 2 GiB is left as it is.
func unescape(text []byte) (decoded []byte, escapes []escape) {
	if len(text) > 1<<31-1 {
		return nil, nil
	}
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
		before := len(decoded)
		var n int
		decoded, n = appendUnescaped(decoded, text[i:])
		if n > 1 {
			escapes = append(escapes, escape{int32(i), int32(i + n), int32(before), int32(len(decoded))})
		}
		i += n
		done = i
	}
	return append(decoded, text[done:]...), escapes
}

var isEscape = [256]bool{'%': true, '\\': true, '&': true, '~': true}

// appendUnescaped appends what a text starts with, and returns how many bytes of it that took.
func appendUnescaped(to, text []byte) (result []byte, n int) {
	switch c := text[0]; {
	case c == '%' && len(text) >= 3: // URLs
		if result, err := hex.AppendDecode(to, text[1:3]); err == nil {
			return result, 3
		}
	case c == '~' && len(text) >= 2 && (text[1] == '0' || text[1] == '1'): // JSON pointers
		return append(to, "~/"[text[1]-'0']), 2
	case c == '&':
		entity := text[:min(len(text), 12)]
		if end := bytes.IndexByte(entity, ';') + 1; end > 0 {
			if result := html.UnescapeString(string(entity[:end])); len(result) < end {
				return append(to, result...), end
			}
		}
	case c == '\\' && len(text) >= 2: // JSON, and patterns
		if first, ok := unit(text); ok {
			if second, ok := unit(text[6:]); ok && utf16.IsSurrogate(first) {
				if pair := utf16.DecodeRune(first, second); pair != utf8.RuneError {
					return utf8.AppendRune(to, pair), 12
				}
			}
			return utf8.AppendRune(to, first), 6
		}
		if text[1] == 'x' && len(text) >= 4 {
			if result, err := hex.AppendDecode(to, text[2:4]); err == nil {
				return result, 4
			}
		}
		if i := strings.IndexByte(`nrtbf`, text[1]); i >= 0 {
			return append(to, "\n\r\t\b\f"[i]), 2
		}
		return append(to, text[1]), 2
	}
	return append(to, text[0]), 1
}

// unit reads a \u0041.
func unit(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(v), err == nil
}

// source returns the part of a text that a byte of the decoded text comes from.
func source(escapes []escape, offset int) (start, end int) {
	i, _ := slices.BinarySearchFunc(escapes, offset+1, func(e escape, offset int) int { return int(e.decodedStart) - offset })
	if i == 0 {
		return offset, offset + 1
	}
	e := escapes[i-1] // the last one that begins at the byte or before it
	if offset < int(e.decodedEnd) {
		return int(e.start), int(e.end)
	}
	start = int(e.end) + offset - int(e.decodedEnd)
	return start, start + 1
}

// maxInflated is how much is decompressed of all archives in a text, in bytes. What looks like the beginning of an archive may be
// none, and costs openingCost.
const (
	maxInflated = 16 << 20
	openingCost = 4 << 10
)

// inArchives reports whether a secret stands in compressed data, or whether that is too much to decompress. A secret cannot be
// replaced there even where compressors have left it readable: length and checksum would be wrong. It knows zlib (RFC 1950) that
// is all of the text, and gzip (RFC 1952), also in base64, wherever it begins.
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
	data, _ := io.ReadAll(io.LimitReader(archive, int64(*inflatable)+1)) // of a broken one, what there is
	if *inflatable -= len(data); *inflatable < 0 {
		return true
	}
	f := r.searchLayers(data, maxLayers, inflatable)
	return len(f.spans) > 0 || f.apart || f.opaque
}
