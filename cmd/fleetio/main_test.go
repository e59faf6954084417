package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const recordings = "../../conformance/testdata/recordings/"

func fleetio(stdin string, args ...string) (code int, stdout, stderr string) {
	var out, errOut bytes.Buffer
	code = run(context.Background(), args, &console{stdin: strings.NewReader(stdin), stdout: &out, stderr: &errOut, now: someDay})
	return code, out.String(), withoutUnchecked(errOut.String())
}

var unchecked = regexp.MustCompile(`(?m)^warning: \S*api/openapi\.yaml:\d+: not checked: .*\n`)

// withoutUnchecked removes the warnings of what is not checked in this project's spec, which may gain some.
func withoutUnchecked(stderr string) string { return unchecked.ReplaceAllString(stderr, "") }

func someDay() time.Time { return time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC) }

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func har(entries string) string {
	return `{"log":{"version":"1.2","creator":{"name":"t","version":"1"},"entries":[` + entries + `]}}`
}

const (
	unmatched  = `{"request":{"method":"GET","url":"https://secure.fleetio.com/","headers":[]},"response":{"status":200,"headers":[],"content":{"size":0}}}`
	unanswered = `{"request":{"method":"POST","url":"https://secure.fleetio.com/api/v1/faults","headers":[]},"response":{"status":0,"headers":[],"content":{"size":0}}}`
)

