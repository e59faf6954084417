package traffic

import (
	"bytes"
)

// View is an exchange in buffers that are used again. All of its slices are valid until the next call with it, and until
// the batch of its record is released. The zero View is ready to use; one View serves one goroutine.
type View struct {
	// Method is the request method, as in [Exchange.Method].
	Method []byte

	// URL is the URL of the request as it was recorded. Where [net/url.Parse] refuses it, [Exchange.URL] is empty.
	URL []byte

	// Status is as in [Exchange.Status].
	Status int

	// Request is the header and body that were sent.
	Request MessageView

	// Response is the header and body that came back. It is empty when there was no answer.
	Response MessageView

	scratch []byte // what had to be decoded lies here
}

// MessageView is a [Message] in buffers that are used again.
type MessageView struct {
	// Fields holds the header fields in recorded order. The pseudo headers of HTTP/2 and HTTP/3 are left out. As in
	// [Message.Header], there may be a Content-Type even if HeaderOmitted is set.
	Fields []Field

	// HeaderOmitted is as in [Message.HeaderOmitted].
	HeaderOmitted bool

	// Body is as in [Message.Body].
	Body []byte

	// BodyOmitted is as in [Message.BodyOmitted].
	BodyOmitted bool
}

// Field is a header field: its name as it was recorded, in any letter case, and its value.
type Field struct{ Name, Value []byte }

// maxView bounds the records that have a view, in bytes, as a view keeps a buffer of that size.
const maxView = 4 << 20

// reset empties the view, and makes room for what will be decoded out of a record of n bytes.
func (v *View) reset(n int) {
	v.Method, v.URL, v.Status = nil, nil, 0
	v.Request = MessageView{Fields: v.Request.Fields[:0]}
	v.Response = MessageView{Fields: v.Response.Fields[:0]}
	// Nothing gets longer by decoding it, and writes go a word at a time.
	if n += wordSize; cap(v.scratch) < n {
		v.scratch = make([]byte, 0, n+n/4)
	}
	v.scratch = v.scratch[:0]
}

// add appends a field, unless it is left out of headers.
func (m *MessageView) add(name, value []byte) {
	if len(name) > 0 && name[0] != ':' {
		m.Fields = append(m.Fields, Field{Name: name, Value: value})
	}
}

// announced is [announced] for fields. It is not sure about a length that is no plain number.
func (m *MessageView) announced() (is, sure bool) {
	for _, f := range m.Fields {
		if len(f.Name) != len(lengthField) || !bytes.EqualFold(f.Name, lengthField) {
			continue
		}
		if len(f.Value) == 0 || len(f.Value) > 18 {
			return false, false
		}
		for _, c := range f.Value {
			if c < '0' || c > '9' {
				return false, false
			}
			is = is || c != '0'
		}
		return is, true
	}
	return false, true
}

var lengthField = []byte("Content-Length")

// base64Body decodes a body, which must be of one piece without blanks.
func (v *View) base64Body(text []byte) ([]byte, bool) {
	enc := base64Encoding(bytes.HasSuffix(text, []byte("=")))
	start := len(v.scratch)
	room := v.scratch[start:cap(v.scratch)]
	if len(room) < enc.DecodedLen(len(text)) {
		return nil, false
	}
	n, err := enc.Decode(room, text)
	if err != nil {
		return nil, false
	}
	v.scratch = v.scratch[:start+n]
	return room[:n:n], true
}
