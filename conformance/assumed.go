package conformance

import (
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/speclint"
	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/conformance/internal/yamltree"
)

const assumedKey = speclint.AssumedKey

// assumptions holds the reason of each assumption by the pointer of the claim.
type assumptions map[string]string

// readAssumptions collects the assumptions of a spec. An x-assumed object mirrors the object that contains it: its keys
// lead down to the claim, its leaf is the reason. In a list, a key names the entry by its value, as positions change.
func readAssumptions(s *yamltree.Tree) (assumptions, []*SpecError) {
	r := assumptionReader{s, assumptions{}, nil}
	if s.HasKey(assumedKey) {
		s.WalkObjects(func(at string, n *yamltree.Node, names bool) {
			assumed, _ := s.Child(n, assumedKey)
			switch at += "/" + assumedKey; {
			case names || assumed == nil:
			case assumed.Type != strictjson.Object || len(assumed.Entries) == 0:
				r.fail(at, "x-assumed maps the keywords beside it to the reason why each is assumed")
			default:
				r.read(at, assumed, strings.TrimSuffix(at, "/"+assumedKey), n)
			}
		})
	}
	return r.list, r.errs
}

type assumptionReader struct {
	source *yamltree.Tree
	list   assumptions
	errs   []*SpecError
}

func (r *assumptionReader) fail(at, reason string) {
	r.errs = append(r.errs, specError(r.source, at, reason))
}

// read descends from the node assumed and from the node n that it mirrors, side by side.
func (r *assumptionReader) read(assumedAt string, assumed *yamltree.Node, at string, n *yamltree.Node) {
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
		if next == nil || e.Key == assumedKey {
			r.fail(assumedAt+strictjson.Pointer(e.Key), "x-assumed has no claim: there is no "+strconv.Quote(e.Key)+" at "+quotePointer(at))
			continue
		}
		r.read(assumedAt+strictjson.Pointer(e.Key), e.Node, at+strictjson.Pointer(token), next)
	}
}

// source returns Assumed and the reason if the claim at pointer, or an object around it, is assumed; else Documented.
func (a assumptions) source(pointer string) (Source, string) {
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
