package sandbox

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/fleetcontract/fleetio-go/internal/redact"
)

// redactorOf returns a redactor for all credentials of the fixtures.
func redactorOf(f Fixtures) *redact.Redactor {
	var secrets []string
	for _, a := range f.Accounts {
		secrets = append(secrets, a.Token)
		for _, k := range a.APIKeys {
			secrets = append(secrets, k.Key)
		}
	}
	return redact.New(secrets...)
}

// redactorFor returns a redactor for the credentials of the fixtures and of a request.
func (s *Sandbox) redactorFor(header http.Header) redactor {
	own := &redact.Secrets{}
	own.Add(slices.Concat(header["Authorization"], header["Account-Token"])...)
	return redactor{own.With(s.redactor)}
}

// Redact replaces the credentials of the fixtures in a string with "[redacted]".
func (s *Sandbox) Redact(str string) string { return s.redactor.Text(str) }

// redactor redacts the credentials of an exchange.
type redactor struct{ *redact.Redactor }

// url also redacts the user information.
func (r redactor) url(s string) string {
	if u, err := url.Parse(s); err == nil && u.User != nil {
		u.User = redact.User(u.User)
		s = u.String()
	}
	return r.Text(s)
}

func (r redactor) header(header http.Header) http.Header {
	if header == nil {
		return nil
	}
	clone := make(http.Header, len(header))
	for name, values := range header {
		for _, value := range values {
			if redact.IsCredential(name) {
				value = r.Header(name, value)
			}
			clone[r.Text(name)] = append(clone[r.Text(name)], r.Text(value))
		}
	}
	return clone
}

// exchange redacts a shallow copy of an exchange.
func (r redactor) exchange(e *Exchange) {
	e.Method, e.URL = r.Text(e.Method), r.url(e.URL)
	e.Body, e.ResponseBody = []byte(r.Text(string(e.Body))), []byte(r.Text(string(e.ResponseBody)))
	e.Header, e.ResponseHeader = r.header(e.Header), r.header(e.ResponseHeader)
}
