package traffic

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// harReader reads a HAR 1.2 archive (sections "entries", "request", "response", "postData" and "content"). Property names
// are compared by their bytes, and in an entry the last of two properties with one name counts.
type harReader struct {
	*recording
	jsonReader

	dec  *strictjson.Decoder
	req  harRequest
	resp harResponse

	local bool // the entry is of a browser that had the response, or made it in a service worker

	sent, received *fieldNames
}

// The properties that are read.
var (
	harEntry     = newShape(false, "request", "response", "_fromCache", "_fetchType")
	harRequests  = newShape(false, "method", "url", "headers", "cookies", "postData", "bodySize")
	harResponses = newShape(false, "status", "headers", "cookies", "content", "bodySize", "_fetchedViaServiceWorker")
	harBodies    = newShape(false, "mimeType", "text", "encoding", "size", "params", "comment", "_file")
	harField     = newShape(false, "name", "value")
)

// readHAR reads the archive to its end, so that a file that is cut off, or that has anything after the archive, ends in
// an error even after its last entry was yielded.
func (r *recording) readHAR(file io.Reader) error {
	h := &harReader{recording: r, jsonReader: newJSONReader(), dec: strictjson.NewStreamDecoder(file, r.skipped, maxSize),
		sent: newFieldNames(), received: newFieldNames()}
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

// open consumes the bracket that an object or array begins with.
func (h *harReader) open(bracket strictjson.Kind) error {
	types := map[strictjson.Kind]strictjson.Type{'{': strictjson.Object, '[': strictjson.Array, '"': strictjson.String, '0': strictjson.Number,
		't': strictjson.Boolean, 'f': strictjson.Boolean, 'n': strictjson.Null}
	token, err := h.dec.Next()
	if err == nil && token.Kind != bracket {
		err = failValue(token.Offset, "expected "+typeNames[types[bracket]]+", got "+typeNames[types[token.Kind]])
	}
	return err
}

// only consumes an object that must have a property of that name, once. It calls read for its value.
func (h *harReader) only(name string, read func() error) error {
	if err := h.open('{'); err != nil {
		return err
	}
	for found := false; ; {
		token, err := h.dec.Next()
		var key string
		switch {
		case err != nil:
			return err
		case token.Kind == '}' && !found:
			return failValue(h.dec.Offset(), "no "+name+", so not a HAR file")
		case token.Kind == '}':
			return nil
		case json.Unmarshal(token.Raw, &key) == nil && key != name:
			err = h.dec.Skip()
		case found:
			if _, err = h.dec.Peek(); err == nil {
				err = within(name, failValue(h.dec.Offset(), "given twice"))
			}
		default:
			found = true
			err = within(name, read())
		}
		if err != nil {
			return err
		}
	}
}

// readEntries reads log.entries, and yields an exchange for each.
func (h *harReader) readEntries() error {
	if err := h.open('['); err != nil {
		return err
	}
	for h.dec.More() {
		var err error
		var e *Exchange
		if h.start, err = h.dec.Parse(&h.doc); err == nil {
			e, err = h.readEntry()
		}
		if err == nil {
			err = h.yieldExchange(e, "#/log/entries/", h.index, h.dec.Offset())
		} else {
			err = h.skipEntry(err)
		}
		if err != nil {
			return err
		}
	}
	_, err := h.dec.Next()
	return err
}

// skipEntry yields an error for an entry that cannot be read, or returns it if nothing behind the entry can be either.
func (h *harReader) skipEntry(err error) error {
	fault := h.failEntry(h.placeOf(err))
	text := h.doc.Data
	switch {
	case errors.Is(err, strictjson.ErrTooLarge):
		text = h.dec.Buffered()
	case errors.As(err, new(*strictjson.Error)) && !errors.Is(err, strictjson.ErrUTF8):
		return fault
	}
	e := &EntryError{Err: fault}
	readTarget(strictjson.NewDecoder(text), "request", e)
	if errors.Is(err, strictjson.ErrTooLarge) {
		if err := h.dec.SkipLarge(); err != nil {
			return h.failEntry(h.placeOf(err))
		}
	}
	return h.yieldUnreadable(e, h.dec.Offset())
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
		header  http.Header // nil where there is no list of fields
		fields  int         // in the list, pseudo headers included
		cookies int32       // the index of the list of cookies; 0 for none
		body    harBody
	}
	// harBody is a postData or a content.
	harBody struct {
		bodyHints

		mimeType, encoding string
		file               string // which has the content
		content            []byte
	}
)

