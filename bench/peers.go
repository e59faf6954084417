package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// knownFile lists the differences: the peer, the difference, "because" and the reason. An asterisk stands for anything
// without a slash.
const knownFile = "peers.txt"

// account is the one of the sandbox that all peers use.
var account = sandbox.DefaultFixtures().Accounts[0]

// peers has this project probe the mock servers of the peers, and the peers test the sandbox. A difference that is not
// known, and a known one that is gone, is an error.
func peers(ctx context.Context) error {
	if err := os.MkdirAll(resultsFolder, 0o755); err != nil {
		return err
	}
	var found []string // peer and difference
	var failed []error
	for _, peer := range []struct {
		name string
		find func(context.Context) ([]string, error)
	}{
		{"prism-mock", func(ctx context.Context) ([]string, error) { return probeMock(ctx, "prism", "mock", specFile) }},
		{"specmatic-stub", func(ctx context.Context) ([]string, error) {
			return probeMock(ctx, "specmatic", "stub", specFile, "--host", "127.0.0.1")
		}},
		{"prism-proxy", prismTest},
		{"portman", portmanTest},
		{"specmatic-test", specmaticTest},
		{"redocly-respect", respectTest},
	} {
		differences, err := peer.find(ctx)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", peer.name, err))
		}
		slices.Sort(differences)
		for _, d := range slices.Compact(differences) {
			found = append(found, peer.name+" "+d)
		}
		fmt.Printf("%s: %d differences\n", peer.name, len(slices.Compact(differences)))
	}
	data, err := os.ReadFile(knownFile)
	if err != nil {
		return err
	}
	unknown := slices.Clone(found)
	for line := range strings.Lines(string(data)) {
		pattern, reason, isKnown := strings.Cut(strings.TrimSpace(line), " because ")
		if pattern == "" || strings.HasPrefix(pattern, "#") {
			continue
		}
		if !isKnown || reason == "" {
			failed = append(failed, fmt.Errorf("%s: %s: no reason", knownFile, pattern))
		}
		matches := func(d string) bool { ok, err := path.Match(pattern, d); return ok && err == nil }
		if !slices.ContainsFunc(found, matches) {
			failed = append(failed, fmt.Errorf("%s: no such difference any more: %s", knownFile, pattern))
		}
		unknown = slices.DeleteFunc(unknown, matches)
	}
	for _, d := range unknown {
		failed = append(failed, fmt.Errorf("a difference that %s does not list: %s", knownFile, d))
	}
	return errors.Join(failed...)
}

// probe runs fleetio probe, and returns its failed cases with the status.
func probe(ctx context.Context, url string, args ...string) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"run", "./cmd/fleetio", "probe", "--base-url", url, "--max-requests", "0", "--max-creates", "0"}, args...)...)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "FLEETIO_API_KEY="+account.APIKeys[0].Key, "FLEETIO_ACCOUNT_TOKEN="+account.Token)
	output, err := cmd.CombinedOutput()
	if errors.As(err, new(*exec.ExitError)) && strings.Contains(string(output), " exchanges checked:") {
		err = nil // it has findings
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, output)
	}
	return regexp.MustCompile(`(?m)^[A-Za-z]+/\S+: \d+$`).FindAllString(string(output), -1), nil
}

func probeMock(ctx context.Context, name string, args ...string) ([]string, error) {
	url, stop, err := servePeer(ctx, name, args...)
	if err != nil {
		return nil, err
	}
	defer stop()
	return probe(ctx, url)
}

// startSandbox starts a sandbox for one peer.
func startSandbox() (*httptest.Server, error) {
	handler, err := sandbox.New()
	if err != nil {
		return nil, err
	}
	return httptest.NewServer(handler), nil
}

var responseViolation = regexp.MustCompile(`"location":\["response"(?:,"(\w+)")?[^]]*\],"severity":"\w+"(?:,"code":"([\w-]*)")?`)

