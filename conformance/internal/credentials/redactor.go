package credentials

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/redact"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/internal/yamltree"
)

// ErrCredential means that a credential cannot be removed from an exchange.
var ErrCredential = errors.New("a credential cannot be removed")

// Rules identify the credentials in exchanges: those of a spec, and those that usually have the name of one.
type Rules struct {
	names   *redact.Names
	headers map[string]bool // of the spec, canonical
	schemes []string        // of authentication, in lower case
}

// NewRules returns the rules for the credentials of a spec, and for headers, parameters and properties of other names. The
// names in the spec, such as those of properties, and the values of its enums are no credentials.
func NewRules(list []Credential, spec *yamltree.Tree, also ...string) *Rules {
	r := &Rules{headers: map[string]bool{}}
	var parameters []string
	for _, c := range list {
		if name, ok := strings.CutSuffix(c.Prefix, " "); ok {
			r.schemes = append(r.schemes, name)
		}
		if c.In == "header" {
			r.headers[http.CanonicalHeaderKey(c.Name)] = true
		} else {
			parameters = append(parameters, c.Name)
		}
	}
	public := map[string]bool{}
	addWords(public, spec.Root)
	for _, name := range spec.Files() {
		addWords(public, spec.Node(strictjson.Pointer(name)))
	}
	for _, scheme := range r.schemes {
		public[scheme] = true
	}
	r.names = redact.NewNames(also, parameters, public)
	return r
}

// addWords adds the keys and the enum values below a node, except in examples, which could contain a real credential.
func addWords(words map[string]bool, n *yamltree.Node) {
	for _, e := range n.Entries {
		words[strings.ToLower(e.Key)] = true
		if e.Key == "enum" {
			for _, item := range e.Entries {
				words[strings.ToLower(item.Text)] = true
			}
		}
		if e.Key != "example" && e.Key != "examples" {
			addWords(words, e.Node)
		}
	}
}

// Redactor returns a redactor without credentials.
func (r *Rules) Redactor() *Redactor {
	const maxCredentials = 20_000
	return &Redactor{rules: r, secrets: redact.Secrets{Names: r.names, MaxWords: maxCredentials}}
}

// isHeader reports whether a header is a credential.
func (r *Rules) isHeader(canonical string) bool {
	return r.headers[canonical] || r.names.Has(canonical)
}

// collect adds the credentials of an exchange, except for headers that it has seen, which may be nil.
func (r *Rules) collect(s *redact.Secrets, ex *traffic.Exchange, seen map[[2]string]bool) {
	for _, m := range []traffic.Message{ex.Request, ex.Response} {
		for name, values := range m.Header {
			canonical := http.CanonicalHeaderKey(name)
			for _, value := range values {
				field := [2]string{canonical, value}
				switch {
				case seen[field]:
					continue
				case canonical == "Cookie", canonical == "Set-Cookie":
					s.AddCookies(canonical, value)
				case r.isHeader(canonical):
					s.Add(value)
				default:
					s.AddNamed([]byte(value))
				}
				if seen != nil && len(seen) < maxKnown && len(value) <= maxText {
					seen[field] = true
				}
			}
		}
		s.AddNamed(m.Body)
	}
	for _, part := range []string{ex.URL.RawQuery, ex.URL.EscapedFragment(), ex.URL.Path, ex.URL.Opaque} {
		s.AddNamed([]byte(part))
	}
	if user := ex.URL.User; user != nil {
		password, _ := user.Password()
		s.AddWord(user.Username())
		s.AddWord(password)
	}
}

// Redactor removes the credentials of several exchanges from all of them. It is safe for concurrent use after the last Add.
type Redactor struct {
	rules   *Rules
	secrets redact.Secrets // of all added exchanges

	seen map[[2]string]bool // names and values of headers that were added

	mu    sync.Mutex
	all   *redact.Redactor     // for secrets; nil after new ones
	known map[[2]string]string // names and values of headers, without the credentials of all
}

// maxKnown is the maximum number of headers that a redactor remembers, and maxText that of their length: most headers of a
// recording come again.
const maxKnown, maxText = 1000, 1000

// Add adds the credentials of an exchange.
func (r *Redactor) Add(ex *traffic.Exchange) {
	if r.seen == nil {
		r.seen = map[[2]string]bool{}
	}
	known := len(r.secrets.Words)
	r.rules.collect(&r.secrets, ex, r.seen)
	if r.secrets.TooMany || len(r.secrets.Words) > known {
		r.all = nil
	}
}

// Redact returns a copy of an exchange without the credentials of all added exchanges. If masks, letters and digits of the
// credentials are replaced by others, instead of writing a placeholder.
func (r *Redactor) Redact(ex *traffic.Exchange, masks bool) (*traffic.Exchange, error) {
	if r.secrets.TooMany {
		return nil, fmt.Errorf("%w: there are too many different ones", ErrCredential)
	}
	r.mu.Lock()
	if r.all == nil {
		r.all, r.known = r.secrets.Redactor(), map[[2]string]string{}
	}
	secrets := r.all
	r.mu.Unlock()
	if masks {
		secrets = secrets.Masking()
	}
	failed := false
	data := func(text []byte) []byte {
		result, ok := secrets.Data(text)
		failed = failed || !ok
		return result
	}
	text := func(text string) string { return string(data([]byte(text))) }
	field := func(canonical, value string) string { // of a header, or a name with "" for canonical
		key := [2]string{canonical, value}
		r.mu.Lock()
		clean, isKnown := r.known[key]
		r.mu.Unlock()
		if isKnown && !masks {
			return clean
		}
		if clean = value; r.rules.isHeader(canonical) {
			clean = secrets.Header(canonical, value, r.rules.schemes...)
		}
		if clean = text(clean); masks || failed || len(value) > maxText {
			return clean
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.known) < maxKnown {
			r.known[key] = clean
		}
		return clean
	}
	name := func(name string) string { return strings.ReplaceAll(field("", name), redact.Placeholder, redact.Name) }
	message := func(m traffic.Message) traffic.Message {
		header := m.Header
		if header != nil {
			m.Header = http.Header{}
		}
		keys := slices.AppendSeq(make([]string, 0, len(header)), maps.Keys(header))
		slices.Sort(keys)
		for _, key := range keys {
			canonical, clean := http.CanonicalHeaderKey(key), name(key)
			for _, value := range header[key] {
				m.Header[clean] = append(m.Header[clean], field(canonical, value))
			}
		}
		if m.Body != nil {
			m.Body = data(m.Body)
		}
		return m
	}
	u := *ex.URL
	if u.User != nil {
		u.User = redact.User(u.User)
	}
	u.Scheme, u.Host = name(u.Scheme), name(u.Host)
	for _, part := range []*string{&u.RawQuery, &u.Opaque, &u.Path, &u.RawPath, &u.Fragment, &u.RawFragment} {
		*part = text(*part)
	}
	result := &traffic.Exchange{Source: text(ex.Source), Method: name(ex.Method), URL: &u, Status: ex.Status,
		Request: message(ex.Request), Response: message(ex.Response)}
	if whole := u.String(); failed || !masks && text(whole) != whole {
		source := ex.Source
		if clean, ok := secrets.Data([]byte(source)); !ok || string(clean) != source {
			source = "an exchange"
		}
		return nil, fmt.Errorf("%s: %w", source, ErrCredential)
	}
	return result, nil
}
