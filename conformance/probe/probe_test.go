package probe_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/internal/testspec"
	"github.com/fleetcontract/fleetio-go/conformance/probe"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

func load(t *testing.T) *conformance.Contract {
	t.Helper()
	contract, err := conformance.Load(testspec.Spec)
	require.NoError(t, err)
	return contract
}

var keys = map[string]string{"apiKey": "Token right-4c2a", "accountToken": "right-9e1f"}

func TestLimits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name              string
		requests, creates int
		sent, made        int
	}{
		{"none", 0, 0, 38, 6}, {"requests", 10, 0, 10, 4}, {"records", 0, 1, 33, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			plan, err := probe.New(load(t), probe.Options{MaxRequests: test.requests, MaxCreates: test.creates})
			require.NoError(t, err)
			assert.Len(t, plan.Cases, test.sent)
			assert.Equal(t, test.made, plan.Creates())
			assert.Equal(t, "createFault/valid/full", plan.Cases[0].Name, "it observes most")
		})
	}
}

func TestTargetErrors(t *testing.T) {
	t.Parallel()
	plan, err := probe.New(load(t), probe.Options{MaxRequests: 1})
	require.NoError(t, err)
	for _, test := range []struct {
		target probe.Target
		err    string
	}{
		{probe.Target{URL: "localhost", Credentials: keys}, "base URL"},
		{probe.Target{URL: "http://u:p@localhost", Credentials: keys}, "base URL"},
		{probe.Target{URL: "http://localhost"}, "security scheme"},
	} {
		_, err := plan.Run(t.Context(), test.target)
		require.ErrorContains(t, err, test.err)
	}
}

// TestReplay sends what was recorded, with other credentials, but not those that were wrong.
func TestReplay(t *testing.T) {
	t.Parallel()
	var arrived []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		arrived = append(arrived, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization")+" "+r.Header.Get("Account-Token")+" "+string(body))
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(server.Close)
	recorded := func(status int, header http.Header) *traffic.Exchange {
		return &traffic.Exchange{Source: "x.har#1", Method: http.MethodPost, URL: &url.URL{Scheme: "https", Host: "secure.fleetio.com", Path: "/api/v1/faults"},
			Status: status, Request: traffic.Message{Header: header, Body: []byte(`{}`)}}
	}
	omitted := recorded(http.StatusCreated, http.Header{})
	omitted.Request.BodyOmitted = true
	plan := probe.Replay(load(t), []*traffic.Exchange{
		recorded(http.StatusCreated, http.Header{"Authorization": {"Token [redacted]"}, "Account-Token": {"old"}, "Content-Length": {"99"}}),
		recorded(http.StatusUnauthorized, http.Header{"Authorization": {"Token [redacted]"}}),
		omitted,
	})
	assert.Len(t, plan.Omitted, 1)
	result, err := plan.Run(t.Context(), probe.Target{URL: server.URL + "/", Credentials: keys})
	require.NoError(t, err)
	assert.Equal(t, []string{
		"POST /api/v1/faults Token right-4c2a right-9e1f {}",
		"POST /api/v1/faults fleetio-probe-wrong  {}",
	}, arrived)
	assert.Equal(t, 2, result.Report.Exchanges)
	assert.NotContains(t, strings.Join(result.Problems, "\n"), "right-")
}

// TestSilentServer ends a run when the server does not respond.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(server.Close)
	plan, err := probe.New(load(t), probe.Options{})
	require.NoError(t, err)
	result, err := plan.Run(t.Context(), probe.Target{URL: server.URL, Credentials: keys})
	require.NoError(t, err)
	assert.Len(t, result.Problems, 3)
	assert.Equal(t, "the server does not respond", result.Unsent[0].Reason)
}
