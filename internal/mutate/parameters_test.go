package mutate

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/generate"
)

// parameter is a parameter of a request, or a header of a response.
type parameter struct {
	generate.Parameter

	at, content string // the pointer of its content is below at
	emptiness   bool   // the spec says whether it may be empty
}

// parameters are those of one part: as the properties of an object, which their claims are about, and how they are
// written.
type parameters struct {
	object *generate.Schema
	byName map[string]*parameter
}

func newParameters() *parameters {
	return &parameters{&generate.Schema{Properties: map[string]*generate.Schema{}, Required: map[string]string{}, EmptyClaims: map[string]string{}},
		map[string]*parameter{}}
}

// parameterParts are the parts of a request with parameters, by where they are.
var parameterParts = map[string]conformance.Part{"path": conformance.RequestPath, "query": conformance.RequestQuery,
	"header": conformance.RequestHeader, "cookie": conformance.RequestCookie}

// parameters adds parameters, except those that the operation overrides.
func (c *contract) parameters(o *operation, list openapi3.Parameters, at string) {
	for _, ref := range list {
		p := ref.Value
		if p.In == "header" && slices.Contains([]string{"Accept", "Content-Type", "Authorization"}, http.CanonicalHeaderKey(p.Name)) {
			continue // OpenAPI 3.0.3, Parameter Object
		}
		method, _ := p.SerializationMethod() // kin-openapi has validated it
		of := o.parameters[parameterParts[p.In]]
		at := target(ref.Ref, at+pointer("parameters", p.In+"."+p.Name))
		c.parameter(of, p, p.Name, p.In, at, method)
		if _, isWritten := p.Origin.Fields.Lookup("allowEmptyValue"); isWritten && p.In == "query" {
			of.byName[p.Name].emptiness = true
			of.object.EmptyClaims[p.Name] = at + "/allowEmptyValue"
			if p.AllowEmptyValue {
				of.object.EmptyClaims[p.Name] = ""
			}
		}
	}
}

// parameter adds a parameter or header to others.
func (c *contract) parameter(to *parameters, p *openapi3.Parameter, name, in, at string, method *openapi3.SerializationMethod) {
	if in == "header" {
		name = http.CanonicalHeaderKey(name)
	}
	if to.byName[name] != nil {
		return
	}
	one := &parameter{at: at, Parameter: generate.Parameter{Name: name, In: in, Style: method.Style, Explode: method.Explode, Schema: c.schema(p.Schema, at+"/schema")}}
	for mediaType, content := range p.Content {
		one.content = pointer("content", mediaType)
		one.JSON, one.Schema = true, c.schema(content.Schema, at+one.content+"/schema")
	}
	if one.Schema == nil || !one.JSON && len(one.Schema.TextTypes()) == 0 {
		one.Schema = &generate.Schema{} // the checker reads the text as none of the types
	}
	if p.Required && in != "path" {
		to.object.Required[name] = at + "/required"
	}
	to.object.Properties[name], to.byName[name] = one.Schema, one
}

// isList reports whether a single text is a list of one.
func isList(n *generate.Schema) bool {
	return n.Reads("array") && !n.Reads("string", "integer", "number", "boolean")
}

func (p *parameter) unescape(text string) string {
	if p.In == "header" {
		return strings.TrimSpace(text)
	}
	text, _ = url.PathUnescape(text)
	return text
}

