package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const openSpec = `
openapi: 3.0.3
info: {title: T, version: '1'}
servers: [{url: 'https://api.example.test'}]
paths: {/login: {get: {security: [{key: []}], responses: {'200': {description: ok}}}}}
components: {securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}}
`

// exchangeAt is a line of a recording.
func exchangeAt(url string) string {
	return `{"method":"GET","url":"` + url + `","status":200,"request":{"headers":{"X-Key":"aaaabbbb"},"body":""},"response":{"headers":{},"body":""}}` + "\n"
}

var offset = regexp.MustCompile(`byte \d+`)

// TestVerifySkips checks what verify says of the exchanges that it does not check.
func TestVerifySkips(t *testing.T) {
	t.Parallel()
	spec := write(t, "openapi.yaml", openSpec)
	const api = "https://api.example.test/login"
	unreadable := strings.Replace(exchangeAt(api), "200", `"200"`, 1)
	for name, test := range map[string]struct {
		in     string
		flags  []string
		code   int
		stderr string
	}{
		"nothing":          {exchangeAt(api), nil, 0, ""},
		"unreadable":       {exchangeAt(api) + unreadable, nil, 0, "warning: -: entry 1 (byte N): line 2: status: expected a number, got a string\n"},
		"strict":           {exchangeAt(api) + unreadable, []string{"--strict"}, 1, "warning: -: entry 1 (byte N): line 2: status: expected a number, got a string\n"},
		"of another host":  {exchangeAt(api) + strings.Replace(unreadable, "api.", "cdn.", 1), []string{"--strict"}, 0, "note: 1 exchange not checked: the spec has no such server: cdn.example.test (1); --server URL says where the API is\n"},
		"for no operation": {exchangeAt(api) + strings.Replace(unreadable, "/login", "/x", 1), []string{"--strict"}, 0, ""},
		"other hosts": {exchangeAt(api) + strings.Repeat(exchangeAt("https://b.test/login"), 2) + exchangeAt("https://a.test/") + exchangeAt("https://c.test/") + exchangeAt("https://d.test/") +
			exchangeAt("https://e.test/") + exchangeAt("https://f.test/"), nil, 0,
			"note: 7 exchanges not checked: the spec has no such server: b.test (2), a.test (1), c.test (1), d.test (1), e.test (1), and others; --server URL says where the API is\n"},
		"a server":     {exchangeAt("https://gw.test/base/login") + exchangeAt(api), []string{"--server", "https://gw.test/base"}, 0, ""},
		"two servers":  {exchangeAt("https://gw.test/base/login") + exchangeAt("http://other/login"), []string{"--server=https://gw.test/base", "--server=http://other"}, 0, ""},
		"a base path":  {exchangeAt("https://api.example.test/base/login"), []string{"--server", "/base"}, 0, ""},
		"no server":    {exchangeAt(api), []string{"--server", "gw.test"}, 2, "fleetio: not a server: \"gw.test\"; it is a URL such as https://HOST/BASE, or a path such as /BASE\n"},
		"no exchanges": {exchangeAt("https://b.test/login") + unreadable, nil, 2, "warning: -: entry 1 (byte N): line 2: status: expected a number, got a string\nnote: 1 exchange not checked: the spec has no such server: b.test (1); --server URL says where the API is\nfleetio: no exchange was checked: 2 read, 0 matched no operation, 0 had no response, 1 were of other hosts, 1 cannot be read\n"},
		"no credentials": {strings.ReplaceAll(exchangeAt(api), "X-Key", "X-Other"), nil, 0,
			"warning: -: the recording has no credentials: no request has X-Key. They were probably removed, so accepted requests without them are not reported; to check them, record again, or put placeholders in their place\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := fleetio(test.in, append([]string{"verify", "--spec", spec, "--format", "json", "-"}, test.flags...)...)
			assert.Equal(t, test.code, code, stdout)
			stderr, _, _ = strings.Cut(stderr, "Try '")
			assert.Equal(t, test.stderr, offset.ReplaceAllString(stderr, "byte N"))
			if code == 2 {
				return
			}
			var r struct {
				Summary map[string]any `json:"summary"`
			}
			require.NoError(t, json.Unmarshal([]byte(stdout), &r))
			assert.Equal(t, strings.Contains(test.stderr, "entry"), r.Summary["unreadable"] == float64(1))
			assert.Equal(t, strings.Contains(test.stderr, "such server"), r.Summary["other_hosts"] != float64(0))
			assert.Equal(t, strings.Contains(test.stderr, "credentials"), r.Summary["credentials_omitted"] == float64(1))
		})
	}
}

// TestManyWarnings checks that a folder of recordings with the same fault does not flood the screen.
func TestManyWarnings(t *testing.T) {
	t.Parallel()
	spec := write(t, "openapi.yaml", openSpec)
	bad := strings.Replace(exchangeAt("/login"), "200", `"200"`, 1)
	code, _, stderr := fleetio(exchangeAt("/login")+strings.Repeat(bad, 30), "verify", "--spec", spec, "-")
	assert.Equal(t, 0, code)
	assert.Equal(t, 21, strings.Count(stderr, "\n"), stderr)
	assert.Contains(t, stderr, "warning: 10 more such warnings\n")
}

// TestVerifyGzip reads a recording that is compressed, and says so of one that is broken.
func TestVerifyGzip(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, exchangeAt("/login"))
	require.NoError(t, z.Close())
	spec := write(t, "openapi.yaml", openSpec)
	code, _, stderr := fleetio(b.String(), "verify", "--spec", spec, "-")
	assert.Equal(t, 0, code, stderr)
	code, _, stderr = fleetio(b.String()[:8], "verify", "--spec", spec, "-")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "gzip: unexpected EOF")
}

// TestRedactSkipsUnreadable writes the exchanges that can be read, and names the others.
func TestRedactSkipsUnreadable(t *testing.T) {
	t.Parallel()
	spec := write(t, "openapi.yaml", openSpec)
	in := exchangeAt("https://gw.test/login")
	code, stdout, stderr := fleetio(strings.Replace(in, "200", `"200"`, 1)+in, "redact", "--spec", spec, "--server", "https://gw.test", "-")
	assert.Equal(t, 0, code, stderr)
	assert.Equal(t, 1, strings.Count(stdout, "\n"))
	assert.Equal(t, "warning: left out: -: entry 0 (byte N): line 1: status: expected a number, got a string\n", offset.ReplaceAllString(stderr, "byte N"))
}
