package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/probe"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// unreachable are the claims that no request to the sandbox observes, by the end of their IDs, with the reasons.
var unreachable = map[string]string{
	"InternalServerError":                     "no request provokes a server error",
	"TooManyRequests":                         "no single request is too many",
	"RateLimited":                             "no single request is too many",
	"Fault/properties/vehicle_id/nullable":    "a request needs a vehicle",
	"Fault/properties/fault_rule_id/nullable": "the sandbox accepts no code without a rule",
	"Fault/properties/idempotency_key/type":   "no page has a way to send one",
}

// TestProbeSandbox is the bar of the probe: within the limits of the flags, it observes every claim that a request can reach.
func TestProbeSandbox(t *testing.T) {
	t.Parallel()
	p := probing{verdict: verdict{spec: mustLoad(t)}, options: probe.Options{MaxRequests: 40, MaxCreates: 10, Seed: 1}}
	started := time.Now()
	plan, err := p.plan()
	require.NoError(t, err)
	result := runSandbox(t, plan, func(h http.Handler) http.Handler { return h })
	elapsed := time.Since(started)
	t.Logf("%d requests in %v; %d of %d claims observed", len(result.Outcomes), elapsed, result.Report.Summary.Observed, result.Report.Summary.Claims)
	assert.LessOrEqual(t, len(result.Outcomes), 40)
	assert.Empty(t, result.Problems)
	assert.Empty(t, result.Unsent)
	assert.Zero(t, result.Report.Summary.Findings)
	used := map[string]bool{}
	for _, e := range result.Report.Claims {
		if e.State != conformance.Unobserved {
			continue
		}
		known := false
		for part := range unreachable {
			if strings.Contains(e.ID, "/"+part) {
				known, used[part] = true, true
			}
		}
		assert.True(t, known, "not observed: %s", e.ID)
	}
	for part := range unreachable {
		assert.True(t, used[part], "observed: %s", part)
	}
}

func mustLoad(t *testing.T) *spec {
	t.Helper()
	s, err := new(console).loadSpec("")
	require.NoError(t, err)
	return s
}

// runSandbox runs a plan against the sandbox of the command, whose handler is wrapped.
func runSandbox(t *testing.T, plan *probe.Plan, wrap func(http.Handler) http.Handler) *probe.Result {
	t.Helper()
	var target probe.Target
	server, err := startSandbox(&target)
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Close() })
	target.Transport = inProcess{wrap(server.Handler)}
	result, err := plan.Run(t.Context(), target)
	require.NoError(t, err)
	return result
}

// inProcess is a transport without a network.
type inProcess struct{ http.Handler }

func (h inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), nil
}

// TestProbeFindsMutants has the sandbox accept what one claim about requests forbids, one claim after the other.
func TestProbeFindsMutants(t *testing.T) {
	t.Parallel()
	contract := mustLoad(t).contract
	inseparable, err := os.ReadFile("../../internal/mutate/testdata/api.unbreakable.golden")
	require.NoError(t, err)
	p := probing{verdict: verdict{spec: mustLoad(t)}, options: probe.Options{Seed: 1}}
	plan, err := p.plan()
	require.NoError(t, err)
	all := 0
	var missed []string
	for _, claim := range contract.Claims() {
		if !strings.HasPrefix(string(claim.Part), "request.") || strings.Contains(string(inseparable), claim.ID+": ") {
			continue // no request violates it
		}
		all++
		result := runSandbox(t, plan, func(h http.Handler) http.Handler { return accepting(contract, claim, h) })
		if !slices.ContainsFunc(result.Outcomes, func(o probe.Outcome) bool { return o.Failed() }) {
			missed = append(missed, claim.ID)
		}
	}
	t.Logf("%d mutants, %d missed", all, len(missed))
	assert.Greater(t, all, 40)
	assert.LessOrEqual(t, float64(len(missed)), 0.05*float64(all), "missed: %q", missed)
}

// accepting has a sandbox accept the requests that violate a claim.
func accepting(contract *conformance.Contract, claim conformance.Claim, h http.Handler) http.Handler {
	box, _ := h.(*sandbox.Sandbox)
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		findings, err := contract.Check(&traffic.Exchange{Method: r.Method, URL: r.URL, Status: http.StatusCreated,
			Request:  traffic.Message{Header: r.Header, Body: body},
			Response: traffic.Message{HeaderOmitted: true, BodyOmitted: true}})
		isViolated := func(f conformance.Finding) bool {
			return f.Claim == claim.ID || claim.Rule == "media-type" && f.Rule == claim.Rule && f.Part == claim.Part
		}
		if err == nil && slices.ContainsFunc(findings, isViolated) {
			switch {
			case claim.Part == conformance.RequestPath:
				r.URL.Path = "/api/v1/faults/1"
			case claim.Part == conformance.RequestQuery:
				r.URL.RawQuery = ""
			case claim.Rule == "media-type":
				r.Header.Set("Content-Type", "application/json")
			default:
				_ = box.InjectNext(sandbox.Edit("accept"))
			}
		}
		h.ServeHTTP(w, r)
	})
}

