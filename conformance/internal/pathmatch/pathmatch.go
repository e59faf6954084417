// Package pathmatch finds out whether the path of a URL is one that an OpenAPI document describes.
package pathmatch

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/openapi"
)

// Template matches the path of a URL on any host: recordings come from proxies, sandboxes and loopback.
type Template struct {
	// Names are the parameters in the order of the path.
	Names []string

	literals []string // normalized paths, if nothing in them varies
	patterns []pattern
}

// pattern is a path with parameters or server variables.
type pattern struct {
	prefix string // before the first of them
	regexp *regexp.Regexp
}

var placeholder = regexp.MustCompile(`\{[^{}/]+\}`)

// New returns a template for a path of a spec, or the first of several for the same, below the paths of its servers. The
// others have the same parameters.
func New(servers []openapi.Server, paths ...string) *Template {
	t := &Template{}
	for _, name := range placeholder.FindAllString(paths[0], -1) {
		t.Names = append(t.Names, name[1:len(name)-1])
	}
	var bases []string
	for _, s := range servers {
		bases = append(bases, basePaths(s)...)
	}
	if len(bases) == 0 {
		bases = []string{""} // OpenAPI 3.0.3: no servers means one at "/"
	}
	slices.Sort(bases)
	for _, base := range slices.Compact(bases) {
		for _, path := range paths {
			t.add(base, path)
		}
	}
	return t
}

// expression returns a regular expression for a path, with a group for each placeholder.
func expression(path, group string) string {
	var b strings.Builder
	for rest := path; rest != ""; {
		at := placeholder.FindStringIndex(rest)
		if at == nil {
			at = []int{len(rest), len(rest)}
		}
		b.WriteString(regexp.QuoteMeta(Normalize(rest[:at[0]])))
		if at[0] < at[1] {
			b.WriteString(group)
		}
		rest = rest[at[1]:]
	}
	return b.String()
}

// maxBases is the maximum number of paths of one server. With more, its variables match anything.
const maxBases = 100

// basePaths returns the paths of a server, without a slash at the end: one for each value of its variables with an enum.
// Another variable stays a placeholder, or has its default if that is more than a segment.
func basePaths(s openapi.Server) []string {
	urls := []string{s.URL}
	for _, name := range slices.Sorted(maps.Keys(s.Variables)) {
		v := s.Variables[name]
		values := slices.Clone(v.Enum)
		if strings.ContainsAny(v.Default, "/:") && len(values) == 0 {
			values = []string{v.Default}
		}
		if len(values) == 0 || len(values)*len(urls) > maxBases {
			continue
		}
		var expanded []string
		for _, base := range urls {
			for _, value := range values {
				expanded = append(expanded, strings.ReplaceAll(base, "{"+name+"}", value))
			}
		}
		urls = expanded
	}
	for i, base := range urls {
		if end := strings.IndexAny(base, "?#"); end >= 0 {
			base = base[:end]
		}
		if _, rest, isAbsolute := strings.Cut(base, "//"); isAbsolute {
			slash := strings.IndexByte(rest, '/')
			if slash < 0 {
				slash = len(rest)
			}
			base = rest[slash:]
		}
		if base = strings.Trim(base, "/"); base != "" {
			base = "/" + base
		}
		urls[i] = base
	}
	return urls
}

// Match reports whether a normalized path is one of the template, and returns the values of the parameters, with escapes.
func (t *Template) Match(path string) (values []string, ok bool) {
	for _, literal := range t.literals {
		if strings.HasPrefix(path, literal) && (len(path) == len(literal) || path[len(literal):] == "/") {
			return nil, true
		}
	}
	for _, p := range t.patterns {
		if !strings.HasPrefix(path, p.prefix) {
			continue
		}
		if found := p.regexp.FindStringSubmatch(path); found != nil {
			return found[1:], true
		}
	}
	return nil, false
}

func (t *Template) add(base, path string) {
	if !placeholder.MatchString(base + path) {
		t.literals = append(t.literals, Normalize(base+path))
		return
	}
	text := "^" + expression(base, `[^/]+`) + expression(path, `([^/]+)`) + "/?$"
	prefix, _, _ := strings.Cut(base+path, "{")
	t.patterns = append(t.patterns, pattern{Normalize(prefix), regexp.MustCompile(text)})
}

// Rank orders the paths of a spec: of two that match the same URL, the one with the smaller rank comes first. A segment
// without a parameter comes before one with a parameter and other text, and that before one that is a parameter.
func Rank(path string) string {
	var rank strings.Builder
	for segment := range strings.SplitSeq(path, "/") {
		switch at := placeholder.FindStringIndex(segment); {
		case at == nil:
			rank.WriteByte('0')
		case at[1]-at[0] < len(segment):
			rank.WriteByte('1')
		default:
			rank.WriteByte('2')
		}
	}
	return rank.String()
}

// Path returns the normalized path of a URL.
func Path(u *url.URL) string { return Normalize(u.EscapedPath()) }

// Normalize returns an escaped path without needless escapes: in equal paths (RFC 3986, section 6.2.2), only characters
// that are reserved or have no other form are escaped, with capital letters.
func Normalize(path string) string {
	isPlain := true
	for i := range len(path) {
		isPlain = isPlain && isAllowed(path[i])
	}
	if isPlain {
		return path
	}
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' && i+2 < len(path) {
			if unescaped, err := url.PathUnescape(path[i : i+3]); err == nil {
				i += 2
				if c = unescaped[0]; isUnreserved(c) {
					b.WriteByte(c)
				} else {
					fmt.Fprintf(&b, "%%%02X", c)
				}
				continue
			}
		}
		if isAllowed(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// isAllowed reports whether a path may have a character without an escape.
func isAllowed(c byte) bool { return isUnreserved(c) || strings.IndexByte("!$&'()*+,;=:@/", c) >= 0 }
