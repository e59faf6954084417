package traffic

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

// harReader reads a HAR 1.2 archive. Property names are compared by their bytes, and in an entry the last of two
// properties with one name counts. A null is taken as an absent property.
type harReader struct {
	*recording
	jsonReader
}

// readHAR reads the archive to its end, so that a file that is cut off, or that has anything after the archive, ends in
// an error even after its last entry was yielded.
func (r *recording) readHAR(file io.Reader) error {
	h := &harReader{recording: r}
	h.max = math.MaxInt64
	h.dec = strictjson.NewStreamDecoder(file, r.skipped, maxSize)
	err := h.archive()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errStopped), r.ctx.Err() != nil, errors.As(err, new(*Error)):
		return err
	}
	at, cause := h.placeOf(err)
	return r.fail(at, cause)
}

// archive reads the archive up to the end of the file.
func (h *harReader) archive() error {
	logs, lists := 0, 0
	// only consumes a value, and calls read for one of that name, which may come once.
	only := func(name string, count *int, read func() error) error {
		if name == "" {
			return h.dec.Skip()
		}
		if *count++; *count > 1 {
			_, _ = h.dec.Peek() // an error is the same when the value is read
			return failValue(h.dec.Offset(), "given twice")
		}
		return read()
	}
	err := h.object([]string{"log"}, func(name string, _ []byte) error {
		return only(name, &logs, func() error {
			return h.object([]string{"entries"}, func(name string, _ []byte) error {
				return only(name, &lists, h.entries)
			})
		})
	})
	switch {
	case err != nil:
		return err
	case lists == 0:
		return failValue(h.dec.Offset(), "no log.entries, so not a HAR file")
	}
	err = h.dec.End()
	if fault, ok := errors.AsType[*strictjson.Error](err); ok && errors.As(err, new(strictjson.SyntaxError)) {
		return failValue(fault.Offset, "data after the end of the archive")
	}
	return err
}

// entries reads log.entries, and yields an exchange for each.
func (h *harReader) entries() error {
	h.dec.RequireUTF8 = true // in an entry, whose texts are passed on
	defer func() { h.dec.RequireUTF8, h.max = false, math.MaxInt64 }()
	return h.array(func() error {
		_, err := h.dec.Peek()
		h.start = h.dec.Offset()
		h.max = h.start + maxSize
		var e *Exchange
		if err == nil {
			e, err = h.exchange()
		}
		if err != nil {
			at, cause := h.placeOf(err)
			if errors.Is(cause, errTooLarge) {
				at = h.start
			}
			return h.failEntry(at, cause)
		}
		h.max = math.MaxInt64
		return h.yieldExchange(e, "#/log/entries/", h.entry, h.dec.Offset())
	})
}

// The properties that are read (HAR 1.2, "entries", "request", "response", "postData", "content").
var (
	harEntryNames    = []string{"request", "response"}
	harRequestNames  = []string{"method", "url", "headers", "postData", "bodySize"}
	harResponseNames = []string{"status", "headers", "content", "bodySize"}
	harFieldNames    = []string{"name", "value"}
	harBodyNames     = []string{"mimeType", "text", "encoding", "size", "params", "comment"}
)

type (
	harRequest struct {
		harMessage

		method, url string
	}
	harResponse struct {
		harMessage

		status int64
	}
	// harMessage is what a request and a response have in common.
	harMessage struct {
		header http.Header // nil where there is no list of fields
		fields int         // in the list, pseudo headers included
		body   harBody
	}
	// harBody is a postData or a content.
	harBody struct {
		bodyHints

		mimeType, encoding string
		content            []byte
	}
)

// exchange reads an entry.
func (h *harReader) exchange() (*Exchange, error) {
	var req *harRequest
	var resp harResponse
	err := h.properties(harEntryNames, func(name string) error {
		if name == "response" {
			resp = harResponse{}
			return h.response(&resp)
		}
		req = new(harRequest)
		return h.request(req)
	})
	switch {
	case err != nil:
		return nil, err
	case req == nil:
		return nil, errors.New("request: missing")
	case req.method == "":
		return nil, errors.New("request.method: missing or empty")
	case req.url == "":
		return nil, errors.New("request.url: missing or empty")
	}
	e := &Exchange{Method: req.method, URL: parseURL(req.url)}
	if e.Request, err = req.message("request.postData"); err != nil {
		return nil, err
	}
	if len(e.Request.Body) == 0 {
		e.Request.BodyOmitted = req.body.requestOmitted(e.Method, announced(e.Request.Header))
	}

	// Chrome, Firefox, Safari and mitmproxy write status 0 for a request without a response, Playwright writes -1.
	if resp.status <= 0 {
		return e, nil
	}
	if resp.status > 999 {
		return nil, fmt.Errorf("response.status: %d is not an HTTP status", resp.status)
	}
	e.Status = int(resp.status)
	if e.Response, err = resp.message("response.content"); err != nil {
		return nil, err
	}
	if len(e.Response.Body) == 0 {
		e.Response.BodyOmitted = resp.body.responseOmitted(e.Method, e.Status, announced(e.Response.Header))
	}
	return e, nil
}

