package conformance

import (
	"net/http"
	"slices"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// Exchanges come in runs with the same credentials, which are looked for once.

// secretCache holds the secrets of the last exchange that had a finding.
type secretCache struct {
	of      *operation
	beside  []byte
	next    []byte
	secrets *secrets
}

// secretsOf finds the credentials of a request.
func (w *weigher) secretsOf(op *operation, ex *traffic.Exchange) *secrets {
	c := &w.hiding
	c.next = op.credentialsOf(c.next[:0], ex)
	plain := ex.URL.User == nil && ex.URL.RawQuery == ""
	if plain && c.of == op && slices.Equal(c.next, c.beside) {
		return c.secrets
	}
	found := op.findSecrets(ex)
	if plain {
		c.of, c.secrets = op, found
		c.beside, c.next = c.next, c.beside
	}
	return found
}

// bindCarriers lists the headers that credentials are looked for in.
func (op *operation) bindCarriers() {
	op.carriers = slices.Clone(carriers)
	for _, a := range op.security {
		for _, k := range a {
			op.carriers = append(op.carriers, http.CanonicalHeaderKey(k.name))
		}
	}
	slices.Sort(op.carriers)
	op.carriers = slices.Compact(op.carriers)
}

// credentialsOf appends all that a request carries of them.
func (op *operation) credentialsOf(into []byte, ex *traffic.Exchange) []byte {
	for _, name := range op.carriers {
		for _, value := range ex.Request.Header[name] {
			into = append(append(into, value...), 0)
		}
		into = append(into, 1)
	}
	return into
}
