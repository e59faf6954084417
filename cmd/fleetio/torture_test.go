//go:build linux || darwin

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/importer"
)

// fromEnvironment reads a number, for make torture and to repeat a run.
func fromEnvironment(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(cmp.Or(os.Getenv(name), strconv.FormatUint(otherwise, 10)), 10, 64)
	require.NoError(t, err, name)
	return n
}

// TestTortureImport imports FLEETIO_TORTURE rows to servers that break in every way, kills the command, interrupts it and
// lets its disk be full, and runs it again until each import comes to its end. It compares what each report and each
// journal says with what the server has stored: no fault is stored twice, no word is wrong, no row is left out, and no
// credential is shown.
func TestTortureImport(t *testing.T) {
	t.Parallel()
	seed, total := fromEnvironment(t, "FLEETIO_TORTURE_SEED", rand.Uint64()), int(fromEnvironment(t, "FLEETIO_TORTURE", 60))
	left := total
	var mu sync.Mutex
	all := map[string]int{}
	t.Cleanup(func() {
		t.Logf("%d rows: %v; FLEETIO_TORTURE_SEED=%d FLEETIO_TORTURE=%d repeats what was planned", total, all, seed, total)
		for _, what := range []string{"killed", "interrupted", "full disks", "created", "ambiguous", "not found", "stopped"} {
			assert.True(t, all[what] > 0 || total < 1000 || t.Failed(), "nothing was %s", what)
		}
	})
	for n := uint64(0); left > 0; n++ {
		random := rand.New(rand.NewPCG(seed, n))
		rows := min(left, 20+random.IntN(300))
		left -= rows
		t.Run(strconv.FormatUint(n, 10), func(t *testing.T) {
			t.Parallel()
			i := newTorturedImport(t, random, rows)
			for !i.run(t) {
				require.Less(t, i.counts["runs"], 20+rows, "it comes to no end")
			}
			i.server.Close() // what came too late for the command is stored now
			i.check(t, &i.last)
			mu.Lock()
			defer mu.Unlock()
			for what, n := range i.counts {
				all[what] += n
			}
		})
	}
}

// torturedImport is one file, and the server that it is imported to.
type torturedImport struct {
	path   string
	keys   string
	rows   int
	server *httptest.Server
	last   importer.Report
	counts map[string]int // of what happened

	mu       sync.Mutex
	random   *rand.Rand
	stored   map[int]int // how many faults, by row
	at       map[int]time.Time
	strike   func() // kills or interrupts the command
	requests int    // until it does
}

func newTorturedImport(t *testing.T, random *rand.Rand, rows int) *torturedImport {
	t.Helper()
	i := &torturedImport{rows: rows, random: random, keys: keys(t), stored: map[int]int{}, at: map[int]time.Time{}, counts: map[string]int{}}
	var b strings.Builder
	b.WriteString("external_id,vehicle_id,code\n")
	for row := 1; row <= rows; row++ {
		fmt.Fprintf(&b, "%d,%d,P%04d\n", row, min(1, (row-1)%20), row) // one of 20 is wrong, the first for one
	}
	i.path = write(t, "faults.csv", b.String())
	i.server = httptest.NewServer(i)
	t.Cleanup(i.server.Close)
	return i
}

