package sandbox

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// contract is what the checker uses.
var contract = sync.OnceValues(func() (*conformance.Contract, error) { return conformance.Load(api.Spec) })

// call calls a handler with the credentials of the default fixtures. The checker must find nothing.
func (s *Sandbox) call(t *testing.T, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "http://127.0.0.1/api/v1/faults", strings.NewReader(body))
	r.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Token " + s.accounts[0].APIKeys[0].Key}, "Account-Token": {s.accounts[0].Token}}
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	checker, err := contract()
	require.NoError(t, err)
	findings, err := checker.Check(&traffic.Exchange{Method: r.Method, URL: r.URL, Status: w.Code,
		Request: traffic.Message{Header: r.Header, BodyOmitted: true}, Response: traffic.Message{Header: w.Header(), Body: w.Body.Bytes()}})
	if !errors.Is(err, conformance.ErrNoOperation) {
		require.NoError(t, err)
	}
	for _, finding := range findings {
		assert.False(t, finding.Fails(), "%s %s: %s", finding.Part, finding.Pointer, finding.Message)
	}
	return w
}

const minimal = `{"vehicle_id":1,"code":"P0420"}`
