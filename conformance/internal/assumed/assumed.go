// Package assumed reads the extension x-assumed of a spec, see api/README.md.
package assumed

import (
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/internal/speclint"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/internal/yamltree"
)

// Key is the name of the extension.
const Key = speclint.AssumedKey

// Assumptions holds the reason of each assumption by the pointer of the claim.
type Assumptions map[string]string

// Read collects the assumptions of a spec. An x-assumed object mirrors the object that contains it: its keys
// lead down to the claim, its leaf is the reason. In a list, a key names the entry by its value, as positions change.
func Read(s *yamltree.Tree) (Assumptions, []speclint.Problem) {
	r := reader{s, Assumptions{}, nil}
	if s.HasKey(Key) {
		s.WalkObjects(func(at string, n *yamltree.Node, names bool) {
			assumed, _ := s.Child(n, Key)
			switch at += "/" + Key; {
			case names || assumed == nil:
			case assumed.Type != strictjson.Object || len(assumed.Entries) == 0:
				r.fail(at, "x-assumed maps the keywords beside it to the reason why each is assumed")
			default:
				r.read(at, assumed, strings.TrimSuffix(at, "/"+Key), n)
			}
		})
	}
	return r.list, r.problems
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

type reader struct {
	source   *yamltree.Tree
	list     Assumptions
	problems []speclint.Problem
}

func (r *reader) fail(at, reason string) {
	r.problems = append(r.problems, speclint.Problem{Pointer: at, Reason: reason})
}

// read descends from the node assumed and from the node n that it mirrors, side by side.
func (r *reader) read(assumedAt string, assumed *yamltree.Node, at string, n *yamltree.Node) {
	switch {
	case assumed.Scalar() && (strings.TrimSpace(assumed.Text) == "" || assumed.Type != strictjson.String):
		r.fail(assumedAt, "an assumption needs a reason, as text")
	case assumed.Scalar():
		r.list[at] = assumed.Text
	case assumed.Type != strictjson.Object:
		r.fail(assumedAt, "expected a reason, or an object that leads to one")
		return
	}
	for _, e := range assumed.Entries {
		token := e.Key
		if n.Type == strictjson.Array {
			token = strconv.Itoa(slices.IndexFunc(n.Entries, func(item yamltree.Entry) bool { return item.Scalar() && item.Text == e.Key }))
		}
		next, _ := r.source.Child(n, token)
		if next == nil || e.Key == Key {
			r.fail(assumedAt+strictjson.Pointer(e.Key), "x-assumed has no claim: there is no "+strconv.Quote(e.Key)+" at "+quotePointer(at))
			continue
		}
		r.read(assumedAt+strictjson.Pointer(e.Key), e.Node, at+strictjson.Pointer(token), next)
	}
}

func quotePointer(pointer string) string {
	if pointer == "" {
		return "the root"
	}
	return "#" + pointer
}
