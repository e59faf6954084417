package conformance

import (
	"encoding/json"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

// Seen describes what traffic showed at one place, added up over exchanges: what the spec would have to say to cover it.
// It holds no text of the traffic but names.
type Observed struct {
	Types   []string    `json:"types,omitempty"`   // JSON types, sorted; integer for whole numbers, null among them
	Minimum json.Number `json:"minimum,omitempty"` // of the numbers
	Maximum json.Number `json:"maximum,omitempty"`
	// MinSize and MaxSize count the characters of texts, the items of arrays or the members of objects; nil without any.
	MinSize *int `json:"min_size,omitempty"`
	MaxSize *int `json:"max_size,omitempty"`
	// MediaTypes, Headers and Bodies describe answers: of an undocumented status or media type.
	MediaTypes []string `json:"media_types,omitempty"` // lower case, without parameters, sorted
	Headers    []string `json:"headers,omitempty"`     // the undocumented ones, canonical, sorted
	Bodies     []string `json:"bodies,omitempty"`      // "present", "absent", sorted
	// Criteria are the IDs of criteria that were silent because of the finding, and would not hold without it. Sorted.
	Criteria []string `json:"criteria,omitempty"`
}

// maxObservedNumber bounds a number that is kept, maxObservedNames the names.
const (
	maxObservedNumber = 40
	maxObservedNames  = 100
)

// observe describes one value. A number that is a credential is left out.
func (k *checker) observe(v value) *Observed {
	s := &Observed{}
	size := func(n int) { s.MinSize, s.MaxSize = &n, &n }
	switch v.Type() {
	case strictjson.Null:
		s.Types = []string{"null"}
	case strictjson.Boolean:
		s.Types = []string{"boolean"}
	case strictjson.Number:
		s.Types = []string{"number"}
		if v.IsInteger() {
			s.Types[0] = "integer"
		}
		if text := v.Text(); len(text) <= maxObservedNumber && k.conceal(text) == text {
			s.Minimum, s.Maximum = json.Number(text), json.Number(text)
		}
	case strictjson.String:
		s.Types = []string{"string"}
		size(utf8.RuneCountInString(v.Text()))
	case strictjson.Array:
		s.Types = []string{"array"}
		size(v.Len())
	case strictjson.Object:
		s.Types = []string{"object"}
		size(v.Len())
	}
	return s
}

// Add takes in what was seen elsewhere. The order does not matter. other may be nil.
func (s *Observed) Add(other *Observed) {
	if other == nil {
		return
	}
	s.Types = union(s.Types, other.Types)
	s.MediaTypes = union(s.MediaTypes, other.MediaTypes)
	s.Headers = union(s.Headers, other.Headers)
	s.Bodies = union(s.Bodies, other.Bodies)
	s.Criteria = union(s.Criteria, other.Criteria)
	if other.Minimum != "" && (s.Minimum == "" || less(other.Minimum, s.Minimum)) {
		s.Minimum = other.Minimum
	}
	if other.Maximum != "" && (s.Maximum == "" || less(s.Maximum, other.Maximum)) {
		s.Maximum = other.Maximum
	}
	if other.MinSize != nil && (s.MinSize == nil || *other.MinSize < *s.MinSize) {
		s.MinSize = other.MinSize
	}
	if other.MaxSize != nil && (s.MaxSize == nil || *other.MaxSize > *s.MaxSize) {
		s.MaxSize = other.MaxSize
	}
}

// less orders two numbers by value, and equal ones by their text, so that the order of adding makes no difference.
func less(a, b json.Number) bool {
	if order := strictjson.Exact(string(a)).Cmp(strictjson.Exact(string(b))); order != 0 {
		return order < 0
	}
	return a < b
}

// union returns both lists as one sorted set. What is too many to keep is cut from the end, whatever came first.
func union(a, b []string) []string {
	if len(b) == 0 {
		return a
	}
	set := map[string]bool{}
	for _, list := range [][]string{a, b} {
		for _, name := range list {
			set[name] = true
		}
	}
	all := slices.Sorted(maps.Keys(set))
	return all[:min(len(all), maxObservedNames)]
}

// with adds a criterion.
func (s *Observed) with(criterion string) *Observed {
	if s == nil {
		s = &Observed{}
	}
	s.Criteria = union(s.Criteria, []string{criterion})
	return s
}
