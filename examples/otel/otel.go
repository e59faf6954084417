// Package otel shows how calls are traced and measured with OpenTelemetry. It is a module of its own, so that who imports
// the client does not import OpenTelemetry with it.
package otel

import (
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/trace"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

// NewClient returns a client whose attempts are a span each, children of the span in the call's context. The spans hold
// the method, the URL and the status, and no header.
func NewClient(credentials fleetio.Credentials, spans trace.TracerProvider, opts ...fleetio.Option) (*fleetio.Client, error) {
	traced := otelhttp.NewTransport(http.DefaultTransport, otelhttp.WithTracerProvider(spans),
		otelhttp.WithSpanNameFormatter(func(string, *http.Request) string { return "fleetio create fault" }))
	return fleetio.NewClient(credentials, append([]fleetio.Option{
		fleetio.WithHTTPClient(&http.Client{Transport: traced}),
	}, opts...)...)
}
