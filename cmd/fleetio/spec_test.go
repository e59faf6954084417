package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// folderOfSpec writes a spec of two files and a recording that violates it, and returns their paths.
func folderOfSpec(t *testing.T, schema string) (main, other, recording string) {
	t.Helper()
	dir := t.TempDir()
	main, other, recording = filepath.Join(dir, "spec.yaml"), filepath.Join(dir, "schemas", "a.yaml"), filepath.Join(dir, "t.ndjson")
	require.NoError(t, os.Mkdir(filepath.Dir(other), 0o755))
	for path, text := range map[string]string{
		main: "openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths:\n  /a:\n    get:\n      responses:\n        '200':\n          description: d\n" +
			"          content: {application/json: {schema: {$ref: schemas/a.yaml#/A, nullable: true}}}\n",
		other:     "A:\n  type: string\n  " + schema + "\n",
		recording: `{"method":"GET","url":"https://example.com/a","status":200,"response":{"headers":[["Content-Type","application/json"]],"body":"7"}}` + "\n",
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return main, other, recording
}

func TestSpecOfSeveralFiles(t *testing.T) {
	t.Parallel()
	spec, other, recording := folderOfSpec(t, "format: colour")
	code, stdout, stderr := fleetio("", "claims", "--spec", spec)
	require.Equal(t, exitConforms, code, stderr)
	assert.Contains(t, stdout, "documented "+other+":2 response.body#/schemas~1a.yaml/A/type: a string\n")
	assert.Contains(t, stdout, "unchecked  "+other+":3 #/schemas~1a.yaml/A/format: format colour\n")
	assert.Contains(t, stdout, "unchecked  "+spec+":9 #/paths/~1a/get/responses/200/content/application~1json/schema/nullable: nullable beside a $ref is ignored")

	code, stdout, stderr = fleetio("", "claims", "--spec", spec, "--format", "json")
	require.Equal(t, exitConforms, code, stderr)
	var list struct {
		Claims    []conformance.Claim
		Unchecked []conformance.Unchecked
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &list))
	assert.NotEmpty(t, list.Claims)
	assert.Len(t, list.Unchecked, 2)

	code, stdout, stderr = fleetio("", "verify", "--spec", spec, recording)
	assert.Equal(t, exitFindings, code, stderr)
	assert.Contains(t, stdout, " at "+other+":2 #/schemas~1a.yaml/A/type")
	assert.Contains(t, stderr, other+":3: not checked: format colour")

	code, _, stderr = fleetio("", "verify", "--spec", spec, "--report", "json="+other, recording)
	assert.Equal(t, exitNotRun, code)
	assert.Contains(t, stderr, "overwrit")
}

// TestSpecMistakes tells all of them, with file and line.
func TestSpecMistakes(t *testing.T) {
	t.Parallel()
	spec, other, _ := folderOfSpec(t, "minLength: 3\n  maxLength: 2\n  x-assumde: {type: guess}")
	text, err := os.ReadFile(spec)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(spec, []byte(strings.Replace(string(text), "'200'", "'2000'", 1)), 0o600))
	code, _, stderr := fleetio("", "claims", "--spec", spec)
	assert.Equal(t, exitNotRun, code)
	assert.Contains(t, stderr, spec+`:7: "2000" is no status: use one such as 200, a range such as 2XX, or default (#/paths/~1a/get/responses/2000)`+"\n"+
		other+":3: minLength is 3 and maxLength is 2: no value can satisfy both (#/schemas~1a.yaml/A/minLength)\n"+
		other+":5: unknown extension x-assumde; did you mean x-assumed? (#/schemas~1a.yaml/A/x-assumde)\n")
}

func TestEmbeddedURL(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"v1.2.3":                                   repository + "/blob/v1.2.3/api/openapi.yaml",
		"v1.2.3-rc.1":                              repository + "/blob/v1.2.3-rc.1/api/openapi.yaml",
		"v0.0.0-20261130120000-0123456789ab":       repository + "/blob/0123456789ab/api/openapi.yaml",
		"v1.2.4-0.20261130120000-0123456789ab":     repository + "/blob/0123456789ab/api/openapi.yaml",
		"v0.0.0-20261130120000-0123456789ab+dirty": embeddedSpec,
		"(devel)": embeddedSpec,
		"":        embeddedSpec,
	} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, want, embeddedURL(version))
		})
	}
}

// TestSpecPath names the spec in reports as their readers have it, also a file that the spec refers to.
func TestSpecPath(t *testing.T) {
	t.Parallel()
	spec, _, recording := folderOfSpec(t, "minLength: 2")
	for _, test := range []struct{ path, format, want string }{
		{"api/main.yaml", "text", "documented at api/schemas/a.yaml:2 #"},
		{"https://example.com/v1/main.yaml", "text", "documented at https://example.com/v1/schemas/a.yaml#L2 #"},
		{"api/main.yaml", "sarif", `"uri": "api/schemas/a.yaml"`},
		{"https://example.com/v1/main.yaml", "sarif", `"uri": "https://example.com/v1/schemas/a.yaml"`},
		{"api/main.yaml", "junit", "documented at api/schemas/a.yaml:2 #"},
		{"https://example.com/v1/main.yaml", "markdown", `<a href="https&#58;//example&#46;com/v1/schemas/a&#46;yaml&#35;L2"><code>a&#46;yaml&#58;2</code></a>`},
	} {
		t.Run(test.format+" "+test.path, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := fleetio("", "verify", "--server", "https://example.com", "--spec", spec, "--spec-path", test.path, "--format", test.format, recording)
			require.Equal(t, exitFindings, code, stderr)
			assert.Contains(t, stdout, test.want)
		})
	}
}
