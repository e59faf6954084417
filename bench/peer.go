package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	nodeModules   = "node_modules"
	resultsFolder = "results" // for files that are made again
	specFile      = "../api/openapi.yaml"
)

// peerCommand returns the command of a peer that npm installed. Paths are relative to this folder.
func peerCommand(ctx context.Context, name string, args ...string) *exec.Cmd {
	command := filepath.Join(nodeModules, ".bin", name)
	if name == "specmatic" {
		command, args = "java", append([]string{"-jar", filepath.Join(nodeModules, "specmatic", "specmatic.jar")}, args...)
	}
	cmd := exec.CommandContext(ctx, command, args...)
	cmd.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true", "SPECMATIC_DISABLE_TELEMETRY=true", "NO_COLOR=1")
	if name == "prism" {
		cmd.Env = append(cmd.Env, "NODE_OPTIONS=--require ./prism.cjs")
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Prism and npm have children
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// runPeer runs a peer to its end, and returns what it printed. A peer that found something exits with a status other than
// 0, which is no error.
func runPeer(ctx context.Context, name string, args ...string) (string, error) {
	output, err := peerCommand(ctx, name, args...).CombinedOutput()
	if errors.As(err, new(*exec.ExitError)) && ctx.Err() == nil {
		err = nil
	}
	return string(output), err
}

// servePeer starts a peer that serves on a port of 127.0.0.1, after its last argument, and waits until it accepts
// connections, for at most a minute. stop ends it.
func servePeer(ctx context.Context, name string, args ...string) (url string, stop func(), err error) {
	address, err := freeAddress()
	if err != nil {
		return "", nil, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var output bytes.Buffer
	cmd := peerCommand(ctx, name, append(args, "--port", port)...)
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		cancel()
		return "", nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stop = func() { cancel(); <-ended }
	for range 600 {
		select {
		case err := <-ended:
			cancel()
			return "", nil, fmt.Errorf("%s: %w: %s", name, err, output.String())
		case <-time.After(100 * time.Millisecond):
		}
		if connection, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			return "http://" + address, stop, connection.Close()
		}
	}
	stop()
	return "", nil, fmt.Errorf("%s does not serve on %s: %s", name, address, output.String())
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// version is that of a Go module or npm package that this module depends on.
func version(of string) string {
	var packages struct{ Dependencies map[string]string }
	if data, err := os.ReadFile("package.json"); err == nil && json.Unmarshal(data, &packages) == nil && packages.Dependencies[of] != "" {
		return packages.Dependencies[of]
	}
	return printed("go", "list", "-m", "-f", "{{.Version}}", of)
}

// printed is the first line that a command prints, or the error.
func printed(name string, args ...string) string {
	output, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return err.Error()
	}
	line, _, _ := strings.Cut(string(output), "\n")
	return strings.Trim(line, ` "`)
}
