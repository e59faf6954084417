package conformance

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// header is a response header that the spec documents.
type header struct {
	name     string // canonical
	place    string // JSON pointer in the instance
	pointer  string // in the spec
	required bool
	schema   *openapi3.Schema // nil where it is not checked
}

var digits = regexp.MustCompile(`^-?[0-9]+$`)

// headerTypes returns the types that the text of a header may stand for, nil where that cannot be told.
func headerTypes(s *openapi3.Schema) []string {
	if s.Type != nil {
		return s.Type.Slice()
	}
	for _, part := range s.AllOf {
		if part.Value.Type != nil {
			return part.Value.Type.Slice()
		}
	}
	return nil
}

// headerValue reads the text of a header as its schema's type, where it can be read so (style: simple).
func headerValue(text string, s *openapi3.Schema) any {
	types := headerTypes(s)
	if slices.Contains(types, "array") && s.Items != nil {
		items := []any{}
		for item := range strings.SplitSeq(text, ",") {
			items = append(items, scalar(strings.TrimSpace(item), headerTypes(s.Items.Value)))
		}
		return items
	}
	return scalar(text, types)
}

// scalar reads a text as one of the types. A whole number has no fraction and no exponent, unlike JSON's, but may have
// leading zeros (as Retry-After in RFC 9110, section 10.2.3).
func scalar(text string, types []string) any {
	switch {
	case slices.Contains(types, "integer") && digits.MatchString(text):
		sign, rest := "", text
		if rest[0] == '-' {
			sign, rest = "-", rest[1:]
		}
		return number(sign + cmp.Or(strings.TrimLeft(rest, "0"), "0"))
	case slices.Contains(types, "number") && isNumber(text):
		return number(text)
	case slices.Contains(types, "boolean") && (text == "true" || text == "false"):
		return text == "true"
	}
	return text
}
