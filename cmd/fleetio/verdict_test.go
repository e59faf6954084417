package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance/report"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

// names lists a folder, hidden files too.
func names(t *testing.T, folder string) []string {
	t.Helper()
	list := []string{}
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// TestReports writes every format to a file, and compares it with what is printed.
func TestReports(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	args := []string{"verify", recordings + "minimum.har"}
	for _, format := range report.Formats() {
		args = append(args, "--report", format+"="+filepath.Join(folder, "a,b="+format))
	}
	code, stdout, stderr := fleetio("", args...)
	assert.Equal(t, 1, code)
	assert.Empty(t, stderr)
	for _, format := range report.Formats() {
		_, printed, _ := fleetio("", "verify", "--format", format, recordings+"minimum.har")
		assert.Equal(t, printed, read(t, filepath.Join(folder, "a,b="+format)), format)
		if format == "text" {
			assert.Equal(t, printed, stdout)
		}
	}
	assert.Len(t, names(t, folder), len(report.Formats()), "nothing else is left")
}

func TestReportsReplaceFilesAndFollowLinks(t *testing.T) {
	t.Parallel()
	old := write(t, "old.json", strings.Repeat("old", 1<<20))
	require.NoError(t, os.Chmod(old, 0o640))
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(old, link))
	code, stdout, stderr := fleetio("", "verify", "--format=json", "--report", "json="+link, "--report", "text="+os.DevNull, recordings+"conformant-minimal.har")
	assert.Equal(t, 0, code, stderr)
	assert.Equal(t, stdout, read(t, old))
	info, err := os.Lstat(link)
	require.NoError(t, err)
	assert.Equal(t, os.ModeSymlink, info.Mode().Type())
	info, err = os.Stat(old)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o640), info.Mode())
	info, err = os.Stat(os.DevNull)
	require.NoError(t, err)
	assert.Equal(t, os.ModeDevice|os.ModeCharDevice, info.Mode().Type(), "a device stays one")
}

// TestFilesOnlyOfARun looks for files after runs that did not come to a verdict.
func TestFilesOnlyOfARun(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	out := filepath.Join(folder, "out.json")
	har1 := recordings + "minimum.har"
	spec := write(t, "spec.yaml", read(t, "../../api/openapi.yaml"))
	known := write(t, "known.txt", "")
	for name, test := range map[string]struct {
		args   []string
		stderr string
	}{
		"no such recording":   {[]string{"--report", "json=" + out, "nowhere.har"}, "nowhere.har"},
		"nothing checked":     {[]string{"--report", "json=" + out, "-"}, "no exchange was checked"},
		"no such folder":      {[]string{"--report", "json=" + out, "--report", "text=" + folder + "/no/x", har1}, "there is no folder"},
		"a folder":            {[]string{"--report", "json=" + out, "--report", "text=" + folder, har1}, "it is a folder"},
		"one file twice":      {[]string{"--report", "json=" + out, "--report", "text=" + folder + "/./out.json", har1}, "two results"},
		"one file for all":    {[]string{"--report", "json=" + out, "--suggest", out, har1}, "two results"},
		"over the recording":  {[]string{"--report", "json=" + har1, har1}, "would be overwritten"},
		"over the spec":       {[]string{"--spec", spec, "--suggest", spec, har1}, "would be overwritten"},
		"over the known":      {[]string{"--known", known, "--report", "text=" + known, har1}, "would be overwritten"},
		"unknown format":      {[]string{"--report", "xml=" + out, har1}, `not "xml=`},
		"no format":           {[]string{"--report", out, har1}, "FORMAT=FILE"},
		"no file":             {[]string{"--report", "json=", har1}, "FORMAT=FILE"},
		"less than nothing":   {[]string{"--min-coverage", "-1", "--report", "json=" + out, har1}, "not -1"},
		"more than all":       {[]string{"--min-coverage", "100.5", "--report", "json=" + out, har1}, "not 100.5"},
		"no number":           {[]string{"--min-coverage", "NaN", "--report", "json=" + out, har1}, "not NaN"},
		"no suggestion asked": {[]string{"--suggest-documented", har1}, "needs --suggest"},
		"no such known":       {[]string{"--known", "nowhere.txt", "--report", "json=" + out, har1}, "nowhere.txt"},
		"shard 0":             {[]string{"--shard", "0/2", har1}, `not "0/2"`},
		"shard 3 of 2":        {[]string{"--shard", "3/2", har1}, `not "3/2"`},
		"shard of none":       {[]string{"--shard", "1", har1}, `not "1"`},
		"an empty shard":      {[]string{"--shard", "", har1}, `not ""`},
		"shard of more":       {[]string{"--shard", "1/2/3", har1}, `not "1/2/3"`},
		"known in a shard":    {[]string{"--shard", "1/2", "--known", known, har1}, "use it with fleetio merge"},
		"coverage of a shard": {[]string{"--shard", "1/2", "--min-coverage", "0", har1}, "use it with fleetio merge"},
		"overlay of a shard":  {[]string{"--shard", "1/2", "--suggest", out, har1}, "use it with fleetio merge"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := read(t, har1)
			code, stdout, stderr := fleetio(har(""), append([]string{"verify"}, test.args...)...)
			assert.Equal(t, 2, code)
			assert.Contains(t, stderr, test.stderr)
			assert.Empty(t, stdout)
			assert.Empty(t, names(t, folder))
			assert.Equal(t, before, read(t, har1))
		})
	}
	t.Cleanup(func() {
		assert.Equal(t, read(t, "../../api/openapi.yaml"), read(t, spec))
		assert.Empty(t, read(t, known))
	})
}

