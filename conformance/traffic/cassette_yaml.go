package traffic

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// yamlValue is a value of a YAML document. It is read by hand, as the errors of the decoder hold values.
type yamlValue struct {
	path string // of the names that lead to it, for errors
	node *yaml.Node
}

// yamlError is an error about a place in a document, both of whose coordinates are from 1.
type yamlError struct {
	line, column int
	err          error
}

func (f *yamlError) Error() string { return f.err.Error() }

func (f *yamlError) Unwrap() error { return f.err }

// locate takes the place out of an error, as an offset in the text.
func locate(text []byte, err error) (int64, error) {
	var fault *yamlError
	if !errors.As(err, &fault) {
		return 0, err
	}
	at := 0
	for range fault.line - 1 {
		i := bytes.IndexByte(text[at:], '\n')
		if i < 0 {
			break
		}
		at += i + 1
	}
	for range fault.column - 1 {
		_, size := utf8.DecodeRune(text[at:])
		at += size
	}
	return int64(at), fault.err
}

// parseYAML parses a text that is one document. The value has no node if there is none.
func parseYAML(text []byte) (yamlValue, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	var doc, other yaml.Node
	err := d.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return yamlValue{}, nil
	}
	if err == nil {
		if err = d.Decode(&other); err == nil {
			return yamlValue{}, &yamlError{line: other.Line, column: other.Column, err: errors.New("a second YAML document")}
		}
	}
	if !errors.Is(err, io.EOF) {
		return yamlValue{}, yamlSyntax(text, err)
	}
	if len(doc.Content) != 1 {
		return yamlValue{}, nil
	}
	return yamlValue{node: doc.Content[0]}, nil
}

// yamlSyntax words an error of the parser without what it quotes of the text.
func yamlSyntax(text []byte, err error) error {
	var fault *yaml.LoadError
	if !errors.As(err, &fault) {
		return errors.New("not valid YAML")
	}
	found := &yamlError{line: fault.Mark.Line, column: fault.Mark.Column, err: errors.New("not valid YAML")}
	if found.line == 0 { // the reader of characters knows the offset only
		before := text[:min(len(text), max(0, fault.Mark.Index))]
		found.line = bytes.Count(before, []byte("\n")) + 1
		found.column = utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	}
	switch fault.Stage {
	case yaml.ReaderStage, yaml.ScannerStage, yaml.ParserStage:
		found.err = fmt.Errorf("not valid YAML: %s", fault.Message)
	case yaml.ComposerStage:
		found.err = errors.New("not valid YAML: an alias without its anchor")
	}
	return found
}

func (v yamlValue) fail(err error) error {
	fault := &yamlError{line: 1, column: 1, err: err}
	if v.path != "" {
		fault.err = fmt.Errorf("%s: %w", v.path, err)
	}
	if v.node != nil {
		fault.line, fault.column = v.node.Line, v.node.Column
	}
	return fault
}

// expected is the error about a value that is of another kind.
func (v yamlValue) expected(want string) error {
	got := "a text"
	switch {
	case v.isNull():
		got = "nothing"
	case v.node.Kind == yaml.MappingNode:
		got = "a mapping"
	case v.node.Kind == yaml.SequenceNode:
		got = "a list"
	case v.node.Kind == yaml.AliasNode:
		got = "an alias, which is not supported"
	}
	return v.fail(errors.New("expected " + want + ", got " + got))
}

func (v yamlValue) isNull() bool {
	return v.node == nil || v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == "!!null"
}

// members calls each with the members of a mapping, no key of which may come twice.
func (v yamlValue) members(each func(key string, m yamlValue) error) error {
	if v.node == nil || v.node.Kind != yaml.MappingNode {
		return v.expected("a mapping")
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		name := yamlValue{path: v.path, node: v.node.Content[i]}
		key, err := name.text()
		switch {
		case err != nil:
			return err
		case name.node.ShortTag() == "!!merge":
			return name.fail(errors.New("a merge of mappings, which is not supported"))
		case seen[key]:
			return name.fail(errors.New("a second member " + quoted(key)))
		}
		seen[key] = true
		if err := each(key, yamlValue{path: v.path, node: v.node.Content[i+1]}); err != nil {
			return err
		}
	}
	return nil
}

// named is v as the value of a member that is known, which errors then name.
func (v yamlValue) named(name string) yamlValue {
	if v.path != "" {
		name = v.path + "." + name
	}
	v.path = name
	return v
}

// elements returns the elements of a list.
func (v yamlValue) elements() ([]*yaml.Node, error) {
	if v.node == nil || v.node.Kind != yaml.SequenceNode {
		return nil, v.expected("a list")
	}
	return v.node.Content, nil
}

// text returns a scalar, whatever its type, as it is written.
func (v yamlValue) text() (string, error) {
	switch {
	case v.isNull():
		return "", nil
	case v.node.Kind != yaml.ScalarNode:
		return "", v.expected("a text")
	case v.node.ShortTag() != "!!binary":
		return v.node.Value, nil
	}
	// The decoder passes over line breaks, but not over the blanks that folded lines have.
	text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(v.node.Value), ""))
	if err != nil {
		return "", v.fail(err)
	}
	return string(text), nil
}

func (v yamlValue) integer() (int64, error) {
	if v.isNull() || v.node.Kind != yaml.ScalarNode || v.node.ShortTag() != "!!int" {
		return 0, v.expected("an integer")
	}
	n, err := strconv.ParseInt(v.node.Value, 10, 64)
	if err != nil {
		return 0, v.fail(errors.New("expected an integer in decimal digits, of 64 bits"))
	}
	return n, nil
}
