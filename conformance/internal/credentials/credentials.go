// Package credentials finds the credentials of requests, and removes them from recordings.
package credentials

import (
	"net/http"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/conformance/internal/styles"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/redact"
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

// credentialHeaders are the request headers whose values are credentials for every spec.
var credentialHeaders = []string{
	"Authorization", "Proxy-Authorization", "Cookie", "Api-Key", "X-Api-Key", "X-Auth-Token", "X-Csrf-Token",
}

// collect returns the credentials of a request: of the list, of credentialHeaders and of the URL.
func collect(list []Credential, ex *traffic.Exchange) *redact.Secrets {
	s := &redact.Secrets{}
	for _, c := range list {
		switch c.In {
		case "header":
			s.Add(ex.Request.Header.Values(c.Name)...)
		case "query":
			for _, p := range styles.AppendQuery(nil, ex.URL.RawQuery) {
				if p.Name == c.Name {
					s.Add(styles.UnescapeQuery(p.Value))
				}
			}
		}
	}
	for _, name := range credentialHeaders {
		s.Add(ex.Request.Header.Values(name)...)
	}
	if user := ex.URL.User; user != nil {
		password, _ := user.Password()
		s.Add(user.Username(), password)
	}
	return s
}

// Finder finds the credentials of requests for one operation. It reuses the redactor of the last request, as consecutive
// exchanges mostly have the same credentials. It is not safe for concurrent use.
type Finder struct {
	list       []Credential
	headers    []string // that may have a credential, canonical, sorted
	last, next []byte   // their values in the last and in this request
	redactor   *redact.Redactor
}

// NewFinder returns a finder for the credentials of an operation.
func NewFinder(list []Credential) *Finder {
	f := &Finder{list: list, headers: slices.Clone(credentialHeaders)}
	for _, c := range list {
		f.headers = append(f.headers, http.CanonicalHeaderKey(c.Name))
	}
	slices.Sort(f.headers)
	f.headers = slices.Compact(f.headers)
	return f
}

// Find returns a redactor for the credentials of a request.
func (f *Finder) Find(ex *traffic.Exchange) *redact.Redactor {
	if ex.URL.User != nil || ex.URL.RawQuery != "" {
		return collect(f.list, ex).Redactor()
	}
	f.next = f.next[:0]
	for _, name := range f.headers {
		for _, value := range ex.Request.Header[name] {
			f.next = append(append(f.next, value...), 0)
		}
		f.next = append(f.next, 1)
	}
	if f.redactor == nil || !slices.Equal(f.next, f.last) {
		f.last, f.next = f.next, f.last
		f.redactor = collect(f.list, ex).Redactor()
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

// Missing returns the credentials that the request lacks for the alternative with the fewest missing ones; nil if an
// alternative is complete.
func Missing(alternatives [][]Credential, ex *traffic.Exchange) []Credential {
	var fewest []Credential
	for i, a := range alternatives {
		var missing []Credential
		for _, k := range a {
			if !k.IsIn(ex) {
				missing = append(missing, k)
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
