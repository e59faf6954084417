package mutate

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// parameter is a parameter of a request, or a header of a response.
type parameter struct {
	name, in, at, style string
	content             string // the pointer of its content, below at
	explode, json       bool
	emptiness           bool // the spec says whether it may be empty
	schema              *schema
}

// parameters are those of one part: as the properties of an object, which their claims are about, and how they are
// written.
type parameters struct {
	object *schema
	byName map[string]*parameter
}

func newParameters() *parameters {
	return &parameters{&schema{properties: map[string]*schema{}, required: map[string]string{}, emptyClaims: map[string]string{}},
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
			of.object.emptyClaims[p.Name] = at + "/allowEmptyValue"
			if p.AllowEmptyValue {
				of.object.emptyClaims[p.Name] = ""
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
	one := &parameter{name: name, in: in, at: at, style: method.Style, explode: method.Explode, schema: c.schema(p.Schema, at+"/schema")}
	for mediaType, content := range p.Content {
		one.content = pointer("content", mediaType)
		one.json, one.schema = true, c.schema(content.Schema, at+one.content+"/schema")
	}
	if one.schema == nil || !one.json && len(one.schema.textTypes()) == 0 {
		one.schema = &schema{} // the checker reads the text as none of the types
	}
	if p.Required && in != "path" {
		to.object.required[name] = at + "/required"
	}
	to.object.properties[name], to.byName[name] = one.schema, one
}

// textTypes are the types that a text can be read as: those of the schema and of the schemas that it combines.
func (n *schema) textTypes() (all []string) {
	if n == nil {
		return nil
	}
	all = slices.Clone(n.types)
	for _, part := range slices.Concat(n.allOf, n.anyOf, n.oneOf) {
		all = append(all, part.textTypes()...)
	}
	return all
}

func (n *schema) reads(types ...string) bool {
	return slices.ContainsFunc(n.textTypes(), func(name string) bool { return slices.Contains(types, name) })
}

// isList reports whether a single text is a list of one.
func (n *schema) isList() bool {
	return n.reads("array") && !n.reads("string", "integer", "number", "boolean")
}

// escape escapes all that means something in a URL or cookie.
func (p *parameter) escape(text string) string {
	if p.in == "header" {
		return text
	}
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

func (p *parameter) unescape(text string) string {
	if p.in == "header" {
		return strings.TrimSpace(text)
	}
	text, _ = url.PathUnescape(text)
	return text
}

// isNamed reports whether the texts are pairs of a name and a value.
func (p *parameter) isNamed() bool { return p.in == "query" || p.in == "cookie" }

// separator stands between the items of a list or object.
func (p *parameter) separator() string {
	switch {
	case p.style == "spaceDelimited":
		return "%20"
	case p.style == "pipeDelimited":
		return "|"
	case p.style == "label" && p.explode:
		return "."
	}
	return ","
}

// isSpread reports whether each item is a pair of its own.
func (p *parameter) isSpread() bool { return p.explode && (p.isNamed() || p.style == "matrix") }

// write writes a value: as pairs in a query or cookie, or else as one text. Not every value can be written.
func (p *parameter) write(v any) (texts []string, ok bool) {
	var items []string
	object, isObject := v.(map[string]any)
	list, isList := v.([]any)
	switch {
	case p.json:
		return p.named(p.escape(encode(v))), true
	case isObject && p.style == "deepObject":
		return p.deep(p.name, object)
	case isObject:
		items, ok = p.writeObject(object)
	case isList:
		items, ok = p.writeList(list)
	default:
		text, _ := scalarText(v)
		if v == nil && p.schema.nullable && !p.schema.reads("string") {
			text = ""
		}
		isSplit := p.style == "label" && p.schema.reads("array", "object") && strings.Contains(text, ".")
		return p.prefixed(p.named(p.escape(text))), p.in != "path" || !isSplit && strings.Trim(text, ".") != ""
	}
	switch {
	case !p.isSpread():
		items = p.named(strings.Join(items, p.separator()))
	case p.style == "matrix":
		items = []string{strings.Join(items, ";")}
	}
	return p.prefixed(items), ok && len(items) > 0 && p.isWritable(items)
}

func (p *parameter) writeList(list []any) (items []string, ok bool) {
	ok = len(list) > 0
	for _, item := range list {
		text, isScalar := scalarText(item)
		ok = ok && isScalar && (p.isSpread() || p.isApart(text))
		if text = p.escape(text); p.isSpread() {
			text = p.escape(p.name) + "=" + text
		}
		items = append(items, text)
	}
	return items, ok
}

func (p *parameter) writeObject(object map[string]any) (items []string, ok bool) {
	ok = len(object) > 0
	for _, name := range sortedKeys(object) {
		text, isScalar := scalarText(object[name])
		if ok = ok && isScalar; p.isSpread() { // other names are not those of the object
			ok = ok && name != "" && p.schema.properties[name] != nil
		} else {
			ok = ok && p.isApart(name) && p.isApart(text)
		}
		between := p.separator()
		if p.explode {
			between = "="
		}
		items = append(items, p.escape(name)+between+p.escape(text))
	}
	return items, ok
}

// isApart reports whether a text has nothing that separates items.
func (p *parameter) isApart(text string) bool {
	written := p.escape(text)
	return (p.separator() == "%20" || !strings.Contains(written, p.separator())) && (p.in != "header" || !strings.ContainsAny(text, ",="))
}

// deep writes an object as name[property]=value.
func (p *parameter) deep(name string, v map[string]any) (texts []string, ok bool) {
	ok = len(v) > 0
	for _, key := range sortedKeys(v) {
		below := name + "[" + key + "]"
		ok = ok && !strings.ContainsAny(key, "[]")
		if object, isObject := v[key].(map[string]any); isObject {
			more, isWritten := p.deep(below, object)
			texts, ok = append(texts, more...), ok && isWritten
			continue
		}
		text, isScalar := scalarText(v[key])
		texts, ok = append(texts, p.escape(below)+"="+p.escape(text)), ok && isScalar
	}
	return texts, ok
}

func scalarText(v any) (text string, ok bool) {
	switch v := v.(type) {
	case []any, map[string]any:
		return encode(v), false
	case string:
		return v, true
	}
	return encode(v), true
}

// named makes a pair of a text, where the parameter has pairs.
func (p *parameter) named(text string) []string {
	if p.isNamed() || p.style == "matrix" {
		text = p.escape(p.name) + "=" + text
	}
	return []string{text}
}

func (p *parameter) prefixed(texts []string) []string {
	if prefix := map[string]string{"label": ".", "matrix": ";"}[p.style]; prefix != "" {
		return []string{prefix + texts[0]}
	}
	return texts
}

// isWritable reports whether a header can have such a text (RFC 9110, section 5.5).
func (p *parameter) isWritable(texts []string) bool {
	return p.in != "header" || texts[0] == strings.TrimSpace(texts[0]) && !strings.ContainsFunc(texts[0], unicode.IsControl)
}

// read reads what write has written, as the types of the schema.
func (p *parameter) read(texts []string) any {
	text := strings.TrimLeft(texts[0], map[string]string{"label": ".", "matrix": ";"}[p.style])
	if p.style == "matrix" {
		texts = strings.Split(text, ";")
	}
	values, object := []string{}, map[string]any{}
	if p.isNamed() || p.style == "matrix" {
		for _, pair := range texts {
			name, value, _ := strings.Cut(pair, "=")
			if name = p.unescape(name); name == p.name {
				values = append(values, value)
			} else {
				path := []string{name}
				if p.style == "deepObject" {
					path = strings.Split(strings.TrimSuffix(strings.TrimPrefix(name, p.name+"["), "]"), "][")
				}
				object = p.readProperty(p.schema, object, path, value)
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
	case p.json:
		return decode(p.unescape(text))
	case len(values) > 1:
		return p.list(values)
	}
	items := strings.Split(text, p.separator())
	if p.in == "header" && !p.schema.reads("object") { // RFC 9110, section 5.6.1: empty elements count for nothing
		items = slices.DeleteFunc(items, func(item string) bool { return strings.TrimSpace(item) == "" })
	}
	if len(values) == 1 && p.explode {
		items = values
	}
	if p.schema.reads("object") && (p.explode && !slices.ContainsFunc(items, func(s string) bool { return !strings.Contains(s, "=") }) ||
		!p.explode && len(items)%2 == 0) {
		for i := 0; i < len(items); i++ {
			name, value, _ := strings.Cut(items[i], "=")
			if !p.explode {
				name, value = items[i], items[i+1]
				i++
			}
			object = p.readProperty(p.schema, object, []string{p.unescape(name)}, value)
		}
		return object
	}
	if p.schema.isList() || p.schema.reads("array") && len(items) > 1 {
		return p.list(items)
	}
	return p.schema.readText(p.unescape(text))
}

func (p *parameter) list(values []string) any {
	list := []any{}
	for _, value := range values {
		list = append(list, p.schema.itemOf().readText(p.unescape(value)))
	}
	return list
}

func (n *schema) itemOf() *schema {
	if n.item == nil {
		return &schema{}
	}
	return n.item
}

func (p *parameter) readProperty(n *schema, object map[string]any, path []string, text string) map[string]any {
	object = maps.Clone(object)
	below := n.below(path[:1])
	if below == nil {
		below = &schema{}
	}
	if len(path) > 1 {
		inner, _ := object[path[0]].(map[string]any)
		if inner == nil {
			inner = map[string]any{}
		}
		object[path[0]] = p.readProperty(below, inner, path[1:], text)
	} else if value := below.readText(p.unescape(text)); below.isList() {
		object[path[0]] = []any{below.itemOf().readText(p.unescape(text))}
	} else {
		object[path[0]] = value
	}
	return object
}

// readText reads a text as one of the schema's types, if it is written like one.
func (n *schema) readText(text string) any {
	switch {
	case text == "" && n.nullable && !n.reads("string"):
		return nil
	case n.reads("integer") && wholeNumber.MatchString(text):
		return decimal(rat(json.Number(text)))
	case n.reads("number") && json.Valid([]byte(text)) && strings.ContainsRune("-0123456789", rune(text[0])):
		return json.Number(text)
	case n.reads("boolean") && (text == "true" || text == "false"):
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
	for _, name := range sortedKeys(object) {
		p := of.byName[name]
		if p == nil {
			text, isText := object[name].(string)
			if !isText || part == conformance.ResponseHeader && !(&parameter{in: "header"}).isWritable([]string{text}) {
				return whole, false
			}
			continue
		}
		texts, ok := p.write(object[name])
		if !ok || !p.isWritable(texts) {
			return whole, false
		}
		for _, text := range texts { // a name that another parameter has would be mistaken for it
			if name, _, _ := strings.Cut(text, "="); p.isNamed() && name != p.escape(p.name) {
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
		texts, _ := m.op.parameters[conformance.RequestPath].byName[name].write(m.values[conformance.RequestPath].(map[string]any)[name])
		return texts[0]
	})
	query := m.pairs(conformance.RequestQuery)
	for _, name := range sortedKeys(m.values[conformance.RequestHeader].(map[string]any)) {
		if credential, isQuery := strings.CutPrefix(name, "query "); isQuery {
			query = append(query, url.QueryEscape(credential)+"="+url.QueryEscape(asText(m.values[conformance.RequestHeader].(map[string]any)[name])))
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
	for _, name := range sortedKeys(values) {
		if p := m.op.parameters[part].byName[name]; p != nil {
			texts, _ := p.write(values[name])
			all = append(all, texts...)
		}
	}
	return all
}

// reasons say why some claims of a parameter that is text cannot be violated.
func (p *parameter) reasons(n *schema, add func(claim, reason string)) {
	const text = "a parameter or header is text, and any text is of this type"
	if n.reads("string", "array") {
		add(n.at+"/type", text)
	}
	if !n.nullable {
		add(n.at+"/nullable", "a parameter or header is text, and no text is null")
	}
	if p.emptiness {
		add(p.at+"/allowEmptyValue", "it allows, and forbids nothing; an exchange shows that")
	}
	if n.reads("array") && n.items.min == 1 {
		add(n.at+"/minItems", "a list without items is not written")
	}
	if n.reads("object") && n.size.min == 1 {
		add(n.at+"/minProperties", "an object without properties is not written")
	}
	if n.closed && p.explode && p.isNamed() && p.style != "deepObject" {
		add(n.at+"/additionalProperties", "another name is that of another parameter")
	}
	for _, below := range slices.Concat(slices.Collect(maps.Values(n.properties)), n.allOf, []*schema{n.item, n.rest}) {
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
			if _, present := values[name]; !present || ofRequest(part) && !base.accepted() {
				continue
			}
			label := base.label(part) + pointer(name)
			texts, _ := p.write(values[name])
			if p.style == "label" || p.style == "matrix" {
				c.raw(base, label+"/style/no-prefix", claim(p.at+"/style", "style", part, pointer(name)), func(ex *traffic.Exchange) {
					ex.URL, _ = url.Parse(strings.Replace(ex.URL.String(), texts[0], texts[0][1:], 1))
				})
			}
			for what, text := range map[string]string{"truncated": "{", "two": "1 2", "text": "x"} {
				if !p.json {
					break
				}
				wrong := p.named(p.escape(text))[0]
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
