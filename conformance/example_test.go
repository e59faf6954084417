package conformance_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/internal/testspec"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// The vendor's own examples violate the vendor's documentation.
func ExampleContract_Check() {
	contract, err := conformance.Load(testspec.Spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	for exchange, err := range traffic.Read(context.Background(), nil, "testdata/recordings/vendor-page.har") {
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
			fmt.Println(" ", f.Pointer, f.Rule, f.Source, f.Message)
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

// The worked example of the package's documentation.
func ExampleLedger() {
	contract, err := conformance.Load(testspec.Spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	header := func(pairs ...string) http.Header {
		h := http.Header{"Content-Type": {"application/json"}}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	ledger := contract.NewLedger()
	findings, err := ledger.Add(&traffic.Exchange{
		Method: http.MethodPost, URL: &url.URL{Path: "/api/v1/faults"}, Status: http.StatusCreated,
		Request: traffic.Message{
			Header: header("Authorization", "Token redacted", "Account-Token", "redacted"),
			Body:   []byte(`{"vehicle_id": 4711, "code": "P0420", "count": 3}`),
		},
		Response: traffic.Message{
			Header: header("Location", "/api/v1/faults/0"),
			Body: []byte(`{"id": 0, "account_id": 12, "vehicle_id": 4711, "code": "P0420", "count": null, "description": null,
				"last_occurred_at": null, "name": null, "status": "open", "source": null, "vehicle_archived_at": null,
				"fault_rule_id": 8, "is_sample": false, "trace": "5f"}`),
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range findings {
		fmt.Println(f.Pointer, f.Rule, f.Source)
	}
	for _, e := range ledger.Report().Claims {
		switch e.ID {
		case "response.body#/components/schemas/Fault/properties/id/minimum",
			"response.body#/components/schemas/Fault/required/id",
			"response.body#/components/schemas/Fault/properties/count/nullable",
			"response.body#/components/schemas/Fault/properties/count/format",
			"request.body#/components/schemas/FaultCreate/properties/code/maxLength":
			fmt.Println(e.State, e.ID)
		}
	}
	// Output:
	// /count criterion assumed
	// /id minimum documented
	// /trace undocumented-property drift
	// consistent request.body#/components/schemas/FaultCreate/properties/code/maxLength
	// unobserved response.body#/components/schemas/Fault/properties/count/format
	// supported response.body#/components/schemas/Fault/properties/count/nullable
	// refuted response.body#/components/schemas/Fault/properties/id/minimum
	// supported response.body#/components/schemas/Fault/required/id
}

// Recordings in any of the three formats, checked on all processors.
func ExampleContract_Verify() {
	contract, err := conformance.Load(testspec.Spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := contract.Verify(traffic.Read(context.Background(), nil, "testdata/recordings/vendor-page.har"), conformance.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range report.Deviations[:3] {
		fmt.Println(d.Source, d.Pointer, d.Rule, "in", d.Exchanges)
	}
	fmt.Println(report.Summary.Observed, "of", report.Summary.Claims, "claims observed")
	// Output:
	// documented /account_id minimum in 1
	// documented /fault_rule_id minimum in 1
	// documented /id minimum in 1
	// 94 of 147 claims observed
}
