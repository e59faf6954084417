package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime/pprof"
)

// server is one to measure. The first of them is what the others are compared with.
type server struct {
	name     string
	settings string // that it runs with, in words
	spare    bool   // it is measured only if it is named
	// tune sets what is the whole process's; nil leaves Go's defaults.
	tune func()
	open func(ctx context.Context, file string) (httpServer, func() error, error)
	// count returns how many faults a store's file has; nil where there is no file.
	count func(ctx context.Context, file string) (int64, error)
	// checks says that the server refuses what is wrong, and tells the id and the Location of what it created.
	checks bool
}

// httpServer is one of net/http, or one of the sandbox.
type httpServer interface {
	Serve(l net.Listener) error
	Shutdown(ctx context.Context) error
}

func servers() []server {
	return []server{
		{name: "bare", settings: goDefaults, open: bare},
		{name: "usual", settings: goDefaults, open: newUsual, count: countUsual, checks: true},
		{name: "sandbox", settings: asOnDisk + ", --log off --no-page", tune: tuneOnDisk, open: onDisk, count: countSandbox, checks: true},
		{name: "sandbox-log", settings: asOnDisk + ", --no-page", tune: tuneOnDisk, open: onDiskLogged, count: countSandbox, checks: true},
		{name: "sandbox-memory", settings: asInMemory, tune: tune, open: inMemory, checks: true},
		{name: "bare-tuned", settings: asInMemory, tune: tune, open: bareTuned, spare: true},
	}
}

// serverNames are all of them, or those that are measured where none are named.
func serverNames(spare bool) []string {
	var names []string
	for _, s := range servers() {
		if !s.spare || spare {
			names = append(names, s.name)
		}
	}
	return names
}

func serverOf(name string) server {
	for _, s := range servers() {
		if s.name == name {
			return s
		}
	}
	panic("no server " + name) // the flags were checked
}

// serve prints the address on which it is the server, until it is told to end; then it ends as one should: all answers
// are out and the store is closed.
func serve(ctx context.Context, c *config, in *os.File, out io.Writer) (err error) {
	if c.profile != "" {
		stop, profileErr := profile(c.profile)
		if profileErr != nil {
			return profileErr
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	s := serverOf(c.serve)
	if s.tune != nil {
		s.tune()
	}
	handler, closeStore, err := s.open(ctx, storeFile(c.dir))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- handler.Serve(listener) }()
	if _, err := fmt.Fprintln(out, listener.Addr()); err != nil {
		return err
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	case <-ended(in):
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return handler.Shutdown(ctx)
}

func storeFile(dir string) string { return filepath.Join(dir, "faults.db") }

// ended tells when a pipe on standard input ends: so a server does not outlive what started it, whatever the system and
// however that came to its end. Other input says nothing.
func ended(in *os.File) <-chan struct{} {
	end := make(chan struct{})
	if info, err := in.Stat(); err == nil && info.Mode()&fs.ModeNamedPipe != 0 {
		go func() {
			_, _ = io.Copy(io.Discard, in)
			close(end)
		}()
	}
	return end
}

func profile(name string) (stop func() error, err error) {
	file, err := os.Create(name) //nolint:gosec // the caller names the file
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return file.Close()
	}, nil
}
