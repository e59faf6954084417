package mutate

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// inexpressible says which rules a [fleetio.FaultCreate] cannot break, so that there is nothing to check.
var inexpressible = map[string]string{
	"type":     "a Go field has its type",
	"nullable": "a pointer that is nil is not sent",
	"format":   "an int64 and a time that is written have their format",
	"body":     "there is always a body",
	"json":     "the body is encoded",
	// A name can be twice in JSON only. A text that is not UTF-8 can be in Go, but is no longer when a mutant is decoded:
	// TestChecksAtTheLimits has one.
	"duplicate-key": "a struct has each field once",
	"unicode":       "decoding repairs it",
}

// TestGeneratedChecks shows the checks each mutant of the spec's requests that a Go value can be: they must find
// what the checker finds, in the same field by the same rule, and no more. What the checker accepts they must accept.
func TestGeneratedChecks(t *testing.T) {
	t.Parallel()
	contract, err := conformance.Load(api.Spec)
	require.NoError(t, err)
	mutants, err := apiMutants()
	require.NoError(t, err)
	seen, conform := map[string]int{}, 0
	for _, m := range mutants {
		// A bad request that was refused is no deviation.
		if m.Exchange.Status != http.StatusCreated || m.Exchange.Request.BodyOmitted || m.Exchange.Request.Body == nil {
			continue
		}
		findings, err := contract.Check(m.Exchange)
		require.NoError(t, err)
		var reported []string // findings in the request's body
		expressible, inJSON := true, true
		for _, f := range findings {
			if f.Part == conformance.RequestBody && f.Fails() {
				reported = append(reported, strings.TrimPrefix(f.Pointer, "/")+" "+f.Rule)
				expressible = expressible && inexpressible[f.Rule] == ""
			}
		}
		for _, rule := range []string{"body", "json", "duplicate-key", "unicode"} { // of what is no JSON value
			inJSON = inJSON && !slices.ContainsFunc(reported, func(one string) bool { return strings.HasSuffix(one, " "+rule) })
		}
		if inJSON {
			var violated []string
			for _, v := range fleetioapi.FaultCreateSchema.Check(m.Exchange.Request.Body) {
				violated = append(violated, v.Field+" "+v.Rule)
			}
			slices.Sort(reported)
			assert.Equal(t, reported, violated, "%s", m.Name)
		}
		if !expressible {
			continue
		}
		var f fleetio.FaultCreate
		d := json.NewDecoder(bytes.NewReader(m.Exchange.Request.Body))
		if err := d.Decode(&f); err != nil {
			// Go's time has no leap second.
			leap := strings.Contains(err.Error(), "second out of range")
			assert.True(t, leap || len(reported) > 0, "%s: %v", m.Name, err)
			continue
		}
		var found []string
		for _, v := range fleetioapi.CheckFaultCreate(&f) {
			found = append(found, v.Field+" "+v.Rule)
		}
		// A Go value does not tell 0, "" and the first instant of year 1 from what was not set.
		if f.LastOccurredAt != nil && f.LastOccurredAt.IsZero() {
			reported = append(reported, "last_occurred_at format")
		}
		if f.Code == "" && !slices.Contains(reported, "code required") {
			reported = append(reported, "code required")
		}
		if i := slices.Index(reported, "vehicle_id minimum"); i >= 0 && f.VehicleID == 0 {
			reported[i] = "vehicle_id required"
		}
		slices.Sort(reported)
		assert.Equal(t, reported, found, "%s", m.Name)
		for _, one := range reported {
			seen[one]++
		}
		if reported == nil {
			conform++
		}
	}
	// Every limit of the table was put to the test.
	for _, f := range fleetioapi.FaultCreateFields {
		for rule, has := range map[string]bool{
			"required": f.Required, "maxLength": f.Schema.MaxLength != nil, "minLength": f.Schema.MinLength > 0,
			"minimum": f.Schema.Minimum != "" && !f.Schema.ExclusiveMinimum, "maximum": f.Schema.Maximum != "" && !f.Schema.ExclusiveMaximum,
			"enum": f.Schema.Enum != nil, "pattern": f.Schema.Pattern != "",
		} {
			if has {
				assert.NotZero(t, seen[f.Name+" "+rule], f.Name)
			}
		}
	}
	assert.NotZero(t, conform)
	t.Logf("%d that conform, and of each kind: %v", conform, seen)
}

