//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/conformance/report"
)

// unprintable has a character of each kind that a terminal or a viewer obeys, hides or reorders, after a line break.
const unprintable = "\n\x1b]0;x\a\r\x7f\u0085\u009b\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ufeff\U000e0041"

// rawCharacter matches such a character.
var rawCharacter = regexp.MustCompile(`[^\n\t\pL\pM\pN\pP\pS ]`)

// assertPrintable holds an output to have such a text, and to have it escaped, on the line that it belongs to.
func assertPrintable(t *testing.T, what, output string) {
	t.Helper()
	assert.Contains(t, output, `u202e`, what) // \u202e, with \ as a reference in Markdown
	assert.True(t, utf8.ValidString(output), what)
	assert.Empty(t, rawCharacter.FindString(output), what)
	assert.NotRegexp(t, `(?m)^(\\x1b|\\u001b)`, output, what)
}

// attack is a folder whose name and contents do not print.
type attack struct{ folder, recording, spec, known string }

func newAttack(t *testing.T) *attack {
	t.Helper()
	a := &attack{folder: filepath.Join(t.TempDir(), "in"+unprintable+"\xff\x9b")}
	require.NoError(t, os.Mkdir(a.folder, 0o700))
	spec := read(t, "../../conformance/internal/testspec/spec.yaml")
	quoted := strconv.QuoteToASCII("x" + unprintable) // as YAML does
	for _, change := range [][2]string{
		{"title: Fleetio Create Fault\n", "title: " + quoted + "\n"},
		{"format: No page states the width of an integer.", "format: " + quoted},
		{"        count:\n", "        " + quoted + ":\n          type: string\n          maxLength: 1\n        count:\n"},
		{"security:\n", quoted[:2] + "-" + quoted[2:] + ": 1\nsecurity:\n"}, // nothing that is checked
	} {
		require.Contains(t, spec, change[0])
		spec = strings.Replace(spec, change[0], change[1], 1)
	}
	a.spec = a.file(t, ".yaml", spec)
	a.known = a.file(t, ".txt", "rule minimum because x"+"\u202e\u2066\u200b\ufeff\u2028\n")
	body, err := json.Marshal(map[string]any{"id": 0, "x" + unprintable: "x" + unprintable})
	require.NoError(t, err)
	line, err := json.Marshal(map[string]any{"method": "POST", "url": "https://secure.fleetio.com/api/v1/faults", "status": 201,
		"request": map[string]any{"headers": [][2]string{{"Account-Token", "x"}, {"Content-Type", "x" + unprintable}}, "body": string(body)},
		"response": map[string]any{"headers": [][2]string{{"Content-Type", "application/json"}, {"X-" + unprintable, unprintable}},
			"body": string(body)}})
	require.NoError(t, err)
	a.recording = a.file(t, ".ndjson", string(line)+"\n")
	return a
}

