package conformance

import (
	"maps"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/mediatype"
	"github.com/fleetcontract/fleetio-go/conformance/internal/styles"
	"github.com/fleetcontract/fleetio-go/internal/formats"
	"github.com/fleetcontract/fleetio-go/internal/openapi"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// content is the documented content of a body.
type content struct {
	pointer string
	types   []mediaType // the most specific first

	patterns               []mediatype.Pattern // of the types
	headerClaim, bodyClaim int
}

type mediaType struct {
	name    string // lower case, without parameters: application/json, application/* or */*
	text    string // with the parameters that matter
	pointer string
	schema  *schema // nil where any value will do
	binary  bool    // any octets, also where the name is that of JSON

	// For other media types than JSON.
	form      *styles.Form
	encodings map[string]*encoding // of the properties of a multipart body whose media types are documented

	headerClaim, bodyClaim int
}

// encoding is the documented media types of a part of a multipart body (OpenAPI 3.0.3, Encoding Object).
type encoding struct {
	pointer string
	names   []string // or ranges
	claim   int
}

// isText reports whether a body that is not JSON is checked.
func (m *mediaType) isText() bool {
	switch {
	case m.schema == nil || m.binary:
		return false
	case strings.HasPrefix(m.name, "text/"):
		return m.form.Shape.Types&styles.String != 0
	}
	return m.name == mediatype.Multipart || m.name == mediatype.URLEncoded
}

func (m *mediaType) isJSON() bool { return mediatype.IsJSON(m.name) && !m.binary }

// mediaTypeClaim returns the pointer of the claim that a body of another media type violates.
func (c *content) mediaTypeClaim() string {
	if len(c.types) == 1 {
		return c.types[0].pointer
	}
	return c.pointer
}

// newContent returns nil if the spec documents no body.
func (c *Contract) newContent(at string, types map[string]*openapi.MediaType) *content {
	if len(types) == 0 {
		return nil
	}
	result := &content{pointer: at + "/content", headerClaim: noClaim, bodyClaim: noClaim}
	names := slices.Sorted(maps.Keys(types))
	slices.SortStableFunc(names, func(a, b string) int { return mediatype.NewPattern(a).Compare(mediatype.NewPattern(b)) })
	for _, name := range names {
		p := mediatype.NewPattern(name)
		m := c.newMediaType(at+strictjson.Pointer("content", name), p, types[name])
		if m.schema != nil && !m.isJSON() && !m.isText() && !p.IsRange() && !m.isAnyOctets() {
			c.addUnchecked(m.pointer+"/schema", "bodies that are not JSON, a form or text")
		}
		result.types, result.patterns = append(result.types, m), append(result.patterns, p)
	}
	return result
}

// isAnyOctets reports whether the schema allows each sequence of octets.
func (m *mediaType) isAnyOctets() bool {
	return m.binary && m.schema.MinLength == 0 && m.schema.MaxLength == nil && m.schema.Pattern == ""
}

func (c *Contract) newMediaType(pointer string, p mediatype.Pattern, of *openapi.MediaType) mediaType {
	m := mediaType{name: p.Name, text: p.String(), pointer: pointer, schema: c.schemaOf(of.Schema), headerClaim: noClaim, bodyClaim: noClaim}
	m.binary = m.schema != nil && m.schema.Type == "string" && m.schema.Format == formats.Binary
	if m.schema == nil || mediatype.IsJSON(m.name) {
		return m
	}
	m.form, m.encodings = &styles.Form{Shape: c.shapes.Of(of.Schema)}, map[string]*encoding{}
	for _, property := range sortedKeys(m.form.Shape.Properties) {
		e := of.Encoding[property] // nil for the default
		style, explode := e.Serialization()
		f := &styles.Field{Name: property, In: "query", Style: style, Explode: explode, Shape: m.form.Shape.Properties[property]}
		m.form.Fields = append(m.form.Fields, f)
		if e == nil {
			continue
		}
		at := pointer + strictjson.Pointer("encoding", property)
		if e.ContentType != "" {
			documented := &encoding{pointer: at + "/contentType"}
			for name := range strings.SplitSeq(strings.ToLower(e.ContentType), ",") {
				documented.names = append(documented.names, strings.TrimSpace(name))
			}
			m.encodings[property], f.JSON = documented, mediatype.IsJSON(documented.names[0])
		}
		if len(e.Headers) > 0 {
			c.addUnchecked(at+"/headers", "headers of the parts of a body")
		}
	}
	for _, f := range m.form.Fields {
		f.Others = m.form.Fields
	}
	return m
}

// checked returns the schema of the JSON body, or else of a form or text; nil if there is none.
func (c *content) checked() *schema {
	for _, isKind := range []func(m *mediaType) bool{(*mediaType).isJSON, (*mediaType).isText} {
		for i := range c.types {
			if isKind(&c.types[i]) {
				return c.types[i].schema
			}
		}
	}
	return nil
}

func (c *content) names() string {
	var names []string
	for _, m := range c.types {
		names = append(names, m.text)
	}
	return strings.Join(names, " or ")
}

// mismatch is a Content-Type other than the documented ones.
type mismatch struct {
	contentType  string
	problem      string // instead of contentType, which is absent or malformed then
	undocumented bool   // a well-formed media type: drift
}

// match finds the documented media type for the values of Content-Type (RFC 9110, section 8.3), with their parameters; nil
// stands for those of UTF-8.
func (c *content) match(fields []string) (*mediaType, map[string]string, *mismatch) {
	contentType, err := mediatype.Single(fields)
	if err != nil {
		return nil, nil, &mismatch{problem: err.Error()}
	}
	// Most are equal to the one in the spec, or add the charset that JSON has anyway, and need no parser.
	usual := strings.TrimSuffix(contentType, "; charset=utf-8")
	for i := range c.types {
		if m := &c.types[i]; m.text != m.name {
			break // parameters matter
		} else if m.name == usual {
			return m, nil, nil
		}
	}
	name, parameters, err := mediatype.Parse(contentType)
	if err != nil {
		return nil, nil, &mismatch{problem: err.Error()}
	}
	i := mediatype.Select(c.patterns, name, parameters)
	if i < 0 {
		return nil, nil, &mismatch{contentType: contentType, undocumented: true}
	}
	m := c.types[i] // whose name may be a range
	m.name = name
	return &m, parameters, nil
}

// value is a value of a body, of a header or of the spec.
type value = strictjson.Value
