// Package transport knows the response headers that belong to HTTP instead of an API.
package transport

import (
	"slices"
	"strings"
)

// prefixes are those of headers that browsers and proxies define.
var prefixes = []string{"Access-Control-", "Cf-", "Cross-Origin-", "Sec-", "X-Amz-", "X-Envoy-", "X-Forwarded-"}

// Has reports whether a header, by its canonical name, belongs to HTTP itself, browsers or proxies. A response may have it
// without the spec documenting it.
func Has(name string) bool {
	switch name { // which is faster than a map
	case "Accept-Ch", "Accept-Ranges", "Age", "Allow", "Alt-Svc", "Cache-Control", "Connection", "Content-Disposition",
		"Content-Encoding", "Content-Language", "Content-Length", "Content-Security-Policy",
		"Content-Security-Policy-Report-Only", "Content-Type", "Date", "Etag", "Expires", "Keep-Alive", "Last-Modified",
		"Nel", "Permissions-Policy", "Pragma", "Proxy-Connection", "Referrer-Policy", "Report-To", "Reporting-Endpoints",
		"Server", "Server-Timing", "Set-Cookie", "Status", "Strict-Transport-Security", "Timing-Allow-Origin",
		"Traceparent", "Tracestate", "Trailer", "Transfer-Encoding", "Upgrade", "Vary", "Via", "Www-Authenticate",
		"X-Cache", "X-Cache-Hits", "X-Content-Type-Options", "X-Correlation-Id", "X-Download-Options", "X-Frame-Options",
		"X-Permitted-Cross-Domain-Policies", "X-Powered-By", "X-Request-Id", "X-Runtime", "X-Served-By", "X-Timer",
		"X-Xss-Protection":
		return true
	}
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}