func TestExitStatus(t *testing.T) {
	t.Parallel()
	conforming, err := os.ReadFile(recordings + "conformant-minimal.har")
	require.NoError(t, err)
	empty := t.TempDir()
	overview := write(t, "report.json", "{}")
	packed := write(t, "text.gz", "\x1f\x8b\x08")
	usage := map[string]bool{"help of nothing": true, "no command": true, "unknown command": true, "no path": true, "unknown flag": true,
		"merge nothing": true, "claims of something": true, "redact nothing": true,
		"no number": true, "no duration": true} // errors of the arguments
	for name, test := range map[string]struct {
		stdin  string
		args   []string
		code   int
		stdout string
		stderr string
	}{
		"conforms":          {args: []string{"verify", recordings + "conformant-minimal.har"}, stdout: "2 exchanges checked: conforms\n"},
		"findings":          {args: []string{"verify", recordings + "minimum.har"}, code: 1, stdout: "7 findings in 5 exchanges"},
		"drift":             {args: []string{"verify", recordings + "status.har"}, stdout: "3 of drift"},
		"strict":            {args: []string{"verify", "--strict", recordings + "status.har"}, code: 1, stdout: "3 of drift"},
		"strict, no drift":  {args: []string{"verify", "--strict", recordings + "conformant-minimal.har"}, stdout: "conforms"},
		"a folder":          {args: []string{"verify", recordings}, code: 1, stdout: "findings in"},
		"standard input":    {stdin: string(conforming), args: []string{"verify", "-"}, stdout: "conforms"},
		"flags after paths": {args: []string{"verify", recordings + "conformant-minimal.har", "--format", "json"}, stdout: `"conforms": true`},
		"another spec":      {args: []string{"verify", "--spec", "../../api/openapi.yaml", recordings + "minimum.har"}, code: 1, stdout: " at ../../api/openapi.yaml:"},
		"claims":            {args: []string{"claims"}, stdout: "response.body#/components/schemas/Fault/required/id: the property id\n"},
		"claims as JSON":    {args: []string{"claims", "--format", "json"}, stdout: `"id": "response.body#/components/schemas/Fault/required/id",`},
		"version":           {args: []string{"--version"}, stdout: "fleetio version "},
		"version of all":    {args: []string{"version"}, stdout: "\nspec Fleetio Faults "},
		"completion":        {args: []string{"completion", "bash"}, stdout: "bash completion"},
		"help of all":       {args: []string{"--help"}, stdout: "Exit codes:"},

		"help verify":       {args: []string{"help", "verify"}, stdout: "Examples:"},
		"help of nothing":   {args: []string{"help", "nonsense"}, code: 2, stderr: `unknown command "nonsense"`},
		"no command":        {code: 2, stderr: "a command is missing"},
		"unknown command":   {args: []string{"verfy"}, code: 2, stderr: `unknown command "verfy"; did you mean verify?`},
		"no path":           {args: []string{"verify"}, code: 2, stderr: "needs a PATH"},
		"unknown flag":      {args: []string{"verify", "--lax"}, code: 2, stderr: "--lax"},
		"no number":         {args: []string{"verify", "--min-coverage", "x", "-"}, code: 2, stderr: `fleetio: invalid argument "x" for "--min-coverage" flag: invalid syntax` + "\n"},
		"no duration":       {args: []string{"create", "--look-up-delay", "x"}, code: 2, stderr: `fleetio: invalid argument "x" for "--look-up-delay" flag: invalid duration "x"` + "\n"},
		"known in gzip":     {args: []string{"verify", "--known", packed, "-"}, code: 2, stderr: packed + ": a gzip file; unpack it first\n"},
		"fixtures in gzip":  {args: []string{"sandbox", "--fixtures", packed}, code: 2, stderr: packed + ": a gzip file; unpack it first\n"},
		"report in gzip":    {args: []string{"merge", packed}, code: 2, stderr: packed + ": a gzip file; unpack it first\n"},
		"unknown format":    {args: []string{"verify", "--format", "xml", "-"}, code: 2, stderr: `not "xml"`},
		"no such file":      {args: []string{"verify", "nowhere.har"}, code: 2, stderr: "nowhere.har"},
		"empty folder":      {args: []string{"verify", empty}, code: 2, stderr: empty},
		"no recording":      {stdin: "{}", args: []string{"verify", "-"}, code: 2, stderr: "-: "},
		"cut short":         {stdin: string(conforming[:len(conforming)/2]), args: []string{"verify", "-"}, code: 2, stderr: "byte"},
		"no exchange":       {stdin: har(""), args: []string{"verify", "-"}, code: 2, stderr: "no exchange was checked"},
		"no operation":      {stdin: har(unmatched), args: []string{"verify", "-"}, code: 2, stderr: "1 matched no operation"},
		"no response":       {stdin: har(unanswered), args: []string{"verify", "-"}, code: 2, stderr: "1 had no response"},
		"no such spec":      {args: []string{"verify", "--spec", "nowhere.yaml", "-"}, code: 2, stderr: "nowhere.yaml"},
		"a folder as spec":  {args: []string{"verify", "--spec", empty, "-"}, code: 2, stderr: "fleetio: "},
		"a spec of nothing": {args: []string{"verify", "--spec", os.DevNull, "-"}, code: 2, stderr: os.DevNull},
		"a broken file after a good one": {
			args: []string{"verify", recordings + "conformant-minimal.har", recordings + "minimum.expected.json"}, code: 2, stderr: "minimum.expected.json"},

		"merge nothing":            {args: []string{"merge"}, code: 2, stderr: "needs a REPORT.json"},
		"merge no such file":       {args: []string{"merge", "nowhere.json"}, code: 2, stderr: "nowhere.json: no such file"},
		"merge no report":          {args: []string{"merge", overview}, code: 2, stderr: overview + ": "},
		"claims of something":      {args: []string{"claims", "x"}, code: 2, stderr: `"x"`},
		"claims in another format": {args: []string{"claims", "--format", "sarif"}, code: 2, stderr: `not "sarif"`},
		"claims of no spec":        {args: []string{"claims", "--spec", os.DevNull}, code: 2, stderr: os.DevNull},
		"redact nothing":           {args: []string{"redact"}, code: 2, stderr: "needs a PATH"},
		"redact no such file":      {args: []string{"redact", "nowhere.har"}, code: 2, stderr: "nowhere.har"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := fleetio(test.stdin, test.args...)
			assert.Equal(t, test.code, code, stderr)
			assert.Contains(t, stdout, test.stdout)
			assert.Contains(t, stderr, test.stderr)
			if test.code == exitNotRun {
				assert.Empty(t, stdout, "no result without a run")
				command := "fleetio"
				if len(test.args) > 0 && slices.Contains([]string{"verify", "merge", "claims", "redact", "create"}, test.args[0]) {
					command += " " + test.args[0]
				}
				assert.Equal(t, usage[name], strings.HasSuffix(stderr, "\nTry '"+command+" --help'.\n"), stderr)
			} else {
				assert.Empty(t, stderr)
			}
		})
	}
}

