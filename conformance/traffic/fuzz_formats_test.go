package traffic

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/internal/strictjson"
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
	require.GreaterOrEqual(t, fault.Offset, int64(-1))
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
		if len(in) == 0 {
			require.Error(t, err)
			return
		}
		n, isFirst := 0, true
		for line := range bytes.SplitSeq(lines, []byte("\n")) {
			if len(bytes.Trim(line, " \t\r")) == 0 {
				continue
			}
			want, wantErr := newLineReader().exchange(bytes.TrimRight(line, " \t\r"), &Exchange{})
			if wantErr != nil {
				if isFirst {
					require.ErrorContains(t, err, wantErr.Error())
					isFirst = false
				}
				if errors.As(wantErr, new(*strictjson.Error)) && !errors.Is(wantErr, strictjson.ErrUTF8) {
					break
				}
				continue
			}
			require.Less(t, n, len(got))
			want.Source, want.Size = got[n].Source, got[n].Size
			require.Equal(t, want, got[n])
			requireRoundTrip(t, got[n])
			n++
		}
		require.Len(t, got, n)
	})
}

// FuzzReadCassette checks that any input gives exchanges, then at most one error, whose place is in the file.
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
	})
}
