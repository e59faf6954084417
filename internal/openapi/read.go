package openapi

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/internal/yamltree"
)

// Read reads a document, which must have no mistakes: its references are resolved.
func Read(t *yamltree.Tree) *Document {
	r := &reader{tree: t, schemas: map[string]*Schema{}}
	root := place{"", t.Root}
	info, _ := r.child(root, "info")
	r.doc = &Document{Title: r.text(info, "title"), Version: r.text(info, "version"), Servers: r.servers(root),
		Security: r.security(root), SecuritySchemes: map[string]*SecurityScheme{}}
	schemas := map[string]*Schema{}
	if components, ok := r.child(root, "components"); ok {
		for name, at := range r.named(components, "schemas") {
			schemas[name] = r.schema(at)
		}
		for name, at := range r.named(components, "securitySchemes") {
			r.doc.SecuritySchemes[name] = &SecurityScheme{Type: r.text(at, "type"), In: r.text(at, "in"), Name: r.text(at, "name"), Scheme: r.text(at, "scheme")}
		}
	}
	for path, at := range r.named(root, "paths") {
		if strings.HasPrefix(path, "/") {
			r.doc.Paths = append(r.doc.Paths, r.pathItem(path, at))
		}
	}
	slices.SortStableFunc(r.doc.Paths, func(a, b *PathItem) int {
		return strings.Compare(a.Path, b.Path)
	})
	r.discriminators(schemas)
	readDirections(r.doc.Schemas)
	return r.doc
}

type reader struct {
	tree    *yamltree.Tree
	doc     *Document
	schemas map[string]*Schema // by pointer
	pending []discriminated
}

// discriminated is a schema with a discriminator, which is read when all other schemas are.
type discriminated struct {
	schema            *Schema
	at, discriminator place
}

// place is a node and its pointer.
type place struct {
	at string
	n  *yamltree.Node
}

// follow follows references.
func (r *reader) follow(p place) place {
	p.at, p.n = r.tree.Dereference(p.at, p.n)
	return p
}

// child returns what is below a key, without references.
func (r *reader) child(p place, key string) (place, bool) {
	n, _ := r.tree.Child(p.n, key)
	if n == nil {
		return place{}, false
	}
	return r.follow(place{p.at + "/" + key, n}), true
}

// named returns the entries of the object below a key, by name, without references.
func (r *reader) named(p place, key string) func(yield func(string, place) bool) {
	return func(yield func(string, place) bool) {
		below, ok := r.child(p, key)
		if !ok {
			return
		}
		for _, e := range below.n.Entries {
			if !yield(e.Key, r.follow(place{below.at + strictjson.Pointer(e.Key), e.Node})) {
				return
			}
		}
	}
}

// list returns the items of the list below a key, without references.
func (r *reader) list(p place, key string) (items []place) {
	if below, ok := r.child(p, key); ok {
		for i, e := range below.n.Entries {
			items = append(items, r.follow(place{below.at + "/" + strconv.Itoa(i), e.Node}))
		}
	}
	return items
}

func (r *reader) text(p place, key string) string {
	if n, _ := r.tree.Child(p.n, key); n != nil && n.Scalar() {
		return n.Text
	}
	return ""
}

func (r *reader) truth(p place, key string) bool { return r.text(p, key) == "true" }

// option returns a boolean that may be absent.
func (r *reader) option(p place, key string) *bool {
	if n, _ := r.tree.Child(p.n, key); n == nil {
		return nil
	}
	value := r.truth(p, key)
	return &value
}

func (r *reader) servers(p place) (list []Server) {
	for _, at := range r.list(p, "servers") {
		s := Server{URL: r.text(at, "url"), Variables: map[string]Variable{}}
		for name, below := range r.named(at, "variables") {
			v := Variable{Default: r.text(below, "default")}
			for _, e := range r.list(below, "enum") {
				v.Enum = append(v.Enum, e.n.Text)
			}
			s.Variables[name] = v
		}
		list = append(list, s)
	}
	return list
}

// security returns nil without the keyword, which is not the same as an empty list.
func (r *reader) security(p place) []SecurityRequirement {
	if _, ok := r.child(p, "security"); !ok {
		return nil
	}
	list := []SecurityRequirement{}
	for _, at := range r.list(p, "security") {
		requirement := SecurityRequirement{}
		for _, e := range at.n.Entries {
			requirement = append(requirement, e.Key)
		}
		slices.Sort(requirement)
		list = append(list, requirement)
	}
	return list
}

var methods = []string{"delete", "get", "head", "options", "patch", "post", "put", "trace"}

