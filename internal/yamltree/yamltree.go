// Package yamltree parses a document, such as an OpenAPI document, YAML or JSON, into a tree whose nodes have a line and a JSON pointer. A
// reference may lead to other files, which become parts of the tree.
package yamltree

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// Tree is an OpenAPI document. It is safe for concurrent use once its references are resolved.
type Tree struct {
	Root *Node

	name    string                            // of the file of Root
	open    func(name string) ([]byte, error) // nil if references must stay inside the file
	files   map[string]*Node                  // the roots of other files
	texts   map[string][]byte
	targets map[*Node]string           // of the resolved references
	index   map[*Node]map[string]int32 // of the keys of large objects, such as components/schemas
	keys    map[string]bool            // all that occur
}

// Node is a value of a document. A node that several YAML aliases refer to is in several places.
type Node struct {
	Type strictjson.Type
	Line int32
	// Text is a string's text, or the JSON text of a number, of a boolean or of null.
	Text    string
	Entries []Entry // of an object or an array
}

// Entry is a property of an object, or an item of an array, which has no key.
type Entry struct {
	*Node

	Key  string
	Line int32
}

// Scalar reports whether a node is neither an object nor an array.
func (n *Node) Scalar() bool { return n.Type < strictjson.Array }

// Error is a defect of a document.
type Error struct {
	File   string // "" for the file of the root
	Line   int    // from 1
	Reason string
}

// Error returns the reason without the line.
func (e *Error) Error() string { return e.Reason }

// Parse parses one document. Its references may lead to the files that open reads, by names
// relative to the folder of the document, which is name itself; a nil open means that they may not. The error is an
// [*Error].
func Parse(text []byte, name string, open func(name string) ([]byte, error)) (*Tree, error) {
	t := &Tree{name: name, open: open, files: map[string]*Node{}, texts: map[string][]byte{}, targets: map[*Node]string{},
		index: map[*Node]map[string]int32{}, keys: map[string]bool{}}
	var err error
	if t.Root, err = t.parse(text); err != nil {
		return nil, err
	}
	t.texts[""] = text
	return t, nil
}

// Files returns the sorted names of the files that references led to.
func (t *Tree) Files() []string { return slices.Sorted(maps.Keys(t.files)) }

// Text returns the content of one of the Files, or by the name "" of the document itself.
func (t *Tree) Text(name string) []byte { return t.texts[name] }

