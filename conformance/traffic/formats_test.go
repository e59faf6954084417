package traffic

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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

		for _, e := range found {
			e.Size = 0 // is that of other line ends
		}
		windows := bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
		again, err = collect(readAs(bytes.NewReader(append([]byte("\ufeff"), windows...)), name, formatUnknown))
		require.NoError(t, err)
		for _, e := range again {
			e.Size = 0
		}
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
		{`{"_note":{"log":1},"x-a":["log"],"status":1}`, formatNDJSON},
		{`{"a":1}` + "\n" + `{"method":"GET"}`, formatHAR},
		{"---\nversion: 2\n", formatCassette},
		{"# recorded\nversion: 2\n", formatCassette},
		{"version: 1\n", formatCassette},
		{"'version': 1\n", formatCassette},
		{"openapi: 3.0.3\n", formatCassette}, // whose reader says that it is none
		{"- a\n", formatCassette},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, detect(bufio.NewReaderSize(strings.NewReader(tt.in), headSize)))
		})
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
		"g.har":              "",
		"docker-compose.yml": "services:\n  interactions: []\n",
		"notes.json":         lines,
	})
	got, err := readPaths(t, folder, nil, folder)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"a.ndjson#L1", "b.JSONL#L1", "c.yaml#/interactions/0", "d.yml#/interactions/0", "g.har",
	}, got)

	old := recordingFolder(t, map[string]string{"a.yaml": "version: 3\ninteractions: []\n"})
	_, err = readPaths(t, old, nil, old)
	assert.ErrorIs(t, err, errVersion, "a cassette that cannot be read is not skipped")
}
