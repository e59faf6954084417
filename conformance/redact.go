package conformance

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/conformance/internal/credentials"
	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/redact"
)

// ErrCredential says that a credential cannot be taken out of an exchange. Nothing of the exchange is in the error.
var ErrCredential = credentials.ErrCredential

// Redactor takes the credentials of several exchanges out of all of them. It is not safe for concurrent use.
type Redactor = credentials.Redactor

// Redactor returns a redactor that knows no exchange yet.
func (c *Contract) Redactor() *Redactor { return c.redaction().Redactor() }

// Redact returns a copy of an exchange without its credentials, which is checked with the same result. They are those
// of the spec's security schemes, those in the headers and URLs that hold credentials whatever a spec says, and cookies
// that the server sets. Each becomes "[redacted]", behind the name of its scheme, and so does every repetition of four
// characters and more, anywhere in the exchange: in any letter case, in base64 or hex, escaped for JSON, URLs or HTML.
// In place of a number it is a number. A name that the spec uses, such as a property's, and a value of an enum are no
// credentials.
//
// The error is [ErrCredential] where one cannot be replaced: taken apart or compressed; or where the exchange holds
// more of them than can be looked for. It names the exchange, and no credential.
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
	return credentials.NewRules(list, words)
}

// addWords adds the words below a node. Values of examples are left out: one could be a real credential.
func addWords(words map[string]bool, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		for _, child := range n.Content {
			addWords(words, child)
		}
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i].Value, n.Content[i+1]
		words[strings.ToLower(name)] = true
		if name == "enum" {
			for _, item := range value.Content {
				words[strings.ToLower(item.Value)] = true
			}
		}
		if name != "example" && name != "examples" {
			addWords(words, value)
		}
	}
}

// conceal removes the credentials of the request, which a server may repeat anywhere, in any letter case and encoding.
func (k *checker) conceal(text string) string {
	if len(text) < redact.MinLength {
		return text
	}
	if k.secrets == nil {
		k.secrets = k.finder().Find(k.ex)
	}
	return k.secrets.Text(text)
}

// concealPointer leaves the names alone that the spec knows: those are a credential only by chance.
func (k *checker) concealPointer(pointer string) string {
	tokens := strictjson.SplitPointer(pointer)
	for i, token := range tokens {
		if !k.contract.names[token] {
			tokens[i] = k.conceal(token)
		}
	}
	return strictjson.Pointer(tokens...)
}

// finder finds the credentials of requests for the operation.
func (k *checker) finder() *credentials.Finder {
	if k.finders[k.op] == nil {
		k.finders[k.op] = credentials.NewFinder(slices.Concat(k.op.security...))
	}
	return k.finders[k.op]
}
