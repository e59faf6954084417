package main

import (
	"cmp"
	"go/ast"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/internal/gencheck/check"
	"github.com/fleetcontract/fleetio-go/internal/openapi"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// goTypes are the names of the generated types, by their letters and digits in lower case, as the generator changes the
// case of a name and removes other characters.
type goTypes map[string]string

func typesOf(file *ast.File) goTypes {
	types := goTypes{}
	for _, d := range file.Decls {
		declared, _ := d.(*ast.GenDecl)
		if declared == nil {
			continue
		}
		for _, s := range declared.Specs {
			if t, isType := s.(*ast.TypeSpec); isType {
				types[letters(t.Name.Name)] = t.Name.Name
			}
		}
	}
	return types
}

var other = regexp.MustCompile(`[^a-z0-9]`)

func letters(name string) string { return other.ReplaceAllString(strings.ToLower(name), "") }

// operation is an operation of the spec with what the generator needs besides.
type operation struct {
	*openapi.Operation

	path         string
	pattern      string               // of the path in [http.ServeMux]
	parameters   []*openapi.Parameter // with those of the path that the operation does not replace
	body         *check.Schema
	otherBodies  []string // media types that are not JSON
	bodyRequired bool
}

// operations returns the operations of the spec, sorted by path and method.
func (c *compiler) operations() ([]*operation, error) {
	var list []*operation
	for _, item := range c.Paths {
		for _, from := range item.Operations {
			o := &operation{Operation: from, path: item.Path}
			if err := cmp.Or(c.parameters(o, item), c.body(o), c.responses(o)); err != nil {
				return nil, err
			}
			list = append(list, o)
		}
	}
	return list, c.route(list)
}

func (c *compiler) parameters(o *operation, item *openapi.PathItem) error {
	for _, p := range slices.Concat(o.Parameters, item.Parameters) {
		if p.In == "path" && slices.Contains(variables, letters(cmp.Or(c.text(p.Pointer, "x-go-name"), p.Name))) {
			return c.errorAt(p.Pointer, "the generated code has a variable %s of its own: give the parameter an x-go-name", p.Name)
		}
		if !slices.ContainsFunc(o.parameters, func(other *openapi.Parameter) bool { return other.In == p.In && other.Name == p.Name }) {
			o.parameters = append(o.parameters, p)
		}
	}
	return nil
}

// variables are the names, by their letters, that the generated code uses where a parameter of a path is a variable.
var variables = strings.Fields("b body bytes c contenttype context ctx err error errors fmt handler http io json nil params r req " +
	"reqeditors request response runtime server sh siw text w")

const jsonType = "application/json"

// jsonContent returns the key and the media type of JSON in a content; nil if there is none.
func jsonContent(content map[string]*openapi.MediaType) (string, *openapi.MediaType) {
	for key, m := range content {
		if mediaType(key) == jsonType {
			return key, m
		}
	}
	return "", nil
}

// mediaType returns the key of a media type in lower case and without parameters.
func mediaType(key string) string {
	name, _, _ := strings.Cut(strings.ToLower(key), ";")
	return strings.TrimSpace(name)
}

// body sets what an operation has of a body.
func (c *compiler) body(o *operation) error {
	if o.RequestBody == nil {
		return nil
	}
	o.bodyRequired = o.RequestBody.Required
	for _, e := range c.entries(o.RequestBody.Pointer, "content") {
		if name := mediaType(e.Key); name != jsonType {
			o.otherBodies = append(o.otherBodies, name)
		}
	}
	_, m := jsonContent(o.RequestBody.Content)
	if m == nil || m.Schema == nil {
		return nil
	}
	o.body = c.schema(m.Schema)
	return c.checkInput(o.body)
}

// responses returns an error for a response of JSON without a type, which the generated server makes an interface with
// methods.
func (c *compiler) responses(o *operation) error {
	for _, status := range slices.Sorted(maps.Keys(o.Responses)) {
		r := o.Responses[status]
		for _, key := range slices.Sorted(maps.Keys(r.Content)) {
			s := r.Content[key].Schema
			hasType := s != nil && (s.Type != "" || s.Properties != nil || len(s.AllOf)+len(s.AnyOf)+len(s.OneOf) > 0 || c.text(s.Pointer, "x-go-type") != "")
			if !hasType && strings.Contains(mediaType(key), "json") {
				return c.errorAt(r.Pointer+"/content"+strictjson.Pointer(key),
					"the generated server does not compile with a response of JSON that has no type: give its schema one, or x-go-type: json.RawMessage")
			}
		}
	}
	return nil
}

const components = "/components/schemas"

// typedSchema is a schema with a Go type.
type typedSchema struct {
	*check.Schema

	Type   string // in Go
	IsBody bool   // of an operation
	Value  string // as Go code
}

// typedSchemas returns the schemas of the components and of the operations' bodies, sorted by their Go types.
func (c *compiler) typedSchemas(types goTypes, operations []*operation) ([]typedSchema, error) {
	found := map[*check.Schema]typedSchema{}
	for _, e := range c.entries(components) {
		pointer := components + strictjson.Pointer(e.Key)
		s, name := c.schemas[pointer], types[letters(cmp.Or(c.text(pointer, "x-go-name"), e.Key))]
		if s != nil && name != "" { // nil for a reference; without a type if nothing refers to the component
			found[s] = typedSchema{Schema: s, Type: name}
		}
	}
	for _, o := range operations {
		if o.body == nil {
			continue
		}
		t := found[o.body]
		if t.Schema == nil {
			t = typedSchema{Schema: o.body, Type: types[letters(o.ID+"JSONRequestBody")]}
		}
		if t.Type == "" {
			return nil, c.errorAt(c.pointers[o.body], "the Go types have none for the body: generate them first, or move the schema to components/schemas")
		}
		t.IsBody = true
		found[o.body] = t
	}
	return slices.SortedFunc(maps.Values(found), func(a, b typedSchema) int { return strings.Compare(a.Type, b.Type) }), nil
}
