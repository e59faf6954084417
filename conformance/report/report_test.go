package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"io"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/internal/testspec"
	"github.com/fleetcontract/fleetio-go/conformance/known"
	"github.com/fleetcontract/fleetio-go/conformance/report"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	recordings = "../testdata/recordings"
	secret     = "s3cret-k3y"
)

func load(t *testing.T) *conformance.Contract {
	t.Helper()
	contract, err := conformance.Load(testspec.Spec)
	require.NoError(t, err)
	return contract
}

// verify returns the report for recordings.
func verify(t *testing.T, paths ...string) *conformance.Report {
	t.Helper()
	r, err := load(t).Verify(traffic.Read(t.Context(), nil, paths...), conformance.Options{})
	require.NoError(t, err)
	return r
}

// hostile returns a report with names that contain syntax of each format.
func hostile(t *testing.T) *conformance.Report {
	t.Helper()
	ledger := load(t).NewLedger()
	for _, name := range []string{"a|b`c", "]]>", "<script>alert(1)</script>", "\x1b[2J\x00\r\n## me", "@team \\ &amp; [x](javascript:y)", "\ufffe\u202e", secret} {
		body, err := json.Marshal(map[string]any{"errors": map[string]any{name: 7}, name: 1})
		require.NoError(t, err)
		_, err = ledger.Add(&traffic.Exchange{Source: "x\n.har#" + name[:1], Method: http.MethodPost, URL: &url.URL{Path: "/api/v1/faults"}, Status: 422,
			Request:  traffic.Message{Header: http.Header{"Authorization": {"Token " + secret}}},
			Response: traffic.Message{Header: http.Header{"Content-Type": {"application/json"}, "X-" + secret: {secret}}, Body: body}})
		require.NoError(t, err)
	}
	return ledger.Report()
}

// unchecked returns the report of no traffic, with a spec that has an unknown extension.
func unchecked(t *testing.T) *conformance.Report {
	t.Helper()
	spec := bytes.Replace(testspec.Spec, []byte("\nsecurity:"), []byte("\nx-owner: us\nsecurity:"), 1)
	contract, err := conformance.Load(spec)
	require.NoError(t, err)
	require.NotEmpty(t, contract.Unchecked)
	return contract.NewLedger().Report()
}

// shard returns the report of one of 1000 shards.
func shard(t *testing.T, number int) *conformance.Report {
	t.Helper()
	r, err := load(t).Verify(traffic.Read(t.Context(), nil, recordings+"/vendor-page.har"), conformance.Options{Shard: number, Shards: 1000})
	require.NoError(t, err)
	return r
}

// expecting returns the report for all recordings with some known failures, and their problems.
func expecting(t *testing.T) (*conformance.Report, []string) {
	t.Helper()
	r := verify(t, recordings)
	list, err := known.Read(strings.NewReader("rule minimum because they are the vendor's own examples | <b>\n"+
		"rule undocumented-header pointer /X-Api-Version because it is on its way into the spec\n"+
		"rule format until 2020-01-01 because it was to be fixed by then\n"), "known.txt")
	require.NoError(t, err)
	problems, err := r.ApplyKnown(list, time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	require.NotEmpty(t, problems)
	return r, problems
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "%s; -update rewrites it", path)
}

// TestWrite compares every format of several reports with its golden file and its schema.
func TestWrite(t *testing.T) {
	t.Parallel()
	expected, problems := expecting(t)
	all := verify(t, recordings)
	for name, run := range map[string]struct {
		report  *conformance.Report
		options report.Options
		golden  string // the formats with a golden file
	}{
		"all":       {all, report.Options{}, "text"},
		"strict":    {verify(t, recordings+"/drift.har"), report.Options{Strict: true}, "text junit sarif"},
		"drift":     {verify(t, recordings+"/drift.har"), report.Options{Version: "v1.2.3"}, "text json junit sarif markdown"},
		"known":     {expected, report.Options{Problems: problems}, "text junit sarif markdown"},
		"conformed": {verify(t, recordings+"/conformant-minimal.har"), report.Options{}, "text markdown"},
		"vacuous":   {verify(t, recordings+"/conformant-refusals.har"), report.Options{}, "text markdown"},
		"empty":     {load(t).NewLedger().Report(), report.Options{}, "text junit"},
		"unchecked": {unchecked(t), report.Options{}, ""},
		"shard":     {shard(t, 1), report.Options{}, ""},
		"hostile":   {hostile(t), report.Options{}, "text junit sarif markdown"},
	} {
		run.options.Spec = "api/openapi.yaml"
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, format := range report.Formats() {
				t.Run(format, func(t *testing.T) {
					t.Parallel()
					var b bytes.Buffer
					require.NoError(t, report.Write(&b, format, run.report, run.options))
					if strings.Contains(run.golden, format) {
						golden(t, name+"."+format+".golden", b.Bytes())
					}
					assert.NotContains(t, b.String(), secret)
					check(t, format, b.Bytes())
				})
			}
		})
	}
}

