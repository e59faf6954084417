package traffic

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// readBody sets the body of a request (HAR 1.2, "postData" and "request.bodySize").
func (r *harRequest) readBody(m *Message, raw []byte) error {
	var err error
	if m.Body, err = r.PostData.decode("request.postData"); err != nil || len(m.Body) > 0 {
		return err
	}
	switch body := r.PostData; {
	case positive(r.BodySize), announced(m.Header):
		m.BodyOmitted = true
	case body != nil && (len(body.Params) > 0 || body.Comment != ""):
		// A form of which only the fields were kept cannot be put together again byte for byte. And a comment in
		// place of a text is how Firefox says that it has discarded the body.
		m.BodyOmitted = true
	case usuallyBodyless(r.Method):
		// Nothing hints at a body, so there was none.
	case body == nil:
		m.BodyOmitted = !zero(r.BodySize)
	case body.Text != nil:
		// Playwright, told to keep neither bodies nor sizes, writes "" and -1. A recorder that leaves out the size
		// altogether means what it writes.
		m.BodyOmitted = r.BodySize != nil && *r.BodySize < 0
	default:
		// For a body that it passed on without keeping it, mitmproxy writes a text of null, and 0 as its size.
		m.BodyOmitted = !zero(r.BodySize) || isNull(raw, "request", "postData", "text")
	}
	return nil
}

// readBody sets the body of a response to a request with that method (HAR 1.2, "content" and "response.bodySize").
func (r *harResponse) readBody(m *Message, method string, raw []byte) error {
	var err error
	if m.Body, err = r.Content.decode("response.content"); err != nil || len(m.Body) > 0 {
		return err
	}
	var size *float64
	if r.Content != nil {
		size = r.Content.Size
	}
	switch body := r.Content; {
	case method == http.MethodHead, r.Status < 200, r.Status == http.StatusNoContent, r.Status == http.StatusNotModified:
		// None of these can have a body (RFC 9110, section 6.4.1), whatever size and length they announce.
	case positive(size), announced(m.Header):
		// Also with a text of "", which is what browsers write for a body that they have evicted from memory.
		m.BodyOmitted = true
	case body != nil && body.Text != nil:
		// The text of "" is all there was.
	case body != nil && body.Comment != "":
		// Firefox says so when it was told not to keep bodies.
		m.BodyOmitted = true
	case size != nil:
		// Safari leaves out a text that is empty, and writes a size of 0 if it does not know the size. The two differ by
		// bodySize. As in a request, mitmproxy's text of null stands for a body that was not kept.
		m.BodyOmitted = !zero(size) || positive(r.BodySize) || isNull(raw, "response", "content", "text")
	default:
		m.BodyOmitted = !zero(r.BodySize)
	}
	return nil
}

// decode returns the text of a body with its encoding undone; name is the path of the member for errors. Encoding is a
// member of content only, but some tools write it in postData too.
func (b *harBody) decode(name string) ([]byte, error) {
	if b == nil || b.Text == nil || *b.Text == "" {
		return nil, nil
	}
	switch {
	case b.Encoding == "":
		return []byte(*b.Text), nil
	case !strings.EqualFold(b.Encoding, "base64"):
		return nil, errors.New(name + ".encoding: expected base64 or nothing")
	}
	// The decoder passes over line breaks, but not over the other blanks that pretty-printers put in.
	text := strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(*b.Text)
	enc := base64.RawStdEncoding
	if strings.HasSuffix(text, "=") {
		enc = base64.StdEncoding
	}
	body, err := enc.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%s.text: %w", name, err)
	}
	return body, nil
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

func positive(size *float64) bool { return size != nil && *size > 0 }
func zero(size *float64) bool     { return size != nil && *size == 0 }

// isNull reports whether the member at path of the object raw is null, as opposed to absent. It reads raw once more,
// which the few entries that it matters for are worth.
func isNull(raw json.RawMessage, path ...string) bool {
	for _, key := range path {
		var members map[string]json.RawMessage
		if json.Unmarshal(raw, &members) != nil {
			return false
		}
		raw = members[key]
	}
	return string(raw) == "null"
}
