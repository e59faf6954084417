package conformance

import (
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

// content is what the spec says of a body.
type content struct {
	pointer string
	types   []mediaType // the exact ones first, then ranges

	headerClaim, bodyClaim int
}

type mediaType struct {
	name    string // lower case: application/json, application/* or */*
	pointer string
	schema  *schema // nil where any value will do

	headerClaim, bodyClaim int
}

// place is the claim that a body of another media type breaks.
func (c *content) place() string {
	if len(c.types) == 1 {
		return c.types[0].pointer
	}
	return c.pointer
}

// newContent returns nil where the spec documents no body.
func (c *Contract) newContent(at string, types openapi3.Content) *content {
	if len(types) == 0 {
		return nil
	}
	result := &content{pointer: at + "/content"}
	for _, name := range slices.Sorted(maps.Keys(types)) {
		m := mediaType{pointer: at + strictjson.Pointer("content", name)}
		m.name, _, _ = strings.Cut(strings.ToLower(name), ";")
		m.name = strings.TrimSpace(m.name)
		m.schema = c.schemaOf(types[name].Schema)
		if m.schema != nil && !isJSON(m.name) && !strings.Contains(m.name, "*") {
			c.note(m.pointer+"/schema", "bodies that are not JSON")
		}
		result.types = append(result.types, m)
	}
	slices.SortStableFunc(result.types, func(a, b mediaType) int {
		return strings.Count(a.name, "*") - strings.Count(b.name, "*")
	})
	return result
}

// json returns the schema of the JSON body, or nil.
func (c *content) json() *schema {
	for _, m := range c.types {
		if isJSON(m.name) {
			return m.schema
		}
	}
	return nil
}

func (c *content) names() string {
	var names []string
	for _, m := range c.types {
		names = append(names, m.name)
	}
	return strings.Join(names, " or ")
}

// isJSON tells JSON by RFC 8259 and the structured suffix of RFC 6839, section 3.1.
func isJSON(name string) bool {
	return name == "application/json" || strings.HasSuffix(name, "+json")
}

// mismatch is what was found instead of a documented media type.
type mismatch struct {
	contentType  string // "" for a problem
	problem      string // in our own words
	undocumented bool   // a media type like any other: drift
}

func (k *checker) describeMismatch(m *mismatch) string {
	if m.problem != "" {
		return m.problem
	}
	return k.excerpt(m.contentType)
}

// match finds the documented media type that the Content-Type fields of a header (RFC 9110, section 8.3) name.
func (c *content) match(fields []string) (*mediaType, *mismatch) {
	if len(fields) > 1 {
		if fields = slices.Compact(slices.Clone(fields)); len(fields) > 1 {
			return nil, &mismatch{problem: fmt.Sprintf("%d Content-Type fields that differ", len(fields))}
		}
	}
	if len(fields) == 0 || fields[0] == "" {
		return nil, &mismatch{problem: "no Content-Type"}
	}
	contentType := fields[0]
	// Most are written as in the spec, or with the charset that JSON has anyway, and need no parser.
	usual := strings.TrimSuffix(contentType, "; charset=utf-8")
	for i := range c.types {
		if c.types[i].name == usual {
			return &c.types[i], nil
		}
	}
	name, parameters, err := mime.ParseMediaType(contentType)
	// RFC 9110, section 8.3.1: a type, a slash and a subtype, which package mime does not insist on.
	if main, subtype, _ := strings.Cut(name, "/"); err != nil || main == "" || subtype == "" {
		return nil, &mismatch{problem: "a malformed Content-Type"}
	}
	// RFC 8259, section 8.1: JSON between systems is UTF-8.
	charset := strings.ToLower(parameters["charset"])
	if isJSON(name) && charset != "" && charset != "utf-8" && charset != "utf8" && charset != "us-ascii" {
		return nil, &mismatch{contentType: contentType}
	}
	major, _, _ := strings.Cut(name, "/")
	for i := range c.types {
		switch c.types[i].name {
		case name:
			return &c.types[i], nil
		case major + "/*", "*/*":
			ranged := c.types[i]
			ranged.name = name
			return &ranged, nil
		}
	}
	return nil, &mismatch{contentType: contentType, undocumented: true}
}
