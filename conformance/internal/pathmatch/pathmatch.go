// Package pathmatch finds out whether a URL is one that an OpenAPI document describes: its host is that of a server, and its
// path below that of the server is in the document.
package pathmatch

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// Template matches the places of requests on the hosts of its servers, see [Servers].
type Template struct {
	// Names are the parameters in the order of the path.
	Names []string

	literals []literal // if nothing in the path varies
	patterns []pattern
}

// literal is a normalized path on a host.
type literal struct {
	onHost

	path string
}

// pattern is a path with parameters or server variables.
type pattern struct {
	onHost

	prefix string // before the first of them
	regexp *regexp.Regexp
}

// onHost is the host of a server.
type onHost struct {
	host

	varies *regexp.Regexp // nil where the host does not vary
}

func (h *onHost) has(p *Place) bool {
	return p.isLocal || h.host == (host{}) || h.name == p.host || h.varies != nil && h.varies.MatchString(p.host)
}

var placeholder = regexp.MustCompile(`\{[^{}/]+\}`)

// New returns a template for a path of a spec, or the first of several for the same, on servers. The others have the same
// parameters.
func New(servers *Servers, paths ...string) *Template {
	t := &Template{}
	for _, name := range placeholder.FindAllString(paths[0], -1) {
		t.Names = append(t.Names, name[1:len(name)-1])
	}
	for _, b := range servers.bases {
		for _, path := range paths {
			t.add(onHost{b.host, servers.patterns[b.host.pattern]}, b.path, path)
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

// Match reports whether a place is one of the template, and returns the values of the parameters, with escapes.
func (t *Template) Match(at Place) (values []string, ok bool) {
	path := at.path
	for i := range t.literals {
		l := &t.literals[i]
		if strings.HasPrefix(path, l.path) && (len(path) == len(l.path) || path[len(l.path):] == "/") && l.has(&at) {
			return nil, true
		}
	}
	for i := range t.patterns {
		p := &t.patterns[i]
		if !strings.HasPrefix(path, p.prefix) || !p.has(&at) {
			continue
		}
		if found := p.regexp.FindStringSubmatch(path); found != nil {
			return found[1:], true
		}
	}
	return nil, false
}

func (t *Template) add(on onHost, base, path string) {
	if !placeholder.MatchString(base + path) {
		t.literals = append(t.literals, literal{on, Normalize(base + path)})
		return
	}
	text := "^" + expression(base, `[^/]+`) + expression(path, `([^/]+)`) + "/?$"
	prefix, _, _ := strings.Cut(base+path, "{")
	p := pattern{onHost: on, prefix: Normalize(prefix)}
	if last := len(t.patterns) - 1; last >= 0 && t.patterns[last].regexp.String() == text {
		p.regexp = t.patterns[last].regexp // on another host
	} else {
		p.regexp = regexp.MustCompile(text)
	}
	t.patterns = append(t.patterns, p)
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
