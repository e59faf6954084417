package traffic

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/internal/printable"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// jsonReader reads the values of an exchange that is parsed. They are known by their index in the document.
type jsonReader struct {
	doc     strictjson.Document
	start   int64 // the offset of the document in the recording
	urls    urlReader
	strings map[string]string
	scratch []byte // for a text

	fields  []field // of the header that is being read
	headers int     // how many were read
}

func newJSONReader() jsonReader {
	return jsonReader{doc: strictjson.Document{AllowDuplicates: true, Repetitive: true}, strings: map[string]string{}} // object finds them
}

// valueError is an error about the value at an offset. The path grows on the way out of the values that it is in.
type valueError struct {
	at   int64
	path string
	err  error
}

func (f *valueError) Error() string {
	if f.path == "" {
		return f.err.Error()
	}
	return f.path + ": " + f.err.Error()
}

func failValue(at int64, text string) error { return &valueError{at: at, err: errors.New(text)} }

// failAt makes an error about the value at an index.
func (r *jsonReader) failAt(at int32, text string) error {
	start := int64(r.doc.Nodes[at].Start)
	if r.doc.Nodes[at].Type == strictjson.String {
		start-- // the quote
	}
	return failValue(r.start+start, text)
}

// within adds the name of the property whose value an error is about.
func within(name string, err error) error {
	if fault, ok := errors.AsType[*valueError](err); ok {
		if fault.path != "" {
			name += "."
		}
		fault.path = name + fault.path
	}
	return err
}

// placeOf returns the offset of an error, and its cause. Without one of its own, it is that of the exchange.
func (r *jsonReader) placeOf(err error) (at int64, cause error) {
	at, cause = r.start, err
	if fault, ok := errors.AsType[*valueError](err); ok {
		at, cause = fault.at, errors.New(fault.Error())
	} else if fault, ok := errors.AsType[*strictjson.Error](err); ok {
		at, cause = fault.Offset, fault.Err
	}
	if errors.Is(err, strictjson.ErrTooLarge) {
		cause = errTooLarge
	}
	return at, cause
}

var typeNames = map[strictjson.Type]string{strictjson.Null: "null", strictjson.Boolean: "a boolean", strictjson.Number: "a number",
	strictjson.String: "a string", strictjson.Array: "an array", strictjson.Object: "an object"}

// expect returns an error unless the value at an index is of that type.
func (r *jsonReader) expect(want strictjson.Type, at int32) error {
	if actual := r.doc.Nodes[at].Type; actual != want {
		return r.failAt(at, "expected "+typeNames[want]+", got "+typeNames[actual])
	}
	return nil
}

// text returns a string. The text is valid until the next call of any method.
func (r *jsonReader) text(at int32) ([]byte, error) {
	if err := r.expect(strictjson.String, at); err != nil {
		return nil, err
	}
	text := r.doc.Text(at, r.scratch[:0])
	if r.doc.Nodes[at].Escaped {
		r.scratch = text
	}
	return text, nil
}

// string returns a string. Those that are short are remembered, as most come again.
func (r *jsonReader) string(at int32) (string, error) {
	text, err := r.text(at)
	if known, ok := r.strings[string(text)]; ok || err != nil {
		return known, err
	}
	s := string(text)
	if len(s) <= maxName && len(r.strings) < maxNames {
		r.strings[s] = s
	}
	return s, nil
}

// bytes returns a string in the memory of old unless that is nil, and nil if both are empty.
func (r *jsonReader) bytes(at int32, old []byte) ([]byte, error) {
	text, err := r.text(at)
	return append(old[:0], text...), err
}

// shape is the properties of a kind of object that are read.
type shape struct {
	names []string
	// strict makes a name that comes twice an error, and any other name unless it is for others to use. A null is a value
	// then; otherwise it is as if it were absent.
	strict bool

	lengths uint32 // a bit for the length of each name: most others have none of these
}

