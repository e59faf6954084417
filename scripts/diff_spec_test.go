// Package scripts_test tests the scripts of this directory.
package scripts_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// networkTests names the variable that switches on the tests that fetch
// diff-spec.sh's tools when the module cache does not hold them yet.
const networkTests = "FLEETIO_NETWORK_TESTS"

// What diff-spec.sh looks for, and the toy module does not have by itself.
const (
	claims        = "api/testdata/claims.golden"
	checkgenerate = "scripts/checkgenerate.sh"
)

const (
	toySpec = `openapi: 3.0.3
info:
  title: Toy
  version: 1.0.0
paths:
  /v1/faults:
    post:
      operationId: createFault
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [code]
              properties:
                code: {type: string}
                name: {type: string}
      responses:
        '201':
          description: Created.
          content:
            application/json:
              schema:
                type: object
                required: [id]
                properties:
                  id: {type: integer}
                  name: {type: string}
        '403':
          description: Forbidden.
`

	toyRoot = `package toy

import (
	"example.com/toy/gen/toyapi"
	"example.com/toy/internal/wire"
)

type Client struct{ Base string }

func (Client) Create() (f toyapi.Fault, err error) { return f, wire.Err }
`

	toyClaims = `assumed /paths/x/y
criterion echoes-code at /paths/x: $request.body#/code/$response.body#/code == $request.body#/code
criterion has-id at /paths/x: /$response.body#/id > 0
`

	toyTypes = `package toyapi

type Fault struct {
	ID   int64
	Name string
}
`
)

// toy is the module that the tests edit, as path -> content. It has one
// package of each kind: at the root, below it, internal, main, test-only.
var toy = map[string]string{
	"go.mod":                  "module example.com/toy\n\ngo 1.25.0\n",
	"api/openapi.yaml":        toySpec,
	"toy.go":                  toyRoot,
	"gen/toyapi/types.gen.go": toyTypes,
	"internal/wire/wire.go":   "package wire\n\nvar Err error\n",
	"cmd/toy/main.go":         "package main\n\ntype Options struct{ Verbose bool }\n\nfunc main() {}\n",
	"scripts/toy_test.go":     "package scripts_test\n",
}

// An edit is made to the working tree after the commit that is compared with,
// unless it is commit, which makes what was edited so far that commit.
type edit func(t *testing.T, dir string)

func replace(path, from, to string) edit {
	return func(t *testing.T, dir string) {
		t.Helper()
		content, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(content), from); n != 1 {
			t.Fatalf("%s has %q %d times, want once", path, from, n)
		}
		write(t, dir, path, strings.Replace(string(content), from, to, 1))
	}
}

func create(path, content string) edit {
	return func(t *testing.T, dir string) {
		t.Helper()
		write(t, dir, path, content)
	}
}

