package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/sandbox"
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

// TestSampleReport makes the sample as the Makefile does: it is up to date, small, and needs nothing else.
func TestSampleReport(t *testing.T) {
	t.Parallel()
	recipe := regexp.MustCompile(`\tgo run ./cmd/(fleetio verify .*docs/report.html.*)`).FindStringSubmatch(read(t, "../../Makefile"))
	require.NotNil(t, recipe)
	made := filepath.Join(t.TempDir(), "report.html")
	code, out := shell(t, "cd ../..\n"+strings.NewReplacer("docs/report.html", made, "$$", "$").Replace(recipe[1]))
	require.Equal(t, 0, code, out)
	head := func(page string) string { // with the hashes of the style and the script
		before, _, ok := strings.Cut(page, "<body>")
		require.True(t, ok)
		return regexp.MustCompile("<title>.*</title>").ReplaceAllString(before, "")
	}
	// The rest may be of an earlier spec: an edit of the spec needs no new sample.
	assert.Equal(t, head(read(t, made)), head(read(t, "../../docs/report.html")), "docs/report.html is out of date; make sample writes it")
	assert.Less(t, len(read(t, made)), 300<<10)
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

// block returns the text of the guide between a line and the end of its code.
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
	assert.Contains(t, whole, " exchanges checked: ")
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

// snippetImports are what the Go code of the documents may use without saying so.
const snippetImports = `package snippets

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/conformancetest"
	"github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

var _ = []any{context.Background, errors.As, fmt.Println, http.StatusOK, testing.Short, api.Spec, conformance.Load,
	conformancetest.Strict, fleetio.Check, sandbox.Start}

`

// codeOf returns the blocks of code in a document that are in a language.
func codeOf(document, language string) []string {
	var blocks []string
	for _, rest := range strings.Split(document, "\n```"+language+"\n")[1:] {
		block, _, _ := strings.Cut(rest, "\n```\n")
		blocks = append(blocks, block+"\n")
	}
	return blocks
}

// documents are the project's documents, from this folder.
func documents(t *testing.T) []string {
	t.Helper()
	names := []string{"../../api/README.md"}
	for _, pattern := range []string{"../../*.md", "../../docs/*.md"} {
		more, err := filepath.Glob(pattern)
		require.NoError(t, err)
		names = append(names, more...)
	}
	require.Contains(t, names, "../../README.md")
	return names
}

// TestDocumentLinks finds links to files that do not exist.
func TestDocumentLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, name := range documents(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, match := range link.FindAllStringSubmatch(read(t, name), -1) {
				_, err := os.Stat(filepath.Join(filepath.Dir(name), match[1]))
				assert.NoError(t, err, match[0])
			}
		})
	}
}

// TestDocumentSnippets compiles the Go code of each document.
func TestDocumentSnippets(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	for _, name := range documents(t) {
		blocks := codeOf(read(t, name), "go")
		if len(blocks) == 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The overlay adds the file to the module without writing it there.
			file := filepath.Join(t.TempDir(), "snippets.go")
			require.NoError(t, os.WriteFile(file, []byte(snippetImports+strings.Join(blocks, "\n")), 0o600))
			overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{filepath.Join(root, "snippets", "snippets.go"): file}})
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(file+".json", overlay, 0o600))
			command := exec.CommandContext(t.Context(), "go", "build", "-overlay", file+".json", "./snippets")
			command.Dir = root
			out, err := command.CombinedOutput()
			require.NoError(t, err, "%s", out)
		})
	}
}

// TestReadme runs the commands of the README from top to bottom, and compares what it shows with what they print.
func TestReadme(t *testing.T) {
	t.Parallel()
	readme := read(t, "../../README.md")
	assert.Less(t, strings.Count(readme, "\n"), 180, "lines")
	folder := t.TempDir()
	checker, err := filepath.Abs("../../conformance")
	require.NoError(t, err)
	require.NoError(t, os.Symlink(checker, filepath.Join(folder, "conformance"))) // for its recordings
	s := sandbox.Start(t)
	env := []string{envBaseURL + "=" + s.URL, envAPIKey + "=" + s.Credentials.APIKey, envToken + "=" + s.Credentials.AccountToken}
	var printed strings.Builder
	for line := range strings.Lines(strings.Join(codeOf(readme, "sh"), "")) {
		if strings.HasPrefix(line, "go ") || strings.HasPrefix(line, "make ") { // these need a clone
			continue
		}
		t.Run(line, func(t *testing.T) {
			script, expected := line, 0
			switch {
			case strings.HasPrefix(line, "fleetio verify"):
				expected = 1
			case strings.HasPrefix(line, "fleetio sandbox") && !strings.Contains(line, "--list-failures"):
				// It would not end. So it gets an address that it refuses after it has read the other flags.
				script, _, _ = strings.Cut(strings.TrimSpace(line), "   ")
				script, expected = script+" --addr nowhere", 2
			}
			code, out := shell(t, "cd "+folder+"\n"+script, env...)
			assert.Equal(t, expected, code, out)
			if expected == 2 {
				assert.Contains(t, out, "fleetio: --addr: ")
			}
			_, _ = printed.WriteString(out)
		})
	}
	assert.Len(t, s.Faults(), 2, "one by create, one by import")
	for _, shown := range codeOf(readme, "text") {
		if !strings.Contains(printed.String(), shown) { // assert.Contains would print all of it
			assert.Fail(t, "no command prints:\n"+shown)
		}
	}
}

// TestArchitecture finds packages that docs/architecture.md does not describe.
func TestArchitecture(t *testing.T) {
	t.Parallel()
	document := read(t, "../../docs/architecture.md")
	command := exec.CommandContext(t.Context(), "go", "list", "./...")
	command.Dir = "../.."
	out, err := command.Output()
	require.NoError(t, err)
	for path := range strings.Lines(string(out)) {
		name := strings.TrimPrefix(strings.TrimSpace(path), "github.com/fleetcontract/fleetio-go/")
		assert.Contains(t, document, "\n| `"+name+"` | ")
	}
}