func (r *reader) pathItem(path string, p place) *PathItem {
	item := &PathItem{Path: path, Pointer: p.at, Parameters: r.parameters(p), Servers: r.servers(p)}
	for _, method := range methods {
		at, ok := r.child(p, method)
		if !ok {
			continue
		}
		o := &Operation{Method: strings.ToUpper(method), Pointer: at.at, ID: cmp.Or(r.text(at, "operationId"), strings.ToUpper(method)+" "+path), Parameters: r.parameters(at),
			Responses: map[string]*Response{}, Security: r.security(at), Servers: r.servers(at)}
		if body, ok := r.child(at, "requestBody"); ok {
			o.RequestBody = &RequestBody{Pointer: body.at, Required: r.truth(body, "required"), Content: r.content(body)}
		}
		for status, below := range r.named(at, "responses") {
			if !strings.HasPrefix(status, "x-") {
				o.Responses[status] = &Response{Pointer: below.at, Headers: r.headers(below), Content: r.content(below), Links: r.links(below)}
			}
		}
		item.Operations = append(item.Operations, o)
	}
	return item
}

func (r *reader) parameters(p place) (list []*Parameter) {
	for _, at := range r.list(p, "parameters") {
		list = append(list, r.parameter(at))
	}
	return list
}

func (r *reader) parameter(at place) *Parameter {
	p := &Parameter{Pointer: at.at, Name: r.text(at, "name"), In: r.text(at, "in"), Required: r.truth(at, "required"), Style: r.text(at, "style"),
		Explode: r.option(at, "explode"), AllowEmptyValue: r.truth(at, "allowEmptyValue"), Content: r.content(at)}
	if schema, ok := r.child(at, "schema"); ok {
		p.Schema = r.schema(schema)
	}
	p.Example, _ = r.tree.Child(at.n, "example")
	return p
}

func (r *reader) headers(p place) map[string]*Parameter {
	list := map[string]*Parameter{}
	for name, at := range r.named(p, "headers") {
		list[name] = r.parameter(at)
	}
	return list
}

func (r *reader) links(p place) (list []Link) {
	for _, at := range r.named(p, "links") {
		link := Link{OperationID: r.text(at, "operationId"), Parameters: map[string]string{}}
		for name, value := range r.named(at, "parameters") {
			link.Parameters[name] = value.n.Text
		}
		list = append(list, link)
	}
	return list
}

// content returns nil without the keyword.
func (r *reader) content(p place) map[string]*MediaType {
	if _, ok := r.child(p, "content"); !ok {
		return nil
	}
	list := map[string]*MediaType{}
	for name, at := range r.named(p, "content") {
		m := &MediaType{Encoding: map[string]*Encoding{}}
		if schema, ok := r.child(at, "schema"); ok {
			m.Schema = r.schema(schema)
		}
		for property, below := range r.named(at, "encoding") {
			m.Encoding[property] = &Encoding{ContentType: r.text(below, "contentType"), Headers: r.headers(below), Style: r.text(below, "style"),
				Explode: r.option(below, "explode")}
		}
		list[name] = m
	}
	return list
}

func (r *reader) schemaList(at []place) (list []*Schema) {
	for _, p := range at {
		list = append(list, r.schema(p))
	}
	return list
}

// schema reads a schema once for all references to it.
func (r *reader) schema(p place) *Schema {
	if known := r.schemas[p.at]; known != nil {
		return known
	}
	s := &Schema{ID: len(r.doc.Schemas), Pointer: p.at}
	r.schemas[p.at] = s
	r.doc.Schemas = append(r.doc.Schemas, s)
	for _, e := range p.n.Entries {
		below := func() place { return r.follow(place{p.at + "/" + e.Key, e.Node}) }
		switch e.Key {
		case "enum":
			for _, item := range e.Entries {
				s.Enum = append(s.Enum, item.Node)
			}
		case "required":
			for _, item := range e.Entries {
				s.Required = append(s.Required, item.Text)
			}
		case "properties":
			r.properties(s, p.at+"/properties", e.Node)
		case "items":
			s.Items = r.schema(below())
		case "example":
			s.Example = e.Node
		case "not":
			s.Not = r.schema(below())
		case "additionalProperties":
			s.HasAdditionalProperties, s.NoOtherProperties = true, e.Text == "false"
			if e.Type == strictjson.Object {
				s.AdditionalProperties = r.schema(below())
			}
		case "allOf":
			s.AllOf = r.schemaList(r.list(p, "allOf"))
		case "anyOf":
			s.AnyOf = r.schemaList(r.list(p, "anyOf"))
		case "oneOf":
			s.OneOf = r.schemaList(r.list(p, "oneOf"))
		default:
			s.scalar(e.Key, e.Text)
		}
	}
	if at, ok := r.child(p, "discriminator"); ok {
		s.Discriminator = &Discriminator{PropertyName: r.text(at, "propertyName"), Mapping: map[string]*Schema{}}
		r.pending = append(r.pending, discriminated{s, p, at})
	}
	return s
}

