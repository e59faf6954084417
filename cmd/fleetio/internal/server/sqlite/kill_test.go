//go:build unix

package sqlite

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// killed runs addForever until it has acknowledged a number of faults, waits for the moment, kills it and returns all that
// it acknowledged. It calls each after each response before.
func killed(t *testing.T, dir string, after int, each, moment func()) map[int64]string {
	t.Helper()
	command := child(t, "add", dir)
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	acknowledged := map[int64]string{}
	lines := bufio.NewReader(out)
	for n := 0; ; n++ {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // it is dead, and a line that is not whole was no response
		}
		if n == after {
			moment()
			require.NoError(t, command.Process.Kill())
		}
		id, token := parse(t, line)
		if n == 0 {
			continue // "opening"
		}
		require.NotContains(t, acknowledged, id, "an id came twice")
		acknowledged[id] = string(fault(token))
		if n < after {
			each()
		}
	}
	var ended *exec.ExitError
	require.ErrorAs(t, command.Wait(), &ended)
	status, ok := ended.Sys().(syscall.WaitStatus)
	require.True(t, ok)
	require.Equal(t, syscall.SIGKILL, status.Signal(), "it was to be killed, and ended by itself")
	return acknowledged
}

func nothing() {}

// waitUntilGrown waits for a file to grow, as it does in a checkpoint.
func waitUntilGrown(t *testing.T, path string) {
	before, end := sizeOf(t, path), time.Now().Add(time.Minute)
	for sizeOf(t, path) == before {
		require.True(t, time.Now().Before(end), "there is no checkpoint")
		runtime.Gosched()
	}
}

// sizeOf is 0 where there is none.
func sizeOf(t *testing.T, path string) int64 {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	require.NoError(t, err)
	return info.Size()
}

// rounds is how often to kill. FLEETIO_KILL_ROUNDS says otherwise.
func rounds(t *testing.T, usually int) int {
	if text := os.Getenv("FLEETIO_KILL_ROUNDS"); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err)
		return n
	}
	return usually
}

// TestKill kills a process with SIGKILL in the middle of its load, again and again on the same file: at any moment, or
// in a checkpoint. Most of the time, the next process opens what it left.
func TestKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, fileOfChild)
	must := map[int64]string{} // be there
	torn, unacknowledged := 0, 0
	n := rounds(t, 12)
	for round := 0; round < n || torn == 0; round++ {
		require.Less(t, round, 20*n, "it hardly ever hits a checkpoint")
		acknowledged := killed(t, dir, 1+rand.IntN(200), nothing, func() {
			if round%2 == 1 {
				waitUntilGrown(t, path)
			} else {
				time.Sleep(rand.N(2 * time.Millisecond))
			}
		})
		if isTorn(t, path) {
			torn++
		}
		last := newest(must)
		for id, text := range acknowledged {
			require.Greater(t, id, last, "round %d", round)
			must[id] = text
		}
		if round%4 == 3 {
			now := checkKilled(t, path, must)
			unacknowledged += len(now) - len(must)
			must = now
		}
	}
	now := checkKilled(t, path, must)
	unacknowledged += len(now) - len(must)
	t.Logf("%d faults, of which %d were stored and not yet acknowledged; %d kills left a file that is shorter than it says", len(now), unacknowledged, torn)
}

func newest(faults map[int64]string) int64 {
	return slices.Max(append(slices.Collect(maps.Keys(faults)), 0))
}

// checkKilled returns all that is stored.
func checkKilled(t *testing.T, path string, must map[int64]string) map[int64]string {
	t.Helper()
	s, err := Open(t.Context(), path)
	require.NoError(t, err)
	checkFile(t, s.db)
	now := stored(t, s)
	for id, text := range must {
		require.Equal(t, text, now[id], "fault %d was acknowledged, or there before", id)
	}
	texts := map[string]bool{}
	for _, text := range now {
		texts[text] = true
	}
	require.Len(t, texts, len(now), "a fault is there twice")
	require.NoError(t, s.Close())
	return now
}

// isTorn reports whether a file's header counts more pages than there are.
func isTorn(t *testing.T, path string) bool {
	file := read(t, path)
	return len(file) >= 100 && int64(binary.BigEndian.Uint32(file[28:]))*pageSize > int64(len(file))
}

// TestKillOpening kills a process while it makes the file, until it was in a transaction of that often enough.
func TestKillOpening(t *testing.T) {
	t.Parallel()
	half := 0
	for round, n := 0, rounds(t, 5); half < n; round++ {
		require.Less(t, round, 20*n, "it is hardly ever half made")
		dir := t.TempDir()
		path := filepath.Join(dir, fileOfChild)
		acknowledged := killed(t, dir, 0, nothing, func() {
			for end := time.Now().Add(time.Minute); sizeOf(t, path+"-journal") == 0 && sizeOf(t, path) == 0; runtime.Gosched() {
				require.True(t, time.Now().Before(end), "it makes no file")
			}
			time.Sleep(rand.N(2 * time.Millisecond))
		})
		if sizeOf(t, path+"-journal") > 0 {
			half++
		}
		s := openAt(t, path)
		checkFile(t, s.db)
		now := stored(t, s)
		for id, text := range acknowledged {
			require.Equal(t, text, now[id])
		}
		_, err := s.Add(t.Context(), sandbox.Record{Account: account1, Fault: fault("x")})
		require.NoError(t, err)
	}
}
