package traffic

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/internal/printable"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// readNDJSON reads a recording of one exchange a line.
func (r *recording) readNDJSON(file *bufio.Reader) error {
	l := newLineReader()
	at, number := r.skipped, r.lines
	fail := func(offset int64, err error) *Error {
		return r.failEntry(offset, fmt.Errorf("line %d: %w", number, err))
	}
	for {
		number++
		line, readErr := readLine(file)
		end := at + int64(len(line))
		switch {
		case readErr == nil, errors.Is(readErr, io.EOF):
		case errors.Is(readErr, errTooLarge):
			e := &EntryError{Err: fail(at, readErr)}
			readTarget(strictjson.NewDecoder(line), "", e)
			skipped, err := skipLine(file)
			if err != nil { // also at the end of the file, which may be cut off
				return e.Err
			}
			at = end + skipped
			if err := r.yieldUnreadable(e, at); err != nil {
				return err
			}
			continue
		default:
			return fail(end, readErr)
		}
		if text := bytes.TrimRight(line, " \t\r\n"); len(text) > 0 {
			e, err := l.exchange(text, r.pool.get())
			if err == nil {
				err = r.yieldExchange(e, "#L", number, end)
			} else {
				offset, cause := l.placeOf(err)
				unreadable := &EntryError{Err: fail(at+offset, cause)}
				if errors.As(err, new(*strictjson.Error)) && !errors.Is(err, strictjson.ErrUTF8) {
					return unreadable.Err
				}
				readTarget(strictjson.NewDecoder(text), "", unreadable)
				err = r.yieldUnreadable(unreadable, end)
			}
			if err != nil {
				return err
			}
		}
		if readErr != nil {
			return nil //nolint:nilerr // it is the end of the file
		}
		at = end
	}
}

