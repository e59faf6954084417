package traffic

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"unicode/utf8"
)

// The members of an entry that are read (HAR 1.2, "entries", "request", "response", "postData", "content").
type (
	harEntry struct {
		Request  *harRequest  `json:"request"`
		Response *harResponse `json:"response"`
	}
	harRequest struct {
		Method   string      `json:"method"`
		URL      string      `json:"url"`
		Headers  []harHeader `json:"headers"`
		PostData *harBody    `json:"postData"`
		BodySize *float64    `json:"bodySize"`
	}
	harResponse struct {
		Status   int64       `json:"status"`
		Headers  []harHeader `json:"headers"`
		Content  *harBody    `json:"content"`
		BodySize *float64    `json:"bodySize"`
	}
	harHeader struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	// harBody is a postData or a content; a postData has no size, a content no params.
	harBody struct {
		MimeType string            `json:"mimeType"`
		Text     *string           `json:"text"`
		Encoding string            `json:"encoding"`
		Size     *float64          `json:"size"`
		Params   []json.RawMessage `json:"params"`
		Comment  string            `json:"comment"`
	}
)

// parseHAREntry makes an exchange, without its Source, of an entry. With an error comes the offset of the fault in raw.
// The exchange shares no memory with raw.
func parseHAREntry(raw []byte) (*Exchange, int64, error) {
	var entry harEntry
	err := json.Unmarshal(raw, &entry)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return nil, max(0, syntax.Offset-1), err
	case !utf8.Valid(raw):
		return nil, int64(invalidUTF8(raw)), errors.New("not valid UTF-8")
	case err != nil:
		at, err := typeFault(raw, err)
		return nil, at, err
	}
	req := entry.Request
	switch {
	case req == nil:
		return nil, 0, errors.New("request: missing")
	case req.Method == "":
		return nil, 0, errors.New("request.method: missing or empty")
	case req.URL == "":
		return nil, 0, errors.New("request.url: missing or empty")
	}

	e := &Exchange{Method: req.Method, URL: parseURL(req.URL)}
	e.Request.Header = harHeaders(req.Headers, req.PostData)
	e.Request.HeaderOmitted = req.Headers == nil
	if err := req.readBody(&e.Request, raw); err != nil {
		return nil, 0, err
	}

	// Chrome, Firefox, Safari and mitmproxy write status 0 for a request without an answer, Playwright writes -1.
	resp := entry.Response
	if resp == nil || resp.Status <= 0 {
		return e, 0, nil
	}
	if resp.Status > 999 {
		return nil, 0, fmt.Errorf("response.status: %d is not an HTTP status", resp.Status)
	}
	e.Status = int(resp.Status)
	e.Response.Header = harHeaders(resp.Headers, resp.Content)
	e.Response.HeaderOmitted = resp.Headers == nil
	if err := resp.readBody(&e.Response, req.Method, raw); err != nil {
		return nil, 0, err
	}
	return e, 0, nil
}

// parseURL makes the URL of an exchange. Browsers send what Go refuses, to sites that are not ours. Such an exchange is
// kept, and is for no operation.
func parseURL(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil {
		return new(url.URL)
	}
	return u
}

// invalidUTF8 returns the index of the first byte of b that is not valid UTF-8.
func invalidUTF8(b []byte) int {
	i := 0
	for i < len(b) {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		i += size
	}
	return i
}

// harHeaders makes a header of a list. Only for a message with no fields at all is the media type that the recorder wrote
// beside the body taken for its Content-Type, which it is (HAR 1.2, "content"): next to other fields, it may be what a
// browser guessed.
func harHeaders(list []harHeader, body *harBody) http.Header {
	header := make(http.Header, len(list))
	for _, field := range list {
		if field.Name != "" && field.Name[0] != ':' {
			header.Add(field.Name, field.Value)
		}
	}
	if len(list) == 0 && body != nil && body.MimeType != "" && body.MimeType != unknownType {
		header.Set("Content-Type", body.MimeType)
	}
	return header
}

// unknownType is what WebKit and its relatives write for a media type that they do not know.
const unknownType = "x-unknown"

// typeFault words an error of json.Unmarshal about raw, and returns the offset of the value that it is about.
func typeFault(raw []byte, err error) (int64, error) {
	var fault *json.UnmarshalTypeError
	if !errors.As(err, &fault) {
		return 0, errors.New("not a HAR entry")
	}
	want := map[reflect.Kind]string{
		reflect.String:  "a string",
		reflect.Int64:   "an integer",
		reflect.Float64: "a number",
		reflect.Slice:   "an array",
		reflect.Struct:  "an object",
	}[fault.Type.Kind()]
	// A number comes with its digits, which are left out like every other value.
	kind, _, _ := strings.Cut(fault.Value, " ")
	got := map[string]string{
		"string": "a string",
		"number": "a number",
		"bool":   "a boolean",
		"array":  "an array",
		"object": "an object",
	}[kind]
	if got == want {
		got = "one that is out of range"
	}
	msg := fmt.Sprintf("expected %s, got %s", want, got)
	if fault.Field != "" {
		msg = fault.Field + ": " + msg
	}
	return valueStart(raw, fault.Offset), errors.New(msg)
}

// valueStart returns where in raw the value starts whose first token ends at offset end.
func valueStart(raw []byte, end int64) int64 {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber() // else the number that does not fit would be an error here as well
	for {
		at := dec.InputOffset()
		if _, err := dec.Token(); err != nil {
			return 0
		}
		if dec.InputOffset() >= end {
			return at + int64(len(raw[at:])-len(bytes.TrimLeft(raw[at:], " \t\r\n,:")))
		}
	}
}
