package conformance_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
)

const recordings = "testdata/recordings"

func loadContract(t testing.TB) *conformance.Contract {
	t.Helper()
	contract, err := conformance.Load(api.Spec)
	require.NoError(t, err)
	return contract
}

// validFault is the body of a 201 for a fault with id 7.
func validFault(change func(map[string]any)) []byte {
	fault := map[string]any{
		"id": 7, "account_id": 12, "vehicle_id": 4711, "code": "P0420", "count": nil, "description": nil,
		"last_occurred_at": nil, "name": nil, "status": "open", "source": nil, "vehicle_archived_at": nil,
		"fault_rule_id": nil, "is_sample": false, "idempotency_key": nil,
	}
	if change != nil {
		change(fault)
	}
	body, err := json.Marshal(fault)
	if err != nil {
		panic(err)
	}
	return body
}
