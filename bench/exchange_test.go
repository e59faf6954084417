package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

const (
	apiKey, accountToken = "benchmark-key", "benchmark-token"
	faultsPath           = "/api/v1/faults"
	example              = "complete" // the example that is sent and received
)

// spec is the contract, and an exchange of Create Fault made of its examples.
type spec struct {
	doc               *openapi3.T
	request, response []byte
	header            http.Header // of the response
	input             fleetioapi.FaultCreate
}

func loadSpec(tb testing.TB) spec {
	tb.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile(specFile)
	require.NoError(tb, err)
	operation := doc.Paths.Value(faultsPath).Post
	created := operation.Responses.Value("201").Value
	s := spec{doc: doc, header: http.Header{"Content-Type": {"application/json"}}}
	s.request = encode(tb, operation.RequestBody.Value.Content["application/json"].Examples[example].Value.Value)
	s.response = encode(tb, created.Content["application/json"].Examples[example].Value.Value)
	for name, header := range created.Headers {
		s.header.Set(name, header.Value.Examples[example].Value.Value.(string))
	}
	require.NoError(tb, json.Unmarshal(s.request, &s.input))
	return s
}

// exchange is the one of the spec, with properties of the response set.
func (s spec) exchange(tb testing.TB, set map[string]any) *traffic.Exchange {
	tb.Helper()
	body := map[string]any{}
	require.NoError(tb, json.Unmarshal(s.response, &body))
	for name, value := range set {
		body[name] = value
	}
	return &traffic.Exchange{Method: http.MethodPost, URL: &url.URL{Scheme: "https", Host: "secure.fleetio.com", Path: faultsPath}, Status: http.StatusCreated,
		Request:  traffic.Message{Header: requestHeader(), Body: s.request},
		Response: traffic.Message{Header: s.header, Body: encode(tb, body)}}
}

func requestHeader() http.Header {
	return http.Header{"Accept": {"application/json"}, "Account-Token": {accountToken}, "Authorization": {"Token " + apiKey}, "Content-Type": {"application/json"}}
}

func encode(tb testing.TB, v any) []byte {
	tb.Helper()
	data, err := json.Marshal(v)
	require.NoError(tb, err)
	return data
}
