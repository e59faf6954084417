//go:build unix

package sqlite

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// children are what this binary does, in the directory where it runs, when a test runs it again.
var children = map[string]func(){"add": addForever, "limit": addUnderLimit}

func TestMain(m *testing.M) {
	if child, ok := children[os.Getenv("FLEETIO_SQLITE_CHILD")]; ok {
		child()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const fileOfChild = "sandbox.db"

// child runs this binary again, as one of the children.
func child(t *testing.T, name, dir string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), exe)
	command.Dir = dir
	command.Env = append(os.Environ(), "FLEETIO_SQLITE_CHILD="+name)
	command.Stderr = os.Stderr
	return command
}

// openChild is open for a child, which has no test to fail. It says before that it begins to.
func openChild() *Store {
	fmt.Println("0 opening")
	s, err := Open(context.Background(), fileOfChild)
	if err == nil {
		_, err = s.Seed(context.Background(), sandbox.DefaultFixtures(), nil)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return s
}

// addForever prints the id and the token of each fault that was answered, until it is killed.
func addForever() {
	s := openChild()
	var done sync.WaitGroup
	for caller := range 32 {
		done.Go(func() {
			for i := 0; ; i++ {
				token := fmt.Sprintf("%d-%d-%d", os.Getpid(), caller, i)
				id, err := s.Add(context.Background(), sandbox.Record{Account: account1, Fault: fault(token)})
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				fmt.Printf("%d %s\n", id, token) // one write, so lines stay whole
			}
		})
	}
	done.Wait()
}

// killed runs addForever, kills it when it has answered a number of faults, or with 0 while it opens the file, and
// returns all that it answered. It calls each before it goes on to the next answer.
func killed(t *testing.T, dir string, after int, each func()) map[int64]string {
	t.Helper()
	command := child(t, "add", dir)
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	answered := map[int64]string{}
	lines := bufio.NewReader(out)
	for n := 0; ; n++ {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // it is dead, and a line that is not whole was no answer
		}
		if n == after {
			for range rand.IntN(1000) { // a little later
				runtime.Gosched()
			}
			require.NoError(t, command.Process.Kill())
		}
		if n == 0 {
			continue // "opening"
		}
		id, token, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		number, err := strconv.ParseInt(id, 10, 64)
		require.NoError(t, err)
		require.NotContains(t, answered, number, "an id came twice")
		answered[number] = string(fault(token))
		if n < after {
			each()
		}
	}
	var ended *exec.ExitError
	require.ErrorAs(t, command.Wait(), &ended)
	status, ok := ended.Sys().(syscall.WaitStatus)
	require.True(t, ok)
	require.Equal(t, syscall.SIGKILL, status.Signal(), "it was to be killed, and ended by itself")
	return answered
}

// TestKill kills a process with SIGKILL in the middle of its load, again and again on the same file. FLEETIO_KILL_ROUNDS says how
// often. By default, 12 times.
func TestKill(t *testing.T) {
	t.Parallel()
	rounds := 12
	if text := os.Getenv("FLEETIO_KILL_ROUNDS"); text != "" {
		var err error
		rounds, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, fileOfChild)
	all := map[int64]string{} // what must be there
	var last int64            // the newest that was there after the round before
	unanswered := 0
	for round := range rounds {
		answered := killed(t, dir, rand.IntN(200), func() {})
		s, err := Open(t.Context(), path)
		require.NoError(t, err, "round %d", round)
		checkFile(t, s.db)
		now := stored(t, s)
		for id, text := range answered {
			require.True(t, id > last && now[id] == text, "round %d: fault %d was answered, after %d", round, id, last)
		}
		for id, text := range all {
			require.Equal(t, text, now[id], "round %d: fault %d was there", round, id)
		}
		unanswered += len(now) - len(all) - len(answered)
		texts := map[string]bool{}
		for _, text := range now {
			texts[text] = true
		}
		require.Len(t, texts, len(now), "a fault is there twice")
		all = now
		if len(now) > 0 {
			last = slices.Max(slices.Collect(maps.Keys(now)))
		}
		require.NoError(t, s.Close())
	}
	t.Logf("%d kills: %d faults, of which %d were stored and not yet answered", rounds, len(all), unanswered)
}

// TestKillOpening kills a process while it makes the file.
func TestKillOpening(t *testing.T) {
	t.Parallel()
	for range 10 {
		dir := t.TempDir()
		answered := killed(t, dir, 0, func() {})
		s := openAt(t, filepath.Join(dir, fileOfChild))
		checkFile(t, s.db)
		now := stored(t, s)
		for id, text := range answered {
			require.Equal(t, text, now[id])
		}
		_, err := s.Add(t.Context(), sandbox.Record{Account: account1, Fault: fault("x")})
		require.NoError(t, err)
	}
}

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
	})
	require.NotEmpty(t, here)
	now := stored(t, s)
	for id, text := range there {
		require.NotContains(t, here, id)
		require.Equal(t, text, now[id])
	}
	for id, text := range now {
		if strings.Contains(text, "here-") {
			require.Equal(t, text, here[id], "not answered, and there")
			delete(here, id)
		}
	}
	require.Empty(t, here, "answered, and not there")
	checkFile(t, s.db)
	_, errs := addMany(t, s, "after the kill", 10, "")
	require.Empty(t, errs)
}

// addUnderLimit lets the process's files grow to 256 KiB only, adds until that fails, then lets them grow again. It prints
// the id of each fault that was answered, and 0 for each that failed, with the token.
func addUnderLimit() {
	s := openChild()
	signal.Ignore(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	must(syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit))
	low := limit
	low.Cur = 256 << 10
	must(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &low))
	add := func(name string, failures int) {
		for round := 0; ; round++ {
			var failed sync.Map
			var done sync.WaitGroup
			for caller := range 32 {
				done.Go(func() {
					token := fmt.Sprintf("%s-%d-%d", name, round, caller)
					id, err := s.Add(context.Background(), sandbox.Record{Account: account1, Fault: fault(token)})
					if err != nil {
						failed.Store(caller, err)
					}
					fmt.Printf("%d %s\n", id, token)
				})
			}
			done.Wait()
			n := 0
			failed.Range(func(any, any) bool { n++; return true })
			if failures -= n; failures <= 0 {
				return
			}
		}
	}
	add("low", 100)
	must(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
	add("high", 0)
	must(s.Close())
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestCommitFails has commits that fail in the write to the log, as on a full disk.
func TestCommitFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, err := child(t, "limit", dir).Output()
	require.NoError(t, err)
	answered, failed := map[int64]string{}, 0
	high := 0
	for line := range bytes.Lines(out) {
		id, token, _ := strings.Cut(strings.TrimSuffix(string(line), "\n"), " ")
		number, err := strconv.ParseInt(id, 10, 64)
		require.NoError(t, err)
		switch {
		case token == "opening":
			continue
		case number == 0:
			failed++
			continue
		}
		require.NotContains(t, answered, number)
		answered[number] = string(fault(token))
		if strings.HasPrefix(token, "high") {
			high++
		}
	}
	assert.GreaterOrEqual(t, failed, 100)
	assert.Greater(t, len(answered), high, "some were stored before it was full")
	assert.Equal(t, 32, high, "all were stored afterwards")
	s := openAt(t, filepath.Join(dir, fileOfChild))
	assert.Equal(t, answered, stored(t, s))
	checkFile(t, s.db)
}
