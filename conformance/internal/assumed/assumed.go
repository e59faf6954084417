// Package assumed reads the extension x-assumed of a spec, see api/README.md.
package assumed

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/conformance/internal/yamltree"
)

// Key is the name of the extension.
const Key = "x-assumed"

// Assumptions holds the reason of each assumption by the pointer of the claim.
type Assumptions map[string]string

// Read collects the assumptions of a spec. An x-assumed object mirrors the object that contains it: its keys
// lead down to the claim, its leaf is the reason. In a list, a key names the entry by its value, as positions change.
func Read(s *yamltree.Tree) (Assumptions, error) {
	list := Assumptions{}
	err := s.WalkObjects(func(at string, n *yaml.Node, names bool) error {
		if names {
			return nil
		}
		assumed, line := s.Child(n, Key)
		if assumed == nil {
			return nil
		}
		if yamltree.Follow(assumed).Kind != yaml.MappingNode || len(yamltree.Follow(assumed).Content) == 0 {
			return &yamltree.Error{Line: line, Pointer: at + "/" + Key,
				Reason: "x-assumed maps the keywords beside it to the reason why each is assumed"}
		}
		return list.read(s, at+"/"+Key, assumed, at, n)
	})
	return list, err
}

// Reason returns the reason if the claim at pointer, or an object around it, is assumed.
func (a Assumptions) Reason(pointer string) (reason string, ok bool) {
	for {
		if reason, ok = a[pointer]; ok {
			return reason, true
		}
		cut := strings.LastIndexByte(pointer, '/')
		if cut < 0 {
			return "", false
		}
		pointer = pointer[:cut]
	}
}

// read descends from the node assumed and from the node n that it mirrors, side by side.
func (a Assumptions) read(s *yamltree.Tree, assumedAt string, assumed *yaml.Node, at string, n *yaml.Node) error {
	assumed, n = yamltree.Follow(assumed), yamltree.Follow(n)
	if assumed.Kind == yaml.ScalarNode {
		if strings.TrimSpace(assumed.Value) == "" || assumed.Tag != "!!str" {
			return &yamltree.Error{Line: assumed.Line, Pointer: assumedAt, Reason: "an assumption needs a reason, as text"}
		}
		a[at] = assumed.Value
		return nil
	}
	if assumed.Kind != yaml.MappingNode {
		return &yamltree.Error{Line: assumed.Line, Pointer: assumedAt, Reason: "expected a reason, or an object that leads to one"}
	}
	for i := 0; i+1 < len(assumed.Content); i += 2 {
		key := assumed.Content[i]
		token := key.Value
		if n.Kind == yaml.SequenceNode {
			token = strconv.Itoa(slices.IndexFunc(n.Content, func(e *yaml.Node) bool {
				return yamltree.Follow(e).Kind == yaml.ScalarNode && yamltree.Follow(e).Value == key.Value
			}))
		}
		next, _ := s.Child(n, token)
		if next == nil || key.Value == Key {
			return &yamltree.Error{Line: key.Line, Pointer: assumedAt + strictjson.Pointer(key.Value),
				Reason: "x-assumed has no claim: there is no " + strconv.Quote(key.Value) + " at " + quotePointer(at)}
		}
		err := a.read(s, assumedAt+strictjson.Pointer(key.Value), assumed.Content[i+1], at+strictjson.Pointer(token), next)
		if err != nil {
			return err
		}
	}
	return nil
}

func quotePointer(pointer string) string {
	if pointer == "" {
		return "the root"
	}
	return "#" + pointer
}
