package conformance

import (
	"cmp"
	"net/http"
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

// headerTypes returns the types of a schema, also of one in allOf; nil if it has none.
func headerTypes(s *schema) []string {
	if s.Type != "" {
		return s.typeNames()
	}
	for _, part := range s.allOf {
		if part.Type != "" {
			return part.typeNames()
		}
	}
	return nil
}

// headerValue parses the value of a header as its schema's type (style: simple), or else as a string, into a document, so
// that the validator handles it like a body. A nil schema means a string.
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

// addScalar adds a text as one of the types, or as a string. Unlike in JSON, an integer has no fraction and no exponent,
// and may have leading zeros (as Retry-After in RFC 9110, section 10.2.3).
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

// transportHeaders and headers with transportPrefixes belong to HTTP, browsers and proxies. A response may have them
// without the spec documenting them. The list is sorted.
var (
	transportHeaders = setOf(
		"Accept-Ch", "Accept-Ranges", "Age", "Allow", "Alt-Svc", "Cache-Control", "Connection", "Content-Disposition",
		"Content-Encoding", "Content-Language", "Content-Length", "Content-Security-Policy",
		"Content-Security-Policy-Report-Only", "Content-Type", "Date", "Etag", "Expires", "Keep-Alive", "Last-Modified",
		"Nel", "Permissions-Policy", "Pragma", "Proxy-Connection", "Referrer-Policy", "Report-To", "Reporting-Endpoints",
		"Server", "Server-Timing", "Set-Cookie", "Status", "Strict-Transport-Security", "Timing-Allow-Origin",
		"Traceparent", "Tracestate", "Trailer", "Transfer-Encoding", "Upgrade", "Vary", "Via", "Www-Authenticate",
		"X-Cache", "X-Cache-Hits", "X-Content-Type-Options", "X-Correlation-Id", "X-Download-Options", "X-Frame-Options",
		"X-Permitted-Cross-Domain-Policies", "X-Powered-By", "X-Request-Id", "X-Runtime", "X-Served-By", "X-Timer",
		"X-Xss-Protection",
	)
	transportPrefixes = []string{"Access-Control-", "Cf-", "Cross-Origin-", "Sec-", "X-Amz-", "X-Envoy-", "X-Forwarded-"}
)

func setOf(names ...string) map[string]bool {
	set := map[string]bool{}
	for _, name := range names {
		set[name] = true
	}
	return set
}

// isTransport reports whether a canonical header name belongs to HTTP itself, browsers or proxies.
func isTransport(name string) bool {
	if transportHeaders[name] {
		return true
	}
	return slices.ContainsFunc(transportPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// undocumentedHeaders returns the sorted names of the headers that neither r nor HTTP defines. r may be nil.
func (k *checker) undocumentedHeaders(r *response) []string {
	var list []string
	for name := range k.ex.Response.Header {
		if transportHeaders[name] { // nearly all are, in their canonical form
			continue
		}
		name = http.CanonicalHeaderKey(name)
		documented := isTransport(name) ||
			r != nil && slices.ContainsFunc(r.headers, func(h header) bool { return h.name == name })
		if !documented {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list[:min(len(list), maxPerClaim)]
}
