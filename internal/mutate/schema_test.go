package mutate

import (
	"cmp"
	"encoding/json"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// schema is a schema of the spec with its references resolved. The zero value allows everything.
type schema struct {
	at                  string // its JSON pointer, which its claims are named after
	types               []string
	nullable            bool
	nullClaim           string // what null violates
	readOnly, writeOnly bool
	enum                []any
	format              string
	pattern             *regexp.Regexp
	minimum, maximum    *bound
	step                *big.Rat // multipleOf
	length, items, size span     // of strings, arrays, objects
	unique              bool
	item                *schema
	properties          map[string]*schema
	required            map[string]string // the claims by the name of the property
	open, closed        bool              // additionalProperties is true or a schema; is false
	rest                *schema           // additionalProperties where it is a schema
	allOf, anyOf, oneOf []*schema
	not                 *schema
	emptyClaims         map[string]string  // of parameters: of allowEmptyValue by the name; "" where it is true
	discriminator       string             // the property that chooses, where alternatives exist
	choices             map[string]*schema // by the value of that property
	inherits            bool               // the choices extend the schema, and are not its alternatives
}

// bound is a minimum or maximum.
type bound struct {
	at        *big.Rat
	exclusive bool
}

// rule is the keyword that a number beyond the bound violates: minimum or exclusiveMinimum, say.
func (b *bound) rule(inclusive, exclusive string) string {
	if b.exclusive {
		return exclusive
	}
	return inclusive
}

// span is how long something may be.
type span struct {
	min, max int
	bounded  bool // whether max counts
}

func newSpan(minimum uint64, maximum *uint64) span {
	s := span{min: int(minimum)}
	if maximum != nil {
		s.max, s.bounded = int(*maximum), true
	}
	return s
}

// top is the maximum, or so much more than the minimum where there is none.
func (s span) top(more int) int {
	if s.bounded {
		return s.max
	}
	return s.min + more
}

// target is the pointer that a reference leads to, or at.
func target(ref, at string) string {
	if strings.HasPrefix(ref, "#/") {
		return ref[1:]
	}
	return at
}

// schema compiles a schema once, at the place that references lead to.
func (c *contract) schema(ref *openapi3.SchemaRef, at string) *schema {
	if ref == nil {
		return nil
	}
	for ref.Ref != "" {
		at = target(ref.Ref, at)
		name, isComponent := strings.CutPrefix(at, "/components/schemas/")
		next := c.doc.Components.Schemas[unescape(name)]
		if !isComponent || next == nil || next.Ref == "" {
			break
		}
		ref = next
	}
	if c.schemas[at] == nil {
		c.schemas[at] = &schema{at: at} // before the rest, for a schema that contains itself
		c.compile(c.schemas[at], ref.Value)
	}
	return c.schemas[at]
}

func (c *contract) compile(n *schema, of *openapi3.Schema) {
	n.nullable, n.nullClaim = of.Nullable, n.at+"/type"
	if of.Type != nil {
		n.types = of.Type.Slice()
	}
	if of.Origin != nil {
		if _, written := of.Origin.Fields.Lookup("nullable"); written {
			n.nullClaim = n.at + "/nullable"
		}
	}
	n.readOnly, n.writeOnly, n.unique, n.format = of.ReadOnly, of.WriteOnly, of.UniqueItems, of.Format
	for _, value := range of.Enum {
		n.enum = append(n.enum, decode(encode(value)))
	}
	if of.Pattern != "" {
		n.pattern = regexp.MustCompile(of.Pattern) // kin-openapi has compiled it before
	}
	n.minimum = newBound(of.Min, of.ExclusiveMin)
	n.maximum = newBound(of.Max, of.ExclusiveMax)
	if step := newBound(of.MultipleOf, openapi3.ExclusiveBound{}); step != nil {
		n.step = step.at
	}
	n.length = newSpan(of.MinLength, of.MaxLength)
	n.items = newSpan(of.MinItems, of.MaxItems)
	n.size = newSpan(of.MinProps, of.MaxProps)
	n.item = c.schema(of.Items, n.at+"/items")
	n.properties, n.required = map[string]*schema{}, map[string]string{}
	for name, property := range of.Properties {
		n.properties[name] = c.schema(property, n.at+pointer("properties", name))
	}
	for _, name := range of.Required {
		n.required[name] = n.at + pointer("required", name)
	}
	n.rest = c.schema(of.AdditionalProperties.Schema, n.at+"/additionalProperties")
	has := of.AdditionalProperties.Has
	n.open, n.closed = n.rest != nil || has != nil && *has, has != nil && !*has
	n.not = c.schema(of.Not, n.at+"/not")
	byRef := map[string]*schema{} // the alternatives
	list := func(keyword string, refs openapi3.SchemaRefs) (all []*schema) {
		for i, ref := range refs {
			all = append(all, c.schema(ref, n.at+pointer(keyword, strconv.Itoa(i))))
			if keyword != "allOf" {
				byRef[ref.Ref] = all[i]
			}
		}
		return all
	}
	n.allOf, n.anyOf, n.oneOf = list("allOf", of.AllOf), list("anyOf", of.AnyOf), list("oneOf", of.OneOf)
	if of.Discriminator == nil {
		return
	}
	n.discriminator, n.choices = of.Discriminator.PropertyName, map[string]*schema{}
	if n.inherits = len(byRef) == 0; n.inherits {
		return
	}
	const components = "#/components/schemas/"
	for ref, alternative := range byRef {
		if name, isName := strings.CutPrefix(ref, components); isName {
			n.choices[name] = alternative
		}
	}
	for name, ref := range of.Discriminator.Mapping { // a reference, or the name of a schema
		for _, ref := range []string{ref.Ref, components + ref.Ref} {
			if of := c.doc.Components.Schemas[strings.TrimPrefix(ref, components)]; byRef[ref] != nil {
				n.choices[name] = byRef[ref]
			} else if of != nil && of.Value.Type == nil && len(of.Value.AllOf) == 1 && byRef[of.Value.AllOf[0].Ref] != nil { // an alias
				n.choices[name] = byRef[of.Value.AllOf[0].Ref]
			}
		}
	}
}

// inheritance finds the schemas that extend those with a discriminator and without alternatives.
func (c *contract) inheritance() {
	const components = "/components/schemas"
	byName := map[string]*schema{}
	for name, ref := range c.doc.Components.Schemas {
		byName[name] = c.schema(ref, components+pointer(name))
	}
	for name, ref := range c.doc.Components.Schemas {
		parent := byName[name]
		if !parent.inherits {
			continue
		}
		for name, child := range byName {
			if child != parent && child.extends(parent) {
				parent.choices[name] = child
			}
		}
		for value, ref := range ref.Value.Discriminator.Mapping {
			parent.choices[value] = byName[strings.TrimPrefix(ref.Ref, "#"+components+"/")]
		}
	}
}

// extends reports whether a schema is another one, or extends it by allOf.
func (n *schema) extends(other *schema) bool {
	return n == other || slices.ContainsFunc(n.allOf, func(part *schema) bool { return part.extends(other) })
}

// choice is the schema that the discriminator chooses for a value; nil for none. A value that is checked as one child is not
// checked as another.
func (n *schema) choice(v any, root *schema) *schema {
	object, _ := v.(map[string]any)
	chosen := n.choices[asText(object[n.discriminator])]
	if chosen != nil && n.inherits && root != n && root.extends(n) && !chosen.extends(root) {
		return nil
	}
	return chosen
}

func newBound(f *float64, exclusive openapi3.ExclusiveBound) *bound {
	if f == nil {
		return nil
	}
	at := rat(json.Number(strconv.FormatFloat(*f, 'g', -1, 64)))
	return &bound{at, exclusive.Bool != nil && *exclusive.Bool}
}

func ofRequest(part conformance.Part) bool { return strings.HasPrefix(string(part), "request.") }

// isText reports whether a part has texts, as parameters and headers are.
func isText(part conformance.Part) bool {
	return part != conformance.RequestBody && part != conformance.ResponseBody
}

// omittedFrom is the schema by which the sender of a part leaves this property out: its own or one that it combines; nil
// for none.
func (n *schema) omittedFrom(part conformance.Part) *schema {
	if n.readOnly && ofRequest(part) || n.writeOnly && !ofRequest(part) {
		return n
	}
	for _, of := range n.allOf {
		if marked := of.omittedFrom(part); marked != nil {
			return marked
		}
	}
	return nil
}

// omitted are the properties of the schema, and of those that it combines, that the sender of a part leaves out.
func (n *schema) omitted(part conformance.Part) (names []string) {
	for _, name := range sortedKeys(n.properties) {
		if n.properties[name].omittedFrom(part) != nil {
			names = append(names, name)
		}
	}
	for _, of := range slices.Concat(n.allOf, n.anyOf, n.oneOf) {
		names = append(names, of.omitted(part)...)
	}
	return names
}

// below finds the schema of a place in a value; nil where there is none.
func (n *schema) below(path []string) *schema {
	if n == nil || len(path) == 0 {
		return n
	}
	next := cmp.Or(n.properties[path[0]], n.rest)
	if next == nil && wholeNumber.MatchString(path[0]) {
		next = n.item
	}
	if next != nil {
		return next.below(path[1:])
	}
	for _, part := range n.allOf {
		if found := part.below(path); found != nil {
			return found
		}
	}
	return nil
}