func (h *harReader) readEntry() (*Exchange, error) {
	h.req, h.resp, h.local = harRequest{}, harResponse{}, false
	req, resp := &h.req, &h.resp
	e := h.pool.get()
	err := h.object(0, harEntry, func(name string, at int32) error {
		switch name {
		case "request":
			*req = harRequest{present: true}
			return h.readRequest(req, at, &e.Request)
		case "response":
			*resp = harResponse{}
			return h.readResponse(resp, at, &e.Response)
		case "_fromCache": // of Chrome: "memory" or "disk"
			h.local = h.local || h.doc.Nodes[at].Type == strictjson.String
		case "_fetchType": // of Safari
			h.local = h.local || h.doc.Nodes[at].Type == strictjson.String && string(h.doc.Raw(at)) != "Network Load"
		}
		return nil
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
	if e.Request, err = h.message(&req.harMessage, "Cookie", "request.postData"); err != nil {
		return nil, err
	}
	if len(e.Request.Body) == 0 {
		e.Request.BodyOmitted = e.Request.BodyOmitted || req.body.requestOmitted(e.Method, announced(e.Request.Header))
	}

	// Chrome, Firefox, Safari and mitmproxy write status 0 for a request without a response, Playwright writes -1. Chrome
	// answers some requests itself, such as those for http where HSTS demands https.
	if resp.status <= 0 || resp.status == http.StatusTemporaryRedirect && resp.header["Non-Authoritative-Reason"] != nil {
		return e, nil
	}
	if resp.status > 999 {
		return nil, fmt.Errorf("response.status: %d is not an HTTP status", resp.status)
	}
	e.Status = int(resp.status)
	if e.Response, err = h.message(&resp.harMessage, "Set-Cookie", "response.content"); err != nil {
		return nil, err
	}
	if len(e.Response.Body) == 0 {
		e.Response.BodyOmitted = e.Response.BodyOmitted || resp.body.responseOmitted(e.Method, e.Status, announced(e.Response.Header))
	}
	switch {
	case h.local: // the server got no request, and the response is an earlier one
		e.Request.HeaderOmitted, e.Response.HeaderOmitted = true, true
	case e.Status == http.StatusNotModified: // the body is that of the cache, the header leaves out what it has
		e.Response.HeaderOmitted, e.Response.Body, e.Response.BodyOmitted = true, nil, false
	case e.Status == http.StatusPartialContent: // one part of a body means nothing
		e.Response.Body, e.Response.BodyOmitted = nil, true
	}
	return e, nil
}

// message makes a message with cookies in that field, whose body has that path. A message without any field was not
// recorded, as each has some, such as Host (RFC 9112, section 3.2). Only for such a message is the media type that the
// recorder wrote beside the body taken for its Content-Type, which it is (HAR 1.2, "content"): next to other fields, it may
// be what a browser guessed.
func (h *harReader) message(m *harMessage, cookies, path string) (Message, error) {
	message := Message{Header: m.header, HeaderOmitted: m.fields == 0}
	if m.header == nil {
		message.Header = http.Header{}
	}
	switch {
	case m.fields > 0:
		h.addCookies(m, cookies)
	case m.body.mimeType != "" && m.body.mimeType != unknownType:
		message.Header.Set("Content-Type", m.body.mimeType)
	}
	body, err := m.body.decode(path)
	if m.body.file != "" && len(body) == 0 && err == nil {
		body, m.body.text, err = h.attachment(m.body.file)
		if m.body.text {
			m.body.size = sizeAbsent // the file is all there was
		}
	}
	if err != nil {
		return message, err
	}
	if message.Body, message.BodyOmitted, err = Decode(message.Header["Content-Encoding"], body); err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return message, err
}

// addCookies adds the list of cookies to a header that has none: some recorders write them only there. The attributes of
// those in a response are left out.
func (h *harReader) addCookies(m *harMessage, name string) {
	if m.cookies == 0 || m.header[name] != nil {
		return
	}
	for i, end := m.cookies+1, h.doc.Nodes[m.cookies].Next; i < end; i = h.doc.Nodes[i].Next {
		key, hasName := h.doc.Property(i, "name")
		value, hasValue := h.doc.Property(i, "value")
		if hasName && hasValue && h.doc.Nodes[key].Type == strictjson.String && h.doc.Nodes[value].Type == strictjson.String {
			m.header.Add(name, string(h.doc.Text(key, nil))+"="+string(h.doc.Text(value, nil)))
		}
	}
}

// unknownType is what WebKit and its relatives write for a media type that they do not know.
const unknownType = "x-unknown"

func (h *harReader) readRequest(r *harRequest, at int32, old *Message) error {
	return h.object(at, harRequests, func(name string, at int32) (err error) {
		switch name {
		case "method":
			r.method, err = h.string(at)
		case "url":
			r.url, err = h.string(at)
		case "headers":
			err = h.readHeaders(&r.harMessage, at, h.sent, old)
		case "cookies":
			r.cookies = at
		case "postData":
			err = h.readBody(&r.body, at, old)
		case "bodySize":
			r.body.bodySize, err = h.readSize(at)
		}
		return err
	})
}

func (h *harReader) readResponse(r *harResponse, at int32, old *Message) error {
	return h.object(at, harResponses, func(name string, at int32) (err error) {
		switch name {
		case "status":
			if r.status, err = strconv.ParseInt(string(h.doc.Raw(at)), 10, 64); err != nil || h.doc.Nodes[at].Type != strictjson.Number {
				err = h.failAt(at, "expected an integer, got "+typeNames[h.doc.Nodes[at].Type])
			}
		case "headers":
			err = h.readHeaders(&r.harMessage, at, h.received, old)
		case "cookies":
			r.cookies = at
		case "_fetchedViaServiceWorker":
			h.local = h.local || string(h.doc.Raw(at)) == "true"
		case "content":
			err = h.readBody(&r.body, at, old)
		case "bodySize":
			r.body.bodySize, err = h.readSize(at)
		}
		return err
	})
}

func (h *harReader) readBody(b *harBody, at int32, old *Message) error {
	*b = harBody{bodyHints: bodyHints{bodySize: b.bodySize, body: true}}
	return h.object(at, harBodies, func(name string, at int32) (err error) {
		switch name {
		case "mimeType":
			b.mimeType, err = h.string(at)
		case "text":
			if b.nullText = h.doc.Nodes[at].Type == strictjson.Null; !b.nullText {
				b.content, err = h.bytes(at, old.Body)
			}
			b.text = !b.nullText
		case "encoding":
			b.encoding, err = h.string(at)
		case "size":
			b.size, err = h.readSize(at)
		case "params":
			b.params = h.doc.Nodes[at].Count > 0
			err = h.expect(strictjson.Array, at)
		case "comment":
			var comment []byte
			comment, err = h.text(at)
			b.comment = len(comment) > 0
		case "_file":
			b.file, err = h.string(at)
		}
		return err
	})
}

// isField reports whether an object is a field as all recorders write it, which is faster to read.
func (h *harReader) isField(at int32) bool {
	return h.doc.Nodes[at].Type == strictjson.Object && h.doc.Nodes[at].Count == 2 && string(h.doc.Raw(at+1)) == "name" &&
		h.doc.Nodes[at+2].Type == strictjson.String && !h.doc.Nodes[at+2].Escaped && string(h.doc.Raw(at+3)) == "value" &&
		h.doc.Nodes[at+4].Type == strictjson.String
}

func (h *harReader) readSize(at int32) (bodySize, error) {
	if err := h.expect(strictjson.Number, at); err != nil {
		return sizeAbsent, err
	}
	n, err := strconv.ParseFloat(string(h.doc.Raw(at)), 64)
	if err != nil {
		return sizeAbsent, h.failAt(at, "expected a number, got one that is out of range")
	}
	return sizeOf(n), nil
}

func (h *harReader) readHeaders(m *harMessage, at int32, names *fieldNames, old *Message) error {
	h.fields = h.fields[:0]
	err := h.array(at, func(at int32) error {
		if h.isField(at) {
			return within("value", h.addField(names.at(len(h.fields), h.doc.Raw(at+2)), at+4))
		}
		var name []byte
		var value int32 // 0 for none
		err := h.object(at, harField, func(property string, at int32) (err error) {
			if property == "name" {
				name, err = h.text(at)
				return err
			}
			value = at
			return h.expect(strictjson.String, at)
		})
		if err != nil {
			return err
		}
		return h.addField(names.at(len(h.fields), name), value)
	})
	m.header, m.fields = h.header(old.Header), len(h.fields)
	return err
}
