package traffic

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// lineValue is a value in a line, which is valid JSON.
type lineValue struct {
	path string // of the names of members, for errors
	raw  []byte
	at   int64 // where it starts in the line
}

// valueError is an error about a value at an offset in the line.
type valueError struct {
	at  int64
	err error
}

func (f *valueError) Error() string { return f.err.Error() }

func (v lineValue) fail(text string) error {
	if v.path != "" {
		text = v.path + ": " + text
	}
	return &valueError{at: v.at, err: errors.New(text)}
}

// expected is the error about a value that is of another kind.
func (v lineValue) expected(want string) error {
	got := "a number"
	switch v.raw[0] {
	case '{':
		got = "an object"
	case '[':
		got = "an array"
	case '"':
		got = "a string"
	case 't', 'f':
		got = "a boolean"
	case 'n':
		got = "null"
	}
	return v.fail("expected " + want + ", got " + got)
}

func (v lineValue) text() (string, error) {
	var text string
	if v.raw[0] != '"' || json.Unmarshal(v.raw, &text) != nil {
		return "", v.expected("a string")
	}
	return text, nil
}

// named is v as the value of a member that is known, which errors then name.
func (v lineValue) named(name string) lineValue {
	if v.path != "" {
		name = v.path + "." + name
	}
	v.path = name
	return v
}

func (v lineValue) unknown(name string) error {
	return v.fail(fmt.Sprintf("unknown member %.40q", name))
}

// members calls each with the members of an object, no name of which may come twice, and returns the names. It leaves out
// those whose names are for others to use.
func (v lineValue) members(each func(name string, m lineValue) error) (map[string]bool, error) {
	seen := map[string]bool{}
	return seen, v.each(func(name string, m lineValue) error {
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

func (v lineValue) each(each func(name string, m lineValue) error) error {
	return v.inside('{', "an object", func(dec *json.Decoder) error {
		tok, err := dec.Token()
		if err != nil {
			return err
		}
		name, _ := tok.(string)
		m, err := v.next(dec)
		if err != nil {
			return err
		}
		return each(name, m)
	})
}

func (v lineValue) elements(each func(i int, m lineValue) error) error {
	i := -1
	return v.inside('[', "an array", func(dec *json.Decoder) error {
		m, err := v.next(dec)
		if err != nil {
			return err
		}
		i++
		return each(i, m)
	})
}

// inside calls each at every member or element of an object or array.
func (v lineValue) inside(open json.Delim, kind string, each func(dec *json.Decoder) error) error {
	dec := json.NewDecoder(bytes.NewReader(v.raw))
	if tok, err := dec.Token(); err != nil || tok != open {
		return v.expected(kind)
	}
	for dec.More() {
		if err := each(dec); err != nil {
			return err
		}
	}
	return nil
}

// next reads a value inside of v.
func (v lineValue) next(dec *json.Decoder) (lineValue, error) {
	var raw json.RawMessage
	err := dec.Decode(&raw)
	return lineValue{path: v.path, raw: raw, at: v.at + dec.InputOffset() - int64(len(raw))}, err
}
