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

	req  harRequest
	resp harResponse

	shapes struct{ entry, request, response, postData, content shape }
	sent   fieldNames // of requests
	got    fieldNames // of responses
}

// readHAR reads the archive to its end, so that a file that is cut off, or that has anything after the archive, ends in
// an error even after its last entry was yielded.
func (r *recording) readHAR(file io.Reader) error {
	h := &harReader{recording: r}
	h.shapes.entry = newShape("request", "response")
	h.shapes.request = newShape("method", "url", "headers", "postData", "bodySize")
	h.shapes.response = newShape("status", "headers", "content", "bodySize")
	h.shapes.postData = newShape("mimeType", "text", "encoding", "size", "params", "comment")
	h.shapes.content = newShape("mimeType", "text", "encoding", "size", "params", "comment")
	h.max = math.MaxInt64
	h.dec = strictjson.NewStreamDecoder(file, r.skipped, maxSize)
	err := h.only("log", func() error { return h.only("entries", h.entries) })
	if err == nil {
		err = h.dec.End()
		if fault, ok := errors.AsType[*strictjson.Error](err); ok && errors.As(err, new(strictjson.SyntaxError)) {
			err = failValue(fault.Offset, "data after the end of the archive")
		}
	}
	if err == nil || errors.Is(err, errStopped) || r.ctx.Err() != nil || errors.As(err, new(*Error)) {
		return err
	}
	at, cause := h.placeOf(err)
	return r.fail(at, cause)
}

// only consumes an object that must have a property of that name, once. It calls read for its value.
func (h *harReader) only(name string, read func() error) error {
	if _, err := h.token('{'); err != nil {
		return err
	}
	for found := false; ; {
		i, _, more, err := h.next([]string{name})
		switch {
		case err != nil:
			return err
		case !more && !found:
			return failValue(h.dec.Offset(), "no "+name+", so not a HAR file")
		case !more:
			return nil
		case i < 0:
			if err := h.dec.Skip(); err != nil {
				return err
			}
			continue
		case found:
			_, _ = h.dec.Peek() // where the value is
			err = failValue(h.dec.Offset(), "given twice")
		default:
			found = true
			err = read()
		}
		if err != nil {
			return within(name, err)
		}
	}
}

// entries reads log.entries, and yields an exchange for each.
func (h *harReader) entries() error {
	if _, err := h.token('['); err != nil {
		return err
	}
	h.dec.RequireUTF8 = true // in an entry, whose texts are passed on
	defer func() { h.dec.RequireUTF8 = false }()
	for {
		if more, err := h.element(); !more {
			return err
		}
		_, err := h.dec.Peek()
		h.start = h.dec.Offset()
		h.max = h.start + maxSize
		var e *Exchange
		if err == nil {
			e, err = h.exchange()
		}
		h.max = math.MaxInt64
		if err != nil {
			at, cause := h.placeOf(err)
			if errors.Is(cause, errTooLarge) {
				at = h.start
			}
			return h.failEntry(at, cause)
		}
		if err := h.yieldExchange(e, "#/log/entries/", h.entry, h.dec.Offset()); err != nil {
			return err
		}
	}
}

// shape is the properties of a kind of object that are read.
type shape struct {
	names  []string
	places []place // of these names
	start  place   // before the first property
}