func remove(path string) edit {
	return func(t *testing.T, dir string) {
		t.Helper()
		if err := os.RemoveAll(filepath.Join(dir, path)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDiffSpec(t *testing.T) {
	if os.Getenv(networkTests) != "1" {
		t.Skipf("diff-spec.sh fetches its tools through the Go module proxy: set %s=1 to run this test", networkTests)
	}

	tests := []struct {
		name  string
		edits []edit
		base  string // by default, HEAD
		code  int
		want  []string // lines of stdout, without the space around them
		deny  []string // substrings of stdout
		err   string   // substring of stderr
	}{
		{
			name: "no change",
			want: []string{"no change", "breaking: 0 in the contract, 0 in the Go API"},
		},
		{
			name: "compatible additions",
			edits: []edit{
				replace("api/openapi.yaml", "                name: {type: string}\n      resp",
					"                name: {type: string}\n                note: {type: string}\n      resp"),
				replace("gen/toyapi/types.gen.go", "Name string", "Name string\n\tNote string\n\tTags []string"),
				create("sandbox/sandbox.go", "package sandbox\n\nfunc New() {}\n"),
			},
			want: []string{
				"info\t[new-optional-request-property] at tree/api/openapi.yaml",
				"example.com/toy/gen/toyapi",
				"compatible  Fault: old is comparable, new is not",
				"compatible  Fault.Note: added",
				"example.com/toy/sandbox",
				"compatible  package added",
				"breaking: 0 in the contract, 0 in the Go API",
			},
		},
		{
			name:  "a struct that is not generated loses ==",
			edits: []edit{replace("toy.go", "Base string", "Base string; Tags []string")},
			code:  1,
			want: []string{
				"breaking    Client: old is comparable, new is not",
				"compatible  Client.Tags: added",
				"breaking: 0 in the contract, 1 in the Go API",
			},
		},
		{
			name:  "a request property becomes required",
			edits: []edit{replace("api/openapi.yaml", "required: [code]", "required: [code, name]")},
			code:  1,
			want: []string{
				"error\t[request-property-became-required] at tree/api/openapi.yaml",
				"breaking: 1 in the contract, 0 in the Go API",
			},
		},
		{
			name:  "a request property is removed, which oasdiff only warns of",
			edits: []edit{replace("api/openapi.yaml", "                name: {type: string}\n      resp", "      resp")},
			code:  1,
			want: []string{
				"warning\t[request-property-removed] at tree/api/openapi.yaml",
				"breaking: 1 in the contract, 0 in the Go API",
			},
			deny: []string{"\n\n\n"},
		},
		{
			name: "what oasdiff calls info, and clients rely on",
			edits: []edit{
				replace("api/openapi.yaml", "                  name: {type: string}\n        '403", "        '403"),
				replace("api/openapi.yaml", "        '403':\n          description: Forbidden.\n", ""),
				replace("api/openapi.yaml", "createFault", "makeFault"),
			},
			code: 1,
			want: []string{
				"error\t[response-optional-property-removed] at tree/api/openapi.yaml",
				"error\t[response-non-success-status-removed] at tree/api/openapi.yaml",
				"error\t[api-operation-id-removed] at base/api/openapi.yaml",
				"breaking: 3 in the contract, 0 in the Go API",
			},
		},
		{
			name:  "breaking in the Go API only",
			edits: []edit{replace("gen/toyapi/types.gen.go", "Name string", "Title string")},
			code:  1,
			want: []string{
				"no change",
				"example.com/toy/gen/toyapi",
				"breaking    Fault.Name: removed",
				"compatible  Fault.Title: added",
				"breaking: 0 in the contract, 1 in the Go API",
			},
		},
		{
			name: "an importable package is removed",
			edits: []edit{
				remove("gen"),
				replace("toy.go", `"example.com/toy/gen/toyapi"`, ""),
				replace("toy.go", "f toyapi.Fault", "f int"),
			},
			code: 1,
			want: []string{
				"example.com/toy/gen/toyapi",
				"breaking    package removed",
				"breaking    Client.Create: changed from func() (example.com/toy/gen/toyapi.Fault, error) to func() (int, error)",
				"breaking: 0 in the contract, 2 in the Go API",
			},
		},
		{
			name: "commands and internal packages are no API",
			edits: []edit{
				replace("cmd/toy/main.go", "Verbose", "Quiet"),
				replace("internal/wire/wire.go", "var Err error", "var Err error\n\nconst N = 1"),
			},
			want: []string{"breaking: 0 in the contract, 0 in the Go API"},
			deny: []string{"Options", "internal"},
		},
		{
			name: "the spec is removed, so that nothing can be generated",
			edits: []edit{
				create(claims, toyClaims), commit, create(checkgenerate, "exit 2\n"),
				remove("api/openapi.yaml"), remove(claims),
			},
			code: 1,
			want: []string{
				"api/openapi.yaml was removed",
				claims + " was removed",
				"breaking: 1 in the contract, 0 in the Go API",
			},
		},
		{
			name: "a base from before the spec and the module",
			base: "HEAD~1",
			want: []string{
				"api/openapi.yaml is not in HEAD~1: all of it is new",
				"HEAD~1 has no importable package: all of it is new",
				"breaking: 0 in the contract, 0 in the Go API",
			},
		},
		{
			name:  "a spec that does not load",
			edits: []edit{create("api/openapi.yaml", "openapi: [")},
			code:  2,
			err:   "oasdiff failed on api/openapi.yaml",
			deny:  []string{"breaking:"},
		},
		{
			name:  "a description changes, which oasdiff hides",
			edits: []edit{replace("api/openapi.yaml", "Created.", "Made.")},
			want: []string{
				"no change of the API; what differs is text, examples or extensions",
				"breaking: 0 in the contract, 0 in the Go API",
			},
			deny: []string{"oasdiff diff", "specs are different", "Claims"},
		},
		{
			name: "marks and criteria change",
			edits: []edit{
				create(claims, toyClaims), commit,
				replace(claims, "assumed /paths/x/y\n", "assumed /paths/x/z\n"),
				replace(claims, "/id > 0", "/id > 1"),
			},
			want: []string{
				"Claims",
				"- assumed /paths/x/y",
				"+ assumed /paths/x/z",
				"- criterion has-id at /paths/x: /$response.body#/id > 0",
				"+ criterion has-id at /paths/x: /$response.body#/id > 1",
				"breaking: 0 in the contract, 0 in the Go API",
			},
			deny: []string{"echoes-code", "---", "2c2"},
		},
		{
			name:  "marks and criteria stay, and gen is up to date",
			edits: []edit{create(claims, toyClaims), commit, create(checkgenerate, "echo noise; echo noise >&2\n")},
			want:  []string{"Claims", "breaking: 0 in the contract, 0 in the Go API"},
			deny:  []string{"assumed", "criterion", "noise"},
		},
		{
			name:  "marks and criteria are new, and gen is up to date but not in git",
			edits: []edit{create(claims, toyClaims), create(checkgenerate, "exit 3\n")},
			want:  []string{claims + " is not in HEAD: all of it is new", "breaking: 0 in the contract, 0 in the Go API"},
			deny:  []string{"assumed"},
		},
		{
			name:  "a dependency that does not build",
			edits: []edit{replace("internal/wire/wire.go", "error", "errror")},
			code:  2,
			err:   "the packages of the working tree do not build",
			deny:  []string{"breaking:"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := toyRepo(t)
			for _, e := range tt.edits {
				e(t, dir)
			}
			base := tt.base
			if base == "" {
				base = "HEAD"
			}
			stdout, stderr, code := diffSpec(t, dir, base)
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			var lines []string
			for line := range strings.Lines(stdout) {
				lines = append(lines, strings.TrimSpace(line))
			}
			for _, want := range tt.want {
				if !slices.Contains(lines, want) {
					t.Errorf("stdout lacks the line %q", want)
				}
			}
			if code != 2 && !strings.HasPrefix(lines[len(lines)-1], "breaking: ") {
				t.Error("the last line is not the verdict")
			}
			for _, deny := range append(tt.deny, "\x1b[") {
				if strings.Contains(stdout, deny) {
					t.Errorf("stdout has %q", deny)
				}
			}
			if !strings.Contains(stderr, tt.err) {
				t.Errorf("stderr lacks %q", tt.err)
			}
			if t.Failed() {
				t.Logf("stdout:\n%s\nstderr:\n%s", stdout, stderr)
			}
		})
	}
}

// A stale gen/ is found before any tool is fetched.
func TestDiffSpecStale(t *testing.T) {
	tests := []struct {
		name   string
		script string
		err    string
	}{
		{"stale", "echo '-old'; exit 1\n", "diff-spec: gen/ is stale: run make generate first\n"},
		{"could not run", "echo 'no generator'; exit 2\n", "no generator\ndiff-spec: cannot tell whether gen/ is stale"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := toyRepo(t)
			write(t, dir, checkgenerate, tt.script)
			stdout, stderr, code := diffSpec(t, dir, "HEAD")
			if code != 2 || stdout != "" || !strings.Contains(stderr, tt.err) || strings.Contains(stderr, "-old") {
				t.Errorf("exit code %d, stdout %q, stderr %q; want 2, nothing, and %q", code, stdout, stderr, tt.err)
			}
		})
	}
}

// A missing or unknown BASE is found before any tool is fetched.
func TestDiffSpecBase(t *testing.T) {
	tests := []struct {
		name string
		args []string
		err  string
	}{
		{"none", nil, "no BASE: say which revision to compare with, e.g. make diff-spec BASE=origin/main"},
		{"empty", []string{""}, "no BASE: "},
		{"unknown", []string{"no-such-branch"}, "no revision no-such-branch here"},
		{"a flag", []string{"--all"}, "no revision --all here"},
	}
	dir := toyRepo(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr, code := diffSpec(t, dir, tt.args...)
			if code != 2 || stdout != "" || !strings.Contains(stderr, tt.err) {
				t.Errorf("exit code %d, stdout %q, stderr %q; want 2, nothing, and %q", code, stdout, stderr, tt.err)
			}
		})
	}
}

