package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

const (
	maxLines  = 2000     // of a body that are shown
	maxBytes  = 64 << 10 // of the lines of a body, together
	maxIndent = 40       // levels; what is nested deeper is indented no further, or a small body would fill the page
)

// body is what a message carries, line by line, with the findings below the lines that they are about.
type body struct {
	Note  string // what it is, and whether all of it is shown
	Marks marks  // about none of the lines
	Lines []line

	size int
	full bool // there are more lines
}

// line is one line of a body. In JSON there is one for each property or item, and for each end of an object or array.
type line struct {
	Indent string
	Key    string // the name of a property, in quotes
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
	var b body
	var indented bytes.Buffer
	if json.Indent(&indented, c.shown, "", "") == nil { // which checks it; the page indents by itself
		b.outline(indented.String(), about)
	} else {
		b.Marks = about // nothing can be pointed to in there
		for text := range strings.SplitSeq(string(c.shown), "\n") {
			b.add(line{Value: clip(text, maxText)})
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
	if !bytes.Equal(c.raw, c.shown) {
		b.Note += " Credentials in it are hidden."
	}
	return b
}

// add adds a line until there are enough.
func (b *body) add(l line) bool {
	b.size += len(l.Indent) + len(l.Key) + len(l.Value)
	if b.full = b.full || b.size > maxBytes || len(b.Lines) == maxLines; !b.full {
		b.Lines = append(b.Lines, l)
	}
	return !b.full
}

// level is an object or array that a line is in.
type level struct {
	pointer string
	isList  bool
	items   int // of a list, so far
}

// outline adds JSON that has a line for each property, item and end, and puts the findings below the line that they
// point to. What is missing, or not shown, is told below its nearest parent. Text and numbers are not decoded, as how
// they were written may matter.
func (b *body) outline(indented string, about marks) {
	at := map[string]int{} // lines by pointer; of properties with one name, that of the last
	levels := []level{{}}
	for text := range strings.SplitSeq(strings.Trim(indented, " \t\r\n"), "\n") {
		depth := len(levels) - 1
		in := &levels[depth]
		pointer := in.pointer
		var l line
		if value, comma := strings.CutSuffix(text, ","); comma {
			text, l.Tail = value, ","
		}
		end := text[0] == '}' || text[0] == ']'
		switch {
		case end:
			levels = levels[:depth]
			depth--
		case in.isList:
			pointer += "/" + strconv.Itoa(in.items)
			in.items++
		case depth > 0:
			key := text[:endOfText(text)]
			text = text[len(key)+len(": "):]
			pointer += "/" + escapePointer.Replace(decoded(key))
			l.Key = clip(key, maxText)
		}
		l.Indent = strings.Repeat("  ", min(depth, maxIndent))
		l.Value, l.Kind = clip(text, maxText), kindOfValue(text[0])
		if !b.add(l) {
			break
		}
		if len(pointer) > maxPointer {
			pointer = "too long" // and those below, which no finding is about
		}
		if !end {
			at[pointer] = len(b.Lines) - 1
		}
		if text == "{" || text == "[" {
			levels = append(levels, level{pointer: pointer, isList: text == "["})
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

// maxPointer bounds the pointers that are looked up, in bytes.
const maxPointer = 2 << 10

// nearest returns the line of the value that a pointer leads to, or else of its nearest parent.
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

// kindOfValue tells by the first byte what a value is.
func kindOfValue(first byte) string {
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

// endOfText is where the quoted text ends that a valid line begins with.
func endOfText(text string) int {
	for i := 1; ; i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

func decoded(quoted string) (s string) {
	_ = json.Unmarshal([]byte(quoted), &s) // it is valid
	return s
}
