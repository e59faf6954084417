package conformance_test

import (
	"fmt"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// The vendor's own examples, judged by what the vendor's pages say.
func ExampleContract_Check() {
	contract, err := conformance.Load(api.Spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	for exchange, err := range traffic.ReadPaths(nil, "testdata/recordings/vendor-page.har") {
		if err != nil {
			fmt.Println(err)
			return
		}
		findings, err := contract.Check(exchange)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(exchange.Status, len(findings), "findings")
		for _, f := range findings {
			fmt.Println(" ", f.Pointer, f.Rule, f.Basis, f.Message)
		}
	}
	// Output:
	// 201 4 findings
	//   /account_id minimum documented expected at least 1, found 0
	//   /fault_rule_id minimum documented expected at least 1, found 0
	//   /id minimum documented expected at least 1, found 0
	//   /vehicle_id minimum documented expected at least 1, found 0
	// 401 2 findings
	//   /status minimum documented expected at least 400, found 0
	//   /status criterion assumed problem-status-is-http-status: expected 401 ($statusCode), found 0
	// 403 2 findings
	//   /status minimum documented expected at least 400, found 0
	//   /status criterion assumed problem-status-is-http-status: expected 403 ($statusCode), found 0
	// 422 0 findings
	// 422 0 findings
	// 500 2 findings
	//   /status minimum documented expected at least 400, found 0
	//   /status criterion assumed problem-status-is-http-status: expected 500 ($statusCode), found 0
}
