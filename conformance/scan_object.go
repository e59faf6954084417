package conformance

import (
	"bytes"
	"slices"
)

// object scans from the brace on.
func (s *scanner) object(n *node) bool {
	if s.depth++; s.depth > scanDepth {
		return s.unsure()
	}
	s.pos++
	base, count, last := len(s.names), 0, 0
	var seen memberSet
	for s.blank(); ; count++ {
		s.blank()
		if s.pos >= len(s.data) {
			return s.unsure()
		}
		if s.data[s.pos] != '"' {
			if count == 0 && s.data[s.pos] == '}' {
				break
			}
			return s.unsure()
		}
		at := s.pos
		i := s.member(n, last)
		end := s.pos
		if i == failed || !s.colon() {
			return s.unsure()
		}
		if i == unnamed {
			if !s.unnamed(n, base, span{at, end}) {
				return false
			}
		} else {
			if seen.has(i) {
				return s.unsure() // a name twice
			}
			seen.add(i)
			last = i + 1
			m := &n.members[i]
			if s.kept != nil {
				s.kept.addWords(m.bears)
			}
			if !s.value(m.node, m.capture) {
				return false
			}
		}
		s.blank()
		if s.pos < len(s.data) && s.data[s.pos] == ',' {
			s.pos++
			continue
		}
		if s.pos >= len(s.data) || s.data[s.pos] != '}' {
			return s.unsure()
		}
		count++
		break
	}
	s.pos++
	s.depth--
	s.names = s.names[:base]
	if !n.required.within(&seen) || count < n.minMembers || count > n.maxMembers {
		return s.refuted()
	}
	return true
}

func (s *scanner) colon() bool {
	s.blank()
	if s.pos >= len(s.data) || s.data[s.pos] != ':' {
		return false
	}
	s.pos++
	return true
}

// What member returns where there is no index.
const (
	unnamed = -1 // the node has no such member
	failed  = -2
)

// member scans a name and finds the member. It tries the one first that came at this point in the last body: last is
// where that is kept, 0 at the start of an object.
func (s *scanner) member(n *node, last int) int {
	if len(n.members) > 0 {
		for len(s.follow) <= n.id {
			s.follow = append(s.follow, nil)
		}
		follow := s.follow[n.id]
		if follow == nil {
			follow = make([]int, len(n.members)+1)
			s.follow[n.id] = follow
		}
		guess := n.members[follow[last]].quoted
		if end := s.pos + len(guess); len(guess) > 0 && end <= len(s.data) && string(s.data[s.pos:end]) == guess {
			s.pos = end
			return follow[last]
		}
	}
	start := s.pos + 1
	escaped, ok := s.string()
	if !ok || escaped {
		return failed
	}
	i, known := n.index[string(s.data[start:s.pos-1])]
	if !known {
		return unnamed
	}
	s.follow[n.id][last] = i
	return i
}

// unnamed scans the value of a member without a place of its own.
func (s *scanner) unnamed(n *node, base int, name span) bool {
	switch {
	case n.closed:
		return s.refuted()
	case n.strange || len(s.names)-base == mostNames:
		return s.unsure()
	}
	same := func(other span) bool {
		return bytes.Equal(s.data[other.start:other.end], s.data[name.start:name.end])
	}
	if slices.ContainsFunc(s.names[base:], same) {
		return s.unsure()
	}
	s.names = append(s.names, name)
	return s.value(n.rest, noCapture)
}
