package otel_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/fleetcontract/fleetio-go/examples/otel"
	"github.com/fleetcontract/fleetio-go/fleetio"
)

// TestSpans has a span for each attempt, with its status and without the credentials.
func TestSpans(t *testing.T) {
	t.Parallel()
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if calls++; calls == 1 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprint(w, `{"id":90210,"vehicle_id":4711,"code":"P0420"}`)
	}))
	defer server.Close()
	recorded := tracetest.NewInMemoryExporter()
	spans := trace.NewTracerProvider(trace.WithSyncer(recorded))
	client, err := otel.NewClient(fleetio.Credentials{APIKey: "the-key", AccountToken: "the-token"}, spans,
		fleetio.WithBaseURL(server.URL))
	require.NoError(t, err)
	fault, err := client.CreateFault(t.Context(), fleetio.FaultCreate{VehicleID: 4711, Code: "P0420"})
	require.NoError(t, err)
	assert.Equal(t, int64(90210), fault.ID)

	var statuses []int64
	for _, span := range recorded.GetSpans() {
		assert.Equal(t, "fleetio create fault", span.Name)
		for _, a := range span.Attributes {
			if a.Key == attribute.Key("http.response.status_code") {
				statuses = append(statuses, a.Value.AsInt64())
			}
		}
		assert.NotContains(t, fmt.Sprintf("%+v", span), "the-key")
		assert.NotContains(t, fmt.Sprintf("%+v", span), "the-token")
	}
	assert.Equal(t, []int64{429, 201}, statuses)
}
