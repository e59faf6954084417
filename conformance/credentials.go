package conformance

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/fleetcontract/fleetio-go/conformance/internal/credentials"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/redact"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// ErrCredential means that a credential cannot be replaced. The error contains nothing of the exchange but its source.
var ErrCredential = credentials.ErrCredential

// Redactor removes the credentials of several exchanges from all of them. It is safe for concurrent use after the last Add.
type Redactor struct {
	redactor *credentials.Redactor
	contract *Contract
}

// Redactor returns a redactor without credentials. Headers, parameters, cookies and JSON properties with the names in also
// are credentials, too.
func (c *Contract) Redactor(also ...string) *Redactor {
	rules := c.redaction()
	if len(also) > 0 {
		rules = c.rules(also...)
	}
	return &Redactor{rules.Redactor(), c}
}

// Add adds the credentials of an exchange, and reports whether the contract has an operation for it.
func (r *Redactor) Add(ex *traffic.Exchange) bool {
	r.redactor.Add(ex)
	return r.contract.target(ex.Method, ex.URL).err == nil
}

// Redact returns a copy of an exchange without the credentials of all added exchanges, for which [Contract.Check] returns
// findings about the same claims. A placeholder replaces a credential. If the findings, or the claims that a report counts,
// then differ, for example because the placeholder is too short, other letters and digits replace it. If they differ even
// then, the placeholder stays.
//
// The error is [ErrCredential] if a credential is compressed, or if there are too many. It names the exchange and contains
// no credential.
func (r *Redactor) Redact(ex *traffic.Exchange) (*traffic.Exchange, error) {
	redacted, err := r.redactor.Redact(ex, false)
	if err != nil {
		return nil, err
	}
	of := r.contract.target(ex.Method, ex.URL)
	if of.err != nil || of.op.readsSame(ex, redacted) {
		return redacted, nil
	}
	k, _ := r.contract.checkers.Get().(*checker)
	defer func(f *credentials.Finder) {
		k.finder = f
		r.contract.checkers.Put(k)
	}(k.finder)
	k.finder = nil // the findings are not printed
	if before := k.about(ex); before != k.about(redacted) {
		if masked, err := r.redactor.Redact(ex, true); err == nil && before == k.about(masked) {
			return masked, nil
		}
	}
	return redacted, nil
}

// readsSame reports whether an exchange and its copy differ only in the values of headers that no check reads. The copy has as
// many credentials.
func (op *operation) readsSame(ex, redacted *traffic.Exchange) bool {
	r := op.response(ex.Status)
	for name, values := range ex.Response.Header {
		isRead := name == "Content-Type" || r != nil && slices.ContainsFunc(r.headers, func(h *parameter) bool { return h.Name == name })
		if other, ok := redacted.Response.Header[name]; !ok || isRead && !slices.Equal(values, other) {
			return false
		}
	}
	return bytes.Equal(ex.Request.Body, redacted.Request.Body) && bytes.Equal(ex.Response.Body, redacted.Response.Body) &&
		len(ex.Response.Header) == len(redacted.Response.Header) &&
		ex.URL.Path == redacted.URL.Path && ex.URL.RawQuery == redacted.URL.RawQuery &&
		!slices.ContainsFunc(op.parameters, func(p *parameter) bool {
			name := p.Name
			if p.in == inRequestCookie {
				name = "Cookie"
			}
			return !slices.Equal(ex.Request.Header[name], redacted.Request.Header[name])
		})
}

// about returns the claims that an exchange is evidence for, and what its findings are about.
func (k *checker) about(ex *traffic.Exchange) string {
	findings, err := k.check(ex, k.contract.target(ex.Method, ex.URL))
	about := []any{err, k.evidence}
	for _, f := range findings {
		about = append(about, f.Rule, f.Part, f.Spec, f.Source)
	}
	return fmt.Sprint(about...)
}

// Redact returns a copy of an exchange without its credentials, see [Redactor.Redact]. Credentials are those of the spec's
// security schemes, and the values of headers, parameters, cookies and JSON properties with names such as Authorization,
// X-Api-Key, access_token and password. "[redacted]" replaces each after the name of its scheme, and every repetition
// anywhere in the exchange: in any letter case, in base64 or hex, and escaped for JSON, URLs or HTML. Other digits replace
// a number in JSON. A short or ordinary value is replaced at its own place only, and names in the spec, such as those of
// properties, and values of an enum are no credentials.
func (c *Contract) Redact(ex *traffic.Exchange) (*traffic.Exchange, error) {
	r := c.Redactor()
	r.Add(ex)
	return r.Redact(ex)
}

func (c *Contract) rules(also ...string) *credentials.Rules {
	return credentials.NewRules(slices.Collect(maps.Values(c.schemes)), c.source, also...)
}

// redact removes the credentials of the request, which a server may repeat in any letter case and encoding.
func (k *checker) redact(text string) string {
	if len(text) < redact.MinLength || k.finder == nil {
		return text
	}
	if k.secrets == nil {
		k.secrets = k.finder.Find(k.ex)
	}
	return k.secrets.Text(text)
}

// redactPointer is redact for a pointer. It keeps the names of the spec, which equal a credential only by chance.
func (k *checker) redactPointer(pointer string) string {
	tokens := strictjson.SplitPointer(pointer)
	for i, token := range tokens {
		if !k.contract.names[token] {
			tokens[i] = k.redact(token)
		}
	}
	return strictjson.Pointer(tokens...)
}
