package sandbox

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// isJSON tells whether a body is JSON by its header.
func isJSON(header http.Header) bool {
	types := header["Content-Type"]
	if len(types) != 1 || isEncoded(header["Content-Encoding"]) {
		return false
	}
	if types[0] == "application/json" {
		return true
	}
	name, parameters, err := mime.ParseMediaType(types[0])
	charset, has := parameters["charset"]
	return err == nil && name == "application/json" && (!has || strings.EqualFold(charset, "utf-8"))
}

// isEncoded reads Content-Encoding (RFC 9110, section 8.4).
func isEncoded(encodings []string) bool {
	for _, encoding := range encodings {
		if encoding != "" && !strings.EqualFold(encoding, "identity") {
			return true
		}
	}
	return false
}

// acceptsJSON reads Accept (RFC 9110, section 12.5.1). The most specific range counts; what cannot be read is no wish.
func acceptsJSON(accept []string) bool {
	if len(accept) == 0 || len(accept) == 1 && accept[0] == "application/json" {
		return true
	}
	best, quality, readable := -1, 0.0, false
	for _, list := range accept {
		for entry := range strings.SplitSeq(list, ",") {
			name, parameters, err := mime.ParseMediaType(entry)
			if err != nil || !strings.Contains(name, "/") { // such as the * of old clients
				continue
			}
			readable = true
			rank := map[string]int{"*/*": 0, "application/*": 1, "application/json": 2}
			at, matches := rank[name]
			if !matches || at < best {
				continue
			}
			best, quality = at, 1
			if q, err := strconv.ParseFloat(parameters["q"], 64); err == nil {
				quality = q
			}
		}
	}
	return !readable || best >= 0 && quality > 0
}
