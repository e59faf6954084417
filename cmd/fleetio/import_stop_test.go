package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/importer"
)

// TestImportAfterEachCrash cuts the journal of a run at every byte, as a crash may, and runs again: no row is sent again
// whose sending the journal has, and none is forgotten.
func TestImportAfterEachCrash(t *testing.T) {
	t.Parallel()
	const rows = 3
	v := newVendor(t, nil)
	path := write(t, "faults.csv", table(rows))
	code, _, stderr := imports(t, v, "--concurrency", "2", path)
	require.Equal(t, 0, code, stderr)
	whole := read(t, path+".journal")
	require.Equal(t, 1+2*rows, strings.Count(whole, "\n"))
	for cut := range len(whole) + 1 {
		require.NoError(t, os.WriteFile(path+".journal", []byte(whole[:cut]), 0o600))
		complete := whole[:strings.LastIndexByte(whole[:cut], '\n')+1]
		want := map[string]int{}
		for i := 1; i <= rows; i++ {
			if !strings.Contains(complete, fmt.Sprintf(`"sending","row":%d,`, i)) {
				want[strconv.Itoa(i)] = 1
			}
		}
		created := strings.Count(complete, `"created"`)
		v.mu.Lock()
		clear(v.sent)
		v.mu.Unlock()
		code, stdout, stderr := imports(t, v, "--concurrency", "2", path)
		require.Equal(t, want, v.counts(), "cut at %d: %s", cut, stderr)
		ambiguous := rows - created - len(want)
		require.Contains(t, stdout, fmt.Sprintf("3 rows: %d created, %d created before, 0 rejected, %d ambiguous, 0 not found, 0 not created, 0 not tried\n",
			len(want), created, ambiguous), "cut at %d", cut)
		require.Equal(t, min(ambiguous, 1), code)
		if !strings.HasSuffix(whole[:min(cut+1, len(whole))], "\n") {
			continue
		}
		code, stdout, _ = imports(t, v, path)
		require.Contains(t, stdout, fmt.Sprintf("%d created before, 0 rejected, %d ambiguous", len(want)+created, ambiguous), "the journal goes on")
		require.Equal(t, min(ambiguous, 1), code)
		require.Equal(t, want, v.counts())
	}
}

// TestImportKilled kills the process, as no signal handler sees, while a row is in flight.
func TestImportKilled(t *testing.T) {
	t.Parallel()
	path := write(t, "faults.csv", table(5))
	var command *exec.Cmd
	v := newVendor(t, func(_ http.ResponseWriter, _ *http.Request, id string) bool {
		if id == "3" {
			assert.NoError(t, command.Process.Kill())
		}
		return false
	})
	command = exec.CommandContext(t.Context(), os.Args[0], "import", "--credentials", keys(t), "--base-url", v.URL, "--concurrency=1", path)
	command.Env = append(os.Environ(), asCommand+"=1")
	v.mu.Lock() // no request gets a response until command is complete
	require.NoError(t, command.Start())
	v.mu.Unlock()
	require.Error(t, command.Wait())
	v.mu.Lock()
	v.handler = nil
	v.mu.Unlock()
	code, stdout, stderr := imports(t, v, path)
	assert.Equal(t, 1, code, stderr)
	assert.Contains(t, stdout, "5 rows: 2 created, 2 created before, 0 rejected, 1 ambiguous, 0 not found, 0 not created, 0 not tried\n")
	assert.Contains(t, stdout, "\n  "+path+":4: sent by an earlier run")
	assert.Equal(t, once(5), v.counts())
}

func TestImportStops(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		header string
		stderr string
		most   int // rows that are sent
	}{
		"credentials": {status: 401, stderr: "faults.csv:2: the server refuses these credentials: 401", most: 1},
		"forbidden":   {status: 403, stderr: "faults.csv:2: the server refuses these credentials: 403", most: 1},
		"rate limit":  {status: 429, header: "3600", stderr: "Bulk API", most: 1},
		"failures":    {status: 500, stderr: "faults.csv:11: gave up after 10 consecutive failures: 500", most: 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t, func(w http.ResponseWriter, _ *http.Request, _ string) bool {
				if test.header != "" {
					w.Header().Set("Retry-After", test.header)
				}
				reply(w, test.status, `{}`)
				return true
			})
			path := write(t, "faults.csv", table(30))
			code, stdout, stderr := imports(t, v, "--concurrency", "1", path)
			assert.Equal(t, 2, code)
			assert.Contains(t, stderr, test.stderr)
			assert.Contains(t, stdout, fmt.Sprintf(" %d not tried\n", 30-test.most))
			assert.Equal(t, once(test.most), v.counts())
		})
	}
}

// TestImportInterrupted ends the run while a row is in flight: its outcome is known all the same.
func TestImportInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	v := newVendor(t, func(_ http.ResponseWriter, _ *http.Request, id string) bool {
		if id == "3" {
			cancel()
		}
		return false
	})
	path := write(t, "faults.csv", table(9))
	var out, errOut bytes.Buffer
	code := run(ctx, []string{"import", "--credentials", keys(t), "--base-url", v.URL, "--concurrency", "1", path},
		&console{stdout: &out, stderr: &errOut, now: someDay})
	assert.Equal(t, 2, code)
	assert.Contains(t, out.String(), "9 rows: 3 created, 0 created before, 0 rejected, 0 ambiguous, 0 not found, 0 not created, 6 not tried\n")
	assert.True(t, strings.HasSuffix(errOut.String(), "fleetio: interrupted\n"), errOut.String())
	code, stdout, _ := imports(t, v, path)
	assert.Equal(t, 0, code, stdout)
	assert.Equal(t, once(9), v.counts())
}

// TestImportInterruptedWhileWaiting ends the run while a row waits for the rate limit, which nothing is lost by.
func TestImportInterruptedWhileWaiting(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	v := newVendor(t, func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		if ctx.Err() != nil {
			return false
		}
		cancel()
		w.Header().Set("Retry-After", "60")
		reply(w, http.StatusTooManyRequests, `{"error":"too many"}`)
		return true
	})
	path := write(t, "faults.csv", table(3))
	var out, errOut bytes.Buffer
	code := run(ctx, []string{"import", "--credentials", keys(t), "--base-url", v.URL, "--concurrency", "1", "--format", "json", path},
		&console{stdout: &out, stderr: &errOut, now: someDay})
	assert.Equal(t, 2, code)
	var r importer.Report
	require.NoError(t, json.Unmarshal(out.Bytes(), &r))
	require.Len(t, r.NotCreated, 1)
	assert.Equal(t, 2, r.NotCreated[0].Line)
	assert.Equal(t, 2, r.ToSend)
	assert.Equal(t, "interrupted", r.Stopped)
	code, stdout, _ := imports(t, v, path)
	assert.Equal(t, 0, code, stdout)
	assert.Equal(t, map[string]int{"1": 2, "2": 1, "3": 1}, v.counts())
}

func TestImportLock(t *testing.T) {
	t.Parallel()
	path := write(t, "faults.csv", table(1))
	var inner int
	var said string
	var v *vendor
	v = newVendor(t, func(http.ResponseWriter, *http.Request, string) bool {
		inner, _, said = imports(t, v, path) // while the row is in flight
		return false
	})
	code, _, stderr := imports(t, v, path)
	assert.Equal(t, 0, code, stderr)
	assert.Equal(t, 2, inner)
	assert.Contains(t, said, "another import is using this journal")
	assert.Equal(t, once(1), v.counts())
}
