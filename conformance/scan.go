package conformance

import (
	"bytes"
	"slices"
)

// scanner proves in one pass over the bytes of a JSON value that it keeps every claim of a node. It allocates nothing
// once its buffers have grown. Where it says no, it may be that the value breaks a claim, or only that the scanner
// cannot tell: sure says which.
type scanner struct {
	data  []byte
	pos   int
	kept  bitset // what the value bears on; nil where nobody asks
	sure  bool   // of a no
	depth int
	again int // how many bytes were scanned again, for schemas that are combined

	captures []capture // the values that criteria weigh
	taking   bool      // captures are taken

	names  []span  // of the members of open objects that have no place of their own
	items  []span  // of open arrays whose items have to differ
	follow [][]int // by node and member: which one came next in the last body
	text   []byte  // a text without its escapes
}

// span is a part of the data.
type span struct{ start, end int }

// capture is a value that a criterion weighs.
type capture struct {
	text    []byte // as it stands in the body
	present bool
	kind    kind
	escaped bool // a text with escapes
}

// scanDepth bounds what the scanner follows, which is deeper than any API answers. Beyond it the validator is asked.
const scanDepth = 100

// mostAgain bounds how often the scanner goes over a body again, on average: schemas can be combined so that it would double
// with each of them. Beyond it the validator is asked, which does so once.
const mostAgain = 64

// mostNames bounds the names and items that are compared each with each.
const mostNames = 32

// proves reports whether data is one JSON value that keeps all claims of a node.
func (s *scanner) proves(n *node, data []byte) bool {
	s.data, s.pos, s.depth, s.again = data, 0, 0, 0
	s.names, s.items = s.names[:0], s.items[:0]
	if !s.value(n, noCapture) {
		return false
	}
	s.blank()
	return s.pos == len(s.data)
}

// unsure is a no that means nothing.
func (s *scanner) unsure() bool {
	s.sure = false
	return false
}

// refuted is a no that holds.
func (s *scanner) refuted() bool {
	s.sure = true
	return false
}

func (s *scanner) blank() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\n', '\r', '\t':
			s.pos++
		default:
			return
		}
	}
}

// value scans one value.
func (s *scanner) value(n *node, into int) bool {
	s.blank()
	if n.hard || s.pos >= len(s.data) {
		return s.unsure()
	}
	start := s.pos
	var k kind
	escaped, ok := false, false
	switch c := s.data[s.pos]; {
	case c == '"':
		k = kindString
		escaped, ok = s.stringValue(n)
	case c == '{':
		k = kindObject
		ok = n.admit&(1<<kindObject) != 0 && s.object(n)
	case c == '[':
		k = kindArray
		ok = n.admit&(1<<kindArray) != 0 && s.array(n)
	case c == '-' || '0' <= c && c <= '9':
		k = kindNumber
		ok = s.number(n)
	case c == 'n':
		k = kindNull
		ok = s.word("null")
	case c == 't':
		k = kindBoolean
		ok = s.word("true")
	case c == 'f':
		k = kindBoolean
		ok = s.word("false")
	}
	if n.admit&(1<<k) == 0 {
		return s.refuted()
	}
	if !ok {
		return false
	}
	if s.kept != nil {
		s.kept.addWords(n.bear[k])
	}
	if into != noCapture && s.taking {
		s.captures[into] = capture{text: s.data[start:s.pos], present: true, kind: k, escaped: escaped}
	}
	if k == kindNull && n.nullEnds {
		return true
	}
	if n.listed && (k == kindNull || k == kindBoolean || k == kindArray || k == kindObject) {
		if n.others&(1<<k) != 0 {
			return s.unsure()
		}
		return s.refuted()
	}
	return !n.combined || s.combine(n, start)
}

func (s *scanner) word(text string) bool {
	if end := s.pos + len(text); end <= len(s.data) && string(s.data[s.pos:end]) == text {
		s.pos = end
		return true
	}
	return s.unsure()
}

// combine scans a value again for the schemas combined in a node.
func (s *scanner) combine(n *node, start int) bool {
	end := s.pos
	s.again += end - start
	if s.depth++; s.depth > scanDepth || s.again > mostAgain*len(s.data) {
		return s.unsure()
	}
	defer func() { s.depth-- }()
	for _, part := range n.all {
		s.pos = start
		if !s.value(part, noCapture) {
			return false
		}
	}
	matched, sure := s.matches(n.anyOf, start, end)
	if len(n.anyOf) > 0 && matched == 0 {
		s.sure = sure
		return false
	}
	matched, sure = s.matches(n.oneOf, start, end)
	if len(n.oneOf) > 0 && (matched != 1 || !sure) {
		s.sure = sure
		return false
	}
	if n.not != nil {
		holds, sure := s.tries(n.not, start)
		if holds || !sure {
			s.sure = holds
			return false
		}
	}
	s.pos = end
	return true
}

// matches counts the nodes that a value keeps. It is sure where none of the others is in doubt.
func (s *scanner) matches(nodes []*node, start, end int) (n int, sure bool) {
	sure = true
	for _, part := range nodes {
		holds, certain := s.tries(part, start)
		if holds {
			n++
		}
		sure = sure && certain
	}
	s.pos = end
	return n, sure
}

// tries scans on the side.
func (s *scanner) tries(n *node, start int) (holds, sure bool) {
	kept, taking, names, items, depth := s.kept, s.taking, len(s.names), len(s.items), s.depth
	s.kept, s.taking, s.pos = nil, false, start
	holds = s.value(n, noCapture)
	sure = holds || s.sure
	s.kept, s.taking, s.names, s.items, s.depth = kept, taking, s.names[:names], s.items[:items], depth
	return holds, sure
}

// array scans from the bracket on.
func (s *scanner) array(n *node) bool {
	if s.depth++; s.depth > scanDepth {
		return s.unsure()
	}
	s.pos++
	base, count := len(s.items), 0
	for s.blank(); ; count++ {
		if s.pos >= len(s.data) {
			return s.unsure()
		}
		if count == 0 && s.data[s.pos] == ']' {
			break
		}
		s.blank()
		start := s.pos
		if !s.value(n.item, noCapture) {
			return false
		}
		if n.unique && !s.differs(base, span{start, s.pos}) {
			return s.unsure()
		}
		s.blank()
		if s.pos < len(s.data) && s.data[s.pos] == ',' {
			s.pos++
			continue
		}
		if s.pos >= len(s.data) || s.data[s.pos] != ']' {
			return s.unsure()
		}
		count++
		break
	}
	s.pos++
	s.depth--
	s.items = s.items[:base]
	if n.unique && count > 1 && s.kept != nil {
		s.kept.addWords(n.uniqueBears)
	}
	if count < n.minItems || count > n.maxItems {
		return s.refuted()
	}
	return true
}

// differs takes an item in whose bytes tell whether it equals another: no fraction, no escape, nothing below it.
func (s *scanner) differs(base int, item span) bool {
	text := s.data[item.start:item.end]
	if bytes.ContainsAny(text, `\.eE[{`) && text[0] != '"' || bytes.IndexByte(text, '\\') >= 0 ||
		string(text) == "-0" || len(s.items)-base == mostNames {
		return false
	}
	same := func(other span) bool { return bytes.Equal(s.data[other.start:other.end], text) }
	if slices.ContainsFunc(s.items[base:], same) {
		return false
	}
	s.items = append(s.items, item)
	return true
}
