package traffic

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// addFiles adds the recordings that match a pattern as seeds.
func addFiles(f *testing.F, pattern string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(raw)
	}
}

// requireFault fails if an error, if there is one, is no *Error about a place in the input.
func requireFault(t *testing.T, err error, in []byte) {
	t.Helper()
	if err == nil {
		return
	}
	var fault *Error
	require.ErrorAs(t, err, &fault)
	require.GreaterOrEqual(t, fault.Offset, int64(0))
	require.LessOrEqual(t, fault.Offset, int64(len(in)))
}

// requireSame fails if two readings of one input differ.
func requireSame(t *testing.T, want, got []*Exchange, wantErr, err error) {
	t.Helper()
	require.Equal(t, want, got)
	if wantErr == nil {
		require.NoError(t, err)
	} else {
		require.EqualError(t, err, wantErr.Error())
	}
}

// FuzzReadNDJSON compares the reader with one that splits the whole input into lines.
func FuzzReadNDJSON(f *testing.F) {
	addFiles(f, "*.ndjson")
	for _, line := range goodLines {
		f.Add([]byte(line.in))
	}
	for _, line := range append(badLines, unsoundLines[:len(unsoundLines)-1]...) {
		f.Add([]byte(lineOf("") + "\n\n\r\n" + strings.ReplaceAll(line.in, "¶", "") + "\n" + lineOf("")))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := collect(readAs(bytes.NewReader(in), "x", formatNDJSON))
		requireFault(t, err, in)
		halves, halvesErr := collect(readAs(iotest.HalfReader(bytes.NewReader(in)), "x", formatNDJSON))
		requireSame(t, got, halves, err, halvesErr)

		lines := bytes.TrimPrefix(in, []byte("\ufeff"))
		if len(in) == 0 || bytes.HasPrefix(in, []byte("\xfe\xff")) || bytes.HasPrefix(in, []byte("\xff\xfe")) {
			require.Error(t, err)
			return
		}
		n := 0
		for line := range bytes.SplitSeq(lines, []byte("\n")) {
			if len(bytes.Trim(line, " \t\r")) == 0 {
				continue
			}
			want, _, wantErr := parseLine(line)
			if wantErr != nil {
				require.ErrorContains(t, err, wantErr.Error())
				break
			}
			require.Less(t, n, len(got))
			want.Source = got[n].Source
			require.Equal(t, want, got[n])
			requireRoundTrip(t, got[n])
			n++
		}
		require.Len(t, got, n)
	})
}

// FuzzReadCassette compares the reader that splits a cassette with that of whole documents, which takes what the other
// takes. It does not hold the other way round: an item may have an alias of another, and a quoted text need not be
// indented.
func FuzzReadCassette(f *testing.F) {
	addFiles(f, "*.yaml")
	one := interactionOf("POST", "body: |\n    - a\n", "headers: {A: [b]}\n")
	for _, seed := range []string{
		"", "---\n", cassetteHead, cassetteHead + one + one, cassetteHead + one + "  - a\n", cassetteHead + one + "a: 1\n", cassetteHead + one + "---\n",
		"version: 2\ninteractions: [{request: {method: GET, url: ':'}, response: {code: 0}}]",
		`{"version":1,"interactions":[{"request":{"method":"GET","url":"http://x/","headers":{"A":["b"]}},"response":{"code":200,"body":"\u00e9"}}]}`,
		cassetteHead + interactionOf("POST", "body: &a b", "body: *a"), cassetteHead + interactionOf("POST", "body: !!binary AP8=", "headers:\n  Content-Encoding: [gzip]\nbody: !!binary H4s="),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := collect(readAs(bytes.NewReader(in), "x.yaml", formatCassette))
		requireFault(t, err, in)
		halves, halvesErr := collect(readAs(iotest.HalfReader(bytes.NewReader(in)), "x.yaml", formatCassette))
		requireSame(t, got, halves, err, halvesErr)
		if err != nil {
			return
		}
		_, whole, err := readCassettes(t, strings.TrimPrefix(string(in), "\ufeff"))
		require.NoError(t, err)
		require.Equal(t, got, whole)
	})
}

// FuzzView checks that a view says what the exchange says, and that reading an archive in batches gives what
// encoding/json finds in it.
func FuzzView(f *testing.F) {
	addFiles(f, "*.har")
	for _, name := range []string{"chrome", "firefox", "safari", "mitmproxy", "playwright"} {
		f.Add([]byte(recordedEntry(f, name+".har")))
	}
	for _, line := range goodLines {
		f.Add([]byte(line.in))
	}
	for _, seed := range []string{
		entry("POST", `,"postData":{"text":"YQ==","encoding":"base64"}`, `"status":200`),
		entry("POST", `,"bodySize":-1,"headers":[{"name":"A","value":"\u003c\ud83d\ude00"}]`, `"status":200,"content":{"size":0,"mimeType":"a/b"}`),
		entry("HEAD", `,"headers":[{"name":"Content-Length","value":"7"}]`, `"status":-1`),
		archive(entry("GET", "", `"status":204`), entry("GET", "", `"status":"204"`)),
		archive(entry("GET", "", `"status":204`), ` { "a" : "}" } `) + "x",
	} {
		f.Add([]byte(seed))
	}
	var v View
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, as := range []format{formatHAR, formatNDJSON} {
			r := Record{raw: in, file: &file{name: "x", format: as}}
			if r.View(&v) {
				e, err := r.Exchange()
				require.NoError(t, err)
				requireSameAsView(t, e, &v)
			}
		}
		if !bytes.HasPrefix(in, []byte("\ufeff")) {
			requireArchive(t, in)
		}
	})
}

// requireArchive compares the reader of archives with encoding/json, which takes the last of two members of a name.
func requireArchive(t *testing.T, in []byte) {
	t.Helper()
	got, err := collect(ReadHAR(bytes.NewReader(in), "x"))
	var doc map[string]json.RawMessage
	var log map[string]json.RawMessage
	var entries []json.RawMessage
	wantErr := json.Unmarshal(in, &doc)
	if wantErr == nil {
		wantErr = json.Unmarshal(doc["log"], &log)
	}
	if wantErr == nil {
		wantErr = json.Unmarshal(log["entries"], &entries)
	}
	if wantErr == nil && (log == nil || entries == nil) {
		wantErr = errors.New("null")
	}
	for i, raw := range entries {
		var e *Exchange
		if e, _, wantErr = parseHAREntry(raw); wantErr != nil {
			break
		}
		if err == nil {
			require.Less(t, i, len(got))
			e.Source = got[i].Source
			require.Equal(t, e, got[i])
		}
	}
	switch {
	case wantErr != nil:
		require.Error(t, err)
	case err != nil:
		require.ErrorContains(t, err, "a second member")
	default:
		require.Len(t, got, len(entries))
	}
}
