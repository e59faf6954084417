package sandbox

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strconv"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// response is the ResponseWriter of the router. It buffers the response, so that a failure can change it.
type response struct {
	status int
	header http.Header
	body   []byte
	edited []string // headers that an edit has set
}

// Header implements [http.ResponseWriter].
func (r *response) Header() http.Header { return r.header }

// WriteHeader implements [http.ResponseWriter].
func (r *response) WriteHeader(status int) { r.status = status }

// Write implements [http.ResponseWriter].
func (r *response) Write(p []byte) (int, error) {
	r.body = append(r.body, p...)
	return len(p), nil
}

// set replaces the response with a JSON body.
func (r *response) set(status int, body []byte) {
	clear(r.header)
	r.header.Set("Content-Type", "application/json")
	r.status, r.body = status, body
}

// problem responds with a problem object. Its instance is random, so that it can be found in a log.
func (r *response) problem(status int, detail string) {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	instance := "/problems/" + hex.EncodeToString(id[:])
	title := cmp.Or(http.StatusText(status), "Error")
	r.set(status, encode(fleetioapi.Problem{Status: int64(status), Title: title, Detail: &detail, Instance: &instance}))
}

func (r *response) unauthorized(s *Sandbox, detail string) {
	r.problem(http.StatusUnauthorized, detail)
	r.header.Set("WWW-Authenticate", `Token realm="Fleetio sandbox"`) // RFC 9110, section 15.5.2
	if s.textUnauthorized {
		r.header.Set("Content-Type", "text/plain; charset=utf-8")
		r.body = []byte("HTTP Token: Access denied")
	}
}

func (c *exchange) forbidden(s *Sandbox) {
	doing := "create"
	if permissionFor(c.operation) == ReadFaults {
		doing = "read"
	}
	c.problem(http.StatusForbidden, "The API key may not "+doing+" faults.")
	if s.emptyForbidden {
		c.header.Del("Content-Type")
		c.body = nil
	}
}

func (r *response) invalid(problems map[string][]string) {
	r.set(http.StatusUnprocessableEntity, encode(fleetioapi.ValidationErrors{Errors: problems}))
}

func (r *response) rateLimited(wait int64) {
	const text = "Rate limit exceeded. Try again later, or use the Bulk API."
	r.set(http.StatusTooManyRequests, encode(fleetioapi.RateLimited{Error: text}))
	r.header.Set("Retry-After", strconv.FormatInt(wait, 10))
}
