package traffic

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const cassetteHead = "---\nversion: 2\ninteractions:\n"

// interactionOf is an interaction with those members besides a method, a URL and a code.
func interactionOf(method, request, response string) string {
	return "    - request:\n        method: " + method + "\n        url: http://x/\n" + indented(request) +
		"      response:\n        code: 200\n" + indented(response)
}

func indented(lines string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		b.WriteString("        " + strings.TrimSuffix(line, "\n") + "\n")
	}
	return b.String()
}

func readCassette(in string) ([]*Exchange, error) {
	return collect(readAs(strings.NewReader(in), "x.yaml", formatCassette))
}

func TestCassetteMessages(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = io.WriteString(z, "{}")
	require.NoError(t, z.Close())
	gzipped := "body: !!binary " + base64.StdEncoding.EncodeToString(zipped.Bytes()) + "\n"
	encoded := func(coding string) string { return "headers:\n    Content-Encoding: [" + coding + "]\n" }
	const omitted = "omitted"
	tests := []struct {
		name, in string
		request  string // what a POST with these members has as its body
		response string // what the answer to it has
	}{
		{"absent", "", "", ""},
		{"empty", "body: \"\"\n", "", ""},
		{"null", "body:\n", "", ""},
		{"a number", "body: 012\n", "012", "012"},
		{"plain", "body: '{}'\n", "{}", "{}"},
		{"block", "body: |+\n    a\n\n    - b\n\n", "a\n\n- b\n\n", "a\n\n- b\n\n"},
		{"folded", "body: \"a\\n\\\n    b\"\n", "a\nb", "a\nb"},
		{"binary", "body: !!binary |\n    AP8=\n", "\x00\xff", "\x00\xff"},
		{"length of a body that is gone", "content_length: 3\n", omitted, omitted},
		{"length unknown", "content_length: -1\n", "", ""},
		{"header of a body that is gone", "headers: {Content-Length: ['3']}\n", omitted, omitted},
		{"gzip", encoded("gzip") + gzipped, "{}", "{}"},
		{"gzip that was undone", encoded("gzip") + "body: '{}'\n", "{}", "{}"},
		{"gzip that is cut off", encoded("gzip") + "body: !!binary H4s=\n", omitted, omitted},
		{"another coding", encoded("br") + "body: !!binary AP8=\n", omitted, omitted},
		{"another coding that was undone", encoded("br") + "body: '{}'\n", "{}", "{}"},
		{"members that are skipped", "form: {a: [b]}\ntrailer: {}\nduration: 1s\nid: [x]\ndiscarded: true\n", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found, err := readCassette(cassetteHead + interactionOf("POST", tt.in, tt.in))
			require.NoError(t, err)
			for i, m := range []Message{found[0].Request, found[0].Response} {
				want := []string{tt.request, tt.response}[i]
				assert.Equal(t, want == omitted, m.BodyOmitted)
				assert.Equal(t, strings.TrimPrefix(want, omitted), string(m.Body))
				assert.Equal(t, !strings.Contains(tt.in, "headers"), m.HeaderOmitted)
			}
		})
	}
	found, err := readCassette(cassetteHead + interactionOf("HEAD", "", "content_length: 3\n"))
	require.NoError(t, err)
	assert.False(t, found[0].Response.BodyOmitted, "the response to a HEAD has no body")
}

