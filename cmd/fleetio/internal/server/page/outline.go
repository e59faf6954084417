package page

import (
	"encoding/json"
	"strconv"
	"strings"
)

const mostIndent = 40 // levels; what is nested deeper is indented no further, or a small body would fill the page

// outline shows JSON as it came, one member or item a line, and puts the findings below the line that they point to. What
// is missing is told below its nearest parent. Text and numbers are not decoded, as how they were written may matter.
func outline(valid []byte, about marks) body {
	root := newPlace()
	for _, m := range about {
		at := root
		for _, token := range m.path {
			at = at.add(token)
		}
	}
	o := outliner{in: valid}
	o.value(line{}, 0, root)
	b := body{Note: o.note(), Lines: o.lines}
	for _, m := range about {
		if at := root.nearest(m.path); at >= 0 {
			b.Lines[at].Marks = append(b.Lines[at].Marks, m)
		} else {
			b.Marks = append(b.Marks, m)
		}
	}
	return b
}

// place is a node that pointers lead to or through. Only those are looked up while the body is read.
type place struct {
	below map[string]*place
	met   bool // there is such a value in the body
	line  int  // where it begins; -1 where that is not shown
}

func newPlace() *place { return &place{below: map[string]*place{}} }

func (p *place) add(token string) *place {
	if p.below[token] == nil {
		p.below[token] = newPlace()
	}
	return p.below[token]
}

// under is nil where no pointer leads.
func (p *place) under(token func() string) *place {
	if p == nil || len(p.below) == 0 {
		return nil
	}
	return p.below[token()]
}

// nearest is the line of the deepest value on the way that is there.
func (p *place) nearest(path []string) int {
	at := p.line
	for _, token := range path {
		if p = p.below[token]; p == nil || !p.met {
			break
		}
		at = p.line
	}
	return at
}

// outliner reads JSON that is known to be valid, so it needs to look at the structure only.
type outliner struct {
	printer

	in []byte
	at int
}

// value reads one value. The line has the name in front of it already.
func (o *outliner) value(l line, depth int, here *place) {
	o.space()
	if !o.full {
		l.Indent = strings.Repeat("  ", min(depth, mostIndent))
	}
	switch first := o.in[o.at]; first {
	case '{', '[':
		o.at++
		o.list(l, depth, here, first)
	case '"':
		l.Value, l.Kind = clip(string(o.text()), mostText), "string"
		o.put(l, here)
	default:
		from := o.at
		for o.at < len(o.in) && !strings.ContainsRune(",]} \t\r\n", rune(o.in[o.at])) {
			o.at++
		}
		l.Value, l.Kind = clip(string(o.in[from:o.at]), mostText), "digits"
		if first >= 'a' {
			l.Kind = "literal"
		}
		o.put(l, here)
	}
}

// list reads the rest of an object or array.
func (o *outliner) list(l line, depth int, here *place, first byte) {
	last := first + 2 // in ASCII
	if o.space(); o.in[o.at] == last {
		o.at++
		l.Value = string(first) + string(last)
		o.put(l, here)
		return
	}
	l.Value = string(first)
	o.put(l, here)
	end := line{Indent: l.Indent, Value: string(last)}
	for i := 0; ; i++ {
		var item line
		token := func() string { return strconv.Itoa(i) }
		if first == '{' {
			o.space()
			name := o.text()
			item.Key = clip(string(name), mostText)
			token = func() string { return decoded(name) }
			o.space()
			o.at++ // the colon
		}
		o.value(item, depth+1, here.under(token))
		o.space()
		o.at++
		if o.in[o.at-1] == last {
			break
		}
		if !o.full {
			o.lines[len(o.lines)-1].Tail = ","
		}
	}
	o.put(end, nil)
}

// put adds a line. A member that comes twice is pointed to where it comes last.
func (o *outliner) put(l line, here *place) {
	at := o.add(l)
	if here != nil {
		here.met, here.line = true, at
	}
}

func (o *outliner) space() {
	for o.at < len(o.in) && strings.IndexByte(" \t\r\n", o.in[o.at]) >= 0 {
		o.at++
	}
}

// text reads a string with its quotes.
func (o *outliner) text() []byte {
	from := o.at
	for o.at++; o.in[o.at] != '"'; o.at++ {
		if o.in[o.at] == '\\' {
			o.at++
		}
	}
	o.at++
	return o.in[from:o.at]
}

func decoded(name []byte) string {
	var s string
	_ = json.Unmarshal(name, &s) // it is valid
	return s
}
