// Package pathmatch finds out whether the path of a URL is one that an OpenAPI document describes.
package pathmatch

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/openapi"
)

// Template matches the path of a URL on any host: recordings come from proxies, sandboxes and loopback.
type Template struct {
	patterns []*regexp.Regexp
	literals []string // paths without parameters
}

var pathParameter = regexp.MustCompile(`\\\{[^{}/]+\\\}`)

// New returns a template for a path of a spec below the paths of its servers.
func New(servers []openapi.Server, path string) Template {
	var t Template
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

// Match reports whether the path of a URL, without escapes, is one of the template.
func (t Template) Match(path string) bool {
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
