// Package mediatype reads media types (RFC 9110, section 8.3).
package mediatype

import (
	"errors"
	"fmt"
	"mime"
	"slices"
	"strings"
)

// Media types of forms.
const (
	Multipart  = "multipart/form-data"
	URLEncoded = "application/x-www-form-urlencoded"
)

// Name returns the media type or range of a spec in lower case and without parameters.
func Name(documented string) string {
	name, _, _ := strings.Cut(strings.ToLower(documented), ";")
	return strings.TrimSpace(name)
}

// Single returns the one value of Content-Type fields, which may be repeated.
func Single(fields []string) (string, error) {
	if len(fields) > 1 {
		if fields = slices.Compact(slices.Clone(fields)); len(fields) > 1 {
			return "", fmt.Errorf("%d Content-Type fields that differ", len(fields))
		}
	}
	if len(fields) == 0 || fields[0] == "" {
		return "", errors.New("no Content-Type")
	}
	return fields[0], nil
}

// Parse parses the value of a Content-Type field. The name is in lower case.
func Parse(contentType string) (name string, parameters map[string]string, err error) {
	name, parameters, err = mime.ParseMediaType(contentType)
	// RFC 9110, section 8.3.1, requires a type, a slash and a subtype; package mime does not.
	if main, subtype, _ := strings.Cut(name, "/"); err != nil || main == "" || subtype == "" {
		return "", nil, errors.New("a malformed Content-Type")
	}
	return name, parameters, nil
}

// Covers reports whether a media type is equal to a documented one, or in its range.
func Covers(documented, name string) bool {
	main, isRange := strings.CutSuffix(documented, "/*")
	return documented == name || documented == "*/*" || isRange && strings.HasPrefix(name, main+"/")
}

// IsUTF8 reports whether text in a charset is UTF-8.
func IsUTF8(charset string) bool {
	return slices.Contains([]string{"", "utf-8", "utf8", "us-ascii"}, strings.ToLower(charset))
}

// IsJSON reports whether a media type is JSON, also by the structured suffix of RFC 6839, section 3.1.
func IsJSON(name string) bool {
	return name == "application/json" || strings.HasSuffix(name, "+json")
}
