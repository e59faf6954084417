package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// copied are the types to copy, under a name of their own, with what the spec does not say of them in Go.
var copied = []struct{ original, name, doc, field string }{
	{original: "Fault", name: "Fault", doc: `is a fault as the service stores it. Properties that may be null are a [Nullable].
Its JSON has the properties that it was decoded from, also those in Extra.`,
		field: `// Extra has the properties that this version does not know, by name; nil without one. The service may add
		// properties at any time.
		Extra map[string]json.RawMessage ` + "`json:\"-\"`"},
	{original: "FaultCreate", name: "FaultCreate", doc: `is a fault to create. Optional fields are pointers: nil omits the property. new("text") makes a pointer
to a value.

Set ExternalID to an identifier of your own, such as that of the event: a fault can be looked up by it. The service does
not keep it unique: two creates with the same one make two faults.`},
	{original: "ListFaultsParams", name: "FaultFilter", doc: `selects the faults of [Client.Faults], and orders them. A nil field is not sent; filters are combined with
AND. The zero FaultFilter selects all.`},
	{original: "FaultPage", name: "faultPage", doc: "is the body of a response that lists faults."},
	{original: "Problem", name: "Problem", doc: "is the body of most error responses."},
}

// nullable is the one generic type.
const nullable = `
// Nullable is a property of a [Fault]: absent, null or a value of T. Its Get returns the value.
type Nullable[T any] = fleetioapi.Nullable[T]
`

// declaredBeside returns what a package declares in other files than out, as [declarations].
func declaredBeside(out string) (map[string]bool, error) {
	names := map[string]bool{"Fault.Extra": true}
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(out), "*.go"))
	for _, name := range files {
		if filepath.Base(name) == filepath.Base(out) || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, declared := range declarations(file) {
			names[declared] = true
		}
	}
	return names, nil
}

// facade returns a Go file for package fleetio with copies of generated types, so that their fields show in its
// documentation, they can have methods, and a property that the spec gets reaches them. A copy can be converted into its
// original. The types of its fields, and their constants, become aliases. taken are the names that the package has
// already.
func facade(source []byte, taken map[string]bool) ([]byte, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	original, constants := typesAndConstants(file)
	aliases, packages := map[string]bool{}, map[string]bool{"json": true} // json for Extra
	var b bytes.Buffer
	for _, c := range copied {
		spec := original[c.original]
		if spec == nil {
			return nil, fmt.Errorf("the generated types have no %s, of which package fleetio has a copy", c.original)
		}
		object, isStruct := spec.Type.(*ast.StructType)
		if !isStruct {
			return nil, fmt.Errorf("the generated type %s is no struct", c.original)
		}
		comment(&b, c.name+" "+c.doc)
		fmt.Fprintf(&b, "type %s struct {\n", c.name)
		for _, field := range object.Fields.List {
			if name := field.Names[0].Name; taken[c.name+"."+name] {
				return nil, fmt.Errorf("package fleetio has a %s.%s of its own: give the property with this Go name an x-go-name in the spec", c.name, name)
			}
			copyField(&b, source, field, c.field != "")
			ast.Inspect(field.Type, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					packages[fmt.Sprint(n.X)] = true
				case *ast.Ident:
					aliases[n.Name] = original[n.Name] != nil
				}
				return true
			})
		}
		b.WriteString(c.field + "\n}\n")
	}
	b.WriteString(nullable)
	maps.DeleteFunc(aliases, func(name string, isType bool) bool { return !isType || name == "Nullable" || isCopied(name) })
	for _, name := range slices.Sorted(maps.Keys(aliases)) {
		for _, declared := range append(constants[name], name) {
			if taken[declared] {
				return nil, fmt.Errorf("package fleetio has a %s of its own: give the schema with this Go name an x-go-name in the spec, or its value one of x-enum-varnames", declared)
			}
		}
		b.WriteByte('\n')
		comment(&b, strings.Replace(original[name].Doc.Text(), name+" ", name+": ", 1))
		fmt.Fprintf(&b, "type %s = fleetioapi.%[1]s\n", name)
		if values := constants[name]; len(values) > 0 {
			fmt.Fprintf(&b, "\n// The values of a [%s] in the contract. The service may return others.\nconst (\n", name)
			for _, value := range values {
				fmt.Fprintf(&b, "\t%s = fleetioapi.%[1]s\n", value)
			}
			b.WriteString(")\n")
		}
	}
	var head bytes.Buffer
	head.WriteString("// Code generated by internal/gencheck from gen/fleetioapi. DO NOT EDIT.\n\npackage fleetio\n\nimport (\n")
	for _, imported := range file.Imports {
		path := strings.Trim(imported.Path.Value, `"`)
		if packages[path[strings.LastIndexByte(path, '/')+1:]] {
			fmt.Fprintf(&head, "\t%q\n", path)
		}
	}
	head.WriteString("\n\t\"github.com/fleetcontract/fleetio-go/gen/fleetioapi\"\n)\n\n")
	return format.Source(append(head.Bytes(), b.Bytes()...))
}

func isCopied(name string) bool {
	for _, c := range copied {
		if c.name == name {
			return true
		}
	}
	return false
}

// typesAndConstants returns the types of a file by name, each with its comment, and the constants of each type.
func typesAndConstants(file *ast.File) (map[string]*ast.TypeSpec, map[string][]string) {
	types, constants := map[string]*ast.TypeSpec{}, map[string][]string{}
	for _, declaration := range file.Decls {
		group, isGroup := declaration.(*ast.GenDecl)
		if !isGroup {
			continue
		}
		for _, spec := range group.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				spec.Doc = group.Doc
				types[spec.Name.Name] = spec
			case *ast.ValueSpec:
				if of, isNamed := spec.Type.(*ast.Ident); isNamed && group.Tok == token.CONST && spec.Names[0].IsExported() {
					constants[of.Name] = append(constants[of.Name], spec.Names[0].Name)
				}
			}
		}
	}
	return types, constants
}

// copyField prints a field with its comment, which need not begin with its name. A response keeps empty lists and objects.
func copyField(b *bytes.Buffer, source []byte, field *ast.Field, isResponse bool) {
	name := field.Names[0].Name
	text := strings.TrimPrefix(field.Doc.Text(), name+" ")
	comment(b, strings.ReplaceAll(text, "\n\nExample:", "\nExample:"))
	of := source[field.Type.Pos()-1 : field.Type.End()-1] // positions in the only file of a set start at 1
	tag := ""
	if field.Tag != nil && !strings.Contains(field.Tag.Value, `form:"`) { // which no code of package fleetio reads
		tag = field.Tag.Value
	}
	if _, isPointer := field.Type.(*ast.StarExpr); isResponse && !isPointer {
		tag = strings.Replace(tag, ",omitempty", ",omitzero", 1)
	}
	fmt.Fprintf(b, "%s %s %s\n", name, of, tag)
}

// comment prints a text as a comment.
func comment(b *bytes.Buffer, text string) {
	for line := range strings.Lines(strings.TrimSpace(text)) {
		b.WriteString(strings.TrimRight("// "+line, " \n") + "\n")
	}
}
