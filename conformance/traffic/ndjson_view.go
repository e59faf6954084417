package traffic

import (
	"bytes"
	"unicode/utf8"
)

// readLine fills the view from a line. It refuses all that parseLine refuses or might see in another way.
func (v *View) readLine(line []byte) bool {
	if len(line) > maxView || !utf8.Valid(line) {
		return false
	}
	v.reset(len(line))
	v.Request.HeaderOmitted, v.Request.BodyOmitted = true, true
	c := cursor{b: line, scratch: v.scratch}
	var request, response lineFacts
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
		case "status":
			c.once(&seen, 2)
			v.Status = c.integer()
		case "request":
			c.once(&seen, 3)
			request.read(&c, &v.Request)
		case "response":
			c.once(&seen, 4)
			response.read(&c, &v.Response)
		default:
			c.reserved(name)
		}
	}
	v.scratch = c.scratch
	c.next()
	if c.bad || c.i != len(line) || len(v.Method) == 0 || len(v.URL) == 0 || v.Status < 0 || v.Status > 999 {
		return false
	}
	answered := v.Status > 0
	if response.there && !answered {
		return false
	}
	if answered && !response.there {
		v.Response.HeaderOmitted, v.Response.BodyOmitted = true, true
	}
	return v.lineBody(&v.Request, &request) && v.lineBody(&v.Response, &response)
}

// lineFacts is what a line says of a message, besides what a view of it holds.
type lineFacts struct {
	there  bool
	base64 []byte // of the body
}

func (f *lineFacts) read(c *cursor, m *MessageView) {
	f.there = true
	m.HeaderOmitted, m.BodyOmitted = true, true
	var mediaType []byte
	var seen uint
	c.enter('{')
	for c.more('}') {
		switch name := c.name(); string(name) {
		case "headers":
			c.once(&seen, 0)
			m.HeaderOmitted = false
			m.lineHeaders(c)
		case "media_type":
			c.once(&seen, 1)
			mediaType = c.text()
		case "body":
			c.once(&seen, 2)
			m.Body, m.BodyOmitted = c.text(), false
		case "body_base64":
			c.once(&seen, 2)
			f.base64, m.BodyOmitted = c.text(), false
		case "body_json":
			c.once(&seen, 2)
			m.Body, m.BodyOmitted = c.value(), false
		default:
			c.reserved(name)
		}
	}
	if len(mediaType) > 0 {
		c.bad = c.bad || !m.HeaderOmitted
		m.Fields = append(m.Fields, Field{Name: typeField, Value: mediaType})
	}
}

// lineHeaders reads the fields of a header, as a list or as an object.
func (m *MessageView) lineHeaders(c *cursor) {
	if c.next() == '[' {
		c.enter('[')
		for c.more(']') {
			var name []byte
			n := 0
			c.enter('[')
			for ; c.more(']'); n++ {
				if n == 0 {
					name = c.text()
					c.bad = c.bad || len(name) == 0
				} else {
					m.add(name, c.text())
				}
			}
			c.bad = c.bad || n != 2
		}
		return
	}
	c.enter('{')
	for c.more('}') {
		name := c.name()
		c.bad = c.bad || len(name) == 0
		if c.next() != '[' {
			m.add(name, c.text())
			continue
		}
		c.enter('[')
		for c.more(']') {
			m.add(name, c.text())
		}
	}
}

// lineBody decodes the body of a message if that is base64, in which line breaks are refused.
func (v *View) lineBody(m *MessageView, f *lineFacts) bool {
	if len(f.base64) == 0 {
		return true
	}
	if bytes.IndexByte(f.base64, '\n') >= 0 || bytes.IndexByte(f.base64, '\r') >= 0 {
		return false
	}
	var ok bool
	m.Body, ok = v.base64Body(f.base64)
	return ok
}

// value goes past a value, and returns it as it stands.
func (c *cursor) value() []byte {
	c.next()
	start := c.i
	c.skip()
	return c.b[start:c.i:c.i]
}

// reserved skips a member whose name is one that others may use; any other name is bad.
func (c *cursor) reserved(name []byte) {
	if !bytes.HasPrefix(name, []byte("x-")) && !bytes.HasPrefix(name, []byte("_")) {
		c.bad = true
	}
	c.skip()
}
