package probe

import (
	"net/http"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// connectionHeaders are those of one connection, or of what its client could decode.
var connectionHeaders = []string{"Accept-Encoding", "Connection", "Content-Length", "Host", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// Replay makes a plan of the requests in a recording that are for operations of the contract. The credentials of the target
// replace those of a request, unless they were wrong: it was answered with 401 or 403. The plan expects nothing but the
// contract of a response.
func Replay(contract *conformance.Contract, exchanges []*traffic.Exchange) *Plan {
	plan := &Plan{contract: contract, operations: newReader().operations(contract.Document())}
	plan.readCredentials()
	for _, from := range exchanges {
		ex := *from
		u := *from.URL
		ex.URL, ex.Request.Header, ex.Status, ex.Response = &u, from.Request.Header.Clone(), 0, traffic.Message{}
		u.Scheme, u.Host, u.User = "", "", nil
		for _, name := range connectionHeaders {
			ex.Request.Header.Del(name)
		}
		if from.Request.BodyOmitted || from.Request.HeaderOmitted {
			plan.Omitted = append(plan.Omitted, Omission{ex.Source, "the recording does not have the whole request"})
			continue
		}
		for _, c := range plan.credentials {
			value := placeholder
			if from.Status == http.StatusUnauthorized || from.Status == http.StatusForbidden {
				value = invalid
			}
			if c.get(&ex) != "" {
				c.set(&ex, c.prefix+value)
			}
		}
		plan.Cases = append(plan.Cases, &Case{Name: ex.Source, Reason: "as recorded", Request: &ex,
			Creates: changes(ex.Method) && from.Status/100 == 2})
	}
	return plan
}
