package main

import (
	"cmp"
	"go/ast"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/internal/gencheck/check"
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

// operation is an Operation Object with what its path adds.
type operation struct {
	place

	method, path string
	pattern      string  // of the path in [http.ServeMux]
	parameters   []place // with those of the path that the operation does not replace
	body         *check.Schema
	otherBodies  []string // media types that are not JSON
	bodyRequired bool
}

var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

// operations returns the operations of the spec, sorted by path and method.
func (c *compiler) operations() ([]*operation, error) {
	var list []*operation
	for _, path := range c.root.at("paths").entries() {
		item, err := c.resolve(path.value)
		if err != nil {
			return nil, err
		}
		for _, e := range item.entries() {
			if !slices.Contains(methods, e.key) {
				continue
			}
			o := &operation{place: e.value, method: strings.ToUpper(e.key), path: path.key}
			if o.parameters, err = c.parameters(e.value, item); err != nil {
				return nil, err
			}
			if err := cmp.Or(c.body(o), c.responses(o)); err != nil {
				return nil, err
			}
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b *operation) int {
		return cmp.Or(strings.Compare(a.path, b.path), strings.Compare(a.method, b.method))
	})
	return list, c.route(list)
}

func (c *compiler) parameters(lists ...place) ([]place, error) {
	var all []place
	known := map[[2]string]bool{}
	for _, list := range lists {
		for _, e := range list.at("parameters").entries() {
			p, err := c.resolve(e.value)
			if err != nil {
				return nil, err
			}
			in, name := p.at("in").text(), p.at("name").text()
			if in == "path" && slices.Contains(variables, letters(cmp.Or(p.at("x-go-name").text(), name))) {
				return nil, c.errorAt(p, "the generated code has a variable %s of its own: give the parameter an x-go-name", name)
			}
			if key := [2]string{in, name}; !known[key] {
				known[key] = true
				all = append(all, p)
			}
		}
	}
	return all, nil
}

// variables are the names, by their letters, that the generated code uses where a parameter of a path is a variable.
var variables = strings.Fields("b body bytes c contenttype context ctx err error errors fmt handler http io json nil params r req " +
	"reqeditors request response runtime server sh siw text w")

const jsonType = "application/json"

// jsonContent returns the Media Type Object of JSON in a Content Object; one without a node if there is none.
func jsonContent(content place) place {
	for _, e := range content.entries() {
		if mediaType(e.key) == jsonType {
			return e.value
		}
	}
	return place{}
}

// mediaType returns the key of a Content Object in lower case and without parameters.
func mediaType(key string) string {
	name, _, _ := strings.Cut(strings.ToLower(key), ";")
	return strings.TrimSpace(name)
}

// body sets the schema of the operation's JSON body.
func (c *compiler) body(o *operation) error {
	body, err := c.resolve(o.at("requestBody"))
	if err != nil {
		return err
	}
	o.bodyRequired = body.at("required").isTrue()
	for _, e := range body.at("content").entries() {
		if name := mediaType(e.key); name != jsonType {
			o.otherBodies = append(o.otherBodies, name)
		}
	}
	schema := jsonContent(body.at("content")).at("schema")
	if !schema.exists() {
		return nil
	}
	if o.body, err = c.schema(schema); err != nil {
		return err
	}
	return c.checkInput(o.body)
}

// responses returns an error for a response of JSON without a type, which the generated server makes an interface with
// methods.
func (c *compiler) responses(o *operation) error {
	for _, r := range o.at("responses").entries() {
		response, err := c.resolve(r.value)
		if err != nil {
			return err
		}
		for _, e := range response.at("content").entries() {
			schema, err := c.resolve(e.value.at("schema"))
			if err != nil {
				return err
			}
			hasType := slices.ContainsFunc([]string{"type", "properties", "allOf", "anyOf", "oneOf", "x-go-type"}, func(keyword string) bool {
				return schema.at(keyword).exists()
			})
			if !hasType && strings.Contains(mediaType(e.key), "json") {
				return c.errorAt(e.value, "the generated server does not compile with a response of JSON that has no type: give its schema one, or x-go-type: json.RawMessage")
			}
		}
	}
	return nil
}

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
	for _, e := range c.root.at("components", "schemas").entries() {
		s, err := c.schema(e.value)
		if err != nil {
			return nil, err
		}
		name := types[letters(cmp.Or(e.value.at("x-go-name").text(), e.key))]
		if name != "" && found[s].Schema == nil && !e.value.at("$ref").exists() { // no type: nothing refers to the component
			found[s] = typedSchema{Schema: s, Type: name}
		}
	}
	for _, o := range operations {
		if o.body == nil {
			continue
		}
		t := found[o.body]
		if t.Schema == nil {
			id := cmp.Or(o.at("operationId").text(), o.method+o.path)
			t = typedSchema{Schema: o.body, Type: types[letters(id+"JSONRequestBody")]}
		}
		if t.Type == "" {
			return nil, c.errorAt(c.places[o.body], "the Go types have none for the body: generate them first, or move the schema to components/schemas")
		}
		t.IsBody = true
		found[o.body] = t
	}
	return slices.SortedFunc(maps.Values(found), func(a, b typedSchema) int { return strings.Compare(a.Type, b.Type) }), nil
}
