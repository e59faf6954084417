package contracttest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// growth is an edit of the spec, and what works once the code is generated.
type growth struct {
	name   string
	edit   func(*testing.T, string) string
	flags  []string       // of fleetio create
	stored map[string]any // properties of the fault that it prints
	fails  string         // the error of fleetio create, instead
	path   string         // of an operation that answers with its example
	answer string         // the example
}

// growths are the edits that a maintainer makes.
var growths = []growth{
	{name: "integer", edit: property("odometer", "type: integer", "format: int64", "minimum: 0"),
		flags: []string{"--odometer", "120"}, stored: map[string]any{"odometer": 120.0}},
	{name: "date", edit: property("due_on", "type: string", "format: date"),
		flags: []string{"--due-on", "2026-03-14"}, stored: map[string]any{"due_on": "2026-03-14"}},
	{name: "list", edit: property("tags", "type: array", "maxItems: 3", "items: {type: string, maxLength: 20}"),
		flags: []string{"--tags", `["brakes","front"]`}, stored: map[string]any{"tags": []any{"brakes", "front"}}},
	{name: "object", edit: property("place", "type: object", "required: [lat]", "properties: {lat: {type: number}, note: {type: string}}"),
		flags: []string{"--place", `{"lat":52.5}`}, stored: map[string]any{"place": map[string]any{"lat": 52.5}}},
	{name: "nullable", edit: property("severity", "type: integer", "format: int64", "nullable: true"),
		flags: []string{"--severity", "null"}, stored: map[string]any{"severity": nil}},
	{name: "enum", edit: property("origin", "type: string", "enum: [sensor, driver]"),
		flags: []string{"--origin", "driver"}, stored: map[string]any{"origin": "driver"}},
	{name: "limit", edit: replaced("          maxLength: 255\n          example: P0420", "          maxLength: 100\n          example: P0420"),
		flags: []string{"--code", strings.Repeat("x", 101)}, fails: "code has more than 100 characters"},
	{name: "status", edit: replaced("        '422':\n          description: A field", "        '409':\n          description: The fault is known already.\n"+
		"          content:\n            application/json:\n              schema:\n                $ref: '#/components/schemas/Problem'\n"+
		"              example: {status: 409, title: Conflict}\n        '422':\n          description: A field")},
	{name: "operation", path: "/api/v1/vehicles/7/notes?kind=open", answer: `{"notes":["new brakes"]}`,
		edit: replaced("  /api/v1/faults/{id}:\n", `  /api/v1/vehicles/{id}/notes:
    get:
      operationId: faults
      summary: List notes
      description: The notes of a vehicle.
      tags: [Faults]
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer, format: int64, minimum: 1}, example: 7}
        - {name: kind, in: query, schema: {type: string, enum: [open, done]}, example: open}
      responses:
        '200':
          description: The notes.
          content:
            application/json:
              schema:
                type: object
                required: [notes]
                properties:
                  notes: {type: array, items: {type: string}}
              example: {notes: [new brakes]}
        '401':
          $ref: '#/components/responses/Unauthorized'
  /api/v1/faults/{id}:
`)},
}

// property adds an optional property to the body of a create, and to a fault.
func property(name string, keywords ...string) func(*testing.T, string) string {
	return func(t *testing.T, spec string) string {
		t.Helper()
		text := "        " + name + ":\n          description: Added by a test.\n          " + strings.Join(keywords, "\n          ") + "\n"
		for _, schema := range []string{"    FaultCreate:\n", "    Fault:\n"} {
			head, rest, found := strings.Cut(spec, schema)
			require.True(t, found, schema)
			before, after, found := strings.Cut(rest, "      properties:\n")
			require.True(t, found, schema)
			spec = head + schema + before + "      properties:\n" + text + after
		}
		return spec
	}
}

func replaced(from, to string) func(*testing.T, string) string {
	return func(t *testing.T, spec string) string {
		t.Helper()
		require.Equal(t, 1, strings.Count(spec, from), from)
		return strings.Replace(spec, from, to, 1)
	}
}

// TestGrowth edits a copy of this module as a maintainer does, regenerates, and uses what was added without another edit
// by hand: all edits at once with FLEETIO_GROWTH=together, one after the other, each with all tests, with FLEETIO_GROWTH=each.
func TestGrowth(t *testing.T) {
	switch os.Getenv("FLEETIO_GROWTH") {
	case "together":
		grow(t, growths...)
	case "each":
		for _, g := range growths {
			t.Run(g.name, func(t *testing.T) { grow(t, g) })
		}
	default:
		t.Skip("it builds the module anew: make test-growth")
	}
}

