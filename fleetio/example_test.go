package fleetio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

// double is a test double of the service: it uses the handlers one after the other, and then the last one for ever.
func double(handlers ...http.HandlerFunc) *httptest.Server {
	next := make(chan http.HandlerFunc, len(handlers))
	for _, a := range handlers {
		next <- a
	}
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := handlers[len(handlers)-1]
		select {
		case a = <-next:
		default:
		}
		w.Header().Set("Content-Type", "application/json")
		a(w, r)
	}))
}

// says is a response with this status and body.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// creates is the response with a fault of what was sent.
func creates(w http.ResponseWriter, r *http.Request) {
	sent, _ := io.ReadAll(r.Body)
	says(http.StatusCreated, `{"id":90210,`+string(sent[1:]))(w, r)
}

// busy is a response that the rate limit is exhausted for so many seconds.
func busy(seconds string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", seconds)
		says(http.StatusTooManyRequests, `{"error":"Rate limit exceeded."}`)(w, r)
	}
}

// connect returns a client of a test double.
func connect(server *httptest.Server, opts ...fleetio.Option) *fleetio.Client {
	client, err := fleetio.NewClient(fleetio.Credentials{APIKey: "your-key", AccountToken: "your-account-token"},
		append([]fleetio.Option{fleetio.WithBaseURL(server.URL)}, opts...)...)
	if err != nil {
		panic(err)
	}
	return client
}

