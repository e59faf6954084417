package conformance

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/internal/credentials"
	"github.com/fleetcontract/fleetio-go/conformance/internal/openapi"
	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/conformance/internal/yamltree"
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
	var list []credentials.Credential
	for _, op := range c.operations {
		list = append(list, slices.Concat(op.security...)...)
	}
	words := map[string]bool{}
	addWords(words, c.source.Root)
	for _, name := range c.source.Files() {
		addWords(words, c.source.Node(strictjson.Pointer(name)))
	}
	return credentials.NewRules(list, words)
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

// redact removes the credentials of the request, which a server may repeat in any letter case and encoding.
func (k *checker) redact(text string) string {
	if len(text) < redact.MinLength {
		return text
	}
	if k.secrets == nil {
		k.secrets = k.finder().Find(k.ex)
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

// finder returns the finder for the operation's credentials.
func (k *checker) finder() *credentials.Finder {
	if k.finders[k.op] == nil {
		k.finders[k.op] = credentials.NewFinder(slices.Concat(k.op.security...))
	}
	return k.finders[k.op]
}

// alternative is one way to authenticate: all of its credentials together.
type alternative = []credentials.Credential

// readSecurity reads the security requirements.
func (op *operation) readSecurity(doc *openapi.Document, o *openapi.Operation, names map[string]bool) {
	requirements, at := doc.Security, "/security"
	if o.Security != nil {
		requirements, at = o.Security, op.pointer+"/security"
	}
	for i, requirement := range requirements {
		a := alternative{}
		for _, name := range requirement {
			pointer := at + strictjson.Pointer(strconv.Itoa(i), name)
			k := credentials.Credential{Pointer: pointer, In: "header", Name: "Authorization"}
			switch s := doc.SecuritySchemes[name]; s.Type {
			case "apiKey":
				k.In, k.Name = s.In, s.Name
			case "http":
				k.Prefix = strings.ToLower(s.Scheme) + " "
			default: // oauth2 and openIdConnect
				k.Prefix = "bearer "
			}
			names[http.CanonicalHeaderKey(k.Name)] = true
			a = append(a, k)
		}
		op.security = append(op.security, a)
	}
}

// missing returns the credentials that the request lacks for the alternative with the fewest missing ones; nil if an
// alternative is complete.
func (op *operation) missing(ex *traffic.Exchange) []credentials.Credential {
	var fewest []credentials.Credential
	for i, a := range op.security {
		var missing []credentials.Credential
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
