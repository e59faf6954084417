package conformance

import (
	"encoding/json"
	"fmt"
	"mime"
	"slices"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/printable"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// Observed describes the values at one place of the traffic, added up over exchanges: the spec has to allow them to cover
// the traffic. Of strings, it contains names only.
type Observed struct {
	Types   []string    `json:"types,omitempty"`   // JSON types, sorted; integer for whole numbers, null among them
	Minimum json.Number `json:"minimum,omitempty"` // of the numbers
	Maximum json.Number `json:"maximum,omitempty"`
	// MinSize and MaxSize count the characters of strings, the items of arrays or the properties of objects; nil without
	// any.
	MinSize *int `json:"min_size,omitempty"`
	MaxSize *int `json:"max_size,omitempty"`
	// MediaTypes, Headers and Bodies describe responses with an undocumented status or media type.
	MediaTypes []string `json:"media_types,omitempty"` // lower case, without parameters, sorted
	Headers    []string `json:"headers,omitempty"`     // the undocumented ones, canonical, sorted
	Bodies     []string `json:"bodies,omitempty"`      // "present", "absent", sorted
	// Criteria are the IDs of the criteria that were skipped because of the finding and would fail without it, sorted.
	Criteria []string `json:"criteria,omitempty"`
}

// The limits of [Observed]: the length of a number in bytes, and the number of names in a list.
const (
	maxObservedNumber = 40
	maxObservedNames  = 100
)

// observe describes one value. A number that is a credential is left out.
func (k *checker) observe(v value) *Observed {
	s := &Observed{Types: []string{v.Type().String()}}
	size := func(n int) { s.MinSize, s.MaxSize = &n, &n }
	switch v.Type() {
	case strictjson.Number:
		if v.IsInteger() {
			s.Types[0] = "integer"
		}
		if text := v.Text(); len(text) <= maxObservedNumber && k.redact(text) == text {
			s.Minimum, s.Maximum = json.Number(text), json.Number(text)
		}
	case strictjson.String:
		size(utf8.RuneCountInString(v.Text()))
	case strictjson.Array, strictjson.Object:
		size(v.Len())
	}
	return s
}

// Add adds the values of other, which may be nil. The result does not depend on the order of calls.
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

// less orders two numbers by value, and equal ones by their text, so that the order of [Observed.Add] does not matter.
func less(a, b json.Number) bool {
	if order := strictjson.Exact(string(a)).Cmp(strictjson.Exact(string(b))); order != 0 {
		return order < 0
	}
	return a < b
}

// union returns both lists as one sorted set, with at most maxObservedNames entries.
func union(a, b []string) []string {
	if len(b) == 0 {
		return a
	}
	all := slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
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

// describe describes a value from traffic in few words and without credentials.
func (k *checker) describe(v value) string {
	switch v.Type() {
	case strictjson.Number:
		const maxShown = 40
		if raw := v.Text(); len(raw) <= maxShown {
			return k.redact(raw)
		}
		return fmt.Sprintf("a number of %d digits", len(v.Text()))
	case strictjson.String:
		return k.excerpt(v.Text())
	case strictjson.Array:
		return fmt.Sprintf("an array of %d items", v.Len())
	case strictjson.Object:
		return fmt.Sprintf("an object with %d properties", v.Len())
	default:
		return v.Text()
	}
}

// excerpt returns the start of a text from traffic in quotes. It redacts before it cuts, as it could not find a part of a
// credential.
func (k *checker) excerpt(s string) string {
	const maxShown = 60
	shown := []rune(k.redact(s))
	if len(shown) > maxShown {
		return fmt.Sprintf("%s… (%d characters)", printable.Quote(string(shown[:maxShown])), utf8.RuneCountInString(s))
	}
	return printable.Quote(string(shown))
}

// observedResponse describes the response for an edit of the spec, or only the media type and body of a message.
func (k *checker) observedResponse(message *traffic.Message) *Observed {
	s := &Observed{}
	if message == nil {
		message = &k.ex.Response
		s.Headers = k.undocumentedHeaders(nil)
		for i, name := range s.Headers {
			s.Headers[i] = k.redact(strictjson.ShortName(name))
		}
	}
	if name, _, err := mime.ParseMediaType(message.Header.Get("Content-Type")); err == nil {
		s.MediaTypes = []string{k.redact(strictjson.ShortName(name))}
	}
	switch {
	case message.BodyOmitted:
	case len(message.Body) > 0:
		s.Bodies = []string{"present"}
	default:
		s.Bodies = []string{"absent"}
	}
	return s
}