// A fault is created, and its properties read: those that may be null have a Get.
func Example() {
	server := double(says(http.StatusCreated, `{"id":90210,"account_id":12,"vehicle_id":4711,"code":"P0420","count":3,
		"description":null,"last_occurred_at":null,"name":null,"status":"open","source":null,"vehicle_archived_at":null,
		"fault_rule_id":8,"is_sample":false,"idempotency_key":null}`))
	defer server.Close()

	client, err := fleetio.NewClient(
		fleetio.Credentials{APIKey: "your-key", AccountToken: "your-account-token"},
		fleetio.WithBaseURL(server.URL), // leave it out for the service itself
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	fault, err := client.CreateFault(context.Background(), fleetio.FaultCreate{
		VehicleID: 4711,
		Code:      "P0420",
		Count:     new(int64(3)),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(fault.ID, fault.Status, fault.Count, fault.Name)
	if id, ok := fault.FaultRuleID.Get(); ok {
		fmt.Println("matched rule", id)
	}
	// Output:
	// 90210 open 3 null
	// matched rule 8
}

// Every kind of error, and what a caller does about it.
func ExampleClient_CreateFault_errors() {
	server := double(
		says(http.StatusUnauthorized, `{"status":401,"title":"Unauthorized"}`),
		says(http.StatusForbidden, ""),
		says(http.StatusUnprocessableEntity, `{"errors":{"code":["must match a Fault Rule"]}}`),
		busy("3600"),
		says(http.StatusInternalServerError, `{"status":500,"title":"Internal Server Error"}`),
		says(http.StatusCreated, `{"id":90210,"vehicle_id":4711,"code":"P0420","count":"three"}`),
	)
	defer server.Close()
	client := connect(server)

	handle := func(f fleetio.FaultCreate) {
		fault, err := client.CreateFault(context.Background(), f)
		var limited *fleetio.RateLimitError
		var invalid *fleetio.InvalidError
		var failed *fleetio.Error
		switch {
		case err == nil:
			fmt.Println("created", fault.ID)
		case errors.Is(err, fleetio.ErrUnauthorized), errors.Is(err, fleetio.ErrForbidden):
			fmt.Println("mend the credentials:", err)
		case errors.As(err, &invalid): // nothing was sent
			fmt.Println("mend the fault:", invalid.Violations[0])
		case errors.As(err, &limited):
			fmt.Println("try again in", limited.RetryAfter)
		case errors.As(err, &failed) && failed.Fields != nil: // the service refused it
			fmt.Println("mend the fault: code", failed.Fields["code"])
		case errors.As(err, &failed) && failed.Created: // do not send it again
			fmt.Println("created", failed.Fault.ID, "but:", err)
		case errors.As(err, &failed) && failed.Ambiguous(): // look for it before you send it again
			fmt.Println("check in Fleetio:", err)
		default: // not created
			fmt.Println("try again:", err)
		}
	}
	handle(fleetio.FaultCreate{VehicleID: 4711})
	for range 6 {
		handle(fleetio.FaultCreate{VehicleID: 4711, Code: "P0420"})
	}
	server.Close() // no server any more
	client = connect(server, fleetio.WithRetryPolicy(fleetio.RetryPolicy{MaxAttempts: 1}))
	_, err := client.CreateFault(context.Background(), fleetio.FaultCreate{VehicleID: 4711, Code: "P0420"})
	fmt.Println("not created:", strings.HasSuffix(err.Error(), "nothing was sent"))
	// Output:
	// mend the fault: code is required
	// mend the credentials: fleetio: create fault: 401 Unauthorized
	// mend the credentials: fleetio: create fault: 403 Forbidden
	// mend the fault: code [must match a Fault Rule]
	// try again in 1h0m0s
	// check in Fleetio: fleetio: create fault: 500 Internal Server Error: unknown whether created
	// created 90210 but: fleetio: create fault: the fault was created (id 90210): its property count cannot be read
	// not created: true
}

// A call waits for the rate limit on its own, within bounds.
func ExampleWithRetryPolicy() {
	server := double(busy("0"), creates, busy("61"))
	defer server.Close()
	client := connect(server, fleetio.WithRetryPolicy(fleetio.RetryPolicy{MaxAttempts: 3, MaxWait: time.Minute}))
	for range 2 {
		fault, err := client.CreateFault(context.Background(), fleetio.FaultCreate{VehicleID: 4711, Code: "P0420"})
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println("created", fault.ID)
	}
	// Output:
	// created 90210
	// fleetio: create fault: the rate limit is exhausted: try again in 1m1s; for many faults, use the Bulk API (POST /api/v1/bulk_api_jobs)
}

// Results come in the order of the faults.
func ExampleClient_CreateFaults() {
	server := double(creates)
	defer server.Close()
	faults := []fleetio.FaultCreate{{VehicleID: 4711, Code: "P0420"}, {VehicleID: 4712}, {VehicleID: 4713, Code: "P0300"}}
	for result, err := range connect(server).CreateFaults(context.Background(), slices.Values(faults)) {
		if err != nil {
			fmt.Println(result.Index, err)
			continue
		}
		fmt.Println(result.Index, "created", result.Fault.ID)
	}
	// Output:
	// 0 created 90210
	// 1 fleetio: create fault: nothing was sent: code is required
	// 2 created 90210
}

// measured is a RoundTripper around another one. It sees each attempt.
type measured struct{ next http.RoundTripper }

func (m measured) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := m.next.RoundTrip(r)
	if err == nil {
		fmt.Println(r.Method, r.URL.Path, response.StatusCode)
	}
	return response, err
}

// Traces and metrics come from a RoundTripper around the one that sends. The directory examples/otel has one of
// OpenTelemetry.
func ExampleWithHTTPClient() {
	server := double(busy("0"), creates)
	defer server.Close()
	client := connect(server, fleetio.WithHTTPClient(&http.Client{Transport: measured{http.DefaultTransport}}))
	fault, err := client.CreateFault(context.Background(), fleetio.FaultCreate{VehicleID: 4711, Code: "P0420"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("created", fault.ID)
	// Output:
	// POST /api/v1/faults 429
	// POST /api/v1/faults 201
	// created 90210
}

// A test double is a server of net/http/httptest; a base URL on loopback may be http.
func ExampleWithBaseURL() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Println(r.Method, r.URL.Path, string(body))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":90210,"vehicle_id":4711,"code":"P0420"}`)
	}))
	defer server.Close()
	client, err := fleetio.NewClient(fleetio.Credentials{APIKey: "any-key", AccountToken: "any-token"}, fleetio.WithBaseURL(server.URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.CreateFault(context.Background(), fleetio.FaultCreate{VehicleID: 4711, Code: "P0420"})
	fmt.Println(err)
	// Output:
	// POST /api/v1/faults {"code":"P0420","vehicle_id":4711}
	// <nil>
}

// What the header and the body of a response say beyond the fault is available, too.
func ExampleWithRawResponse() {
	server := double(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/api/v1/faults/90210")
		says(http.StatusCreated, `{"id":90210,"vehicle_id":4711,"code":"P0420","x_severity":"high"}`)(w, r)
	})
	defer server.Close()
	var raw *http.Response
	_, err := connect(server).CreateFault(context.Background(), fleetio.FaultCreate{VehicleID: 4711, Code: "P0420"},
		fleetio.WithRawResponse(&raw))
	if err != nil {
		fmt.Println(err)
		return
	}
	body, _ := io.ReadAll(raw.Body)
	fmt.Println(raw.Header.Get("Location"), string(body))
	// Output: /api/v1/faults/90210 {"id":90210,"vehicle_id":4711,"code":"P0420","x_severity":"high"}
}

// A response is lost, and the fault was created: the client looks it up.
func ExampleWithReconcile() {
	var stored string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			body, _ := io.ReadAll(r.Body)
			stored = `{"id":90210,"created_at":"` + time.Now().Format(time.RFC3339) + `",` + string(body[1:])
			panic(http.ErrAbortHandler) // no response
		}
		w.Header().Set("Content-Type", "application/json")
		says(http.StatusOK, `{"next_cursor":null,"records":[`+stored+`]}`)(w, r)
	}))
	defer server.Close()
	client := connect(server, fleetio.WithReconcile())
	var lookedUp bool
	fault, err := client.CreateFault(context.Background(), fleetio.FaultCreate{VehicleID: 4711, Code: "P0420", ExternalID: new("event-7")},
		fleetio.WithLookedUp(&lookedUp))
	var missing *fleetio.NotFoundError
	switch {
	case errors.As(err, &missing): // most likely not created
		fmt.Println("create it again?", missing.ExternalID)
	case err != nil:
		fmt.Println(err)
	default:
		fmt.Println("created", fault.ID, lookedUp)
	}
	// Output: created 90210 true
}