func TestCassetteStyles(t *testing.T) {
	t.Parallel()
	one := interactionOf("GET", "", "")
	flat := strings.ReplaceAll("\n"+one, "\n    ", "\n")[1:]
	const flow = "{request: {method: '', url: http://x/}, response: {code: 0}}"
	tests := []struct {
		name, in string
		want     int
	}{
		{"indented", cassetteHead + one + one + one, 3},
		{"not indented", cassetteHead + flat + flat, 2},
		{"dash on a line of its own", strings.ReplaceAll(cassetteHead+one+one, "    - request", "    -\n      request"), 2},
		{"comments and blank lines", "# a\n\n" + cassetteHead + "# b\n\n" + one + "\n# c\n  # d\n" + one + "\n#e\n", 2},
		{"quoted names", "'version': 2\n\"interactions\" : # a\n" + one, 1},
		{"end of the document", cassetteHead + one + "...\n", 1},
		{"a member behind", cassetteHead + one + "name: x\n", 1},
		{"the version behind", "interactions:\n" + one + "version: 1\n", 1},
		{"a list in flow style", "version: 1\ninteractions: [" + flow + ", " + flow + "]\n", 2},
		{"items in flow style", cassetteHead + "- " + flow + "\n- " + flow + "\n", 2},
		{"flow style", "{version: 1, interactions: [" + flow + "]}", 1},
		{"none", "version: 2\ninteractions: []\n", 0},
		{"a long head", "# " + strings.Repeat("x", headSize) + "\n" + cassetteHead + one, 1},
		{"a text that looks like an item", cassetteHead + interactionOf("GET", "", "body: |\n    - request:\n    interactions:\n    ---\n") + one, 2},
		{"a long item", cassetteHead + interactionOf("GET", "", "body: "+strings.Repeat("x", 100_000)) + one, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found, err := readCassette(tt.in)
			require.NoError(t, err)
			require.Len(t, found, tt.want)
			size := int64(0)
			for i, e := range found {
				require.Equal(t, fmt.Sprintf("x.yaml#/interactions/%d", i), e.Source)
				size += e.Size
			}
			if tt.want > 0 {
				require.Equal(t, int64(len(tt.in)), size)
			}
			halves, err := collect(readAs(iotest.HalfReader(strings.NewReader(tt.in)), "x.yaml", formatCassette))
			require.NoError(t, err)
			require.Equal(t, found, halves)
		})
	}
}

// The character ¶ marks the line that the error must lead to; it is not part of the file.
func TestCassetteErrors(t *testing.T) {
	t.Parallel()
	one := interactionOf("GET", "", "")
	bad := func(request, response string) string {
		return cassetteHead + one + interactionOf("GET", request, response)
	}
	tests := []struct {
		name, in string
		entry    int
		want     string
	}{
		{"no cassette", "openapi: 3.0.3\n", -1, errNoCassette.Error()},
		{"a list", "¶- a\n", -1, "not as recorders write it: unexpected !!seq"},
		{"nothing", "¶# a\n", -1, "not as recorders write it: yaml: no documents in stream"},
		{"another version", "---\nversion: 3\ninteractions: []\n", -1, errVersion.Error()},
		{"no version", "interactions: []\n", -1, errVersion.Error()},
		{"cut off before the interactions", cassetteHead, -1, errNoCassette.Error()},
		{"interactions in a mapping", "version: 2\ninteractions:\n    ¶a: 1\n", -1, "not as recorders write it: unexpected !!map"},
		{"no mapping", cassetteHead + one + "    - ¶a\n", 1, "not as recorders write it: unexpected !!str"},
		{"no request", cassetteHead + "    - ¶response: {code: 200}\n", 0, "request: missing"},
		{"no response", cassetteHead + "    - ¶request: {method: GET, url: http://x/}\n", 0, "response: missing"},
		{"no method", cassetteHead + "- ¶request:\n    url: http://x/\n  response: {code: 200}\n", 0, "request.method: missing"},
		{"no URL", cassetteHead + "- ¶request:\n    method: GET\n    url: ''\n  response: {code: 200}\n", 0, "request.url: missing or empty"},
		{"cut off in a response", cassetteHead + "- ¶request: {method: GET, url: http://x/}\n  response:\n    body: ab", 0, "response.code: missing"},
		{"cut off in a text", cassetteHead + "- request:\n    body: \"secret\n¶", -1, "not valid YAML: found unexpected end of stream"},
		{"no number", strings.Replace(bad("", "x: y"), "code: 200\n        x: y", "code: ¶secret", 1), 1, "not as recorders write it: unexpected !!str"},
		{"a number out of range", strings.Replace(bad("", "x: y"), "code: 200\n        x: y", "code: 1000", 1), 1, "line 9: response.code: 1000 is not an HTTP status"},
		{"a number that is huge", bad("content_length: ¶18446744073709551615", ""), 1, "not as recorders write it: unexpected !!int"},
		{"a header in a list", bad("headers: ¶[secret]", ""), 1, "not as recorders write it: unexpected !!seq"},
		{"a value in a list", bad("headers: {A: [¶[secret]]}", ""), 1, "not as recorders write it: unexpected !!seq"},
		{"a body that is no text", bad("", "body: ¶{secret: 1}"), 1, "not as recorders write it: unexpected !!map"},
		{"no base64", bad("", "body: ¶!!binary '*'"), 1, "not as recorders write it: !!binary value contains invalid base64 data"},
		{"a second property", bad("¶url: http://y/", ""), 1, `not as recorders write it: mapping key "url" already defined at line 11`},
		{"an alias of what it is in", bad("headers: &a {x: [¶*a]}", ""), 1, "an alias of what it is in, or aliases that stand for more than 64 MiB"},
		{"an alias of a name", bad("headers: {&a x: [], ¶*a : []}", ""), 1, "an alias of a property's name, or a merge, which is not supported"},
		{"a bomb", bad("x: [&a [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a], &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b], "+
			"&d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c], &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d],\n¶*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]", ""), 1,
			"an alias of what it is in, or aliases that stand for more than 64 MiB"},
		{"an alias without its anchor", bad("body: ¶*secret", ""), -1, "not valid YAML: an alias without its anchor"},
		{"a merge", bad("¶<<: {}", ""), 1, "an alias of a property's name, or a merge, which is not supported"},
		{"other indentation", cassetteHead + one + "  ¶- a\n", -1, "not valid YAML: did not find expected key"},
		{"a second list", cassetteHead + one + "¶interactions: []\n", -1, `not as recorders write it: mapping key "interactions" already defined at line 3`},
		{"a second document", "¶" + cassetteHead + one + "---\n" + cassetteHead, -1, "not as recorders write it: yaml: expected single document, found multiple"},
		{"no YAML behind", cassetteHead + one + "\"secret\n¶", -1, "not valid YAML: found unexpected end of stream"},
		{"no UTF-8", cassetteHead + one + "    - request: ¶\xff\n", -1, "not valid YAML: invalid leading UTF-8 octet (value: 255)"},
		{"a control character", cassetteHead + one + "    - a: |\n        é ¶\x01\n", -1, "not valid YAML: control characters are not allowed (value: 1)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := strings.ReplaceAll(tt.in, "¶", "")
			_, err := readCassette(in)
			var fault *Error
			require.ErrorAs(t, err, &fault)
			want := tt.want
			if before, _, found := strings.Cut(tt.in, "¶"); found {
				want = fmt.Sprintf("line %d: %s", 1+strings.Count(before, "\n"), want)
			}
			require.EqualError(t, fault.Err, want)
			assert.Equal(t, []int{tt.entry, -1}, []int{fault.Entry, int(fault.Offset)})
			assert.NotContains(t, err.Error(), "secret")
		})
	}
	broken := errors.New("broken")
	_, err := collect(readAs(io.MultiReader(strings.NewReader(cassetteHead+one), iotest.ErrReader(broken)), "x", formatCassette))
	assert.ErrorIs(t, err, broken)
}

