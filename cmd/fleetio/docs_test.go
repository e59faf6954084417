package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
)

// shell runs a script in which fleetio is this command, and returns its exit status.
func shell(t *testing.T, script string, env ...string) (int, string) {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell")
	}
	self, err := filepath.Abs(os.Args[0])
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), sh, "-ec", `fleetio() { "$SELF" "$@"; }`+"\n"+script)
	command.Env = append(os.Environ(), append(env, "SELF="+self, asCommand+"=1")...)
	out, err := command.CombinedOutput()
	if _, ok := errors.AsType[*exec.ExitError](err); !ok {
		require.NoError(t, err)
	}
	return command.ProcessState.ExitCode(), string(out)
}

// job is what the test reads of a manifest.
type job struct {
	Metadata struct {
		Name   string            `yaml:"name"`
		Labels map[string]string `yaml:"labels"`
	} `yaml:"metadata"`
	Spec struct {
		CompletionMode string `yaml:"completionMode"`
		Completions    int    `yaml:"completions"`
		Parallelism    int    `yaml:"parallelism"`
		Template       struct {
			Spec struct {
				Containers []struct {
					Args []string            `yaml:"args"`
					Env  []map[string]string `yaml:"env"`
				} `yaml:"containers"`
			} `yaml:"spec"`
		} `yaml:"template"`
	} `yaml:"spec"`
}

// TestKubernetesJobs runs what the manifest's pods run, and compares the sum with a run over everything.
func TestKubernetesJobs(t *testing.T) {
	t.Parallel()
	var jobs []job
	for d := yaml.NewDecoder(bytes.NewReader([]byte(read(t, "../../docs/kubernetes-indexed-job.yaml")))); ; {
		var j job
		err := d.Decode(&j)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		jobs = append(jobs, j)
	}
	require.Len(t, jobs, 2)
	reports, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	script := func(j job) string {
		require.Len(t, j.Spec.Template.Spec.Containers, 1)
		require.Len(t, j.Spec.Template.Spec.Containers[0].Args, 1)
		return strings.NewReplacer("/reports", reports, "/recordings", recordings).Replace(j.Spec.Template.Spec.Containers[0].Args[0])
	}
	assert.Equal(t, "Indexed", jobs[0].Spec.CompletionMode)
	n := jobs[0].Spec.Completions
	assert.Equal(t, n, jobs[0].Spec.Parallelism)
	env := jobs[0].Spec.Template.Spec.Containers[0].Env[0]
	assert.Equal(t, map[string]string{"name": "SHARDS", "value": strconv.Itoa(n)}, env)
	for index := range n {
		code, out := shell(t, script(jobs[0]), fmt.Sprintf("JOB_COMPLETION_INDEX=%d", index), "SHARDS="+env["value"])
		assert.Equal(t, 0, code, out)
	}
	code, out := shell(t, script(jobs[1]))
	assert.Equal(t, 1, code, out)
	_, whole, _ := fleetio("", "verify", "--format=json", recordings)
	same(t, whole, read(t, filepath.Join(reports, "whole.json")))
	assert.FileExists(t, filepath.Join(reports, "junit.xml"))

	// The guide names both jobs and their labels.
	guide := read(t, "../../docs/ci.md")
	for _, j := range jobs {
		assert.Contains(t, guide, "job/"+j.Metadata.Name+"\n")
		assert.Contains(t, guide, "kubectl apply -l step="+j.Metadata.Labels["step"]+" ")
	}

	code, out = shell(t, script(jobs[0]), "JOB_COMPLETION_INDEX=9", "SHARDS="+env["value"])
	assert.NotEqual(t, 0, code, "a shard that could not run fails: %s", out)
}

// block returns what stands in the guide between a line and the end of its code.
func block(t *testing.T, begin string) []byte {
	t.Helper()
	_, rest, found := strings.Cut(read(t, "../../docs/ci.md"), "```yaml\n"+begin)
	require.True(t, found)
	text, _, _ := strings.Cut(rest, "```")
	return []byte(begin + text)
}

type step struct {
	Run string `yaml:"run"`
}

// TestWorkflow runs what the guide's workflow runs.
func TestWorkflow(t *testing.T) {
	t.Parallel()
	var workflow struct {
		Jobs map[string]struct {
			Needs    string `yaml:"needs"`
			Strategy struct {
				Matrix map[string][]int `yaml:"matrix"`
			} `yaml:"strategy"`
			Steps []step `yaml:"steps"`
		} `yaml:"jobs"`
	}
	require.NoError(t, yaml.Unmarshal(block(t, "jobs:\n"), &workflow))
	var alone []step
	require.NoError(t, yaml.Unmarshal(block(t, "- run:"), &alone))
	all, err := filepath.Abs(recordings)
	require.NoError(t, err)
	folder := t.TempDir()
	require.NoError(t, os.Symlink(all, filepath.Join(folder, "recordings")))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "known.txt"), nil, 0o600))
	summary := filepath.Join(folder, "summary.md")
	fleetioOf := func(steps []step, env ...string) (int, string) {
		for _, s := range steps {
			if strings.HasPrefix(s.Run, "fleetio ") {
				return shell(t, "cd "+folder+"\n"+s.Run, env...)
			}
		}
		require.Fail(t, "no step runs fleetio")
		return 0, ""
	}

	code, out := fleetioOf(alone, "GITHUB_STEP_SUMMARY="+summary)
	assert.Equal(t, 1, code, out)
	whole := read(t, summary)
	assert.Contains(t, whole, " exchanges judged: ")
	assert.FileExists(t, filepath.Join(folder, "fleetio.sarif"))
	require.NoError(t, os.Remove(summary))

	shard, merge := workflow.Jobs["shard"], workflow.Jobs["merge"]
	assert.Equal(t, "shard", merge.Needs)
	require.NotEmpty(t, shard.Strategy.Matrix["shard"])
	for _, i := range shard.Strategy.Matrix["shard"] {
		var steps []step
		for _, s := range shard.Steps {
			steps = append(steps, step{strings.ReplaceAll(s.Run, "${{ matrix.shard }}", strconv.Itoa(i))})
		}
		code, out := fleetioOf(steps)
		assert.Equal(t, 0, code, out)
	}
	code, out = fleetioOf(merge.Steps, "GITHUB_STEP_SUMMARY="+summary)
	assert.Equal(t, 1, code, out)
	same(t, whole, read(t, summary))
}
