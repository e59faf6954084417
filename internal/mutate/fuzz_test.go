package mutate

import (
	"net/http"
	"net/url"
	"path"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

const validRequest, validResponse = `{"vehicle_id":4711,"code":"P0420"}`, `{"id":7,"account_id":12,"vehicle_id":4711,"code":"P0420","count":null,` +
	`"description":null,"last_occurred_at":null,"name":null,"status":"open","source":null,"vehicle_archived_at":null,"fault_rule_id":null,"is_sample":false}`

// FuzzReference lets the checker and the reference validator read any bytes as the body of a request with response 201,
// and as the body of that response. Where one of them reports a violation, so does the other, but for the known
// differences.
func FuzzReference(f *testing.F) {
	c, err := parse(api.Spec)
	require.NoError(f, err)
	mutants, err := apiMutants()
	require.NoError(f, err)
	visited := map[string]bool{}
	for _, m := range mutants {
		kind := string(m.Expected.Part) + m.Expected.Rule + path.Base(m.Name) // one of each is enough to start from
		if m.Exchange.Status == http.StatusCreated && len(m.Exchange.Response.Body) < 2000 && !visited[kind] {
			visited[kind] = true
			f.Add(m.Exchange.Request.Body, m.Exchange.Response.Body)
		}
	}
	f.Add([]byte(validRequest), []byte(validResponse))
	contract, err := conformance.Load(api.Spec)
	require.NoError(f, err)
	reference := newReference(f, c)
	f.Fuzz(func(t *testing.T, request, response []byte) {
		compare := func(request, response string) {
			header := func(name, value string) http.Header {
				return http.Header{"Content-Type": {"application/json"}, name: {value}}
			}
			ex := &traffic.Exchange{Method: http.MethodPost, URL: &url.URL{Path: "/api/v1/faults"}, Status: http.StatusCreated,
				Request:  traffic.Message{Header: header("Authorization", "Token k3y"), Body: []byte(request)},
				Response: traffic.Message{Header: header("Location", "/api/v1/faults/7"), Body: []byte(response)}}
			ex.Request.Header.Set("Account-Token", "t0ken")
			findings, err := contract.Check(ex)
			require.NoError(t, err)
			assert.Empty(t, reference.differences(ex, expectations(findings)), "%s", show(expectations(findings)))
		}
		if utf8.Valid(request) {
			compare(string(request), validResponse)
		}
		compare(validRequest, string(response))
	})
}
