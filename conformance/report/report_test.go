package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/report"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

var update = flag.Bool("update", false, "write the golden files anew")

func finding(rule, pointer string, basis conformance.Basis, exchange string) conformance.Finding {
	f := conformance.Finding{
		Rule: rule, Part: conformance.ResponseBody, Pointer: pointer, Spec: conformance.Location{Pointer: "/a/b", Line: 7},
		Message: "expected at least 1, found <0>", Basis: basis, Exchange: exchange, Operation: "createFault", Status: 201,
		Fingerprint: "0123-" + rule,
	}
	if basis == conformance.Assumed {
		f.Reason = "No page says so."
	}
	return f
}

func sample(t *testing.T) *report.Report {
	t.Helper()
	r := report.New()
	ex := &traffic.Exchange{Status: 201}
	add := func(findings []conformance.Finding, err error) { require.NoError(t, r.Add(ex, findings, err)) }
	add(nil, nil)
	add([]conformance.Finding{
		finding("minimum", "/id", conformance.Documented, "a.har#/log/entries/1"),
		finding("required", "/na\nme\x1b[2J ü", conformance.Assumed, "a\n.har#/log/entries/1"),
	}, nil)
	add([]conformance.Finding{finding("minimum", "/id", conformance.Documented, "b.har#/log/entries/0")}, nil)
	add(nil, conformance.ErrNoOperation)
	add(nil, conformance.ErrNoAnswer)
	ex.Request.BodyOmitted, ex.Response.BodyOmitted, ex.Request.HeaderOmitted = true, true, true
	add(nil, nil)
	return r
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "%s; -update writes it anew", path)
}

func TestWrite(t *testing.T) {
	t.Parallel()
	var text, data, empty bytes.Buffer
	r := sample(t)
	require.NoError(t, r.WriteText(&text, "api/openapi.yaml"))
	golden(t, "findings.txt", text.Bytes())
	require.NoError(t, r.WriteJSON(&data))
	golden(t, "findings.json", data.Bytes())

	require.NoError(t, report.New().WriteJSON(&empty))
	var shape map[string]any
	require.NoError(t, json.Unmarshal(empty.Bytes(), &shape))
	assert.Equal(t, []any{}, shape["findings"], "never null")
	assert.Equal(t, false, shape["summary"].(map[string]any)["conforms"], "an empty run is no pass")
}

func TestWriteTextOfAPass(t *testing.T) {
	t.Parallel()
	r := report.New()
	require.NoError(t, r.Add(&traffic.Exchange{}, nil, nil))
	var text bytes.Buffer
	require.NoError(t, r.WriteText(&text, "api/openapi.yaml"))
	assert.Equal(t, "1 exchange judged: conforms\n", text.String())
}

func TestAddKeepsOtherErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	r := report.New()
	require.ErrorIs(t, r.Add(&traffic.Exchange{}, nil, broken), broken)
	assert.Zero(t, r.Exchanges)
}

// TestJSONShape holds the keys that programs read.
func TestJSONShape(t *testing.T) {
	t.Parallel()
	findings := judgeOne(t)
	var data bytes.Buffer
	r := report.New()
	require.NoError(t, r.Add(&traffic.Exchange{}, findings, nil))
	require.NoError(t, r.WriteJSON(&data))
	var shape struct {
		Exchanges int
		Findings  []map[string]any
		Summary   map[string]any
	}
	require.NoError(t, json.Unmarshal(data.Bytes(), &shape))
	require.Len(t, shape.Findings, 1)
	assert.ElementsMatch(t, []string{"rule", "part", "pointer", "spec", "message", "basis", "exchange", "operation",
		"status", "fingerprint"}, keys(shape.Findings[0]))
	assert.ElementsMatch(t, []string{"pointer", "line"}, keys(shape.Findings[0]["spec"].(map[string]any)))
}

func judgeOne(t *testing.T) []conformance.Finding {
	t.Helper()
	contract, err := conformance.Load(api.Spec)
	require.NoError(t, err)
	for ex, err := range traffic.ReadPaths(nil, "../testdata/recordings/duplicate-key.har") {
		require.NoError(t, err)
		findings, err := contract.Check(ex)
		require.NoError(t, err)
		return findings
	}
	return nil
}

func keys(m map[string]any) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	return names
}

// TestListIsBounded counts what it does not list.
func TestListIsBounded(t *testing.T) {
	t.Parallel()
	r := report.New()
	for i := range 1500 {
		exchange := fmt.Sprintf("a.har#/log/entries/%d", i)
		findings := []conformance.Finding{finding("minimum", "/id", conformance.Documented, exchange),
			finding("minimum", "/id", conformance.Documented, exchange)}
		require.NoError(t, r.Add(&traffic.Exchange{}, findings, nil))
	}
	assert.Len(t, r.Findings, 1000)
	assert.Equal(t, 3000, r.Summary.Findings)
	assert.Equal(t, 2000, r.Summary.Unlisted)
	var text bytes.Buffer
	require.NoError(t, r.WriteText(&text, "api/openapi.yaml"))
	assert.Contains(t, text.String(), "and 1499 more exchanges")
	assert.Contains(t, text.String(), "2000 findings not listed")
}
