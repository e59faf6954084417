package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
)

// goField is a field of a generated struct.
type goField struct {
	name    string
	typ     string // without the star
	pointer bool
}

// nameFields sets the names of the Go fields of each body, and returns the name of the package.
func nameFields(bodies []*body, source []byte) (string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	structs := map[string]map[string]goField{} // by struct and JSON name
	ast.Inspect(file, func(n ast.Node) bool {
		spec, _ := n.(*ast.TypeSpec)
		if spec == nil {
			return true
		}
		if fields, isStruct := spec.Type.(*ast.StructType); isStruct {
			structs[spec.Name.Name] = goFields(fields)
		}
		return false
	})
	for _, b := range bodies {
		fields, found := structs[b.Name]
		if !found {
			return "", fmt.Errorf("the Go types have no struct %s", b.Name)
		}
		for _, f := range b.Fields {
			field, found := fields[f.Name]
			if !found {
				return "", fmt.Errorf("the Go struct %s has no field for %s", b.Name, f.Name)
			}
			want := map[string]string{"string": "string", "string date-time": "time.Time", "integer int64": "int64",
				"boolean": "bool"}[strings.TrimSpace(f.Type+" "+f.Format)]
			// A string with an enum has a Go type of its own.
			if field.typ != want && f.Enum == nil || field.pointer == f.Required {
				return "", fmt.Errorf("the Go field %s.%s does not have the type of %s in the spec", b.Name, field.name, f.Name)
			}
			f.Go, f.Pointer = field.name, field.pointer
		}
	}
	return file.Name.Name, nil
}

// goFields returns the fields of a struct by their JSON names.
func goFields(s *ast.StructType) map[string]goField {
	fields := map[string]goField{}
	for _, f := range s.Fields.List {
		if f.Tag == nil || len(f.Names) != 1 {
			continue
		}
		wire, _, _ := strings.Cut(reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json"), ",")
		field := goField{name: f.Names[0].Name}
		typ := f.Type
		if star, isPointer := typ.(*ast.StarExpr); isPointer {
			field.pointer, typ = true, star.X
		}
		switch typ := typ.(type) {
		case *ast.Ident:
			field.typ = typ.Name
		case *ast.SelectorExpr:
			if pkg, isIdent := typ.X.(*ast.Ident); isIdent {
				field.typ = pkg.Name + "." + typ.Sel.Name
			}
		}
		fields[wire] = field
	}
	return fields
}
