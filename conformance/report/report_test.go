package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fleetcontract/fleetio-go/conformance/known"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/report"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	recordings = "../testdata/recordings"
	secret     = "s3cret-k3y"
)

func load(t *testing.T) *conformance.Contract {
	t.Helper()
	contract, err := conformance.Load(api.Spec)
	require.NoError(t, err)
	return contract
}

// verify judges the recordings of a folder, under the name that they have from the root of the repository.
func verify(t *testing.T, paths ...string) *conformance.Report {
	t.Helper()
	r, err := load(t).Verify(traffic.Read(t.Context(), nil, paths...), conformance.Options{})
	require.NoError(t, err)
	return r
}

// hostile is a run with names that mean something to each format.
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

// unchecked is a run by a spec that claims what nobody looks at.
func unchecked(t *testing.T) *conformance.Report {
	t.Helper()
	spec := bytes.Replace(api.Spec, []byte("\nsecurity:"), []byte("\nx-owner: us\nsecurity:"), 1)
	contract, err := conformance.Load(spec)
	require.NoError(t, err)
	require.NotEmpty(t, contract.Unchecked)
	return contract.NewLedger().Report()
}

// shard is what the first of two machines saw of one exchange, and what the second did.
func shard(t *testing.T, number int) *conformance.Report {
	t.Helper()
	r, err := load(t).Verify(traffic.Read(t.Context(), nil, recordings+"/vendor-page.har"), conformance.Options{Shard: number, Shards: 1000})
	require.NoError(t, err)
	return r
}

// expecting is the run over all recordings with some of its deviations expected.
func expecting(t *testing.T) (*conformance.Report, []string) {
	t.Helper()
	r := verify(t, recordings)
	list, err := known.Read(strings.NewReader("rule minimum because they are the vendor's own examples | <b>\n"+
		"rule undocumented-header pointer /X-Api-Version because it is on its way into the spec\n"+
		"rule format until 2020-01-01 because it was to be mended by then\n"), "known.txt")
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
	assert.Equal(t, string(want), string(got), "%s; -update writes it anew", path)
}

// TestWrite holds every format of every kind of run against its golden file and, where it has one, its schema.
func TestWrite(t *testing.T) {
	t.Parallel()
	expected, problems := expecting(t)
	all := verify(t, recordings)
	for name, run := range map[string]struct {
		report  *conformance.Report
		options report.Options
		kept    string // the formats that have a golden file; the others are checked only
	}{
		"all":       {all, report.Options{}, "text"},
		"strict":    {verify(t, recordings+"/drift.har"), report.Options{Strict: true}, "text junit sarif"},
		"drift":     {verify(t, recordings+"/drift.har"), report.Options{}, "text json junit sarif markdown"},
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
				var b bytes.Buffer
				require.NoError(t, report.Write(&b, format, run.report, run.options))
				if strings.Contains(run.kept, format) {
					golden(t, name+"."+format+".golden", b.Bytes())
				}
				assert.NotContains(t, b.String(), secret, format)
				check(t, format, b.Bytes())
			}
		})
	}
}

// check reads a report by the schema of its format, and looks for what is never to come through from traffic.
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
		assert.NotEmpty(t, suites.Suites[0].Cases, "a run that judged nothing is not green")
	case "markdown":
		assert.NotContains(t, string(data), "<script")
		assert.NotContains(t, string(data), "@team")
	}
	if format != "json" && format != "sarif" {
		assert.NotContains(t, string(data), "\x1b")
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

// TestSchemaIsClosed changes a report in ways that the schema must see.
func TestSchemaIsClosed(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	require.NoError(t, report.Write(&b, "json", verify(t, recordings+"/drift.har"), report.Options{}))
	schema, err := jsonschema.NewCompiler().Compile("../../docs/report.schema.json")
	require.NoError(t, err)
	for what, change := range map[string][2]string{
		"a new member":      {`"exchanges": 3`, `"exchanges": 3, "more": 1`},
		"a new summary":     {`"conforms": true`, `"conforms": true, "more": 1`},
		"another version":   {`"version": 1`, `"version": 2`},
		"a retyped member":  {`"exchanges": 3`, `"exchanges": "3"`},
		"an unknown source": {`"source": "drift"`, `"source": "guess"`},
		"a missing member":  {`"unchecked": []`, `"x": []`},
		"no fingerprint":    {`"fingerprint": "`, `"fingerprint": "-`},
		"an unknown state":  {`"state": "supported"`, `"state": "perhaps"`},
		"a negative number": {`"findings": 0`, `"findings": -1`},
	} {
		changed := strings.Replace(b.String(), change[0], change[1], 1)
		require.NotEqual(t, b.String(), changed, what)
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(changed))
		require.NoError(t, err, what)
		require.Error(t, schema.Validate(value), what)
	}
}

