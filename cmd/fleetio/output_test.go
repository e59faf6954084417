//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// workspace makes a folder with a recording in rec, a spec, a list of known failures and a report, and links to them.
func workspace(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(folder, "rec", "below"), 0o700))
	for name, text := range map[string]string{
		"rec/session.har":   read(t, recordings+"conformant-minimal.har"),
		"rec/below/b.jsonl": strings.Replace(withCredentials, `"status":401`, `"status":404`, 1), // drift, and no finding
		"spec.yaml":         read(t, "../../api/openapi.yaml"),
		"known.txt":         "",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	code, _, stderr := fleetio("", "verify", "--report", "json="+filepath.Join(folder, "report.json"), recordings+"conformant-minimal.har")
	require.Equal(t, 0, code, stderr)
	for link, target := range map[string]string{
		"link.har": "rec/session.har", "again.har": "link.har", "folder": "rec", "dangling.json": "run-42.json", "spec": "spec.yaml",
		"elsewhere": t.TempDir(),
	} {
		require.NoError(t, os.Symlink(target, filepath.Join(folder, link)))
	}
	require.NoError(t, os.Link(filepath.Join(folder, "rec/session.har"), filepath.Join(folder, "hard.har")))
	return folder
}

// contents returns what is at each name below a folder, links by what they lead to.
func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
		case d.Type() == fs.ModeSymlink:
			all[path], err = os.Readlink(path)
		case d.Type().IsRegular():
			all[path] = read(t, path)
		default:
			all[path] = d.Type().String()
		}
		return err
	}))
	return all
}

// TestOutputsSpareInputs refuses an output that is an input, by whatever name, and changes nothing.
func TestOutputsSpareInputs(t *testing.T) {
	t.Parallel()
	const overwritten, next = "would be overwritten, and the run reads it as ", "where the next run would read it as a recording"
	for name, test := range map[string]struct {
		args   string // $ is the workspace
		stderr string
	}{
		"a recording of a folder":          {"verify --report json=$/rec/session.har $/rec", overwritten + "$/rec/session.har"},
		"one further below":                {"verify --report json=$/rec/below/b.jsonl $/rec", overwritten},
		"the folder by a link":             {"verify --report json=$/rec/session.har $/folder", overwritten},
		"the output by a link to a folder": {"verify --report json=$/folder/session.har $/rec", overwritten},
		"a link":                           {"verify --report json=$/link.har $/rec", overwritten},
		"a link to a link":                 {"verify --report json=$/again.har $/rec", overwritten},
		"a hard link":                      {"verify --report json=$/hard.har $/rec", overwritten},
		"another spelling":                 {"verify --report json=$/rec/./below/../session.har $/rec/session.har", overwritten},
		"the recording by a link":          {"verify --report json=$/rec/session.har $/link.har", overwritten},
		"a suggestion":                     {"verify --suggest $/rec/session.har $/rec", overwritten},
		"a suggestion by a link":           {"verify --suggest $/link.har $/rec", overwritten},
		"the spec by a link":               {"verify --spec $/spec.yaml --report text=$/spec $/rec", overwritten},
		"the known failures":               {"verify --known $/known.txt --suggest $/known.txt $/rec", overwritten},
		"one of several":                   {"verify --report text=$/new.txt --report json=$/link.har $/rec", overwritten},
		"redact":                           {"redact -o $/rec/session.har $/rec", overwritten},
		"redact by a hard link":            {"redact -o $/hard.har $/rec", overwritten},
		"redact, the spec":                 {"redact --spec $/spec.yaml -o $/spec $/rec", overwritten},
		"redact into the folder":           {"redact -o $/rec/out.ndjson $/rec", next},
		"redact below the folder":          {"redact -o $/rec/below/OUT.NDJSON $/rec", next},
		"redact into a link to the folder": {"redact -o $/folder/out.ndjson $/rec", next},
		"a report into the folder":         {"verify --report json=$/rec/report.har $/rec", next},
		"merge":                            {"merge --report json=$/report.json $/report.json", overwritten},
		"merge, a suggestion":              {"merge --suggest $/rec/../report.json $/report.json", overwritten},
		"a dangling link":                  {"verify --report json=$/dangling.json $/rec", "it is a link to run-42.json, which leads to no file"},
		"redact, a dangling link":          {"redact -o $/dangling.json $/rec", "it is a link to run-42.json, which leads to no file"},
		"below a file":                     {"verify --report json=$/known.txt/x $/rec", "not a directory"},
		"in a folder that is not there":    {"redact -o $/none/x $/rec", "there is no folder $/none"},
		"a folder":                         {"redact -o $/rec $/rec", "it is a folder"},
		"two results, one new file":        {"verify --report json=$/new --report text=$/rec/../new $/rec", "two results would go to"},
		"two results, by folders":          {"verify --report json=$/rec/new --suggest $/folder/new $/rec", "two results would go to"},
		"two results, another case":        {"verify --report json=$/new --report text=$/New $/rec", "two results would go to"},
		"two results, a hard link":         {"merge --report json=$/hard.har --report text=$/link.har $/report.json", "two results would go to"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := workspace(t)
			before := contents(t, folder)
			in := func(s string) string { return strings.ReplaceAll(s, "$", folder) }
			code, stdout, stderr := fleetio("", strings.Fields(in(test.args))...)
			assert.Equal(t, 2, code, stderr)
			assert.Contains(t, stderr, in(test.stderr))
			assert.Empty(t, stdout)
			assert.Equal(t, before, contents(t, folder))
		})
	}
}

