package traffic

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// File is a file that a [Writer] writes to, such as an [*os.File].
type File interface {
	io.WriterAt
	io.Closer
	Truncate(size int64) error
}

// Writer writes a recording. The file is complete after each exchange, so that a process can be killed at any time: at most
// the exchange that was being written is cut off. It is not safe for concurrent use.
type Writer struct {
	file  File
	name  string
	isHAR bool
	tail  string // of a HAR file, after its last entry; the next entry overwrites it
	end   int64  // of the last exchange
	count int
}

// Create creates or truncates a recording that other users cannot read: a HAR file if its name ends in .har, and else
// NDJSON.
func Create(path string) (*Writer, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	return NewWriter(f, path)
}

// NewWriter returns a writer to an empty file, in the format of [Create]. An error closes the file.
func NewWriter(f File, name string) (*Writer, error) {
	w := &Writer{file: f, name: name, isHAR: strings.EqualFold(filepath.Ext(name), ".har")}
	if !w.isHAR {
		return w, nil
	}
	const head = `{"log":{"version":"1.2","creator":{"name":"fleetio-go","version":"1"},"entries":[`
	w.tail = "\n]}}\n"
	if _, err := f.WriteAt([]byte(head+w.tail), 0); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	w.end = int64(len(head))
	return w, nil
}

// Write writes an exchange by one call to the file, and returns its Source in the recording. It does not redact. After an
// error, the exchange is not in the recording.
func (w *Writer) Write(ex *Exchange) (source string, err error) {
	var text bytes.Buffer
	source = fmt.Sprintf("%s#L%d", w.name, w.count+1)
	if w.isHAR {
		source = fmt.Sprintf("%s#/log/entries/%d", w.name, w.count)
		err = writeEntry(&text, ex, w.count > 0)
	} else {
		err = WriteNDJSON(&text, ex)
	}
	if err != nil {
		return "", err
	}
	end := w.end + int64(text.Len())
	text.WriteString(w.tail)
	if _, err := w.file.WriteAt(text.Bytes(), w.end); err != nil {
		// Remove what was written of it. The tail was there before, so that it also fits on a full disk.
		_, restored := w.file.WriteAt([]byte(w.tail), w.end)
		return "", errors.Join(err, restored, w.file.Truncate(w.end+int64(len(w.tail))))
	}
	w.end, w.count = end, w.count+1
	return source, nil
}

// Close closes the file.
func (w *Writer) Close() error { return w.file.Close() }

// The properties of an entry (HAR 1.2), which must all be present except the body of a request and the text of a response.
type (
	entryText struct {
		Started  string       `json:"startedDateTime"`
		Time     int          `json:"time"`
		Request  requestText  `json:"request"`
		Response responseText `json:"response"`
		Cache    struct{}     `json:"cache"`
		Timings  struct {
			Send    int `json:"send"`
			Wait    int `json:"wait"`
			Receive int `json:"receive"`
		} `json:"timings"`
	}
	requestText struct {
		messageText

		Method string      `json:"method"`
		URL    string      `json:"url"`
		Query  []fieldText `json:"queryString"`
		Body   *bodyText   `json:"postData,omitempty"`
	}
	responseText struct {
		messageText

		Status      int      `json:"status"`
		StatusText  string   `json:"statusText"`
		Content     bodyText `json:"content"`
		RedirectURL string   `json:"redirectURL"`
	}
	messageText struct {
		Version    string      `json:"httpVersion"`
		Cookies    []struct{}  `json:"cookies"` // they are in the headers
		Headers    []fieldText `json:"headers"`
		HeaderSize int         `json:"headersSize"` // -1 is unknown
		BodySize   int         `json:"bodySize"`
	}
	bodyText struct {
		Size     int     `json:"size"`
		Type     string  `json:"mimeType"`
		Text     *string `json:"text,omitempty"`
		Encoding string  `json:"encoding,omitempty"`
		Comment  string  `json:"comment,omitempty"`
	}
	fieldText struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
)

// writeEntry writes an exchange as an entry of a HAR file. An exchange has no time: the entry has that of the writing.
func writeEntry(text *bytes.Buffer, ex *Exchange, hasPrevious bool) error {
	if err := checkTarget(ex.Method, ex.URL.String(), ex.Status); err != nil {
		return err
	}
	request, content, err := messageTexts(&ex.Request)
	if err != nil {
		return fmt.Errorf("request.%w", err)
	}
	response, received, err := messageTexts(&ex.Response)
	if err != nil {
		return fmt.Errorf("response.%w", err)
	}
	query, err := fieldTexts(http.Header(ex.URL.Query()))
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	e := entryText{Started: time.Now().UTC().Format(time.RFC3339Nano),
		Request: requestText{Method: ex.Method, URL: ex.URL.String(), messageText: request, Query: query},
		Response: responseText{Status: ex.Status, StatusText: http.StatusText(ex.Status), messageText: response, Content: received,
			RedirectURL: ex.Response.Header.Get("Location")}}
	if len(ex.Request.Body) > 0 || ex.Request.BodyOmitted {
		e.Request.Body = &content
	}
	if hasPrevious {
		text.WriteString(",")
	}
	text.WriteString("\n")
	var entry bytes.Buffer
	enc := json.NewEncoder(&entry)
	enc.SetEscapeHTML(false)
	err = enc.Encode(e)
	text.Write(bytes.TrimSuffix(printable.Lines(entry.Bytes()), []byte("\n")))
	return err
}

// messageTexts returns a message and its body.
func messageTexts(m *Message) (messageText, bodyText, error) {
	headers, err := fieldTexts(m.Header)
	if m.HeaderOmitted {
		headers = []fieldText{}
	}
	size := len(m.Body)
	body := bodyText{Size: size, Type: m.Header.Get("Content-Type")}
	switch text := string(m.Body); {
	case m.BodyOmitted:
		size, body.Size, body.Comment = -1, -1, "not recorded"
	case utf8.ValidString(text):
		body.Text = &text
	default:
		text = base64.StdEncoding.EncodeToString(m.Body)
		body.Text, body.Encoding = &text, "base64"
	}
	return messageText{Version: "unknown", Cookies: []struct{}{}, Headers: headers, HeaderSize: -1, BodySize: size}, body, err
}

func fieldTexts(header http.Header) ([]fieldText, error) {
	names, err := sortedNames(header)
	fields := []fieldText{}
	for _, name := range names {
		for _, value := range header[name] {
			fields = append(fields, fieldText{name, value})
		}
	}
	return fields, err
}
