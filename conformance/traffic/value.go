package traffic

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// jsonValue is a value in an entry or a line, which is valid JSON.
type jsonValue struct {
	in   *jsonPath // what it stands in
	name string    // in that, if it is a member that errors name
	raw  []byte
	at   int64 // where it starts in the entry or line
}

// jsonPath is made into a text only for an error.
type jsonPath struct {
	in   *jsonPath
	name string
}

func (p *jsonPath) text(name string) string {
	for ; p != nil; p = p.in {
		switch {
		case name == "":
			name = p.name
		case p.name != "":
			name = p.name + "." + name
		}
	}
	return name
}

// parseJSON returns the value that a text consists of. With an error comes the offset of the first byte that is wrong.
func parseJSON(text []byte) (jsonValue, int64, error) {
	d := strictjson.NewDecoder(text)
	raw, at, err := d.Value()
	if err == nil {
		err = d.End()
	}
	var fault *strictjson.Error
	switch {
	case errors.As(err, &fault):
		return jsonValue{}, fault.Offset, fault.Err
	case !utf8.Valid(text):
		return jsonValue{}, int64(invalidUTF8(text)), errors.New("not valid UTF-8")
	}
	return jsonValue{raw: raw, at: at}, 0, nil
}

// invalidUTF8 returns the index of the first byte of b that is not valid UTF-8.
func invalidUTF8(b []byte) int {
	i := 0
	for i < len(b) {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		i += size
	}
	return i
}

// valueError is an error about a value at an offset in the entry or line.
type valueError struct {
	at  int64
	err error
}

func (f *valueError) Error() string { return f.err.Error() }

func (v jsonValue) fail(text string) error {
	if path := v.in.text(v.name); path != "" {
		text = path + ": " + text
	}
	return &valueError{at: v.at, err: errors.New(text)}
}

// expected is the error about a value that is of another type.
func (v jsonValue) expected(want string) error {
	return v.fail("expected " + want + ", got " + jsonTypes[v.raw[0]])
}

// jsonTypes names types by the first byte of a value.
var jsonTypes = [256]string{
	'{': "an object", '[': "an array", '"': "a string", 't': "a boolean", 'f': "a boolean", 'n': "null", '-': "a number",
	'0': "a number", '1': "a number", '2': "a number", '3': "a number", '4': "a number", '5': "a number", '6': "a number",
	'7': "a number", '8': "a number", '9': "a number",
}

func (v jsonValue) isNull() bool { return v.raw[0] == 'n' }

func (v jsonValue) text() (string, error) {
	if v.raw[0] != '"' {
		return "", v.expected("a string")
	}
	return string(strictjson.Unquote(v.raw)), nil
}

// named is v as the value of a member that is known, which errors then name.
func (v jsonValue) named(name string) jsonValue {
	v.name = name
	return v
}

// quoted shows the first characters of a name.
func quoted(name string) string {
	if runes := []rune(name); len(runes) > 40 {
		name = string(runes[:40])
	}
	return printable.Quote(name)
}

func (v jsonValue) unknown(name string) error {
	return v.fail("unknown member " + quoted(name))
}

// members calls each with the members of an object, no name of which may come twice, and returns the names. It leaves out
// those whose names are for others to use.
func (v jsonValue) members(each func(name string, m jsonValue) error) (map[string]bool, error) {
	seen := map[string]bool{}
	return seen, v.each(func(text []byte, m jsonValue) error {
		name := string(text)
		if strings.HasPrefix(name, "x-") || strings.HasPrefix(name, "_") {
			return nil
		}
		if seen[name] {
			return m.fail("a second member " + quoted(name))
		}
		seen[name] = true
		return each(name, m)
	})
}

// each calls one with the members of an object.
func (v jsonValue) each(one func(name []byte, m jsonValue) error) error { return v.inside('{', one) }

// elements calls one with the elements of an array.
func (v jsonValue) elements(one func(i int, m jsonValue) error) error {
	i := -1
	return v.inside('[', func(_ []byte, m jsonValue) error {
		i++
		return one(i, m)
	})
}

// inside calls one with what is in an object or array.
func (v jsonValue) inside(open strictjson.Kind, one func(name []byte, m jsonValue) error) error {
	d := strictjson.NewDecoder(v.raw)
	if token, err := d.Next(); err != nil || token.Kind != open {
		return v.expected(jsonTypes[byte(open)])
	}
	in := &jsonPath{v.in, v.name}
	for d.More() {
		var name strictjson.Token
		var err error
		if open == '{' {
			if name, err = d.Next(); err != nil {
				return err
			}
			name.Raw = strictjson.Unquote(name.Raw)
		}
		raw, at, err := d.Value()
		if err != nil {
			return err
		}
		if err := one(name.Raw, jsonValue{in: in, raw: raw, at: v.at + at}); err != nil {
			return err
		}
	}
	return nil
}