// ServeHTTP breaks in every way in which no client is wronged: a fault is stored before its 201, and never where a status
// says that it was refused. Each other status comes either way, and so does none.
func (i *torturedImport) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		i.list(w, r)
		return
	}
	text, err := io.ReadAll(r.Body)
	var fault struct {
		ExternalID string `json:"external_id"`
		VehicleID  int64  `json:"vehicle_id"`
		Code       string `json:"code"`
	}
	if err != nil || json.Unmarshal(text, &fault) != nil {
		return // the command was killed
	}
	row, _ := strconv.Atoi(fault.ExternalID)
	store := func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.stored[row]++
		i.at[row] = time.Now()
	}
	strikes := [3]bool{}
	i.mu.Lock()
	i.requests--
	strike := i.strike
	if i.requests == 0 {
		strikes[i.random.IntN(3)] = true
	}
	i.mu.Unlock()
	strikeAt := func(place int) {
		if strikes[place] {
			strike()
		}
	}
	strikeAt(0)
	defer strikeAt(2)
	w.Header().Set("Content-Type", i.pick("application/json", "application/json", "application/json", "text/html", ""))
	created := fmt.Sprintf(`{"id":%d,"account_id":12,"vehicle_id":%d,"code":%q,"count":null,"description":null,"status":"open","is_sample":false}`,
		row, fault.VehicleID, fault.Code)
	echo := fmt.Sprintf(`{"title":%q,"detail":%q,"errors":{"code":[%[1]q]}}`, r.Header.Get("Authorization"), r.Header.Get("Account-Token"))
	switch act := i.draw(100); {
	case act < 70:
		store()
		strikeAt(1)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, created)
	case act < 75:
		if i.draw(2) == 0 {
			store()
		}
		strikeAt(1)
		panic(http.ErrAbortHandler)
	case act < 80: // a 201 that is broken
		store()
		strikeAt(1)
		if i.draw(2) == 0 {
			w.Header().Set("Content-Length", strconv.Itoa(len(created))) // and the body is shorter
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, i.pick(created[:len(created)/2], created[:i.draw(len(created))], "null", "", "<html>", echo))
	case act < 88: // which a gateway may send, too
		if i.draw(2) == 0 {
			store()
		}
		strikeAt(1)
		if after := i.pick("", "0", "1", "3600", "soon"); after != "" {
			w.Header().Set("Retry-After", after)
		}
		status, _ := strconv.Atoi(i.pick("500", "502", "503", "503", "503", "504", "520", "408", "499", "307", "200"))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, i.pick(echo, created, "", "<html>"))
	case act < 97: // refused, and nothing is stored
		strikeAt(1)
		status, _ := strconv.Atoi(i.pick("422", "422", "400", "404", "413"))
		reply(w, status, echo)
	default:
		strikeAt(1)
		status, _ := strconv.Atoi(i.pick("429", "429", "429", "401", "403"))
		after := i.pick("", "3600", "0")
		if status == http.StatusTooManyRequests && after != "" {
			w.Header().Set("Retry-After", after)
		}
		reply(w, status, echo)
		if after != "3600" {
			strike() // as other rows may wait for the next minute
		}
	}
}

// list lists the faults of a row. One of five look-ups fails.
func (i *torturedImport) list(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("filter[external_id][eq]")
	row, _ := strconv.Atoi(id)
	switch i.draw(25) {
	case 0:
		panic(http.ErrAbortHandler)
	case 1:
		reply(w, http.StatusOK, `{"records":[`)
		return
	case 2:
		reply(w, http.StatusServiceUnavailable, `{}`)
		return
	case 3:
		reply(w, http.StatusForbidden, `{}`)
		return
	case 4:
		reply(w, http.StatusOK, `[]`)
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	records := []string{}
	for range i.stored[row] {
		records = append(records, fmt.Sprintf(`{"id":%d,"vehicle_id":1,"code":"P%04d","external_id":%q,"created_at":%q}`, row, row, id,
			i.at[row].UTC().Format(time.RFC3339)))
	}
	reply(w, http.StatusOK, `{"next_cursor":null,"records":[`+strings.Join(records, ",")+`]}`)
}

// draw returns a number below n.
func (i *torturedImport) draw(n int) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.random.IntN(n)
}

// pick returns one of some texts.
func (i *torturedImport) pick(of ...string) string { return of[i.draw(len(of))] }

