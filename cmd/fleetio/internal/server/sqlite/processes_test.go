//go:build unix

package sqlite

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// TestTwoProcesses adds here while another process does, which is killed in the end.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openAt(t, filepath.Join(dir, fileOfChild))
	s.pragma(t, "busy_timeout = 100") // the other one leaves hardly any gap
	here := map[int64]string{}
	there := killed(t, dir, 30, func() {
		token := fmt.Sprintf("here-%d", len(here))
		id, err := s.Add(t.Context(), sandbox.Record{Account: account1, Fault: fault(token)})
		if err != nil {
			require.ErrorContains(t, err, "database is locked")
			return
		}
		here[id] = string(fault(token))
	}, nothing)
	require.NotEmpty(t, here)
	now := stored(t, s)
	for id, text := range there {
		require.NotContains(t, here, id)
		require.Equal(t, text, now[id])
	}
	for id, text := range now {
		if strings.Contains(text, "here-") {
			require.Equal(t, text, here[id], "not acknowledged, and there")
			delete(here, id)
		}
	}
	require.Empty(t, here, "acknowledged, and not there")
	checkFile(t, s.db)
	_, errs := addMany(t, s, "after the kill", 10, "")
	require.Empty(t, errs)
}

// TestHeaderBesideCheckpoints reads the header of a file that another process creates, and puts its log into again and
// again.
func TestHeaderBesideCheckpoints(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, fileOfChild)
	killed(t, dir, 0, nothing, func() {
		for end := time.Now().Add(time.Minute); sizeOf(t, path) < 1<<18; {
			require.True(t, time.Now().Before(end), "there is no checkpoint")
			if sizeOf(t, path) > 0 {
				f, err := openDatabase(path)
				require.NoError(t, err)
				require.NoError(t, f.Close())
			}
		}
	})
}

// TestCreateAtOnce has four processes that make the same file.
func TestCreateAtOnce(t *testing.T) {
	t.Parallel()
	for range rounds(t, 3) {
		dir := t.TempDir()
		var all [4]*exec.Cmd
		var said [4]bytes.Buffer
		var release []func()
		for i := range all {
			all[i] = child(t, "one", dir)
			all[i].Stdout = &said[i]
			in, err := all[i].StdinPipe()
			require.NoError(t, err)
			release = append(release, func() { in.Close() })
			require.NoError(t, all[i].Start())
		}
		for _, now := range release {
			now()
		}
		acknowledged := map[int64]string{}
		for i := range all {
			require.NoError(t, all[i].Wait())
			_, line, _ := strings.Cut(said[i].String(), "\n")
			id, token := parse(t, line)
			acknowledged[id] = string(fault(token))
		}
		s := openAt(t, filepath.Join(dir, fileOfChild))
		require.Len(t, acknowledged, len(all))
		require.Equal(t, acknowledged, stored(t, s))
		checkFile(t, s.db)
	}
}

// TestCommitFails has commits that fail in the write to the log, as on a full disk.
func TestCommitFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, err := child(t, "limit", dir).Output()
	require.NoError(t, err)
	acknowledged, failed := map[int64]string{}, 0
	high := 0
	for line := range bytes.Lines(out) {
		id, token := parse(t, string(line))
		switch {
		case token == "opening":
			continue
		case id == 0:
			failed++
			continue
		}
		require.NotContains(t, acknowledged, id)
		acknowledged[id] = string(fault(token))
		if strings.HasPrefix(token, "high") {
			high++
		}
	}
	assert.GreaterOrEqual(t, failed, 100)
	assert.Greater(t, len(acknowledged), high, "some were stored before it was full")
	assert.Equal(t, 32, high, "all were stored afterwards")
	s := openAt(t, filepath.Join(dir, fileOfChild))
	assert.Equal(t, acknowledged, stored(t, s))
	checkFile(t, s.db)
}
