package conformance

import (
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// transportHeaders belong to HTTP, to browsers and to what stands between a server and its clients. An answer may have
// them without the spec saying so. Whatever starts with one of transportPrefixes does, too.
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

// isTransport takes a canonical name.
func isTransport(name string) bool {
	if transportHeaders[name] {
		return true
	}
	return slices.ContainsFunc(transportPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// undocumentedHeaders lists the headers of the answer that neither the spec nor HTTP knows, sorted. r may be nil.
func (k *checker) undocumentedHeaders(r *response) []string {
	var list []string
	for name := range k.ex.Response.Header {
		if transportHeaders[name] { // nearly all are, and are canonical
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

// observedResponse describes the answer, or only what stands in one message, for whoever wants to document it.
func (k *checker) observedResponse(message *traffic.Message) *Observed {
	s := &Observed{}
	if message == nil {
		message = &k.ex.Response
		s.Headers = k.undocumentedHeaders(nil)
		for i, name := range s.Headers {
			s.Headers[i] = k.conceal(inPointer(name))
		}
	}
	if name, _, err := mime.ParseMediaType(message.Header.Get("Content-Type")); err == nil {
		s.MediaTypes = []string{k.conceal(inPointer(name))}
	}
	switch {
	case message.BodyOmitted:
	case len(message.Body) > 0:
		s.Bodies = []string{"present"}
	default:
		s.Bodies = []string{"absent"}
	}
	return s
}
