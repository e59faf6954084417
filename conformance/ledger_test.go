package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance/internal/testspec"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// Prefixes of claim IDs in the project's spec.
const (
	createdBody  = "response.body#/components/schemas/Fault"
	sentBody     = "request.body#/components/schemas/FaultCreate"
	operationAt  = "#/paths/~1api~1v1~1faults/post/"
	accountToken = "request.header#/security/0/accountToken"
)

// TestEvidence checks the state of some claims after one exchange.
func TestEvidence(t *testing.T) {
	t.Parallel()
	contract, err := Load(testspec.Spec)
	require.NoError(t, err)
	for name, test := range map[string]struct {
		change func(ex *traffic.Exchange)
		want   map[string]State
	}{
		"a created fault": {func(*traffic.Exchange) {}, map[string]State{
			createdBody + "/required/id": Supported, createdBody + "/properties/id/minimum": Supported, createdBody + "/properties/count/nullable": Unobserved,
			createdBody + "/properties/name/nullable": Supported, createdBody + "/properties/vehicle_id/nullable": Unobserved,
			"response.status" + operationAt + "responses/201": Supported, "response.status" + operationAt + "responses/401": Unobserved,
			"response.header" + operationAt + "responses/201/headers/Location/required":                     Supported,
			"response.header" + operationAt + "responses/201/x-criteria/location-names-the-fault/condition": Supported,
			"response.body" + operationAt + "responses/201/x-criteria/echoes-code/condition":                Supported,
			"response.body" + operationAt + "responses/201/x-criteria/echoes-name/condition":                Unobserved,
			sentBody + "/properties/code/maxLength":                                                         Consistent, sentBody + "/properties/name/maxLength": Unobserved,
			sentBody + "/required/code": Consistent, accountToken: Consistent,
		}},
		"null where it may be": {func(ex *traffic.Exchange) { replace(&ex.Response.Body, `"count":3`, `"count":null`) }, map[string]State{
			createdBody + "/properties/count/nullable": Supported, createdBody + "/properties/count/type": Unobserved, createdBody + "/required/count": Supported}},
		"an optional property is absent": {func(ex *traffic.Exchange) {
			replace(&ex.Response.Body, `"created_at":"2023-03-14T13:46:29-06:00",`, ``)
		}, map[string]State{createdBody + "/properties/created_at/format": Unobserved,
			"response.body" + operationAt + "responses/201/x-criteria/updated-after-created/condition": Unobserved}},
		"an id of zero": {func(ex *traffic.Exchange) { replace(&ex.Response.Body, `"id":7`, `"id":0`) }, map[string]State{
			createdBody + "/properties/id/minimum": Refuted, createdBody + "/properties/id/type": Supported, createdBody + "/required/id": Supported}},
		"a string for an id": {func(ex *traffic.Exchange) { replace(&ex.Response.Body, `"id":7`, `"id":"7"`) }, map[string]State{
			createdBody + "/properties/id/minimum": Unobserved, createdBody + "/properties/id/type": Refuted, createdBody + "/required/id": Supported}},
		"a number for a status": {func(ex *traffic.Exchange) { replace(&ex.Response.Body, `"open"`, `1`) }, map[string]State{
			"response.body#/components/schemas/FaultStatus/enum": Unobserved, "response.body#/components/schemas/FaultStatus/type": Refuted}},
		"too long, and accepted": {func(ex *traffic.Exchange) { ex.Request.Body = sent("code", strings.Repeat("é", 256)) }, map[string]State{
			sentBody + "/properties/code/maxLength": Refuted, sentBody + "/required/code": Consistent}},
		"too long, and rejected": {func(ex *traffic.Exchange) {
			ex.Request.Body = sent("code", strings.Repeat("é", 256))
			reject(ex, 422, `{"errors":{"code":["is too long"]}}`)
		}, map[string]State{sentBody + "/properties/code/maxLength": Supported, sentBody + "/required/code": Unobserved, accountToken: Unobserved}},
		"two violations, and rejected": {func(ex *traffic.Exchange) {
			ex.Request.Body = sent("code", strings.Repeat("é", 256), "vehicle_id", 0)
			reject(ex, 422, `{"errors":{}}`)
		}, map[string]State{sentBody + "/properties/code/maxLength": Unobserved, sentBody + "/properties/vehicle_id/minimum": Unobserved}},
		"too long, and rejected for something else": {func(ex *traffic.Exchange) {
			ex.Request.Body = sent("code", strings.Repeat("é", 256))
			reject(ex, 401, `{"status":401,"title":"x"}`)
		}, map[string]State{sentBody + "/properties/code/maxLength": Unobserved}},
		"too long, and rejected with an undocumented status": {func(ex *traffic.Exchange) {
			ex.Request.Body = sent("code", strings.Repeat("é", 256))
			reject(ex, 400, `{}`)
		}, map[string]State{sentBody + "/properties/code/maxLength": Unobserved}},
		"too long, a repeated name, and rejected": {func(ex *traffic.Exchange) {
			ex.Request.Body = []byte(`{"vehicle_id":1,"vehicle_id":2,"code":"` + strings.Repeat("é", 256) + `"}`)
			reject(ex, 422, `{"errors":{}}`)
		}, map[string]State{sentBody + "/properties/code/maxLength": Unobserved}},
		"a good request, and rejected": {func(ex *traffic.Exchange) { reject(ex, 422, `{"errors":{"code":["has no rule"]}}`) }, map[string]State{
			sentBody + "/required/code": Unobserved, "response.body#/components/schemas/ValidationErrors/properties/errors/additionalProperties/items/type": Supported}},
		"no items": {func(ex *traffic.Exchange) { reject(ex, 422, `{"errors":{}}`) }, map[string]State{
			"response.body#/components/schemas/ValidationErrors/properties/errors/additionalProperties/items/type": Unobserved,
			"response.body#/components/schemas/ValidationErrors/properties/errors/type":                            Supported}},
		"a credential missing, and rejected": {func(ex *traffic.Exchange) {
			ex.Request.Header.Del("Account-Token")
			reject(ex, 401, `{"status":401,"title":"x"}`)
		}, map[string]State{accountToken: Supported, "request.header#/security/0/apiKey": Unobserved, sentBody + "/required/code": Unobserved}},
		"both credentials missing, and rejected": {func(ex *traffic.Exchange) {
			ex.Request.Header.Del("Account-Token")
			ex.Request.Header.Del("Authorization")
			reject(ex, 401, `{"status":401,"title":"x"}`)
		}, map[string]State{accountToken: Unobserved}},
		"a credential missing, and accepted": {func(ex *traffic.Exchange) { ex.Request.Header.Del("Account-Token") }, map[string]State{
			accountToken: Refuted, "request.header#/security/0/apiKey": Unobserved}},
		"another media type, and rejected": {func(ex *traffic.Exchange) {
			ex.Request.Header.Set("Content-Type", "text/plain")
			reject(ex, 422, `{"errors":{}}`)
		}, map[string]State{"request.header" + operationAt + "requestBody/content/application~1json": Supported}},
		"no JSON, and rejected": {func(ex *traffic.Exchange) {
			ex.Request.Body = []byte("{")
			reject(ex, 422, `{"errors":{}}`)
		}, map[string]State{"request.body" + operationAt + "requestBody/content/application~1json": Supported}},
		"an unrecorded response body": {func(ex *traffic.Exchange) { ex.Response.Body, ex.Response.BodyOmitted = nil, true }, map[string]State{
			createdBody + "/required/id": Unobserved, "response.status" + operationAt + "responses/201": Supported}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ex := create()
			test.change(ex)
			ledger := contract.NewLedger()
			_, err := ledger.Add(ex)
			require.NoError(t, err)
			got := map[string]State{}
			for _, e := range ledger.Report().Claims {
				got[e.ID] = e.State
				assert.Equal(t, e.State == Unobserved, e.First == nil, e.ID)
			}
			for id, want := range test.want {
				assert.Equal(t, want, got[id], id)
			}
		})
	}
}