// read reads what write has written, as the types of the schema.
func (p *parameter) read(texts []string) any {
	text := strings.TrimLeft(texts[0], map[string]string{"label": ".", "matrix": ";"}[p.Style])
	if p.Style == "matrix" {
		texts = strings.Split(text, ";")
	}
	values, object := []string{}, map[string]any{}
	if p.IsNamed() || p.Style == "matrix" {
		for _, pair := range texts {
			name, value, _ := strings.Cut(pair, "=")
			if name = p.unescape(name); name == p.Name {
				values = append(values, value)
			} else {
				path := []string{name}
				if p.Style == "deepObject" {
					path = strings.Split(strings.TrimSuffix(strings.TrimPrefix(name, p.Name+"["), "]"), "][")
				}
				object = p.readProperty(p.Schema, object, path, value)
			}
		}
		if len(object) > 0 {
			return object
		}
		text = values[0]
	}
	switch {
	case p.emptiness && len(values) == 1 && text == "":
		return ""
	case p.JSON:
		return generate.Decode(p.unescape(text))
	case len(values) > 1:
		return p.list(values)
	}
	items := strings.Split(text, p.Separator())
	if p.In == "header" && !p.Schema.Reads("object") { // RFC 9110, section 5.6.1: empty elements count for nothing
		items = slices.DeleteFunc(items, func(item string) bool { return strings.TrimSpace(item) == "" })
	}
	if len(values) == 1 && p.Explode {
		items = values
	}
	if p.Schema.Reads("object") && (p.Explode && !slices.ContainsFunc(items, func(s string) bool { return !strings.Contains(s, "=") }) ||
		!p.Explode && len(items)%2 == 0) {
		for i := 0; i < len(items); i++ {
			name, value, _ := strings.Cut(items[i], "=")
			if !p.Explode {
				name, value = items[i], items[i+1]
				i++
			}
			object = p.readProperty(p.Schema, object, []string{p.unescape(name)}, value)
		}
		return object
	}
	if isList(p.Schema) || p.Schema.Reads("array") && len(items) > 1 {
		return p.list(items)
	}
	return readText(p.Schema, p.unescape(text))
}

func (p *parameter) list(values []string) any {
	list := []any{}
	for _, value := range values {
		list = append(list, readText(itemOf(p.Schema), p.unescape(value)))
	}
	return list
}

func itemOf(n *generate.Schema) *generate.Schema {
	if n.Item == nil {
		return &generate.Schema{}
	}
	return n.Item
}

func (p *parameter) readProperty(n *generate.Schema, object map[string]any, path []string, text string) map[string]any {
	object = maps.Clone(object)
	below := below(n, path[:1])
	if below == nil {
		below = &generate.Schema{}
	}
	if len(path) > 1 {
		inner, _ := object[path[0]].(map[string]any)
		if inner == nil {
			inner = map[string]any{}
		}
		object[path[0]] = p.readProperty(below, inner, path[1:], text)
	} else if value := readText(below, p.unescape(text)); isList(below) {
		object[path[0]] = []any{readText(itemOf(below), p.unescape(text))}
	} else {
		object[path[0]] = value
	}
	return object
}

// readText reads a text as one of the schema's types, if it is written like one.
func readText(n *generate.Schema, text string) any {
	switch {
	case text == "" && n.Nullable && !n.Reads("string"):
		return nil
	case n.Reads("integer") && wholeNumber.MatchString(text):
		return generate.Decimal(generate.Rat(json.Number(text)))
	case n.Reads("number") && json.Valid([]byte(text)) && strings.ContainsRune("-0123456789", rune(text[0])):
		return json.Number(text)
	case n.Reads("boolean") && (text == "true" || text == "false"):
		return text == "true"
	}
	return text
}

// rewritten is what a part with parameters is after it was written and read: of a text, the schema says what it is. It
// reports whether it can be written.
func (m *exchangeModel) rewritten(part conformance.Part, whole any) (any, bool) {
	object, isObject := whole.(map[string]any)
	of := m.parametersOf(part)
	if of == nil {
		return whole, true
	}
	if !isObject {
		return whole, false
	}
	object = maps.Clone(object)
	before, _ := m.values[part].(map[string]any)
	for name, text := range before { // other headers and credentials
		if _, has := object[name]; of.byName[name] == nil && !has {
			object[name] = text
		}
	}
	names := map[string]bool{}
	for _, name := range generate.SortedKeys(object) {
		p := of.byName[name]
		if p == nil {
			text, isText := object[name].(string)
			if !isText || part == conformance.ResponseHeader && !(&generate.Parameter{In: "header"}).IsWritable([]string{text}) {
				return whole, false
			}
			continue
		}
		texts, ok := p.Write(object[name])
		if !ok || !p.IsWritable(texts) {
			return whole, false
		}
		for _, text := range texts { // a name that another parameter has would be mistaken for it
			if name, _, _ := strings.Cut(text, "="); p.IsNamed() && name != p.Escape(p.Name) {
				if names[name] || of.byName[p.unescape(name)] != nil {
					return whole, false
				}
				names[name] = true
			}
		}
		object[name] = p.read(texts)
	}
	return object, true
}

// parametersOf are the parameters of a part; nil for another part.
func (m *exchangeModel) parametersOf(part conformance.Part) *parameters {
	if part == conformance.ResponseHeader {
		if m.to == nil {
			return newParameters()
		}
		return m.to.headers
	}
	return m.op.parameters[part]
}

