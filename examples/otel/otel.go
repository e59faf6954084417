// Package otel traces and measures requests with OpenTelemetry. It is a separate module, so that importers of the client do
// not depend on OpenTelemetry.
package otel

import (
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/trace"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

// NewClient returns a client with a span for each attempt, a child of the span in the context. The spans have the method,
// the URL and the status, and no header.
func NewClient(credentials fleetio.Credentials, spans trace.TracerProvider, opts ...fleetio.Option) (*fleetio.Client, error) {
	traced := otelhttp.NewTransport(http.DefaultTransport, otelhttp.WithTracerProvider(spans),
		otelhttp.WithSpanNameFormatter(func(string, *http.Request) string { return "fleetio create fault" }))
	return fleetio.NewClient(credentials, append([]fleetio.Option{
		fleetio.WithHTTPClient(&http.Client{Transport: traced}),
	}, opts...)...)
}
