package main

import (
	"errors"
	"fmt"

	"github.com/fleetcontract/fleetio-go/internal/openapi"
	"github.com/fleetcontract/fleetio-go/internal/speclint"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/internal/yamltree"
)

// document is the spec, with references resolved. The tree has what only the generator needs, such as examples.
type document struct {
	*openapi.Document

	file string // for messages
	tree *yamltree.Tree
}

// parseDocument returns the first mistake in the spec as an error. References must stay inside the file, as oapi-codegen
// follows no others.
func parseDocument(file string, text []byte) (*document, error) {
	tree, err := yamltree.Parse(text, file, nil)
	if err != nil {
		line := 1
		if invalid := (*yamltree.Error)(nil); errors.As(err, &invalid) {
			line = invalid.Line
		}
		return nil, fmt.Errorf("%s:%d: %w", file, line, err)
	}
	d := &document{file: file, tree: tree}
	for _, problem := range speclint.Check(tree).Errors {
		return nil, d.errorAt(problem.Pointer, "%s", problem.Reason)
	}
	d.Document = openapi.Read(tree)
	return d, nil
}

// errorAt returns an error that says where it is, and what to do.
func (d *document) errorAt(pointer, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s: %s", d.file, d.tree.Line(pointer), pointer, fmt.Sprintf(format, args...))
}

// at returns the pointer of the value below a pointer at keys, with references followed, and its node; nil if there is none.
func (d *document) at(pointer string, keys ...string) (string, *yamltree.Node) {
	n := d.tree.Node(pointer)
	for _, key := range keys {
		if n == nil {
			break
		}
		n, _ = d.tree.Child(n, key)
		pointer, n = d.tree.Dereference(pointer+strictjson.Pointer(key), n)
	}
	return pointer, n
}

// text returns the text of the scalar below a pointer, or "". It does not follow references, beside which some extensions
// are.
func (d *document) text(pointer, key string) string {
	if n := d.tree.Node(pointer + "/" + key); n != nil && n.Scalar() {
		return n.Text
	}
	return ""
}

// entries returns the properties of the object below a pointer at keys, in their order in the file.
func (d *document) entries(pointer string, keys ...string) []yamltree.Entry {
	if _, n := d.at(pointer, keys...); n != nil {
		return n.Entries
	}
	return nil
}

// json returns the value below a pointer as JSON, numbers as they are written; "" if there is none.
func (d *document) json(pointer, key string) string {
	if n := d.tree.Node(pointer + "/" + key); n != nil {
		return string(n.AppendJSON(nil))
	}
	return ""
}
