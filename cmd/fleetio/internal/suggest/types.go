package suggest

import (
	"errors"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// widenType makes room for the types seen. OpenAPI 3.0 has one type for a schema, and anyOf for more.
func widenType(d *draft, of *deviation) error {
	if err := d.loosen(of.at...); err != nil {
		return err
	}
	at := of.schemaOf()
	s := d.node(at...)
	old := member(s, "type")
	if old == nil || len(of.seen.Types) == 0 {
		return errors.New("the report does not say which types were seen")
	}
	for _, keyword := range []string{"allOf", "anyOf", "oneOf", "not"} {
		if member(s, keyword) != nil {
			return errors.New(keyword + " says more of the type, and would have to change with it")
		}
	}
	if err := d.drop(append(slices.Clone(at), "enum")...); err != nil {
		return err // it would refuse the new type, too
	}
	if d.inHeader(of) {
		return d.headerText(at)
	}
	types := append([]string{old.Value}, of.seen.Types...)
	if slices.Contains(types, "number") {
		types = slices.DeleteFunc(types, func(name string) bool { return name == "integer" })
	}
	slices.Sort(types)
	if types = slices.Compact(types); len(types) == 1 {
		return d.set(at, object("type", types[0]), []string{"type"})
	}
	choice := list()
	for _, name := range types {
		choice.Content = append(choice.Content, typed(name))
	}
	if err := d.remove(of.at...); err != nil {
		return err
	}
	d.touched[pointerOf(at...)+"/nullable"] = true // now it is anyOf that refuses null
	return d.set(at, object("anyOf", choice), []string{"anyOf"})
}

// typed is a schema of one type.
func typed(name string) *yaml.Node {
	if name == "array" {
		return object("type", name, "items", object())
	}
	return object("type", name)
}

// types are those seen, but null.
func (of *deviation) types() (names []string, null bool) {
	names = slices.Clone(of.seen.Types)
	number := slices.Contains(names, "number")
	return slices.DeleteFunc(names, func(name string) bool {
		return name == "null" || name == "integer" && number
	}), slices.Contains(of.seen.Types, "null")
}

// guess is a schema that takes what was seen.
func (of *deviation) guess() *yaml.Node {
	types, null := of.types()
	s := object()
	var claims []string
	if len(types) == 1 {
		s = typed(types[0])
		claims = append(claims, "type")
	}
	if null {
		merge(s, object("nullable", true))
		claims = append(claims, "nullable")
	}
	if len(claims) > 0 {
		marks := object()
		for _, claim := range claims {
			marks.Content = append(marks.Content, value(claim), value(of.reason()))
		}
		merge(s, object(assumedKey, marks))
	}
	merge(s, object("description", of.reason()))
	return s
}

// headerText takes any header, as each is text.
func (d *draft) headerText(at []string) error {
	for _, keyword := range []string{"format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
		"items", "minItems", "maxItems", "uniqueItems"} {
		if err := d.drop(append(slices.Clone(at), keyword)...); err != nil {
			return err
		}
	}
	return d.set(at, object("type", "string"), []string{"type"})
}

// inHeader reports whether the place is the schema of a header, and of nothing else.
func (d *draft) inHeader(of *deviation) bool {
	for _, claim := range d.claims {
		if _, pointer, _ := strings.Cut(claim.ID, "#"); pointer == pointerOf(of.at...) && claim.Part != conformance.ResponseHeader {
			return false
		}
	}
	return of.kinds[0].Part == conformance.ResponseHeader
}

// alternative adds the types seen to the alternatives. Where more than one of oneOf match, only anyOf can say so.
func alternative(d *draft, of *deviation) error {
	if err := d.loosen(of.at...); err != nil {
		return err
	}
	at := of.schemaOf()
	types, null := of.types()
	if null {
		if err := d.set(at, object("nullable", true), []string{"nullable"}); err != nil {
			return err
		}
	}
	if len(types) == 0 {
		return nil
	}
	choice := list()
	for _, name := range types {
		choice.Content = append(choice.Content, typed(name))
	}
	if of.rule == "anyOf" {
		return d.grow(of.at, choice.Content...)
	}
	if member(d.node(at...), "anyOf") != nil {
		return errors.New("there is an anyOf beside it already")
	}
	choice.Content = append(clone(d.node(of.at...)).Content, choice.Content...)
	if err := d.remove(of.at...); err != nil {
		return err
	}
	return d.set(at, object("anyOf", choice), []string{"anyOf"})
}
