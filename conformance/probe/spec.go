package probe

import (
	"encoding/json"
	"math/big"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/internal/mediatype"
	"github.com/fleetcontract/fleetio-go/internal/generate"
	"github.com/fleetcontract/fleetio-go/internal/openapi"
	"github.com/fleetcontract/fleetio-go/internal/yamltree"
)

// operation is what a request of an operation is made of.
type operation struct {
	id, method, path string
	base             string // path of the first server, before path
	parameters       map[conformance.Part]*parameters
	body             *generate.Schema // of JSON; nil where none is sent
	mediaType        string
	credentials      []credential // of the first way to authenticate
	responses        map[string]*openapi.Response
	linked           map[conformance.Part][]string // parameters that links of responses have values for
}

// parameters are those of one part, also as the properties of an object.
type parameters struct {
	object *generate.Schema
	byName map[string]*generate.Parameter
}

// credential is one of a request. Its value is that of the security scheme.
type credential struct {
	scheme, in, name string
	prefix           string // of the value in a header, such as "Bearer "
}

// parts are the parts of a request with values, as the names of cases have them, in the order in which cases are made.
var parts = []struct {
	part conformance.Part
	name string // also where OpenAPI says a parameter is
}{
	{conformance.RequestBody, "request"}, {conformance.RequestPath, "path"}, {conformance.RequestQuery, "query"},
	{conformance.RequestHeader, "header"}, {conformance.RequestCookie, "cookie"},
}

// reader compiles the schemas of a document, each once.
type reader struct {
	schemas  map[*openapi.Schema]*generate.Schema
	examples map[*generate.Schema]any
	fixtures map[*generate.Schema]bool
}

func newReader() *reader {
	return &reader{map[*openapi.Schema]*generate.Schema{}, map[*generate.Schema]any{}, map[*generate.Schema]bool{}}
}

// operations reads the operations of a document, by path and method.
func (r *reader) operations(doc *openapi.Document) (all []*operation) {
	for _, item := range doc.Paths {
		for _, from := range item.Operations {
			o := &operation{id: from.ID, method: from.Method, path: item.Path,
				parameters: map[conformance.Part]*parameters{}, responses: from.Responses, linked: map[conformance.Part][]string{}}
			if servers := slices.Concat(from.Servers, item.Servers, doc.Servers); len(servers) > 0 {
				o.base = servers[0].BasePath()
			}
			for _, p := range parts[1:] {
				o.parameters[p.part] = &parameters{&generate.Schema{Properties: map[string]*generate.Schema{}, Required: map[string]string{}},
					map[string]*generate.Parameter{}}
			}
			for _, p := range slices.Concat(from.Parameters, item.Parameters) {
				r.parameter(o, p)
			}
			o.readCredentials(doc, from)
			if from.RequestBody != nil {
				for _, name := range generate.SortedKeys(from.RequestBody.Content) {
					if mediatype.IsJSON(mediatype.NewPattern(name).Name) && o.mediaType == "" {
						o.mediaType, o.body = name, r.schema(from.RequestBody.Content[name].Schema)
					}
				}
			}
			all = append(all, o)
		}
	}
	for _, o := range all {
		for _, response := range o.responses {
			for _, link := range response.Links {
				for name := range link.Parameters {
					r.link(all, link.OperationID, name)
				}
			}
		}
	}
	return all
}

// link notes that a response has the value of a parameter, which is then a fixture.
func (r *reader) link(all []*operation, id, name string) {
	if to, part, name := parameterOf(all, id, name); to != nil && !slices.Contains(to.linked[part], name) {
		to.linked[part] = append(to.linked[part], name)
		r.fixtures[to.parameters[part].byName[name].Schema] = true
	}
}

// parameterOf finds the parameter that a link names: id, or path.id.
func parameterOf(all []*operation, id, name string) (*operation, conformance.Part, string) {
	for _, o := range all {
		for _, p := range parts[1:] {
			if bare := strings.TrimPrefix(name, p.name+"."); o.id == id && o.parameters[p.part].byName[bare] != nil {
				return o, p.part, bare
			}
		}
	}
	return nil, "", ""
}