func TestUnfinishedFilesAreRemoved(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var f files
	require.NoError(t, f.add(filepath.Join(folder, "a"), func(w io.Writer) error {
		_, err := io.WriteString(w, "a")
		return err
	}))
	require.Error(t, f.add(filepath.Join(folder, "b"), func(io.Writer) error { return errors.New("full") }))
	assert.Len(t, names(t, folder), 1)
	assert.NoFileExists(t, filepath.Join(folder, "a"))
	f.discard()
	assert.Empty(t, names(t, folder))
}

func TestMinCoverage(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		code int
		says string
	}{
		"enough":          {args: []string{"--min-coverage=10", recordings + "conformant-minimal.har"}},
		"too little":      {[]string{"--min-coverage=99.5", recordings + "conformant-minimal.har"}, 1, "--min-coverage asks for 99.5%"},
		"vacuous":         {[]string{"--min-coverage=0", recordings + "conformant-refusals.har"}, 1, "no exchange was accepted"},
		"vacuous, let be": {args: []string{recordings + "conformant-refusals.har"}},
	} {
		for _, format := range []string{"text", "junit"} {
			t.Run(name+"/"+format, func(t *testing.T) {
				t.Parallel()
				code, stdout, stderr := fleetio("", append([]string{"verify", "--format", format}, test.args...)...)
				assert.Equal(t, test.code, code)
				assert.Contains(t, stdout, test.says)
				if strings.HasPrefix(name, "vacuous") {
					assert.Contains(t, stderr, "warning: no exchange was accepted")
				} else {
					assert.Empty(t, stderr)
				}
			})
		}
	}
}

