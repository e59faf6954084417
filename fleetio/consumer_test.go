package fleetio_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestConsumer builds a program that imports the client, in a module of its own that has no go.sum: it needs no package
// but the standard library's and ours, and go mod tidy adds nothing to its go.mod. The test prints what it costs.
func TestConsumer(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	dir, packed := t.TempDir(), t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata/consumer")))
	// The module as it is packed, but for what no program can import. Its tests may import what they want.
	for _, part := range []string{".", "fleetio", "gen/fleetioapi"} {
		files, err := filepath.Glob(filepath.Join(root, part, "*.go"))
		require.NoError(t, err)
		for _, file := range append(files, filepath.Join(root, "go.mod"), filepath.Join(root, "go.sum")) {
			if strings.HasPrefix(filepath.Base(file), "go.") && part != "." || strings.HasSuffix(file, "_test.go") {
				continue
			}
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			require.NoError(t, os.MkdirAll(filepath.Join(packed, part), 0o700))
			require.NoError(t, os.WriteFile(filepath.Join(packed, part, filepath.Base(file)), data, 0o600))
		}
	}
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	require.NoError(t, err)
	require.Contains(t, string(mod), "REPLACED")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(strings.Replace(string(mod), "REPLACED", packed, 1)), 0o600))

	tool := func(args ...string) string {
		command := exec.CommandContext(t.Context(), "go", args...)
		command.Dir = dir
		command.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOPROXY=off", "GOWORK=off", "CGO_ENABLED=0")
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return strings.TrimSpace(string(out))
	}
	all := strings.Fields(tool("list", "-deps", "."))
	foreign := strings.Fields(tool("list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "."))
	slices.Sort(foreign)
	assert.Equal(t, []string{"example.com/consumer", "github.com/fleetcontract/fleetio-go/fleetio", "github.com/fleetcontract/fleetio-go/gen/fleetioapi"}, foreign)
	tool("build", "-trimpath", "-ldflags=-s -w", "-o", "program", ".")
	info, err := os.Stat(filepath.Join(dir, "program"))
	require.NoError(t, err)
	t.Logf("%d packages, none of a third party; %.1f MB, stripped", len(all), float64(info.Size())/1e6)
	tool("mod", "tidy", "-diff")
	_, err = os.Stat(filepath.Join(dir, "go.sum"))
	require.ErrorIs(t, err, os.ErrNotExist, "nothing was looked up")
}