func (r *reader) parameter(o *operation, from *openapi.Parameter) {
	i := slices.IndexFunc(parts[1:], func(p struct {
		part conformance.Part
		name string
	}) bool {
		return p.name == from.In
	})
	name := from.Name
	if from.In == "header" {
		name = http.CanonicalHeaderKey(name)
	}
	if from.In == "header" && slices.Contains([]string{"Accept", "Content-Type", "Authorization"}, name) || i < 0 {
		return // OpenAPI 3.0.3, Parameter Object: the definition is ignored
	}
	of := o.parameters[parts[1+i].part]
	if of.byName[name] != nil {
		return
	}
	p := &generate.Parameter{Name: name, In: from.In}
	p.Style, p.Explode = from.Serialization()
	schema := from.Schema
	for mediaType, content := range from.Content { // one
		p.JSON, schema = mediatype.IsJSON(mediaType), content.Schema
	}
	// A copy, as the example of a parameter is not that of others with the same schema.
	own := *r.schema(schema)
	p.Schema = &own
	if from.Example != nil {
		r.examples[p.Schema] = decode(from.Example)
	} else if example, has := r.examples[r.schema(schema)]; has {
		r.examples[p.Schema] = example
	}
	r.fixtures[p.Schema] = r.fixtures[r.schema(schema)]
	of.byName[name], of.object.Properties[name] = p, p.Schema
	if from.Required {
		of.object.Required[name] = ""
	}
}

func (o *operation) readCredentials(doc *openapi.Document, from *openapi.Operation) {
	requirements := doc.Security
	if from.Security != nil {
		requirements = from.Security
	}
	if len(requirements) == 0 {
		return
	}
	for _, scheme := range requirements[0] {
		c := credential{scheme, "header", "Authorization", "Bearer "}
		switch s := doc.SecuritySchemes[scheme]; s.Type {
		case "apiKey":
			c.in, c.name, c.prefix = s.In, s.Name, ""
		case "http":
			c.prefix = s.Scheme + " "
		}
		o.credentials = append(o.credentials, c)
	}
}

func decode(n *yamltree.Node) any { return generate.Decode(string(n.AppendJSON(nil))) }

// schema compiles a schema; nil allows everything.
func (r *reader) schema(from *openapi.Schema) *generate.Schema {
	if from == nil {
		return &generate.Schema{}
	}
	if known := r.schemas[from]; known != nil {
		return known
	}
	n := &generate.Schema{At: from.Pointer, Nullable: from.Nullable, ReadOnly: from.ReadOnly, WriteOnly: from.WriteOnly, Format: from.Format,
		Unique: from.UniqueItems, Length: generate.NewSpan(from.MinLength, from.MaxLength), Items: generate.NewSpan(from.MinItems, from.MaxItems),
		Size: generate.NewSpan(from.MinProperties, from.MaxProperties), Minimum: bound(from.Minimum, from.ExclusiveMinimum),
		Maximum: bound(from.Maximum, from.ExclusiveMaximum), Closed: from.NoOtherProperties,
		Open: from.HasAdditionalProperties && !from.NoOtherProperties, Properties: map[string]*generate.Schema{}, Required: map[string]string{}}
	r.schemas[from], r.fixtures[n] = n, from.Fixture
	if from.Type != "" {
		n.Types = []string{from.Type}
	}
	if from.Example != nil {
		r.examples[n] = decode(from.Example)
	}
	for _, value := range from.Enum {
		n.Enum = append(n.Enum, decode(value))
	}
	if from.Pattern != "" { // one that only ECMA-262 has is left to the checker
		n.Pattern, _ = regexp.Compile(from.Pattern)
	}
	if step := bound(from.MultipleOf, false); step != nil {
		n.Step = step.At
	}
	for _, name := range from.Required {
		n.Required[name] = ""
	}
	for _, p := range from.Properties {
		n.Properties[p.Name] = r.schema(p.Schema)
	}
	optional := func(s *openapi.Schema) *generate.Schema {
		if s == nil {
			return nil
		}
		return r.schema(s)
	}
	n.Item, n.Rest, n.Not = optional(from.Items), optional(from.AdditionalProperties), optional(from.Not)
	n.AllOf, n.AnyOf, n.OneOf = r.list(from.AllOf), r.list(from.AnyOf), r.list(from.OneOf)
	if d := from.Discriminator; d != nil && len(d.Mapping) > 0 {
		n.Discriminator, n.Choices, n.Inherits = d.PropertyName, map[string]*generate.Schema{}, len(from.OneOf)+len(from.AnyOf) == 0
		for name, s := range d.Mapping {
			n.Choices[name] = r.schema(s)
		}
	}
	return n
}

func (r *reader) list(from []*openapi.Schema) (all []*generate.Schema) {
	for _, s := range from {
		all = append(all, r.schema(s))
	}
	return all
}

func bound(n json.Number, exclusive bool) *generate.Bound {
	at, ok := new(big.Rat).SetString(n.String())
	if !ok {
		return nil
	}
	return &generate.Bound{At: at, Exclusive: exclusive}
}

// responseKey returns the key of the response that describes a status: its number, its range or default; "" for none.
func (o *operation) responseKey(status int) string {
	text := strconv.Itoa(status)
	for key := range o.responses {
		if upper := strings.ToUpper(key); upper == text || upper == text[:1]+"XX" && o.responses[text] == nil {
			return key
		}
	}
	if o.responses["default"] != nil {
		return "default"
	}
	return ""
}