// readLine reads a line with its line feed, into memory of its own where it does not fit the reader's. With errTooLarge
// comes the start of the line, and the rest is not read.
func readLine(file *bufio.Reader) (line []byte, err error) {
	for {
		part, err := file.ReadSlice('\n')
		if err == nil && line == nil {
			return part, nil
		}
		line = append(line, part...)
		if len(line) > maxSize {
			return line, errTooLarge
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// skipLine skips the rest of a line with its line feed.
func skipLine(file *bufio.Reader) (n int64, err error) {
	for {
		part, err := file.ReadSlice('\n')
		n += int64(len(part))
		if !errors.Is(err, bufio.ErrBufferFull) {
			return n, err
		}
	}
}

// lineReader reads exchanges, each of a line. The offsets of its errors are in the line.
type lineReader struct {
	jsonReader

	names *fieldNames
}

// The properties of a line.
var (
	lineShape = newShape(true, "method", "url", "status", "request", "response")
	sideShape = newShape(true, "headers", "media_type", "body", "body_base64", "body_json")
)

func newLineReader() *lineReader {
	return &lineReader{jsonReader: newJSONReader(), names: newFieldNames()}
}

func (l *lineReader) exchange(line []byte, e *Exchange) (*Exchange, error) {
	if !l.doc.Parse(line) {
		d := strictjson.NewDecoder(line)
		d.RequireUTF8 = true
		if err := d.Skip(); err != nil {
			return nil, err
		}
		return nil, d.End()
	}
	old := *e
	*e = Exchange{Request: unrecorded()}
	response := int32(0)
	err := l.object(0, lineShape, func(name string, at int32) (err error) {
		switch name {
		case "method":
			if e.Method, err = l.string(at); err == nil && e.Method == "" {
				err = l.failAt(at, "empty")
			}
		case "url":
			var text string
			text, err = l.string(at)
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
	switch {
	case err != nil:
		return nil, err
	case e.Method == "":
		return nil, errors.New("method: missing")
	case e.URL == nil:
		return nil, errors.New("url: missing")
	case e.Status == 0 && response > 0:
		return nil, l.failAt(response, "response: without a status")
	case e.Status != 0 && response == 0:
		e.Response = unrecorded()
	}
	return e, nil
}

// unrecorded is a message of which nothing is known.
func unrecorded() Message {
	return Message{Header: http.Header{}, HeaderOmitted: true, BodyOmitted: true}
}

func (l *lineReader) message(m, old *Message, at int32) error {
	mediaType, body := "", ""
	err := l.object(at, sideShape, func(name string, at int32) (err error) {
		switch name {
		case "headers":
			m.HeaderOmitted = false
			l.fields = l.fields[:0]
			if err = l.readHeaders(at); err == nil {
				m.Header = l.header(old.Header)
			}
		case "media_type":
			mediaType, err = l.string(at)
		default:
			if body != "" {
				return l.failAt(at, "beside "+body)
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
		return l.failAt(at, "media_type beside headers")
	}
	m.Header.Set("Content-Type", mediaType)
	return nil
}

// body reads the value of a property that holds a body.
func (l *lineReader) body(name string, at int32, old []byte) ([]byte, error) {
	if name == "body_json" {
		n := l.doc.Nodes[at]
		if n.Type == strictjson.String { // and its quotes
			n.Start, n.End = n.Start-1, n.End+1
		}
		return append(old[:0], l.doc.Data[n.Start:n.End]...), nil
	}
	body, err := l.bytes(at, old)
	if err != nil || len(body) == 0 || name == "body" {
		return body, err
	}
	if bytes.ContainsAny(body, "\r\n") { // which the decoder would pass over
		return nil, l.failAt(at, "illegal base64 data: a line break")
	}
	if body, err = decodeBase64(body); err != nil {
		return nil, l.failAt(at, err.Error())
	}
	return body, nil
}

// readHeaders reads the fields of a header: a list of names with values, or an object.
func (l *lineReader) readHeaders(at int32) error {
	add := func(name, value int32) error {
		text, err := l.text(name)
		if err == nil && len(text) == 0 {
			err = l.failAt(at, "a name that is empty")
		}
		if err != nil {
			return err
		}
		known := l.names.at(len(l.fields), text)
		if l.doc.Nodes[value].Type == strictjson.Array && l.doc.Nodes[at].Type == strictjson.Object {
			return l.array(value, func(value int32) error { return l.addField(known, value) })
		}
		return l.addField(known, value)
	}
	if object := l.doc.Nodes[at]; object.Type == strictjson.Object {
		for i := at + 1; i < object.Next; i = l.doc.Nodes[i+1].Next {
			if err := add(i, i+1); err != nil {
				return err
			}
		}
		return nil
	}
	return l.array(at, func(pair int32) error {
		if err := l.expect(strictjson.Array, pair); err != nil {
			return err
		}
		if l.doc.Nodes[pair].Count != 2 {
			return l.failAt(pair, "expected a name and a value")
		}
		return add(pair+1, l.doc.Nodes[pair+1].Next)
	})
}

// status reads a status code, or the 0 for no response.
func (l *lineReader) status(at int32) (int, error) {
	if err := l.expect(strictjson.Number, at); err != nil {
		return 0, err
	}
	n, err := strconv.ParseFloat(string(l.doc.Raw(at)), 64)
	if err != nil || n != math.Trunc(n) || n < 0 || n > 999 {
		return 0, l.failAt(at, "expected an integer from 0 to 999")
	}
	return int(n), nil
}

// WriteNDJSON writes an exchange as one line, which [Read] reads back as the same exchange except for its Source and Size.
// It does not redact: the line holds every credential that the exchange holds. The line is written by one call to w.
//
// The fields of a header are sorted by name, as a [http.Header] has no order of names. A body is written as text if it is
// valid UTF-8, and in base64 otherwise. Characters that do not print are escaped. An exchange that
// cannot be read back is an error, and not written: one with a method that is empty, a status that is none, or anything but
// a body that is not valid UTF-8.
func WriteNDJSON(w io.Writer, ex *Exchange) error {
	url := ex.URL.String()
	if err := checkTarget(ex.Method, url, ex.Status); err != nil {
		return err
	}
	var text []byte
	if buffer, ok := w.(interface{ AvailableBuffer() []byte }); ok {
		text = buffer.AvailableBuffer() // to write it needs no copy
	}
	text = strictjson.AppendString(append(text, `{"method":`...), []byte(ex.Method))
	text = strictjson.AppendString(append(text, `,"url":`...), []byte(url))
	if ex.Answered() {
		text = strconv.AppendInt(append(text, `,"status":`...), int64(ex.Status), 10)
	}
	text, err := ex.Request.appendTo(text, `,"request":`)
	if err != nil {
		return fmt.Errorf("request.%w", err)
	}
	if ex.Answered() {
		if text, err = ex.Response.appendTo(text, `,"response":`); err != nil {
			return fmt.Errorf("response.%w", err)
		}
	}
	_, err = w.Write(printable.Lines(append(text, "}\n"...)))
	return err
}

// checkTarget rejects what cannot be read back.
func checkTarget(method, url string, status int) error {
	switch {
	case method == "":
		return errors.New("method: empty")
	case !utf8.ValidString(method):
		return errors.New("method: not valid UTF-8")
	case !utf8.ValidString(url):
		return errors.New("url: not valid UTF-8")
	case status < 0 || status > 999:
		return fmt.Errorf("status: %d is not an HTTP status", status)
	}
	return nil
}

// appendTo appends a message as the property of a line, or nothing if nothing is known of it.
func (m *Message) appendTo(line []byte, property string) ([]byte, error) {
	text := append(append(line, property...), '{')
	start := len(text)
	if !m.HeaderOmitted {
		var err error
		if text, err = appendFields(append(text, `"headers":[`...), m.Header); err != nil {
			return nil, err
		}
		text = append(text, "],"...)
	} else if mediaType := m.Header.Get("Content-Type"); mediaType != "" {
		if !utf8.ValidString(mediaType) {
			return nil, errors.New("media_type: not valid UTF-8")
		}
		text = append(strictjson.AppendString(append(text, `"media_type":`...), []byte(mediaType)), ',')
	}
	switch {
	case m.BodyOmitted:
	case utf8.Valid(m.Body):
		text = append(strictjson.AppendString(append(text, `"body":`...), m.Body), ',')
	default:
		text = append(base64.StdEncoding.AppendEncode(append(text, `"body_base64":"`...), m.Body), `",`...)
	}
	if len(text) == start {
		return line, nil
	}
	text[len(text)-1] = '}' // instead of the comma
	return text, nil
}

// appendFields appends the fields of a header, sorted by name.
func appendFields(text []byte, header http.Header) ([]byte, error) {
	names, err := sortedNames(header)
	for _, name := range names {
		for _, value := range header[name] {
			if text[len(text)-1] == ']' {
				text = append(text, ',')
			}
			text = strictjson.AppendString(append(text, '['), []byte(name))
			text = append(strictjson.AppendString(append(text, ','), []byte(value)), ']')
		}
	}
	return text, err
}

// sortedNames returns the names of a header. One whose fields cannot be read back is an error.
func sortedNames(header http.Header) ([]string, error) {
	names := slices.AppendSeq(make([]string, 0, len(header)), maps.Keys(header))
	slices.Sort(names)
	for _, name := range names {
		if name == "" || !utf8.ValidString(name) {
			return nil, errors.New("headers: a name that is empty or not valid UTF-8")
		}
		for _, value := range header[name] {
			if !utf8.ValidString(value) {
				return nil, fmt.Errorf("headers: a value of %s is not valid UTF-8", quoted(name))
			}
		}
	}
	return names, nil
}
