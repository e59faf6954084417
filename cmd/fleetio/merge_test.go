package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shards checks the paths in n parts and returns the names of their reports.
func shards(t *testing.T, n int, stdin string, paths ...string) []string {
	t.Helper()
	folder := t.TempDir()
	var list []string
	for i := 1; i <= n; i++ {
		path := filepath.Join(folder, fmt.Sprintf("shard-%d.json", i))
		args := []string{"verify", fmt.Sprintf("--shard=%d/%d", i, n), "--report", "json=" + path}
		code, _, stderr := fleetio(stdin, append(args, paths...)...)
		require.Less(t, code, exitNotRun, stderr)
		require.FileExists(t, path)
		list = append(list, path)
	}
	return list
}

// same compares reports up to the first line that differs, as a whole difference would fill the screen.
func same(t *testing.T, want, got string) {
	t.Helper()
	wanted, lines := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(wanted), len(lines)) {
		require.Equal(t, wanted[i], lines[i], "line %d", i+1)
	}
	if len(wanted) != len(lines) {
		require.Failf(t, "not the same", "%d lines, not %d", len(lines), len(wanted))
	}
}

// TestShardsMergedEqualTheWhole compares byte for byte, in every format.
func TestShardsMergedEqualTheWhole(t *testing.T) { //nolint:tparallel // the cases share the reports
	t.Parallel()
	parts := shards(t, 3, "", recordings)
	sizes := map[int]bool{}
	for _, part := range parts {
		sizes[len(read(t, part))] = true
	}
	assert.Len(t, sizes, 3, "each shard has work of its own")
	backwards := slices.Clone(parts)
	slices.Reverse(backwards)
	known := write(t, "known.txt", "rule minimum because the vendor mends it\n")
	for _, flags := range [][]string{
		{"--format=json"}, {"--format=text"}, {"--format=sarif", "--strict"}, {"--format=junit", "--min-coverage=99.9"},
		{"--format=json", "--known", known},
	} {
		t.Run(strings.Join(flags, " "), func(t *testing.T) {
			code, whole, warnings := fleetio("", slices.Concat([]string{"verify", recordings}, flags)...)
			require.Less(t, code, exitNotRun, warnings)
			for _, order := range [][]string{parts, backwards} {
				mergedCode, merged, mergedWarnings := fleetio("", slices.Concat([]string{"merge"}, flags, order)...)
				assert.Equal(t, code, mergedCode, mergedWarnings)
				same(t, whole, merged)
				assert.Equal(t, warnings, mergedWarnings)
			}
		})
	}
}

func TestShardsOfStandardInput(t *testing.T) {
	t.Parallel()
	line := `{"method":"POST","url":"https://secure.fleetio.com/api/v1/faults","status":%d,"request":{"headers":[["Account-Token","x"]],"body":""},` +
		`"response":{"headers":[],"body":""}}` + "\n"
	var lines strings.Builder
	for status := range 20 {
		fmt.Fprintf(&lines, line, 400+status)
	}
	_, whole, _ := fleetio(lines.String(), "verify", "--format=json", "-")
	code, merged, stderr := fleetio("", append([]string{"merge", "--format=json"}, shards(t, 3, lines.String(), "-")...)...)
	assert.Equal(t, 1, code, stderr)
	same(t, whole, merged)
}

// TestEmptyShards has more shards than exchanges.
func TestEmptyShards(t *testing.T) {
	t.Parallel()
	parts := shards(t, 5, "", recordings+"conformant-minimal.har")
	code, stdout, stderr := fleetio("", append([]string{"merge"}, parts...)...)
	assert.Equal(t, 0, code, stderr)
	assert.Contains(t, stdout, "2 exchanges checked: conforms")

	parts = shards(t, 2, har(unmatched), "-")
	code, stdout, stderr = fleetio("", append([]string{"merge"}, parts...)...)
	assert.Equal(t, 2, code, "an empty run is not a pass, even in parts")
	assert.Contains(t, stderr, "no exchange was checked: 1 read, 1 matched no operation")
	assert.Empty(t, stdout)
}

func TestMergeOfOneWholeReport(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "report.json")
	_, text, _ := fleetio("", "verify", "--report", "json="+path, recordings+"minimum.har")
	code, stdout, _ := fleetio("", "merge", path)
	assert.Equal(t, 1, code)
	assert.Equal(t, text, stdout)
}

func TestMergeRefuses(t *testing.T) {
	t.Parallel()
	of3 := shards(t, 3, "", recordings+"minimum.har")
	of2 := shards(t, 2, "", recordings+"minimum.har")
	folder := t.TempDir()
	whole := filepath.Join(folder, "whole.json")
	fleetio("", "verify", "--report", "json="+whole, recordings+"minimum.har")
	copied := write(t, "copy.json", read(t, of3[0]))
	linked := filepath.Join(folder, "link.json")
	require.NoError(t, os.Link(of3[0], linked))
	changed := write(t, "changed.yaml", read(t, "../../api/openapi.yaml")+"\n# changed\n")
	elsewhere := filepath.Join(folder, "elsewhere.json")
	code, _, _ := fleetio("", "verify", "--spec", changed, "--shard=1/3", "--report", "json="+elsewhere, recordings+"minimum.har")
	require.Less(t, code, exitNotRun)
	cut := write(t, "cut.json", read(t, whole)[:2000])
	for name, test := range map[string]struct {
		args   []string
		stderr string
	}{
		"one file twice":     {[]string{of3[0], of3[1], of3[2], of3[0]}, "two reports of shard 1 of 3"},
		"under another name": {[]string{of3[0], of3[1], of3[2], linked}, "two reports of shard 1 of 3"},
		"a copy":             {[]string{of3[0], of3[1], of3[2], copied}, "shard 1 of 3"},
		"one missing":        {of3[:2], "the reports of 1 of 3 shards are missing: 3"},
		"two missing":        {of3[1:2], "the reports of 2 of 3 shards are missing: 1, 3"},
		"of two divisions":   {[]string{of3[0], of3[1], of3[2], of2[0]}, "shards"},
		"with the whole":     {[]string{of3[0], of3[1], of3[2], whole}, "whole"},
		"of two specs":       {[]string{elsewhere, of3[1], of3[2]}, "different specs"},
		"of another spec":    {[]string{"--spec", changed, of3[0], of3[1], of3[2]}, "another spec than " + changed},
		"cut short":          {[]string{cut}, cut + ": "},
		"over itself":        {[]string{"--report", "json=" + of3[0], of3[0], of3[1], of3[2]}, "would be overwritten"},
		"hardly any":         {hardlyAny(t, of3[0]), "999999999 of 1000000000 shards are missing: 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, ..."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := fleetio("", append([]string{"merge"}, test.args...)...)
			assert.Equal(t, 2, code)
			assert.Contains(t, stderr, test.stderr)
			assert.Empty(t, stdout)
		})
	}
}

// hardlyAny says of a report that it is of one shard of very many.
func hardlyAny(t *testing.T, path string) []string {
	t.Helper()
	text := read(t, path)
	of := strings.Replace(text, `"of": 3`, `"of": 1000000000`, 1)
	require.NotEqual(t, text, of)
	return []string{write(t, "many.json", of)}
}
