//go:build linux || darwin

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/importer"
)

const (
	// maxFileSize is how many bytes a file of the command may have, so that writing more fails as on a full disk.
	maxFileSize = "FLEETIO_TEST_MAX_FILE_SIZE"
	// getsRoom is what the command prints when it has met the limit, and it is lifted. "" in the environment: never.
	getsRoom = "FLEETIO_TEST_GETS_ROOM"
)

// init limits the command that a test runs.
func init() { //nolint:gochecknoinits // TestMain is for all systems
	most, err := strconv.ParseUint(os.Getenv(maxFileSize), 10, 64)
	if os.Getenv(asCommand) == "" || err != nil {
		return
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		panic(err)
	}
	before := limit.Cur
	full := make(chan os.Signal, 1)
	signal.Notify(full, syscall.SIGXFSZ)
	limit.Cur = most
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		panic(err)
	}
	if text := os.Getenv(getsRoom); text != "" {
		go func() {
			<-full
			limit.Cur = before
			if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
				panic(err)
			}
			_, _ = fmt.Fprint(os.Stderr, text)
		}()
	}
}

// watch calls found once a text was written to it.
type watch struct {
	text, seen string
	found      func()
}

func (w *watch) Write(p []byte) (int, error) {
	before := strings.Contains(w.seen, w.text)
	w.seen += string(p)
	if !before && strings.Contains(w.seen, w.text) {
		w.found()
	}
	return len(p), nil
}

// TestImportFullDisk lets a disk be full in the middle of a line, and have room again before the next one is written.
func TestImportFullDisk(t *testing.T) {
	t.Parallel()
	const rows, concurrency = 5, 3
	length := map[string]int{} // of a line, by event
	v := newVendor(t, nil)
	path := write(t, "faults.csv", table(rows))
	code, _, stderr := imports(t, v, path)
	require.Equal(t, 0, code, stderr)
	for line := range strings.Lines(read(t, path+".journal")) {
		var e event
		require.NoError(t, json.Unmarshal([]byte(line), &e))
		length[e.Event] = len(line)
	}
	for _, test := range []struct {
		event     string
		before    int // bytes of the journal
		created   int // rows of the first run
		ambiguous int // rows of the second run
	}{
		{event: "journal"},
		{event: "sending", before: length["journal"] + 2*length["sending"], created: 2},
		{event: importer.OutcomeCreated, before: length["journal"] + 3*length["sending"], created: 3, ambiguous: 1},
	} {
		for _, half := range []int{0, 1, 25, 40, 70, length[test.event] - 1} {
			t.Run(fmt.Sprintf("%s/%d", test.event, half), func(t *testing.T) {
				t.Parallel()
				room, all := make(chan struct{}), make(chan struct{})
				var arrived atomic.Int32
				v := newVendor(t, func(_ http.ResponseWriter, r *http.Request, id string) bool {
					if arrived.Add(1) == concurrency {
						close(all)
					}
					if test.event == importer.OutcomeCreated && id == "1" {
						waitFor(r, all) // and its outcome is the first
					} else {
						waitFor(r, room)
					}
					return false
				})
				path := write(t, "faults.csv", table(rows))
				const text = "there is room again\n"
				command := exec.CommandContext(t.Context(), os.Args[0], "import", "--credentials", keys(t), "--base-url", v.URL,
					"--concurrency", strconv.Itoa(concurrency), "--format", "json", path)
				command.Env = append(os.Environ(), asCommand+"=1", maxFileSize+"="+strconv.Itoa(test.before+half), getsRoom+"="+text)
				open := sync.OnceFunc(func() { close(room) })
				stderr := watch{text: text, found: open}
				command.Stderr = &stderr
				stdout, err := command.Output()
				open() // if it ended before it could say so
				require.Error(t, err)
				require.Equal(t, 2, command.ProcessState.ExitCode(), stderr.seen)
				assert.Contains(t, stderr.seen, "the journal cannot be written, so nothing more is sent: "+path+".journal: file too large")
				noCredential(t, string(stdout), stderr.seen)
				var r importer.Report
				if test.event != "journal" {
					require.NoError(t, json.Unmarshal(stdout, &r))
				}
				assert.Equal(t, test.created, r.Created)
				assert.Len(t, v.counts(), test.created)

				code, report, said := imports(t, v, path)
				assert.Equal(t, min(test.ambiguous, 1), code, said)
				assert.Contains(t, report, fmt.Sprintf("5 rows: %d created, %d created before, 0 rejected, %d ambiguous, 0 not found, 0 not created, 0 not tried\n",
					rows-test.created, test.created-test.ambiguous, test.ambiguous))
				assert.Equal(t, once(rows), v.counts())
			})
		}
	}
}

// waitFor waits for a channel to be closed, or for the client to give up.
func waitFor(r *http.Request, c <-chan struct{}) {
	select {
	case <-c:
	case <-r.Context().Done():
	}
}
