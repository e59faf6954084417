package page_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server/page"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// served is a sandbox with its page in front.
type served struct {
	*sandbox.Sandbox

	page    *page.Page
	handler http.Handler
	url     string
	server  *httptest.Server
}

// build makes one that does not listen yet.
func build(t *testing.T, checker page.Check, opts ...sandbox.Option) *served {
	t.Helper()
	fixtures := sandbox.DefaultFixtures()
	fixtures.Accounts[0].FaultRules = append(fixtures.Accounts[0].FaultRules, sandbox.FaultRule{ID: 99, Code: nastyCode})
	box, err := sandbox.New(append([]sandbox.Option{sandbox.WithFixtures(fixtures)}, opts...)...)
	require.NoError(t, err)
	s := &served{Sandbox: box, page: page.New(box, checker)}
	mux := http.NewServeMux()
	mux.Handle("/api/", box)
	mux.Handle("/", s.page)
	s.handler = mux
	t.Cleanup(func() { assert.NoError(t, box.Close()) })
	return s
}

// start lets it be called. The handler may be others' around its own.
func (s *served) start(t *testing.T, handler http.Handler) *served {
	t.Helper()
	s.server = httptest.NewServer(handler)
	s.url = s.server.URL
	t.Cleanup(s.server.Close)
	return s
}

func serve(t *testing.T, checker page.Check, opts ...sandbox.Option) *served {
	t.Helper()
	s := build(t, checker, opts...)
	return s.start(t, s.handler)
}

// post creates a fault and returns the status; 0 where there was no response.
func (s *served) post(t *testing.T, fields map[string]any) int {
	t.Helper()
	return s.postAs(t, "sandbox-key-integration", "sandbox-account-northwind", fields)
}

func (s *served) postAs(t *testing.T, key, token string, fields map[string]any) int {
	t.Helper()
	body, err := json.Marshal(fields)
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/api/v1/faults", strings.NewReader(string(body)))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Token "+key)
	r.Header.Set("Account-Token", token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Text", "<script>window.pwned=1</script>")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode
}

// markup is a fault whose every text is nasty.
func markup() map[string]any {
	return map[string]any{"vehicle_id": 1, "code": nastyCode, "name": nasty, "description": nasty, "external_id": nasty, "source": nasty}
}

// plain is a fault as any other.
func plain() map[string]any {
	return map[string]any{"vehicle_id": 1, "code": "P0420", "name": "Ann's car"}
}
