package traffic

import "unicode/utf8"

// harFacts is what an entry says of a message, besides what a view of it holds.
type harFacts struct {
	bodyHints

	fields   int    // in the list of headers, those that are left out of a view too
	mimeType []byte // written beside the body
	raw      []byte // the text of the body, perhaps encoded
	encoded  bool   // by base64
}

// readHAR fills the view from an entry. It refuses all that parseHAREntry refuses or might see in another way.
func (v *View) readHAR(entry []byte) bool {
	if len(entry) > maxView || !utf8.Valid(entry) {
		return false
	}
	v.reset(len(entry))
	c := cursor{b: entry, scratch: v.scratch}
	var request, response harFacts
	var seen uint
	c.enter('{')
	for c.more('}') {
		switch name := c.name(); string(name) {
		case "request":
			c.once(&seen, 0)
			v.harRequest(&c, &request)
		case "response":
			c.once(&seen, 1)
			v.harResponse(&c, &response)
		default:
			c.skip()
		}
	}
	v.scratch = c.scratch
	if c.bad || c.i != len(entry) || len(v.Method) == 0 || len(v.Method) > 32 || len(v.URL) == 0 || v.Status > 999 {
		return false
	}
	if !v.harBody(&v.Request, &request) {
		return false
	}
	if len(v.Request.Body) == 0 {
		announced, sure := v.Request.announced()
		if !sure {
			return false
		}
		v.Request.BodyOmitted = request.requestOmitted(string(v.Method), announced)
	}
	if v.Status <= 0 {
		v.Status, v.Response = 0, MessageView{Fields: v.Response.Fields[:0]}
		return true
	}
	if !v.harBody(&v.Response, &response) {
		return false
	}
	if len(v.Response.Body) == 0 {
		announced, sure := v.Response.announced()
		if !sure {
			return false
		}
		v.Response.BodyOmitted = response.responseOmitted(string(v.Method), v.Status, announced)
	}
	return true
}

func (v *View) harRequest(c *cursor, f *harFacts) {
	v.Request.HeaderOmitted = true
	var seen uint
	c.enter('{')
	for c.more('}') {
		switch name := c.name(); string(name) {
		case "method":
			c.once(&seen, 0)
			v.Method = c.text()
		case "url":
			c.once(&seen, 1)
			v.URL = c.text()
		case "headers":
			c.once(&seen, 2)
			f.fields = v.Request.harHeaders(c)
		case "postData":
			c.once(&seen, 3)
			f.read(c)
		case "bodySize":
			c.once(&seen, 4)
			f.bodySize = sizeOf(c.integer())
		default:
			c.skip()
		}
	}
}

func (v *View) harResponse(c *cursor, f *harFacts) {
	v.Response.HeaderOmitted = true
	var seen uint
	c.enter('{')
	for c.more('}') {
		switch name := c.name(); string(name) {
		case "status":
			c.once(&seen, 0)
			v.Status = c.integer()
		case "headers":
			c.once(&seen, 1)
			f.fields = v.Response.harHeaders(c)
		case "content":
			c.once(&seen, 2)
			f.read(c)
		case "bodySize":
			c.once(&seen, 3)
			f.bodySize = sizeOf(c.integer())
		default:
			c.skip()
		}
	}
}

// harHeaders reads a list of headers, and returns how many there are.
func (m *MessageView) harHeaders(c *cursor) (n int) {
	m.HeaderOmitted = false
	c.enter('[')
	for c.more(']') {
		n++
		var name, value []byte
		var seen uint
		c.enter('{')
		for c.more('}') {
			switch member := c.name(); string(member) {
			case "name":
				c.once(&seen, 0)
				name = c.text()
			case "value":
				c.once(&seen, 1)
				value = c.text()
			default:
				c.skip()
			}
		}
		m.add(name, value)
	}
	return n
}

// read reads a postData or a content.
func (f *harFacts) read(c *cursor) {
	f.body = true
	var seen uint
	c.enter('{')
	for c.more('}') {
		switch name := c.name(); string(name) {
		case "mimeType":
			c.once(&seen, 0)
			f.mimeType = c.text()
		case "text":
			c.once(&seen, 1)
			f.text = true
			f.raw = c.text()
		case "encoding":
			c.once(&seen, 2)
			encoding := c.plain()
			f.encoded = len(encoding) > 0
			c.bad = c.bad || f.encoded && string(encoding) != "base64"
		case "size":
			c.once(&seen, 3)
			f.size = sizeOf(c.integer())
		case "params":
			c.once(&seen, 4)
			c.enter('[')
			for c.more(']') {
				f.params = true
				c.skip()
			}
		case "comment":
			c.once(&seen, 5)
			f.comment = len(c.text()) > 0
		default:
			c.skip()
		}
	}
}

// harBody sets the body of a message, and the media type beside it as harHeaders does.
func (v *View) harBody(m *MessageView, f *harFacts) bool {
	if f.fields == 0 && len(f.mimeType) > 0 && string(f.mimeType) != unknownType {
		m.Fields = append(m.Fields, Field{Name: typeField, Value: f.mimeType})
	}
	m.Body = f.raw
	if !f.encoded || len(f.raw) == 0 {
		return true
	}
	var ok bool
	m.Body, ok = v.base64Body(f.raw)
	return ok
}

var typeField = []byte("Content-Type")
