package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3filter"
	middleware "github.com/oapi-codegen/nethttp-middleware"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// BenchmarkServer sends requests over loopback, one after the other and eight for each processor at a time. bare responds without looking at
// the request; composition is what one puts together: the generated server, a validating middleware and a map.
func BenchmarkServer(b *testing.B) {
	s := loadSpec(b)

	prismURL, stop, err := servePeer(b.Context(), "prism", "mock", specFile, "--verboseLevel", "silent")
	require.NoError(b, err)
	b.Cleanup(stop)
	own, err := sandbox.New()
	require.NoError(b, err)
	url := func(h http.Handler) string {
		server := httptest.NewServer(h)
		b.Cleanup(server.Close)
		return server.URL
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	b.Cleanup(transport.CloseIdleConnections)
	servers := []struct{ name, url string }{{"fleetio-sandbox", url(own)}, {"bare", url(s)}, {"composition", url(composition(s))}, {"prism-mock", prismURL}}
	for _, parallel := range []bool{false, true} {
		b.Run(map[bool]string{false: "load=one", true: "load=parallel"}[parallel], func(b *testing.B) {
			for _, server := range servers {
				b.Run("tool="+server.name, func(b *testing.B) {
					post := func() error {
						r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, server.url+faultsPath, bytes.NewReader(s.request))
						if err != nil {
							return err
						}
						r.Header = requestHeader()
						r.Header.Set("Authorization", "Token "+account.APIKeys[0].Key)
						r.Header.Set("Account-Token", account.Token)
						response, err := transport.RoundTrip(r)
						if err != nil {
							return err
						}
						defer response.Body.Close()
						if body, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusCreated {
							return fmt.Errorf("%s %.200s %w", response.Status, body, err)
						}
						return nil
					}
					if !parallel {
						for b.Loop() {
							if err := post(); err != nil {
								b.Fatal(err)
							}
						}
						return
					}
					b.SetParallelism(8)
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							if err := post(); err != nil {
								b.Error(err)
								return
							}
						}
					})
				})
			}
		})
	}
}

// composed stores faults in a map.
type composed struct {
	fleetioserver.StrictServerInterface // for the operations that are not called

	mu     sync.Mutex
	faults map[int64]fleetioapi.Fault
}

func composition(s spec) http.Handler {
	doc := *s.doc
	doc.Servers = nil // they name a host
	validate := middleware.OapiRequestValidatorWithOptions(&doc, &middleware.Options{Options: openapi3filter.Options{AuthenticationFunc: authenticate}})
	return validate(fleetioserver.Handler(fleetioserver.NewStrictHandler(&composed{faults: map[int64]fleetioapi.Fault{}}, nil)))
}

func (c *composed) CreateFault(_ context.Context, r fleetioserver.CreateFaultRequestObject) (fleetioserver.CreateFaultResponseObject, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fault := fleetioapi.Fault{ID: int64(len(c.faults) + 1), VehicleID: fleetioapi.Value(r.Body.VehicleID), Code: r.Body.Code}
	c.faults[fault.ID] = fault
	return fleetioserver.CreateFault201JSONResponse{Body: fault, Headers: fleetioserver.CreateFault201ResponseHeaders{Location: fmt.Sprintf("%s/%d", faultsPath, fault.ID)}}, nil
}