func replace(body *[]byte, before, after string) {
	*body = bytes.Replace(*body, []byte(before), []byte(after), 1)
}

func sent(pairs ...any) []byte {
	properties := map[string]any{"vehicle_id": 4711, "code": "P0420"}
	for i := 0; i < len(pairs); i += 2 {
		properties[pairs[i].(string)] = pairs[i+1]
	}
	data, err := json.Marshal(properties)
	if err != nil {
		panic(err)
	}
	return data
}

func reject(ex *traffic.Exchange, status int, body string) {
	ex.Status, ex.Response.Body = status, []byte(body)
	ex.Response.Header = http.Header{"Content-Type": {"application/json"}}
}

// TestClaimsOfEveryFinding compares findings with claims: a finding refutes one of the claims, at one of its places;
// drift refutes none.
func TestClaimsOfEveryFinding(t *testing.T) {
	t.Parallel()
	contract, err := Load(testspec.Spec)
	require.NoError(t, err)
	claims := map[string]Claim{}
	for _, claim := range contract.Claims() {
		claims[claim.ID] = claim
		assert.NotEmpty(t, claim.Uses, claim.ID)
		assert.NotEmpty(t, claim.Places, claim.ID)
		assert.NotNil(t, contract.source.Node(claim.Spec.Pointer), claim.ID)
	}
	assert.Len(t, claims, len(contract.claims), "an ID twice")
	for ex, err := range traffic.Read(t.Context(), nil, "testdata/recordings") {
		require.NoError(t, err)
		findings, _ := contract.Check(ex)
		for _, f := range findings {
			if !f.Fails() {
				assert.Empty(t, f.Claim)
				continue
			}
			claim, known := claims[f.Claim]
			require.True(t, known, "%s: %+v", ex.Source, f)
			assert.Equal(t, []any{f.Part, f.Spec, f.Source}, []any{claim.Part, claim.Spec, claim.Source})
			json := f.Rule == "json" || f.Rule == "unicode" || f.Rule == "duplicate-key"
			assert.True(t, json || slices.ContainsFunc(claim.Places, func(place string) bool { return isPlace(place, f.Pointer) }), "%s: %s", f.Claim, f.Pointer)
		}
	}
	needs := slices.DeleteFunc(contract.Claims(), func(c Claim) bool { return !c.NeedsRecording })
	assert.NotEmpty(t, needs)
	for _, claim := range needs {
		assert.Contains(t, claim.ID, "/500", "only server errors need a recording")
	}
}

