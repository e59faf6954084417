package sandbox

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// mostDepth is how deep JSON may be nested, as Ruby's parser has it. Only members that nobody knows can be.
const mostDepth = 100

// What can be wrong with a body, in the words of the answer.
const (
	isEmpty       = "the body is empty"
	noUTF8        = "the body is not valid UTF-8"
	noJSON        = "the body is not valid JSON"
	hasMark       = "the body is not valid JSON: it begins with a byte order mark"
	noObject      = "the body is not a JSON object"
	halfCharacter = "the body has an escape of half a character"
	tooDeep       = "the body is nested more than 100 deep"
)

// members are the raw values of a body's known members, in the order of fleetioapi.FaultCreateFields; "" is absent.
type members [len(fleetioapi.FaultCreateFields)]string

// readMembers splits a body. Where it is no JSON object that all readers agree about, why says so, and the members are what
// could be read. Twice are the names of known members that stand there more than once.
func readMembers(body []byte) (m members, twice []string, why string) {
	r := reader{body: string(body)} // the texts are parts of this one
	r.space()
	if r.at == len(r.body) {
		return m, nil, isEmpty
	}
	if strings.HasPrefix(r.body, "\ufeff") {
		return m, nil, hasMark
	}
	r.whole()
	return r.members, r.twice, r.why
}

// reader goes over JSON once: it proves it (RFC 8259) and takes the members out. Its methods are false, and leave why, where the
// body is wrong.
type reader struct {
	body  string
	at    int
	depth int
	why   string

	members members
	twice   []string
}

func (r *reader) fail(why string) bool {
	r.why = why
	return false
}

// peek returns the next byte; 0, which is right nowhere, behind the last.
func (r *reader) peek() byte {
	if r.at < len(r.body) {
		return r.body[r.at]
	}
	return 0
}

// take goes behind c, if that is next.
func (r *reader) take(c byte) bool {
	if r.peek() != c {
		return false
	}
	r.at++
	return true
}

func (r *reader) space() {
	for r.at < len(r.body) {
		switch r.body[r.at] {
		case ' ', '\t', '\r', '\n':
			r.at++
		default:
			return
		}
	}
}

// whole reads a body that is one object.
func (r *reader) whole() bool {
	object := r.peek() == '{'
	if !r.value() {
		return false
	}
	if r.space(); r.at < len(r.body) {
		return r.wrong()
	}
	return object || r.fail(noObject)
}

// wrong says that what is next is out of place.
func (r *reader) wrong() bool {
	if !utf8.ValidString(r.body[r.at:]) {
		return r.fail(noUTF8)
	}
	return r.fail(noJSON)
}

func (r *reader) value() bool {
	switch c := r.peek(); c {
	case '"':
		return r.text()
	case '{':
		return r.object()
	case '[':
		return r.array()
	case 't':
		return r.word("true")
	case 'f':
		return r.word("false")
	case 'n':
		return r.word("null")
	default:
		return r.number()
	}
}

func (r *reader) word(word string) bool {
	if !strings.HasPrefix(r.body[r.at:], word) {
		return r.wrong()
	}
	r.at += len(word)
	return true
}

func (r *reader) number() bool {
	r.take('-')
	if !r.take('0') && !r.digits() {
		return r.wrong()
	}
	if r.take('.') && !r.digits() {
		return r.wrong()
	}
	if r.take('e') || r.take('E') {
		if !r.take('+') {
			r.take('-')
		}
		if !r.digits() {
			return r.wrong()
		}
	}
	return true
}

// digits goes behind digits, and tells whether there was one.
func (r *reader) digits() bool {
	from := r.at
	for isDigit(r.peek()) {
		r.at++
	}
	return r.at > from
}

// enter goes into an object or array. It is at its end when done is true.
func (r *reader) enter(end byte) (done, ok bool) {
	if r.depth++; r.depth > mostDepth {
		return false, r.fail(tooDeep)
	}
	r.at++
	r.space()
	if r.take(end) {
		r.depth--
		return true, true
	}
	return false, true
}

// next goes behind an entry of an object or array, and behind its end when done is true.
func (r *reader) next(end byte) (done, ok bool) {
	r.space()
	switch {
	case r.take(','):
		r.space()
		return false, true
	case r.take(end):
		r.depth--
		return true, true
	}
	return false, r.wrong()
}

func (r *reader) array() bool {
	done, ok := r.enter(']')
	for ok && !done {
		if !r.value() {
			return false
		}
		done, ok = r.next(']')
	}
	return ok
}

func (r *reader) object() bool {
	done, ok := r.enter('}')
	for ok && !done {
		if !r.member() {
			return false
		}
		done, ok = r.next('}')
	}
	return ok
}

func (r *reader) member() bool {
	from := r.at
	if r.peek() != '"' {
		return r.wrong()
	}
	if !r.text() {
		return false
	}
	name := r.body[from:r.at]
	r.space()
	if !r.take(':') {
		return r.wrong()
	}
	r.space()
	from = r.at
	if !r.value() {
		return false
	}
	if r.depth == 1 { // in the body itself
		r.note(name, r.body[from:r.at])
	}
	return true
}

// note keeps a member; what nobody knows is ignored (page "Bulk API").
func (r *reader) note(quoted, value string) {
	name := unquote(quoted)
	for i := range fleetioapi.FaultCreateFields {
		if name != fleetioapi.FaultCreateFields[i].Name {
			continue
		}
		if r.members[i] != "" && !slices.Contains(r.twice, name) {
			r.twice = append(r.twice, name)
		}
		r.members[i] = value
	}
}
