package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// guardedSpec has an operation that needs two credentials, one with alternatives and one that is open, below a base path.
const guardedSpec = `
openapi: 3.0.3
info: {title: T, version: '1'}
servers: [{url: 'https://api.example.test/v1'}]
security: [{token: [], account: []}]
paths:
  /both: {get: {operationId: both, responses: {'200': {description: ok}, '401': {description: no}}}}
  /either: {get: {operationId: either, security: [{token: []}, {session: []}], responses: {'200': {description: ok}}}}
  /open: {get: {operationId: open, security: [], responses: {'200': {description: ok}}}}
components:
  securitySchemes:
    token: {type: http, scheme: bearer}
    account: {type: apiKey, in: header, name: X-Account}
    session: {type: apiKey, in: cookie, name: sid}
`

// recordingsOf writes files of NDJSON lines, given as "PATH STATUS HEADER=VALUE...", and returns their folder.
func recordingsOf(t *testing.T, files map[string][]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, lines := range files {
		var b strings.Builder
		for _, line := range lines {
			words := strings.Fields(line)
			var fields []string
			for _, field := range words[2:] {
				key, value, _ := strings.Cut(field, "=")
				fields = append(fields, fmt.Sprintf("[%q, %q]", key, strings.ReplaceAll(value, "_", " ")))
			}
			fmt.Fprintf(&b, `{"method":"GET","url":"https://api.example.test/v1%s","status":%s,"request":{"headers":[%s]},"response":{"headers":[],"body":""}}`+"\n",
				words[0], words[1], strings.Join(fields, ","))
		}
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(b.String()), 0o600))
	}
	return folder
}

// TestMissingCredentials checks that a credential which no exchange of a file has was not recorded, and that one that some
// have is required of all. The report must not depend on shards and workers.
func TestMissingCredentials(t *testing.T) {
	t.Parallel()
	const both = " Authorization=Bearer_aaaabbbb X-Account=ccccdddd"
	contract, err := Load([]byte(guardedSpec))
	require.NoError(t, err)
	for name, test := range map[string]struct {
		files    map[string][]string
		findings int    // about credentials
		omitted  int    // exchanges
		warnings string // about files
	}{
		"all have both":      {map[string][]string{"a.ndjson": {"/both 200" + both, "/both 200" + both}}, 0, 0, ""},
		"none has any":       {map[string][]string{"a.ndjson": {"/both 200", "/both 200", "/open 200"}}, 0, 2, "a.ndjson: Authorization X-Account"},
		"none has one":       {map[string][]string{"a.ndjson": {"/both 200 X-Account=ccccdddd", "/both 200"}}, 1, 2, "a.ndjson: Authorization"},
		"the first has both": {map[string][]string{"a.ndjson": {"/both 200" + both, "/both 200", "/both 200"}}, 4, 0, ""},
		"the last has both":  {map[string][]string{"a.ndjson": {"/both 200", "/both 200", "/both 200" + both}}, 4, 0, ""},
		"another file has both": {map[string][]string{"a.ndjson": {"/both 200"}, "b.ndjson": {"/both 200" + both, "/both 200"}, "c.ndjson": {"/both 200"}}, 2, 2,
			"a.ndjson: Authorization X-Account\nc.ndjson: Authorization X-Account"},
		"only one that is rejected has both":   {map[string][]string{"a.ndjson": {"/both 401" + both, "/both 200"}}, 2, 0, ""},
		"an alternative":                       {map[string][]string{"a.ndjson": {"/either 200 Cookie=sid=aaaabbbb", "/either 200"}}, 1, 0, ""},
		"no alternative":                       {map[string][]string{"a.ndjson": {"/either 200", "/either 200"}}, 0, 2, "a.ndjson: Authorization sid"},
		"rejected without":                     {map[string][]string{"a.ndjson": {"/both 401 X-Account=ccccdddd"}}, 0, 1, "a.ndjson: Authorization"},
		"nothing that needs any":               {map[string][]string{"a.ndjson": {"/open 200"}}, 0, 0, ""},
		"a request that was not for the API":   {map[string][]string{"a.ndjson": {"/other 200" + both, "/both 200"}}, 0, 1, "a.ndjson: Authorization X-Account"},
		"one in another operation of the file": {map[string][]string{"a.ndjson": {"/either 200 Authorization=Bearer_aaaabbbb", "/both 200 X-Account=ccccdddd"}}, 1, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := recordingsOf(t, test.files)
			var warnings []string
			verify := func(o Options) *Report {
				warnings = nil
				o.Warn = func(err error) {
					var missing *MissingCredentialsError
					require.ErrorAs(t, err, &missing)
					warnings = append(warnings, filepath.Base(missing.File)+": "+strings.Join(missing.Names, " "))
				}
				r, err := contract.Verify(traffic.Read(t.Context(), nil, folder), o)
				require.NoError(t, err)
				return r
			}
			want := verify(Options{Workers: 1})
			assert.Equal(t, test.warnings, strings.Join(warnings, "\n"))
			n := 0
			for _, f := range want.Findings {
				require.Equal(t, ruleSecurity, f.Rule)
				n++
			}
			assert.Equal(t, []int{test.findings, test.findings, test.omitted}, []int{n, want.Summary.Findings, want.Summary.CredentialsOmitted})
			assert.Equal(t, want.Summary.Findings > 0, want.Summary.Deviating > 0)
			for _, e := range want.Claims {
				if test.findings == 0 {
					assert.Zero(t, e.Refuted, e.ID)
				}
				if strings.HasPrefix(e.ID, "request.header#") && strings.Contains(name, "rejected without") {
					assert.Zero(t, e.Supported, e.ID)
				}
			}
			assert.Equal(t, want, verify(Options{Workers: 4}))
			var parts []*Report
			for i := range 3 {
				parts = append(parts, verify(Options{Shard: i + 1, Shards: 3}))
				assert.Equal(t, test.warnings, strings.Join(warnings, "\n"), "each shard knows the whole file")
			}
			merged, err := Merge(parts...)
			require.NoError(t, err)
			assert.Equal(t, want, merged)
		})
	}
}