// prismTest probes the sandbox through Prism's proxy, and returns what Prism says of the responses.
func prismTest(ctx context.Context) (differences []string, err error) {
	server, err := startSandbox()
	if err != nil {
		return nil, err
	}
	defer server.Close()
	url, stop, err := servePeer(ctx, "prism", "proxy", specFile, server.URL, "--verboseLevel", "silent")
	if err != nil {
		return nil, err
	}
	defer stop()
	recording, err := filepath.Abs(filepath.Join(resultsFolder, "prism.ndjson"))
	if err != nil {
		return nil, err
	}
	if differences, err = probe(ctx, url, "--record", recording); err != nil {
		return nil, err
	}
	for ex, err := range traffic.Read(ctx, nil, recording) {
		if err != nil {
			return nil, err
		}
		// The header may be cut off, and has no credentials any more, so that it is no JSON. The probe sends invalid requests on
		// purpose.
		for _, match := range responseViolation.FindAllStringSubmatch(ex.Response.Header.Get("Sl-Violations"), -1) {
			differences = append(differences, strings.TrimSpace(fmt.Sprintf("%s %d %s %s", ex.Method, ex.Status, match[1], match[2])))
		}
	}
	return differences, nil
}

// test runs a peer that tests a sandbox, and returns the matches of the first group in what it prints. done is in the
// output of a complete run.
func test(ctx context.Context, done, pattern, name string, args func(url string) []string) ([]string, error) {
	server, err := startSandbox()
	if err != nil {
		return nil, err
	}
	defer server.Close()
	output, err := runPeer(ctx, name, args(server.URL)...)
	if err != nil || !strings.Contains(output, done) {
		return nil, fmt.Errorf("it did not run to its end: %w: %s", err, output)
	}
	var differences []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(output, -1) {
		differences = append(differences, strings.Split(match[1], ", ")...)
	}
	return differences, nil
}

func portmanTest(ctx context.Context) ([]string, error) {
	header := func(name, value string) map[string]any {
		return map[string]any{"key": name, "value": value, "overwrite": true, "insert": true}
	}
	enabled, every := map[string]bool{"enabled": true}, "*::/*"
	settings, err := json.Marshal(map[string]any{"version": 1,
		"tests": map[string]any{"contractTests": []any{map[string]any{"openApiOperation": every, "statusSuccess": enabled, "contentType": enabled,
			"jsonBody": enabled, "schemaValidation": enabled, "headersPresent": enabled}}},
		"overwrites": []any{map[string]any{"openApiOperation": every, "overwriteRequestHeaders": []any{
			header("Authorization", "Token "+account.APIKeys[0].Key), header("Account-Token", account.Token)}}}})
	if err != nil {
		return nil, err
	}
	config := filepath.Join(resultsFolder, "portman.json")
	if err := os.WriteFile(config, settings, 0o600); err != nil {
		return nil, err
	}
	return test(ctx, "assertions", `Newman run failed with: *\n(.+)`, "portman", func(url string) []string {
		return []string{"-l", specFile, "-b", url, "-c", config, "-o", filepath.Join(resultsFolder, "collection.json"), "--runNewman"}
	})
}

func specmaticTest(ctx context.Context) ([]string, error) {
	for name, value := range map[string]string{"apiKey": "Token " + account.APIKeys[0].Key, "accountToken": account.Token} {
		if err := os.Setenv(name, value); err != nil { // named as the security schemes
			return nil, err
		}
	}
	return test(ctx, "Tests run:", `(?m)^Scenario: (.+) has FAILED$`, "specmatic", func(url string) []string {
		return []string{"test", specFile, "--testBaseURL=" + url}
	})
}

// respectTest runs respect.yaml, which has the credentials of the account.
func respectTest(ctx context.Context) ([]string, error) {
	return test(ctx, "Summary for", `stepId - (\S+)`, "redocly", func(url string) []string {
		return []string{"respect", "respect.yaml", "-S", "openapi=" + url}
	})
}
