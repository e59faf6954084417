package conformance

import (
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// agrees weighs an exchange on both ways: what the weigher proves to conform has no finding, and bears on the same claims.
// It reports whether it was proven.
func agrees(t testing.TB, c *Contract, ex *traffic.Exchange) bool {
	t.Helper()
	op := c.operation(ex.Method, ex.URL)
	if op == nil || !ex.Answered() {
		return false
	}
	w := c.newWeigher()
	w.view.Status = ex.Status
	w.message(&w.view.Request, &ex.Request)
	w.message(&w.view.Response, &ex.Response)
	if !w.conforms(op, &w.view) || len(w.strange) > 0 {
		return false
	}
	slow := c.newWeigher()
	findings, into := slow.report(op, ex), slow.evidence
	require.Empty(t, findings, "proven to conform:\n%s\n%s", ex.Request.Body, ex.Response.Body)
	require.Equal(t, into.kept, w.evidence.kept, "claims:\n%s\n%s", ex.Request.Body, ex.Response.Body)
	require.Equal(t, noClaim, into.enforced)
	return true
}

// TestWeigherProves what conforms, so that the slow way is that of deviations.
func TestWeigherProves(t *testing.T) {
	t.Parallel()
	contract, err := Load(api.Spec)
	require.NoError(t, err)
	files, err := filepath.Glob("testdata/recordings/*.har")
	require.NoError(t, err)
	for _, file := range files {
		var proven []bool
		for ex, err := range traffic.Read(t.Context(), nil, file) {
			require.NoError(t, err)
			proven = append(proven, agrees(t, contract, ex))
		}
		switch filepath.Base(file) {
		case "conformant-minimal.har", "conformant-complete.har":
			assert.NotContains(t, proven, false, file)
		case "drift.har":
			assert.Contains(t, proven, true, file)
		case "conformant-refusals.har":
			assert.Contains(t, proven, true, file)
		}
	}
}

// specOf is a spec of one answer for each schema.
func specOf(t testing.TB, schema string) *Contract {
	t.Helper()
	contract, _ := loadSchema(t, schema, `Tree: {type: object, properties: {left: {$ref: '#/components/schemas/Tree'}, n: {type: integer}}},
		Loop: {allOf: [{$ref: '#/components/schemas/Loop'}, {type: integer}]}`)
	return contract
}

func answer(body string) *traffic.Exchange {
	return &traffic.Exchange{Method: http.MethodGet, URL: &url.URL{Path: "/"}, Status: http.StatusOK,
		Request:  traffic.Message{Header: http.Header{}},
		Response: traffic.Message{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}}
}

var schemas = []string{
	"{}", "{type: integer}", "{type: integer, format: int32, minimum: 5}", "{type: integer, format: int64, nullable: true}",
	"{type: number, maximum: 2, exclusiveMaximum: true}", "{type: number}", "{type: integer, multipleOf: 3}",
	"{type: number, minimum: 0.5}", "{type: number, minimum: 0, maximum: 1.5}", "{type: string, minLength: 2, maxLength: 3}", "{type: string, pattern: '^a+$'}",
	"{type: string, enum: [a, b]}", "{enum: [1, null, {a: 1}, true, x]}", "{type: string, format: date-time}", "{type: string, format: date}",
	"{type: string, format: uri}", "{type: string, format: uri-reference}", "{type: string, format: email}", "{type: string, format: uuid}",
	"{type: string, format: byte}", "{type: boolean, nullable: false}", "{type: array, items: {type: integer}, minItems: 1, maxItems: 3}",
	"{type: array, items: {}, uniqueItems: true}", "{type: object, required: [a, b], properties: {a: {type: string}}}",
	"{type: object, additionalProperties: false, properties: {a: {}}}", "{type: object, additionalProperties: {type: integer}}",
	"{type: object, minProperties: 1, maxProperties: 2}", "{type: object, properties: {a: {type: string, writeOnly: true}}}",
	"{allOf: [{type: object, required: [a]}, {properties: {b: {type: integer}}}]}", "{anyOf: [{type: integer}, {type: string, maxLength: 2}]}",
	"{oneOf: [{type: integer}, {type: number, minimum: 3}]}", "{not: {type: integer, minimum: 2}}", "{$ref: '#/components/schemas/Tree'}",
	"{$ref: '#/components/schemas/Loop'}", "{nullable: true, type: object, properties: {a: {nullable: true, type: array, items: {type: string, nullable: true}}}}",
	"{oneOf: [{type: object, properties: {a: {type: integer}}}, {type: object, required: [b]}]}",
}

var values = []string{
	"null", "true", "false", "0", "-0", "1", "2", "3", "5", "-7", "1.0", "1.5", "1e3", "0.5", "2147483648", "9223372036854775807", "9223372036854775808", "012", "1.", "+1", "NaN",
	`""`, `"a"`, `"ab"`, `"aaa"`, `"éé"`, `"😀😀😀😀"`, `"\u0061"`, `"\ud83d\ude00"`, `"\ud800"`, `"\x"`, "\"\t\"", "\"\xff\"", `"x`, `"2023-03-14T13:46:27-06:00"`, `"2023-02-29T00:00:00Z"`,
	`"2024-02-29T23:59:60Z"`, `"0000-01-01T00:00:00.5Z"`, `"2023-03-14"`, `"2023-13-01"`, `"https://a.b/c"`, `"//a"`, `"/a b"`, `"a@b"`, `"123e4567-e89b-12d3-a456-426614174000"`, `"YQ=="`, `"YQ"`,
	"[]", "[1]", "[1,2,3]", "[1,1]", "[1,1.0]", `["a","\u0061"]`, "[1,2,3,4]", "[[1],[1]]", "[1,]", "[,1]", "[", "{}", `{"a":"x"}`, `{"a":1,"b":2}`, `{"b":1}`, `{"a":"x","a":"y"}`, `{"\u0061":1}`,
	`{"a":1,"b":"x","c":3}`, `{"a":[null,"x"]}`, `{"left":{"left":{"n":1}}}`, `{"left":{"m":1}}`, `{"x":{"y":1,"y":2}}`, `{"a":}`, `{"a" 1}`, `{"a":1,}`, "\ufeff1", " 1 ", "1 2", "", "\x001",
	strings.Repeat("[", 150) + strings.Repeat("]", 150), `{"a":{"b":{"c":[{"d":null}]}}}`,
}

// TestWeigherAgrees on every value against every schema, and proves what has nothing exotic about it.
func TestWeigherAgrees(t *testing.T) {
	t.Parallel()
	proven, conforming := 0, 0
	for _, schema := range schemas {
		contract := specOf(t, schema)
		for _, value := range values {
			ex := answer(value)
			if agrees(t, contract, ex) {
				proven++
			}
			if len(contract.newWeigher().report(contract.operations[0], ex)) == 0 {
				conforming++
			}
		}
	}
	assert.Greater(t, proven*20, conforming*17, "17 in 20 of what conforms is proven: %d of %d", proven, conforming)
}

// FuzzWeigher compares the two ways on arbitrary bodies, for our spec and for every schema above.
func FuzzWeigher(f *testing.F) {
	for i := range schemas {
		for _, value := range values[:min(len(values), 8)] {
			f.Add(i, []byte(value), []byte(request), 201)
		}
	}
	for _, value := range values {
		f.Add(0, []byte(value), []byte(request), 422)
	}
	for _, body := range []string{conforming, strings.ReplaceAll(conforming, ":", " : "), strings.Replace(conforming, "P0420", "P042\\u0030", 1)} {
		f.Add(0, []byte(body), []byte(request), 201)
		f.Add(0, []byte(body), []byte(`{"vehicle_id":4711,"code":"P0420","last_occurred_at":"2023-03-14T19:46:27Z"}`), 201)
	}
	ours, err := Load(api.Spec)
	require.NoError(f, err)
	var contracts []*Contract
	for _, schema := range schemas {
		contracts = append(contracts, specOf(f, schema))
	}
	f.Fuzz(func(t *testing.T, which int, response, sent []byte, status int) {
		ex := answer(string(response))
		agrees(t, contracts[uint(which)%uint(len(contracts))], ex)
		ex.Method, ex.URL, ex.Status = http.MethodPost, &url.URL{Path: "/api/v1/faults"}, status
		ex.Request = traffic.Message{Body: sent, Header: http.Header{"Content-Type": {"application/json"},
			"Authorization": {"Token 76cbe06c49a64"}, "Account-Token": {"acc0un7-t0ken"}}}
		ex.Response.Header.Set("Location", "/api/v1/faults/7")
		agrees(t, ours, ex)
	})
}

const (
	request    = `{"vehicle_id":4711,"code":"P0420"}`
	conforming = `{"id":7,"created_at":"2023-03-14T13:46:29-06:00","updated_at":"2023-03-14T19:46:29.5Z","account_id":12,"vehicle_id":4711,` +
		`"code":"P0420","count":3,"description":"a \"b\" é","external_id":null,"last_occurred_at":"2023-03-14T13:46:27-06:00","name":null,` +
		`"status":"open","source":null,"vehicle_archived_at":null,"fault_rule_id":8,"is_sample":false,"idempotency_key":null}`
)

// TestWeigherAllocatesNothing for what conforms.
func TestWeigherAllocatesNothing(t *testing.T) {
	contract, err := Load(api.Spec)
	require.NoError(t, err)
	ex := answer(conforming)
	ex.Method, ex.URL, ex.Status = http.MethodPost, &url.URL{Path: "/api/v1/faults"}, 201
	ex.Request = traffic.Message{Body: []byte(request), Header: http.Header{"Content-Type": {"application/json"},
		"Authorization": {"Token 76cbe06c49a64"}, "Account-Token": {"acc0un7-t0ken"}}}
	ex.Response.Header.Set("Location", "/api/v1/faults/7")
	require.True(t, agrees(t, contract, ex))
	ledger := contract.NewLedger()
	weigh := func() {
		if findings, err := ledger.Weigh(ex); err != nil || len(findings) > 0 {
			panic("a conforming exchange")
		}
	}
	weigh()
	assert.Zero(t, testing.AllocsPerRun(100, weigh))
}

func TestInstants(t *testing.T) {
	t.Parallel()
	texts := []string{"2023-03-14T13:46:27-06:00", "2023-03-14T19:46:27Z", "2023-03-14T19:46:27.000Z", "2023-03-14T19:46:27.25+00:00", "1969-12-31T23:59:59Z",
		"0000-01-01T00:00:00Z", "0000-02-29T00:00:00+23:59", "9999-12-31T23:59:59.999999999999Z", "2000-02-29T00:00:00Z", "1900-02-28T23:59:59Z", "2024-12-31T00:00:00-23:59"}
	for _, a := range texts {
		for _, b := range texts {
			x, ok := parseInstant([]byte(a))
			require.True(t, ok, a)
			y, ok := parseInstant([]byte(b))
			require.True(t, ok, b)
			want, err := compareTimes(a, b)
			require.NoError(t, err)
			assert.Equal(t, want, x.compare(y), "%s %s", a, b)
		}
	}
	for _, text := range []string{"", "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2023-04-31T00:00:00Z", "2023-00-01T00:00:00Z", "2023-03-14t00:00:00Z", "2023-03-14T24:00:00Z",
		"2023-03-14T00:00:00", "2023-03-14T00:00:00z", "2023-03-14T00:00:00.Z", "2023-03-14T00:00:00+0000", "2023-03-14T00:00:00+24:00", "2023-03-14T00:00:00Z ", "2023-3-14T00:00:00Z"} {
		_, ok := parseInstant([]byte(text))
		assert.False(t, ok, text)
	}
}
