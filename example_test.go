package fleetio_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// A fault is created, and its members read: those that may be null have a Get.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprint(w, `{"id":90210,"account_id":12,"vehicle_id":4711,"code":"P0420","count":3,"description":null,
			"last_occurred_at":null,"name":null,"status":"open","source":null,"vehicle_archived_at":null,
			"fault_rule_id":8,"is_sample":false,"idempotency_key":null}`)
	}))
	defer server.Close()

	client, err := fleetioapi.NewClientWithResponses(server.URL, // https://secure.fleetio.com
		fleetioapi.WithHTTPClient(&http.Client{Timeout: 30 * time.Second}),
		fleetioapi.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", "Token "+"your-key")
			r.Header.Set("Account-Token", "your-account-token")
			return nil
		}))
	if err != nil {
		fmt.Println(err)
		return
	}
	count := int64(3)
	response, err := client.CreateFaultWithResponse(context.Background(), fleetioapi.FaultCreate{
		VehicleID: 4711,
		Code:      "P0420",
		Count:     &count,
	})
	if err != nil || response.JSON201 == nil {
		fmt.Println("not created:", err)
		return
	}
	fault := response.JSON201
	fmt.Println(fault.ID, fault.Status, fault.Count, fault.Name)
	if id, ok := fault.FaultRuleID.Get(); ok {
		fmt.Println("matched rule", id)
	}
	// Output:
	// 90210 open 3 null
	// matched rule 8
}
