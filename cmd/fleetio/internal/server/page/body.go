package page

import (
	"bytes"
	"encoding/json"
	"fmt"
)

const (
	mostLines = 2000     // of a body that are shown
	mostBytes = 64 << 10 // of the lines of a body, together
)

// body is what a message carries, line by line, with the findings below the lines that they are about.
type body struct {
	Note  string // what it is, and whether all of it is shown
	Marks marks  // about none of the lines
	Lines []line
}

// line is one line of a body. In JSON there is one for each member or item, and for each end of an object or array.
type line struct {
	Indent string
	Key    string // the name of a member, in quotes
	Value  string
	Kind   string // of the value: string, digits, literal; "" for the rest
	Tail   string // a comma, or nothing
	Marks  marks
}

// content is a body as it was, of which the page tells no more than what it is and how long, and as it may be shown.
type content struct {
	raw, shown []byte
	omitted    bool // there was one, and the sandbox does not have it
}

func newBody(c content, about marks) body {
	switch {
	case c.omitted:
		return body{Note: "There was a body that the sandbox could not take in.", Marks: about}
	case len(c.raw) == 0:
		return body{Note: "No body.", Marks: about}
	}
	what := "Not JSON"
	if json.Valid(c.raw) {
		what = "JSON"
	}
	var b body
	if json.Valid(c.shown) {
		b = outline(c.shown, about)
	} else {
		b = plain(c.shown, about)
	}
	b.Note = fmt.Sprintf("%s, %d bytes", what, len(c.raw)) + b.Note + "."
	if !bytes.Equal(c.raw, c.shown) {
		b.Note += " Credentials in it are hidden."
	}
	return b
}

// plain shows what is not JSON. Nothing can be pointed to in there.
func plain(shown []byte, about marks) body {
	p := printer{}
	for text := range bytes.SplitSeq(shown, []byte("\n")) {
		p.add(line{Value: clip(string(text), mostText)})
	}
	return body{Note: p.note(), Marks: about, Lines: p.lines}
}

// printer collects lines until there are enough.
type printer struct {
	lines []line
	size  int
	full  bool
}

// add returns the position of the line, or -1 if it is left out.
func (p *printer) add(l line) int {
	p.size += len(l.Indent) + len(l.Key) + len(l.Value)
	if p.full = p.full || p.size > mostBytes || len(p.lines) == mostLines; p.full {
		return -1
	}
	p.lines = append(p.lines, l)
	return len(p.lines) - 1
}

// note tells whether the lines are all.
func (p *printer) note() string {
	if p.full {
		return fmt.Sprintf("; the first %d lines are shown", len(p.lines))
	}
	return ""
}