func newShape(strict bool, names ...string) shape {
	s := shape{names: names, strict: strict}
	for _, name := range names {
		s.lengths |= 1 << len(name)
	}
	return s
}

// object calls read for the value of each property of an object that the shape has. A "text" that is null is a value, too.
func (r *jsonReader) object(at int32, s shape, read func(name string, at int32) error) error {
	if r.doc.Nodes[at].Type == strictjson.Null && !s.strict {
		return nil
	}
	if err := r.expect(strictjson.Object, at); err != nil {
		return err
	}
	var seen []string
	for i, end := at+1, r.doc.Nodes[at].Next; i < end; i = r.doc.Nodes[i+1].Next {
		value := i + 1
		name := r.doc.Text(i, nil)
		known := -1
		if s.lengths>>len(name)&1 != 0 {
			known = len(s.names) - 1
		}
		for known >= 0 && s.names[known] != string(name) {
			known--
		}
		switch {
		case known < 0 && s.strict && !strings.HasPrefix(string(name), "x-") && !strings.HasPrefix(string(name), "_"):
			return r.failAt(value, "unknown property "+quoted(string(name)))
		case known < 0, !s.strict && r.doc.Nodes[value].Type == strictjson.Null && s.names[known] != "text":
			continue
		case slices.Contains(seen, s.names[known]):
			return within(s.names[known], r.failAt(value, "given twice"))
		case s.strict:
			seen = append(seen, s.names[known])
		}
		if err := read(s.names[known], value); err != nil {
			return within(s.names[known], err)
		}
	}
	return nil
}

// array calls read for each item of an array.
func (r *jsonReader) array(at int32, read func(at int32) error) error {
	if err := r.expect(strictjson.Array, at); err != nil {
		return err
	}
	for i, end := at+1, r.doc.Nodes[at].Next; i < end; i = r.doc.Nodes[i].Next {
		if err := read(i); err != nil {
			return err
		}
	}
	return nil
}

// quoted shows the first characters of a name.
func quoted(name string) string {
	if runes := []rune(name); len(runes) > 40 {
		name = string(runes[:40])
	}
	return printable.Quote(name)
}

// fieldName is a name of header fields.
type fieldName struct {
	canonical string // "" for fields that are left out: the pseudo headers of HTTP/2 and HTTP/3, and those without a name
	passing   bool   // it is not remembered

	value  string // the last one
	header int    // the number of the header that it was in
}

// field is a field of a header.
type field struct {
	*fieldName

	value string
}

// fieldNames remembers the names of fields, by how they are recorded.
type fieldNames struct {
	known map[string]*fieldName
	last  []spelledName // of the last header; the next has mostly the same
}

type spelledName struct {
	*fieldName

	spelled string
}

func newFieldNames() *fieldNames { return &fieldNames{known: map[string]*fieldName{}} }

// at returns the name of the field at that position of a header.
func (n *fieldNames) at(position int, name []byte) *fieldName {
	if position >= maxNames {
		return n.find(name)
	}
	for len(n.last) <= position {
		n.last = append(n.last, spelledName{n.find(nil), ""})
	}
	last := &n.last[position]
	if string(name) != last.spelled {
		last.fieldName, last.spelled = n.find(name), string(name)
	}
	return last.fieldName
}

// maxNames bounds the names and strings that are remembered, maxName their length, and maxValue that of values: some
// servers make names up.
const maxNames, maxName, maxValue = 1000, 100, 1000

func (n *fieldNames) find(name []byte) *fieldName {
	if known := n.known[string(name)]; known != nil {
		return known
	}
	f := &fieldName{passing: len(name) > maxName || len(n.known) == maxNames}
	if len(name) > 0 && name[0] != ':' {
		f.canonical = textproto.CanonicalMIMEHeaderKey(string(name))
	}
	if same := n.known[f.canonical]; same != nil {
		f = same // in another letter case
	}
	if !f.passing {
		n.known[string(name)] = f
	}
	return f
}

