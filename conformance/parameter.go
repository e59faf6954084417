package conformance

import (
	"net/http"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/formats"
	"github.com/fleetcontract/fleetio-go/conformance/internal/mediatype"
	"github.com/fleetcontract/fleetio-go/conformance/internal/openapi"
	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/conformance/internal/styles"
	"github.com/fleetcontract/fleetio-go/conformance/internal/transport"
)

// parameter is a documented parameter of a request, or header of a response.
type parameter struct {
	styles.Field // the name of a header is canonical

	in       validatedPart
	place    string     // JSON pointer in the instance
	pointer  string     // in the spec
	required bool       // false in a path, which is another one without the parameter
	content  *mediaType // JSON; nil if the parameter has a style
	schema   *schema    // nil if it is not checked
	segment  int        // of a path: the position in the template
	mayEmpty *bool      // allowEmptyValue; nil without the keyword

	requiredClaim, styleClaim, emptyClaim int
}

var parameterParts = map[string]validatedPart{"path": inRequestPath, "query": inRequestQuery, "header": inRequestHeader,
	"cookie": inRequestCookie}

// ignoredParameters are headers whose definitions are ignored (OpenAPI 3.0.3, Parameter Object).
var ignoredParameters = []string{"Accept", "Content-Type", "Authorization"}

// readParameters reads parameters, except those that the operation has already: it overrides those of its path.
func (c *Contract) readParameters(op *operation, list []*openapi.Parameter) {
	for _, from := range list {
		in, name := parameterParts[from.In], from.Name
		if in == inRequestHeader {
			name = http.CanonicalHeaderKey(name)
		}
		segment := slices.Index(op.path.Names, name)
		ignored := in == inRequestHeader && slices.Contains(ignoredParameters, name) || in == inRequestPath && segment < 0
		if ignored || slices.ContainsFunc(op.parameters, func(own *parameter) bool { return own.in == in && own.Name == name }) {
			continue
		}
		p := c.newParameter(in, from, name)
		if p.segment = segment; in == inRequestQuery {
			op.query = append(op.query, &p.Field)
		}
		op.parameters = append(op.parameters, p)
	}
	for _, f := range op.query {
		f.Others = op.query
	}
}

// newParameter reads a parameter, or a header of a response by its canonical name.
func (c *Contract) newParameter(in validatedPart, of *openapi.Parameter, name string) *parameter {
	pointer := of.Pointer
	_, where, _ := strings.Cut(string(partNames[in]), ".")
	style, explode := of.Serialization()
	c.names[name] = true
	p := &parameter{in: in, place: strictjson.Pointer(name), pointer: pointer, required: of.Required && in != inRequestPath,
		Field: styles.Field{Name: name, In: where, Style: style, Explode: explode}}
	if c.source.Node(pointer+"/allowEmptyValue") != nil && in == inRequestQuery {
		p.mayEmpty = &of.AllowEmptyValue
	}
	for mediaType, media := range of.Content { // one
		m := c.newMediaType(pointer+strictjson.Pointer("content", mediaType), mediaType, media)
		if p.JSON = mediatype.IsJSON(m.name); p.JSON {
			p.content, p.schema = &m, m.schema
		} else {
			c.addUnchecked(m.pointer, "parameters and headers with content that is not JSON")
		}
		return p
	}
	p.schema = c.schemaOf(of.Schema)
	if p.Shape = c.shape(p.schema); p.Shape.Types&^styles.Null == 0 {
		c.addUnchecked(pointer+"/schema", "parameters and headers without a type")
		p.schema = nil
	}
	return p
}

// shape returns the types that the text of a value can have: those of the schema and of the schemas combined in it.
func (c *Contract) shape(s *schema) *styles.Shape {
	if s == nil {
		return nil
	}
	if c.shapes[s] == nil {
		c.shapes[s] = &styles.Shape{Properties: map[string]*styles.Shape{}} // before the rest: a schema can contain itself
		c.readShape(c.shapes[s], s, map[*schema]bool{})
	}
	return c.shapes[s]
}

var shapeTypes = map[string]styles.Types{"boolean": styles.Boolean, "integer": styles.Integer, "number": styles.Number,
	"string": styles.String, "array": styles.Array, "object": styles.Object}

func (c *Contract) readShape(shape *styles.Shape, s *schema, visited map[*schema]bool) {
	if visited[s] {
		return
	}
	visited[s] = true
	for _, name := range s.typeNames() {
		shape.Types |= shapeTypes[name]
	}
	if s.Nullable {
		shape.Types |= styles.Null
	}
	shape.Binary = shape.Binary || s.Format == formats.Binary
	if s.items != nil {
		shape.Items = c.shape(s.items)
	}
	for _, p := range s.properties {
		if p.schema != nil {
			shape.Properties[p.name] = c.shape(p.schema)
		}
	}
	if s.additional != nil {
		shape.Additional = c.shape(s.additional)
	}
	shape.Open = shape.Open || s.additional != nil || s.HasAdditionalProperties && !s.NoOtherProperties
	for _, part := range slices.Concat(s.allOf, s.anyOf, s.oneOf) {
		c.readShape(shape, part, visited)
	}
}

