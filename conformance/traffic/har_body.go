package traffic

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// bodyHints is what an entry says of a body whose text is empty, or absent.
type bodyHints struct {
	size, bodySize bodySize
	body           bool // there is a postData or a content
	text           bool // and in it a text, even if it is empty
	params         bool // and fields of a form
	comment        bool // and a comment that is not empty
	nullText       bool // the text is null, as opposed to absent
}

// bodySize is what an entry says of the size of a body, in as far as it matters.
type bodySize int

const (
	sizeAbsent bodySize = iota
	sizeNegative
	sizeZero
	sizePositive
)

func sizeOf(n float64) bodySize {
	switch {
	case n < 0:
		return sizeNegative
	case n == 0:
		return sizeZero
	default:
		return sizePositive
	}
}

// requestOmitted reports whether an empty body is one that the recording does not hold, in a request. A body is announced
// by the header.
func (h *bodyHints) requestOmitted(method string, announced bool) bool {
	switch {
	case h.bodySize == sizePositive, announced:
		return true
	case h.params, h.comment:
		// A form of which only the fields were kept cannot be put together again byte for byte. And a comment in
		// place of a text is how Firefox says that it has discarded the body.
		return true
	case usuallyBodyless(method):
		// Nothing hints at a body, so there was none.
		return false
	case !h.body:
		return h.bodySize != sizeZero
	case h.text:
		// Playwright, told to keep neither bodies nor sizes, writes "" and -1. A recorder that leaves out the size
		// altogether means what it writes.
		return h.bodySize == sizeNegative
	default:
		// For a body that it passed on without keeping it, mitmproxy writes a text of null, and 0 as its size.
		return h.bodySize != sizeZero || h.nullText
	}
}

// responseOmitted is requestOmitted for a response to a request with that method.
func (h *bodyHints) responseOmitted(method string, status int, announced bool) bool {
	switch {
	case method == http.MethodHead, status < 200, status == http.StatusNoContent, status == http.StatusNotModified:
		// None of these can have a body (RFC 9110, section 6.4.1), whatever size and length they announce.
		return false
	case h.size == sizePositive, announced:
		// Also with a text of "", which is what browsers write for a body that they have evicted from memory.
		return true
	case h.text:
		// The text of "" is all there was.
		return false
	case h.comment:
		// Firefox says so when it was told not to keep bodies.
		return true
	case h.size != sizeAbsent:
		// Safari leaves out a text that is empty, and writes a size of 0 if it does not know the size. The two differ by
		// bodySize. As in a request, mitmproxy's text of null stands for a body that was not kept.
		return h.size != sizeZero || h.bodySize == sizePositive || h.nullText
	default:
		return h.bodySize != sizeZero
	}
}

// decode returns the body with its encoding undone; path is that of the body, for errors. Encoding is a property of a
// content only, but some tools write it in a postData too.
func (b *harBody) decode(path string) ([]byte, error) {
	switch {
	case len(b.content) == 0:
		return nil, nil
	case b.encoding == "":
		return b.content, nil
	case bytes.HasPrefix(b.content, []byte(`["`)) && strings.EqualFold(b.encoding, "base64"):
		return joinChunks(b.content, path)
	case !strings.EqualFold(b.encoding, "base64"):
		return nil, errors.New(path + ".encoding: expected base64 or nothing")
	}
	// The decoder passes over line breaks, but not over the other blanks that pretty-printers put in.
	text := bytes.Join(bytes.Fields(b.content), nil)
	body, err := decodeBase64(text)
	if err != nil {
		return nil, fmt.Errorf("%s.text: %w", path, err)
	}
	return body, nil
}

// joinChunks returns the body that Polly.JS wrote as a list of chunks.
func joinChunks(text []byte, path string) ([]byte, error) {
	var chunks [][]byte
	if json.Unmarshal(text, &chunks) != nil {
		return nil, errors.New(path + ".text: expected base64, or a list of it")
	}
	return bytes.Join(chunks, nil), nil
}

// decodeBase64 decodes text in place, with or without padding.
func decodeBase64(text []byte) ([]byte, error) {
	encoding := base64.RawStdEncoding
	if bytes.HasSuffix(text, []byte("=")) {
		encoding = base64.StdEncoding
	}
	n, err := encoding.Decode(text, text)
	return text[:n], err
}

// usuallyBodyless reports whether requests with that method have no body unless something hints at one.
func usuallyBodyless(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodDelete, http.MethodTrace:
		return true
	}
	return false
}

// announced reports whether the header says that a body follows. Chrome writes a bodySize of 0 for a request whose body
// it could not get at, such as an uploaded file; the header then is the one witness of it.
func announced(h http.Header) bool {
	n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64)
	return err == nil && n > 0
}