// addField adds a field with the string at an index as its value, or with none. Most values are as they were before.
func (r *jsonReader) addField(name *fieldName, at int32) error {
	f := field{fieldName: name}
	if at != 0 {
		text, err := r.text(at)
		if err != nil {
			return err
		}
		if f.value = name.value; string(text) != f.value && name.canonical != "" {
			f.value = string(text)
			if r.doc.Nodes[at].Escaped && bytes.ContainsAny(text, "\r\n") {
				r.addLines(f)
				return nil
			}
			if len(text) <= maxValue {
				name.value = f.value
			}
		}
	}
	r.fields = append(r.fields, f)
	return nil
}

// lineEnd separates the values of repeated fields, which some recorders join: a value has no line break (RFC 9110, section
// 5.5). Before a blank, it continues the line (RFC 9112, section 5.2).
var (
	lineEnd  = regexp.MustCompile(`\r\n|\r|\n`)
	lineFold = regexp.MustCompile(`(\r\n|\r|\n)[ \t]+`)
)

// addLines adds a field for each line of the value.
func (r *jsonReader) addLines(f field) {
	for _, line := range lineEnd.Split(lineFold.ReplaceAllString(f.value, " "), -1) {
		if line != "" {
			f.value = line
			r.fields = append(r.fields, f)
		}
	}
}

// readTarget reads the method and the URL of an exchange, or of the request in it, as far as the text goes, whatever else is
// wrong with it.
func readTarget(d *strictjson.Decoder, in string, e *EntryError) {
	if open, err := d.Next(); err != nil || open.Kind != '{' {
		return
	}
	for {
		name, err := d.Next()
		if err != nil || name.Kind != '"' {
			return
		}
		var key, value string
		_ = json.Unmarshal(name.Raw, &key)
		switch kind, _ := d.Peek(); {
		case key == in && kind == '{':
			readTarget(d, "", e)
			return
		case in == "" && (key == "method" || key == "url") && kind == '"':
			token, err := d.Next()
			if err != nil || json.Unmarshal(token.Raw, &value) != nil || value == "" {
				continue
			}
			if key == "method" {
				e.Method = value
			} else {
				e.URL = new(urlReader).parse(value, nil)
			}
		default:
			if d.Skip() != nil {
				return
			}
		}
	}
}

// header returns the header of the fields, in the memory of old unless that is nil. In most recordings, the names are those
// of the exchange before.
func (r *jsonReader) header(old http.Header) http.Header {
	r.headers++
	n, distinct := 0, true
	for _, f := range r.fields {
		if f.canonical != "" {
			n++ // a map of up to 8 is cheaper
			distinct = distinct && !f.passing && f.header != r.headers
			f.header = r.headers
		}
	}
	if distinct && n > 0 && n == len(old) && r.overwrite(old) {
		return old
	}
	if clear(old); old == nil {
		old = make(http.Header, n)
	}
	for _, f := range r.fields {
		if f.canonical != "" {
			old[f.canonical] = append(old[f.canonical], f.value)
		}
	}
	return old
}

// overwrite sets the values of a header and reports whether it has the names of the fields, which are distinct and as many.
func (r *jsonReader) overwrite(header http.Header) bool {
	for _, f := range r.fields {
		if f.canonical == "" {
			continue
		}
		values := header[f.canonical]
		if len(values) != 1 {
			return false
		}
		if values[0] != f.value { // to write would take the memory from the processor that checks exchanges
			values[0] = f.value
		}
	}
	return true
}

// urlReader makes the URLs of exchanges, most of which are that of the exchange before.
type urlReader struct {
	text   string
	parsed url.URL
}

// parse makes a URL. Browsers send what Go refuses, to sites that are not ours. Such an exchange is kept, and is for no
// operation.
func (r *urlReader) parse(text string, old *url.URL) *url.URL {
	if text != r.text {
		r.text, r.parsed = text, url.URL{}
		if u, err := url.Parse(text); err == nil {
			r.parsed = *u
		}
	}
	if old == nil {
		old = new(url.URL)
	}
	*old = r.parsed
	return old
}