// SHA256 returns the hash, in hexadecimal, of the document, and of the names and contents of the Files.
func (t *Tree) SHA256() string {
	h := sha256.New()
	_, _ = h.Write(t.texts[""])
	for _, name := range t.Files() {
		_, _ = fmt.Fprintf(h, "\n%s\n", name)
		_, _ = h.Write(t.texts[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// HasKey reports whether an object of the tree has the key.
func (t *Tree) HasKey(key string) bool { return t.keys[key] }

// manyEntries is the number of entries from which an index of an object's keys is faster than a search.
const manyEntries = 32

// Child returns the node below n at an unescaped token of a JSON pointer, and the line of its key; nil and 0 without it.
func (t *Tree) Child(n *Node, token string) (*Node, int) {
	switch n.Type {
	case strictjson.Object:
		if i := t.find(n, token); i >= 0 {
			return n.Entries[i].Node, int(n.Entries[i].Line)
		}
		if n == t.Root && t.files[token] != nil {
			return t.files[token], int(t.files[token].Line)
		}
	case strictjson.Array:
		if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(n.Entries) {
			return n.Entries[i].Node, int(n.Entries[i].Line)
		}
	}
	return nil, 0
}

// Node returns the node at a JSON pointer, or nil. The first token of a pointer into another file is the file's name.
func (t *Tree) Node(pointer string) *Node {
	n, _ := t.descend(pointer)
	return n
}

// Line returns the line of the node at pointer, or of the deepest node on the path to it.
func (t *Tree) Line(pointer string) int {
	_, line := t.descend(pointer)
	return line
}

// File returns the file of the node at pointer, or "" for that of the root.
func (t *Tree) File(pointer string) string {
	if len(t.files) == 0 || pointer == "" {
		return ""
	}
	first, _, _ := strings.Cut(pointer[1:], "/")
	if first = unescape(first); t.files[first] != nil {
		return first
	}
	return ""
}

// Below returns the pointer of a keyword of the object at pointer, or pointer if the object has no such keyword.
func (t *Tree) Below(pointer, keyword string) string {
	if at := pointer + "/" + keyword; t.Node(at) != nil {
		return at
	}
	return pointer
}

// Resolve returns the pointer that the reference in ref, a URI reference at the pointer at, leads to, and writes it into ref.
// It reads the file that the reference names, below the folder of the document. The error says why there is no such node,
// and is an [*Error] if the file is not valid.
func (t *Tree) Resolve(at string, ref *Node) (string, error) {
	if target, known := t.targets[ref]; known {
		return target, nil
	}
	file, fragment, _ := strings.Cut(ref.Text, "#")
	file, errFile := url.PathUnescape(file)
	fragment, errFragment := url.PathUnescape(fragment)
	if errFile != nil || errFragment != nil || fragment != "" && fragment[0] != '/' {
		return "", fmt.Errorf("%q is not a file, # and a JSON pointer", ref.Text)
	}
	pointer := fragment
	if name := t.fileName(at, file); name != t.name {
		if err := t.add(name, file); err != nil {
			return "", err
		}
		pointer = strictjson.Pointer(name) + fragment
	}
	if n := t.Node(pointer); n == nil {
		return "", fmt.Errorf("there is nothing at %q", ref.Text)
	}
	t.targets[ref], ref.Text = pointer, "#"+pointer
	return pointer, nil
}

// dataKeywords are the keywords whose values are data, not objects of the spec.
var dataKeywords = []string{"example", "examples", "default", "enum", "value", "x-assumed"}

// named are the keywords whose keys are names instead of keywords.
var named = []string{"paths", "responses", "content", "headers", "properties", "schemas", "requestBodies", "parameters",
	"securitySchemes", "links", "callbacks", "encoding", "variables", "mapping", "scopes", "patternProperties"}

// WalkObjects calls visit for every object of a spec, except in examples and other data. names reports whether the keys of
// the object are names instead of keywords.
func (t *Tree) WalkObjects(visit func(at string, n *Node, names bool)) {
	walk("", t.Root, false, visit)
	for _, name := range t.Files() {
		walk(strictjson.Pointer(name), t.files[name], false, visit)
	}
}

func walk(at string, n *Node, names bool, visit func(at string, n *Node, names bool)) {
	if n.Type == strictjson.Object {
		visit(at, n, names)
	}
	for i, e := range n.Entries {
		if e.Scalar() || n.Type == strictjson.Object && !names && slices.Contains(dataKeywords, e.Key) {
			continue
		}
		token := e.Key
		if n.Type == strictjson.Array {
			token = strconv.Itoa(i)
		}
		// The keys of examples are names, too, such as default, but their values are data.
		below := n.Type == strictjson.Object && !names && slices.Contains(named, e.Key)
		walk(at+strictjson.Pointer(token), e.Node, below, visit)
	}
}

// ByName returns a pointer in which names replace the positions in lists, as positions change: of a required property, of
// a parameter with its place (query.page), of a criterion.
func (t *Tree) ByName(pointer string) string {
	if !strings.Contains(pointer, "/required/") && !strings.Contains(pointer, "/parameters/") && !strings.Contains(pointer, "/x-criteria/") {
		return pointer
	}
	tokens := strictjson.SplitPointer(pointer)
	n := t.Root
	for i := range tokens {
		list := n
		if n, _ = t.Child(list, tokens[i]); n == nil {
			break
		}
		if i == 0 || list.Type != strictjson.Array {
			continue
		}
		name, _ := t.Child(n, "name")
		in, _ := t.Child(n, "in")
		switch parent := tokens[i-1]; {
		case parent == "required":
			tokens[i] = n.Text
		case parent == "parameters" && name != nil && in != nil:
			tokens[i] = in.Text + "." + name.Text
		case parent == "x-criteria" && name != nil:
			tokens[i] = name.Text
			return strictjson.Pointer(tokens...) // the rest is below the name
		}
	}
	return strictjson.Pointer(tokens...)
}

// MaxChain is the maximum number of references from one to the next.
const MaxChain = 32

// Dereference returns the place that the reference in a node leads to, over others, or the place itself if it has none. n may
// be nil. It needs the references to be resolved; another one, as extensions may have, is no reference.
func (t *Tree) Dereference(at string, n *Node) (string, *Node) {
	for range MaxChain {
		if n == nil || n.Type != strictjson.Object {
			break
		}
		ref, _ := t.Child(n, "$ref")
		if ref == nil || ref.Type != strictjson.String || !strings.HasPrefix(ref.Text, "#/") {
			break
		}
		target := t.Node(ref.Text[1:])
		if target == nil {
			break
		}
		at, n = ref.Text[1:], target
	}
	return at, n
}

// find returns the position of a key in an object, or -1.
func (t *Tree) find(n *Node, key string) int {
	if len(n.Entries) >= manyEntries {
		if i, found := t.index[n][key]; found {
			return int(i)
		}
		return -1
	}
	for i := range n.Entries {
		if n.Entries[i].Key == key {
			return i
		}
	}
	return -1
}

// descend returns the node at a JSON pointer (RFC 6901), or nil, and the line of the deepest node on the path to it.
func (t *Tree) descend(pointer string) (n *Node, line int) {
	n, line = t.Root, int(t.Root.Line)
	for pointer != "" {
		token := pointer[1:]
		end := strings.IndexByte(token, '/')
		if end < 0 {
			end = len(token)
		}
		token, pointer = token[:end], token[end:]
		next, at := t.Child(n, unescape(token))
		if next == nil {
			return nil, line
		}
		n, line = next, at
	}
	return n, line
}

func unescape(token string) string {
	if strings.IndexByte(token, '~') < 0 {
		return token
	}
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
}

// fileName returns the name of a file that is named at a pointer, relative to the folder of the document.
func (t *Tree) fileName(at, file string) string {
	from := t.File(at)
	switch {
	case file == "" && from == "":
		return t.name
	case file == "":
		return from
	}
	return path.Join(path.Dir(from), file)
}

// add reads a file that is named by a reference, unless it is a part of the tree already.
func (t *Tree) add(name, reference string) error {
	u, err := url.Parse(reference)
	switch {
	case t.files[name] != nil:
		return nil
	case err != nil || u.IsAbs() || u.Host != "" || path.IsAbs(u.Path):
		return fmt.Errorf("the reference to %q is not followed: only files below the folder of the spec are read", reference)
	case t.open == nil:
		return fmt.Errorf("the reference to the file %q is not followed, as the spec was not loaded from a folder", reference)
	case t.find(t.Root, name) >= 0:
		return fmt.Errorf("the file %q has the name of a field of the document: rename it", name)
	}
	text, err := t.open(name)
	if err != nil {
		return fmt.Errorf("the file %q, which must be below the folder of the spec: %w", name, err)
	}
	root, err := t.parse(text)
	if invalid, ok := err.(*Error); ok {
		invalid.File = name
		return invalid
	}
	t.files[name], t.texts[name] = root, text
	return nil
}