// file writes one into the folder, and returns its name.
func (a *attack) file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(a.folder, unprintable+name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// TestPrintsNothingRaw runs every command and format with text that does not print in names, flags and contents.
func TestPrintsNothingRaw(t *testing.T) {
	t.Parallel()
	a := newAttack(t)
	gone, empty := a.folder+"/gone"+unprintable, filepath.Join(a.folder, "e"+unprintable)
	require.NoError(t, os.Mkdir(empty, 0o700))
	nonsense := a.file(t, ".har", unprintable)
	dangling := filepath.Join(a.folder, "d"+unprintable)
	require.NoError(t, os.Symlink(unprintable, dangling))
	yamlKey := a.file(t, ".yml", `{"x\u202e\u009b": 1, "x\u202e\u009b": 1}`)
	csv := a.file(t, ".csv", "code,vehicle_id\n"+strings.Repeat("é", 256)+",1\n")
	rows := a.file(t, ".rows", `{"code":"P1","vehicle_id":1,"x\u001b\u202e\u009b":1}`)
	whole := filepath.Join(a.folder, "report.json")
	_, _, stderr := fleetio("", "verify", "--spec", a.spec, "--report", "json="+whole, a.recording)
	require.FileExists(t, whole, stderr)
	type test struct {
		stdin string
		args  []string
		code  int
	}
	tests := map[string]test{
		"unknown command":   {args: []string{"x" + unprintable}, code: 2},
		"unknown help":      {args: []string{"help", "x" + unprintable}, code: 2},
		"unknown flag":      {args: []string{"verify", "--x" + unprintable, "-"}, code: 2},
		"unknown short":     {args: []string{"verify", "-\u202e", "-"}, code: 2},
		"no number":         {args: []string{"verify", "--min-coverage", unprintable, "-"}, code: 2},
		"no shard":          {args: []string{"verify", "--shard", unprintable, "-"}, code: 2},
		"no format":         {args: []string{"verify", "--format", unprintable, "-"}, code: 2},
		"no report format":  {args: []string{"verify", "--report", unprintable, "-"}, code: 2},
		"no such recording": {args: []string{"verify", gone}, code: 2},
		"empty folder":      {args: []string{"verify", empty}, code: 2},
		"no recording":      {args: []string{"verify", nonsense}, code: 2},
		"broken cassette":   {args: []string{"verify", yamlKey}, code: 2},
		"no such spec":      {args: []string{"verify", "--spec", gone, "-"}, code: 2},
		"no spec":           {args: []string{"claims", "--spec", nonsense}, code: 2},
		"broken spec":       {args: []string{"claims", "--spec", yamlKey}, code: 2},
		"no such known":     {args: []string{"verify", "--known", gone, "-"}, code: 2},
		"no known failures": {args: []string{"verify", "--known", csv, "-"}, code: 2},
		"no output folder":  {args: []string{"verify", "--report", "json=" + gone + "/x", a.recording}, code: 2},
		"over the input":    {args: []string{"verify", "--report", "json=" + a.recording, a.recording}, code: 2},
		"dangling link":     {args: []string{"redact", "-o", dangling, a.recording}, code: 2},
		"redact over it":    {args: []string{"redact", "-o", a.recording, a.recording}, code: 2},
		"redact":            {args: []string{"redact", a.recording}},
		"claims":            {args: []string{"claims", "--spec", a.spec}},
		"claims as JSON":    {args: []string{"claims", "--spec", a.spec, "--format", "json"}},
		"claims, argument":  {args: []string{"claims", unprintable}, code: 2},
		"merge, no report":  {args: []string{"merge", nonsense}, code: 2},
		"merge, none":       {args: []string{"merge", gone}, code: 2},
		"merge, twice":      {args: []string{"merge", a.recording, a.recording}, code: 2},
		"create":            {stdin: `{"x\u001b\u202e\u009b":1}`, args: []string{"create", "-"}, code: 2},
		"create, no keys":   {args: []string{"create", "--vehicle-id", "1", "--code", "P1", "--credentials", gone}, code: 2},
		"create, argument":  {args: []string{"create", "--" + unprintable}, code: 2},
		"import":            {args: []string{"import", "--dry-run", csv}, code: 1},
		"import as JSON":    {args: []string{"import", "--dry-run", "--format", "json", rows}, code: 1},
		"import, nothing":   {args: []string{"import", "--dry-run", gone}, code: 2},
		"import, map":       {args: []string{"import", "--dry-run", "--map", unprintable, csv}, code: 2},
		"sandbox":           {args: []string{"sandbox", "--fixtures", yamlKey}, code: 2},
		"sandbox, none":     {args: []string{"sandbox", "--fixtures", gone}, code: 2},
		"sandbox, address":  {args: []string{"sandbox", "--addr", unprintable}, code: 2},
		"sandbox, failure":  {args: []string{"sandbox", "--failure", unprintable}, code: 2},
		"sandbox, log":      {args: []string{"sandbox", "--log", unprintable}, code: 2},
		"sandbox, database": {args: []string{"sandbox", "--addr", "127.0.0.1:0", "--db", gone + "/x"}, code: 2},
	}
	for _, format := range report.Formats() {
		tests["verify as "+format] = test{args: []string{"verify", "--spec", a.spec, "--known", a.known, "--format", format, "--strict", a.recording}, code: 1}
		tests["merge as "+format] = test{args: []string{"merge", "--spec", a.spec, "--known", a.known, "--format", format, "--min-coverage", "99", whole}, code: 1}
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := fleetio(test.stdin, test.args...)
			assert.Equal(t, test.code, code, "%q", stderr)
			if name == "import" { // its report has the name of the file as it is, but for the escapes
				assert.Empty(t, rawCharacter.FindString(stdout+stderr))
				return
			}
			assertPrintable(t, "the output", stdout+stderr)
		})
	}
}

