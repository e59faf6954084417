package traffic

import (
	"errors"
	"net/http"
	"net/textproto"
	"net/url"

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

// token consumes the next token, which must be of that kind.
func (r *jsonReader) token(kind strictjson.Kind) (strictjson.Token, error) {
	t, err := r.dec.Next()
	if err == nil && t.Kind != kind {
		err = failValue(t.Offset, "expected "+jsonTypes[kind]+", got "+jsonTypes[t.Kind])
	}
	return t, err
}

// text consumes a string.
func (r *jsonReader) text() ([]byte, error) {
	t, err := r.token('"')
	if err != nil {
		return nil, err
	}
	return strictjson.Unquote(t.Raw), nil
}

func (r *jsonReader) string() (string, error) {
	text, err := r.text()
	return string(text), err
}

// bytes consumes a string, and returns its text in memory of its own, or nil if it is empty.
func (r *jsonReader) bytes() ([]byte, error) {
	t, err := r.token('"')
	if err != nil || len(t.Raw) == 2 {
		return nil, err
	}
	return strictjson.AppendText(make([]byte, 0, len(t.Raw)), t.Raw), nil
}

// object consumes an object. It calls property for each property, which must consume the value, with the name as it is in
// names, or with "" for another name, which is key.
func (r *jsonReader) object(names []string, property func(name string, key []byte) error) error {
	if _, err := r.token('{'); err != nil {
		return err
	}
	for r.dec.More() {
		key, err := r.text()
		if err != nil {
			return err
		}
		known := ""
		for _, name := range names {
			if string(key) == name {
				known = name
				break
			}
		}
		if err := property(known, key); err != nil {
			return within(known, err)
		}
		if r.dec.Offset() > r.max {
			return strictjson.ErrTooLarge
		}
	}
	_, err := r.dec.Next()
	return err
}

// array consumes an array. It calls element for each element, which must consume it.
func (r *jsonReader) array(element func() error) error {
	if _, err := r.token('['); err != nil {
		return err
	}
	for r.dec.More() {
		if err := element(); err != nil {
			return err
		}
		if r.dec.Offset() > r.max {
			return strictjson.ErrTooLarge
		}
	}
	_, err := r.dec.Next()
	return err
}

// quoted shows the first characters of a name.
func quoted(name string) string {
	if runes := []rune(name); len(runes) > 40 {
		name = string(runes[:40])
	}
	return printable.Quote(name)
}

// fieldReader collects the fields of a header. The values of a header share one string, and names that were met before
// cost no memory.
type fieldReader struct {
	known  map[string]string // canonical names, by the name as it is recorded
	names  []string          // "" for a field that is left out
	values []byte
	ends   []int // of each value
}

// maxNames bounds the names that are remembered, and maxName their length: some servers make names up.
const maxNames, maxName = 1000, 100

// begin begins a field.
func (f *fieldReader) begin() {
	f.names, f.ends = append(f.names, ""), append(f.ends, len(f.values))
}

// setName sets the name of the field. The pseudo headers of HTTP/2 and HTTP/3 are left out.
func (f *fieldReader) setName(name []byte) {
	canonical := ""
	if len(name) > 0 && name[0] != ':' {
		canonical = f.canonical(name)
	}
	f.names[len(f.names)-1] = canonical
}

// setValue sets the value of the field, a string token.
func (f *fieldReader) setValue(raw []byte) {
	last := len(f.ends) - 1
	start := 0
	if last > 0 {
		start = f.ends[last-1]
	}
	f.values = strictjson.AppendText(f.values[:start], raw)
	f.ends[last] = len(f.values)
}

func (f *fieldReader) canonical(name []byte) string {
	if known, ok := f.known[string(name)]; ok {
		return known
	}
	canonical := textproto.CanonicalMIMEHeaderKey(string(name))
	if len(name) <= maxName && len(f.known) < maxNames {
		if f.known == nil {
			f.known = map[string]string{}
		}
		f.known[string(name)] = canonical
	}
	return canonical
}

// reset forgets the fields.
func (f *fieldReader) reset() { f.names, f.values, f.ends = f.names[:0], f.values[:0], f.ends[:0] }

// header returns the header of the fields.
func (f *fieldReader) header() http.Header {
	header := make(http.Header, len(f.names))
	all, start := string(f.values), 0
	values := make([]string, len(f.names))
	for i, name := range f.names {
		values[i] = all[start:f.ends[i]]
		start = f.ends[i]
		if before := header[name]; before != nil {
			header[name] = append(before, values[i])
		} else if name != "" {
			header[name] = values[i : i+1 : i+1]
		}
	}
	return header
}

// parseURL makes the URL of an exchange. Browsers send what Go refuses, to sites that are not ours. Such an exchange is
// kept, and is for no operation.
func parseURL(text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil {
		return new(url.URL)
	}
	return u
}
