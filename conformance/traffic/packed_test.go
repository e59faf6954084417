package traffic

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// zipOf returns a zip file with files, given as names and contents.
func zipOf(t testing.TB, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		require.NoError(t, err)
		_, err = io.WriteString(w, files[i+1])
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.String()
}

// attached is an archive with a body in a file of that name.
func attached(file string) string {
	return archive(entry("POST", `,"postData":{"mimeType":"a/b","params":[],"_file":"`+file+`"}`, `"status":200,"content":{"size":2,"mimeType":"a/b","_file":"`+file+`"}`))
}

func TestPackedRecordings(t *testing.T) {
	t.Parallel()
	const line = `{"method":"GET","url":"http://x/"}` + "\n"
	gz := func(text string) string { return compressed(t, "gzip", text) }
	for name, test := range map[string]struct {
		in   string
		want string // the sources, or how the error ends
		body string // of the responses; "-" if omitted
	}{
		"a HAR file in gzip":          {gz(attached("")), "#/log/entries/0", "-"},
		"NDJSON in gzip":              {gz(line + line), "#L1 #L2", ""},
		"a cassette in gzip":          {gz(cassetteHead + interactionOf("GET", "", "body: a\n")), "#/interactions/0", "a"},
		"gzip, cut off":               {gz(line + line)[:30], "unexpected EOF", ""},
		"gzip with nothing behind":    {"\x1f\x8b", "gzip: unexpected EOF", ""},
		"gzip in gzip":                {gz(gz(line)), "compressed twice", ""},
		"something else in gzip":      {gz("x"), "invalid character 'x' looking for beginning of value", ""},
		"Playwright's zip":            {zipOf(t, "a.json", "{}", "har.har", attached("a.json")), "/har.har#/log/entries/0", "{}"},
		"a folder in a zip":           {zipOf(t, "a.json", "no", "x/a.json", "{}", "x/a.har", attached("a.json")), "/x/a.har#/log/entries/0", "{}"},
		"two in a zip":                {zipOf(t, "b.har", archive(), "a.HAR", attached("")), "/a.HAR#/log/entries/0", "-"},
		"an attachment that is gone":  {zipOf(t, "har.har", attached("a.json")), "/har.har#/log/entries/0", "-"},
		"an attachment elsewhere":     {zipOf(t, "a.json", "{}", "x/a.har", attached("../a.json")), "/x/a.har#/log/entries/0", "-"},
		"an attachment that is empty": {zipOf(t, "a.json", "", "har.har", attached("a.json")), "/har.har#/log/entries/0", ""},
		"no HAR file in a zip":        {zipOf(t, "a.json", "{}"), "a zip file without a .har file", ""},
		"a zip file that is cut off":  {zipOf(t, "har.har", attached(""))[:100], "not a valid zip file", ""},
		"a zip file in a zip file":    {zipOf(t, "a.har", zipOf(t, "a.har", "")), "compressed twice", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "x")
			require.NoError(t, os.WriteFile(path, []byte(test.in), 0o600))
			for _, from := range []string{path, "-"} {
				found, err := collect(Read(t.Context(), strings.NewReader(test.in), from))
				if !strings.Contains(test.want, "#") {
					require.ErrorAs(t, err, new(*Error))
					require.True(t, strings.HasSuffix(err.Error(), ": "+test.want), err.Error())
					continue
				}
				require.NoError(t, err)
				var sources []string
				var size int64
				for _, e := range found {
					sources = append(sources, strings.TrimPrefix(e.Source, from))
					size += e.Size
					if e.Answered() {
						assert.Equal(t, test.body == "-", e.Response.BodyOmitted)
						assert.Equal(t, strings.TrimPrefix(test.body, "-"), string(e.Response.Body))
					}
				}
				assert.Equal(t, test.want, strings.Join(sources, " "))
				if strings.HasPrefix(test.in, gzipStart) {
					assert.Equal(t, int64(len(test.in)), size, "the bytes of the file are counted")
				}
			}
		})
	}
}

// TestAttachments checks the files beside a HAR file: none outside of its folder is read.
func TestAttachments(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, text := range map[string]string{"secret": "secret", "in/a.json": "{}", "in/sub/a.json": "secret", "in/large": ""} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	require.NoError(t, os.Symlink("../secret", filepath.Join(folder, "in", "link")))
	require.NoError(t, os.Truncate(filepath.Join(folder, "in", "large"), maxSize+1))
	for file, want := range map[string]string{"a.json": "{}", "../secret": "", "sub/a.json": "", "link": "", "sub": "", ".": "", "gone": "", `\\a.json`: "",
		filepath.ToSlash(folder) + "/secret": ""} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, "in", "x.har"), []byte(attached(file)), 0o600))
		found, err := collect(Read(t.Context(), nil, filepath.Join(folder, "in", "x.har")))
		require.NoError(t, err)
		for _, m := range []Message{found[0].Request, found[0].Response} {
			assert.Equal(t, want, string(m.Body), file)
			assert.Equal(t, want == "", m.BodyOmitted, file)
		}
	}
	require.NoError(t, os.WriteFile(filepath.Join(folder, "in", "x.har"), []byte(attached("large")), 0o600))
	_, err := collect(Read(t.Context(), nil, filepath.Join(folder, "in", "x.har")))
	require.ErrorIs(t, err, errTooLarge)
	assert.ErrorAs(t, err, new(*EntryError))
}

// TestPackedInFolders checks which files of a folder are read.
func TestPackedInFolders(t *testing.T) {
	t.Parallel()
	folder := recordingFolder(t, map[string]string{
		"a.har.gz":      compressed(t, "gzip", archive()),
		"b.NDJSON.GZ":   compressed(t, "gzip", "{}"),
		"c.zip":         zipOf(t, "x.har", ""),
		"d.zip":         zipOf(t, "x.txt", ""),
		"e.zip":         "no zip file",
		"f.tar.gz":      "",
		"vcrpy.json":    `{"version": 1, "interactions": []}`,
		"ruby.json":     "\ufeff\n{\"http_interactions\":[],\"recorded_with\":\"VCR 6.2.0\"}",
		"package.json":  `{"name":"x","dependencies":{"interactions":"1"}}`,
		"list.json":     `[{"interactions":[]}]`,
		"ruby.yml":      "---\nhttp_interactions:\n- request: {}\n",
		"vcrpy.yaml":    "interactions:\n- request: {}\n",
		"compose.yaml":  "services: {}\n",
		"notes.json":    "interactions: 1",
		"truncated.gz":  "",
		"noinside.json": `{"log":{"interactions":1}}`,
	})
	files, err := Files(folder)
	require.NoError(t, err)
	var names []string
	for _, file := range files {
		names = append(names, filepath.Base(file))
	}
	assert.Equal(t, []string{"a.har.gz", "b.NDJSON.GZ", "c.zip", "ruby.json", "ruby.yml", "vcrpy.json", "vcrpy.yaml"}, names)
	for name, want := range map[string]bool{"a.har.gz": true, "A.JSONL.GZ": true, "a.zip": false, "a.gz": false, "a.har": true} {
		assert.Equal(t, want, IsRecordingName(name), name)
	}
}
