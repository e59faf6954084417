package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// startAndEnd is how long a child may take beside the time that it measures or is measured.
const startAndEnd = time.Minute

// child is this program as a server, in a process of its own.
type child struct {
	address string
	command *exec.Cmd
	cancel  context.CancelFunc
	input   io.Closer
	talk    *bytes.Buffer // what it said on standard error
}

// start starts a server and waits until it listens.
func (c *config) start(ctx context.Context, args ...string) (*child, error) {
	ctx, cancel := context.WithTimeout(ctx, c.warmUp+c.time+startAndEnd)
	started := &child{cancel: cancel, talk: new(bytes.Buffer)}
	err := started.start(ctx, args)
	if err != nil {
		cancel()
		return nil, err
	}
	return started, nil
}

func (s *child) start(ctx context.Context, args []string) (err error) {
	if s.command, err = self(ctx, args...); err != nil {
		return err
	}
	s.command.Stderr = s.talk
	if s.input, err = s.command.StdinPipe(); err != nil {
		return err
	}
	output, err := s.command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.command.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		_, stopErr := s.stop()
		return errors.Join(fmt.Errorf("the server does not say its address: %w", err), stopErr)
	}
	s.address = strings.TrimSpace(line)
	return nil
}

// stop waits for the end of a server, and returns what it took of the processor, all in all.
func (s *child) stop() (cpu time.Duration, err error) {
	defer s.cancel()
	_ = s.input.Close() // this is what it waits for
	if err := s.command.Wait(); err != nil {
		return 0, fmt.Errorf("the server: %w: %.2000s", err, s.talk)
	}
	return consumed(s.command), nil
}

// loadServer loads a server from another process.
func (c *config) loadServer(ctx context.Context, address string, conns int) (all loaded, cpu time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.warmUp+c.time+startAndEnd)
	defer cancel()
	command, err := self(ctx, "-load", address, "-conns", strconv.Itoa(conns), "-d", c.time.String(), "-warm-up", c.warmUp.String())
	if err != nil {
		return loaded{}, 0, err
	}
	output, err := command.Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		return loaded{}, 0, fmt.Errorf("the load: %w: %.2000s", err, failed.Stderr)
	} else if err != nil {
		return loaded{}, 0, err
	}
	if err := json.Unmarshal(output, &all); err != nil {
		return loaded{}, 0, fmt.Errorf("what the load says: %w", err)
	}
	return all, consumed(command), nil
}

func self(ctx context.Context, args ...string) (*exec.Cmd, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return exec.CommandContext(ctx, program, args...), nil //nolint:gosec // this program, with flags of its own
}

func consumed(command *exec.Cmd) time.Duration {
	return command.ProcessState.UserTime() + command.ProcessState.SystemTime()
}