// check validates a report against the schema of its format, and searches it for unescaped syntax from traffic.
func check(t *testing.T, format string, data []byte) {
	t.Helper()
	switch format {
	case "json":
		validate(t, "../../docs/report.schema.json", data)
		read, err := report.Read(bytes.NewReader(data))
		require.NoError(t, err)
		var again bytes.Buffer
		require.NoError(t, report.Write(&again, "json", read, report.Options{}))
		assert.Equal(t, string(data), again.String(), "it reads back")
	case "sarif":
		validate(t, "testdata/sarif-schema-2.1.0.json", data)
	case "junit":
		var suites struct {
			Suites []struct {
				Cases []struct{} `xml:"testcase"`
			} `xml:"testsuite"`
		}
		require.NoError(t, xml.Unmarshal(data, &suites))
		require.NotEmpty(t, suites.Suites)
		assert.NotEmpty(t, suites.Suites[0].Cases, "a run that checked nothing must not pass")
	case "markdown":
		assert.NotContains(t, string(data), "<script")
		assert.NotContains(t, string(data), "@team")
	}
	if format != "json" && format != "sarif" {
		assert.NotContains(t, string(data), "\x1b")
	}
	if format == "html" {
		checkPage(t, data)
	} else {
		assert.NotContains(t, string(data), "\n## me")
	}
}

func validate(t *testing.T, path string, data []byte) {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(path)
	require.NoError(t, err)
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	require.NoError(t, err)
	require.NoError(t, schema.Validate(value))
}

// TestSchemaIsClosed changes a report in ways that the schema must reject.
func TestSchemaIsClosed(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	require.NoError(t, report.Write(&b, "json", verify(t, recordings+"/drift.har"), report.Options{}))
	schema, err := jsonschema.NewCompiler().Compile("../../docs/report.schema.json")
	require.NoError(t, err)
	for name, change := range map[string][2]string{
		"a new property":     {`"exchanges": 3`, `"exchanges": 3, "more": 1`},
		"a new summary":      {`"conforms": true`, `"conforms": true, "more": 1`},
		"another version":    {`"version": 1`, `"version": 2`},
		"a retyped property": {`"exchanges": 3`, `"exchanges": "3"`},
		"an unknown source":  {`"source": "drift"`, `"source": "guess"`},
		"a missing property": {`"unchecked": []`, `"x": []`},
		"no fingerprint":     {`"fingerprint": "`, `"fingerprint": "-`},
		"an unknown state":   {`"state": "supported"`, `"state": "perhaps"`},
		"a negative number":  {`"findings": 0`, `"findings": -1`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed := strings.Replace(b.String(), change[0], change[1], 1)
			require.NotEqual(t, b.String(), changed)
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(changed))
			require.NoError(t, err)
			require.Error(t, schema.Validate(value))
		})
	}
}

// TestReadFails for other documents and incomplete reports.
func TestReadFails(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	require.NoError(t, report.Write(&b, "json", verify(t, recordings+"/drift.har"), report.Options{}))
	for want, text := range map[string]string{
		"not a JSON report":                 "x",
		"it has no version":                 "{}",
		"report version 7 is not supported": `{"version": 7}`,
		"an unknown property":               strings.Replace(b.String(), `"exchanges"`, `"more": 1, "exchanges"`, 1),
		"the list drift is missing":         strings.Replace(b.String(), `"drift": [`, `"notes": [`, 1),
		"the hash of the spec is missing":   strings.Replace(b.String(), `"sha256"`, `"title"`, 1),
		"not a report of version 1: ":       strings.Replace(b.String(), `"exchanges": 3`, `"exchanges": "3"`, 1),
		"not a JSON report: byte":           b.String()[:b.Len()/2],
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			_, err := report.Read(strings.NewReader(text))
			require.ErrorContains(t, err, want)
		})
	}
	require.ErrorContains(t, report.Write(io.Discard, "yaml", &conformance.Report{}, report.Options{}), "use one of text, json, junit, sarif, markdown, html")
}

