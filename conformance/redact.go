package conformance

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// ErrCredential says that a credential would be left in what is to be shared. Nothing of it was written.
var ErrCredential = errors.New("a credential cannot be taken out of it")

// Redact returns a copy of an exchange without its credentials, which it judges as before. They are those of the spec's
// security schemes, those in the headers and URLs that hold credentials whatever a spec says, and cookies that the server
// sets. Each becomes the word "redacted", behind the name of its scheme, and so does every repetition of four characters
// and more, anywhere in the exchange: in any letter case, in base64 or hex, escaped for JSON, URLs or HTML. In place of a number
// it is a number. A name that the spec uses, such as a property's, and a value of an enum are no credentials.
//
// The error is [ErrCredential] where one still stands in the result, in a form that cannot be replaced: taken apart, within
// a longer text in base64, or compressed; or where the exchange holds more of them than can be looked for. It names the
// exchange, and no credential.
func (c *Contract) Redact(ex *traffic.Exchange) (*traffic.Exchange, error) {
	return c.redactAll(ex, c.credentials(ex))
}

func (c *Contract) redactAll(ex *traffic.Exchange, s *credentialSet) (*traffic.Exchange, error) {
	source := s.redact(ex.Source)
	if s.tooMany {
		return nil, fmt.Errorf("%s: %w: it holds too many to look for", "an exchange", ErrCredential)
	}
	result := &traffic.Exchange{Source: source, Method: ex.Method, URL: c.redactURL(ex.URL, s), Status: ex.Status,
		Request: c.redactMessage(ex.Request, s), Response: c.redactMessage(ex.Response, s)}
	if s.isCompressed(ex.Request.Body) || s.isCompressed(ex.Response.Body) || s.standsIn(result) {
		if s.stands([]byte(source)) {
			source = "an exchange"
		}
		return nil, fmt.Errorf("%s: %w", source, ErrCredential)
	}
	return result, nil
}

// credentials finds what an exchange has to keep to itself.
func (c *Contract) credentials(ex *traffic.Exchange) *credentialSet {
	s := newCredentialSet()
	c.addCredentials(s, ex)
	return s
}

func (c *Contract) addCredentials(s *credentialSet, ex *traffic.Exchange) {
	found := &secrets{}
	for _, op := range c.operations {
		found.collect(op.security, ex)
	}
	for _, field := range ex.Response.Header.Values("Set-Cookie") {
		pair, _, _ := strings.Cut(field, ";") // RFC 6265, section 4.1
		_, value, _ := strings.Cut(pair, "=")
		found.take(strings.Trim(value, ` "`))
	}
	s.tooMany = s.tooMany || found.withhold
	for _, word := range found.list {
		if !c.isPublic(word) {
			s.add(word)
		}
	}
}

// isPublic tells what may be repeated: what was redacted before, the name of a scheme, and the words of the spec.
func (c *Contract) isPublic(word string) bool {
	return strings.Contains(strings.ToLower(word), redacted) || c.isScheme(word) || says(c.source.root, word)
}

// isScheme tells the name of an authentication scheme (RFC 9110, section 11.1).
func (c *Contract) isScheme(word string) bool {
	word = strings.ToLower(word)
	return slices.Contains(authSchemes, word) || slices.ContainsFunc(c.schemes(), func(k credential) bool {
		return k.prefix == word+" "
	})
}

// schemes returns the credentials that the spec asks for.
func (c *Contract) schemes() []credential {
	var list []credential
	for _, op := range c.operations {
		for _, a := range op.security {
			list = append(list, a...)
		}
	}
	return list
}

// says reports whether the word is a name or a value of an enum below a node. Values of examples are not: one could be
// somebody's.
func says(n *yaml.Node, word string) bool {
	if n.Kind != yaml.MappingNode {
		return slices.ContainsFunc(n.Content, func(child *yaml.Node) bool { return says(child, word) })
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i].Value, n.Content[i+1]
		isWord := func(n *yaml.Node) bool { return strings.EqualFold(n.Value, word) }
		switch {
		case isWord(n.Content[i]), name == "enum" && slices.ContainsFunc(value.Content, isWord):
			return true
		case name != "example" && name != "examples" && says(value, word):
			return true
		}
	}
	return false
}

// redactURL replaces the credentials in the places that the spec names, and then wherever they are repeated.
func (c *Contract) redactURL(u *url.URL, s *credentialSet) *url.URL {
	result := *u
	if u.User != nil {
		result.User = url.User(redacted)
		if _, ok := u.User.Password(); ok {
			result.User = url.UserPassword(redacted, redacted)
		}
	}
	parts := strings.Split(result.RawQuery, "&")
	for i, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		plain, err := url.QueryUnescape(name)
		carries := func(k credential) bool { return k.in == "query" && k.name == plain }
		if strings.Trim(value, "+ ") != "" && err == nil && slices.ContainsFunc(c.schemes(), carries) {
			parts[i] = name + "=" + redacted
		}
	}
	result.RawQuery = strings.Join(parts, "&")
	for _, part := range []*string{&result.Scheme, &result.Opaque, &result.Host, &result.Path, &result.RawPath,
		&result.RawQuery, &result.Fragment, &result.RawFragment} {
		*part = s.redact(*part)
	}
	return &result
}

func (c *Contract) redactMessage(m traffic.Message, s *credentialSet) traffic.Message {
	if m.Header != nil {
		header := http.Header{}
		for _, name := range slices.Sorted(maps.Keys(m.Header)) {
			to := s.redact(name)
			for _, value := range m.Header[name] {
				header[to] = append(header[to], s.redact(c.redactField(http.CanonicalHeaderKey(name), value)))
			}
		}
		m.Header = header
	}
	if m.Body != nil {
		m.Body = s.redactBytes(m.Body)
	}
	return m
}

// redactField replaces the credential in a header that holds one, and leaves what is around it: a value without one is a
// finding, and stays one.
func (c *Contract) redactField(name, value string) string {
	isCredential := func(k credential) bool { return k.in == "header" && http.CanonicalHeaderKey(k.name) == name }
	switch {
	case name == "Set-Cookie":
		pair, attributes, more := strings.Cut(value, ";")
		if pair = redactPair(pair); more {
			pair += ";" + attributes
		}
		return pair
	case name == "Cookie":
		pairs := strings.Split(value, ";")
		for i, pair := range pairs {
			pairs[i] = redactPair(pair)
		}
		return strings.Join(pairs, ";")
	case slices.Contains(carriers, name), slices.ContainsFunc(c.schemes(), isCredential):
		text := strings.TrimLeft(value, " \t")
		scheme, rest, _ := strings.Cut(text, " ")
		switch rest = strings.TrimSpace(rest); {
		case strings.TrimSpace(text) == "", c.isScheme(strings.TrimSpace(scheme)) && (rest == "" || c.isScheme(rest)):
			return value
		case c.isScheme(scheme):
			return value[:len(value)-len(text)] + scheme + " " + redacted
		}
		return redacted
	}
	return value
}

// redactPair keeps the name of a cookie.
func redactPair(pair string) string {
	name, value, named := strings.Cut(pair, "=")
	switch {
	case named && strings.TrimSpace(value) != "":
		return name + "=" + redacted
	case !named && strings.TrimSpace(pair) != "":
		return redacted
	}
	return pair
}
