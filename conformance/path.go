package conformance

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// pathTemplate matches the path of a URL, whatever its host: recordings come from proxies, sandboxes and loopback.
type pathTemplate struct {
	patterns []*regexp.Regexp
	literals []string // instead, where there is nothing to fill in
}

var pathParameter = regexp.MustCompile(`\\\{[^{}/]+\\\}`)

func newPathTemplate(servers openapi3.Servers, path string) pathTemplate {
	var t pathTemplate
	bases := map[string]bool{}
	for _, s := range servers {
		base := s.URL
		for name, v := range s.Variables {
			base = strings.ReplaceAll(base, "{"+name+"}", v.Default)
		}
		if u, err := url.Parse(base); err == nil {
			bases[strings.TrimRight(u.Path, "/")] = true
		}
	}
	if len(bases) == 0 {
		bases[""] = true // OpenAPI 3.0.3: no servers means one at "/"
	}
	for base := range bases {
		if !pathParameter.MatchString(regexp.QuoteMeta(path)) {
			t.literals = append(t.literals, base+path)
			continue
		}
		pattern := pathParameter.ReplaceAllString(regexp.QuoteMeta(base+path), `[^/]+`)
		t.patterns = append(t.patterns, regexp.MustCompile("^"+pattern+"/?$"))
	}
	return t
}

func (t pathTemplate) match(path string) bool {
	for _, literal := range t.literals {
		if strings.HasPrefix(path, literal) && (len(path) == len(literal) || path[len(literal):] == "/") {
			return true
		}
	}
	for _, p := range t.patterns {
		if p.MatchString(path) {
			return true
		}
	}
	return false
}
