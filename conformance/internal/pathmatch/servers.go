package pathmatch

import (
	"cmp"
	"maps"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/internal/openapi"
)

// Place is where a request was sent, as templates compare it.
type Place struct {
	host    string // "" if it is not known
	path    string // normalized
	isLocal bool   // the host is this machine, or not known: it may stand for any server
}

// PlaceOf returns the place of a URL. Ports do not count: recordings come from proxies and sandboxes.
func PlaceOf(u *url.URL) Place {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	return Place{host, Normalize(u.EscapedPath()), host == "" || isLoopback(host)}
}

// isLoopback reports whether a host is this machine (RFC 6761, section 6.3).
func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	if host[0] > ':' { // as most are: no such address, for which ParseAddr would make an error
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// host is the host of a server: a name, or a pattern where it varies. The zero host is any.
type host struct {
	name    string
	pattern string
}

// base is a server: a host, and the path below which the API is, without a slash at the end.
type base struct {
	host host
	path string
}

// Servers are where an API is.
type Servers struct {
	bases    []base
	patterns map[string]*regexp.Regexp // of hosts
}

// NewServers returns the servers of a spec, and those given by the user: a URL, or a path for the hosts of the spec. The paths
// of the spec are below the path of a given server, with or without that of the spec's own. Without a server, or with
// one that has no host, the API is on every host, unless one with a host is given.
func NewServers(documented []openapi.Server, given []*url.URL) *Servers {
	s := &Servers{patterns: map[string]*regexp.Regexp{}}
	for _, server := range documented {
		s.bases = append(s.bases, basesOf(server)...)
	}
	if len(s.bases) == 0 {
		s.bases = []base{{}} // OpenAPI 3.0.3: no servers means one at "/"
	}
	own := slices.Clone(s.bases)
	if slices.ContainsFunc(given, func(u *url.URL) bool { return u.Host != "" }) {
		for i := range s.bases {
			if s.bases[i].host == (host{}) {
				s.bases[i].host.name = "localhost"
			}
		}
	}
	for _, u := range given {
		path := strings.TrimSuffix(u.EscapedPath(), "/")
		for _, b := range own {
			if u.Host != "" {
				b.host = host{name: PlaceOf(u).host}
			}
			s.bases = append(s.bases, base{b.host, path}, base{b.host, path + b.path})
		}
	}
	slices.SortFunc(s.bases, func(a, b base) int {
		return cmp.Or(strings.Compare(a.path, b.path), strings.Compare(a.host.name, b.host.name), strings.Compare(a.host.pattern, b.host.pattern))
	})
	s.bases = slices.Compact(s.bases)
	for _, b := range s.bases {
		if b.host.pattern != "" && s.patterns[b.host.pattern] == nil {
			s.patterns[b.host.pattern] = regexp.MustCompile(b.host.pattern)
		}
	}
	return s
}

// Hosts are the hosts of all servers of a spec. The zero value has none.
type Hosts struct {
	any      bool
	names    map[string]bool
	patterns []*regexp.Regexp
}

// Add adds the hosts of servers.
func (h *Hosts) Add(s *Servers) {
	if h.names == nil {
		h.names = map[string]bool{}
	}
	for _, b := range s.bases {
		switch {
		case b.host == (host{}):
			h.any = true
		case b.host.pattern == "":
			h.names[b.host.name] = true
		case !h.names[b.host.pattern]:
			h.names[b.host.pattern] = true // which is no name, and so is not looked up as one
			h.patterns = append(h.patterns, s.patterns[b.host.pattern])
		}
	}
}

// Has reports whether a place is on one of the hosts.
func (h *Hosts) Has(p Place) bool {
	return p.isLocal || h.any || h.names[p.host] || slices.ContainsFunc(h.patterns, func(r *regexp.Regexp) bool { return r.MatchString(p.host) })
}

// maxBases is the maximum number of paths of one server. With more, its variables match anything.
const maxBases = 100

// basesOf returns the hosts and paths of a server: one for each value of its variables with an enum. Another variable stays
// a placeholder, or has its default if that is more than a segment.
func basesOf(s openapi.Server) []base {
	urls := []string{s.URL}
	anyHost := false
	for _, name := range slices.Sorted(maps.Keys(s.Variables)) {
		v := s.Variables[name]
		values := slices.Clone(v.Enum)
		if strings.ContainsAny(v.Default, "/:") && len(values) == 0 {
			values = []string{v.Default}
			anyHost = anyHost || strings.HasPrefix(s.URL, "{"+name+"}")
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
	var bases []base
	for _, text := range urls {
		if end := strings.IndexAny(text, "?#"); end >= 0 {
			text = text[:end]
		}
		var b base
		if _, rest, isAbsolute := strings.Cut(text, "//"); isAbsolute {
			authority, path, _ := strings.Cut(rest, "/")
			text = path
			if !anyHost {
				b.host = hostOf(authority)
			}
		}
		if text = strings.Trim(text, "/"); text != "" {
			b.path = "/" + text
		}
		bases = append(bases, b)
	}
	return bases
}

var port = regexp.MustCompile(`:(\d*|\{[^{}/]+\})$`)

// hostOf returns the host of an authority, which may have placeholders.
func hostOf(authority string) host {
	name := authority[strings.LastIndexByte(authority, '@')+1:]
	name = strings.Trim(strings.ToLower(port.ReplaceAllString(name, "")), "[].")
	switch at := placeholder.FindStringIndex(name); {
	case at == nil:
		return host{name: name}
	case at[0] == 0 && at[1] == len(name):
		return host{}
	}
	return host{pattern: "^" + expression(name, ".+") + "$"}
}
