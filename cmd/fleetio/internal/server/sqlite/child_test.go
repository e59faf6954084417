//go:build unix

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// children are what this binary does, in the directory where it runs, when a test runs it again.
var children = map[string]func(){"add": addForever, "limit": addUnderLimit, "one": addOne}

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
	// Without the latter, each child of a binary with the race detector sleeps for a second at its end.
	command.Env = append(os.Environ(), "FLEETIO_SQLITE_CHILD="+name, "GORACE="+os.Getenv("GORACE")+" atexit_sleep_ms=0")
	command.Stderr = os.Stderr
	return command
}

// openChild is open for a child, which has no test to fail. It says before that it begins to.
func openChild() *Store {
	fmt.Println("0 opening")
	s, err := Open(context.Background(), fileOfChild)
	must(err)
	_, err = s.Seed(context.Background(), sandbox.DefaultFixtures(), nil)
	must(err)
	return s
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// addForever prints the id and the token of each fault that was acknowledged, until it is killed. Its log goes into the
// file after each few commits, and not after hundreds, so that kills come upon it.
func addForever() {
	s := openChild()
	must(s.setPragma(context.Background(), "wal_autocheckpoint = 30"))
	var done sync.WaitGroup
	for caller := range 32 {
		done.Go(func() {
			for i := 0; ; i++ {
				token := fmt.Sprintf("%d-%d-%d", os.Getpid(), caller, i)
				id, err := s.Add(context.Background(), sandbox.Record{Account: account1, Fault: fault(token)})
				must(err)
				fmt.Printf("%d %s\n", id, token) // one write, so lines stay whole
			}
		})
	}
	done.Wait()
}

// addOne opens the file when its input ends, adds one fault and prints it.
func addOne() {
	_, err := io.Copy(io.Discard, os.Stdin)
	must(err)
	s := openChild()
	token := strconv.Itoa(os.Getpid())
	id, err := s.Add(context.Background(), sandbox.Record{Account: account1, Fault: fault(token)})
	must(err)
	fmt.Printf("%d %s\n", id, token)
	must(s.Close())
}

// addUnderLimit lets the process's files grow to 256 KiB only, adds until that fails, then lets them grow again. It
// prints the id of each fault that was acknowledged, and 0 for each that failed, with the token.
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
	for range 100 { // a probe must not use up what space is left, and then succeed
		if s.Check(context.Background()) == nil {
			must(errors.New("nothing can be stored, and Check does not say so"))
		}
		s.wait()
	}
	must(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
	must(s.Check(context.Background()))
	add("high", 0)
	must(s.Close())
}

// parse reads a line of a child: 0 and a word, or the id of a fault and its token.
func parse(t *testing.T, line string) (id int64, token string) {
	t.Helper()
	number, token, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	id, err := strconv.ParseInt(number, 10, 64)
	require.NoError(t, err)
	return id, token
}
