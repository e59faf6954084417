// Package credentials finds the credentials of requests, and removes them from recordings.
package credentials

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/openapi"
	"github.com/fleetcontract/fleetio-go/internal/redact"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// Credential is a credential of a security requirement.
type Credential struct {
	Pointer string // of the requirement, in the spec
	In      string // header, query or cookie
	Name    string
	Prefix  string // of the header's value, such as "basic "; lower case
}

// IsIn reports whether a request has the credential.
func (c Credential) IsIn(ex *traffic.Exchange) bool { return c.value(ex) != "" }

// Place returns the pointer of a finding about the credential.
func (c Credential) Place() string {
	switch c.In {
	case "query":
		return strictjson.Pointer("URL", c.Name)
	case "cookie":
		return strictjson.Pointer("Cookie", c.Name)
	}
	return strictjson.Pointer(http.CanonicalHeaderKey(c.Name))
}

// Schemes returns the security schemes of a document as credentials, by name. One that no operation requires is a credential,
// too.
func Schemes(doc *openapi.Document) map[string]Credential {
	schemes := map[string]Credential{}
	for name, s := range doc.SecuritySchemes {
		c := Credential{In: "header", Name: "Authorization"}
		switch s.Type {
		case "apiKey":
			c.In, c.Name = s.In, s.Name
		case "http":
			c.Prefix = strings.ToLower(s.Scheme) + " "
		default: // oauth2 and openIdConnect
			c.Prefix = "bearer "
		}
		schemes[name] = c
	}
	return schemes
}

// Required returns the credentials that requirements at a pointer ask for.
func Required(schemes map[string]Credential, requirements []openapi.SecurityRequirement, pointer string) (list Alternatives) {
	for i, requirement := range requirements {
		alternative := []Credential{}
		for _, name := range requirement {
			c := schemes[name]
			c.Pointer = pointer + strictjson.Pointer(strconv.Itoa(i), name)
			alternative = append(alternative, c)
		}
		list = append(list, alternative)
	}
	return list
}

// Alternatives are the ways to authenticate. Each needs all of its credentials together.
type Alternatives [][]Credential

// Missing returns the credentials that a request lacks for the alternative with the fewest missing ones; nil if an
// alternative is complete.
func (a Alternatives) Missing(ex *traffic.Exchange) []Credential {
	var fewest []Credential
	for i, alternative := range a {
		var missing []Credential
		for _, c := range alternative {
			if !c.IsIn(ex) {
				missing = append(missing, c)
			}
		}
		if len(missing) == 0 {
			return nil
		}
		if i == 0 || len(missing) < len(fewest) {
			fewest = missing
		}
	}
	return fewest
}

// HasHeader reports whether a credential is in the header at a place.
func (a Alternatives) HasHeader(place string) bool {
	return slices.ContainsFunc(slices.Concat(a...), func(c Credential) bool { return c.In == "header" && c.Place() == place })
}

// Finder finds the credentials of exchanges. It reuses the redactor of the last exchange, as consecutive exchanges mostly
// have the same credentials. It is not safe for concurrent use.
type Finder struct {
	rules    *Rules
	words    map[string]bool // of redactor
	redactor *redact.Redactor
}

// Finder returns a finder.
func (r *Rules) Finder() *Finder { return &Finder{rules: r} }

// Find returns a redactor for the credentials of an exchange.
func (f *Finder) Find(ex *traffic.Exchange) *redact.Redactor {
	s := &redact.Secrets{Names: f.rules.names}
	f.rules.collect(s, ex, nil)
	if f.redactor == nil || s.TooMany || !maps.Equal(s.Words, f.words) {
		f.redactor, f.words = s.Redactor(), s.Words
	}
	return f.redactor
}

// value returns the credential in a request, or "".
func (c Credential) value(ex *traffic.Exchange) string {
	var value string
	switch c.In {
	case "query":
		value = ex.URL.Query().Get(c.Name)
	case "cookie":
		r := http.Request{Header: ex.Request.Header}
		if cookie, err := r.Cookie(c.Name); err == nil {
			value = cookie.Value
		}
	default:
		value = ex.Request.Header.Get(c.Name)
		if len(value) < len(c.Prefix) || !strings.EqualFold(value[:len(c.Prefix)], c.Prefix) {
			return ""
		}
		value = strings.TrimSpace(value[len(c.Prefix):])
		if c.Name == "Authorization" && redact.IsScheme(value) {
			return "" // a scheme alone (RFC 9110, section 11.6.2)
		}
	}
	return strings.TrimSpace(value)
}
