package conformance

import (
	"net/http"
	"slices"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// Exchanges come in runs with the same credentials, and with the same undocumented headers. What was found out for one is
// remembered for the next. Since findings must not show a credential of their own exchange, only those with the very same
// credentials share anything.

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

// credentialsIn is the same for a view.
func (op *operation) credentialsIn(into []byte, v *traffic.View) []byte {
	for _, name := range op.carriers {
		for _, f := range v.Request.Fields {
			if isHeader(f.Name, name) {
				into = append(append(into, f.Value...), 0)
			}
		}
		into = append(into, 1)
	}
	return into
}

// driftCache holds the findings about undocumented headers beside the credentials of the last exchange that had any.
type driftCache struct {
	of       *operation
	beside   []byte
	next     []byte
	findings map[driftKey]*Finding
}

type driftKey struct {
	status int
	name   string // as it was recorded
}

// mostDrifts bounds what is remembered: some servers make names up.
const mostDrifts = 1000

// find returns what was found about a header, or nil.
func (c *driftCache) find(status int, name []byte) *Finding {
	return c.findings[driftKey{status, string(name)}]
}

// isBeside reports whether the cache is about requests with the credentials of this one.
func (c *driftCache) isBeside(op *operation, v *traffic.View) bool {
	c.next = op.credentialsIn(c.next[:0], v)
	return c.of == op && slices.Equal(c.next, c.beside)
}

// learn remembers what was found of an exchange, which has a view, too.
func (c *driftCache) learn(op *operation, ex *traffic.Exchange, v *traffic.View, findings []Finding) {
	if ex.URL.User != nil || !slices.ContainsFunc(findings, isHeaderDrift) {
		return
	}
	if next := op.credentialsOf(c.next[:0], ex); c.of != op || !slices.Equal(next, c.beside) || len(c.findings) >= mostDrifts {
		c.of, c.findings = op, map[driftKey]*Finding{}
		c.beside, c.next = next, c.beside
	}
	for _, field := range v.Response.Fields {
		place := pointerOf(canonicalHeader(field.Name))
		for _, f := range findings {
			if isHeaderDrift(f) && f.Pointer == place {
				c.findings[driftKey{ex.Status, string(field.Name)}] = &f
			}
		}
	}
}

func isHeaderDrift(f Finding) bool { return f.Rule == ruleUndocumentedHeader }
