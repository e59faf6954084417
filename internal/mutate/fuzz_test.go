package mutate

import (
	"net/http"
	"net/url"
	"path"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

const validRequest, validAnswer = `{"vehicle_id":4711,"code":"P0420"}`, `{"id":7,"account_id":12,"vehicle_id":4711,"code":"P0420","count":null,` +
	`"description":null,"last_occurred_at":null,"name":null,"status":"open","source":null,"vehicle_archived_at":null,"fault_rule_id":null,"is_sample":false}`

// FuzzSecondOpinion lets the judge and kin-openapi read any bytes as the body of a request that is answered 201, and as
// the body of that answer. Where one of them finds a fault, so does the other, but for the known gaps.
func FuzzSecondOpinion(f *testing.F) {
	s, err := parse(api.Spec)
	require.NoError(f, err)
	d, err := s.derive()
	require.NoError(f, err)
	seeds := map[string]bool{}
	for _, m := range d.mutants {
		kind := string(m.Want.Part) + m.Want.Rule + path.Base(m.Name) // one of each is enough to start from
		if m.Exchange.Status == http.StatusCreated && len(m.Exchange.Response.Body) < 2000 && !seeds[kind] {
			seeds[kind] = true
			f.Add(m.Exchange.Request.Body, m.Exchange.Response.Body)
		}
	}
	f.Add([]byte(validRequest), []byte(validAnswer))
	contract, err := conformance.Load(api.Spec)
	require.NoError(f, err)
	opinion := &secondOpinion{spec: s, gaps: map[string]int{}}
	f.Fuzz(func(t *testing.T, request, answer []byte) {
		compareOpinions(t, contract, opinion, string(request), validAnswer)
		compareOpinions(t, contract, opinion, validRequest, string(answer))
	})
}

func compareOpinions(t *testing.T, contract *conformance.Contract, opinion *secondOpinion, request, answer string) {
	t.Helper()
	header := func(name, value string) http.Header {
		return http.Header{"Content-Type": {"application/json"}, name: {value}}
	}
	ex := &traffic.Exchange{Method: http.MethodPost, URL: &url.URL{Path: "/api/v1/faults"}, Status: http.StatusCreated,
		Request:  traffic.Message{Header: header("Authorization", "Token k3y"), Body: []byte(request)},
		Response: traffic.Message{Header: header("Location", "/api/v1/faults/7"), Body: []byte(answer)}}
	ex.Request.Header.Set("Account-Token", "t0ken")
	findings, err := contract.Check(ex)
	require.NoError(t, err)
	fault := opinion.fault(ex)
	fails := 0
	for _, f := range findings {
		if !f.Fails() {
			continue
		}
		fails++
		m := &Mutant{Claim: f.Claim, Exchange: ex, Want: Want{f.Rule, f.Part, f.Pointer}}
		if fault == nil && !opinion.misses(m) {
			t.Errorf("only the judge: %s %s %q: %s", f.Part, f.Rule, f.Pointer, f.Message)
		}
	}
	if fault != nil && fails == 0 && !opinion.known(func(g gap) bool { return g.alarms != nil && g.alarms(ex, fault) }) {
		t.Errorf("only kin-openapi: %v", fault)
	}
}
