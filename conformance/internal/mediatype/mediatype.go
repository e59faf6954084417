// Package mediatype reads media types (RFC 9110, section 8.3).
package mediatype

import (
	"cmp"
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

// Pattern is a media type of a spec, or a range.
type Pattern struct {
	Name string // lower case, without parameters: application/json, application/*+json, application/* or */*

	text       string
	parameters map[string]string
}

// NewPattern reads the media type or range of a spec.
func NewPattern(documented string) Pattern {
	name, _, hasParameters := strings.Cut(strings.ToLower(documented), ";")
	p := Pattern{Name: strings.TrimSpace(name)}
	if p.text = p.Name; !hasParameters {
		return p
	}
	_, p.parameters, _ = mime.ParseMediaType(documented)
	delete(p.parameters, "boundary") // each message has its own
	if IsJSON(p.Name) {
		delete(p.parameters, "charset") // RFC 8259, section 11: it has no effect
	}
	if len(p.parameters) > 0 {
		p.text = mime.FormatMediaType(p.Name, p.parameters)
	}
	return p
}

// String returns the name and the parameters that matter.
func (p Pattern) String() string { return p.text }

// IsRange reports whether the pattern stands for several media types.
func (p Pattern) IsRange() bool { return strings.Contains(p.Name, "*") }

// Compare orders the more specific pattern first.
func (p Pattern) Compare(other Pattern) int {
	return cmp.Or(p.breadth()-other.breadth(), len(other.parameters)-len(p.parameters))
}

// breadth is 0 for a media type, and more for a broader range.
func (p Pattern) breadth() int {
	switch {
	case !p.IsRange():
		return 0
	case p.Name == "*/*":
		return 3
	case strings.HasSuffix(p.Name, "/*"):
		return 2
	}
	return 1 // application/*+json
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

// Select returns the index of the pattern that applies to a media type, or -1. The patterns are in the order of
// [Pattern.Compare]: of several keys, OpenAPI 3.0.3 applies the most specific one (Response Object, content). A pattern
// whose parameters the media type leaves out applies if no other one does.
func Select(patterns []Pattern, name string, parameters map[string]string) int {
	incomplete := -1
	for i, p := range patterns {
		if !Covers(p.Name, name) {
			continue
		}
		missing, differ := 0, false
		for key, documented := range p.parameters {
			actual, present := parameters[key]
			switch {
			case !present:
				missing++
			case actual != documented && (key != "charset" || !sameCharset(actual, documented)):
				differ = true
			}
		}
		switch {
		case differ:
		case missing == 0:
			return i
		case incomplete < 0:
			incomplete = i
		default: // which one is unknown
			return -1
		}
	}
	return incomplete
}

func sameCharset(a, b string) bool { return strings.EqualFold(a, b) || IsUTF8(a) && IsUTF8(b) }

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

// Covers reports whether a media type is equal to a documented one, or in its range.
func Covers(documented, name string) bool {
	before, after, isRange := strings.Cut(documented, "*") // application/*, or application/*+json
	return documented == name || documented == "*/*" || isRange && strings.HasPrefix(name, before) && strings.HasSuffix(name, after)
}

// IsUTF8 reports whether text in a charset is UTF-8.
func IsUTF8(charset string) bool {
	return slices.Contains([]string{"", "utf-8", "utf8", "us-ascii"}, strings.ToLower(charset))
}

// IsJSON reports whether a media type is JSON, also by the structured suffix of RFC 6839, section 3.1. Many servers send
// text/json.
func IsJSON(name string) bool {
	return name == "application/json" || name == "text/json" || strings.HasSuffix(name, "+json")
}