// run runs the command once, and reports whether the import has come to its end.
func (i *torturedImport) run(t *testing.T) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, os.Args[0], "import", "--credentials", i.keys, "--base-url", i.server.URL,
		"--concurrency", strconv.Itoa(1+i.draw(16)), "--format", "json", "--look-up-delay", "20ms", i.path)
	command.Env = append(os.Environ(), asCommand+"=1")
	if i.draw(5) == 0 {
		var size int64
		if info, err := os.Stat(i.path + ".journal"); err == nil {
			size = info.Size()
		}
		command.Env = append(command.Env, fmt.Sprintf("%s=%d", maxFileSize, size+int64(i.draw(3000))), getsRoom+"="+i.pick("", "room\n"))
	}
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	signals := [][]os.Signal{{syscall.SIGKILL}, {syscall.SIGKILL}, {syscall.SIGTERM}, {syscall.SIGINT}, {syscall.SIGTERM, syscall.SIGTERM}}[i.draw(5)]
	started := make(chan struct{})
	strike := sync.OnceFunc(func() {
		<-started
		for _, signal := range signals {
			_ = command.Process.Signal(signal) // it may have ended
		}
	})
	i.mu.Lock()
	i.strike, i.requests = strike, i.random.IntN(60) // 0 for never
	i.mu.Unlock()
	require.NoError(t, command.Start())
	close(started)
	if i.draw(8) == 0 { // at any time, such as before the first request
		timer := time.AfterFunc(time.Duration(i.draw(100))*time.Millisecond, strike)
		defer timer.Stop()
	}
	_ = command.Wait() // the exit code tells
	require.NoError(t, ctx.Err(), "it takes too long: %s", stderr.String())
	noCredential(t, stdout.String(), stderr.String())
	i.counts["runs"]++
	if strings.Contains(stderr.String(), "the journal cannot be written") {
		i.counts["full disks"]++
	}
	i.checkJournal(t)
	if stdout.Len() == 0 {
		if !command.ProcessState.Exited() {
			i.counts["killed"]++
			return false
		}
		require.Equal(t, 2, command.ProcessState.ExitCode(), stderr.String())
		require.Regexp(t, "interrupted|the journal cannot be written|file too large", stderr.String(), "it has no report without a reason")
		return false
	}
	i.last = importer.Report{}
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &i.last), "%s%s", stdout.String(), stderr.String())
	i.check(t, &i.last)
	switch {
	case i.last.Stopped == "":
		require.Equal(t, 1, command.ProcessState.ExitCode(), "some row is always wrong or in doubt: %s", stderr.String())
	case i.last.Stopped == errInterrupted.Error():
		i.counts["interrupted"]++
	default:
		i.counts["stopped"]++
	}
	wrong := (i.rows + 19) / 20
	if i.last.Stopped != "" || len(i.last.NotCreated) > 0 || len(i.last.Rejected) > wrong {
		return false
	}
	require.Len(t, i.last.Rejected, wrong)
	i.counts["created"] += i.last.Created + i.last.Skipped
	i.counts["ambiguous"] += len(i.last.Ambiguous)
	i.counts["not found"] += len(i.last.NotFound)
	return true
}

// check compares a report with what is stored.
func (i *torturedImport) check(t *testing.T, r *importer.Report) {
	t.Helper()
	i.mu.Lock()
	stored := maps.Clone(i.stored)
	i.mu.Unlock()
	require.Equal(t, i.rows, r.Rows)
	require.Equal(t, i.rows, r.Created+r.Skipped+len(r.Rejected)+len(r.NotCreated)+len(r.Ambiguous)+len(r.NotFound)+r.ToSend, "each row is counted once")
	listed := map[int]bool{}
	for _, note := range slices.Concat(r.Rejected, r.NotCreated, r.NotFound) {
		listed[note.Row] = true
		require.Zero(t, stored[note.Row], "row %d: %s", note.Row, note.Message)
	}
	for _, note := range r.Ambiguous {
		require.False(t, listed[note.Row], "row %d is listed twice", note.Row)
		listed[note.Row] = true
	}
	for _, note := range r.Warnings {
		require.Equal(t, 1, stored[note.Row], "row %d: created, but %s", note.Row, note.Message)
	}
	for row, n := range stored {
		require.LessOrEqual(t, n, 1, "row %d is stored %d times", row, n)
	}
	if r.ToSend > 0 {
		return
	}
	for row := 1; row <= i.rows; row++ {
		require.True(t, listed[row] || stored[row] == 1, "row %d is created, says the report", row)
	}
}

// checkJournal compares the journal with what is stored, and holds it to be readable after each end.
func (i *torturedImport) checkJournal(t *testing.T) {
	t.Helper()
	last := map[int]string{}
	if _, err := os.Stat(i.path + ".journal"); err == nil { // else it was killed before
		text := read(t, i.path+".journal")
		noCredential(t, text)
		for _, e := range events(t, text) {
			last[e.Row] = e.Event
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	for row := 1; row <= i.rows; row++ {
		switch last := last[row]; last {
		case importer.OutcomeCreated:
			require.Equal(t, 1, i.stored[row], "row %d is created, says the journal", row)
		case importer.OutcomeAmbiguous, "sending":
		default:
			require.Zero(t, i.stored[row], "row %d is %q, says the journal", row, last)
		}
	}
}
