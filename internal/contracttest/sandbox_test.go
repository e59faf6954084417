package contracttest

import (
	"maps"
	"net/http"
	"slices"

	"github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// newSandbox returns a sandbox with these credentials and codes.
func newSandbox(key, account string) http.Handler {
	box, err := sandbox.New(sandbox.WithFixtures(sandbox.Fixtures{Accounts: []sandbox.Account{{
		ID: 12, Name: "live", Token: account,
		APIKeys:    []sandbox.APIKey{{Name: "live", Key: key, Permissions: []sandbox.Permission{sandbox.CreateFaults, sandbox.ReadFaults}}},
		Vehicles:   []sandbox.Vehicle{{ID: 1}, {ID: 4711}},
		FaultRules: []sandbox.FaultRule{{ID: 8, Code: "P0420"}, {ID: 9, Code: "é"}},
		Faults:     slices.Repeat([]fleetio.FaultCreate{{VehicleID: 1, Code: "P0420"}}, 51), // more than a page has
	}}}))
	if err != nil {
		panic(err)
	}
	return box
}

// validFault is the body of a 201 for a fault with id 7.
const validFault = `{"id":7,"account_id":12,"vehicle_id":4711,"code":"P0420","count":null,"description":null,"last_occurred_at":null,"name":null,` +
	`"status":"open","source":null,"vehicle_archived_at":null,"fault_rule_id":null,"is_sample":false,"idempotency_key":null}`

// editor buffers a response, so that a test can change it.
type editor struct {
	header http.Header
	status int
	body   []byte
}

func (e *editor) Header() http.Header { return e.header }

func (e *editor) WriteHeader(status int) { e.status = status }

func (e *editor) Write(data []byte) (int, error) {
	e.body = append(e.body, data...)
	return len(data), nil
}

func (e *editor) send(w http.ResponseWriter) {
	maps.Copy(w.Header(), e.header)
	if e.status > 0 {
		w.WriteHeader(e.status)
	}
	_, _ = w.Write(e.body)
}