// claimParameter adds the claims of a parameter or header.
func (c *Contract) claimParameter(use usage, p *parameter) {
	claim := func(rule, spec, text string) { c.claim(use, partNames[p.in], rule, p.place, spec, text) }
	if p.required {
		claim("required", p.pointer+"/required", p.noun()+" "+p.Name)
	}
	if p.mayEmpty != nil {
		text := map[bool]string{true: "may be empty", false: "not empty"}[*p.mayEmpty]
		claim(ruleEmpty, p.pointer+"/"+ruleEmpty, text)
	}
	if p.hasPrefix() {
		claim(ruleStyle, p.pointer+"/"+ruleStyle, "in style "+p.Style)
	}
	if p.content != nil {
		claim(ruleJSON, p.content.pointer, "one JSON value in UTF-8")
	}
	c.claimSchema(use, p.in, p.place, p.schema, newTraversal())
}

func (p *parameter) noun() string {
	if p.In == "path" || p.In == "query" {
		return "the " + p.In + " parameter"
	}
	return "the " + p.In
}

// hasPrefix reports whether a text that is not in the parameter's style can be told from one that is.
func (p *parameter) hasPrefix() bool { return p.Style == "label" || p.Style == "matrix" }

func (c *Contract) bindParameter(p *parameter) {
	part := partNames[p.in]
	p.requiredClaim = c.claimIndex(part, p.pointer+"/required")
	p.emptyClaim = c.claimIndex(part, p.pointer+"/"+ruleEmpty)
	p.styleClaim = c.claimIndex(part, p.pointer+"/"+ruleStyle)
	if p.content != nil {
		p.content.bodyClaim = c.claimIndex(part, p.content.pointer)
	}
}

// read reads the text of a parameter or header of the exchange. styled is false if it is not in the documented style.
func (k *checker) read(p *parameter) (doc *strictjson.Document, present, styled bool) {
	doc = k.scratchDoc()
	var values []string
	message := &k.ex.Request
	switch p.in {
	case inRequestPath:
		values = k.segments[p.segment : p.segment+1]
	case inRequestQuery:
		doc.Data, present = p.AppendPairs(doc.Data[:0], k.query)
		return doc, present, true
	case inRequestCookie:
		k.cookies = styles.AppendCookies(k.cookies[:0], message.Header["Cookie"])
		doc.Data, present = p.AppendPairs(doc.Data[:0], k.cookies)
		return doc, present, true
	case inResponseHeader:
		message = &k.ex.Response
		fallthrough
	default:
		values = message.Header[p.Name]
	}
	if len(values) > 0 {
		doc.Data, styled = p.AppendText(doc.Data[:0], strings.Join(values, ", "))
	}
	return doc, len(values) > 0, styled
}

// parameter checks a parameter or header. certain is false if parsers disagree about it.
func (k *checker) parameter(p *parameter) (certain bool) {
	part := partNames[p.in]
	doc, present, styled := k.read(p)
	if p.required {
		k.satisfy(p.requiredClaim)
	}
	isEmpty := p.mayEmpty != nil && p.IsEmpty(k.query)
	switch {
	case !present && p.required:
		k.violate("required", part, p.place, p.pointer+"/required", p.noun(), "none")
	case !present:
	case isEmpty && !*p.mayEmpty:
		k.violate(ruleEmpty, part, p.place, p.pointer+"/"+ruleEmpty, "a value", "an empty one")
	case isEmpty:
		k.satisfy(p.emptyClaim)
	case !styled:
		k.violate(ruleStyle, part, p.place, p.pointer+"/"+ruleStyle, "the style "+p.Style, k.excerpt(p.Unescape(k.segments[p.segment])))
	case p.content != nil:
		return k.json(p.content, p.in, p.place, doc, doc.Data).certain
	case p.schema != nil:
		k.satisfy(p.styleClaim)
		if p.mayEmpty != nil && !*p.mayEmpty {
			k.satisfy(p.emptyClaim)
		}
		doc.Parse(doc.Data)
		k.validate(p.schema, value{Doc: doc}, p.in, p.place)
	}
	return true
}

// parameters checks the parameters of the request. certain is false if one was not recorded or parsers disagree about it.
func (k *checker) parameters() (certain bool) {
	certain = true
	k.query = styles.AppendQuery(k.query[:0], k.ex.URL.RawQuery)
	for _, p := range k.op.parameters {
		recorded := !k.ex.Request.HeaderOmitted || p.in == inRequestPath || p.in == inRequestQuery
		certain = recorded && k.parameter(p) && certain
	}
	var names []string
	for _, pair := range k.query {
		documented := slices.ContainsFunc(k.op.query, func(f *styles.Field) bool { return f.Owns(pair.Name) })
		for _, scheme := range k.contract.schemes {
			documented = documented || scheme.In == "query" && scheme.Name == pair.Name
		}
		if !documented {
			names = append(names, inPointer(pair.Name))
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for _, name := range names[:min(len(names), maxPerClaim)] {
		k.add(Finding{Rule: ruleUndocumentedParameter, Part: RequestQuery, Pointer: strictjson.Pointer(name), Source: Note,
			Expected: "a documented parameter", Actual: k.redact(name)}, k.contract.source.Below(k.op.pointer, "parameters"), "")
	}
	return certain
}

// undocumentedHeaders returns the sorted names of the headers that neither r nor HTTP defines. r may be nil.
func (k *checker) undocumentedHeaders(r *response) []string {
	var list []string
	for name := range k.ex.Response.Header {
		if transport.Has(name) { // nearly all are, in their canonical form
			continue
		}
		name = http.CanonicalHeaderKey(name)
		documented := transport.Has(name) ||
			r != nil && slices.ContainsFunc(r.headers, func(h *parameter) bool { return h.Name == name })
		if !documented {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list[:min(len(list), maxPerClaim)]
}
