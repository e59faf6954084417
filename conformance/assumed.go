package conformance

import (
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/yamltree"

	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

const assumedKey = "x-assumed"

// Source says where the claim of a finding comes from, if there is one.
type Source string

const (
	// Documented claims are stated by the vendor: traffic that refutes one shows a deviating server.
	Documented Source = "documented"
	// Assumed claims are our guess, marked by x-assumed: traffic that refutes one shows a wrong spec.
	Assumed Source = "assumed"
	// Drift is no claim's: traffic that no claim covers shows that the spec is incomplete.
	Drift Source = "drift"
	// Note is no claim's either: what conforms, and may surprise all the same.
	Note Source = "note"
)

// assumptions holds the reason of each x-assumed mark by the pointer that it marks.
type assumptions map[string]string

// readAssumptions collects the marks of a whole spec. A mark mirrors the object that it stands in: its keys lead down
// to the claim, its leaf is the reason. In a list, a key names the entry by its value, as positions change.
func readAssumptions(s *yamltree.Tree) (assumptions, error) {
	marks := assumptions{}
	err := s.WalkObjects(func(at string, n *yaml.Node, names bool) error {
		if names {
			return nil
		}
		mark, line := s.Child(n, assumedKey)
		if mark == nil {
			return nil
		}
		if yamltree.Follow(mark).Kind != yaml.MappingNode || len(yamltree.Follow(mark).Content) == 0 {
			return &SpecError{Line: line, Pointer: at + "/" + assumedKey,
				Reason: "x-assumed maps the keywords beside it to the reason why each is assumed"}
		}
		return marks.read(s, at+"/"+assumedKey, mark, at, n)
	})
	return marks, err
}

// read descends mark and the spec's node below it side by side.
func (a assumptions) read(s *yamltree.Tree, markAt string, mark *yaml.Node, at string, n *yaml.Node) error {
	mark, n = yamltree.Follow(mark), yamltree.Follow(n)
	if mark.Kind == yaml.ScalarNode {
		if strings.TrimSpace(mark.Value) == "" || mark.Tag != "!!str" {
			return &SpecError{Line: mark.Line, Pointer: markAt, Reason: "an assumption needs a reason, as text"}
		}
		a[at] = mark.Value
		return nil
	}
	if mark.Kind != yaml.MappingNode {
		return &SpecError{Line: mark.Line, Pointer: markAt, Reason: "expected a reason, or an object that leads to one"}
	}
	for i := 0; i+1 < len(mark.Content); i += 2 {
		key := mark.Content[i]
		token := key.Value
		if n.Kind == yaml.SequenceNode {
			token = strconv.Itoa(slices.IndexFunc(n.Content, func(e *yaml.Node) bool {
				return yamltree.Follow(e).Kind == yaml.ScalarNode && yamltree.Follow(e).Value == key.Value
			}))
		}
		next, _ := s.Child(n, token)
		if next == nil || key.Value == assumedKey {
			return &SpecError{Line: key.Line, Pointer: markAt + strictjson.Pointer(key.Value),
				Reason: "the mark points at nothing: there is no " + strconv.Quote(key.Value) + " at " + quotePointer(at)}
		}
		if err := a.read(s, markAt+strictjson.Pointer(key.Value), mark.Content[i+1], at+strictjson.Pointer(token), next); err != nil {
			return err
		}
	}
	return nil
}

// basis returns whether the claim at pointer is assumed, by a mark on it or on what holds it, and why.
func (a assumptions) basis(pointer string) (Source, string) {
	for {
		if reason, ok := a[pointer]; ok {
			return Assumed, reason
		}
		cut := strings.LastIndexByte(pointer, '/')
		if cut < 0 {
			return Documented, ""
		}
		pointer = pointer[:cut]
	}
}

func quotePointer(pointer string) string {
	if pointer == "" {
		return "the root"
	}
	return "#" + pointer
}
