// Package generate makes values that a schema of OpenAPI 3.0 describes, values that nearly do, and the texts of parameters.
// It does not decide whether a value conforms: its callers do.
package generate

import (
	"math"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// Schema is a schema of the spec with its references resolved. The zero value allows everything.
type Schema struct {
	At                  string // its JSON pointer, which its claims are named after
	Types               []string
	Nullable            bool
	NullClaim           string // what null violates
	ReadOnly, WriteOnly bool
	Enum                []any
	Format              string
	Pattern             *regexp.Regexp
	Minimum, Maximum    *Bound
	Step                *big.Rat // multipleOf
	Length, Items, Size Span     // of strings, arrays, objects
	Unique              bool
	Item                *Schema
	Properties          map[string]*Schema
	Required            map[string]string // the claims by the name of the property
	Open, Closed        bool              // additionalProperties is true or a schema; is false
	Rest                *Schema           // additionalProperties where it is a schema
	AllOf, AnyOf, OneOf []*Schema
	Not                 *Schema
	EmptyClaims         map[string]string  // of parameters: of allowEmptyValue by the name; "" where it is true
	Discriminator       string             // the property that chooses, where alternatives exist
	Choices             map[string]*Schema // by the value of that property
	Inherits            bool               // the choices extend the schema, and are not its alternatives
}

// Bound is a minimum or maximum.
type Bound struct {
	At        *big.Rat
	Exclusive bool
}

// Span is how long something may be.
type Span struct {
	Min, Max int
	Bounded  bool // whether max counts
}

// NewSpan makes a span of the keywords; maximum may be nil.
func NewSpan(minimum uint64, maximum *uint64) Span {
	s := Span{Min: int(min(minimum, math.MaxInt32))}
	if maximum != nil {
		s.Max, s.Bounded = int(min(*maximum, math.MaxInt32)), true
	}
	return s
}

// top is the maximum, or so much more than the minimum where there is none.
func (s Span) top(more int) int {
	if s.Bounded {
		return s.Max
	}
	return s.Min + more
}

// Extends reports whether a schema is another one, or extends it by allOf.
func (n *Schema) Extends(other *Schema) bool {
	return n == other || slices.ContainsFunc(n.AllOf, func(part *Schema) bool { return part.Extends(other) })
}

// Choice is the schema that the discriminator chooses for a value; nil for none. A value that is checked as one child is not
// checked as another.
func (n *Schema) Choice(v any, root *Schema) *Schema {
	object, _ := v.(map[string]any)
	chosen := n.Choices[AsText(object[n.Discriminator])]
	if chosen != nil && n.Inherits && root != n && root.Extends(n) && !chosen.Extends(root) {
		return nil
	}
	return chosen
}

// OfRequest reports whether a part is one of the request.
func OfRequest(part conformance.Part) bool { return strings.HasPrefix(string(part), "request.") }

// isText reports whether a part has texts, as parameters and headers are.
func isText(part conformance.Part) bool {
	return part != conformance.RequestBody && part != conformance.ResponseBody
}

// OmittedFrom is the schema by which the sender of a part leaves this property out: its own or one that it combines; nil
// for none.
func (n *Schema) OmittedFrom(part conformance.Part) *Schema {
	if n.ReadOnly && OfRequest(part) || n.WriteOnly && !OfRequest(part) {
		return n
	}
	for _, of := range n.AllOf {
		if marked := of.OmittedFrom(part); marked != nil {
			return marked
		}
	}
	return nil
}

// TextTypes are the types that a text can be read as: those of the schema and of the schemas that it combines.
func (n *Schema) TextTypes() (all []string) {
	if n == nil {
		return nil
	}
	all = slices.Clone(n.Types)
	for _, part := range slices.Concat(n.AllOf, n.AnyOf, n.OneOf) {
		all = append(all, part.TextTypes()...)
	}
	return all
}

// Reads reports whether a text can be read as one of the types.
func (n *Schema) Reads(types ...string) bool {
	return slices.ContainsFunc(n.TextTypes(), func(name string) bool { return slices.Contains(types, name) })
}
