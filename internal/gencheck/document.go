package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// document is the spec as a tree whose nodes have lines. Unlike a library for OpenAPI, it has numbers as they are written.
type document struct {
	file string // for messages
	root place
}

// place is a value of the spec.
type place struct {
	pointer string // RFC 6901
	node    *yaml.Node
}

func parseDocument(file string, text []byte) (*document, error) {
	var n yaml.Node
	if err := yaml.Unmarshal(text, &n); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(n.Content) != 1 || n.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s: expected an OpenAPI document", file)
	}
	return &document{file, place{"", n.Content[0]}}, nil
}

// errorAt returns an error that says where it is, and what to do.
func (d *document) errorAt(p place, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s: %s", d.file, p.node.Line, p.pointer, fmt.Sprintf(format, args...))
}

// entry is a property of an object of the spec.
type entry struct {
	key   string
	value place
}

// entries returns the properties of an object, or the items of a list, in their order in the file.
func (p place) entries() (list []entry) {
	if p.node == nil {
		return nil
	}
	add := func(key string, n *yaml.Node) {
		if n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		list = append(list, entry{key, place{p.pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key), n}})
	}
	switch p.node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(p.node.Content); i += 2 {
			add(p.node.Content[i].Value, p.node.Content[i+1])
		}
	case yaml.SequenceNode:
		for i, n := range p.node.Content {
			add(strconv.Itoa(i), n)
		}
	}
	return list
}

// at returns the value below p at keys; one without a node if there is none.
func (p place) at(keys ...string) place {
	for _, key := range keys {
		below := place{}
		for _, e := range p.entries() {
			if e.key == key {
				below = e.value
			}
		}
		p = below
	}
	return p
}

func (p place) exists() bool { return p.node != nil }

// text returns the text of a scalar, or "".
func (p place) text() string {
	if p.node == nil || p.node.Kind != yaml.ScalarNode {
		return ""
	}
	return p.node.Value
}

func (p place) isTrue() bool { return p.text() == "true" }

// resolve follows references.
func (d *document) resolve(p place) (place, error) {
	from := p
	for range 32 {
		ref := p.at("$ref")
		if !ref.exists() {
			return p, nil
		}
		pointer, inside := strings.CutPrefix(ref.text(), "#")
		if !inside {
			return p, d.errorAt(ref, "%q leads out of the file: put what it refers to into the file", ref.text())
		}
		p = d.root
		for key := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
			p = p.at(strings.NewReplacer("~1", "/", "~0", "~").Replace(key))
		}
		if !p.exists() {
			return p, d.errorAt(ref, "%q leads to nothing: correct it", ref.text())
		}
	}
	return p, d.errorAt(from, "the reference refers to itself: give it a schema")
}

var jsonNumber = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$`)

// json returns a value as JSON, numbers as they are written.
func (d *document) json(p place) (string, error) {
	switch p.node.Kind {
	case yaml.MappingNode, yaml.SequenceNode:
		var b strings.Builder
		brackets := "[]"
		if p.node.Kind == yaml.MappingNode {
			brackets = "{}"
		}
		b.WriteByte(brackets[0])
		for i, e := range p.entries() {
			if i > 0 {
				b.WriteByte(',')
			}
			if brackets == "{}" {
				b.WriteString(quoteJSON(e.key) + ":")
			}
			value, err := d.json(e.value)
			if err != nil {
				return "", err
			}
			b.WriteString(value)
		}
		b.WriteByte(brackets[1])
		return b.String(), nil
	}
	switch text := p.node.Value; p.node.Tag {
	case "!!null":
		return "null", nil
	case "!!bool":
		return strings.ToLower(text), nil
	case "!!int", "!!float":
		if !jsonNumber.MatchString(text) {
			return "", d.errorAt(p, "%s is not a number in JSON: write it in decimal, or in quotes if it is a string", text)
		}
		return text, nil
	default:
		return quoteJSON(text), nil
	}
}

func quoteJSON(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) //nolint:errchkjson // a string always has a JSON form
	return strings.TrimSuffix(b.String(), "\n")
}
