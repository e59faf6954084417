package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asCommand makes the test binary be the command.
const asCommand = "FLEETIO_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// opening is the start of a recording that goes on, and is larger than what a pipe holds.
func opening(t *testing.T) string {
	t.Helper()
	all := read(t, recordings+"conformant-minimal.har")
	at := strings.LastIndexByte(all, ']')
	return all[:at] + strings.Repeat(" ", 1<<20)
}

// TestInterrupted ends a run that waits for more of its standard input.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	stdin, writer := io.Pipe()
	text := opening(t)
	go func() {
		_, _ = io.WriteString(writer, text) // the run takes it in
		cancel()
	}()
	var out, errOut bytes.Buffer
	code := run(ctx, []string{"verify", "--report", "json=" + filepath.Join(folder, "out.json"), "-"},
		&console{stdin: stdin, stdout: &out, stderr: &errOut, now: time.Now})
	assert.Equal(t, 2, code)
	assert.Equal(t, "fleetio: interrupted\n", errOut.String())
	assert.Empty(t, out.String())
	assert.Empty(t, names(t, folder))
	require.NoError(t, writer.Close()) // what is left of the run ends
}

func TestSignal(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("processes cannot be interrupted from outside")
	}
	folder := t.TempDir()
	command := exec.CommandContext(t.Context(), os.Args[0], "verify", "--report", "json="+filepath.Join(folder, "out.json"), "-")
	command.Env = append(os.Environ(), asCommand+"=1")
	var out, errOut bytes.Buffer
	command.Stdout, command.Stderr = &out, &errOut
	stdin, err := command.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	_, err = io.WriteString(stdin, opening(t)) // more than the pipe holds, so the run is under way
	require.NoError(t, err)
	require.NoError(t, command.Process.Signal(syscall.SIGTERM))
	var exit *exec.ExitError
	require.ErrorAs(t, command.Wait(), &exit)
	assert.Equal(t, 2, exit.ExitCode(), errOut.String())
	assert.Equal(t, "fleetio: interrupted\n", errOut.String())
	assert.Empty(t, out.String())
	assert.Empty(t, names(t, folder))
}
