// Package transport knows the response headers that belong to HTTP instead of an API.
package transport

import (
	"slices"
	"strings"
)

// Headers and headers with these prefixes belong to HTTP, browsers and proxies. A response may have them without the spec
// documenting them.
var (
	headers = setOf(
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
	prefixes = []string{"Access-Control-", "Cf-", "Cross-Origin-", "Sec-", "X-Amz-", "X-Envoy-", "X-Forwarded-"}
)

func setOf(names ...string) map[string]bool {
	set := map[string]bool{}
	for _, name := range names {
		set[name] = true
	}
	return set
}

// Has reports whether a header, by its canonical name, belongs to HTTP itself, browsers or proxies.
func Has(name string) bool {
	return headers[name] || slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}
