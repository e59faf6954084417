package suggest_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/suggest"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

const withParameters = `openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /items:
    get:
      operationId: items
      parameters:
        - {name: page, in: header, schema: {type: integer, maximum: 3}}
        - {name: page, in: query, schema: {type: integer, maximum: 100, x-assumed: {maximum: A guess.}}}
        - {name: sort, in: query, required: true, schema: {type: string}, x-assumed: {required: A guess.}}
        - {name: q, in: query, allowEmptyValue: false, schema: {type: string}, x-assumed: {allowEmptyValue: A guess.}}
        - {name: n, in: query, schema: {type: integer, x-assumed: {type: A guess.}}}
      responses: {'200': {description: d}}
`

// TestParametersInLists has parameters that only their place and name tell apart.
func TestParametersInLists(t *testing.T) {
	t.Parallel()
	check := func(spec []byte) *conformance.Report {
		contract, err := conformance.Load(spec)
		require.NoError(t, err)
		ledger := contract.NewLedger()
		_, err = ledger.Add(&traffic.Exchange{Method: http.MethodGet, URL: &url.URL{Path: "/items", RawQuery: "page=200&q=&n=x"}, Status: 200,
			Request: traffic.Message{Header: http.Header{"Page": {"1"}}}, Response: traffic.Message{Header: http.Header{}}})
		require.NoError(t, err)
		return ledger.Report()
	}
	before := check([]byte(withParameters))
	require.Equal(t, 4, before.Summary.Assumed)
	text, err := suggest.Overlay([]byte(withParameters), before, false)
	require.NoError(t, err)
	assert.Contains(t, string(text), `[?@.in=="query" && @.name=="page"]`)
	assert.Contains(t, string(text), "type at #/paths/~1items/get/parameters/query.n/schema/type")
	after := check(apply(t, []byte(withParameters), text))
	require.Len(t, after.Findings, 1)
	assert.Equal(t, "type", after.Findings[0].Rule)
}
