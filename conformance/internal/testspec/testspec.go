// Package testspec has the spec that the checker's tests use. It is theirs: an edit of the project's contract does not
// change it. The contract is tested in internal/contracttest.
package testspec

import (
	_ "embed"
	"encoding/json"
)

// Spec is an OpenAPI 3.0 document with one operation, assumptions and criteria.
//
//go:embed spec.yaml
var Spec []byte

// Fault returns the body of a 201 of the operation, for a fault with id 7. change may be nil.
func Fault(change func(map[string]any)) []byte {
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
