package traffic

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// The members of a line, in the order in which they are written.
type (
	line struct {
		Method   string       `json:"method"`
		URL      string       `json:"url"`
		Status   int          `json:"status,omitempty"`
		Request  *lineMessage `json:"request,omitempty"`
		Response *lineMessage `json:"response,omitempty"`
	}
	lineMessage struct {
		Headers    *[][2]string `json:"headers,omitempty"`
		MediaType  string       `json:"media_type,omitempty"`
		Body       *string      `json:"body,omitempty"`
		BodyBase64 []byte       `json:"body_base64,omitempty"`
	}
)

// WriteNDJSON writes an exchange as one line, which [ReadPaths] reads back as the same exchange except for its Source. It
// writes no credential that is not in the exchange, and every one that is: who must not hand them on redacts the exchange
// before. The line is written by one call to w.
//
// The fields of a header are sorted by name, as a [http.Header] has no order of names. A body is written as text if it is
// valid UTF-8, and in base64 otherwise. Characters that do not print are escaped, as people look at such a file in a
// terminal. An exchange that cannot be read back is an error, and not written: one with a
// method that is empty, a status that is none, or anything but a body that is not valid UTF-8.
func WriteNDJSON(w io.Writer, ex *Exchange) error {
	l := line{Method: ex.Method, URL: ex.URL.String(), Status: ex.Status}
	switch {
	case l.Method == "":
		return errors.New("method: empty")
	case !utf8.ValidString(l.Method):
		return errors.New("method: not valid UTF-8")
	case !utf8.ValidString(l.URL):
		return errors.New("url: not valid UTF-8")
	case l.Status < 0 || l.Status > 999:
		return fmt.Errorf("status: %d is not an HTTP status", l.Status)
	}
	var err error
	if l.Request, err = ex.Request.line(); err != nil {
		return fmt.Errorf("request.%w", err)
	}
	if ex.Answered() {
		if l.Response, err = ex.Response.line(); err != nil {
			return fmt.Errorf("response.%w", err)
		}
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(&l); err != nil {
		return err
	}
	_, err = w.Write(printable.Lines(text.Bytes()))
	return err
}

// line returns what is written of a message, or nil if there is nothing to write.
func (m *Message) line() (*lineMessage, error) {
	var l lineMessage
	if m.HeaderOmitted {
		l.MediaType = m.Header.Get("Content-Type")
		if !utf8.ValidString(l.MediaType) {
			return nil, errors.New("media_type: not valid UTF-8")
		}
	} else {
		fields, err := headerFields(m.Header)
		if err != nil {
			return nil, err
		}
		l.Headers = &fields
	}
	switch {
	case m.BodyOmitted:
	case utf8.Valid(m.Body):
		text := string(m.Body)
		l.Body = &text
	default:
		l.BodyBase64 = m.Body
	}
	if m.HeaderOmitted && m.BodyOmitted && l.MediaType == "" {
		return nil, nil
	}
	return &l, nil
}

// headerFields returns the fields of a header, sorted by name.
func headerFields(header http.Header) ([][2]string, error) {
	fields := make([][2]string, 0, len(header))
	for _, name := range slices.Sorted(maps.Keys(header)) {
		if name == "" || !utf8.ValidString(name) {
			return nil, errors.New("headers: a name that is empty or not valid UTF-8")
		}
		for _, value := range header[name] {
			if !utf8.ValidString(value) {
				return nil, fmt.Errorf("headers: a value of %s is not valid UTF-8", quoted(name))
			}
			fields = append(fields, [2]string{name, value})
		}
	}
	return fields, nil
}