// Faults are read page by page, as far as the loop goes. Extra has a property that the client does not know.
func ExampleClient_Faults() {
	server := double(
		says(http.StatusOK, `{"next_cursor":"eyJp","records":[{"id":3,"vehicle_id":4711,"code":"P0420"},{"id":2,"vehicle_id":4712,"code":"P0420"}]}`),
		says(http.StatusOK, `{"next_cursor":null,"records":[{"id":1,"vehicle_id":4711,"code":"P0420","x_severity":"high"}]}`),
	)
	defer server.Close()
	filter := fleetio.FaultFilter{FilterCodeEq: new("P0420"), FilterStatusInclude: []fleetio.FaultStatus{fleetio.FaultStatusOpen}}
	for fault, err := range connect(server).Faults(context.Background(), filter) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(fault.ID, fault.VehicleID, len(fault.Extra))
	}
	// Output:
	// 3 4711 0
	// 2 4712 0
	// 1 4711 1
}

// A fault that is not there is an error that errors.Is finds.
func ExampleClient_Fault() {
	server := double(says(http.StatusNotFound, `{"status":404,"title":"Not Found","detail":"There is no fault 7."}`))
	defer server.Close()
	_, err := connect(server).Fault(context.Background(), 7)
	fmt.Println(errors.Is(err, fleetio.ErrNotFound), err)
	// Output: true fleetio: retrieve fault: 404 Not Found: There is no fault 7.
}

// A handler of webhooks responds at once, and handles each event once.
func ExampleVerifyWebhook() {
	handle := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "unreadable", http.StatusBadRequest)
			return
		}
		event, err := fleetio.VerifyWebhook(body, r.Header, "your-shared-key")
		if err != nil {
			fmt.Println(err)
			http.Error(w, "refused", http.StatusUnauthorized)
			return
		}
		fmt.Println(event.ID, event.Event) // store it by its ID
	}
	r := httptest.NewRequest(http.MethodPost, "/webhooks", strings.NewReader(`{"id":"e-1","event":"fault_created"}`))
	r.Header.Set("X-Fleetio-Webhook-Signature", "00")
	handle(httptest.NewRecorder(), r)
	// Output: fleetio: webhook: the signature is missing or wrong
}

// Faults can be checked before anything is sent, as a dry run does.
func ExampleCheck() {
	fmt.Println(fleetio.Check(fleetio.FaultCreate{VehicleID: -1, LastOccurredAt: new(time.Time)}))
	// Output:
	// fleetio: create fault: nothing was sent: code is required; last_occurred_at cannot be written as a date-time; vehicle_id is less than 1
}
