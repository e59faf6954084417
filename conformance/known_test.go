package conformance_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/internal/testspec"
	"github.com/fleetcontract/fleetio-go/conformance/known"
)

func day(text string) time.Time {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return at
}

// deviating returns a report of exchanges with many deviations.
func deviating(t testing.TB) *conformance.Report {
	t.Helper()
	ledger := loadContract(t).NewLedger()
	for range 2 {
		ex := exchange(t, 201, request, string(testspec.Fault(func(f map[string]any) {
			f["id"], f["fault_rule_id"], f["status"], f["extra"] = 0, 0, nil, 1
			f["last_occurred_at"], f["count"] = "yesterday", 1.5
		})))
		ex.Response.Header.Set("X-New", "1")
		ex.Response.Header.Set("Location", "/api/v1/faults/0")
		_, err := ledger.Add(ex)
		require.NoError(t, err)
	}
	for _, response := range []struct {
		status int
		body   string
	}{{401, `{"status":401.0,"title":"x"}`}, {422, `{"errors":{"a":["b",1],"7":[2]}}`}, {404, `{}`}} {
		_, err := ledger.Add(exchange(t, response.status, request, response.body))
		require.NoError(t, err)
	}
	return ledger.Report()
}

func rules(r *conformance.Report, known bool) []string {
	list := []string{}
	for _, k := range r.Deviations {
		if (k.Known != "") == known && k.Source != conformance.Note {
			list = append(list, k.Rule+" "+k.Pointer)
		}
	}
	return list
}

func apply(t testing.TB, r *conformance.Report, lines ...string) ([]string, error) {
	t.Helper()
	list, err := known.Read(strings.NewReader(strings.Join(lines, "\n")), "known.txt")
	require.NoError(t, err)
	return r.ApplyKnown(list, day("2026-01-01"))
}

// TestApplyKnown applies each selector to the same deviations.
func TestApplyKnown(t *testing.T) {
	t.Parallel()
	before := deviating(t)
	all := rules(before, false)
	var minimum string
	for _, k := range before.Deviations {
		if k.Pointer == "/fault_rule_id" {
			minimum = k.Fingerprint
		}
	}
	for name, row := range map[string]struct {
		lines []string
		known []string
		stale []string // in the problems
	}{
		"fingerprint":         {[]string{"fingerprint " + minimum}, []string{"minimum /fault_rule_id"}, nil},
		"rule":                {[]string{"rule minimum"}, []string{"minimum /id", "minimum /fault_rule_id"}, nil},
		"rule and pointer":    {[]string{"rule minimum pointer /fault_rule_id"}, []string{"minimum /fault_rule_id"}, nil},
		"pointer":             {[]string{"pointer /last_occurred_at"}, []string{"format /last_occurred_at"}, nil},
		"glob in a token":     {[]string{"pointer /*_id rule minimum"}, []string{"minimum /fault_rule_id"}, nil},
		"position in a list":  {[]string{"pointer /errors/a/7"}, []string{"type /errors/a/1"}, nil},
		"glob of tokens":      {[]string{"rule type pointer /errors/**"}, []string{"type /errors/a/1", "type /errors/7/0"}, nil},
		"claim":               {[]string{"claim response.body#/components/schemas/Fault/properties/*/minimum"}, []string{"minimum /id", "minimum /fault_rule_id"}, nil},
		"claim, any depth":    {[]string{"claim **/FaultStatus/nullable"}, []string{"nullable /status"}, nil},
		"operation, status":   {[]string{"rule type operation createFault status 422"}, []string{"type /errors/a/1", "type /errors/7/0"}, nil},
		"drift":               {[]string{"rule undocumented-property pointer /extra", "rule undocumented-header pointer /X-*", "status 404 rule status"}, []string{"undocumented-property /extra", "undocumented-header /X-New", "status "}, nil},
		"nullable by type":    {[]string{"rule nullable pointer /id"}, nil, []string{"known.txt:1: the known failure matched nothing: delete the line, or correct it: rule nullable pointer /id because of that"}},
		"both match, one not": {[]string{"rule minimum", "fingerprint " + minimum, "rule maxLength"}, []string{"minimum /id", "minimum /fault_rule_id"}, []string{"known.txt:3: the known failure matched nothing"}},
		"never observed": {[]string{"pointer /Retry-After", "claim **/429/headers/** rule minimum", "rule undocumented-property status 500"}, nil,
			[]string{"known.txt:1: the known failure matched nothing", "known.txt:2: the known failure matched nothing", "known.txt:3: the known failure matched nothing"}},
		"observed, other status": {[]string{"rule undocumented-property status 422"}, nil, []string{"matched nothing"}},
		"unknown fingerprint":    {[]string{"fingerprint 0123456789abcdef"}, nil, []string{"matched nothing"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := deviating(t)
			for i := range row.lines {
				row.lines[i] += " because of that"
			}
			problems, err := apply(t, r, row.lines...)
			require.NoError(t, err)
			require.Len(t, problems, len(row.stale), "%q", problems)
			for i, want := range row.stale {
				assert.Contains(t, problems[i], want)
			}
			assert.ElementsMatch(t, row.known, rules(r, true))
			assert.Len(t, rules(r, false), len(all)-len(row.known))
			balance(t, before, r)
		})
	}
}

