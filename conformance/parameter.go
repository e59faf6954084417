package conformance

import (
	"net/http"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/mediatype"
	"github.com/fleetcontract/fleetio-go/conformance/internal/styles"
	"github.com/fleetcontract/fleetio-go/conformance/internal/transport"
	"github.com/fleetcontract/fleetio-go/internal/openapi"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
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

	textual *styles.Field // that reads each scalar as a string; nil if the schema has no string beside other scalars

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
	schema := of.Schema
	for mediaType, media := range of.Content { // one
		m := c.newMediaType(pointer+strictjson.Pointer("content", mediaType), mediatype.NewPattern(mediaType), media)
		switch p.JSON = mediatype.IsJSON(m.name); {
		case p.JSON:
			p.content, p.schema = &m, m.schema
			return p
		case !strings.HasPrefix(m.name, "text/") || m.schema == nil || m.form.Shape.Types&(styles.Array|styles.Object) != 0:
			c.addUnchecked(m.pointer, "parameters and headers with content that is neither JSON nor plain text")
			return p
		}
		schema = media.Schema // a text without a style is as one of a scalar
	}
	p.schema = c.schemaOf(schema)
	if p.Shape = c.shapes.Of(schema); p.Shape.Types&^styles.Null == 0 {
		c.addUnchecked(pointer+"/schema", "parameters and headers without a type")
		p.schema = nil
	}
	if p.Shape.Types&styles.String != 0 && p.Shape.Types&(styles.Boolean|styles.Integer|styles.Number) != 0 {
		textual, shape := p.Field, *p.Shape
		shape.Types &^= styles.Boolean | styles.Integer | styles.Number
		textual.Shape, p.textual = &shape, &textual
	}
	return p
}

// claimParameter adds the claims of a parameter or header.
func (c *Contract) claimParameter(use usage, p *parameter) {
	claim := func(index *int, rule, spec, text string) {
		c.claim(index, use, partNames[p.in], rule, p.place, spec, text)
	}
	if p.required {
		claim(&p.requiredClaim, "required", p.pointer+"/required", p.noun()+" "+p.Name)
	}
	if p.mayEmpty != nil {
		text := map[bool]string{true: "may be empty", false: "not empty"}[*p.mayEmpty]
		claim(&p.emptyClaim, ruleEmpty, p.pointer+"/"+ruleEmpty, text)
	}
	if p.hasPrefix() {
		claim(&p.styleClaim, ruleStyle, p.pointer+"/"+ruleStyle, "in style "+p.Style)
	}
	if p.content != nil {
		claim(&p.content.bodyClaim, ruleJSON, p.content.pointer, "one JSON value in UTF-8")
	}
	c.claimSchema(use, p.in, p.place, p.schema, newTraversal())
}

func (p *parameter) noun() string {
	return "the " + p.In + map[bool]string{true: " parameter"}[p.In == "path" || p.In == "query"]
}

// hasPrefix reports whether a text that is not in the parameter's style can be told from one that is.
func (p *parameter) hasPrefix() bool { return p.Style == "label" || p.Style == "matrix" }

// read reads the text of a parameter or header of the exchange. styled is false if it is not in the documented style. 007
// is a number, unless only the string is valid.
func (k *checker) read(p *parameter) (doc *strictjson.Document, present, styled bool) {
	doc, present, styled = k.readAs(p, &p.Field)
	if p.textual != nil && present && styled && !k.contract.matches(p.schema, doc, p.in) {
		if text, _, _ := k.readAs(p, p.textual); k.contract.matches(p.schema, text, p.in) {
			doc = text
		}
	}
	return doc, present, styled
}

func (k *checker) readAs(p *parameter, f *styles.Field) (doc *strictjson.Document, present, styled bool) {
	doc = k.scratchDoc()
	var values []string
	message := &k.ex.Request
	switch p.in {
	case inRequestPath:
		values = k.segments[p.segment : p.segment+1]
	case inRequestQuery:
		doc.Data, present = f.AppendPairs(doc.Data[:0], k.query)
		return doc, present, true
	case inRequestCookie:
		k.cookies = styles.AppendCookies(k.cookies[:0], message.Header["Cookie"])
		doc.Data, present = f.AppendPairs(doc.Data[:0], k.cookies)
		return doc, present, true
	case inResponseHeader:
		message = &k.ex.Response
		fallthrough
	default:
		values = message.Header[p.Name]
	}
	if len(values) > 0 {
		doc.Data, styled = f.AppendText(doc.Data[:0], strings.Join(values, ", "))
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
		if p.hasPrefix() {
			k.satisfy(p.styleClaim)
		}
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
			names = append(names, strictjson.ShortName(pair.Name))
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
	list := transport.Others(k.ex.Response.Header, func(name string) bool {
		return r != nil && slices.ContainsFunc(r.headers, func(h *parameter) bool { return h.Name == name })
	})
	return list[:min(len(list), maxPerClaim)]
}
