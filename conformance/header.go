package conformance

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
)

// header is a response header that the spec documents.
type header struct {
	name          string // canonical
	place         string // JSON pointer in the instance
	pointer       string // in the spec
	required      bool
	requiredClaim int     // noClaim where it is optional
	schema        *schema // nil where it is not checked
}

var digits = regexp.MustCompile(`^-?[0-9]+$`)

// headerTypes returns the types that the text of a header may stand for, nil where that cannot be told.
func headerTypes(s *schema) []string {
	if s.Type != nil {
		return s.typeNames()
	}
	for _, part := range s.allOf {
		if part.Type != nil {
			return part.typeNames()
		}
	}
	return nil
}

// headerValue reads the text of a header as its schema's type, where it can be read so (style: simple). It makes a document
// of it, so that the validator sees the value as if it stood in a body. A nil schema means text.
func headerValue(doc *strictjson.Document, text string, s *schema) value {
	doc.Data, doc.Nodes = doc.Data[:0], doc.Nodes[:0]
	var types []string
	if s != nil {
		types = headerTypes(s)
	}
	if !slices.Contains(types, "array") || s.items == nil {
		addScalar(doc, text, types)
		return value{Doc: doc}
	}
	doc.Nodes = append(doc.Nodes, strictjson.Node{Type: strictjson.Array})
	for item := range strings.SplitSeq(text, ",") {
		addScalar(doc, strings.TrimSpace(item), headerTypes(s.items))
	}
	array := &doc.Nodes[0]
	array.End, array.Next, array.Count = int32(len(doc.Data)), int32(len(doc.Nodes)), int32(len(doc.Nodes)-1) //nolint:gosec // headers are bounded
	return value{Doc: doc}
}

// addScalar reads a text as one of the types. An integer has no fraction and no exponent, unlike JSON's, but may have
// leading zeros (as Retry-After in RFC 9110, section 10.2.3).
func addScalar(doc *strictjson.Document, text string, types []string) {
	t := strictjson.String
	switch {
	case slices.Contains(types, "integer") && digits.MatchString(text):
		t = strictjson.Number
		sign, rest := "", text
		if rest[0] == '-' {
			sign, rest = "-", rest[1:]
		}
		if rest[0] == '0' {
			text = sign + cmp.Or(strings.TrimLeft(rest, "0"), "0")
		}
	case slices.Contains(types, "number") && strictjson.IsNumber(text):
		t = strictjson.Number
	case slices.Contains(types, "boolean") && (text == "true" || text == "false"):
		t = strictjson.Boolean
	}
	start := len(doc.Data)
	doc.Data = append(doc.Data, text...)
	doc.Nodes = append(doc.Nodes, strictjson.Node{Type: t, Start: int32(start), End: int32(len(doc.Data)), Next: int32(len(doc.Nodes) + 1)}) //nolint:gosec // headers are bounded
}