func TestKnown(t *testing.T) {
	t.Parallel()
	rest := "rule criterion because it follows from the first\n"
	all := "rule minimum because the vendor mends it\n" + rest
	for name, test := range map[string]struct {
		known  string
		code   int
		stdout string
		stderr string
	}{
		"all of them":  {known: all, stdout: "conforms"},
		"some of them": {known: "rule minimum pointer /id because the vendor mends it\n", code: 1, stdout: "findings"},
		"one more":     {known: all + "rule maximum because of the past\n", code: 1, stdout: "matched nothing"},
		"expired":      {known: "rule minimum until 2026-06-30 because the vendor mends it\n" + rest, code: 1, stdout: "expired"},
		"last day":     {known: "rule minimum until 2026-07-01 because the vendor mends it\n" + rest, stdout: "conforms"},
		"nonsense":     {known: "nonsense\n", code: 2, stderr: "known.txt:1: "},
		"a typo":       {known: "rule minimum pointer /mistyped because of a typo\n", code: 1, stdout: "known.txt:1: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := fleetio("", "verify", "--known", write(t, "known.txt", test.known), recordings+"minimum.har")
			assert.Equal(t, test.code, code, stderr+stdout)
			assert.Contains(t, stdout, test.stdout)
			assert.Contains(t, stderr, test.stderr)
		})
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "overlay.yaml")
	code, _, stderr := fleetio("", "verify", "--suggest", path, recordings+"conformant-minimal.har")
	assert.Equal(t, 0, code)
	assert.Contains(t, stderr, "nothing to suggest")
	assert.Empty(t, names(t, folder))

	code, _, stderr = fleetio("", "verify", "--suggest", path, recordings+"minimum.har")
	assert.Equal(t, 1, code)
	assert.Empty(t, stderr)
	assumed := read(t, path)
	assert.Contains(t, assumed, "overlay: 1.0.0")

	code, _, _ = fleetio("", "verify", "--suggest", path, "--suggest-documented", recordings+"minimum.har")
	assert.Equal(t, 1, code)
	assert.Greater(t, len(read(t, path)), len(assumed), "documented claims are loosened, too")
}

func TestColor(t *testing.T) {
	t.Parallel()
	for _, color := range []bool{false, true} {
		t.Run(strconv.FormatBool(color), func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			path := filepath.Join(t.TempDir(), "out.txt")
			c := &console{stdout: &out, stderr: io.Discard, color: color, now: someDay}
			assert.Equal(t, 1, run(context.Background(), []string{"verify", "--report", "text=" + path, recordings + "minimum.har"}, c))
			assert.Equal(t, color, strings.Contains(out.String(), "\x1b["))
			assert.NotContains(t, read(t, path), "\x1b[", "a file is no terminal")
		})
	}
}

func TestShows(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		env           map[string]string
		stdout        bool
		color, stderr bool
	}{
		"a terminal":     {stdout: true, color: true, stderr: true},
		"no terminal":    {},
		"no color":       {env: map[string]string{"NO_COLOR": "1"}, stdout: true, stderr: true},
		"empty no color": {env: map[string]string{"NO_COLOR": ""}, stdout: true, color: true, stderr: true},
		"dumb":           {env: map[string]string{"TERM": "dumb"}, stdout: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			color, live := shows(test.stdout, test.stdout, func(name string) string { return test.env[name] })
			assert.Equal(t, test.color, color)
			assert.Equal(t, test.stderr, live)
		})
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = null.Close() })
	assert.False(t, isTerminal(null))
}

// TestAgainst compares a run with an older report in the page, which only verify has exchanges for.
func TestAgainst(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	older, now := filepath.Join(folder, "older.json"), filepath.Join(folder, "now.json")
	code, _, stderr := fleetio("", "verify", "--report", "json="+older, recordings+"conformant-minimal.har")
	require.Equal(t, exitConforms, code, stderr)
	code, page, stderr := fleetio(read(t, recordings+"minimum.har"), "verify", "--format", "html", "--against", older, "--report", "json="+now, "-")
	require.Equal(t, exitFindings, code, stderr)
	assert.Contains(t, page, "<td>new</td>")
	assert.Contains(t, page, "<h4>Send it again</h4>")
	code, page, stderr = fleetio("", "merge", "--format", "html", "--against", older, now)
	require.Equal(t, exitFindings, code, stderr)
	assert.Contains(t, page, "<td>new</td>")
	assert.NotContains(t, page, "<h4>Request</h4>")

	for want, args := range map[string][]string{
		"--against needs --report html=FILE":         {"--against", older},
		"there.json: no such file":                   {"--format", "html", "--against", filepath.Join(folder, "there.json")},
		"not a report: it has no version":            {"--format", "html", "--against", recordings + "minimum.har"},
		"would be overwritten, and the run reads it": {"--report", "html=" + older, "--against", older},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := fleetio("", append([]string{"verify", recordings + "minimum.har"}, args...)...)
			assert.Equal(t, exitNotRun, code)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, want)
		})
	}
}