// balance checks that each finding that left a list and a count is in another.
func balance(t *testing.T, before, after *conformance.Report) {
	t.Helper()
	a, b := before.Summary, after.Summary
	assert.Equal(t, a.Documented+a.Assumed+a.Drift, b.Documented+b.Assumed+b.Drift+b.Known)
	assert.Equal(t, b.Documented+b.Assumed, b.Findings)
	assert.Equal(t, b.Findings == 0, b.Conforms)
	assert.Equal(t, a.Unlisted, b.Unlisted)
	assert.Equal(t, a.Deviating, b.Deviating)
	assert.Equal(t, before.Claims, after.Claims)
	assert.Equal(t, before.Notes, after.Notes)
	assert.ElementsMatch(t, append(append([]conformance.Finding{}, before.Findings...), before.Drift...),
		append(append(append([]conformance.Finding{}, after.Findings...), after.Drift...), after.Known...))
	n := map[string]int{}
	for _, k := range after.Deviations {
		if k.Known != "" {
			n["known"] += k.Findings
		} else {
			n[string(k.Source)] += k.Findings
		}
	}
	assert.Equal(t, map[string]int{"known": b.Known, "documented": b.Documented, "assumed": b.Assumed, "drift": b.Drift, "note": b.Notes},
		map[string]int{"known": n["known"], "documented": n["documented"], "assumed": n["assumed"], "drift": n["drift"], "note": n["note"]})
}

func TestApplyKnownReasons(t *testing.T) {
	t.Parallel()
	r := deviating(t)
	problems, err := r.ApplyKnown([]known.Failure{{Rule: "minimum", Reason: "of one"}, {File: "made.go", Line: 3, Rule: "minimum"}}, day("2026-01-01"))
	require.ErrorContains(t, err, "made.go:3: a known failure needs a reason")
	assert.Nil(t, problems)
	assert.Empty(t, rules(r, true), "an error leaves the report alone")
	_, err = apply(t, r, "rule minimum pointer /id because of one", "rule minimum because of two")
	require.NoError(t, err)
	reasons := map[string]string{}
	for _, k := range r.Deviations {
		reasons[k.Pointer] = k.Known
	}
	assert.Equal(t, "of one", reasons["/id"])
	assert.Equal(t, "of two", reasons["/fault_rule_id"])
	_, err = apply(t, r, "rule minimum because of two")
	require.EqualError(t, err, "known failures were applied to this report before")
}

func TestKnownConforms(t *testing.T) {
	t.Parallel()
	r := deviating(t)
	problems, err := apply(t, r, "pointer /** because of all", "rule undocumented-property because of all",
		"rule undocumented-header because of all", "rule status because of all")
	require.NoError(t, err)
	assert.Empty(t, problems)
	assert.True(t, r.Summary.Conforms)
	assert.Empty(t, r.Findings)
	assert.Empty(t, r.Drift)
	assert.NotEmpty(t, r.Notes)
}

func TestKnownExpires(t *testing.T) {
	t.Parallel()
	const line = "rule minimum until 2026-06-30 because of that"
	for name, row := range map[string]struct {
		today   time.Time
		expired bool
	}{
		"before":                  {day("2026-01-01"), false},
		"the last day":            {day("2026-06-30").Add(24*time.Hour - time.Nanosecond), false},
		"the next":                {day("2026-07-01"), true},
		"the next, not yet there": {time.Date(2026, 7, 1, 1, 0, 0, 0, time.FixedZone("east", 2*3600)), false},
		"the last, past there":    {time.Date(2026, 6, 30, 23, 0, 0, 0, time.FixedZone("west", -2*3600)), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := deviating(t)
			list, err := known.Read(strings.NewReader(line+"\nrule minimum pointer /id because it stays"), "known.txt")
			require.NoError(t, err)
			problems, err := r.ApplyKnown(list, row.today)
			require.NoError(t, err)
			if !row.expired {
				assert.Empty(t, problems)
				assert.Len(t, rules(r, true), 2)
				return
			}
			assert.Equal(t, []string{"known.txt:1: the known failure expired on 2026-06-30: rule minimum because of that"}, problems)
			assert.Equal(t, []string{"minimum /id"}, rules(r, true))
		})
	}
}

// TestKnownUnlisted has a known failure with more findings than the report lists.
func TestKnownUnlisted(t *testing.T) {
	t.Parallel()
	ledger := loadContract(t).NewLedger()
	body := string(testspec.Fault(func(f map[string]any) { f["fault_rule_id"] = 0 }))
	const n = 1200
	for range n {
		_, err := ledger.Add(exchange(t, 201, request, body))
		require.NoError(t, err)
	}
	r := ledger.Report()
	unlisted := r.Summary.Unlisted
	require.Positive(t, unlisted)
	problems, err := apply(t, r, "rule minimum because of that")
	require.NoError(t, err)
	assert.Empty(t, problems)
	assert.Equal(t, n, r.Summary.Known)
	assert.Equal(t, unlisted, r.Summary.Unlisted)
	assert.Len(t, r.Known, n-unlisted)
	assert.True(t, r.Summary.Conforms)
}

func ExampleReport_ApplyKnown() {
	contract, err := conformance.Load(testspec.Spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	report := contract.NewLedger().Report() // without any traffic
	list, err := known.Read(strings.NewReader(`
# The vendor's own example has 0 where its page says at least 1.
rule minimum pointer /fault_rule_id until 2027-01-31 because ticket 123 asks the vendor
`), "known.txt")
	if err != nil {
		fmt.Println(err)
		return
	}
	problems, err := report.ApplyKnown(list, time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
	fmt.Println(strings.Join(problems, "\n"), err)
	// Output:
	// known.txt:3: the known failure matched nothing: delete the line, or correct it: rule minimum pointer /fault_rule_id because ticket 123 asks the vendor <nil>
}
