package fleetio_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"mime"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// fixed is a transport that costs as little as one can, and reads the request as a real one does.
var fixed = roundTripper(func(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusCreated, Header: fixedHeader, Body: &fixedBody{}, ContentLength: int64(len(created))}, nil
})

var fixedHeader = http.Header{"Content-Type": {"application/json; charset=utf-8"}}

type fixedBody struct{ at int }

func (b *fixedBody) Read(p []byte) (int, error) {
	n := copy(p, created[b.at:])
	if b.at += n; b.at == len(created) {
		return n, io.EOF
	}
	return n, nil
}

func (*fixedBody) Close() error { return nil }

func full() fleetio.FaultCreate {
	at := time.Date(2023, 3, 14, 13, 46, 27, 0, time.FixedZone("", -6*60*60))
	return fleetio.FaultCreate{VehicleID: 4711, Code: "P0420", Count: new(int64(3)),
		Description: new("Efficiency of the catalyst on bank 1 is below its threshold"), LastOccurredAt: &at,
		Name: new("Catalyst efficiency"), Status: new(fleetio.FaultStatusOpen)}
}

type creator func(context.Context, fleetio.FaultCreate) (*fleetio.Fault, error)

// handwritten is what one writes without us: a timeout, both credentials, a bounded read, the type and the status.
func handwritten() creator {
	client := &http.Client{Transport: fixed, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return func(ctx context.Context, f fleetio.FaultCreate) (*fleetio.Fault, error) {
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		data, err := json.Marshal(f)
		if err != nil {
			return nil, err
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://secure.fleetio.com/api/v1/faults", bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		r.Header.Set("Accept", "application/json")
		r.Header.Set("Account-Token", accountToken)
		r.Header.Set("Authorization", "Token "+apiKey)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("User-Agent", "fleetio-go")
		response, err := client.Do(r)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
		if err != nil {
			return nil, err
		}
		media, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
		if err != nil || media != "application/json" || response.StatusCode != http.StatusCreated {
			return nil, errors.New(response.Status)
		}
		fault := new(fleetioapi.Fault) // which has no decoder of its own
		return &fleetio.Fault{ID: fault.ID}, json.Unmarshal(body, fault)
	}
}

func generated(tb testing.TB) creator {
	tb.Helper()
	client, err := fleetioapi.NewClientWithResponses("https://secure.fleetio.com",
		fleetioapi.WithHTTPClient(&http.Client{Transport: fixed}),
		fleetioapi.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", "Token "+apiKey)
			r.Header.Set("Account-Token", accountToken)
			return nil
		}))
	if err != nil {
		tb.Fatal(err)
	}
	return func(ctx context.Context, f fleetio.FaultCreate) (*fleetio.Fault, error) {
		response, err := client.CreateFaultWithResponse(ctx, fleetioapi.FaultCreate(f))
		if err != nil {
			return nil, err
		}
		return &fleetio.Fault{ID: response.JSON201.ID}, nil
	}
}

func ours(tb testing.TB) creator {
	tb.Helper()
	c := client(tb, fixed)
	return func(ctx context.Context, f fleetio.FaultCreate) (*fleetio.Fault, error) { return c.CreateFault(ctx, f) }
}

func BenchmarkCreateFault(b *testing.B) {
	for _, of := range []struct {
		name   string
		create creator
	}{{"ours", ours(b)}, {"handwritten", handwritten()}, {"generated", generated(b)}} {
		b.Run(of.name, func(b *testing.B) {
			f := full()
			b.ReportAllocs()
			for b.Loop() {
				if fault, err := of.create(b.Context(), f); err != nil || fault.ID != 90210 {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestCreateFaultAllocatesNoMoreThanByHand(t *testing.T) { //nolint:paralleltest // counts allocations
	f := full()
	count := func(create creator) float64 {
		least := math.Inf(1)
		for range 5 { // a collection of garbage empties pools
			least = min(least, testing.AllocsPerRun(100, func() {
				if _, err := create(t.Context(), f); err != nil {
					t.Fatal(err)
				}
			}))
		}
		return least
	}
	us, byHand := count(ours(t)), count(handwritten())
	t.Logf("ours %v, by hand %v, generated %v allocations", us, byHand, count(generated(t)))
	assert.LessOrEqual(t, us, byHand*1.05, "a property that the spec gains may take one more")
}

func BenchmarkCheck(b *testing.B) {
	f := full()
	for b.Loop() {
		if fleetioapi.CheckFaultCreate((*fleetioapi.FaultCreate)(&f)) != nil {
			b.Fatal("valid")
		}
	}
}
