package traffic

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

// jsonValue is a value in an entry or a line, which is valid JSON.
type jsonValue struct {
	path string // of the names of members, for errors
	raw  []byte
	at   int64 // where it starts in the entry or line
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
	if v.path != "" {
		text = v.path + ": " + text
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
	return strictjson.Unquote(v.raw), nil
}

// named is v as the value of a member that is known, which errors then name.
func (v jsonValue) named(name string) jsonValue {
	if v.path != "" {
		name = v.path + "." + name
	}
	v.path = name
	return v
}

func (v jsonValue) unknown(name string) error {
	return v.fail(fmt.Sprintf("unknown member %.40q", name))
}

// members calls each with the members of an object, no name of which may come twice, and returns the names. It leaves out
// those whose names are for others to use.
func (v jsonValue) members(each func(name string, m jsonValue) error) (map[string]bool, error) {
	seen := map[string]bool{}
	return seen, v.each(func(name string, m jsonValue) error {
		if strings.HasPrefix(name, "x-") || strings.HasPrefix(name, "_") {
			return nil
		}
		if seen[name] {
			return m.fail(fmt.Sprintf("a second member %.40q", name))
		}
		seen[name] = true
		return each(name, m)
	})
}

func (v jsonValue) each(each func(name string, m jsonValue) error) error {
	return v.inside('{', func(d *strictjson.Decoder) error {
		name, err := d.Next()
		if err != nil {
			return err
		}
		text := strictjson.Unquote(name.Raw)
		m, err := v.next(d)
		if err != nil {
			return err
		}
		return each(text, m)
	})
}

func (v jsonValue) elements(each func(i int, m jsonValue) error) error {
	i := -1
	return v.inside('[', func(d *strictjson.Decoder) error {
		m, err := v.next(d)
		if err != nil {
			return err
		}
		i++
		return each(i, m)
	})
}

// inside calls each at every member or element of an object or array.
func (v jsonValue) inside(open strictjson.Kind, each func(d *strictjson.Decoder) error) error {
	d := strictjson.NewDecoder(v.raw)
	if token, err := d.Next(); err != nil || token.Kind != open {
		return v.expected(jsonTypes[byte(open)])
	}
	for d.More() {
		if err := each(d); err != nil {
			return err
		}
	}
	return nil
}

// next reads a value inside of v.
func (v jsonValue) next(d *strictjson.Decoder) (jsonValue, error) {
	raw, at, err := d.Value()
	return jsonValue{path: v.path, raw: raw, at: v.at + at}, err
}