func grow(t *testing.T, edits ...growth) {
	t.Helper()
	c := moduleCopy{t, copyModule(t)}
	file := filepath.Join(c.dir, "api", "openapi.yaml")
	spec, err := os.ReadFile(file)
	require.NoError(t, err)
	text := string(spec)
	for _, g := range edits {
		text = g.edit(t, text)
	}
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	c.run("make", "generate")
	c.run("go", "build", "-o", "fleetio.bin", "./cmd/fleetio")
	// The goldens show what the edit changes. Once they are rewritten, the tests pass.
	goldens, packages := []string{"./internal/contracttest"}, []string{"./api", "./fleetio", "./sandbox", "./internal/contracttest"}
	if os.Getenv("FLEETIO_GROWTH") == "each" {
		goldens, packages = append(goldens, "./internal/mutate"), []string{"./..."}
	}
	_, _ = c.command("go", slices.Concat([]string{"test", "-short"}, goldens, []string{"-update"})...).CombinedOutput()
	c.run("go", append([]string{"test", "-short"}, packages...)...)

	url, env := c.serve()
	for _, g := range edits {
		if g.path != "" {
			assert.JSONEq(t, g.answer, c.get(url+g.path, env), g.name)
		}
		if g.flags == nil {
			continue
		}
		create := c.command(filepath.Join(c.dir, "fleetio.bin"), append([]string{"create", "--vehicle-id", "1", "--code", "P0420"}, g.flags...)...)
		create.Env = append(create.Env, env...)
		var stdout, stderr bytes.Buffer
		create.Stdout, create.Stderr = &stdout, &stderr
		err := create.Run()
		if g.fails != "" {
			require.Error(t, err, g.name)
			assert.Contains(t, stderr.String(), g.fails)
			continue
		}
		require.NoError(t, err, "%s: %s", g.name, &stderr)
		var fault map[string]any
		require.NoError(t, json.Unmarshal(stdout.Bytes(), &fault))
		for name, value := range g.stored {
			assert.Equal(t, value, fault[name], g.name)
			assert.Contains(t, fault, name, g.name)
		}
	}
}

// moduleCopy is a copy of this module.
type moduleCopy struct {
	t   *testing.T
	dir string
}

// copyModule copies the files that git knows, or would.
func copyModule(t *testing.T) string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	names, err := list.Output()
	require.NoError(t, err)
	dir := t.TempDir()
	for name := range strings.SplitSeq(strings.Trim(string(names), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // deleted, and not committed
		}
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o750))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o700))
	}
	return dir
}

func (c moduleCopy) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(c.t.Context(), name, args...)
	cmd.Dir, cmd.Env = c.dir, append(os.Environ(), "FLEETIO_GROWTH=")
	return cmd
}

func (c moduleCopy) run(name string, args ...string) {
	c.t.Helper()
	out, err := c.command(name, args...).CombinedOutput()
	require.NoError(c.t, err, "%s %s: %s", name, strings.Join(args, " "), out)
}

// serve starts the sandbox, and returns its URL and what it prints for the environment.
func (c moduleCopy) serve() (url string, env []string) {
	c.t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(c.t.Context()))
	cmd := exec.CommandContext(ctx, filepath.Join(c.dir, "fleetio.bin"), "sandbox", "--addr", "127.0.0.1:0", "--log", "off")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	stdout, err := cmd.StdoutPipe()
	require.NoError(c.t, err)
	require.NoError(c.t, cmd.Start())
	c.t.Cleanup(func() {
		stop()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(stdout)
	for len(env) < 3 && lines.Scan() {
		name, value, found := strings.Cut(strings.TrimPrefix(lines.Text(), "export "), "=")
		if found && strings.HasPrefix(name, "FLEETIO_") {
			env = append(env, name+"="+strings.Trim(value, `'"`))
			if name == "FLEETIO_BASE_URL" {
				url = strings.Trim(value, `'"`)
			}
		}
	}
	require.Len(c.t, env, 3)
	return url, env
}

func (c moduleCopy) get(url string, env []string) string {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, url, nil)
	require.NoError(c.t, err)
	for _, pair := range env {
		if key, found := strings.CutPrefix(pair, "FLEETIO_API_KEY="); found {
			r.Header.Set("Authorization", "Token "+key)
		}
		if token, found := strings.CutPrefix(pair, "FLEETIO_ACCOUNT_TOKEN="); found {
			r.Header.Set("Account-Token", token)
		}
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(c.t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(c.t, err)
	assert.Equal(c.t, http.StatusOK, response.StatusCode, string(body))
	return string(body)
}
