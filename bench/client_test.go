package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-resty/resty/v2"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// ServeHTTP responds with the example.
func (s spec) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // a client that is gone needs no response
	for name, values := range s.header {
		w.Header()[name] = values
	}
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(s.response)
}

// RoundTrip responds with the example, without a network.
func (s spec) RoundTrip(r *http.Request) (*http.Response, error) {
	_, err := io.Copy(io.Discard, r.Body)
	return &http.Response{Status: "201 Created", StatusCode: http.StatusCreated, Header: s.header, Body: io.NopCloser(bytes.NewReader(s.response)),
		ContentLength: int64(len(s.response)), Request: r}, err
}

// create creates the fault of the example, and returns the id.
type create func(context.Context) (int64, error)

// BenchmarkClient creates a fault, and decodes the response into the generated type.
func BenchmarkClient(b *testing.B) {
	s := loadSpec(b)
	var want struct{ ID int64 }
	require.NoError(b, json.Unmarshal(s.response, &want))
	server := httptest.NewServer(s)
	b.Cleanup(server.Close)
	loopback := &http.Transport{}
	b.Cleanup(loopback.CloseIdleConnections)
	for network, transport := range map[string]http.RoundTripper{"none": s, "loopback": loopback} {
		b.Run("network="+network, func(b *testing.B) {
			for _, client := range []struct {
				name string
				make func(testing.TB, spec, string, http.RoundTripper) create
			}{{"fleetio-go", ownClient}, {"net/http", byHand}, {"generated", generatedClient}, {"resty", restyClient}, {"go-retryablehttp", retryableClient}} {
				b.Run("tool="+client.name, func(b *testing.B) {
					create := client.make(b, s, server.URL, transport)
					b.ReportAllocs()
					for b.Loop() {
						if id, err := create(b.Context()); err != nil || id != want.ID {
							b.Fatal(id, err)
						}
					}
				})
			}
		})
	}
}

func ownClient(tb testing.TB, s spec, base string, transport http.RoundTripper) create {
	tb.Helper()
	client, err := fleetio.NewClient(fleetio.Credentials{APIKey: apiKey, AccountToken: accountToken}, fleetio.WithBaseURL(base),
		fleetio.WithHTTPClient(&http.Client{Transport: transport}))
	require.NoError(tb, err)
	var input fleetio.FaultCreate
	require.NoError(tb, json.Unmarshal(s.request, &input))
	return func(ctx context.Context) (int64, error) {
		fault, err := client.CreateFault(ctx, input)
		if err != nil {
			return 0, err
		}
		return fault.ID, nil
	}
}

// byHand is what one writes without a library: a timeout, a bounded read, the media type and the status.
func byHand(_ testing.TB, s spec, base string, transport http.RoundTripper) create {
	client := &http.Client{Transport: transport}
	return func(ctx context.Context) (int64, error) { return send(ctx, s, base, client.Do) }
}

func retryableClient(_ testing.TB, s spec, base string, transport http.RoundTripper) create {
	client := retryablehttp.NewClient()
	client.HTTPClient, client.Logger = &http.Client{Transport: transport}, nil
	return func(ctx context.Context) (int64, error) { return send(ctx, s, base, client.StandardClient().Do) }
}

func send(ctx context.Context, s spec, base string, do func(*http.Request) (*http.Response, error)) (id int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	body, err := json.Marshal(s.input)
	if err != nil {
		return 0, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+faultsPath, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header = requestHeader()
	response, err := do(r)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	data, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return 0, err
	}
	media, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil || media != "application/json" || response.StatusCode != http.StatusCreated {
		return 0, errors.New(response.Status)
	}
	var fault fleetioapi.Fault
	err = json.Unmarshal(data, &fault)
	return fault.ID, err
}

func generatedClient(tb testing.TB, s spec, base string, transport http.RoundTripper) create {
	tb.Helper()
	client, err := fleetioapi.NewClientWithResponses(base, fleetioapi.WithHTTPClient(&http.Client{Transport: transport}),
		fleetioapi.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
			r.Header = requestHeader()
			return nil
		}))
	require.NoError(tb, err)
	return func(ctx context.Context) (int64, error) {
		response, err := client.CreateFaultWithResponse(ctx, s.input)
		if err != nil || response.JSON201 == nil {
			return 0, err
		}
		return response.JSON201.ID, nil
	}
}

func restyClient(_ testing.TB, s spec, base string, transport http.RoundTripper) create {
	client := resty.New().SetTransport(transport).SetBaseURL(base).SetTimeout(30 * time.Second)
	return func(ctx context.Context) (int64, error) {
		var fault fleetioapi.Fault
		r := client.R().SetContext(ctx).SetBody(s.input).SetResult(&fault)
		r.Header = requestHeader()
		response, err := r.Post(faultsPath)
		if err == nil && response.StatusCode() != http.StatusCreated {
			err = errors.New(response.Status())
		}
		return fault.ID, err
	}
}