func TestCassetteTooLarge(t *testing.T) {
	skipLarge(t)
	one := interactionOf("GET", "", "")
	item := strings.TrimSuffix(interactionOf("GET", "", "body: '"), "\n")
	for name, in := range map[string]io.Reader{
		"item":      repeat(cassetteHead+one+item, strings.Repeat("a", 1<<20), 1<<20, ""),
		"document":  repeat("version: 2\ninteractions: ['", strings.Repeat("a", 1<<20), 1<<20, ""),
		"behind it": repeat(cassetteHead+one+"a: '", strings.Repeat("a", 1<<20), 1<<20, ""),
	} {
		_, err := collect(readAs(in, "x", formatCassette))
		require.ErrorIs(t, err, errTooLarge, name)
	}
}

// TestCassettesOfOthers reads the cassettes of vcrpy and of Ruby's VCR, in YAML and in JSON.
func TestCassettesOfOthers(t *testing.T) {
	t.Parallel()
	gz := base64.StdEncoding.EncodeToString([]byte(compressed(t, "gzip", "{}")))
	vcrpy := func(request, response string) string {
		return "interactions:\n- request: {method: POST, uri: 'http://x/a', headers: {A: [b], C: d}, body: " + request +
			"}\n  response: {body: " + response + ", headers: {Content-Encoding: [gzip]}, status: {code: 201, message: Created}}\nversion: 1\n"
	}
	ruby := func(request, response string) string {
		return "---\nhttp_interactions:\n- request:\n    method: post\n    uri: http://x/a\n    body: " + request + "\n    headers: {A: [b], C: [d]}\n" +
			"  response:\n    status: {code: 201, message: Created}\n    headers: {Content-Encoding: [gzip]}\n    body: " + response +
			"\n    http_version:\n  recorded_at: Tue, 01 Nov 2011 04:58:44 GMT\nrecorded_with: VCR 6.2.0\n"
	}
	tests := map[string]struct{ in, source, request string }{
		"vcrpy":             {vcrpy(`'{"a":1}'`, "{string: '{}'}"), "#/interactions/0", `{"a":1}`},
		"vcrpy, binary":     {vcrpy("!!binary YQ==", "{string: !!binary "+gz+"}"), "#/interactions/0", "a"},
		"vcrpy, no body":    {vcrpy("null", "{base64_string: "+gz+"}"), "#/interactions/0", "omitted"},
		"vcrpy, of Python":  {vcrpy("!!python/unicode 'a'", "{string: !!python/unicode '{}'}"), "#/interactions/0", "a"},
		"vcrpy with anchor": {vcrpy("&id001 'a'", "{string: '{}', x: *id001}"), "#/interactions/0", "a"},
		"vcrpy, JSON": {`{"version": 1, "interactions": [{"request": {"method": "POST", "uri": "http://x/a", "body": "\ud83d\ude97", "headers": {"A": ["b"], "C": "d"}},
"response": {"status": {"code": 201, "message": "Created"}, "headers": {"Content-Encoding": ["gzip"]}, "body": {"base64_string": "` + gz + `"}}}]}`, "#/interactions/0", "🚗"},
		"Ruby":         {ruby("{encoding: UTF-8, string: a}", "{encoding: UTF-8, string: '{}'}"), "#/http_interactions/0", "a"},
		"Ruby, binary": {ruby("{encoding: ASCII-8BIT, string: !binary YQ==}", "{encoding: ASCII-8BIT, string: !binary "+gz+"}"), "#/http_interactions/0", "a"},
		"Ruby, base64": {ruby("{encoding: US-ASCII, base64_string: 'YQ=='}", "{encoding: x, base64_string: "+gz+"}"), "#/http_interactions/0", "a"},
		"Ruby, JSON": {`{"http_interactions":[{"request":{"method":"post","uri":"http://x/a","body":{"encoding":"UTF-8","string":"a"},"headers":{"A":["b"],"C":["d"]}},
"response":{"status":{"code":201,"message":null},"headers":{"Content-Encoding":["gzip"]},"body":{"encoding":"UTF-8","string":"{}"}}}],"recorded_with":"VCR 6.2.0"}`, "#/http_interactions/0", "a"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := collect(readAs(strings.NewReader(test.in), "x", formatUnknown))
			require.NoError(t, err)
			require.Len(t, found, 1)
			e := found[0]
			assert.Equal(t, []any{"x" + test.source, "POST", "http://x/a", 201, "{}"}, []any{e.Source, e.Method, e.URL.String(), e.Status, string(e.Response.Body)})
			assert.Equal(t, http.Header{"A": {"b"}, "C": {"d"}}, e.Request.Header)
			if test.request == "omitted" {
				test.request = ""
			}
			assert.Equal(t, test.request, string(e.Request.Body))
		})
	}
	good := vcrpy("a", "{string: a}")
	for name, test := range map[string]struct{ in, want string }{
		"vcrpy, cut off":          {strings.TrimSuffix(good, "version: 1\n"), errVersion.Error()},
		"vcrpy, no status":        {strings.Replace(good, "status: {code: 201, message: Created}", "", 1), "line 2: response.status.code: missing"},
		"Ruby, cut off":           {strings.TrimSuffix(ruby("a", "a"), "recorded_with: VCR 6.2.0\n"), errCutOff.Error()},
		"JSON, cut off":           {`{"version": 1, "interactions": [{"request": `, "line 2: not valid YAML: did not find expected node content"},
		"no list of interactions": {`{"http_interactions": 1, "recorded_with": "x"}`, "line 1: not as recorders write it: unexpected !!int"},
	} {
		_, err := collect(readAs(strings.NewReader(test.in), "x", formatUnknown))
		require.Error(t, err, name)
		assert.NotErrorAs(t, err, new(*EntryError), name)
		assert.True(t, strings.HasSuffix(err.Error(), ": "+test.want), "%s: %v", name, err)
	}
	bad := strings.Replace(good, "{string: a}", "{string: !!binary '*'}", 1)
	found, err := collect(readAs(strings.NewReader(strings.Replace(bad, "version", good[len("interactions:\n"):len(good)-len("version: 1\n")]+"version", 1)), "x", formatUnknown))
	var entry *EntryError
	require.ErrorAs(t, err, &entry)
	assert.Equal(t, []string{"POST", "http://x/a", "x#/interactions/1"}, []string{entry.Method, entry.URL.String(), found[0].Source})
}