// toyRepo returns a git repository with two commits: one without the module,
// one with it.
func toyRepo(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"git", "bash"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip(err)
		}
	}
	// Neither the user's settings nor the repository that a git hook runs this
	// test in may matter.
	for _, name := range []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"} {
		if value, ok := os.LookupEnv(name); ok {
			t.Setenv(name, value) // restores it
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")

	// With a space, because that is what unquoted shell variables trip over.
	dir := filepath.Join(t.TempDir(), "toy module")
	write(t, dir, "README.md", "# toy\n")
	git(t, dir, "init", "--quiet", "--initial-branch=main")
	commit(t, dir)
	for path, content := range toy {
		write(t, dir, path, content)
	}
	commit(t, dir)
	return dir
}

func commit(t *testing.T, dir string) {
	t.Helper()
	git(t, dir, "add", "--all")
	git(t, dir, "-c", "user.name=toy", "-c", "user.email=toy@example.com", "commit", "--quiet", "--message=toy")
}

// diffSpec runs diff-spec.sh in dir and checks that it leaves nothing behind.
func diffSpec(t *testing.T, dir string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	script, err := filepath.Abs("diff-spec.sh")
	if err != nil {
		t.Fatal(err)
	}
	before := git(t, dir, "status", "--porcelain")
	tmp := filepath.Join(t.TempDir(), "a b")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		t.Fatal(err)
	}

	var out, errout bytes.Buffer
	cmd := exec.Command("bash", append([]string{script}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
	cmd.Stdout, cmd.Stderr = &out, &errout
	if err := cmd.Run(); err != nil {
		if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
			t.Fatal(err)
		}
	}

	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left in TMPDIR: %v, %v", left, err)
	}
	if after := git(t, dir, "status", "--porcelain"); after != before {
		t.Errorf("git status was %q, is %q", before, after)
	}
	if worktrees := git(t, dir, "worktree", "list"); strings.Count(worktrees, "\n") != 1 {
		t.Errorf("worktrees left: %s", worktrees)
	}
	return out.String(), errout.String(), cmd.ProcessState.ExitCode()
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}

func write(t *testing.T, dir, path, content string) {
	t.Helper()
	name := filepath.Join(dir, path)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
