package conformance

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

// source is the text of a spec as a tree that knows the line of everything in it.
type source struct {
	root  *yaml.Node
	index map[*yaml.Node]map[string]int // of the keys of large objects, such as components/schemas
}

func parseSource(spec []byte) (*source, error) {
	var doc, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(spec))
	if err := decoder.Decode(&doc); err != nil {
		return nil, fmt.Errorf("not YAML: %w", err)
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, &SpecError{Line: second.Line, Reason: "a second document in the file"}
	}
	if len(doc.Content) != 1 || follow(doc.Content[0]).Kind != yaml.MappingNode {
		return nil, &SpecError{Line: 1, Reason: "expected an OpenAPI document, found no object"}
	}
	s := &source{root: doc.Content[0], index: map[*yaml.Node]map[string]int{}}
	s.indexKeys(s.root)
	return s, nil
}

// manyNodes is how many nodes an object has below it for an index of its keys to pay.
const manyNodes = 64

func (s *source) indexKeys(n *yaml.Node) {
	if n.Kind == yaml.MappingNode && len(n.Content) >= manyNodes {
		index := make(map[string]int, len(n.Content)/2)
		for i := len(n.Content) - 2; i >= 0; i -= 2 {
			index[n.Content[i].Value] = i
		}
		s.index[n] = index
	}
	for _, below := range n.Content {
		s.indexKeys(below)
	}
}

// loadError words an error of the library that loads a spec. Of a document that begins as JSON does, the library says how
// it failed as JSON and how as YAML, and the former in words that depend on the release of Go.
func loadError(spec []byte, err error) error {
	_, asYAML, both := strings.Cut(err.Error(), ", yaml error: ")
	if !both {
		return fmt.Errorf("the spec cannot be loaded: %w", err)
	}
	var invalid *strictjson.Error
	d := strictjson.NewDecoder(spec)
	if err := errors.Join(d.Skip(), d.End()); !errors.As(err, &invalid) {
		return errors.New("the spec cannot be loaded: " + asYAML)
	}
	line := 1 + bytes.Count(spec[:invalid.Offset], []byte("\n"))
	return &SpecError{Line: line, Reason: fmt.Sprintf("the spec cannot be loaded: as JSON: %v; as YAML: %s", invalid, asYAML)}
}

// follow returns what an alias stands for.
func follow(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// child returns the node below n at one unescaped reference token, and the line that the token is in.
func (s *source) child(n *yaml.Node, token string) (*yaml.Node, int) {
	switch n = follow(n); n.Kind {
	case yaml.MappingNode:
		if i := s.key(n, token); i >= 0 {
			return n.Content[i+1], n.Content[i].Line
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(n.Content) {
			return n.Content[i], n.Content[i].Line
		}
	}
	return nil, 0
}

// key returns the position of a key in an object, or -1.
func (s *source) key(n *yaml.Node, key string) int {
	if index := s.index[n]; index != nil {
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

// node returns the node at a JSON pointer (RFC 6901), or nil.
func (s *source) node(pointer string) *yaml.Node {
	n := s.root
	for _, token := range splitPointer(pointer) {
		if n, _ = s.child(n, token); n == nil {
			return nil
		}
	}
	return follow(n)
}

// line returns the line of the deepest node on the way to pointer, so that it is never without an answer.
func (s *source) line(pointer string) int {
	n, line := s.root, s.root.Line
	for _, token := range splitPointer(pointer) {
		next, at := s.child(n, token)
		if next == nil {
			break
		}
		n, line = next, at
	}
	return line
}

// below returns the pointer of a keyword, or of the object that lacks it.
func (s *source) below(pointer, keyword string) string {
	if at := pointer + "/" + keyword; s.node(at) != nil {
		return at
	}
	return pointer
}

// canonical rewrites a pointer that leads through references into the pointer of the place where the claim stands.
func (s *source) canonical(pointer string) string {
	at, n := "", s.root
	for _, token := range splitPointer(pointer) {
		at, n = s.dereference(at, n)
		at += "/" + escapeToken(token)
		if n != nil {
			n, _ = s.child(n, token)
		}
	}
	at, _ = s.dereference(at, n)
	return at
}

// dereference follows $ref, which kin-openapi has already proven to lead somewhere.
func (s *source) dereference(at string, n *yaml.Node) (string, *yaml.Node) {
	const longestChain = 32
	for range longestChain {
		if n == nil {
			break
		}
		ref, _ := s.child(n, "$ref")
		if ref == nil || !strings.HasPrefix(ref.Value, "#/") {
			break
		}
		at = ref.Value[1:]
		n = s.node(at)
	}
	return at, n
}

func splitPointer(pointer string) []string {
	if pointer == "" {
		return nil
	}
	tokens := strings.Split(pointer[1:], "/")
	for i, t := range tokens {
		tokens[i] = strings.ReplaceAll(strings.ReplaceAll(t, "~1", "/"), "~0", "~")
	}
	return tokens
}

func escapeToken(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1")
}

func pointerOf(tokens ...string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteByte('/')
		b.WriteString(escapeToken(t))
	}
	return b.String()
}

// inPointer is how a member's name stands in the pointer of a finding: a very long one by its length and its hash, as it
// would be repeated for each finding below it.
func inPointer(name string) string {
	const most = 1 << 10
	if len(name) <= most {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return fmt.Sprintf("(a name of %d bytes, SHA-256 %x…)", len(name), sum[:8])
}
