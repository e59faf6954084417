package sandbox_test

import (
	"bytes"
	"flag"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/mutate"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

var update = flag.Bool("update", false, "write golden files anew")

// complete are requests with every field, and with values that an edit could run into: each status, integers at their
// bounds, texts without a letter or of one, times with and without an offset or a fraction.
var complete = []string{
	`{"vehicle_id":1,"code":"P0420","count":1,"description":"a","external_id":"981","last_occurred_at":"2023-03-14T13:46:27Z","name":"é","status":"open","source":"2001-01-01T00:00:00Z"}`,
	`{"vehicle_id":2,"code":"P0171","count":9223372036854775807,"description":"","external_id":"x/1","last_occurred_at":"2001-01-01T00:00:00.5-06:00","name":"\ud83d\ude97","status":"resolved","source":"\"\u0000\\"}`,
	`{"vehicle_id":4711,"code":"SPN 3226 FMI 4","count":-9223372036854775808,"description":"\n","external_id":"","last_occurred_at":"2023-03-14T23:59:59.999999999+14:00","name":"1","status":"ignored","source":"ß"}`,
}

// mutantsOf derives the mutants. They take long under the race detector, and one goroutine sends them all.
func mutantsOf(t *testing.T) []mutate.Mutant {
	t.Helper()
	if raceDetector {
		t.Skip("make test runs it without the race detector")
	}
	mutants, err := mutate.Mutants(api.Spec)
	require.NoError(t, err)
	return mutants
}

// TestDeviations shows each mutant of the engine over HTTP, and has the engine find in the answer what it must find in the
// mutant, and nothing else.
func TestDeviations(t *testing.T) {
	t.Parallel()
	mutants := mutantsOf(t)
	s := sandbox.Start(t)
	names := sandbox.Deviations()
	var shown, never []string
	for i := range mutants {
		m := &mutants[i]
		trouble := sandbox.Deviate(m.Name)
		if err := s.Sandbox.Next(trouble); err != nil {
			never = append(never, err.Error())
			continue
		}
		shown = append(shown, m.Name)
		if m.Want.Part == conformance.RequestBody || m.Want.Part == conformance.RequestHeader {
			assertShown(t, m, send(t, s, m.Exchange.Request))
			continue
		}
		header := http.Header{"Content-Type": {"application/json"}, "Authorization": {"Token " + s.Credentials.APIKey}, "Account-Token": {s.Credentials.AccountToken}}
		for i, body := range complete {
			if i > 0 {
				if !strings.HasPrefix(m.Name, "201/criterion/") {
					break // what others show does not depend on the request
				}
				require.NoError(t, s.Sandbox.Next(trouble))
			}
			assertShown(t, m, send(t, s, traffic.Message{Header: header, Body: []byte(body)}))
		}
	}
	assert.Equal(t, names, shown, "each mutant is shown, and there is nothing to show but mutants")
	golden(t, "testdata/never.golden", strings.Join(never, "\n")+"\n")
}

// assertShown compares what the engine finds with what the mutant must show. A mutant is without the request's body in its
// recording where an echo would be wrong, too: with the body, that is found besides.
func assertShown(t *testing.T, m *mutate.Mutant, ex *traffic.Exchange) {
	t.Helper()
	unrecorded := *ex
	if m.Exchange.Request.BodyOmitted {
		unrecorded.Request = traffic.Message{Header: ex.Request.Header, BodyOmitted: true}
		for _, found := range check(t, ex) {
			echo := found.Rule == "criterion" && (found.Pointer == m.Want.Pointer || m.Want.Rule == "unicode" && strings.HasSuffix(m.Name, found.Pointer))
			assert.True(t, echo || found == m.Want || slices.Contains(m.Also, found), "%s: %v, as the request was sent", m.Name, found)
		}
	}
	found := check(t, &unrecorded)
	at := slices.Index(found, m.Want)
	if assert.GreaterOrEqual(t, at, 0, "%s: %v is not among %v in %d %v %.500q", m.Name, m.Want, found, ex.Status, ex.Response.Header, ex.Response.Body) {
		others := slices.DeleteFunc(slices.Delete(found, at, at+1), func(w mutate.Want) bool { return slices.Contains(m.Also, w) })
		assert.Empty(t, others, "%s: in %d %v %.500q", m.Name, ex.Status, ex.Response.Header, ex.Response.Body)
	}
}

func check(t *testing.T, ex *traffic.Exchange) (list []mutate.Want) {
	t.Helper()
	findings, err := contract().Check(ex)
	require.NoError(t, err)
	for _, f := range findings {
		list = append(list, mutate.Want{Rule: f.Rule, Part: f.Part, Pointer: f.Pointer})
	}
	return list
}

// send makes a call, and returns it as it was seen from outside.
func send(t *testing.T, s *sandbox.Server, message traffic.Message) *traffic.Exchange {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/faults", bytes.NewReader(message.Body))
	require.NoError(t, err)
	request.Header = message.Header.Clone()
	response, err := plain.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return &traffic.Exchange{Method: http.MethodPost, URL: &url.URL{Scheme: "https", Host: "api.example", Path: "/api/v1/faults"},
		Status: response.StatusCode, Request: message, Response: traffic.Message{Header: response.Header, Body: body}}
}

var plain = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "%s; -update writes it anew", path)
}