func TestProbeCommand(t *testing.T) { //nolint:tparallel // in this order
	t.Parallel()
	box := sandbox.Start(t)
	var requests []string
	var mu sync.Mutex
	to, err := url.Parse(box.URL)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(to)
	accepts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		requests = append(requests, r.Method+" "+r.URL.Path)
		mu.Unlock()
		_ = box.Sandbox.InjectNext(sandbox.Edit("accept"))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(accepts.Close)
	keys := write(t, "keys.env", envAPIKey+"="+box.Credentials.APIKey+"\n"+envToken+"="+box.Credentials.AccountToken+"\n")
	recording := filepath.Join(t.TempDir(), "probe.ndjson")
	for _, test := range []struct {
		name    string
		args    []string
		code    int
		out     []string
		err     []string
		without string
	}{
		{name: "plan", args: []string{"probe", "--plan", "--base-url", "https://secure.fleetio.com", "--live",
			"--set", "createFault/request/vehicle_id=7", "--set", "createFault/request/code=P1"}, code: exitConforms,
			out: []string{"40 requests, which make ", "the limit is 40 requests", "createFault/valid/full"}},
		{name: "sandbox", args: []string{"probe", "--max-requests", "0"}, code: exitConforms, out: []string{"exchanges checked: conforms"}},
		{name: "few", args: []string{"probe", "--max-requests", "3", "--seed", "2"}, code: exitConforms, out: []string{"3 exchanges checked"}, err: []string{"the limit is 3 requests"}},
		{name: "records", args: []string{"probe", "--max-requests", "0", "--max-creates", "1"}, code: exitConforms, err: []string{"the limit is 1 records"}},
		{name: "local", args: []string{"probe", "--base-url", box.URL, "--credentials", keys, "--record", recording}, code: exitConforms, out: []string{"exchanges checked: conforms"}},
		{name: "replay", args: []string{"replay", "--base-url", box.URL, "--credentials", keys, recording}, code: exitConforms, out: []string{"exchanges checked: conforms"}},
		{name: "replay of findings", args: []string{"replay", "--findings", recording}, code: exitNotRun, err: []string{"no request to send"}},
		{name: "accepts all", args: []string{"probe", "--base-url", accepts.URL, "--credentials", keys, "--max-requests", "0", "--max-creates", "4"}, code: exitFindings,
			out: []string{"--- problems ---", "accepted with 201 although it violates the contract"},
			err: []string{"leaked: the server has made a record that it should not have: ", "curl --include", `"${FLEETIO_API_KEY:?}"`, "4 records were made, which is the limit"}, without: box.Credentials.APIKey},
		{name: "test", args: []string{"test", "--max-requests", "0", recordings + "conformant-minimal.har"}, code: exitConforms, out: []string{"recordings  1 files", "verdict     conforms"}},
		{name: "test of a bad recording", args: []string{"test", recordings + "minimum.har"}, code: exitFindings, out: []string{"documented claims refuted"}},
		{name: "not live", args: []string{"probe", "--base-url", "https://secure.fleetio.com"}, code: exitNotRun, err: []string{"--live"}},
		{name: "unencrypted", args: []string{"probe", "--live", "--base-url", "http://sandbox.test"}, code: exitNotRun, err: []string{"--insecure-http"}},
		{name: "no fixtures", args: []string{"probe", "--plan", "--live", "--base-url", "https://secure.fleetio.com"}, code: exitNotRun, err: []string{"createFault/request/code and createFault/request/vehicle_id"}},
		{name: "wrong place", args: []string{"probe", "--set", "createFault/request/colour=red"}, code: exitNotRun, err: []string{"createFault/request/colour"}},
		{name: "no value", args: []string{"probe", "--set", "x"}, code: exitNotRun, err: []string{"PLACE=VALUE"}},
		{name: "no URL", args: []string{"probe", "--base-url", "127.0.0.1:80"}, code: exitNotRun, err: []string{"--base-url"}},
		{name: "negative", args: []string{"probe", "--rate", "-1"}, code: exitNotRun, err: []string{"from 0"}},
	} {
		t.Run(test.name, func(t *testing.T) { //nolint:paralleltest // in this order
			code, out, errOut := fleetio("", test.args...)
			assert.Equal(t, test.code, code, "%s", errOut)
			for _, text := range test.out {
				assert.Contains(t, out, text)
			}
			for _, text := range test.err {
				assert.Contains(t, errOut, text)
			}
			if test.without != "" {
				assert.NotContains(t, out+errOut, test.without)
			}
		})
	}
	text, err := os.ReadFile(recording)
	require.NoError(t, err)
	assert.NotContains(t, string(text), box.Credentials.APIKey)
	assert.NotContains(t, string(text), box.Credentials.AccountToken)
	assert.Greater(t, strings.Count(string(text), "\n"), 30)
	assert.NotEmpty(t, requests)
}

// TestProbeInterrupted has a report of what was sent.
func TestProbeInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	box := sandbox.Start(t, sandbox.WithHandler(func(h http.Handler) http.Handler {
		n := 0
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n++; n == 5 {
				cancel()
			}
			h.ServeHTTP(w, r)
		})
	}))
	keys := write(t, "keys.env", fmt.Sprintf("%s=%s\n%s=%s\n", envAPIKey, box.Credentials.APIKey, envToken, box.Credentials.AccountToken))
	var out, errOut strings.Builder
	code := run(ctx, []string{"probe", "--base-url", box.URL, "--credentials", keys}, &console{stdout: &out, stderr: &errOut, now: someDay})
	assert.Equal(t, exitNotRun, code)
	assert.Contains(t, out.String(), "5 exchanges checked")
	assert.Contains(t, errOut.String(), "35 left out, as interrupted")
}
