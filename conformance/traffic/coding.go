package traffic

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// Decode undoes the content codings in a body that was recorded as it went over the wire: gzip, br, zstd and deflate. The
// Content-Encoding does not tell: most recorders undo the codings and keep the field. A body that is no text and cannot be
// decoded is taken as not recorded: it is cut off, of an unknown coding, or lost bytes when it was made into text. The error
// is that the decoded body is larger than 64 MiB.
func Decode(contentEncoding []string, body []byte) (decoded []byte, omitted bool, err error) {
	if len(contentEncoding) == 0 {
		return body, false, nil
	}
	for rest := strings.ToLower(strings.Join(contentEncoding, ",")); rest != ""; { // the last is undone first
		at := strings.LastIndexByte(rest, ',')
		coding := strings.TrimPrefix(strings.TrimSpace(rest[at+1:]), "x-")
		rest = rest[:max(at, 0)]
		if coding == "" || coding == "identity" {
			continue
		}
		text, err := undo(coding, body)
		switch {
		case errors.Is(err, errPlain):
			return body, false, nil
		case errors.Is(err, errTooLarge):
			return nil, false, err
		case err != nil:
			return nil, true, nil //nolint:nilerr // it counts as not recorded
		}
		body = text
	}
	return body, false, nil
}

var (
	errPlain = errors.New("not compressed, or not any more")
	errLost  = errors.New("some bytes of the compressed body are lost")
)

// decoders are by content coding (RFC 9110, section 8.4.1; RFC 7932; RFC 8878).
var decoders = map[string]struct {
	start string // of everything in this coding; "" if there is no such start
	open  func(*bytes.Reader) (io.Reader, error)
}{
	"gzip": {gzipStart, func(r *bytes.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	"br":   {"", func(r *bytes.Reader) (io.Reader, error) { return brotli.NewReader(r), nil }},
	"zstd": {"\x28\xb5\x2f\xfd", func(r *bytes.Reader) (io.Reader, error) {
		return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxSize))
	}},
	"deflate": {"", func(r *bytes.Reader) (io.Reader, error) {
		if z, err := zlib.NewReader(r); err == nil {
			return z, nil
		}
		_, err := r.Seek(0, io.SeekStart)
		return flate.NewReader(r), err // which some servers send under this name (RFC 9110, section 8.4.1.2)
	}},
}

// undo undoes one coding of a body: of bytes, of the characters U+0000 to U+00FF for them, or of the chunks of Polly.JS.
func undo(coding string, body []byte) ([]byte, error) {
	decoder, known := decoders[coding]
	isText := utf8.Valid(body)
	if isText {
		var err error
		if body, err = bytesOf(body); err != nil {
			return nil, err
		}
	}
	switch {
	case !known && isText, decoder.start != "" && !bytes.HasPrefix(body, []byte(decoder.start)):
		return nil, errPlain
	case !known:
		return nil, errLost
	}
	in := bytes.NewReader(body)
	r, err := decoder.open(in)
	if err != nil {
		return nil, err
	}
	decoded, err := readBounded(r)
	if err == nil && in.Len() > 0 {
		err = errLost
	}
	if err != nil && !errors.Is(err, errTooLarge) && decoder.start == "" && isText {
		err = errPlain // a text with a control character
	}
	return decoded, err
}

// maxStart is how many bytes of a body are looked at for a control character, which compressed data has early.
const maxStart = 128

// bytesOf returns the bytes that a text stands for, or errPlain if it is just a text, and errLost if it is none any more.
func bytesOf(text []byte) ([]byte, error) {
	if bytes.HasPrefix(text, []byte(`["1f8b`)) {
		var chunks []string
		if json.Unmarshal(text, &chunks) == nil {
			return hex.DecodeString(strings.Join(chunks, ""))
		}
	}
	if !hasControl(text[:min(len(text), maxStart)]) {
		return nil, errPlain
	}
	latin1 := make([]byte, 0, len(text))
	for _, r := range string(text) {
		switch {
		case r == utf8.RuneError:
			return nil, errLost
		case r > 0xFF:
			return nil, errPlain
		}
		latin1 = append(latin1, byte(r)) //nolint:gosec // it is at most 0xFF
	}
	return latin1, nil
}

// hasControl reports whether a text has a control character other than blanks, of those below U+0020.
func hasControl(text []byte) bool {
	return slices.ContainsFunc(text, func(c byte) bool { return c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' })
}
