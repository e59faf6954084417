package conformance

import (
	"net/http"
	"slices"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// secretCache holds the secrets of the last exchange that had a finding: exchanges come in runs with the same credentials.
type secretCache struct {
	op          *operation
	credentials []byte // that the secrets are of
	next        []byte // reused memory
	secrets     *secrets
}

// findSecrets returns the credentials of the exchange.
func (k *checker) findSecrets() *secrets {
	c := &k.cache
	c.next = k.op.appendCredentials(c.next[:0], k.ex)
	reusable := k.ex.URL.User == nil && k.ex.URL.RawQuery == ""
	if reusable && c.op == k.op && slices.Equal(c.next, c.credentials) {
		return c.secrets
	}
	found := k.op.findSecrets(k.ex)
	if reusable {
		c.op, c.secrets = k.op, found
		c.credentials, c.next = c.next, c.credentials
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

// appendCredentials appends all that a request carries of them.
func (op *operation) appendCredentials(into []byte, ex *traffic.Exchange) []byte {
	for _, name := range op.carriers {
		for _, value := range ex.Request.Header[name] {
			into = append(append(into, value...), 0)
		}
		into = append(into, 1)
	}
	return into
}