// TestChecksAtTheLimits encodes values at the limits, and shows them to the checker: what the checks say is
// what the checker says of the bytes that are sent.
func TestChecksAtTheLimits(t *testing.T) {
	t.Parallel()
	contract, err := conformance.Load(api.Spec)
	require.NoError(t, err)
	mutants, err := apiMutants()
	require.NoError(t, err)
	accepted := mutants[slices.IndexFunc(mutants, func(m Mutant) bool { return strings.HasPrefix(m.Name, "createFault/201/request/") })].Exchange
	zone := func(seconds int) *time.Time {
		return new(time.Date(2023, 3, 14, 13, 46, 27, 0, time.FixedZone("", seconds)))
	}
	year := func(y int) *time.Time { return new(time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC)) }
	text := func(s string, n int) *string { return new(strings.Repeat(s, n)) }
	for name, row := range map[string]struct {
		change func(*fleetio.FaultCreate)
		want   string // a violation
	}{
		"255 letters":       {func(f *fleetio.FaultCreate) { f.Code = *text("x", 255) }, ""},
		"256 letters":       {func(f *fleetio.FaultCreate) { f.Code = *text("x", 256) }, "code maxLength 255"},
		"255 emoji":         {func(f *fleetio.FaultCreate) { f.Name = text("🚗", 255) }, ""},
		"256 emoji":         {func(f *fleetio.FaultCreate) { f.Name = text("🚗", 256) }, "name maxLength 255"},
		"empty":             {func(f *fleetio.FaultCreate) { f.ExternalID = text("", 0) }, ""},
		"256 of an id":      {func(f *fleetio.FaultCreate) { f.ExternalID = text("x", 256) }, "external_id maxLength 255"},
		"long":              {func(f *fleetio.FaultCreate) { f.Description = text("x", 5000) }, ""},
		"1":                 {func(f *fleetio.FaultCreate) { f.VehicleID = 1 }, ""},
		"-1":                {func(f *fleetio.FaultCreate) { f.VehicleID = -1 }, "vehicle_id minimum 1"},
		"the largest":       {func(f *fleetio.FaultCreate) { f.VehicleID = 1<<63 - 1 }, ""},
		"the smallest":      {func(f *fleetio.FaultCreate) { f.Count = new(int64(-1 << 63)) }, ""},
		"resolved":          {func(f *fleetio.FaultCreate) { f.Status = new(fleetio.FaultStatusResolved) }, ""},
		"no status":         {func(f *fleetio.FaultCreate) { f.Status = new(fleetio.FaultStatus("")) }, "status enum open, resolved, ignored"},
		"Open":              {func(f *fleetio.FaultCreate) { f.Status = new(fleetio.FaultStatus("Open")) }, "status enum open, resolved, ignored"},
		"year 0":            {func(f *fleetio.FaultCreate) { f.LastOccurredAt = year(0) }, ""},
		"year 9999":         {func(f *fleetio.FaultCreate) { f.LastOccurredAt = year(9999) }, ""},
		"year 10000":        {func(f *fleetio.FaultCreate) { f.LastOccurredAt = year(10000) }, "last_occurred_at format date-time"},
		"year -1":           {func(f *fleetio.FaultCreate) { f.LastOccurredAt = year(-1) }, "last_occurred_at format date-time"},
		"offset of 23:59":   {func(f *fleetio.FaultCreate) { f.LastOccurredAt = zone(24*3600 - 60) }, ""},
		"offset of -23:59":  {func(f *fleetio.FaultCreate) { f.LastOccurredAt = zone(60 - 24*3600) }, ""},
		"offset of a day":   {func(f *fleetio.FaultCreate) { f.LastOccurredAt = zone(24 * 3600) }, "last_occurred_at format date-time"},
		"offset of seconds": {func(f *fleetio.FaultCreate) { f.LastOccurredAt = zone(-18001) }, "last_occurred_at format date-time"},
		"no UTF-8":          {func(f *fleetio.FaultCreate) { f.Source = new("a\xed\xa0\x80") }, "source unicode "},
		"no time":           {func(f *fleetio.FaultCreate) { f.LastOccurredAt = &time.Time{} }, "last_occurred_at format date-time"},
		"no vehicle":        {func(f *fleetio.FaultCreate) { f.VehicleID = 0 }, "vehicle_id required "},
		"no code":           {func(f *fleetio.FaultCreate) { f.Code = "" }, "code required "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := fleetio.FaultCreate{VehicleID: 4711, Code: "P0420"}
			row.change(&f)
			var found []string
			for _, v := range fleetioapi.CheckFaultCreate(&f) {
				found = append(found, v.Field+" "+v.Rule+" "+v.Limit)
				assert.NotContains(t, v.String(), v.Rule+" ", "each rule has words: %s", v)
			}
			assert.Equal(t, row.want, strings.Join(found, "; "))
			if row.want != "" {
				return
			}
			body, err := json.Marshal(f)
			require.NoError(t, err)
			ex := *accepted
			ex.Request.Body = body
			findings, err := contract.Check(&ex)
			require.NoError(t, err)
			for _, finding := range findings {
				assert.NotEqual(t, conformance.RequestBody, finding.Part, "%s %s", finding.Rule, finding.Pointer)
			}
		})
	}
}
