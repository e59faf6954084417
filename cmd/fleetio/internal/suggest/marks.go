package suggest

import (
	"slices"

	"go.yaml.in/yaml/v4"
)

const assumedKey = "x-assumed"

// marked reports whether the claim at a place is assumed.
func (d *draft) marked(at []string) bool {
	for i := range at {
		mark := d.node(append(slices.Clone(at[:i]), assumedKey)...)
		for _, token := range at[i:] {
			if mark == nil || mark.Kind == yaml.ScalarNode {
				break
			}
			mark = member(mark, token)
		}
		if mark != nil && mark.Kind == yaml.ScalarNode {
			return true
		}
	}
	return false
}

// unmark removes the marks on a place, and the objects that then hold none.
func (d *draft) unmark(at []string) error {
	for i := range at {
		keys := append([]string{assumedKey}, at[i:]...)
		mark := append(slices.Clone(at[:i]), keys...)
		n := d.node(mark...)
		if n == nil {
			continue
		}
		for len(mark) > i+1 {
			if n := d.node(mark[:len(mark)-1]...); n == nil || len(n.Content) > 2 {
				break
			}
			mark = mark[:len(mark)-1]
		}
		if err := d.cut(mark); err != nil {
			return err
		}
	}
	return nil
}

// set merges fields into the object at a place, and marks the claims that they make, each given by its tokens below the
// place.
func (d *draft) set(at []string, fields *yaml.Node, claims ...[]string) error {
	for _, claim := range claims {
		if d.marked(append(slices.Clone(at), claim...)) {
			continue
		}
		mark := value(d.of.reason())
		for _, token := range slices.Backward(claim) {
			mark = object(token, mark)
		}
		merge(fields, object(assumedKey, mark))
	}
	return d.update(at, fields)
}
