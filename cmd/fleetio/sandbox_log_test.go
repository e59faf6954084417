//go:build unix

package main

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stuck is a reader of the log who does not read until it is let.
type stuck struct {
	let  chan struct{}
	read bytes.Buffer
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.let
	return s.read.Write(p)
}

// TestLogIsNotWaitedFor has somebody who keeps the log and does not read it.
func TestLogIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := &stuck{let: make(chan struct{})}
		logger, lines, err := logTo(out, "json")
		require.NoError(t, err)
		logger.Info("first")
		time.Sleep(2 * logDelay)
		text := strings.Repeat("x", 1<<20)
		for range 10 {
			logger.Info(text)
		}
		began := time.Now()
		lines.close(logEnd)
		assert.Equal(t, logEnd, time.Since(began), "the end does not wait for ever")
		close(out.let)
		lines.close(logEnd)
		synctest.Wait()
		read := out.read.String()
		assert.Contains(t, read, `"msg":"first"`)
		assert.Equal(t, 3, strings.Count(read, text), "as many as there is room for")
		assert.Contains(t, read, `"lines_lost":7`)
		logger.Info("last")
		time.Sleep(2 * logDelay)
		synctest.Wait()
		assert.Contains(t, out.read.String(), `"msg":"last"`)
		assert.Equal(t, 1, strings.Count(out.read.String(), "lines_lost"))
	})
}

// TestSandboxLogReaderLeaves has a reader of the log who goes away, as that of a pipe does.
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
		time.Sleep(2 * logDelay) // another process's clock is a real one
	}
	require.NoError(t, command.Process.Signal(syscall.SIGTERM))
	assert.NoError(t, command.Wait())
}
