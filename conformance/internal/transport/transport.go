// Package transport knows what HTTP says of a response, whatever the API is.
package transport

import (
	"net/http"
	"slices"
	"strings"
)

// prefixes are those of headers that browsers and proxies define.
var prefixes = []string{"Access-Control-", "Cf-", "Cross-Origin-", "Sec-", "X-Amz-", "X-Envoy-", "X-Forwarded-"}

// Others returns the sorted canonical names of the fields that neither belong to HTTP nor are documented.
func Others(header http.Header, documented func(name string) bool) (list []string) {
	for name := range header {
		if has(name) { // nearly all are, in their canonical form
			continue
		}
		if name = http.CanonicalHeaderKey(name); !has(name) && !documented(name) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// has reports whether a header, by its canonical name, belongs to HTTP itself, browsers or proxies.
func has(name string) bool {
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

// IsAboutContent reports whether a status is that of a wrong request, other than one whose sender, resource, state or rate is
// wrong.
func IsAboutContent(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusTooManyRequests:
		return false
	}
	return status/100 == 4
}

// RejectsContent reports whether a status is for a request whose content is wrong (RFC 9110, section 15.5).
func RejectsContent(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// cacheStatuses has the request headers that lead to a status, canonical.
var cacheStatuses = map[int][]string{
	http.StatusPartialContent: {"Range"},
	http.StatusNotModified:    {"If-None-Match", "If-Modified-Since"},
}

// IsOfCache reports whether a response is one that HTTP has for caches and downloads, to a condition or a range in the
// request (RFC 9110, sections 13 and 14). The header of the request may be unknown.
func IsOfCache(status int, request http.Header, unknown bool) bool {
	names, ok := cacheStatuses[status]
	return ok && (unknown || slices.ContainsFunc(names, func(name string) bool { return request[name] != nil }))
}

// IsBodiless reports whether HTTP forbids a body in a response (RFC 9110, sections 6.4.1 and 15).
func IsBodiless(method string, status int) bool {
	return method == http.MethodHead || status/100 == 1 || status == http.StatusNoContent || status == http.StatusNotModified
}
