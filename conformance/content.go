package conformance

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/openapi"
	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

// content is the documented content of a body.
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
	result := &content{pointer: at + "/content"}
	for _, name := range slices.Sorted(maps.Keys(types)) {
		m := mediaType{pointer: at + strictjson.Pointer("content", name)}
		m.name, _, _ = strings.Cut(strings.ToLower(name), ";")
		m.name = strings.TrimSpace(m.name)
		m.schema = c.schemaOf(types[name].Schema)
		if m.schema != nil && !isJSON(m.name) && !strings.Contains(m.name, "*") {
			c.addUnchecked(m.pointer+"/schema", "bodies that are not JSON")
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

// isJSON reports whether a media type is JSON, also by the structured suffix of RFC 6839, section 3.1.
func isJSON(name string) bool {
	return name == "application/json" || strings.HasSuffix(name, "+json")
}

// mismatch is a Content-Type other than the documented ones.
type mismatch struct {
	contentType  string
	problem      string // instead of contentType, which is absent or malformed then
	undocumented bool   // a well-formed media type: drift
}

func (k *checker) describeMismatch(m *mismatch) string {
	if m.problem != "" {
		return m.problem
	}
	return k.excerpt(m.contentType)
}

// match finds the documented media type for the values of Content-Type (RFC 9110, section 8.3).
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
	// Most are equal to the one in the spec, or add the charset that JSON has anyway, and need no parser.
	usual := strings.TrimSuffix(contentType, "; charset=utf-8")
	for i := range c.types {
		if c.types[i].name == usual {
			return &c.types[i], nil
		}
	}
	name, parameters, err := mime.ParseMediaType(contentType)
	// RFC 9110, section 8.3.1, requires a type, a slash and a subtype; package mime does not.
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

// value is a value of a body, of a header or of the spec.
type value = strictjson.Value

// defect is a violation of the JSON grammar or its recommendations.
type defect struct {
	rule    string
	pointer string
	actual  string
}

// parseBody parses one JSON text (RFC 8259) and lists its defects. ok is false if it has no value. Of properties with the
// same name the last counts, as in most decoders.
func parseBody(doc *strictjson.Document, text []byte) (defects []defect, ok bool) {
	if !doc.Parse(text) {
		reason, notUTF8 := strictjson.Diagnose(text)
		if notUTF8 {
			return []defect{{ruleUnicode, "", reason}}, false
		}
		return []defect{{ruleJSON, "", reason}}, false
	}
	for _, name := range doc.Duplicates {
		tokens := doc.Path(name)
		for i := range tokens {
			tokens[i] = inPointer(tokens[i])
		}
		defects = append(defects, defect{ruleDuplicate, strictjson.Pointer(tokens...), "the property more than once"})
	}
	if doc.LoneSurrogate >= 0 {
		defects = append(defects, defect{ruleUnicode, "", fmt.Sprintf("a lone surrogate at byte %d", doc.LoneSurrogate)})
	}
	return defects, true
}

// inPointer returns a property's name for the pointer of a finding: for a very long one its length and hash, as each
// finding below it repeats the name.
func inPointer(name string) string {
	const maxName = 1 << 10
	if len(name) <= maxName {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return fmt.Sprintf("(a name of %d bytes, SHA-256 %x…)", len(name), sum[:8])
}
