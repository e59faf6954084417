package conformance

import (
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// content is what the spec says of a body.
type content struct {
	pointer string
	types   []mediaType // the exact ones first, then ranges
}

type mediaType struct {
	name    string // lower case: application/json, application/* or */*
	pointer string
	schema  *openapi3.Schema // nil where any value will do
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
		m := mediaType{pointer: at + pointerOf("content", name)}
		m.name, _, _ = strings.Cut(strings.ToLower(name), ";")
		m.name = strings.TrimSpace(m.name)
		if s := types[name].Schema; s != nil {
			m.schema = s.Value
		}
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
func (c *content) json() *openapi3.Schema {
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
	found        any
	undocumented bool // a media type like any other: drift
}

// match finds the documented media type that the Content-Type fields of a header (RFC 9110, section 8.3) name.
func (c *content) match(fields []string) (m mediaType, problem *mismatch) {
	if fields = slices.Compact(slices.Clone(fields)); len(fields) > 1 {
		return m, &mismatch{found: plain(fmt.Sprintf("%d Content-Type fields that differ", len(fields)))}
	}
	contentType := strings.Join(fields, "")
	if contentType == "" {
		return m, &mismatch{found: plain("no Content-Type")}
	}
	name, parameters, err := mime.ParseMediaType(contentType)
	// RFC 9110, section 8.3.1: a type, a slash and a subtype, which package mime does not insist on.
	if kind, subtype, _ := strings.Cut(name, "/"); err != nil || kind == "" || subtype == "" {
		return m, &mismatch{found: plain("a malformed Content-Type")}
	}
	// RFC 8259, section 8.1: JSON between systems is UTF-8.
	charset := strings.ToLower(parameters["charset"])
	if isJSON(name) && charset != "" && charset != "utf-8" && charset != "utf8" && charset != "us-ascii" {
		return m, &mismatch{found: contentType}
	}
	major, _, _ := strings.Cut(name, "/")
	for _, m := range c.types {
		if m.name == name || m.name == major+"/*" || m.name == "*/*" {
			if strings.Contains(m.name, "*") {
				m.name = name
			}
			return m, nil
		}
	}
	return m, &mismatch{found: contentType, undocumented: true}
}
