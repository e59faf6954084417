//go:build unix

package scripts_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The toy's generator copies its spec, fails on a spec that is "broken", and
// on one that is "slow" says so and waits.
const toyGenerator = `mkdir -p gen
echo partial >gen/partial
case $(cat spec) in
broken) echo 'the spec is broken' >&2; exit 1 ;;
slow) touch started; sleep 30 ;;
esac
rm gen/partial
cp spec gen/made
`

func TestGenerate(t *testing.T) {
	tests := []struct {
		name   string
		spec   string
		fails  bool
		output string
		want   string // names and content of gen/
	}{
		{name: "fresh", spec: "v2", output: "go generate ./...", want: "made=v2"},
		{name: "broken", spec: "broken", fails: true, output: "the spec is broken", want: "made=v1 stale=v0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := generateRepo(t)
			write(t, dir, "gen/stale", "v0")
			write(t, dir, "spec", tt.spec)
			out, err := makeGenerate(dir).CombinedOutput()
			if (err != nil) != tt.fails || !strings.Contains(string(out), tt.output) {
				t.Errorf("%v, want failure: %v; output lacks %q:\n%s", err, tt.fails, tt.output, out)
			}
			checkTree(t, dir, tt.want)
		})
	}
}

func TestGenerateWithoutGen(t *testing.T) {
	dir := generateRepo(t)
	remove("gen")(t, dir)
	if out, err := makeGenerate(dir).CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
	checkTree(t, dir, "made=v1")
}

func TestGenerateInterrupted(t *testing.T) {
	dir := generateRepo(t)
	write(t, dir, "spec", "slow")
	interrupt(t, dir, makeGenerate(dir), syscall.SIGINT)
	checkTree(t, dir, "made=v1")
}

// A kill leaves no time to restore: the next run does it, even if it fails.
func TestGenerateAfterKill(t *testing.T) {
	dir := generateRepo(t)
	write(t, dir, "spec", "slow")
	interrupt(t, dir, makeGenerate(dir), syscall.SIGKILL)
	write(t, dir, "spec", "broken")
	if err := makeGenerate(dir).Run(); err == nil {
		t.Error("no failure")
	}
	checkTree(t, dir, "made=v1")
}

func TestCheckGenerate(t *testing.T) {
	const stale = "gen/ differs from what the spec generates. Run 'make generate', review the difference, and commit it."

	tests := []struct {
		name   string
		edits  []edit
		code   int
		stdout string
		stderr string
		want   string
	}{
		{name: "up to date", want: "made=v1"},
		{
			name: "differs", edits: []edit{create("spec", "v2")},
			code: 1, stdout: "+++ gen/made", stderr: stale, want: "made=v1",
		},
		{
			name: "left over", edits: []edit{create("gen/stale", "v0")},
			code: 1, stdout: "Only in gen (found): stale", stderr: stale, want: "made=v1 stale=v0",
		},
		{name: "missing", edits: []edit{remove("gen/made")}, code: 1, stdout: "Only in gen: made", stderr: stale},
		{name: "no gen", edits: []edit{remove("gen")}, code: 1, stderr: stale},
		{name: "broken", edits: []edit{create("spec", "broken")}, code: 2, stderr: "the spec is broken", want: "made=v1"},
		{
			name: "not in git",
			edits: []edit{func(t *testing.T, dir string) {
				git(t, dir, "rm", "--quiet", "--cached", "gen/made")
			}},
			code: 3, stdout: "gen/made", stderr: "gen/ has untracked files.", want: "made=v1",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := generateRepo(t)
			for _, e := range tt.edits {
				e(t, dir)
			}
			tmp := t.TempDir()
			var stdout, stderr bytes.Buffer
			cmd := exec.Command("bash", checkgenerate)
			cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
			cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
			_ = cmd.Run() // the exit code says it
			if code := cmd.ProcessState.ExitCode(); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if !strings.Contains(stdout.String(), tt.stdout) || !strings.Contains(stderr.String(), tt.stderr) {
				t.Errorf("want %q and %q\nstdout:\n%s\nstderr:\n%s", tt.stdout, tt.stderr, &stdout, &stderr)
			}
			checkTree(t, dir, tt.want)
			if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
				t.Errorf("left in TMPDIR: %v, %v", left, err)
			}
		})
	}
}

// generateRepo returns a committed toy module with this project's Makefile and
// checkgenerate.sh, whose gen/ is up to date.
func generateRepo(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"make", "tar", "diff"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip(err)
		}
	}
	// The make that runs this test is none of its business.
	t.Setenv("MAKEFLAGS", "")
	t.Setenv("MAKELEVEL", "")

	dir := toyRepo(t)
	remove("gen")(t, dir)
	remove("toy.go")(t, dir)
	for from, to := range map[string]string{"../Makefile": "Makefile", "checkgenerate.sh": checkgenerate} {
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, to, string(content))
	}
	write(t, dir, "generate.go", "package toy\n\n//go:generate sh generate.sh\n")
	write(t, dir, "generate.sh", toyGenerator)
	write(t, dir, "spec", "v1")
	write(t, dir, "gen/made", "v1")
	commit(t, dir)
	return dir
}

func makeGenerate(dir string) *exec.Cmd {
	cmd := exec.Command("make", "generate")
	cmd.Dir = dir
	return cmd
}

// interrupt sends sig to all processes of cmd, as a terminal does, once the
// generator is at work.
func interrupt(t *testing.T, dir string, cmd *exec.Cmd, sig syscall.Signal) {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	started := filepath.Join(dir, "started")
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(started); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Error("the generator did not start")
			sig = syscall.SIGKILL
			break
		}
	}
	if err := syscall.Kill(-cmd.Process.Pid, sig); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("no failure")
	}
	remove("started")(t, dir)
}

// checkTree checks what gen/ holds, as "name=content", and that nothing else
// was left in dir.
func checkTree(t *testing.T, dir, want string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "gen"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dir, "gen", entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, entry.Name()+"="+string(content))
	}
	if got := strings.Join(got, " "); got != want {
		t.Errorf("gen/ has %q, want %q", got, want)
	}
	for line := range strings.Lines(git(t, dir, "status", "--porcelain", "--ignored", "--untracked-files=all")) {
		if name := strings.TrimSpace(line[3:]); name != "spec" && !strings.HasPrefix(name, "gen/") {
			t.Errorf("left: %s", line)
		}
	}
}
