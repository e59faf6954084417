package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	fleetio "github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// In a test, Start gives a server with a client. Here, a fake replaces the test.
func ExampleStart() {
	t := new(fakeTest) // yours is a *testing.T
	defer t.end()

	s := sandbox.Start(t)
	s.InjectNext(sandbox.DropAfter()) // the fault is created, and the client gets no response
	_, err := s.Client.CreateFault(context.Background(), fleetio.FaultCreate{VehicleID: 1, Code: "P0420"})

	var failed *fleetio.Error
	fmt.Println("ambiguous:", errors.As(err, &failed) && failed.Ambiguous())
	fmt.Println("created:", len(s.Faults()))
	fmt.Println("arrived:", string(s.Requests()[0].Body))
	// Output:
	// ambiguous: true
	// created: 1
	// arrived: {"code":"P0420","vehicle_id":1}
}

// An edit shows what code does when the vendor's responses change.
func ExampleEdit() {
	t := new(fakeTest)
	defer t.end()

	s := sandbox.Start(t)
	s.InjectNext(sandbox.Edit(`set=/id="90210"`))
	_, err := s.Client.CreateFault(context.Background(), fleetio.FaultCreate{VehicleID: 1, Code: "P0420"})

	var failed *fleetio.Error
	fmt.Println("created, but unreadable:", errors.As(err, &failed) && failed.Created)
	// Output: created, but unreadable: true
}

// The clock waits out a rate limit at once.
func ExampleSandbox_Advance() {
	t := new(fakeTest)
	defer t.end()

	s := sandbox.Start(t, sandbox.WithRateLimit(1))
	_ = s.SetTime(time.Date(2026, time.March, 14, 13, 46, 15, 0, time.UTC)) // a valid time
	once := fleetio.WithRetryPolicy(fleetio.RetryPolicy{MaxAttempts: 1})    // without it, the client waits by itself
	client, err := fleetio.NewClient(s.Credentials, fleetio.WithBaseURL(s.URL), once)
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 3 {
		_, err := client.CreateFault(context.Background(), fleetio.FaultCreate{VehicleID: 1, Code: "P0420"})
		if limited, is := errors.AsType[*fleetio.RateLimitError](err); is {
			fmt.Println("wait", limited.RetryAfter)
			_ = s.Advance(limited.RetryAfter) // it is not negative
		}
	}
	fmt.Println("created:", len(s.Faults()))
	// Output:
	// wait 45s
	// created: 2
}

// The sandbox is a handler like any other.
func ExampleNew() {
	s, err := sandbox.New(sandbox.WithRateLimit(20), sandbox.WithFailure(0.05, sandbox.Fail(http.StatusInternalServerError)))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = s.Close() }()
	server := httptest.NewServer(s)
	defer server.Close()
	response, err := http.Post(server.URL+"/api/v1/faults", "application/json", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = response.Body.Close() }()
	fmt.Println(response.Status)
	// Output: 401 Unauthorized
}

// fakeTest is what Start needs of a test.
type fakeTest struct {
	testing.TB

	cleanups []func()
}

func (*fakeTest) Helper()            {}
func (t *fakeTest) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }
func (t *fakeTest) end() {
	for _, f := range t.cleanups {
		f()
	}
}
