package mutate

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/internal/generate"
)

// target is the pointer that a reference leads to, or at.
func target(ref, at string) string {
	if strings.HasPrefix(ref, "#/") {
		return ref[1:]
	}
	return at
}

// schema compiles a schema once, at the place that references lead to.
func (c *contract) schema(ref *openapi3.SchemaRef, at string) *generate.Schema {
	if ref == nil {
		return nil
	}
	for ref.Ref != "" {
		at = target(ref.Ref, at)
		name, isComponent := strings.CutPrefix(at, "/components/schemas/")
		next := c.doc.Components.Schemas[generate.Unescape(name)]
		if !isComponent || next == nil || next.Ref == "" {
			break
		}
		ref = next
	}
	if c.schemas[at] == nil {
		c.schemas[at] = &generate.Schema{At: at} // before the rest, for a schema that contains itself
		c.compile(c.schemas[at], ref.Value)
	}
	return c.schemas[at]
}

func (c *contract) compile(n *generate.Schema, of *openapi3.Schema) {
	n.Nullable, n.NullClaim = of.Nullable, n.At+"/type"
	if of.Type != nil {
		n.Types = of.Type.Slice()
	}
	if of.Origin != nil {
		if _, written := of.Origin.Fields.Lookup("nullable"); written {
			n.NullClaim = n.At + "/nullable"
		}
	}
	n.ReadOnly, n.WriteOnly, n.Unique, n.Format = of.ReadOnly, of.WriteOnly, of.UniqueItems, of.Format
	for _, value := range of.Enum {
		n.Enum = append(n.Enum, generate.Decode(generate.Encode(value)))
	}
	if of.Pattern != "" {
		n.Pattern = regexp.MustCompile(of.Pattern) // kin-openapi has compiled it before
	}
	n.Minimum = newBound(of.Min, of.ExclusiveMin)
	n.Maximum = newBound(of.Max, of.ExclusiveMax)
	if step := newBound(of.MultipleOf, openapi3.ExclusiveBound{}); step != nil {
		n.Step = step.At
	}
	n.Length = generate.NewSpan(of.MinLength, of.MaxLength)
	n.Items = generate.NewSpan(of.MinItems, of.MaxItems)
	n.Size = generate.NewSpan(of.MinProps, of.MaxProps)
	n.Item = c.schema(of.Items, n.At+"/items")
	n.Properties, n.Required = map[string]*generate.Schema{}, map[string]string{}
	for name, property := range of.Properties {
		n.Properties[name] = c.schema(property, n.At+pointer("properties", name))
	}
	for _, name := range of.Required {
		n.Required[name] = n.At + pointer("required", name)
	}
	n.Rest = c.schema(of.AdditionalProperties.Schema, n.At+"/additionalProperties")
	has := of.AdditionalProperties.Has
	n.Open, n.Closed = n.Rest != nil || has != nil && *has, has != nil && !*has
	n.Not = c.schema(of.Not, n.At+"/not")
	byRef := map[string]*generate.Schema{} // the alternatives
	list := func(keyword string, refs openapi3.SchemaRefs) (all []*generate.Schema) {
		for i, ref := range refs {
			all = append(all, c.schema(ref, n.At+pointer(keyword, strconv.Itoa(i))))
			if keyword != "allOf" {
				byRef[ref.Ref] = all[i]
			}
		}
		return all
	}
	n.AllOf, n.AnyOf, n.OneOf = list("allOf", of.AllOf), list("anyOf", of.AnyOf), list("oneOf", of.OneOf)
	if of.Discriminator == nil {
		return
	}
	n.Discriminator, n.Choices = of.Discriminator.PropertyName, map[string]*generate.Schema{}
	if n.Inherits = len(byRef) == 0; n.Inherits {
		return
	}
	const components = "#/components/schemas/"
	for ref, alternative := range byRef {
		if name, isName := strings.CutPrefix(ref, components); isName {
			n.Choices[name] = alternative
		}
	}
	for name, ref := range of.Discriminator.Mapping { // a reference, or the name of a schema
		for _, ref := range []string{ref.Ref, components + ref.Ref} {
			if of := c.doc.Components.Schemas[strings.TrimPrefix(ref, components)]; byRef[ref] != nil {
				n.Choices[name] = byRef[ref]
			} else if of != nil && of.Value.Type == nil && len(of.Value.AllOf) == 1 && byRef[of.Value.AllOf[0].Ref] != nil { // an alias
				n.Choices[name] = byRef[of.Value.AllOf[0].Ref]
			}
		}
	}
}

// inheritance finds the schemas that extend those with a discriminator and without alternatives.
func (c *contract) inheritance() {
	const components = "/components/schemas"
	byName := map[string]*generate.Schema{}
	for name, ref := range c.doc.Components.Schemas {
		byName[name] = c.schema(ref, components+pointer(name))
	}
	for name, ref := range c.doc.Components.Schemas {
		parent := byName[name]
		if !parent.Inherits {
			continue
		}
		for name, child := range byName {
			if child != parent && child.Extends(parent) {
				parent.Choices[name] = child
			}
		}
		for value, ref := range ref.Value.Discriminator.Mapping {
			parent.Choices[value] = byName[strings.TrimPrefix(ref.Ref, "#"+components+"/")]
		}
	}
}

func newBound(f *float64, exclusive openapi3.ExclusiveBound) *generate.Bound {
	if f == nil {
		return nil
	}
	at := generate.Rat(json.Number(strconv.FormatFloat(*f, 'g', -1, 64)))
	return &generate.Bound{At: at, Exclusive: exclusive.Bool != nil && *exclusive.Bool}
}

// omitted are the properties of the schema, and of those that it combines, that the sender of a part leaves out.
func omitted(n *generate.Schema, part conformance.Part) (names []string) {
	for _, name := range generate.SortedKeys(n.Properties) {
		if n.Properties[name].OmittedFrom(part) != nil {
			names = append(names, name)
		}
	}
	for _, of := range slices.Concat(n.AllOf, n.AnyOf, n.OneOf) {
		names = append(names, omitted(of, part)...)
	}
	return names
}

// below finds the schema of a place in a value; nil where there is none.
func below(n *generate.Schema, path []string) *generate.Schema {
	if n == nil || len(path) == 0 {
		return n
	}
	next := cmp.Or(n.Properties[path[0]], n.Rest)
	if next == nil && wholeNumber.MatchString(path[0]) {
		next = n.Item
	}
	if next != nil {
		return below(next, path[1:])
	}
	for _, part := range n.AllOf {
		if found := below(part, path); found != nil {
			return found
		}
	}
	return nil
}
