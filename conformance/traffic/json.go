package traffic

import (
	"bytes"
	"errors"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// jsonReader reads the values of exchanges token by token. It may read from a stream, so what the decoder returns is
// valid only until its next call.
type jsonReader struct {
	dec    *strictjson.Decoder
	start  int64 // the offset of the exchange that is being read
	max    int64 // the offset that its values may reach
	fields fieldReader
	urls   urlReader

	strings map[string]string
	scratch []byte // for a text
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

// within adds the name of the property whose value an error is about.
func within(name string, err error) error {
	if fault, ok := errors.AsType[*valueError](err); ok && name != "" {
		if fault.path != "" {
			name += "."
		}
		fault.path = name + fault.path
	}
	return err
}

// placeOf returns the offset of an error, and its cause.
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

// jsonTypes names types by the kind of a token.
var jsonTypes = map[strictjson.Kind]string{'{': "an object", '[': "an array", '"': "a string", 't': "a boolean", 'f': "a boolean",
	'n': "null", '0': "a number"}

// token consumes the next token, which must be of that kind, and returns how it is written.
func (r *jsonReader) token(want strictjson.Kind) ([]byte, error) {
	kind, raw, err := r.dec.Read()
	if err == nil && kind != want {
		err = failValue(r.dec.Offset()-int64(len(raw)), "expected "+jsonTypes[want]+", got "+jsonTypes[kind])
	}
	return raw, err
}

// text consumes a string. The text is valid until the next call of any method.
func (r *jsonReader) text() ([]byte, error) {
	var err error
	r.scratch, err = r.appendText(r.scratch[:0])
	return r.scratch, err
}

// appendText consumes a string, and appends its text.
func (r *jsonReader) appendText(dst []byte) ([]byte, error) {
	if kind, err := r.dec.Peek(); err != nil || kind != '"' {
		_, err = r.token('"') // what is wrong
		return dst, err
	}
	return r.dec.AppendText(dst)
}

// string consumes a string. Those that are short are remembered, as most come again.
func (r *jsonReader) string() (string, error) {
	text, err := r.text()
	if known, ok := r.strings[string(text)]; ok || err != nil {
		return known, err
	}
	s := string(text)
	if len(s) <= maxName && len(r.strings) < maxNames {
		r.strings[s] = s
	}
	return s, nil
}

// bytes consumes a string, and returns its text in the memory of old unless that is nil, and nil if both are empty.
func (r *jsonReader) bytes(old []byte) ([]byte, error) {
	if old != nil {
		return r.appendText(old[:0])
	}
	text, err := r.text()
	return append(old, text...), err
}

// shape is the properties of a kind of object that are read.
type shape struct {
	once   bool // a name that comes twice is an error, and a null is a value; otherwise a null is as if it were absent
	closed bool // another name is an error, unless it is for others to use; the decoder has all of the text then
	start  place
	places []place // of the properties
}

func newShape(names ...string) *shape {
	s := &shape{places: make([]place, len(names))}
	for i, name := range names {
		s.places[i].name = name
	}
	return s
}

// place is a property or header field of a recording, with what came behind it the last time. Recorders write the same
// over and over, so it is likely to come again.
type place struct {
	name    string
	passing bool   // it is not remembered itself
	next    *place // of those that are remembered
	between []byte // the text from behind its value up to that of next

	// Of a header field:
	value  string // the last one
	raw    []byte // as it was written
	header int    // the last header that had it
}

// maxBetween bounds the texts that are remembered.
const maxBetween = 1000

// learn remembers what came behind it.
func (p *place) learn(next *place, between []byte) {
	if !p.passing && !next.passing && 0 < len(between) && len(between) <= maxBetween {
		p.next, p.between = next, append(p.between[:0], between...)
	}
}

// object consumes an object. It calls read for the value of each property that the shape has, which is at that offset.
func (r *jsonReader) object(s *shape, read func(name string, at int64) error) error {
	if null, err := r.skipNull(s); null || err != nil {
		return err
	}
	if _, err := r.token('{'); err != nil {
		return err
	}
	return r.properties(s, &s.start, read)
}

// skipNull consumes a null that is as if it were absent, if that is what is next.
func (r *jsonReader) skipNull(s *shape) (bool, error) {
	kind, err := r.dec.Peek()
	if err != nil || kind != 'n' || s.once {
		return false, err
	}
	return true, r.dec.Skip()
}

// properties consumes the object that is open, behind a property.
func (r *jsonReader) properties(s *shape, p *place, read func(name string, at int64) error) error {
	var seen []*place
	for {
		next, err := r.property(s, p)
		if err != nil || next == nil {
			return err
		}
		at := r.dec.Offset()
		if s.once && slices.Contains(seen, next) {
			return within(next.name, failValue(at, "given twice"))
		}
		if s.once {
			seen = append(seen, next)
		}
		err = read(next.name, at)
		switch p = next; {
		case err != nil:
			return within(p.name, err)
		case r.dec.Offset() > r.max:
			return strictjson.ErrTooLarge
		}
	}
}

// property consumes the object that is open up to the value of the next property of the shape, or up to its end; then it
// returns nil. A "text" that is null is a value, too.
func (r *jsonReader) property(s *shape, before *place) (*place, error) {
	start := r.dec.Offset()
	p := before.next
	again := p != nil && r.dec.Again(before.between, false)
	for ; ; again = false {
		var key []byte
		if !again {
			kind, raw, err := r.dec.Read()
			if err != nil || kind == '}' {
				return nil, err
			}
			key = r.dec.Text(raw)
			p = s.find(key)
		}
		kind, err := r.dec.Peek()
		switch {
		case err != nil:
			return nil, err
		case p != nil && (s.once || kind != 'n' || p.name == "text"):
			if !again {
				before.learn(p, r.dec.Since(start))
			}
			return p, nil
		case p == nil && s.closed && !bytes.HasPrefix(key, []byte("x-")) && !bytes.HasPrefix(key, []byte("_")):
			return nil, failValue(r.dec.Offset(), "unknown property "+quoted(string(key)))
		}
		if err := r.dec.Skip(); err != nil {
			return nil, err
		}
	}
}

func (s *shape) find(name []byte) *place {
	for i := range s.places {
		if string(name) == s.places[i].name {
			return &s.places[i]
		}
	}
	return nil
}

// array consumes an array. It calls read for each element.
func (r *jsonReader) array(read func() error) error {
	if _, err := r.token('['); err != nil {
		return err
	}
	for {
		if more, err := r.element(); !more {
			return err
		}
		if err := read(); err != nil {
			return err
		}
	}
}

// element reports whether the array that is open has another element. It consumes the end of the array.
func (r *jsonReader) element() (bool, error) {
	if !r.dec.More() {
		_, err := r.dec.Next()
		return false, err
	}
	if r.dec.Offset() > r.max {
		return false, strictjson.ErrTooLarge
	}
	return true, nil
}

// quoted shows the first characters of a name.
func quoted(name string) string {
	if runes := []rune(name); len(runes) > 40 {
		name = string(runes[:40])
	}
	return printable.Quote(name)
}

// fieldNames remembers the names of fields, by how they are recorded. The name of the place is the canonical one.
type fieldNames struct {
	start place // before the first field
	known map[string]*place
}

// fieldReader collects the fields of a header.
type fieldReader struct {
	list    []field
	slab    []string // where values are allocated together
	headers int      // how many were read
}

// field is a field of a header; one whose place has no name is left out.
type field struct {
	*place

	value string
}

// maxNames bounds the names and strings that are remembered, and maxName their length: some servers make names up.
const maxNames, maxName = 1000, 100

// find returns the place of a field. The pseudo headers of HTTP/2 and HTTP/3, which are left out, have an empty name.
func (n *fieldNames) find(name []byte) *place {
	if p := n.known[string(name)]; p != nil {
		return p
	}
	p := &place{passing: len(name) > maxName || len(n.known) == maxNames}
	if len(name) > 0 && name[0] != ':' {
		p.name = textproto.CanonicalMIMEHeaderKey(string(name))
	}
	if n.known == nil {
		n.known = map[string]*place{}
	}
	if same := n.known[p.name]; same != nil && p.name != "" {
		p = same // written otherwise
	}
	if !p.passing {
		n.known[string(name)] = p
	}
	return p
}

// value consumes a string, and sets it as the value of the last field of the list. Most values are as they were before.
func (r *jsonReader) value() error {
	f := &r.fields.list[len(r.fields.list)-1]
	if f.raw != nil && r.dec.AgainString(f.raw) {
		f.value = f.place.value
		return nil
	}
	raw, err := r.token('"')
	if err != nil {
		return err
	}
	f.value = string(r.dec.Text(raw))
	if len(raw) <= maxBetween {
		f.place.value, f.raw = f.value, append(f.raw[:0], raw...)
	}
	return nil
}

// header returns the header of the fields, in the memory of old unless that is nil. In most recordings, the names are those
// of the exchange before.
func (r *fieldReader) header(old http.Header) http.Header {
	r.headers++
	n, distinct := 0, true
	for _, f := range r.list {
		if f.name != "" {
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
	if cap(r.slab)-len(r.slab) < n {
		r.slab = make([]string, 0, max(n, 256))
	}
	for _, f := range r.list {
		if f.name == "" {
			continue
		}
		if before := old[f.name]; before != nil {
			old[f.name] = append(before, f.value)
			continue
		}
		r.slab = append(r.slab, f.value)
		old[f.name] = r.slab[len(r.slab)-1 : len(r.slab) : len(r.slab)]
	}
	return old
}

// overwrite sets the values of a header and reports whether it has the names of the list, which are distinct and as many.
func (r *fieldReader) overwrite(header http.Header) bool {
	for _, f := range r.list {
		if f.name == "" {
			continue
		}
		values := header[f.name]
		if len(values) != 1 {
			return false
		}
		values[0] = f.value
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