// url writes the URL of the request.
func (m *exchangeModel) url() *url.URL {
	path := templated.ReplaceAllStringFunc(m.op.path, func(placeholder string) string {
		name := strings.Trim(placeholder, "{}")
		texts, _ := m.op.parameters[conformance.RequestPath].byName[name].Write(m.values[conformance.RequestPath].(map[string]any)[name])
		return texts[0]
	})
	query := m.pairs(conformance.RequestQuery)
	for _, name := range generate.SortedKeys(m.values[conformance.RequestHeader].(map[string]any)) {
		if credential, isQuery := strings.CutPrefix(name, "query "); isQuery {
			query = append(query, url.QueryEscape(credential)+"="+url.QueryEscape(generate.AsText(m.values[conformance.RequestHeader].(map[string]any)[name])))
		}
	}
	u, err := url.Parse("http://127.0.0.1" + path)
	if err != nil {
		panic("a path that is none: " + strconv.Quote(path))
	}
	u.RawQuery = strings.Join(query, "&")
	return u
}

// pairs writes the parameters of a query or of cookies.
func (m *exchangeModel) pairs(part conformance.Part) (all []string) {
	values, _ := m.values[part].(map[string]any)
	for _, name := range generate.SortedKeys(values) {
		if p := m.op.parameters[part].byName[name]; p != nil {
			texts, _ := p.Write(values[name])
			all = append(all, texts...)
		}
	}
	return all
}

// reasons say why some claims of a parameter that is text cannot be violated.
func (p *parameter) reasons(n *generate.Schema, add func(claim, reason string)) {
	const text = "a parameter or header is text, and any text is of this type"
	if n.Reads("string", "array") {
		add(n.At+"/type", text)
	}
	if !n.Nullable {
		add(n.At+"/nullable", "a parameter or header is text, and no text is null")
	}
	if p.emptiness {
		add(p.at+"/allowEmptyValue", "it allows, and forbids nothing; an exchange shows that")
	}
	if n.Reads("array") && n.Items.Min == 1 {
		add(n.At+"/minItems", "a list without items is not written")
	}
	if n.Reads("object") && n.Size.Min == 1 {
		add(n.At+"/minProperties", "an object without properties is not written")
	}
	if n.Closed && p.Explode && p.IsNamed() && p.Style != "deepObject" {
		add(n.At+"/additionalProperties", "another name is that of another parameter")
	}
	for _, below := range slices.Concat(slices.Collect(maps.Values(n.Properties)), n.AllOf, []*generate.Schema{n.Item, n.Rest}) {
		if below != nil && below != n {
			p.reasons(below, add)
		}
	}
}

// parameters adds the mutants of parameters as such: not in their style, or not JSON.
func (c *collector) parameters(base *exchangeModel) {
	for _, part := range textParts {
		values := base.values[part].(map[string]any)
		for name, p := range base.parametersOf(part).byName {
			if _, present := values[name]; !present || generate.OfRequest(part) && !base.accepted() {
				continue
			}
			label := base.label(part) + pointer(name)
			texts, _ := p.Write(values[name])
			if p.Style == "label" || p.Style == "matrix" {
				c.raw(base, label+"/style/no-prefix", claim(p.at+"/style", "style", part, pointer(name)), func(ex *traffic.Exchange) {
					ex.URL, _ = url.Parse(strings.Replace(ex.URL.String(), texts[0], texts[0][1:], 1))
				})
			}
			for what, text := range map[string]string{"truncated": "{", "two": "1 2", "text": "x"} {
				if !p.JSON {
					break
				}
				wrong := p.Named(p.Escape(text))[0]
				c.raw(base, label+"/json/"+what, claim(p.at+p.content, "json", part, pointer(name)), func(ex *traffic.Exchange) {
					switch part {
					case conformance.RequestPath:
						ex.URL, _ = url.Parse(strings.Replace(ex.URL.String(), texts[0], wrong, 1))
					case conformance.RequestQuery:
						ex.URL.RawQuery = strings.Replace(ex.URL.RawQuery, texts[0], wrong, 1)
					case conformance.ResponseHeader:
						ex.Response.Header.Set(name, wrong)
					case conformance.RequestCookie:
						ex.Request.Header.Set("Cookie", strings.Replace(ex.Request.Header.Get("Cookie"), texts[0], wrong, 1))
					default:
						ex.Request.Header.Set(name, wrong)
					}
				})
			}
		}
	}
}
