package traffic

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// requireSameAsView fails if the view does not say what the exchange says.
func requireSameAsView(t *testing.T, e *Exchange, v *View) {
	t.Helper()
	require.Equal(t, e.Method, string(v.Method))
	require.Equal(t, e.URL.String(), parseURL(string(v.URL)).String())
	require.Equal(t, e.Status, v.Status)
	for _, m := range []struct {
		of   Message
		view MessageView
	}{{e.Request, v.Request}, {e.Response, v.Response}} {
		header := http.Header{}
		for _, f := range m.view.Fields {
			header.Add(string(f.Name), string(f.Value))
		}
		if m.of.Header == nil {
			m.of.Header = http.Header{}
		}
		require.Equal(t, m.of.Header, header)
		require.Equal(t, m.of.HeaderOmitted, m.view.HeaderOmitted)
		require.Equal(t, string(m.of.Body), string(m.view.Body))
		require.Equal(t, m.of.BodyOmitted, m.view.BodyOmitted)
	}
}

// TestFormats reads one recording of each format, which is known by its content.
func TestFormats(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	for _, name := range []string{"lines.ndjson", "vcr-v1.yaml", "vcr-v2.yaml"} {
		raw, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
		found, err := collect(readAs(bytes.NewReader(raw), name, formatUnknown))
		require.NoError(t, err)
		for _, e := range found {
			got.WriteString(show(e))
			fmt.Fprintf(&got, "  headers omitted: %t, %t\n", e.Request.HeaderOmitted, e.Response.HeaderOmitted)
		}

		again, err := collect(readAs(iotest.OneByteReader(bytes.NewReader(raw)), name, formatUnknown))
		require.NoError(t, err)
		assert.Equal(t, found, again, "%s, byte by byte", name)

		windows := bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
		again, err = collect(readAs(bytes.NewReader(append([]byte("\ufeff"), windows...)), name, formatUnknown))
		require.NoError(t, err)
		assert.Equal(t, found, again, "%s, with CRLF and a byte order mark", name)
	}
	const path = "testdata/formats.golden"
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got.String()), 0o600))
	}
	golden, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(golden), got.String())
}

func TestFormatOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		want format
	}{
		{"", formatHAR},
		{"x", formatHAR},
		{"[1]\n", formatHAR},
		{`{}`, formatHAR},
		{`{"version":"1","log":{}}`, formatHAR},
		{`{"a":{"method":1},"log":{}}`, formatHAR},
		{`{"method":"GET"`, formatNDJSON},
		{"\n\r\n" + `{"_note":{"log":1},"x-a":["log"],"status":1}`, formatNDJSON},
		{`{"a":1}` + "\n" + `{"method":"GET"}`, formatHAR},
		{`{"version":2,"interactions":[]}`, formatCassette},
		{"{version: 2, interactions: []}", formatCassette},
		{"---\nversion: 2\n", formatCassette},
		{"# recorded\nversion: 2\n", formatCassette},
		{"version: 1\n", formatCassette},
		{"'version': 1\n", formatCassette},
		{"openapi: 3.0.3\n", formatCassette}, // whose reader says that it is none
		{"- a\n", formatCassette},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, new(window).detect(bufio.NewReaderSize(strings.NewReader(tt.in), headSize)), tt.in)
	}
}

func TestReadPathsFormats(t *testing.T) {
	t.Parallel()
	const (
		lines    = `{"method":"GET","url":"http://x/"}` + "\n"
		cassette = "version: 2\ninteractions:\n  - request: {method: GET, url: http://x/}\n    response: {code: 204}\n"
	)
	folder := recordingFolder(t, map[string]string{
		"a.ndjson":           lines,
		"b.JSONL":            lines,
		"c.yaml":             cassette,
		"d.yml":              "# a comment\n" + cassette,
		"e.yaml":             `{version: 2, interactions: [{request: {method: GET, url: http://x/}, response: {code: 204}}]}`,
		"f.yml":              `{"version":2,"interactions":[{"request":{"method":"GET","url":"http://x/"},"response":{"code":204}}]}`,
		"g.har":              "",
		"docker-compose.yml": "services:\n  interactions: []\n",
		"notes.json":         lines,
	})
	got, err := readPaths(folder, nil, folder)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"a.ndjson#L1", "b.JSONL#L1", "c.yaml#/interactions/0", "d.yml#/interactions/0",
		"e.yaml#/interactions/0", "f.yml#/interactions/0", "g.har",
	}, got)

	var index []int64
	for batch, err := range ReadBatches(strings.NewReader(lines+lines), "-", folder) {
		require.NoError(t, err)
		for _, r := range batch.Records() {
			index = append(index, r.Index)
		}
		batch.Release()
	}
	assert.Equal(t, []int64{0, 1, 2, 3, 4, 5, 6, 7, 8}, index, "over all paths")

	old := recordingFolder(t, map[string]string{"a.yaml": "version: 3\ninteractions: []\n"})
	_, err = readPaths(old, nil, old)
	assert.ErrorIs(t, err, errVersion, "a cassette that cannot be read is not skipped")
}
