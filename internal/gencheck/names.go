package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// canTag reports whether encoding/json accepts a property name in the tag of a field. It ignores others silently, and
// takes the name of the field.
func canTag(property string) bool {
	return property != "" && property != "-" && !strings.ContainsFunc(property, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", r)
	})
}

// fieldNames returns an error if a struct of the generated types has a field without a name, or two with the same one.
func (c *compiler) fieldNames(file *ast.File) (err error) {
	ast.Inspect(file, func(n ast.Node) bool {
		object, isStruct := n.(*ast.StructType)
		if !isStruct || err != nil {
			return err == nil
		}
		properties := map[string]string{} // by the name of the field
		for _, field := range object.Fields.List {
			property := propertyOf(field)
			if len(field.Names) == 0 {
				err = c.errorAt(c.withProperties(property), "no Go name can be made of %q: give it an x-go-name", property)
				continue
			}
			name := field.Names[0].Name
			if other, taken := properties[name]; taken {
				err = c.errorAt(c.withProperties(other, property), "%q and %q have the same Go name %s: give one of them an x-go-name", other, property, name)
			}
			properties[name] = property
		}
		return true
	})
	return err
}

// propertyOf returns the property of a generated field.
func propertyOf(field *ast.Field) string {
	if field.Tag == nil {
		return ""
	}
	_, text, _ := strings.Cut(field.Tag.Value, `json:"`)
	name, _, _ := strings.Cut(text, `"`)
	name, _, _ = strings.Cut(name, ",")
	return name
}

// withProperties returns the pointer of a schema that has all these properties, or of the last of them; the root if there is
// none, as for parameters.
func (c *compiler) withProperties(names ...string) string {
	for _, pointer := range slices.Sorted(maps.Keys(c.schemas)) {
		s := c.schemas[pointer]
		has := map[string]bool{}
		for _, f := range s.Fields() {
			has[f.Name] = true
		}
		if slices.ContainsFunc(names, func(name string) bool { return !has[name] }) {
			continue
		}
		return c.tree.Below(pointer, "properties"+strictjson.Pointer(names[len(names)-1]))
	}
	return ""
}

// declaredOnce returns an error if the files declare an exported name twice. They are one package to the compiler, as the
// server imports the types by the name ".".
func (c *compiler) declaredOnce(sources ...[]byte) error {
	declared := map[string]bool{}
	for _, source := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, name := range declarations(file) {
			if !declared[name] || !ast.IsExported(name) {
				declared[name] = true
				continue
			}
			at := ""
			for _, e := range c.entries(components) {
				if letters(e.Key) == letters(name) {
					at = components + strictjson.Pointer(e.Key)
				}
			}
			return c.errorAt(at, "the generated code has two declarations of %s: rename what has this name in the spec, or give it "+
				"an x-go-name (x-enum-varnames for the values of an enum)", name)
		}
	}
	return nil
}

// declarations returns the names that a file declares in its package, methods as Fault.String.
func declarations(file *ast.File) (names []string) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			receiver := ""
			if d.Recv != nil {
				receiver = strings.TrimPrefix(types.ExprString(d.Recv.List[0].Type), "*") + "."
			}
			names = append(names, receiver+d.Name.Name)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					names = append(names, s.Name.Name)
				case *ast.ValueSpec:
					for _, name := range s.Names {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return names
}