// TestOutputsNearInputs are outputs that look like inputs and are none.
func TestOutputsNearInputs(t *testing.T) {
	t.Parallel()
	for name, args := range map[string]string{
		"a report in the folder":               "verify --report json=$/rec/report.json --report text=$/rec/notes.txt $/rec",
		"a recording by another one's folder":  "redact -o $/rec/out.ndjson $/rec/session.har",
		"a link out of the folder":             "redact -o $/rec/away/out.ndjson $/rec",
		"the null device for all":              "verify --known /dev/null --report json=/dev/null --report text=/dev/null $/rec/session.har",
		"over the report of an earlier run":    "verify --report json=$/report.json $/rec/session.har",
		"a name as long as it can be":          "verify --report json=$/" + strings.Repeat("x", 255) + " $/rec/session.har",
		"a report over what another run read":  "merge --report text=$/known.txt $/report.json",
		"a file of the same name further away": "redact -o $/session.har $/rec",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := workspace(t)
			require.NoError(t, os.Symlink("../elsewhere", filepath.Join(folder, "rec", "away")))
			code, _, stderr := fleetio("", strings.Fields(strings.ReplaceAll(args, "$", folder))...)
			assert.Equal(t, 0, code, stderr)
			for path := range contents(t, folder) {
				assert.NotContains(t, filepath.Base(path), ".tmp")
			}
		})
	}
}

// TestLinksStay writes through a link to a file.
func TestLinksStay(t *testing.T) {
	t.Parallel()
	for name, args := range map[string]string{
		"verify": "verify --report json=$/latest $/rec/session.har",
		"redact": "redact -o $/latest $/rec",
		"merge":  "merge --report json=$/latest $/report.json",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := workspace(t)
			latest, target := filepath.Join(folder, "latest"), filepath.Join(folder, "run-42")
			require.NoError(t, os.WriteFile(target, []byte("old"), 0o600))
			require.NoError(t, os.Symlink("run-42", latest))
			code, _, stderr := fleetio("", strings.Fields(strings.ReplaceAll(args, "$", folder))...)
			require.Equal(t, 0, code, stderr)
			link, err := os.Readlink(latest)
			require.NoError(t, err)
			assert.Equal(t, "run-42", link)
			assert.Greater(t, len(read(t, target)), 3)
		})
	}
}

// TestOutputBecomesInput links an output to a recording while the run reads.
func TestOutputBecomesInput(t *testing.T) {
	t.Parallel()
	for name, args := range map[string]string{
		"verify": "verify --report json=$/late.json $/rec/session.har -",
		"redact": "redact -o $/late.json $/rec/session.har -",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := workspace(t)
			recording, late := filepath.Join(folder, "rec/session.har"), filepath.Join(folder, "late.json")
			before := read(t, recording)
			stdin := io.MultiReader(linking{recording, late}, strings.NewReader(before))
			var out, errOut bytes.Buffer
			code := run(t.Context(), strings.Fields(strings.ReplaceAll(args, "$", folder)),
				&console{stdin: iotest.OneByteReader(stdin), stdout: &out, stderr: &errOut, now: someDay})
			assert.Equal(t, 2, code)
			assert.Contains(t, errOut.String(), "would be overwritten")
			assert.Empty(t, out.String())
			assert.Equal(t, before, read(t, late), "the link was not replaced either")
			assert.Equal(t, before, read(t, recording))
		})
	}
}