// TestHelp holds the help of every flag to start with what it does, and to say a default as cobra does.
func TestHelp(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"verify", "merge", "claims", "redact", "create", "import"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			code, stdout, _ := fleetio("", command, "--help")
			assert.Equal(t, 0, code)
			assert.Contains(t, stdout, "Examples:\n  fleetio "+command)
			assert.Contains(t, stdout, "Exit codes:")
			_, flags, _ := strings.Cut(stdout, "Flags:\n")
			assert.NotContains(t, flags, "efault, ")
			assert.NotContains(t, flags, ".\n")
			assert.Contains(t, flags, "default")
		})
	}
	_, stdout, _ := fleetio("", "create", "--help")
	assert.Regexp(t, `--vehicle-id NUMBER .* \(required\)\n`, stdout)
	_, stdout, _ = fleetio("", "import", "--help")
	assert.Regexp(t, `--concurrency NUMBER .* \(default 4\)\n`, stdout)
}

func TestSpecErrorsNameTheLine(t *testing.T) {
	t.Parallel()
	spec, err := os.ReadFile("../../api/openapi.yaml")
	require.NoError(t, err)
	broken := strings.Replace(string(spec), "== $statusCode", "== $code", 1)
	path := write(t, "broken.yaml", broken)
	code, _, stderr := fleetio("", "verify", "--spec", path, "-")
	assert.Equal(t, 2, code)
	assert.Regexp(t, `broken\.yaml:\d+: .*\$code.*x-criteria/0`, stderr)
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	spec, err := os.ReadFile("../../api/openapi.yaml")
	require.NoError(t, err)
	path := write(t, "other.yaml", strings.Replace(string(spec), "format: uri-reference", "format: iri", 1))
	code, _, stderr := fleetio("", "verify", "--spec", path, recordings+"conformant-minimal.har")
	assert.Equal(t, 0, code)
	assert.Contains(t, stderr, "not checked: format iri")

	omitted := har(`{"request":{"method":"POST","url":"https://secure.fleetio.com/api/v1/faults","headers":[{"name":"Content-Type","value":"application/json"},` +
		`{"name":"Authorization","value":"x"},{"name":"Account-Token","value":"x"}],"bodySize":-1},` +
		`"response":{"status":201,"headers":[{"name":"Location","value":"/7"}],"content":{"size":-1}}}`)
	code, stdout, stderr := fleetio(omitted, "verify", "-")
	assert.Equal(t, 0, code, stdout)
	assert.Contains(t, stderr, "no exchange has a response body")
	assert.Contains(t, stdout, "without the response body")
}

func TestJSONReportOfTheVendorPage(t *testing.T) {
	t.Parallel()
	code, stdout, _ := fleetio("", "verify", "--format=json", recordings+"vendor-page.har")
	assert.Equal(t, 1, code)
	var r struct {
		Exchanges int
		Findings  []struct {
			Rule, Pointer string
			Status        int
			Spec          struct{ Line int }
		}
		Summary struct{ Findings, Documented, Assumed int }
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	assert.Equal(t, 6, r.Exchanges)
	assert.Len(t, r.Findings, 10)
	assert.Equal(t, 7, r.Summary.Documented)
	assert.Equal(t, 3, r.Summary.Assumed)
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestUnwritableOutput(t *testing.T) {
	t.Parallel()
	junit := filepath.Join(t.TempDir(), "junit.xml")
	for _, args := range [][]string{
		{"verify", "--report", "junit=" + junit, recordings + "conformant-minimal.har"}, {"claims"}, {"claims", "--format=json"},
		{"redact", recordings + "conformant-minimal.har"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			t.Parallel()
			var stderr bytes.Buffer
			code := run(t.Context(), args, &console{stdout: brokenPipe{}, stderr: &stderr, now: someDay})
			assert.Equal(t, 2, code, "a report that cannot be printed is not a pass")
			assert.Contains(t, stderr.String(), "broken pipe")
		})
	}
	t.Cleanup(func() { assert.NoFileExists(t, junit) })
}
