package mutate

import (
	"strings"
)

// pointer is a JSON pointer (RFC 6901).
func pointer(tokens ...string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString("/" + strings.ReplaceAll(strings.ReplaceAll(t, "~", "~0"), "/", "~1"))
	}
	return b.String()
}

func unescape(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
}

func isJSON(name string) bool {
	name, _, _ = strings.Cut(strings.ToLower(name), ";")
	return strings.TrimSpace(name) == "application/json" || strings.HasSuffix(strings.TrimSpace(name), "+json")
}
