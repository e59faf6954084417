// Package yamltree parses a YAML or JSON document into a tree whose nodes have a line and a JSON pointer.
package yamltree

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

// Tree is an OpenAPI document. It is safe for concurrent use.
type Tree struct {
	Root  *yaml.Node
	index map[*yaml.Node]map[string]int // of the keys of large objects, such as components/schemas
}

// Parse parses one document, whose root must be an object. The error is an [*Error] if its line is known.
func Parse(text []byte) (*Tree, error) {
	var doc, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&doc); err != nil {
		return nil, fmt.Errorf("not YAML: %w", err)
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, &Error{Line: second.Line, Reason: "a second document in the file"}
	}
	if len(doc.Content) != 1 || Follow(doc.Content[0]).Kind != yaml.MappingNode {
		return nil, &Error{Line: 1, Reason: "expected an OpenAPI document, found no object"}
	}
	t := &Tree{Root: doc.Content[0], index: map[*yaml.Node]map[string]int{}}
	t.indexKeys(t.Root)
	return t, nil
}

// manyNodes is the number of keys and values from which an index of an object's keys is faster than a search.
const manyNodes = 64

// Follow returns the node that an alias refers to, or n.
func Follow(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// Child returns the node below n at an unescaped token of a JSON pointer, and the line of its key; nil and 0 without it.
func (t *Tree) Child(n *yaml.Node, token string) (*yaml.Node, int) {
	switch n = Follow(n); n.Kind {
	case yaml.MappingNode:
		if i := t.key(n, token); i >= 0 {
			return n.Content[i+1], n.Content[i].Line
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(n.Content) {
			return n.Content[i], n.Content[i].Line
		}
	}
	return nil, 0
}

// Node returns the node at a JSON pointer (RFC 6901), or nil.
func (t *Tree) Node(pointer string) *yaml.Node {
	n := t.Root
	for _, token := range strictjson.SplitPointer(pointer) {
		if n, _ = t.Child(n, token); n == nil {
			return nil
		}
	}
	return Follow(n)
}

// Line returns the line of the node at pointer, or of the deepest node on the path to it.
func (t *Tree) Line(pointer string) int {
	n, line := t.Root, t.Root.Line
	for _, token := range strictjson.SplitPointer(pointer) {
		next, at := t.Child(n, token)
		if next == nil {
			break
		}
		n, line = next, at
	}
	return line
}

// Below returns the pointer of a keyword of the object at pointer, or pointer if the object has no such keyword.
func (t *Tree) Below(pointer, keyword string) string {
	if at := pointer + "/" + keyword; t.Node(at) != nil {
		return at
	}
	return pointer
}

// Canonical returns the pointer without references: that of the place which the spec's references lead to.
func (t *Tree) Canonical(pointer string) string {
	at, n := "", t.Root
	for _, token := range strictjson.SplitPointer(pointer) {
		at, n = t.dereference(at, n)
		at += strictjson.Pointer(token)
		if n != nil {
			n, _ = t.Child(n, token)
		}
	}
	at, _ = t.dereference(at, n)
	return at
}

// ByName returns a pointer in which names replace the positions in lists, as positions change: of a required property, of
// a parameter with its place (query.page), of a criterion.
func (t *Tree) ByName(pointer string) string {
	tokens := strictjson.SplitPointer(pointer)
	n := t.Root
	for i := range tokens {
		list := Follow(n)
		if n, _ = t.Child(list, tokens[i]); n == nil {
			break
		}
		if i == 0 || list.Kind != yaml.SequenceNode {
			continue
		}
		name, _ := t.Child(n, "name")
		in, _ := t.Child(n, "in")
		switch parent := tokens[i-1]; {
		case parent == "required":
			tokens[i] = Follow(n).Value
		case parent == "parameters" && name != nil && in != nil:
			tokens[i] = Follow(in).Value + "." + Follow(name).Value
		case parent == "x-criteria" && name != nil:
			tokens[i] = name.Value
			return strictjson.Pointer(tokens...) // the rest is below the name
		}
	}
	return strictjson.Pointer(tokens...)
}

// DataKeywords are the keywords whose values are data, not objects of the spec.
var DataKeywords = []string{"example", "examples", "default", "enum", "value", "x-assumed"}

// named are the keywords whose keys are names instead of keywords.
var named = []string{"paths", "responses", "content", "headers", "properties", "schemas", "requestBodies", "parameters",
	"securitySchemes", "links", "callbacks", "encoding", "variables", "mapping", "scopes", "patternProperties"}

// WalkObjects calls visit for every object of a spec, except in examples and other data, and stops at the first error.
// names reports whether the keys of the object are names instead of keywords.
func (t *Tree) WalkObjects(visit func(at string, n *yaml.Node, names bool) error) error {
	return walk("", t.Root, false, visit)
}

func walk(at string, n *yaml.Node, names bool, visit func(at string, n *yaml.Node, names bool) error) error {
	switch n = Follow(n); n.Kind {
	case yaml.MappingNode:
		if err := visit(at, n, names); err != nil {
			return err
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if !names && slices.Contains(DataKeywords, key) {
				continue
			}
			// The keys of examples are names, too, such as default, but their values are data.
			if err := walk(at+strictjson.Pointer(key), n.Content[i+1], !names && slices.Contains(named, key), visit); err != nil {
				return err
			}
		}
	case yaml.SequenceNode:
		for i, e := range n.Content {
			if err := walk(at+strictjson.Pointer(strconv.Itoa(i)), e, false, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

// Error is a defect of a document.
type Error struct {
	Line    int    // from 1
	Pointer string // "" if unknown
	Reason  string
}

// Error returns the reason without the line.
func (e *Error) Error() string { return e.Reason }

func (t *Tree) indexKeys(n *yaml.Node) {
	if n.Kind == yaml.MappingNode && len(n.Content) >= manyNodes {
		index := make(map[string]int, len(n.Content)/2)
		for i := len(n.Content) - 2; i >= 0; i -= 2 {
			index[n.Content[i].Value] = i
		}
		t.index[n] = index
	}
	for _, below := range n.Content {
		t.indexKeys(below)
	}
}

// key returns the position of a key in an object, or -1.
func (t *Tree) key(n *yaml.Node, key string) int {
	if index := t.index[n]; index != nil {
		if i, found := index[key]; found {
			return i
		}
		return -1
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return i
		}
	}
	return -1
}

// dereference follows $ref. kin-openapi has checked that it resolves.
func (t *Tree) dereference(at string, n *yaml.Node) (string, *yaml.Node) {
	const maxChain = 32
	for range maxChain {
		if n == nil {
			break
		}
		ref, _ := t.Child(n, "$ref")
		if ref == nil || !strings.HasPrefix(ref.Value, "#/") {
			break
		}
		at = ref.Value[1:]
		n = t.Node(at)
	}
	return at, n
}

// Value reads a node as a JSON value.
func Value(n *yaml.Node) (strictjson.Value, error) {
	if n = Follow(n); n.Kind == yaml.ScalarNode && strictjson.IsNumber(n.Value) && (n.Tag == "!!int" || n.Tag == "!!float") {
		return strictjson.ParseValue([]byte(n.Value))
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return strictjson.Value{}, err
	}
	data, err := json.Marshal(v)
	if err != nil {
		return strictjson.Value{}, err
	}
	return strictjson.ParseValue(data)
}
