//go:build unix

package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestInterruptEndsWhatBlocks ends a command that waits for what no context can call off, and removes what it has begun.
func TestInterruptEndsWhatBlocks(t *testing.T) {
	t.Parallel()
	const minimal = recordings + "conformant-minimal.har"
	for name, test := range map[string]struct {
		args   []string // FIFO is one that gets no byte, and that no process reads
		begins string   // what shows that the command has come so far: a pattern for files; "" for that it has opened the FIFO
	}{
		"spec":        {[]string{"claims", "--spec", "FIFO"}, ""},
		"known":       {[]string{"verify", "--known", "FIFO", minimal}, ""},
		"credentials": {[]string{"create", "--credentials", "FIFO", "--vehicle-id", "1", "--code", "P0420"}, ""},
		"fixtures":    {[]string{"sandbox", "--addr", "127.0.0.1:0", "--fixtures", "FIFO"}, ""},
		"merge":       {[]string{"merge", "FIFO"}, ""},
		"report":      {[]string{"verify", "--report", "text=FIFO", "--report", "json=FOLDER/out.json", minimal}, ".*.tmp"},
		"recording":   {[]string{"verify", "--report", "json=FOLDER/out.json", "FIFO"}, ""},
		"redact":      {[]string{"redact", "-o", "FOLDER/out.ndjson", "FIFO"}, ""},
		"redacted":    {[]string{"redact", minimal}, "fleetio-*"},
		"stdout":      {[]string{"verify", "--report", "json=FOLDER/out.json", minimal}, ".*.tmp"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			fifo := filepath.Join(folder, "fifo")
			require.NoError(t, syscall.Mkfifo(fifo, 0o600))
			args := strings.Split(strings.NewReplacer("FIFO", fifo, "FOLDER", folder).Replace(strings.Join(test.args, "\n")), "\n")
			command := exec.CommandContext(t.Context(), os.Args[0], args...)
			command.Env = append(os.Environ(), asCommand+"=1", "TMPDIR="+folder)
			reader, stdout, err := os.Pipe()
			require.NoError(t, err)
			defer func() { _ = reader.Close() }()
			require.NoError(t, stdout.SetWriteDeadline(time.Now().Add(100*time.Millisecond)))
			_, err = stdout.Write(make([]byte, 1<<20)) // the pipe is full then
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			var errOut bytes.Buffer
			command.Stdout, command.Stderr = stdout, &errOut
			require.NoError(t, command.Start())
			require.NoError(t, stdout.Close())
			require.Eventually(t, func() bool {
				if test.begins != "" {
					files, err := filepath.Glob(filepath.Join(folder, test.begins))
					return err == nil && len(files) > 0
				}
				writer, err := syscall.Open(fifo, syscall.O_WRONLY|syscall.O_NONBLOCK, 0)
				if err == nil {
					t.Cleanup(func() { _ = syscall.Close(writer) })
				}
				return err == nil
			}, 20*time.Second, 10*time.Millisecond)
			require.NoError(t, command.Process.Signal(syscall.SIGTERM))
			interrupted := time.Now()
			var exit *exec.ExitError
			require.ErrorAs(t, command.Wait(), &exit)
			assert.Equal(t, exitNotRun, exit.ExitCode(), errOut.String())
			assert.Equal(t, "fleetio: interrupted\n", withoutUnchecked(errOut.String()))
			assert.Less(t, time.Since(interrupted), 5*time.Second)
			assert.Equal(t, []string{"fifo"}, names(t, folder))
		})
	}
}

// TestInterruptWaitsForRows that are in flight for longer than a command has to end, and for the report.
func TestInterruptWaitsForRows(t *testing.T) {
	t.Parallel()
	arrived, respond := make(chan struct{}), make(chan struct{})
	v := newVendor(t, func(http.ResponseWriter, *http.Request, string) bool {
		close(arrived)
		<-respond
		return false
	})
	command := exec.CommandContext(t.Context(), os.Args[0], "import", "--credentials", keys(t), "--base-url", v.URL,
		"--concurrency", "1", write(t, "faults.csv", table(2)))
	command.Env = append(os.Environ(), asCommand+"=1")
	reader, stdout, err := os.Pipe()
	require.NoError(t, err)
	defer func() { _ = reader.Close() }()
	require.NoError(t, stdout.SetWriteDeadline(time.Now().Add(100*time.Millisecond)))
	filled, err := stdout.Write(make([]byte, 1<<20)) // the report has to wait
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	command.Stdout = stdout
	require.NoError(t, command.Start())
	require.NoError(t, stdout.Close())
	<-arrived
	require.NoError(t, command.Process.Signal(syscall.SIGTERM))
	time.Sleep(2 * maxStop) // real time, as it is another process
	close(respond)
	time.Sleep(maxStop / 3)
	out, err := io.ReadAll(reader)
	require.NoError(t, err)
	var exit *exec.ExitError
	require.ErrorAs(t, command.Wait(), &exit)
	assert.Equal(t, exitNotRun, exit.ExitCode())
	assert.Contains(t, string(out[filled:]), "2 rows: 1 created, 0 created before, 0 rejected, 0 ambiguous, 0 not found, 0 not created, 1 not tried\n")
	assert.Equal(t, once(1), v.counts())
}
