package conformance

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/credentials"
	"github.com/fleetcontract/fleetio-go/conformance/internal/openapi"
	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/redact"
)

// ErrCredential means that a credential cannot be replaced. The error contains nothing of the exchange but its source.
var ErrCredential = credentials.ErrCredential

// Redactor removes the credentials of several exchanges from all of them. It is not safe for concurrent use.
type Redactor = credentials.Redactor

// Redactor returns a redactor without credentials.
func (c *Contract) Redactor() *Redactor { return c.redaction().Redactor() }

// Redact returns a copy of an exchange without its credentials, for which [Contract.Check] returns the same. Credentials
// are those of the spec's security schemes, the values of headers such as Authorization, Cookie and X-Api-Key, user
// information in the URL, and cookies that the server sets. "[redacted]" replaces each after the name of its scheme, and
// every repetition of at least four bytes anywhere in the exchange: in any letter case, in base64 or hex, and escaped for
// JSON, URLs or HTML. Another number replaces a number. Names in the spec, such as those of properties, and values of an
// enum are no credentials.
//
// The error is [ErrCredential] if a credential is compressed or has other characters between its own, or if the exchange
// has too many. It names the exchange and contains no credential.
func (c *Contract) Redact(ex *traffic.Exchange) (*traffic.Exchange, error) {
	return c.Redactor().Add(ex)
}

func (c *Contract) newRedaction() *credentials.Rules {
	return credentials.NewRules(slices.Collect(maps.Values(c.schemes)), c.source)
}

// redact removes the credentials of the request, which a server may repeat in any letter case and encoding.
func (k *checker) redact(text string) string {
	if len(text) < redact.MinLength {
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

// alternative is one way to authenticate: all of its credentials together.
type alternative = []credentials.Credential

// readSchemes reads the security schemes as credentials. A scheme that no operation requires is a credential, too.
func (c *Contract) readSchemes(doc *openapi.Document) {
	for name, s := range doc.SecuritySchemes {
		k := credentials.Credential{In: "header", Name: "Authorization"}
		switch s.Type {
		case "apiKey":
			k.In, k.Name = s.In, s.Name
		case "http":
			k.Prefix = strings.ToLower(s.Scheme) + " "
		default: // oauth2 and openIdConnect
			k.Prefix = "bearer "
		}
		c.names[http.CanonicalHeaderKey(k.Name)] = true
		c.schemes[name] = k
	}
}

// readSecurity reads the security requirements.
func (c *Contract) readSecurity(op *operation, doc *openapi.Document, o *openapi.Operation) {
	requirements, at := doc.Security, "/security"
	if o.Security != nil {
		requirements, at = o.Security, op.pointer+"/security"
	}
	for i, requirement := range requirements {
		a := alternative{}
		for _, name := range requirement {
			pointer := at + strictjson.Pointer(strconv.Itoa(i), name)
			k := c.schemes[name]
			k.Pointer = pointer
			a = append(a, k)
		}
		op.security = append(op.security, a)
	}
}

// isCredentialHeader reports whether the operation has a credential in the header at place.
func (op *operation) isCredentialHeader(place string) bool {
	for _, a := range op.security {
		for _, k := range a {
			if k.In == "header" && k.Place() == place {
				return true
			}
		}
	}
	return false
}