// TestFilesHaveNothingRaw looks at what the commands write to files, and decodes it: the values are those of the recording.
func TestFilesHaveNothingRaw(t *testing.T) {
	t.Parallel()
	a := newAttack(t)
	out := t.TempDir()
	at := func(name string) string { return filepath.Join(out, name) }
	args := []string{"verify", "--spec", a.spec, "--suggest", at("overlay"), a.recording}
	for _, format := range report.Formats() {
		args = append(args, "--report", format+"="+at(format))
	}
	code, _, stderr := fleetio("", args...)
	require.Equal(t, 1, code, "%q", stderr)
	code, _, stderr = fleetio("", "redact", "-o", at("redacted"), a.recording)
	require.Equal(t, 0, code, "%q", stderr)
	for _, name := range names(t, out) {
		assertPrintable(t, name, read(t, at(name)))
	}
	assert.Len(t, names(t, out), len(report.Formats())+2)

	var overlay any
	require.NoError(t, yaml.Unmarshal([]byte(read(t, at("overlay"))), &overlay))
	decoded, err := json.Marshal(overlay)
	require.NoError(t, err)
	name, err := json.Marshal("x" + unprintable)
	require.NoError(t, err)
	assert.Contains(t, string(decoded), string(name)+":")

	var recorded, redacted struct{ Response struct{ Body string } }
	require.NoError(t, json.Unmarshal([]byte(read(t, a.recording)), &recorded))
	require.NoError(t, json.Unmarshal([]byte(read(t, at("redacted"))), &redacted))
	assert.Equal(t, recorded, redacted)
}

// TestSandboxPrintsNothingRaw serves accounts and keys with such names.
func TestSandboxPrintsNothingRaw(t *testing.T) {
	t.Parallel()
	name := strconv.QuoteToASCII("x" + unprintable)
	fixtures := write(t, "fleet.yaml", "accounts:\n- {id: 1, name: "+name+", token: t-1, api_keys: [{name: "+name+
		", key: k-1, permissions: [create_faults]}], vehicles: [{id: 1}], fault_rules: [{id: 1, code: P0420}]}\n")
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			b := serveSandbox(t, "--fixtures", fixtures, "--log", format)
			keys := write(t, "keys.env", envAPIKey+"="+b.key+"\n"+envToken+"="+b.token+"\n")
			fault, err := json.Marshal(map[string]any{"vehicle_id": 1, "code": "P0420", "description": unprintable})
			require.NoError(t, err)
			code, stdout, stderr := fleetio(string(fault), "create", "--credentials", keys, "--base-url", b.url, "-")
			require.Equal(t, 0, code, "%q", stderr)
			assertPrintable(t, "the fault", stdout)
			var created struct{ Description string }
			require.NoError(t, json.Unmarshal([]byte(stdout), &created))
			assert.Equal(t, unprintable, created.Description)
			require.Equal(t, 0, b.stop())
			assertPrintable(t, "the start", b.stdout)
			assertPrintable(t, "the log", b.log.String())
			if format == "json" {
				for line := range strings.Lines(b.log.String()) {
					assert.True(t, json.Valid([]byte(line)), line)
				}
			}
		})
	}
}

// TestColorsAndProgressAreNotEscaped, which are for a terminal on purpose.
func TestColorsAndProgressAreNotEscaped(t *testing.T) {
	t.Parallel()
	a := newAttack(t)
	var out, errOut bytes.Buffer
	now := someDay()
	c := &console{stdout: &out, stderr: &errOut, color: true, live: true, now: someDay}
	c.now = func() time.Time { now = now.Add(time.Second); return now }
	assert.Equal(t, 1, run(t.Context(), []string{"verify", "--spec", a.spec, a.recording}, c))
	assert.Contains(t, out.String(), "\x1b[31m")
	assertPrintable(t, "the text", regexp.MustCompile("\x1b\\[[0-9]*m").ReplaceAllString(out.String(), ""))
	assert.Contains(t, errOut.String(), "\r")
	assertPrintable(t, "the warnings", strings.ReplaceAll(errOut.String(), "\r", ""))
}
