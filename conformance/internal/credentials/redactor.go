package credentials

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/conformance/internal/yamltree"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/redact"
)

// ErrCredential means that a credential cannot be removed from an exchange.
var ErrCredential = errors.New("a credential cannot be removed")

// Rules identify the credentials in exchanges.
type Rules struct {
	list    []Credential
	schemes []string        // of authentication, in lower case
	words   map[string]bool // that are no credentials, in lower case
}

// NewRules returns the rules for the credentials of a spec. Names in the spec and the values of its enums are none.
func NewRules(list []Credential, spec *yamltree.Tree) *Rules {
	r := &Rules{list: list, words: map[string]bool{}}
	addWords(r.words, spec.Root)
	for _, name := range spec.Files() {
		addWords(r.words, spec.Node(strictjson.Pointer(name)))
	}
	for _, c := range list {
		if name, ok := strings.CutSuffix(c.Prefix, " "); ok {
			r.schemes = append(r.schemes, name)
		}
	}
	return r
}

// Redactor removes the credentials of several exchanges from all of them. It is not safe for concurrent use.
type Redactor struct {
	rules *Rules
	words map[string]bool  // the credentials of all added exchanges
	all   *redact.Redactor // for words; nil after a new one
}

// Redactor returns a redactor without credentials.
func (r *Rules) Redactor() *Redactor { return &Redactor{rules: r, words: map[string]bool{}} }

// maxCredentials is the maximum number of credentials of all exchanges.
const maxCredentials = 10_000

// Add returns a copy of an exchange without its own credentials, and adds these for [Redactor.Redact].
func (r *Redactor) Add(ex *traffic.Exchange) (*traffic.Exchange, error) {
	own := r.rules.credentials(ex)
	for word := range own.Words {
		if !r.words[word] {
			r.words[word], r.all = true, nil
		}
	}
	if len(r.words) > maxCredentials {
		return nil, fmt.Errorf("%w: more than %d different credentials", ErrCredential, maxCredentials)
	}
	return r.rules.redact(ex, own.Redactor())
}

// Redact returns a copy of an exchange without the credentials of all added exchanges.
func (r *Redactor) Redact(ex *traffic.Exchange) (*traffic.Exchange, error) {
	if r.all == nil {
		r.all = redact.New(slices.Collect(maps.Keys(r.words))...)
	}
	return r.rules.redact(ex, r.all)
}

// credentials returns the credentials of an exchange, with the cookies that the server sets.
func (r *Rules) credentials(ex *traffic.Exchange) *redact.Secrets {
	s := collect(r.list, ex)
	for _, field := range ex.Response.Header.Values("Set-Cookie") {
		pair, _, _ := strings.Cut(field, ";") // RFC 6265, section 4.1
		_, value, _ := strings.Cut(pair, "=")
		s.AddWord(strings.Trim(value, ` "`))
	}
	maps.DeleteFunc(s.Words, func(word string, _ bool) bool {
		return redact.IsScheme(word, r.schemes...) || r.words[strings.ToLower(word)]
	})
	return s
}

// isCredential reports whether a header or parameter is a credential of the spec.
func (r *Rules) isCredential(in, name string) bool {
	return slices.ContainsFunc(r.list, func(c Credential) bool {
		return c.In == in && (c.Name == name || in == "header" && http.CanonicalHeaderKey(c.Name) == name)
	})
}

func (r *Rules) redact(ex *traffic.Exchange, secrets *redact.Redactor) (*traffic.Exchange, error) {
	failed := false
	data := func(text []byte) []byte {
		result, ok := secrets.Data(text)
		failed = failed || !ok
		return result
	}
	text := func(text string) string { return string(data([]byte(text))) }
	name := func(name string) string { return strings.ReplaceAll(text(name), redact.Placeholder, redact.Name) }
	message := func(m traffic.Message) traffic.Message {
		header := m.Header
		if header != nil {
			m.Header = http.Header{}
		}
		for _, key := range slices.Sorted(maps.Keys(header)) {
			for _, value := range header[key] {
				if canonical := http.CanonicalHeaderKey(key); canonical == "Set-Cookie" ||
					slices.Contains(credentialHeaders, canonical) || r.isCredential("header", canonical) {
					value = redact.Header(canonical, value, r.schemes...)
				}
				m.Header[name(key)] = append(m.Header[name(key)], text(value))
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
	u.RawQuery = text(redact.Query(u.RawQuery, func(name string) bool { return r.isCredential("query", name) }))
	for _, part := range []*string{&u.Opaque, &u.Path, &u.RawPath, &u.Fragment, &u.RawFragment} {
		*part = text(*part)
	}
	result := &traffic.Exchange{Source: text(ex.Source), Method: name(ex.Method), URL: &u, Status: ex.Status,
		Request: message(ex.Request), Response: message(ex.Response)}
	if whole := u.String(); failed || text(whole) != whole {
		source := ex.Source
		if clean, ok := secrets.Data([]byte(source)); !ok || string(clean) != source {
			source = "an exchange"
		}
		return nil, fmt.Errorf("%s: %w", source, ErrCredential)
	}
	return result, nil
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