// linking makes a link when it is read, and is empty.
type linking struct{ from, to string }

func (l linking) Read([]byte) (int, error) {
	if err := os.Link(l.from, l.to); err != nil {
		return 0, err
	}
	return 0, io.EOF
}

// TestStandardStreams redirects those of a process, which the shell opens and no argument names.
func TestStandardStreams(t *testing.T) {
	t.Parallel()
	const overwritten = "would be overwritten, and the run reads it as "
	for name, test := range map[string]struct {
		args                  string
		stdin, stdout, stderr string // files; "" for a pipe
		code                  int
		says                  string // on standard output or error
	}{
		"over standard input":            {args: "redact -o $/rec/session.har -", stdin: "rec/session.har", code: 2, says: overwritten + "-"},
		"by a link":                      {args: "verify --report json=$/link.har -", stdin: "rec/session.har", code: 2, says: overwritten + "-"},
		"/dev/stdin":                     {args: "verify --report json=/dev/stdin -", stdin: "rec/session.har", code: 2, says: overwritten + "-"},
		"/proc/self/fd/0":                {args: "verify --report json=/proc/self/fd/0 -", stdin: "rec/session.har", code: 2, says: overwritten + "-"},
		"the pipe that is read":          {args: "verify --report json=/dev/stdin -", code: 2, says: overwritten + "-"},
		"standard output is a recording": {args: "redact $/rec", stdout: "rec/session.har", code: 2, says: "/dev/stdout " + overwritten},
		"standard output is the spec":    {args: "claims --spec $/spec.yaml", stdout: "spec.yaml", code: 2, says: "/dev/stdout " + overwritten},
		"of merge":                       {args: "merge --format json $/report.json", stdout: "report.json", code: 2, says: "/dev/stdout " + overwritten},
		"standard error is a recording":  {args: "verify $/rec", stderr: "rec/session.har", code: 2},
		"both to one file":               {args: "verify --report json=$/known.txt $/rec/session.har", stdout: "known.txt", code: 2, says: "two results"},
		"/dev/stdout":                    {args: "verify --report json=/dev/stdout $/rec/session.har", says: `"conforms": true`},
		"/dev/stderr":                    {args: "verify --report json=/dev/stderr $/rec/session.har", says: `"conforms": true`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := os.Stat("/proc/self/fd/0"); err != nil && strings.Contains(test.args, "/proc") {
				t.Skip("no /proc here")
			}
			folder := workspace(t)
			before := contents(t, folder)
			command := exec.CommandContext(t.Context(), os.Args[0], strings.Fields(strings.ReplaceAll(test.args, "$", folder))...)
			command.Env = append(os.Environ(), asCommand+"=1")
			var piped bytes.Buffer
			command.Stdin, command.Stdout, command.Stderr = strings.NewReader(""), &piped, &piped
			open := func(name string, flag int) *os.File {
				f, err := os.OpenFile(filepath.Join(folder, name), flag, 0)
				require.NoError(t, err)
				t.Cleanup(func() { _ = f.Close() })
				return f
			}
			if test.stdin != "" {
				command.Stdin = open(test.stdin, os.O_RDWR)
			}
			if test.stdout != "" {
				command.Stdout = open(test.stdout, os.O_APPEND|os.O_WRONLY)
			}
			if test.stderr != "" {
				command.Stderr = open(test.stderr, os.O_APPEND|os.O_WRONLY)
			}
			_ = command.Run() // its status is below
			assert.Equal(t, test.code, command.ProcessState.ExitCode(), piped.String())
			assert.Contains(t, piped.String(), test.says)
			if test.stderr == "" { // else it has the message that says so
				assert.Equal(t, before, contents(t, folder))
			}
		})
	}
}

// TestPipes writes to one that has a reader.
func TestPipes(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	got := make(chan string)
	go func() {
		text, err := os.ReadFile(pipe)
		got <- fmt.Sprint(string(text), err)
	}()
	code, stdout, stderr := fleetio("", "verify", "--report", "text="+pipe, recordings+"conformant-minimal.har")
	assert.Equal(t, 0, code, stderr)
	assert.Equal(t, stdout+"<nil>", <-got)
	code, _, stderr = fleetio("", "verify", "--report", "text="+pipe, pipe)
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "would be overwritten")
}
