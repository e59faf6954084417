package scripts_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
)

// action is what the tests need of action.yml.
type action struct {
	Inputs map[string]struct{ Default string }
	Runs   struct {
		Steps []struct {
			Name string
			Env  map[string]string
			Run  string
		}
	}
}

// runner is what a step of an action gets from GitHub.
type runner struct {
	folder string
	env    []string
}

// step runs a step with inputs, those that are not given by default, and returns its exit code and output.
func (r *runner) step(t *testing.T, a action, number int, inputs map[string]string) (int, string) {
	t.Helper()
	step := a.Runs.Steps[number]
	assert.NotContains(t, step.Run, "${{", "an input would be run as a script")
	env := r.env
	for name, expression := range step.Env {
		input := strings.TrimSuffix(strings.TrimPrefix(expression, "${{ inputs."), " }}")
		require.Contains(t, a.Inputs, input)
		value, ok := inputs[input]
		if !ok {
			value = a.Inputs[input].Default
		}
		env = append(env, name+"="+value)
	}
	command := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.Run) // as GitHub does
	command.Dir, command.Env = r.folder, env
	out, err := command.CombinedOutput()
	if command.ProcessState == nil {
		require.NoError(t, err)
	}
	return command.ProcessState.ExitCode(), string(out)
}

func (r *runner) read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.folder, name))
	require.NoError(t, err)
	return string(text)
}

// TestAction installs a release from a folder, and runs the checks of the action.
func TestAction(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the folder is a file URL")
	}
	for _, tool := range []string{"bash", "curl", "tar"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	text, err := os.ReadFile("../action.yml")
	require.NoError(t, err)
	var a action
	require.NoError(t, yaml.Unmarshal(text, &a))
	recordings, err := filepath.Abs("../conformance/testdata/recordings")
	require.NoError(t, err)
	releases := release(t)
	start := func(t *testing.T) *runner {
		t.Helper()
		r := &runner{folder: t.TempDir()}
		r.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + r.folder, "RUNNER_TEMP=" + r.folder, "FLEETIO_RELEASES=file://" + releases}
		for _, name := range []string{"GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"} {
			r.env = append(r.env, name+"="+filepath.Join(r.folder, name))
		}
		return r
	}
	for name, test := range map[string]struct {
		inputs  map[string]string
		code    int
		verdict string
		out     string
	}{
		"probe":    {nil, 0, "conforms", "verdict     conforms"},
		"both":     {map[string]string{"recordings": recordings + "/conformant-minimal.har"}, 0, "conforms", "recordings  1 files"},
		"findings": {map[string]string{"recordings": recordings + "/minimum.har", "probe": "false"}, 1, "findings", "documented claims refuted"},
		"strict":   {map[string]string{"recordings": recordings + "/drift.har", "probe": "false", "strict": "true"}, 1, "findings", "drift"},
		"coverage": {map[string]string{"min-coverage": "99"}, 1, "findings", "--min-coverage asks for 99%"},
		"nothing":  {map[string]string{"probe": "false"}, 2, "error", "needs a PATH"},
		"a script": {map[string]string{"recordings": "$(touch pwned) ;touch pwned", "arguments": "`touch pwned`"}, 2, "error", "fleetio: "},
		"a flag":   {map[string]string{"recordings": "--help"}, 2, "error", "--help: no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t)
			code, out := r.step(t, a, 0, nil)
			require.Equal(t, 0, code, out)
			r.env = append(r.env, "PATH="+strings.TrimSpace(r.read(t, "GITHUB_PATH"))+":"+os.Getenv("PATH"))
			code, out = r.step(t, a, 1, test.inputs)
			assert.Equal(t, test.code, code, out)
			assert.Contains(t, out, test.out)
			assert.Equal(t, "verdict="+test.verdict+"\n", r.read(t, "GITHUB_OUTPUT"))
			assert.NoFileExists(t, filepath.Join(r.folder, "pwned"))
			if test.code == 2 {
				return
			}
			for _, report := range []string{"report.html", "report.json", "junit.xml", "fleetio.sarif"} {
				assert.NotEmpty(t, r.read(t, filepath.Join("fleetio-reports", report)))
			}
			assert.Contains(t, r.read(t, "GITHUB_STEP_SUMMARY"), "exchanges checked")
		})
	}
	t.Run("a changed archive", func(t *testing.T) {
		t.Parallel()
		r := start(t)
		code, out := r.step(t, a, 0, map[string]string{"version": "v0.0.1-bad"})
		assert.NotEqual(t, 0, code, out)
		assert.NoFileExists(t, filepath.Join(r.folder, "GITHUB_PATH"))
	})
}

// release makes a folder with the latest release, and a release whose archive does not have its checksum.
func release(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	binary := filepath.Join(folder, "fleetio")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../cmd/fleetio").CombinedOutput()
	require.NoError(t, err, "%s", out)
	content, err := os.ReadFile(binary)
	require.NoError(t, err)
	var archive bytes.Buffer
	zipped := gzip.NewWriter(&archive)
	tarred := tar.NewWriter(zipped)
	require.NoError(t, tarred.WriteHeader(&tar.Header{Name: "fleetio", Mode: 0o755, Size: int64(len(content))}))
	_, err = tarred.Write(content)
	require.NoError(t, err)
	require.NoError(t, tarred.Close())
	require.NoError(t, zipped.Close())
	name := fmt.Sprintf("fleetio_%s_%s.tar.gz", runtime.GOOS, runtime.GOARCH)
	for at, changed := range map[string]string{"latest/download": "", "download/v0.0.1-bad": "x"} {
		require.NoError(t, os.MkdirAll(filepath.Join(folder, at), 0o700))
		sum := fmt.Sprintf("%x  %s\n", sha256.Sum256(append(archive.Bytes(), changed...)), name)
		require.NoError(t, os.WriteFile(filepath.Join(folder, at, name), archive.Bytes(), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(folder, at, "checksums.txt"), []byte(sum), 0o600))
	}
	return folder
}