// TestReadRefuses what is no report, or not a whole one.
func TestReadRefuses(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	require.NoError(t, report.Write(&b, "json", verify(t, recordings+"/drift.har"), report.Options{}))
	for want, text := range map[string]string{
		"no report in JSON":       "x",
		"it has no version":       "{}",
		"a report of version 7":   `{"version": 7}`,
		"unknown to it":           strings.Replace(b.String(), `"exchanges"`, `"more": 1, "exchanges"`, 1),
		"the list drift is not":   strings.Replace(b.String(), `"drift": [`, `"notes": [`, 1),
		"which spec it is about":  strings.Replace(b.String(), `"sha256"`, `"title"`, 1),
		"no report of version 1:": strings.Replace(b.String(), `"exchanges": 3`, `"exchanges": "3"`, 1),
		"unexpected EOF":          b.String()[:b.Len()/2],
	} {
		_, err := report.Read(strings.NewReader(text))
		require.ErrorContains(t, err, want)
	}
	require.ErrorContains(t, report.Write(&b, "yaml", &conformance.Report{}, report.Options{}), "there are text, json, junit, sarif, markdown")
}

// unprintable has a character of each kind that a terminal or a viewer obeys, hides or reorders.
const unprintable = "\x00\a\x1b[31m\r\x7f\u0085\u009b31m\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ufeff\U000e0041"

// raw matches such a character.
var raw = regexp.MustCompile(`[^\n\t\pL\pM\pN\pP\pS ]`)

// fill puts a text into every string of a report that is free to hold any.
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

// TestUnprintable holds every format to escape what does not print, wherever it comes from, and JSON to keep its value.
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
			assert.NotContains(t, b.String(), "\n\\x00", "a name begins no line")
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

// TestColor is for terminals, and changes no word.
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

// TestEveryRuleHasHelp, so that no result of a code host is without words.
func TestEveryRuleHasHelp(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	require.NoError(t, report.Write(&b, "sarif", verify(t, recordings), report.Options{}))
	assert.NotContains(t, b.String(), "does not agree with what the spec says by this rule")
}

// TestNothingJudged is red, but for a shard, which may have nothing to do.
func TestNothingJudged(t *testing.T) {
	t.Parallel()
	idle := shard(t, 1)
	require.Zero(t, idle.Exchanges)
	for _, run := range []struct {
		report *conformance.Report
		want   map[string]string
	}{
		{unchecked(t), map[string]string{"junit": `failures="1"`, "sarif": `"executionSuccessful": false`,
			"markdown": "## ❌ 0 exchanges judged: no verdict", "text": "not checked: the extension x-owner at openapi.yaml:"}},
		{idle, map[string]string{"junit": `failures="0"`, "sarif": `"executionSuccessful": true`,
			"markdown": "## ➖ 0 exchanges judged: no verdict", "text": "of 1000 shards, number 1\n"}},
	} {
		for format, want := range run.want {
			var b bytes.Buffer
			require.NoError(t, report.Write(&b, format, run.report, report.Options{}))
			assert.Contains(t, b.String(), want, format)
		}
	}
}

// TestMarkdownIsBounded, as a summary that is too long is shown to nobody.
func TestMarkdownIsBounded(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		pointer string
		more    string
	}{
		"many": {"/x", "100 more are in the other formats"},
		"long": {strings.Repeat("|", 5000), "more are in the other formats"},
	} {
		r := shard(t, 1)
		for range 300 {
			r.Deviations = append(r.Deviations, conformance.Deviation{Pointer: c.pointer, Source: conformance.Drift})
		}
		var b bytes.Buffer
		require.NoError(t, report.Write(&b, "markdown", r, report.Options{}))
		assert.Less(t, b.Len(), 1<<20, what)
		assert.Contains(t, b.String(), c.more, what)
	}
}