func newShape(names ...string) shape {
	s := shape{names: names, places: make([]place, len(names))}
	for i, name := range names {
		s.places[i].name = name
	}
	return s
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

// exchange reads an entry.
func (h *harReader) exchange() (*Exchange, error) {
	err := h.messages()
	req, resp := &h.req, &h.resp
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
	e := &Exchange{Method: req.method, URL: h.urls.parse(req.url)}
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

// messages reads the request and the response of an entry.
func (h *harReader) messages() error {
	h.req, h.resp = harRequest{}, harResponse{}
	return h.properties(&h.shapes.entry, func(name string) error {
		if name == "request" {
			h.req = harRequest{present: true}
			return h.request(&h.req)
		}
		h.resp = harResponse{}
		return h.response(&h.resp)
	})
}

func (h *harReader) request(r *harRequest) error {
	return h.properties(&h.shapes.request, func(name string) (err error) {
		switch name {
		case "method":
			r.method, err = h.string()
		case "url":
			r.url, err = h.string()
		case "headers":
			err = h.headers(&r.harMessage, &h.sent)
		case "postData":
			err = h.body(&r.body, &h.shapes.postData)
		case "bodySize":
			r.body.bodySize, err = h.size()
		}
		return err
	})
}

func (h *harReader) response(r *harResponse) error {
	return h.properties(&h.shapes.response, func(name string) (err error) {
		switch name {
		case "status":
			r.status, err = h.status()
		case "headers":
			err = h.headers(&r.harMessage, &h.got)
		case "content":
			err = h.body(&r.body, &h.shapes.content)
		case "bodySize":
			r.body.bodySize, err = h.size()
		}
		return err
	})
}

func (h *harReader) status() (int64, error) {
	t, err := h.dec.Next()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(string(t.Raw), 10, 64)
	if err != nil {
		return 0, failValue(t.Offset, "expected an integer, got "+jsonTypes[t.Kind])
	}
	return n, nil
}

func (h *harReader) body(b *harBody, s *shape) error {
	*b = harBody{bodyHints: bodyHints{bodySize: b.bodySize, body: true}}
	return h.properties(s, func(name string) (err error) {
		switch name {
		case "mimeType":
			b.mimeType, err = h.string()
		case "text":
			if b.nullText, err = h.skipNull(); err == nil && !b.nullText {
				b.content, err = h.bytes()
			}
			b.text = !b.nullText
		case "encoding":
			b.encoding, err = h.string()
		case "size":
			b.size, err = h.size()
		case "params":
			b.params, err = h.notEmpty()
		case "comment":
			var comment []byte
			comment, err = h.text()
			b.comment = len(comment) > 0
		}
		return err
	})
}

// notEmpty consumes an array, and reports whether it has elements.
func (h *harReader) notEmpty() (some bool, err error) {
	if _, err := h.token('['); err != nil {
		return false, err
	}
	for {
		more, err := h.element()
		if err == nil && more {
			some, err = true, h.dec.Skip()
		}
		if err != nil || !more {
			return some, err
		}
	}
}

func (h *harReader) size() (bodySize, error) {
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

func (h *harReader) headers(m *harMessage, names *fieldNames) error {
	if _, err := h.token('['); err != nil {
		return err
	}
	h.fields.reset()
	for p := &names.start; ; {
		next, err := h.field(names, p)
		if err != nil {
			return err
		}
		if p = next; p == nil {
			m.header, m.fields = h.fields.header(), len(h.fields.names)
			return nil
		}
	}
}

var harFieldNames = []string{"name", "value"}

// field consumes the next field of a header, behind another, or the end of the list; then it returns nil.
func (h *harReader) field(names *fieldNames, before *place) (*place, error) {
	start := h.dec.Offset()
	p := before.next
	known := p != nil && h.dec.Again(before.between, true)
	if !known {
		if more, err := h.element(); !more {
			return nil, err
		}
		p = &place{passing: true}
	}
	h.fields.begin(p.name)
	if !known {
		if null, err := h.skipNull(); null || err != nil {
			return p, err
		}
		if _, err := h.token('{'); err != nil {
			return nil, err
		}
	}
	for i := 1; ; known = false {
		if !known {
			var more bool
			var err error
			if i, _, more, err = h.next(harFieldNames); err != nil || !more {
				return p, err
			}
		}
		null, err := h.skipNull()
		switch {
		case err != nil:
			return nil, err
		case null:
		case i < 0:
			err = h.dec.Skip()
		case i == 0:
			var name []byte
			name, err = h.text()
			p = names.find(name)
			h.fields.rename(p)
		default:
			if !known {
				before.learn(p, h.dec.Since(start))
			}
			err = h.value()
		}
		if err != nil {
			return nil, within(harFieldNames[max(i, 0)], err)
		}
	}
}

// properties consumes an object or null. It calls read for the value of each property that the shape has and that is not
// null, and for a text that is.
func (h *harReader) properties(s *shape, read func(name string) error) error {
	if null, err := h.skipNull(); null || err != nil {
		return err
	}
	if _, err := h.token('{'); err != nil {
		return err
	}
	for p := &s.start; ; {
		next, err := h.property(s, p)
		if err != nil || next == nil {
			return err
		}
		if err := read(next.name); err != nil {
			return within(next.name, err)
		}
		if h.dec.Offset() > h.max {
			return strictjson.ErrTooLarge
		}
		p = next
	}
}

// property consumes the object up to the value of the next such property, or up to its end; then it returns nil.
func (h *harReader) property(s *shape, before *place) (*place, error) {
	start := h.dec.Offset()
	if p := before.next; p != nil && h.dec.Again(before.between, false) {
		kind, err := h.dec.Peek()
		switch {
		case err != nil:
			return nil, err
		case kind != 'n' || p.name == "text":
			return p, nil
		}
		if err := h.dec.Skip(); err != nil {
			return nil, err
		}
	}
	for {
		i, _, more, err := h.next(s.names)
		if err != nil || !more {
			return nil, err
		}
		kind, err := h.dec.Peek()
		if err != nil {
			return nil, err
		}
		if i >= 0 && (kind != 'n' || s.names[i] == "text") {
			p := &s.places[i]
			before.learn(p, h.dec.Since(start))
			return p, nil
		}
		if err := h.dec.Skip(); err != nil {
			return nil, err
		}
	}
}

// skipNull consumes a null, if that is what is next.
func (h *harReader) skipNull() (bool, error) {
	kind, err := h.dec.Peek()
	if err != nil || kind != 'n' {
		return false, err
	}
	return true, h.dec.Skip()
}