func isPlace(place, pointer string) bool {
	return slices.EqualFunc(strings.Split(place, "/"), strings.Split(pointer, "/"), func(a, b string) bool { return a == "*" || a == b })
}

// TestShardsAreTheWhole distributes the recordings over goroutines and shards: the report is the same, byte for byte.
func TestShardsAreTheWhole(t *testing.T) {
	t.Parallel()
	contract, err := Load(testspec.Spec)
	require.NoError(t, err)
	verify := func(t *testing.T, o Options) *Report {
		t.Helper()
		report, err := contract.Verify(traffic.Read(t.Context(), nil, "testdata/recordings"), o)
		require.NoError(t, err)
		return report
	}
	text := func(t *testing.T, r *Report) string {
		t.Helper()
		data, err := json.MarshalIndent(r, "", " ")
		require.NoError(t, err)
		return string(data)
	}
	ledger := contract.NewLedger()
	for ex, err := range traffic.Read(t.Context(), nil, "testdata/recordings") {
		require.NoError(t, err)
		_, _ = ledger.Add(ex)
	}
	want := text(t, ledger.Report())
	assert.Greater(t, len(ledger.Report().Deviations), 60)
	for _, workers := range []int{1, 2, 7} {
		t.Run(fmt.Sprintf("%d workers", workers), func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, want, text(t, verify(t, Options{Workers: workers})))
		})
	}
	t.Run("exchanges that change after their release", func(t *testing.T) {
		t.Parallel()
		overwrite := func(m *traffic.Message) {
			for i := range m.Body {
				m.Body[i] = 'x'
			}
			for _, values := range m.Header {
				values[0] = "overwritten"
			}
			clear(m.Header)
		}
		assert.Equal(t, want, text(t, verify(t, Options{Workers: 2, Release: func(ex *traffic.Exchange) {
			overwrite(&ex.Request)
			overwrite(&ex.Response)
			*ex.URL, *ex = url.URL{}, traffic.Exchange{}
		}})))
	})
	for _, shards := range []int{1, 2, 3, 50} {
		t.Run(fmt.Sprintf("%d shards", shards), func(t *testing.T) {
			t.Parallel()
			var parts []*Report
			exchanges := 0
			for i := range shards {
				part := verify(t, Options{Shard: i + 1, Shards: shards})
				exchanges += part.Exchanges
				var read Report
				require.NoError(t, json.Unmarshal([]byte(text(t, part)), &read))
				parts = append(parts, &read)
			}
			random := rand.New(rand.NewPCG(1, 2))
			random.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
			merged, err := Merge(parts...)
			require.NoError(t, err)
			assert.Equal(t, want, text(t, merged))
			assert.Equal(t, merged.Exchanges, exchanges)
			if shards == 3 {
				some, err := Merge(parts[0], parts[1])
				require.NoError(t, err)
				require.NotNil(t, some.Shards)
				assert.Len(t, some.Shards.Parts, 2, "one is missing")
				_, err = Merge(parts[0], parts[0])
				require.ErrorContains(t, err, "two reports of shard")
				_, err = Merge(parts[0], merged)
				require.ErrorContains(t, err, "whole run")
			}
		})
	}
	_, err = contract.Verify(traffic.Read(t.Context(), nil, "testdata/recordings"), Options{Shard: 4, Shards: 3})
	require.Error(t, err)
}

