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

// harReader reads a HAR 1.2 archive (sections "entries", "request", "response", "postData" and "content"). Property names
// are compared by their bytes, and in an entry the last of two properties with one name counts.
type harReader struct {
	*recording
	jsonReader

	req  harRequest
	resp harResponse

	entry, request, response, postData, content, field *shape
	sent, received                                     fieldNames
}

// readHAR reads the archive to its end, so that a file that is cut off, or that has anything after the archive, ends in
// an error even after its last entry was yielded.
func (r *recording) readHAR(file io.Reader) error {
	h := &harReader{
		recording: r,
		entry:     newShape("request", "response"),
		request:   newShape("method", "url", "headers", "postData", "bodySize"),
		response:  newShape("status", "headers", "content", "bodySize"),
		postData:  newShape("mimeType", "text", "encoding", "size", "params", "comment"),
		content:   newShape("mimeType", "text", "encoding", "size", "params", "comment"),
		field:     newShape("name", "value"),
	}
	h.max, h.strings = math.MaxInt64, map[string]string{}
	h.dec = strictjson.NewStreamDecoder(file, r.skipped, maxSize)
	err := h.only("log", func() error { return h.only("entries", h.readEntries) })
	if err == nil {
		err = h.dec.End()
		if fault, ok := errors.AsType[*strictjson.Error](err); ok && errors.As(err, new(strictjson.SyntaxError)) {
			err = failValue(fault.Offset, "data after the end of the archive")
		}
	}
	if err == nil || errors.Is(err, errStopped) || errors.As(err, new(*Error)) {
		return err
	}
	return r.fail(h.placeOf(err))
}

// only consumes an object that must have a property of that name, once. It calls read for its value.
func (h *harReader) only(name string, read func() error) error {
	s := newShape(name)
	s.once = true
	found := false
	err := h.object(s, func(string, int64) error {
		found = true
		return read()
	})
	if err == nil && !found {
		err = failValue(h.dec.Offset(), "no "+name+", so not a HAR file")
	}
	return err
}

// readEntries reads log.entries, and yields an exchange for each.
func (h *harReader) readEntries() error {
	h.dec.RequireUTF8 = true // in an entry, whose texts are passed on
	defer func() { h.dec.RequireUTF8 = false }()
	return h.array(func() error {
		_, err := h.dec.Peek()
		h.start = h.dec.Offset()
		h.max = h.start + maxSize
		var e *Exchange
		if err == nil {
			e, err = h.readEntry()
		}
		h.max = math.MaxInt64
		if err != nil {
			at, cause := h.placeOf(err)
			if errors.Is(cause, errTooLarge) {
				at = h.start
			}
			return h.failEntry(at, cause)
		}
		return h.yieldExchange(e, "#/log/entries/", h.index, h.dec.Offset())
	})
}

type (
	harRequest struct {
		harMessage

		present     bool
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

func (h *harReader) readEntry() (*Exchange, error) {
	h.req, h.resp = harRequest{}, harResponse{}
	req, resp := &h.req, &h.resp
	e := h.pool.get()
	err := h.object(h.entry, func(name string, _ int64) error {
		if name == "request" {
			*req = harRequest{present: true}
			return h.readRequest(req, &e.Request)
		}
		*resp = harResponse{}
		return h.readResponse(resp, &e.Response)
	})
	switch {
	case err != nil:
		return nil, err
	case !req.present:
		return nil, errors.New("request: missing")
	case req.method == "":
		return nil, errors.New("request.method: missing or empty")
	case req.url == "":
		return nil, errors.New("request.url: missing or empty")
	}
	*e = Exchange{Method: req.method, URL: h.urls.parse(req.url, e.URL)}
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

func (h *harReader) readRequest(r *harRequest, old *Message) error {
	return h.object(h.request, func(name string, _ int64) (err error) {
		switch name {
		case "method":
			r.method, err = h.string()
		case "url":
			r.url, err = h.string()
		case "headers":
			err = h.readHeaders(&r.harMessage, &h.sent, old)
		case "postData":
			err = h.readBody(&r.body, h.postData, old)
		case "bodySize":
			r.body.bodySize, err = h.readSize()
		}
		return err
	})
}

func (h *harReader) readResponse(r *harResponse, old *Message) error {
	return h.object(h.response, func(name string, at int64) (err error) {
		switch name {
		case "status":
			var t strictjson.Token
			if t, err = h.dec.Next(); err != nil {
				return err
			}
			if r.status, err = strconv.ParseInt(string(t.Raw), 10, 64); err != nil {
				err = failValue(at, "expected an integer, got "+jsonTypes[t.Kind])
			}
		case "headers":
			err = h.readHeaders(&r.harMessage, &h.received, old)
		case "content":
			err = h.readBody(&r.body, h.content, old)
		case "bodySize":
			r.body.bodySize, err = h.readSize()
		}
		return err
	})
}

func (h *harReader) readBody(b *harBody, s *shape, old *Message) error {
	*b = harBody{bodyHints: bodyHints{bodySize: b.bodySize, body: true}}
	return h.object(s, func(name string, _ int64) (err error) {
		switch name {
		case "mimeType":
			b.mimeType, err = h.string()
		case "text":
			if b.nullText, err = h.skipNull(s); err == nil && !b.nullText {
				b.content, err = h.bytes(old.Body)
			}
			b.text = !b.nullText
		case "encoding":
			b.encoding, err = h.string()
		case "size":
			b.size, err = h.readSize()
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

func (h *harReader) readSize() (bodySize, error) {
	raw, err := h.token('0')
	if err != nil {
		return sizeAbsent, err
	}
	n, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return sizeAbsent, failValue(h.dec.Offset()-int64(len(raw)), "expected a number, got one that is out of range")
	}
	return sizeOf(n), nil
}

func (h *harReader) readHeaders(m *harMessage, names *fieldNames, old *Message) error {
	if _, err := h.token('['); err != nil {
		return err
	}
	h.fields.list = h.fields.list[:0]
	for p := &names.start; ; {
		next, err := h.readField(names, p)
		if err != nil {
			return err
		}
		if p = next; p == nil {
			m.header, m.fields = h.fields.header(old.Header), len(h.fields.list)
			return nil
		}
	}
}

// readField consumes the next field of a header, behind another, or the end of the list; then it returns nil.
func (h *harReader) readField(names *fieldNames, before *place) (*place, error) {
	start := h.dec.Offset()
	p := before.next
	again := p != nil && h.dec.Again(before.between, true)
	if !again {
		if more, err := h.element(); !more {
			return nil, err
		}
		p = &place{passing: true}
	}
	h.fields.list = append(h.fields.list, field{place: p})
	read := func(name string, _ int64) error {
		if name == "name" {
			text, err := h.text()
			p = names.find(text)
			h.fields.list[len(h.fields.list)-1].place = p
			return err
		}
		before.learn(p, h.dec.Since(start))
		return h.value()
	}
	if !again {
		err := h.object(h.field, read)
		return p, err
	}
	null, err := h.skipNull(h.field)
	if err == nil && !null {
		err = h.value()
	}
	if err != nil {
		return nil, within("value", err)
	}
	err = h.properties(h.field, &h.field.places[1], read) // behind the value
	return p, err
}
