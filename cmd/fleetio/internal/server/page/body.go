package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

const (
	maxLines   = 2000     // displayed lines of a body
	maxBytes   = 64 << 10 // displayed bytes of a body
	maxIndent  = 40       // levels of indentation; with more, a small body could fill the page
	maxPointer = 2 << 10  // bytes of the pointers that are looked up
)

// body is the body of a message in lines, each with the findings about it.
type body struct {
	Note  string // type, length, and whether it is complete
	Marks marks  // findings about no line
	Lines []line

	size int  // bytes of the lines
	full bool // further lines are not displayed
}

// line is one line of a body. JSON has one for each property, item, and end of an object or array.
type line struct {
	Indent string
	Key    string // the name of a property, in quotes
	Value  string
	Kind   string // of the value: string, digits, literal or ""
	Tail   string // a comma or ""
	Marks  marks
}

// content is a body as it was, which is not displayed, and redacted.
type content struct {
	raw, redacted []byte
	omitted       bool // the sandbox does not have it
}

func newBody(c content, about marks) body {
	switch {
	case c.omitted:
		return body{Note: "The sandbox could not read the body.", Marks: about}
	case len(c.raw) == 0:
		return body{Note: "No body.", Marks: about}
	}
	var b body
	var indented bytes.Buffer
	if json.Indent(&indented, c.redacted, "", "") == nil { // one line for each value
		b.outline(indented.String(), about)
	} else {
		b.Marks = about
		for s := range strings.SplitSeq(string(c.redacted), "\n") {
			if !b.add(line{Value: clip(s, maxText)}) {
				break
			}
		}
	}
	what := "Not JSON"
	if json.Valid(c.raw) {
		what = "JSON"
	}
	b.Note = fmt.Sprintf("%s, %d bytes", what, len(c.raw))
	if b.full {
		b.Note += fmt.Sprintf("; the first %d lines are shown", len(b.Lines))
	}
	b.Note += "."
	if !bytes.Equal(c.raw, c.redacted) {
		b.Note += " Credentials in it are redacted."
	}
	return b
}

// add adds a line, and reports whether there was room for it.
func (b *body) add(l line) bool {
	b.size += len(l.Indent) + len(l.Key) + len(l.Value)
	if b.full = b.full || b.size > maxBytes || len(b.Lines) == maxLines; !b.full {
		b.Lines = append(b.Lines, l)
	}
	return !b.full
}

// level is an object or array around a line.
type level struct {
	pointer string
	isList  bool
	items   int // of a list, up to the line
}

// outline adds JSON that has a line for each property, item and end, and adds the findings to the lines that they point
// to, or to the nearest parent if there is no such line. It does not decode strings and numbers, as their notation may
// matter.
func (b *body) outline(indented string, about marks) {
	at := map[string]int{} // lines by pointer; the last one of properties with a repeated name
	levels := []level{{}}
	for s := range strings.SplitSeq(strings.Trim(indented, " \t\r\n"), "\n") {
		depth := len(levels) - 1
		in := &levels[depth]
		pointer := in.pointer
		var l line
		if value, comma := strings.CutSuffix(s, ","); comma {
			s, l.Tail = value, ","
		}
		end := s[0] == '}' || s[0] == ']'
		switch {
		case end:
			levels = levels[:depth]
			depth--
		case in.isList:
			pointer += "/" + strconv.Itoa(in.items)
			in.items++
		case depth > 0:
			d := json.NewDecoder(strings.NewReader(s))
			name, _ := d.Token() // a string, as the JSON is valid
			key := s[:d.InputOffset()]
			s = s[len(key)+len(": "):]
			pointer += "/" + escapePointer.Replace(fmt.Sprint(name))
			l.Key = clip(key, maxText)
		}
		l.Indent = strings.Repeat("  ", min(depth, maxIndent))
		l.Value, l.Kind = clip(s, maxText), kindOf(s[0])
		if !b.add(l) {
			break
		}
		if len(pointer) > maxPointer {
			pointer = "too long" // also for all below; no finding has it
		}
		if !end {
			at[pointer] = len(b.Lines) - 1
		}
		if s == "{" || s == "[" {
			levels = append(levels, level{pointer: pointer, isList: s == "["})
		}
	}
	for _, m := range about {
		if i, found := nearest(at, m.pointer); found {
			b.Lines[i].Marks = append(b.Lines[i].Marks, m)
		} else {
			b.Marks = append(b.Marks, m)
		}
	}
}

// nearest returns the line of the value at a pointer, or else of its nearest parent.
func nearest(at map[string]int, pointer string) (int, bool) {
	if pointer != "" {
		pointer = "/" + strings.TrimPrefix(pointer, "/")
	}
	pointer = pointer[:min(len(pointer), maxPointer)]
	for {
		if i, found := at[pointer]; found || pointer == "" {
			return i, found
		}
		pointer = pointer[:strings.LastIndexByte(pointer, '/')]
	}
}

// kindOf returns the kind of a value by its first byte.
func kindOf(first byte) string {
	switch {
	case first == '"':
		return "string"
	case first == '-' || first >= '0' && first <= '9':
		return "digits"
	case first >= 'a' && first <= 'z':
		return "literal"
	default:
		return ""
	}
}
