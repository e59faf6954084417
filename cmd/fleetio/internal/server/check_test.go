package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server/page"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// TestCheck checks exchanges as the page shows them.
func TestCheck(t *testing.T) {
	t.Parallel()
	contract, err := conformance.Load(api.Spec)
	require.NoError(t, err)
	check := Check(contract, "api/openapi.yaml")
	s := sandbox.Start(t)
	s.InjectNext(sandbox.Edit("type=text/html"))
	call := func(path, body string) sandbox.Exchange {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Token "+s.Credentials.APIKey)
		r.Header.Set("Account-Token", s.Credentials.AccountToken)
		response, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		all := s.Requests()
		return all[len(all)-1]
	}
	wrong := call("/api/v1/faults", benchBody)
	found, err := check(&wrong)
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Regexp(t, `^api/openapi\.yaml:\d+$`, found[0].Spec)
	assert.NotEmpty(t, found[0].Message)
	found[0].Spec, found[0].Message = "", ""
	assert.Equal(t, page.Finding{Rule: "media-type", Part: "response.header", Pointer: "/Content-Type", Fails: true}, found[0])

	odd := call("/api/v1/faults", `{"vehicle_id":1.0,"code":"P0420"}`)
	found, err = check(&odd)
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, []any{"portability", "/vehicle_id", false, true}, []any{found[0].Rule, found[0].Pointer, found[0].Fails, found[0].Note})

	elsewhere := call("/api/v1/vehicles", "")
	_, err = check(&elsewhere)
	require.EqualError(t, err, "the contract has no such operation")
	_, err = check(&sandbox.Exchange{Method: http.MethodPost, URL: "/api/v1/faults"})
	require.Error(t, err, "dropped")
	_, err = check(&sandbox.Exchange{Method: http.MethodPost, URL: "\x00", Status: 400})
	require.Error(t, err)
}

// TestExchangeOf has a body that the sandbox did not keep, and one that is not there.
func TestExchangeOf(t *testing.T) {
	t.Parallel()
	e := &sandbox.Exchange{Method: http.MethodPost, URL: "/api/v1/faults?x=1", Status: 413, Header: http.Header{"X": {"1"}}, BodyOmitted: true,
		ResponseHeader: http.Header{"Content-Type": {"application/json"}}, ResponseBody: []byte("{}")}
	ex := exchangeOf(e)
	assert.Equal(t, "/api/v1/faults", ex.URL.Path)
	assert.Equal(t, traffic.Message{Header: e.Header, BodyOmitted: true}, ex.Request)
	assert.Equal(t, traffic.Message{Header: e.ResponseHeader, Body: e.ResponseBody}, ex.Response)
	e.Header, e.BodyOmitted = http.Header{"Content-Length": {"7"}}, false
	assert.Equal(t, traffic.Message{Header: e.Header}, exchangeOf(e).Request, "the length alone is no evidence")
	e.Header, e.Body = http.Header{"Content-Length": {"2"}}, []byte("{}")
	assert.Equal(t, traffic.Message{Header: e.Header, Body: e.Body}, exchangeOf(e).Request)
}