// TestManyMissingCredentials checks that what is held back does not grow with the recording.
func TestManyMissingCredentials(t *testing.T) {
	t.Parallel()
	contract, err := Load([]byte(guardedSpec))
	require.NoError(t, err)
	lines := slices.Repeat([]string{"/both 200"}, 3000)
	without := recordingsOf(t, map[string][]string{"a.ndjson": lines})
	r, err := contract.Verify(traffic.Read(t.Context(), nil, without), Options{})
	require.NoError(t, err)
	assert.True(t, r.Summary.Conforms)
	with := recordingsOf(t, map[string][]string{"a.ndjson": append(lines, "/both 200 Authorization=Bearer_aaaabbbb X-Account=ccccdddd")})
	r, err = contract.Verify(traffic.Read(t.Context(), nil, with), Options{Workers: 3})
	require.NoError(t, err)
	assert.Equal(t, []int{6000, 2000, 3000, 2, 3000}, []int{r.Summary.Findings, len(r.Findings), r.Summary.Deviating, len(r.Deviations), r.Deviations[0].Exchanges})
	assert.Equal(t, int64(0), r.Findings[0].Index)
	assert.Equal(t, int64(2999), r.Deviations[1].Last.Index)
}

// TestOtherHosts checks that only exchanges with the API are, and that the others are counted by host.
func TestOtherHosts(t *testing.T) {
	t.Parallel()
	const lines = `
{"method":"GET","url":"https://api.example.test/v1/open","status":200}
{"method":"GET","url":"https://login.test/v1/open","status":200}
{"method":"GET","url":"https://LOGIN.test:444/open","status":200}
{"method":"GET","url":"https://cdn.test/app.js","status":200}
{"method":"GET","url":"http://127.0.0.1:8080/v1/open","status":200}
{"method":"GET","url":"/v1/open","status":200}
{"method":"GET","url":"https://gw.test/fleet/open","status":200}
{"method":"GET","url":"https://gw.test/open","status":200}
`
	for name, test := range map[string]struct {
		servers   []string
		checked   int
		unmatched int
		hosts     []HostCount
	}{
		"none given": {nil, 3, 0, []HostCount{{"cdn.test", 1}, {"gw.test", 2}, {"login.test", 2}}},
		"a gateway":  {[]string{"https://gw.test/fleet/"}, 4, 1, []HostCount{{"cdn.test", 1}, {"login.test", 2}}},
		"two":        {[]string{"https://gw.test/fleet", "http://login.test"}, 6, 1, []HostCount{{"cdn.test", 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			contract, err := Load([]byte(guardedSpec), Servers(test.servers...))
			require.NoError(t, err)
			r, err := contract.Verify(traffic.Read(t.Context(), strings.NewReader(lines), "-"), Options{})
			require.NoError(t, err)
			assert.Equal(t, test.hosts, r.OtherHosts)
			assert.Equal(t, []int{test.checked, test.unmatched, 8 - test.checked - test.unmatched}, []int{r.Exchanges, r.Summary.Unmatched, r.Summary.OtherHosts})
		})
	}
	for _, bad := range []string{"gw.test", "ftp://gw.test", "https:///x", "https://gw.test/?a", "mailto:a@b", "https://gw.test/%zz", ""} {
		_, err := Load([]byte(guardedSpec), Servers(bad))
		require.ErrorContains(t, err, "not a server", bad)
	}
}

// TestUnreadableExchanges checks that an exchange which cannot be read ends no run, and is a warning if it may be for an
// operation.
func TestUnreadableExchanges(t *testing.T) {
	t.Parallel()
	contract, err := Load([]byte(guardedSpec))
	require.NoError(t, err)
	entry := func(request string) string {
		return `{"request":{` + request + `},"response":{"status":200,"headers":[{"name":"A","value":7}]}}`
	}
	for name, test := range map[string]struct {
		entry                            string
		unreadable, unmatched, otherHost int
	}{
		"for an operation":  {entry(`"method":"GET","url":"https://api.example.test/v1/open"`), 1, 0, 0},
		"for no operation":  {entry(`"method":"PUT","url":"https://api.example.test/v1/open"`), 0, 1, 0},
		"of another host":   {entry(`"method":"GET","url":"https://cdn.test/app.js"`), 0, 0, 1},
		"no method":         {entry(`"url":"https://api.example.test/v1/open"`), 1, 0, 0},
		"no method or path": {entry(`"method":[],"url":"https://api.example.test/other"`), 0, 1, 0},
		"no URL":            {entry(`"method":"GET"`), 1, 0, 0},
		"an empty URL":      {entry(`"method":"GET","url":""`), 1, 0, 0},
		"a malformed URL":   {entry(`"method":"GET","url":"https://a b/%zz"`), 0, 1, 0},
		"no request":        {`{"response":{"status":200}}`, 1, 0, 0},
		"no object":         {`[]`, 1, 0, 0},
		"a response first":  {`{"response":{"status":"x","url":"https://cdn.test/"},"request":{"headers":[],"url":"https://api.example.test/v1/open","method":"GET"}}`, 1, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good := `{"request":{"method":"GET","url":"https://api.example.test/v1/open"},"response":{"status":200,"headers":[{"name":"A","value":"b"}]}}`
			in := `{"log":{"entries":[` + good + "," + test.entry + "," + good + `]}}`
			var warnings []error
			r, err := contract.Verify(traffic.Read(t.Context(), strings.NewReader(in), "-"), Options{Warn: func(err error) { warnings = append(warnings, err) }})
			require.NoError(t, err)
			assert.Equal(t, []int{2, test.unreadable, test.unmatched, test.otherHost},
				[]int{r.Exchanges, r.Summary.Unreadable, r.Summary.Unmatched, r.Summary.OtherHosts})
			require.Len(t, warnings, test.unreadable)
			for _, warning := range warnings {
				require.ErrorAs(t, warning, new(*traffic.EntryError))
				require.ErrorContains(t, warning, "-: entry 1 (byte ")
			}
			_, err = contract.Verify(traffic.Read(t.Context(), strings.NewReader(in[:len(in)-3]), "-"), Options{})
			require.ErrorContains(t, err, "unexpected EOF")
		})
	}
}

// TestResponsesForCaches checks that a response which a browser asked for on its own is no drift.
func TestResponsesForCaches(t *testing.T) {
	t.Parallel()
	contract, err := Load([]byte(guardedSpec))
	require.NoError(t, err)
	for request, drift := range map[string]int{
		`304,"request":{"headers":{"If-None-Match":"\"1\""}}`: 0,
		`304,"request":{"headers":{"If-Modified-Since":"x"}}`: 0,
		`304`: 0, // the header was not recorded
		`304,"request":{"headers":{"Range":"bytes=0-1"}}`:     1,
		`206,"request":{"headers":{"Range":"bytes=0-1"}}`:     0,
		`206,"request":{"headers":{"If-None-Match":"\"1\""}}`: 1,
		`307,"request":{"headers":{"If-None-Match":"\"1\""}}`: 1,
		`304,"request":{"headers":{}}`:                        1,
	} {
		line := `{"method":"GET","url":"/v1/open","status":` + request + `}`
		r, err := contract.Verify(traffic.Read(t.Context(), strings.NewReader(line), "-"), Options{})
		require.NoError(t, err)
		assert.Equal(t, []int{1, drift}, []int{r.Exchanges, r.Summary.Drift}, request)
	}
}