// unprintable has characters that a terminal or a viewer obeys, hides or reorders.
const unprintable = "\x00\a\x1b[31m\r\x7f\u0085\u009b31m\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ufeff\U000e0041"

// raw matches such a character.
var raw = regexp.MustCompile(`[^\n\t\pL\pM\pN\pP\pS ]`)

// fill appends a text to every field of type string.
func fill(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			fill(v.Elem(), text)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field, text)
		}
	case reflect.Slice:
		for i := range v.Len() {
			fill(v.Index(i), text)
		}
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			v.SetString(v.String() + text)
		}
	}
}

// TestUnprintable has unprintable characters in every string: each format escapes them, and JSON decodes to the original.
func TestUnprintable(t *testing.T) {
	t.Parallel()
	r, problems := expecting(t)
	r.Unchecked = []conformance.Unchecked{{Reason: "x"}}
	fill(reflect.ValueOf(r), "\n"+unprintable)
	for i := range problems {
		problems[i] += "\n" + unprintable
	}
	o := report.Options{Spec: "a\n" + unprintable + ".yaml", Problems: problems, Strict: true}
	for _, format := range report.Formats() {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			require.NoError(t, report.Write(&b, format, r, o))
			assert.Empty(t, raw.FindString(b.String()))
			if format != "html" { // where a line break is a blank
				assert.NotContains(t, b.String(), "\n\\x00", "a line break in a name is escaped")
			}
			if format == "json" {
				plain, err := json.Marshal(r)
				require.NoError(t, err)
				var want conformance.Report
				require.NoError(t, json.Unmarshal(plain, &want))
				read, err := report.Read(&b)
				require.NoError(t, err)
				assert.Equal(t, &want, read)
			}
		})
	}
}

// TestColor compares text with and without colors.
func TestColor(t *testing.T) {
	t.Parallel()
	var plain, colored bytes.Buffer
	r := verify(t, recordings+"/vendor-page.har")
	require.NoError(t, report.Write(&plain, "text", r, report.Options{}))
	require.NoError(t, report.Write(&colored, "text", r, report.Options{Color: true}))
	assert.Contains(t, colored.String(), "\x1b[31m")
	stripped := strings.NewReplacer("\x1b[31m", "", "\x1b[33m", "", "\x1b[2m", "", "\x1b[0m", "").Replace(colored.String())
	assert.Equal(t, plain.String(), stripped)
}

// TestEveryRuleHasHelp writes SARIF, in which each rule has a description.
func TestEveryRuleHasHelp(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	require.NoError(t, report.Write(&b, "sarif", verify(t, recordings), report.Options{}))
	assert.NotContains(t, b.String(), "The traffic violates this rule")
}

// TestNothingChecked fails the run, except for a shard, which may have no exchange.
func TestNothingChecked(t *testing.T) {
	t.Parallel()
	empty := shard(t, 1)
	require.Zero(t, empty.Exchanges)
	for name, run := range map[string]struct {
		report *conformance.Report
		want   map[string]string
	}{
		"run": {unchecked(t), map[string]string{"junit": `failures="1"`, "sarif": `"executionSuccessful": false`,
			"markdown": "## ❌ 0 exchanges checked: no verdict", "text": "not checked: the extension x-owner at openapi.yaml:"}},
		"shard": {empty, map[string]string{"junit": `failures="0"`, "sarif": `"executionSuccessful": true`,
			"markdown": "## ➖ 0 exchanges checked: no verdict", "text": "number 1 of 1000 shards\n"}},
	} {
		for format, want := range run.want {
			t.Run(name+" "+format, func(t *testing.T) {
				t.Parallel()
				var b bytes.Buffer
				require.NoError(t, report.Write(&b, format, run.report, report.Options{}))
				assert.Contains(t, b.String(), want)
			})
		}
	}
}

// TestMarkdownIsBounded below the size that GitHub accepts.
func TestMarkdownIsBounded(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		pointer string
		more    string
	}{
		"many": {"/x", "The other formats list 100 more"},
		"long": {strings.Repeat("|", 5000), "The other formats list "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := shard(t, 1)
			for range 300 {
				r.Deviations = append(r.Deviations, conformance.Deviation{Pointer: test.pointer, Source: conformance.Drift})
			}
			var b bytes.Buffer
			require.NoError(t, report.Write(&b, "markdown", r, report.Options{}))
			assert.Less(t, b.Len(), 1<<20)
			assert.Contains(t, b.String(), test.more)
		})
	}
}
