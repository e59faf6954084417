package traffic

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// readNDJSON reads a recording of one exchange a line.
func (r *recording) readNDJSON(file *bufio.Reader) error {
	l := newLineReader()
	at, number := r.skipped, r.lines
	fail := func(offset int64, err error) error {
		return r.failEntry(offset, fmt.Errorf("line %d: %w", number, err))
	}
	for {
		number++
		line, readErr := readLine(file)
		end := at + int64(len(line))
		switch {
		case readErr == nil, errors.Is(readErr, io.EOF):
		case errors.Is(readErr, errTooLarge):
			return fail(at, readErr)
		default:
			return fail(end, readErr)
		}
		if text := bytes.TrimRight(line, " \t\r\n"); len(text) > 0 {
			e, err := l.exchange(text, r.pool.get())
			if err != nil {
				offset, cause := l.placeOf(err)
				return fail(at+offset, cause)
			}
			if err := r.yieldExchange(e, "#L", number, end); err != nil {
				return err
			}
		}
		if readErr != nil {
			return nil //nolint:nilerr // it is the end of the file
		}
		at = end
	}
}

// readLine reads a line with its line feed, into memory of its own where it does not fit the reader's.
func readLine(file *bufio.Reader) (line []byte, err error) {
	for {
		part, err := file.ReadSlice('\n')
		switch {
		case err == nil && line == nil:
			return part, nil
		case len(line)+len(part) > maxSize:
			return nil, errTooLarge
		}
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// lineReader reads exchanges, each of a line. The offsets of its errors are in the line.
type lineReader struct {
	jsonReader

	line, side *shape
	names      fieldNames
}

func newLineReader() *lineReader {
	l := &lineReader{
		line: newShape("method", "url", "status", "request", "response"),
		side: newShape("headers", "media_type", "body", "body_base64", "body_json"),
	}
	l.line.once, l.line.closed = true, true
	l.side.once, l.side.closed = true, true
	l.max, l.strings = math.MaxInt64, map[string]string{}
	return l
}

func (l *lineReader) exchange(line []byte, e *Exchange) (*Exchange, error) {
	l.dec = strictjson.NewDecoder(line)
	l.dec.RequireUTF8 = true
	if _, err := l.dec.Peek(); err != nil {
		return nil, err
	}
	l.start = l.dec.Offset()
	old := *e
	*e = Exchange{Request: unrecorded()}
	response := int64(-1)
	err := l.object(l.line, func(name string, at int64) (err error) {
		switch name {
		case "method":
			if e.Method, err = l.string(); err == nil && e.Method == "" {
				err = failValue(at, "empty")
			}
		case "url":
			var text string
			text, err = l.string()
			e.URL = l.urls.parse(text, old.URL)
		case "status":
			e.Status, err = l.status(at)
		case "request":
			err = l.message(&e.Request, &old.Request, at)
		case "response":
			response, e.Response = at, unrecorded()
			err = l.message(&e.Response, &old.Response, at)
		}
		return err
	})
	if err == nil {
		err = l.dec.End()
	}
	switch {
	case err != nil:
		return nil, err
	case e.Method == "":
		return nil, errors.New("method: missing")
	case e.URL == nil:
		return nil, errors.New("url: missing")
	case e.Status == 0 && response >= 0:
		return nil, failValue(response, "response: without a status")
	case e.Status != 0 && response < 0:
		e.Response = unrecorded()
	}
	return e, nil
}

// unrecorded is a message of which nothing is known.
func unrecorded() Message {
	return Message{Header: http.Header{}, HeaderOmitted: true, BodyOmitted: true}
}

func (l *lineReader) message(m, old *Message, at int64) error {
	mediaType, body := "", ""
	err := l.object(l.side, func(name string, at int64) (err error) {
		switch name {
		case "headers":
			m.HeaderOmitted = false
			l.fields.list = l.fields.list[:0]
			if err = l.headers(at); err == nil {
				m.Header = l.fields.header(old.Header)
			}
		case "media_type":
			mediaType, err = l.string()
		default:
			if body != "" {
				return failValue(at, "beside "+body)
			}
			body, m.BodyOmitted = name, false
			m.Body, err = l.body(name, at, old.Body)
		}
		return err
	})
	switch {
	case err != nil || mediaType == "":
		return err
	case !m.HeaderOmitted:
		return failValue(at, "media_type beside headers")
	}
	m.Header.Set("Content-Type", mediaType)
	return nil
}

// body reads the value of a property that holds a body.
func (l *lineReader) body(name string, at int64, old []byte) ([]byte, error) {
	if name == "body_json" {
		raw, _, err := l.dec.Value()
		return append(old[:0], raw...), err
	}
	body, err := l.bytes(old)
	if err != nil || len(body) == 0 || name == "body" {
		return body, err
	}
	if bytes.ContainsAny(body, "\r\n") { // which the decoder would pass over
		return nil, failValue(at, "illegal base64 data: a line break")
	}
	if body, err = decodeBase64(body); err != nil {
		return nil, failValue(at, err.Error())
	}
	return body, nil
}

// headers reads the fields of a header, whose value is at that offset: a list of names with values, or an object.
func (l *lineReader) headers(at int64) error {
	noName := failValue(at, "a name that is empty")
	if kind, err := l.dec.Peek(); err != nil || kind != '{' {
		return l.array(func() error { return l.pair(noName) })
	}
	if _, err := l.token('{'); err != nil {
		return err
	}
	for {
		name, err := l.dec.Next()
		switch {
		case err != nil || name.Kind == '}':
			return err
		case len(name.Raw) == 2:
			return noName
		}
		text := strictjson.Unquote(name.Raw)
		kind, err := l.dec.Peek()
		switch {
		case err != nil:
		case kind == '[':
			err = l.array(func() error { return l.field(text) })
		default:
			err = l.field(text)
		}
		if err != nil {
			return err
		}
	}
}

// pair reads a name and a value.
func (l *lineReader) pair(noName error) error {
	_, _ = l.dec.Peek() // where the pair is
	at, n := l.dec.Offset(), 0
	var name []byte
	err := l.array(func() (err error) {
		switch n++; n {
		case 1:
			if name, err = l.text(); err == nil && len(name) == 0 {
				err = noName
			}
			return err
		case 2:
			return l.field(name)
		default:
			return l.dec.Skip()
		}
	})
	if err == nil && n != 2 {
		err = failValue(at, "expected a name and a value")
	}
	return err
}

// field reads the value of a field.
func (l *lineReader) field(name []byte) error {
	l.fields.list = append(l.fields.list, field{place: l.names.find(name)})
	return l.value()
}

// status reads a status code, or the 0 for no response.
func (l *lineReader) status(at int64) (int, error) {
	raw, err := l.token('0')
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || n != math.Trunc(n) || n < 0 || n > 999 {
		return 0, failValue(at, "expected an integer from 0 to 999")
	}
	return int(n), nil
}

// The properties of a line, in the order in which they are written.
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

// WriteNDJSON writes an exchange as one line, which [Read] reads back as the same exchange except for its Source and Size.
// It does not redact: the line holds every credential that the exchange holds. The line is written by one call to w.
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
