package suggest

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// notRequired strikes a member from the list, or lets a header be absent.
func notRequired(d *draft, of *deviation) error {
	if err := d.loosen(of.at...); err != nil {
		return err
	}
	if of.at[len(of.at)-1] == "required" {
		if n := d.node(of.at...); n != nil && n.Kind == yaml.ScalarNode {
			return d.set(of.schemaOf(), object("required", false), []string{"required"})
		}
	}
	whole := of.at[:len(of.at)-1]
	if n := d.node(whole...); n != nil && len(n.Content) == 1 {
		return d.remove(whole...) // a list must not be empty
	}
	return d.remove(of.at...)
}

// bothWays lets both sides send a member, where that does not oblige the other one to.
func bothWays(d *draft, of *deviation) error {
	if err := d.loosen(of.at...); err != nil {
		return err
	}
	for _, claim := range d.claims {
		for _, k := range of.kinds {
			if claim.Rule == "required" && lastToken(claim.Places[0]) == lastToken(k.Pointer) && claim.Part != k.Part {
				return errors.New("the member is required of the other side, and would be of this one, too")
			}
		}
	}
	return d.set(of.schemaOf(), object(of.rule, false), []string{of.rule})
}

// addProperty documents a member. In what requests are made of, too, it says nothing of the type, as that would narrow
// what they may hold.
func addProperty(d *draft, of *deviation) error {
	at := of.at
	if n := d.node(at...); !of.drift || len(at) > 0 && at[len(at)-1] == "properties" && !isCombined(n) {
		at = of.schemaOf() // else nothing has properties there
	}
	s := of.guess()
	below := pointerOf(at...) + "/"
	for _, claim := range d.claims {
		if _, pointer, _ := strings.Cut(claim.ID, "#"); of.drift && claim.Part == conformance.RequestBody && strings.HasPrefix(pointer, below) {
			s = object("description", of.reason())
		}
	}
	if !of.drift {
		if err := d.loosen(of.at...); err != nil {
			return err
		}
	}
	properties := object()
	for _, name := range append([]string{of.name}, of.names...) {
		if err := isName(name); err != nil {
			return err
		}
		if member(member(d.node(at...), "properties"), name) == nil {
			properties.Content = append(properties.Content, value(name), s)
		}
	}
	return d.update(at, object("properties", properties))
}

// isCombined tells a schema that has its members from others: what is called properties is one, and not the keyword.
func isCombined(n *yaml.Node) bool {
	for _, keyword := range []string{"allOf", "anyOf", "oneOf"} {
		if m := member(n, keyword); m != nil && m.Kind == yaml.SequenceNode {
			return true
		}
	}
	return false
}

// isName refuses what the report shows in place of a name.
func isName(name string) error {
	if strings.Contains(name, "[redacted]") || strings.HasPrefix(name, "(a name of ") {
		return fmt.Errorf("the report does not hold the name, but %s", name)
	}
	return nil
}
