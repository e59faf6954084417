//go:build unix

package main

import (
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSandboxLogReaderLeaves closes the pipe to which the log is written.
func TestSandboxLogReaderLeaves(t *testing.T) {
	t.Parallel()
	command := exec.CommandContext(t.Context(), os.Args[0], "sandbox", "--addr", "127.0.0.1:0")
	command.Env = append(os.Environ(), asCommand+"=1")
	stderr, err := command.StderrPipe()
	require.NoError(t, err)
	stdout, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	b := announced(stdout)
	require.NotEmpty(t, b.token)
	require.NoError(t, stderr.Close())
	for range 3 {
		assert.Equal(t, http.StatusCreated, b.create(t, http.DefaultClient, someFault).status)
	}
	require.NoError(t, command.Process.Signal(syscall.SIGTERM))
	assert.NoError(t, command.Wait())
}