// TestBoundsDoNotDependOnSharding adds more deviations and findings than a report has room for.
func TestBoundsDoNotDependOnSharding(t *testing.T) {
	t.Parallel()
	contract, err := Load(testspec.Spec)
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(3, 4))
	ledgers := []*Ledger{contract.NewLedger(), contract.NewLedger(), contract.NewLedger()}
	whole := contract.NewLedger()
	for i := range int64(40_000) {
		f := Finding{Fingerprint: string(rune('a'+random.IntN(20))) + strings.Repeat("x", random.IntN(3)), Source: Drift, Exchange: "e", Index: i}
		if i%2 == 0 {
			f.Fingerprint = string(rune('a'+random.IntN(26))) + string(rune('a'+random.IntN(26))) + string(rune('a'+random.IntN(26)))
		}
		whole.addFinding(f)
		ledgers[random.IntN(3)].addFinding(f)
	}
	want := whole.Report()
	assert.Len(t, want.Deviations, maxDeviations)
	assert.LessOrEqual(t, len(want.Drift), maxListed)
	assert.Equal(t, 40_000, want.Summary.Unlisted+len(want.Drift))
	assert.Equal(t, want, merge([]*Report{ledgers[2].Report(), ledgers[0].Report(), ledgers[1].Report()}))
}

// TestVerifyReturnsTheFirstError of the sequence, with any number of workers.
func TestVerifyReturnsTheFirstError(t *testing.T) {
	t.Parallel()
	contract, err := Load(testspec.Spec)
	require.NoError(t, err)
	good, err := os.ReadFile("testdata/recordings/conformant-minimal.har")
	require.NoError(t, err)
	folder := t.TempDir()
	broken := strings.Replace(string(good), `"status": 201`, `"status": no`, 1)
	for name, text := range map[string]string{"a.har": string(good), "b.har": broken, "c.har": broken, "d.har": string(good[:len(good)/2])} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	for range 20 {
		report, err := contract.Verify(traffic.Read(t.Context(), nil, folder), Options{Workers: 4})
		assert.Nil(t, report)
		require.ErrorContains(t, err, "b.har: entry 0")
	}
}

// TestVerifyCountsLikeALedger compares both for hundreds of exchanges with different evidence.
func TestVerifyCountsLikeALedger(t *testing.T) {
	t.Parallel()
	contract, err := Load(testspec.Spec)
	require.NoError(t, err)
	optional := []string{"count", "description", "external_id", "name", "source", "status"}
	ledger := contract.NewLedger()
	var file bytes.Buffer
	path := filepath.Join(t.TempDir(), "kinds.ndjson")
	for i := range 500 {
		ex := create()
		var pairs []any
		for bit, name := range optional {
			if i>>bit&1 == 1 {
				value := any("open")
				if name == "count" {
					value = 3
				}
				pairs = append(pairs, name, value)
				var body map[string]any
				require.NoError(t, json.Unmarshal(ex.Response.Body, &body))
				body[name] = value
				ex.Response.Body, err = json.Marshal(body)
				require.NoError(t, err)
			}
		}
		ex.Request.Body = sent(pairs...)
		if i%7 == 0 {
			reject(ex, 422, `{"errors":{"code":["is wrong"]}}`)
		}
		ex.Source = path + "#L" + strconv.Itoa(i+1)
		findings, err := ledger.Add(ex)
		require.NoError(t, err)
		require.False(t, slices.ContainsFunc(findings, func(f Finding) bool { return f.Fails() }), findings)
		require.NoError(t, traffic.WriteNDJSON(&file, ex))
	}
	require.NoError(t, os.WriteFile(path, file.Bytes(), 0o600))
	want := ledger.Report()
	for _, workers := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d workers", workers), func(t *testing.T) {
			t.Parallel()
			report, err := contract.Verify(traffic.Read(t.Context(), nil, path), Options{Workers: workers})
			require.NoError(t, err)
			assert.Equal(t, want, report)
		})
	}
}
