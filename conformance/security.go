package conformance

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/redact"
)

// alternative is one way to authenticate: all of its credentials together.
type alternative []credential

type credential struct {
	pointer string // of the requirement, in the spec
	in      string // header, query or cookie
	name    string
	prefix  string // of the header's value, such as "Basic "; lower case
}

// readSecurity relies on kin-openapi, which has found every scheme that a requirement names.
func (op *operation) readSecurity(doc *openapi3.T, o *openapi3.Operation, names map[string]bool) {
	requirements, at := doc.Security, "/security"
	if o.Security != nil {
		requirements, at = *o.Security, op.pointer+"/security"
	}
	for i, requirement := range requirements {
		a := alternative{}
		for _, name := range slices.Sorted(maps.Keys(requirement)) {
			pointer := at + strictjson.Pointer(strconv.Itoa(i), name)
			k := credential{pointer: pointer, in: "header", name: "Authorization"}
			switch s := doc.Components.SecuritySchemes[name].Value; s.Type {
			case "apiKey":
				k.in, k.name = s.In, s.Name
			case "http":
				k.prefix = strings.ToLower(s.Scheme) + " "
			default: // oauth2 and openIdConnect
				k.prefix = "bearer "
			}
			names[http.CanonicalHeaderKey(k.name)] = true
			a = append(a, k)
		}
		op.security = append(op.security, a)
	}
}

// value returns the credential that a request carries, or "".
func (k credential) value(ex *traffic.Exchange) string {
	var value string
	switch k.in {
	case "query":
		value = ex.URL.Query().Get(k.name)
	case "cookie":
		r := http.Request{Header: ex.Request.Header}
		if cookie, err := r.Cookie(k.name); err == nil {
			value = cookie.Value
		}
	default:
		value = ex.Request.Header.Get(k.name)
		if len(value) < len(k.prefix) || !strings.EqualFold(value[:len(k.prefix)], k.prefix) {
			return ""
		}
		value = strings.TrimSpace(value[len(k.prefix):])
		if k.name == "Authorization" && slices.ContainsFunc(authSchemes, func(scheme string) bool { return strings.EqualFold(scheme, value) }) {
			return "" // a scheme, and nothing after it (RFC 9110, section 11.6.2)
		}
	}
	return strings.TrimSpace(value)
}

var authSchemes = redact.Schemes

func (k credential) isIn(ex *traffic.Exchange) bool { return k.value(ex) != "" }

// place is the pointer of a finding about the credential.
func (k credential) place() string {
	switch k.in {
	case "query":
		return strictjson.Pointer("URL", k.name)
	case "cookie":
		return strictjson.Pointer("Cookie", k.name)
	}
	return strictjson.Pointer(http.CanonicalHeaderKey(k.name))
}

// missing returns what the request lacks of the alternative it comes closest to; nothing where one is complete.
func (op *operation) missing(ex *traffic.Exchange) []credential {
	var closest []credential
	for i, a := range op.security {
		var lacks []credential
		for _, k := range a {
			if !k.isIn(ex) {
				lacks = append(lacks, k)
			}
		}
		if len(lacks) == 0 {
			return nil
		}
		if i == 0 || len(lacks) < len(closest) {
			closest = lacks
		}
	}
	return closest
}

// carries reports whether a credential of the operation stands in the header at place.
func (op *operation) carries(place string) bool {
	for _, a := range op.security {
		for _, k := range a {
			if k.in == "header" && k.place() == place {
				return true
			}
		}
	}
	return false
}
