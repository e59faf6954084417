package mutate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// inexpressible says which rules a [fleetioapi.FaultCreate] cannot break, so that there is nothing to check.
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

// created begins the names of the mutants whose request has a FaultCreate that is accepted.
const created = "createFault/201/"

// leapSecond matches one in a date-time, which Go's time does not have.
var leapSecond = regexp.MustCompile(`:60((?:\.[0-9]+)?(?:Z|[+-]))`)

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
		if !strings.HasPrefix(m.Name, created) || m.Exchange.Request.BodyOmitted || m.Exchange.Request.Body == nil {
			continue
		}
		findings, err := contract.Check(m.Exchange)
		require.NoError(t, err)
		var reported []string // findings in the request's body
		expressible, inJSON := true, true
		for _, f := range findings {
			if f.Rule == "portability" { // the checks are stricter: Go's decoder rejects it
				f.Source, f.Rule = conformance.Documented, "format"
			}
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
			for _, one := range reported {
				seen[one]++
			}
		}
		if !expressible {
			continue
		}
		var f fleetioapi.FaultCreate
		body := leapSecond.ReplaceAll(m.Exchange.Request.Body, []byte(":59$1"))
		if err := json.NewDecoder(bytes.NewReader(body)).Decode(&f); err != nil {
			assert.NotEmpty(t, reported, "%s: %v", m.Name, err)
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
	accepted := mutants[slices.IndexFunc(mutants, func(m Mutant) bool { return strings.HasPrefix(m.Name, created+"request/") })].Exchange
	zone := func(seconds int) *time.Time {
		return new(time.Date(2023, 3, 14, 13, 46, 27, 0, time.FixedZone("", seconds)))
	}
	year := func(y int) *time.Time { return new(time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC)) }
	type row struct {
		change func(*fleetioapi.FaultCreate)
		want   string // a violation
	}
	rows := map[string]row{
		"year 0":            {func(f *fleetioapi.FaultCreate) { f.LastOccurredAt = year(0) }, ""},
		"year 9999":         {func(f *fleetioapi.FaultCreate) { f.LastOccurredAt = year(9999) }, ""},
		"year 10000":        {func(f *fleetioapi.FaultCreate) { f.LastOccurredAt = year(10000) }, "last_occurred_at format date-time"},
		"year -1":           {func(f *fleetioapi.FaultCreate) { f.LastOccurredAt = year(-1) }, "last_occurred_at format date-time"},
		"offset of 23:59":   {func(f *fleetioapi.FaultCreate) { f.LastOccurredAt = zone(24*3600 - 60) }, ""},
		"offset of -23:59":  {func(f *fleetioapi.FaultCreate) { f.LastOccurredAt = zone(60 - 24*3600) }, ""},
		"offset of a day":   {func(f *fleetioapi.FaultCreate) { f.LastOccurredAt = zone(24 * 3600) }, "last_occurred_at format date-time"},
		"offset of seconds": {func(f *fleetioapi.FaultCreate) { f.LastOccurredAt = zone(-18001) }, "last_occurred_at format date-time"},
		"no time":           {func(f *fleetioapi.FaultCreate) { f.LastOccurredAt = &time.Time{} }, "last_occurred_at format date-time"},
		"no UTF-8":          {func(f *fleetioapi.FaultCreate) { f.Source = new("a\xed\xa0\x80") }, "source unicode "},
		"no vehicle":        {func(f *fleetioapi.FaultCreate) { f.VehicleID = 0 }, "vehicle_id required "},
		"no code":           {func(f *fleetioapi.FaultCreate) { f.Code = "" }, "code required "},
	}
	example := map[string]json.RawMessage{}
	for _, f := range fleetioapi.FaultCreateFields {
		if f.Required {
			example[f.Name] = json.RawMessage(f.Schema.Example)
		}
		for value, want := range atLimits(f.Schema, f.Required) {
			if want != "" {
				want = f.Name + " " + want
			}
			rows[f.Name+" "+value[:min(len(value), 40)]+" "+want] = row{func(fault *fleetioapi.FaultCreate) {
				require.NoError(t, json.Unmarshal(fmt.Appendf(nil, "{%q:%s}", f.Name, value), fault))
			}, want}
		}
	}
	minimal, err := json.Marshal(example)
	require.NoError(t, err)
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var f fleetioapi.FaultCreate
			require.NoError(t, json.Unmarshal(minimal, &f))
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

// atLimits returns values at the limits of a schema, and just beyond, as JSON, and the violation by each. A required string
// that is empty counts as missing.
func atLimits(s *fleetioapi.Schema, required bool) map[string]string {
	values := map[string]string{}
	if s.MaxLength != nil {
		for _, c := range []string{"x", "é", "🚗"} {
			values[strconv.Quote(strings.Repeat(c, *s.MaxLength))] = ""
			values[strconv.Quote(strings.Repeat(c, *s.MaxLength+1))] = fmt.Sprint("maxLength ", *s.MaxLength)
		}
	}
	if least, err := strconv.ParseInt(s.Minimum, 10, 64); err == nil && s.Type == "integer" && !s.ExclusiveMinimum {
		values[s.Minimum] = ""
		values[strconv.FormatInt(least-2, 10)] = "minimum " + s.Minimum // the one before may be 0, which counts as missing
	}
	if s.Type == "integer" && s.Format == "int64" && s.Maximum == "" {
		values[strconv.FormatInt(math.MaxInt64, 10)] = ""
	}
	if s.Type == "integer" && s.Format == "int64" && s.Minimum == "" {
		values[strconv.FormatInt(math.MinInt64, 10)] = ""
	}
	if s.Type == "string" && s.Format == "" && s.Pattern == "" && s.Enum == nil {
		if s.MaxLength == nil {
			values[strconv.Quote(strings.Repeat("x", 5000))] = ""
		}
		if s.MinLength == 0 && !required {
			values[`""`] = ""
		}
	}
	for _, choice := range s.Enum {
		values[choice] = ""
	}
	if s.Enum != nil && s.Type == "string" {
		for _, other := range []string{`"no choice"`, `""`, strings.ToUpper(s.Enum[0])} {
			values[other] = "enum " + strings.Join(s.Choices(), ", ")
		}
	}
	return values
}