// message makes a message, whose body has that path. Only for a message with no fields at all is the media type that the
// recorder wrote beside the body taken for its Content-Type, which it is (HAR 1.2, "content"): next to other fields, it
// may be what a browser guessed.
func (m *harMessage) message(path string) (Message, error) {
	message := Message{Header: m.header, HeaderOmitted: m.header == nil}
	if m.header == nil {
		message.Header = http.Header{}
	}
	if m.fields == 0 && m.body.mimeType != "" && m.body.mimeType != unknownType {
		message.Header.Set("Content-Type", m.body.mimeType)
	}
	var err error
	message.Body, err = m.body.decode(path)
	return message, err
}

// unknownType is what WebKit and its relatives write for a media type that they do not know.
const unknownType = "x-unknown"

func (h *harReader) request(r *harRequest) error {
	return h.properties(harRequestNames, func(name string) (err error) {
		switch name {
		case "method":
			r.method, err = h.string()
		case "url":
			r.url, err = h.string()
		case "headers":
			err = h.headers(&r.harMessage)
		case "postData":
			err = h.body(&r.body)
		case "bodySize":
			r.body.bodySize, err = h.size()
		}
		return err
	})
}

func (h *harReader) response(r *harResponse) error {
	return h.properties(harResponseNames, func(name string) (err error) {
		switch name {
		case "status":
			t, err := h.dec.Next()
			if err != nil {
				return err
			}
			if r.status, err = strconv.ParseInt(string(t.Raw), 10, 64); err != nil {
				return failValue(t.Offset, "expected an integer, got "+jsonTypes[t.Kind])
			}
		case "headers":
			err = h.headers(&r.harMessage)
		case "content":
			err = h.body(&r.body)
		case "bodySize":
			r.body.bodySize, err = h.size()
		}
		return err
	})
}

func (h *harReader) headers(m *harMessage) error {
	f := &h.fields
	f.reset()
	err := h.array(func() error {
		f.begin()
		return h.properties(harFieldNames, func(name string) error {
			t, err := h.token('"')
			switch {
			case err != nil:
			case name == "name":
				f.setName(strictjson.Unquote(t.Raw))
			default:
				f.setValue(t.Raw)
			}
			return err
		})
	})
	m.header, m.fields = f.header(), len(f.names)
	return err
}

func (h *harReader) body(b *harBody) error {
	*b = harBody{bodyHints: bodyHints{bodySize: b.bodySize, body: true}}
	return h.properties(harBodyNames, func(name string) (err error) {
		switch name {
		case "mimeType":
			b.mimeType, err = h.string()
		case "text":
			if b.nullText, err = h.skipNull(); b.nullText || err != nil {
				b.text, b.content = false, nil
				return err
			}
			b.text = true
			b.content, err = h.bytes()
		case "encoding":
			b.encoding, err = h.string()
		case "size":
			b.size, err = h.size()
		case "params":
			b.params = false
			err = h.array(func() error {
				b.params = true
				return h.dec.Skip()
			})
		case "comment":
			var comment []byte
			comment, err = h.text()
			b.comment = len(comment) > 0
		}
		return err
	})
}

func (h *harReader) size() (bodySize, error) {
	t, err := h.token('0')
	if err != nil {
		return sizeAbsent, err
	}
	n, err := strconv.ParseFloat(string(t.Raw), 64)
	if err != nil {
		return sizeAbsent, failValue(t.Offset, "expected a number, got one that is out of range")
	}
	return sizeOf(n), nil
}

// properties consumes an object or null. It calls property for each property of these names that is not null, and for a
// text that is.
func (h *harReader) properties(names []string, property func(name string) error) error {
	if null, err := h.skipNull(); null || err != nil {
		return err
	}
	return h.object(names, func(name string, _ []byte) error {
		if name == "" {
			return h.dec.Skip()
		}
		if name != "text" {
			if null, err := h.skipNull(); null || err != nil {
				return err
			}
		}
		return property(name)
	})
}

// skipNull consumes a null, if that is what is next.
func (h *harReader) skipNull() (bool, error) {
	kind, err := h.dec.Peek()
	if err != nil || kind != 'n' {
		return false, err
	}
	return true, h.dec.Skip()
}
