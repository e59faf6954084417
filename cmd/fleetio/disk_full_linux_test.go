package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server/sqlite"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// mayMount is set where a test may mount disks, in a namespace of its own.
const mayMount = "FLEETIO_TEST_MAY_MOUNT"

// TestFullDisk lets every command that writes fill a small disk: it says so, what it has acknowledged is there and can be
// read, and with more room it continues. The test runs itself in a mount namespace, which leaves no mount behind.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if os.Getenv(mayMount) == "" {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFullDisk$", "-test.v")
		command.Env = append(os.Environ(), mayMount+"=1")
		command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}}
		var output bytes.Buffer
		command.Stdout, command.Stderr = &output, &output
		if err := command.Start(); err != nil {
			t.Skipf("no namespace for mounts: %v", err)
		}
		require.NoError(t, command.Wait(), output.String())
		if strings.Contains(output.String(), "--- SKIP") {
			t.Skip(output.String())
		}
		return
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		t.Skipf("no mounts: %v", err)
	}
	t.Run("store", fullStore)
	t.Run("journal", fullJournal)
	t.Run("recording", fullRecording)
	t.Run("results", fullResults)
}

// disk mounts one of so many KiB, and returns its folder and what makes it larger.
func disk(t *testing.T, size int) (folder string, grow func()) {
	t.Helper()
	folder = t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, fmt.Sprintf("size=%dk", size)); err != nil {
		t.Skipf("no tmpfs: %v", err)
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(folder, 0)) })
	return folder, func() {
		require.NoError(t, syscall.Mount("", folder, "tmpfs", syscall.MS_REMOUNT, "size=64m"))
	}
}

const noSpace = "no space left on device"

// fullStore creates faults until the disk is full, makes room, and creates more.
func fullStore(t *testing.T) {
	t.Parallel()
	folder, grow := disk(t, 512)
	db := filepath.Join(folder, "faults.db")
	b := serveSandbox(t, "--db", db, "--log", "off", "--no-page")
	big := strings.Replace(someFault, "}", `,"description":"`+strings.Repeat("x", 9_000)+`"}`, 1)
	acknowledged := 0
	created := b.create(t, http.DefaultClient, big)
	for ; created.status == http.StatusCreated; acknowledged++ {
		require.Less(t, acknowledged, 1000, "the disk is never full")
		created = b.create(t, http.DefaultClient, big)
	}
	require.Positive(t, acknowledged)
	assert.Equal(t, http.StatusInternalServerError, created.status)
	assert.Contains(t, created.body, "make room for "+db)
	health := b.get(t, "/healthz", "")
	assert.Equal(t, http.StatusServiceUnavailable, health.status)
	assert.Contains(t, health.body, "make room for "+db)

	grow()
	for range 10 {
		created = b.create(t, http.DefaultClient, big)
		require.Equal(t, http.StatusCreated, created.status, created.body)
		acknowledged++
	}
	assert.Zero(t, b.stop())
	store, err := sqlite.Open(t.Context(), db)
	require.NoError(t, err)
	records, err := store.Records(t.Context(), sandbox.Query{Limit: math.MaxInt})
	require.NoError(t, err)
	assert.Len(t, records, acknowledged)
	require.NoError(t, store.Close())
}

// fullJournal imports until the disk is full, makes room, and imports the rest: no row is sent twice.
func fullJournal(t *testing.T) {
	t.Parallel()
	const rows = 200
	folder, grow := disk(t, 16)
	v := newVendor(t, nil)
	path, journal := write(t, "faults.csv", table(rows)), filepath.Join(folder, "faults.journal")
	code, report, stderr := imports(t, v, "--journal", journal, path)
	require.Equal(t, exitNotRun, code, report)
	assert.Contains(t, stderr, "the journal cannot be written, so nothing more is sent: "+journal+": "+noSpace)
	assert.NotEmpty(t, v.counts())
	assert.Less(t, len(v.counts()), rows)

	grow()
	code, report, stderr = imports(t, v, "--journal", journal, path)
	require.LessOrEqual(t, code, exitFindings, stderr)
	assert.NotContains(t, report, " 0 created before")
	assert.Contains(t, report, "0 not created, 0 not tried")
	assert.Equal(t, once(rows), v.counts())
}

// fullRecording records until the disk is full: the program gets all responses, and what is recorded can be read.
func fullRecording(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"r.ndjson", "r.har"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder, grow := disk(t, 16)
			var sent atomic.Int32
			upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				sent.Add(1)
				reply(w, http.StatusUnauthorized, `{"status":401,"title":"`+strings.Repeat("x", 1000)+`","detail":null,"instance":null}`)
			}))
			t.Cleanup(upstream.Close)
			file := filepath.Join(folder, name)
			const calls = 40
			code, _, stderr := recordRun(t, func(url string) {
				for n := range calls + 1 {
					if n == calls {
						grow() // the last one is recorded again
					}
					response, err := http.Post(url+"/api/v1/faults", "application/json", strings.NewReader(someFault))
					require.NoError(t, err)
					_, err = io.Copy(io.Discard, response.Body)
					require.NoError(t, err)
					require.NoError(t, response.Body.Close())
					require.Equal(t, http.StatusUnauthorized, response.StatusCode)
				}
			}, "--upstream", upstream.URL, "-o", file)
			assert.Equal(t, exitFindings, code, stderr)
			assert.EqualValues(t, calls+1, sent.Load())
			recorded := 0
			for _, err := range traffic.Read(t.Context(), nil, file) {
				require.NoError(t, err)
				recorded++
			}
			assert.Contains(t, stderr, noSpace)
			assert.Contains(t, stderr, fmt.Sprintf("%d of %d exchanges", calls+1-recorded, calls+1))
			assert.Greater(t, recorded, 1)
			assert.Less(t, recorded, calls)
		})
	}
}

// fullResults writes several results of which the first has room: none replaces its file, and no part of one is left.
func fullResults(t *testing.T) {
	t.Parallel()
	report := filepath.Join(t.TempDir(), "report.json")
	_, _, stderr := fleetio("", "verify", "--report", "json="+report, recordings+"minimum.har")
	require.FileExists(t, report, stderr)
	for name, args := range map[string][]string{
		"verify": {"verify", "--report", "junit=DISK/old.xml", "--report", "html=DISK/large.html", recordings + "minimum.har"},
		"merge":  {"merge", "--report", "junit=DISK/old.xml", "--report", "html=DISK/large.html", report},
		"probe":  {"probe", "--report", "junit=DISK/old.xml", "--report", "html=DISK/large.html", "--record", "DISK/new.ndjson"},
		"redact": {"redact", "-o", "DISK/old.xml", recordings},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder, grow := disk(t, 24)
			old := filepath.Join(folder, "old.xml")
			require.NoError(t, os.WriteFile(old, []byte("old\n"), 0o600))
			for i, arg := range args {
				args[i] = strings.ReplaceAll(arg, "DISK", folder)
			}
			code, stdout, stderr := fleetio("", args...)
			assert.Equal(t, exitNotRun, code, stdout)
			assert.Contains(t, stderr, noSpace)
			assert.Contains(t, stderr, folder)
			assert.Equal(t, []string{"old.xml"}, names(t, folder))
			assert.Equal(t, "old\n", read(t, old))

			grow()
			code, _, stderr = fleetio("", args...)
			assert.LessOrEqual(t, code, exitFindings, stderr)
			assert.NotEqual(t, "old\n", read(t, old))
		})
	}
}
