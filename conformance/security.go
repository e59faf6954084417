package conformance

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/fleetcontract/fleetio-go/conformance/internal/credentials"
	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// alternative is one way to authenticate: all of its credentials together.
type alternative = []credentials.Credential

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
			k := credentials.Credential{Pointer: pointer, In: "header", Name: "Authorization"}
			switch s := doc.Components.SecuritySchemes[name].Value; s.Type {
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

// missing returns what the request lacks of the alternative it comes closest to; nothing where one is complete.
func (op *operation) missing(ex *traffic.Exchange) []credentials.Credential {
	var closest []credentials.Credential
	for i, a := range op.security {
		var lacks []credentials.Credential
		for _, k := range a {
			if !k.IsIn(ex) {
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
			if k.In == "header" && k.Place() == place {
				return true
			}
		}
	}
	return false
}