// scalar sets the keyword with a name, if its value is a scalar.
func (s *Schema) scalar(keyword, text string) {
	switch keyword {
	case "type":
		s.Type = text
	case "format":
		s.Format = text
	case "pattern":
		s.Pattern = text
	case "nullable":
		s.HasNullable, s.Nullable = true, text == "true"
	case "readOnly":
		s.ReadOnly = text == "true"
	case "x-fixture":
		s.Fixture = text == "true"
	case "writeOnly":
		s.WriteOnly = text == "true"
	case "uniqueItems":
		s.UniqueItems = text == "true"
	case "minimum":
		s.Minimum = json.Number(text)
	case "maximum":
		s.Maximum = json.Number(text)
	case "multipleOf":
		s.MultipleOf = json.Number(text)
	case "exclusiveMinimum":
		s.ExclusiveMinimum = text == "true"
	case "exclusiveMaximum":
		s.ExclusiveMaximum = text == "true"
	case "minLength":
		s.MinLength = count(text)
	case "minItems":
		s.MinItems = count(text)
	case "minProperties":
		s.MinProperties = count(text)
	case "maxLength":
		s.MaxLength = limit(text)
	case "maxItems":
		s.MaxItems = limit(text)
	case "maxProperties":
		s.MaxProperties = limit(text)
	}
}

func (r *reader) properties(s *Schema, at string, n *yamltree.Node) {
	s.Properties = make([]Property, 0, len(n.Entries))
	for _, e := range n.Entries {
		below := r.follow(place{at + strictjson.Pointer(e.Key), e.Node})
		s.Properties = append(s.Properties, Property{e.Key, r.schema(below)})
	}
	slices.SortFunc(s.Properties, func(a, b Property) int { return strings.Compare(a.Name, b.Name) })
}

// discriminators reads the mappings of the discriminators. components are the schemas by name.
func (r *reader) discriminators(components map[string]*Schema) {
	extending := map[*Schema][]*Schema{} // the schemas whose allOf has a schema
	for _, s := range r.doc.Schemas {
		for _, part := range s.AllOf {
			extending[part] = append(extending[part], s)
		}
	}
	names, unwrapped := map[*Schema][]string{}, map[*Schema][]string{} // of the components
	for name, s := range components {
		names[s] = append(names[s], name)
		unwrapped[s.unwrap()] = append(unwrapped[s.unwrap()], name)
	}
	for len(r.pending) > 0 {
		d := r.pending[0]
		r.pending = r.pending[1:] // a mapping can lead to more
		s, mapping := d.schema, d.schema.Discriminator.Mapping
		alternatives := slices.Concat(s.OneOf, s.AnyOf)
		children := map[*Schema]bool{}
		if len(alternatives) == 0 {
			addChildren(children, s, extending)
		}
		for child := range children {
			for _, name := range names[child] {
				mapping[name] = child
			}
		}
		for _, alternative := range alternatives {
			for _, name := range unwrapped[alternative.unwrap()] {
				mapping[name] = alternative
			}
		}
		for name, to := range r.named(d.discriminator, "mapping") {
			delete(mapping, name)
			chosen := components[to.n.Text]
			if target, isReference := strings.CutPrefix(to.n.Text, "#"); isReference {
				if n := r.tree.Node(target); n != nil {
					chosen = r.schema(r.follow(place{target, n}))
				}
			}
			switch {
			case chosen == nil:
			case len(alternatives) > 0:
				if chosen = alias(alternatives, chosen); chosen != nil {
					mapping[name] = chosen
				}
			case chosen == s || chosen.Extends(s, map[*Schema]bool{}):
				mapping[name] = chosen
			}
		}
	}
}

func addChildren(children map[*Schema]bool, of *Schema, extending map[*Schema][]*Schema) {
	for _, child := range extending[of] {
		if !children[child] {
			children[child] = true
			addChildren(children, child, extending)
		}
	}
}

// alias returns the alternative that is the same as a schema but for an allOf around one of them, or nil.
func alias(alternatives []*Schema, s *Schema) *Schema {
	i := slices.IndexFunc(alternatives, func(a *Schema) bool { return a.unwrap() == s.unwrap() })
	if i < 0 {
		return nil
	}
	return alternatives[i]
}

// unwrap returns the one schema in the allOf of a schema that has nothing else.
func (s *Schema) unwrap() *Schema {
	for range maxWrappers {
		if len(s.AllOf) != 1 || s.Type != "" || len(s.Properties)+len(s.Required)+len(s.OneOf)+len(s.AnyOf) > 0 {
			break
		}
		s = s.AllOf[0]
	}
	return s
}

// maxWrappers bounds the wrappers around a schema, which can be in a circle.
const maxWrappers = 8

// count returns a whole number; one that is too large for a size is the largest.
func count(text string) uint64 {
	n := strictjson.Exact(text).Num()
	if !n.IsUint64() {
		return 1<<64 - 1
	}
	return n.Uint64()
}

func limit(text string) *uint64 {
	n := count(text)
	return &n
}
