package sandbox

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// mostDepth is how deep JSON may be nested, as Ruby's parser has it. Only members that nobody knows can be.
const mostDepth = 100

// members are the raw values of a body's known members, in the order of fleetioapi.FaultCreateFields; "" is absent.
type members [len(fleetioapi.FaultCreateFields)]string

// readMembers splits a body. Where it is no JSON object that all readers agree about, why says so, and the members are what
// could be read. Twice is the name of a known member that stands there more than once.
func readMembers(body []byte) (m members, twice, why string) {
	switch trimmed := bytes.TrimLeft(body, " \t\r\n"); {
	case len(trimmed) == 0:
		return m, "", "the body is empty"
	case !utf8.Valid(body):
		return m, "", "the body is not valid UTF-8"
	case !json.Valid(body):
		return m, "", "the body is not valid JSON"
	case trimmed[0] != '{':
		return m, "", "the body is not a JSON object"
	case halfCharacter(body):
		return m, "", "the body has an escape of half a character"
	}
	s := walker{body: string(body)} // the texts are parts of this one
	s.space()
	s.at++ // {
	for s.space(); s.body[s.at] != '}'; s.space() {
		if s.body[s.at] == ',' {
			s.at++
			s.space()
		}
		name := s.value()
		s.space()
		s.at++ // :
		s.space()
		value := s.value()
		if s.tooDeep {
			return m, "", "the body is nested more than " + strconv.Itoa(mostDepth) + " deep"
		}
		i := fieldIndex(name)
		if i < 0 {
			continue // what nobody knows is ignored (page "Bulk API")
		}
		if m[i] != "" {
			twice = fleetioapi.FaultCreateFields[i].Name
		}
		m[i] = value
	}
	return m, twice, ""
}

// fieldIndex finds the member of a name, which is still in quotes.
func fieldIndex(quoted string) int {
	name := unquote(quoted)
	for i := range fleetioapi.FaultCreateFields {
		if name == fleetioapi.FaultCreateFields[i].Name {
			return i
		}
	}
	return -1
}

// unquote takes valid JSON.
func unquote(quoted string) string {
	if strings.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	var s string
	_ = json.Unmarshal([]byte(quoted), &s) // valid
	return s
}

// walker goes over JSON that is valid.
type walker struct {
	body    string
	at      int
	tooDeep bool
}

func (w *walker) space() {
	for w.body[w.at] <= ' ' {
		w.at++
	}
}

// value returns the value that begins here, and goes behind it.
func (w *walker) value() string {
	from := w.at
	depth := 0
	for {
		switch c := w.body[w.at]; c {
		case '"':
			w.text()
		case '{', '[':
			depth++
			w.tooDeep = w.tooDeep || depth >= mostDepth // the body itself is one
			w.at++
		case '}', ']':
			depth--
			w.at++
		default:
			w.at++
			for depth == 0 && !ends(w.body[w.at]) { // a number or a word
				w.at++
			}
		}
		if depth == 0 {
			return w.body[from:w.at]
		}
	}
}

func ends(c byte) bool { return c <= ' ' || c == ',' || c == '}' || c == ']' }

func (w *walker) text() {
	for w.at++; w.body[w.at] != '"'; w.at++ {
		if w.body[w.at] == '\\' {
			w.at++
		}
	}
	w.at++
}

// halfCharacter tells whether valid JSON has an escape of a surrogate without the other half (RFC 8259, section 8.2).
func halfCharacter(body []byte) bool {
	for {
		i := bytes.IndexByte(body, '\\')
		if i < 0 {
			return false
		}
		if body = body[i+1:]; body[0] != 'u' {
			body = body[1:]
			continue
		}
		high := surrogate(body)
		body = body[5:]
		if high == 0 {
			continue
		}
		if high >= 0xDC00 || len(body) < 6 || body[0] != '\\' || body[1] != 'u' || surrogate(body[1:]) < 0xDC00 {
			return true
		}
		body = body[6:]
	}
}

// surrogate returns the unit of an escape, u and four digits, where it is half a pair; else 0.
func surrogate(escape []byte) uint64 {
	unit, err := strconv.ParseUint(string(escape[1:5]), 16, 16)
	if err != nil || unit < 0xD800 || unit > 0xDFFF {
		return 0
	}
	return unit
}
