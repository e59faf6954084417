//go:build unix

package main

import (
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server/sqlite"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// TestSandboxLosesItsFile damages the file of --db: no fault is acknowledged that it does not hold, /healthz says so, and so do
// the exit status and the last line.
func TestSandboxLosesItsFile(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		damage func(db string) error
		want   string
	}{
		"deleted":     {os.Remove, "faults.db was deleted or moved"},
		"emptied":     {func(db string) error { return os.Truncate(db, 0) }, "faults.db was cut off"},
		"overwritten": {func(db string) error { return os.WriteFile(db, make([]byte, 1<<20), 0o600) }, "faults.db was overwritten"},
		"log deleted": {func(db string) error { return os.Remove(db + "-wal") }, "faults.db-wal was deleted or moved"},
		"log emptied": {func(db string) error { return os.Truncate(db+"-wal", 0) }, "faults.db-wal was cut off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := filepath.Join(t.TempDir(), "faults.db")
			b := serveSandbox(t, "--db", db)
			b.ends = 2
			require.Equal(t, 201, b.create(t, http.DefaultClient, someFault).status)
			require.Equal(t, 200, b.get(t, "/healthz", "").status)
			require.NoError(t, test.damage(db))
			for range 2 {
				health := b.get(t, "/healthz", "")
				assert.Equal(t, 503, health.status)
				assert.Contains(t, health.body, test.want)
				created := b.create(t, http.DefaultClient, someFault)
				assert.Equal(t, 500, created.status)
				assert.Contains(t, created.body, `"detail":"The request could not be processed: the fault is not stored: `+filepath.Dir(db))
				assert.Contains(t, created.body, test.want)
			}
			assert.Equal(t, 2, b.stop())
			assert.Contains(t, b.log.String(), "fleetio: "+filepath.Dir(db))
		})
	}
}

// TestSandboxIsFull lets the files grow to a few pages: /healthz says what creates say. The faults that were acknowledged stay.
func TestSandboxIsFull(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "faults.db")
	command := exec.CommandContext(t.Context(), "sh", "-c", `ulimit -f 400; exec "$0" "$@"`,
		os.Args[0], "sandbox", "--addr", "127.0.0.1:0", "--log", "off", "--db", db)
	command.Env = append(os.Environ(), asCommand+"=1")
	stdout, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	b := announced(stdout)
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	require.NotEmpty(t, b.token)
	require.Equal(t, 200, b.get(t, "/healthz", "").status)
	big := strings.Replace(someFault, "}", `,"description":"`+strings.Repeat("x", 20_000)+`"}`, 1)
	stored := 0
	created := b.create(t, http.DefaultClient, big)
	for ; created.status == 201 && stored < 1000; stored++ {
		created = b.create(t, http.DefaultClient, big)
	}
	require.Equal(t, 500, created.status)
	assert.Positive(t, stored)
	assert.Contains(t, created.body, "make room for "+db)
	health := b.get(t, "/healthz", "")
	assert.Equal(t, 503, health.status)
	assert.Contains(t, health.body, "make room for "+db)
	require.NoError(t, command.Process.Signal(os.Interrupt))
	require.NoError(t, command.Wait())
	store, err := sqlite.Open(t.Context(), db)
	require.NoError(t, err)
	defer func() { assert.NoError(t, store.Close()) }()
	records, err := store.Records(t.Context(), sandbox.Query{Limit: math.MaxInt})
	require.NoError(t, err)
	assert.Len(t, records, stored)
}
