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

func newBody(content []byte, about marks) body {
	trimmed := bytes.TrimSpace(content)
	switch {
	case len(content) == 0:
		return body{Note: "No body.", Marks: about}
	case json.Valid(trimmed):
		return outline(trimmed, about)
	default:
		return plain(content, about)
	}
}

// plain shows what is not JSON. Nothing can be pointed to in there.
func plain(content []byte, about marks) body {
	p := printer{}
	for text := range bytes.SplitSeq(content, []byte("\n")) {
		p.add(line{Value: clip(string(text), mostText)})
	}
	return body{Note: p.note("Not JSON", len(content)), Marks: about, Lines: p.lines}
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

func (p *printer) note(what string, size int) string {
	if p.full {
		return fmt.Sprintf("%s, %d bytes; the first %d lines are shown.", what, size, len(p.lines))
	}
	return fmt.Sprintf("%s, %d bytes.", what, size)
}
