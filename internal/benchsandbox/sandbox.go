package main

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"os"

	"github.com/fleetcontract/fleetio-go/internal/sandboxserver"
	"github.com/fleetcontract/fleetio-go/sandbox"
	"github.com/fleetcontract/fleetio-go/sandbox/sqlite"
)

// onDisk is the sandbox as fleetio sandbox --db FILE --log off --no-page serves it.
func onDisk(ctx context.Context, file string) (httpServer, func() error, error) {
	store, err := sqlite.Open(ctx, file)
	if err != nil {
		return nil, nil, err
	}
	return inSandbox(sandbox.WithStore(store), sandbox.WithHistory(0)) //nolint:contextcheck // a sandbox takes none
}

// onDiskLogged has the access log, too, which goes nowhere.
func onDiskLogged(ctx context.Context, file string) (httpServer, func() error, error) {
	store, err := sqlite.Open(ctx, file)
	if err != nil {
		return nil, nil, err
	}
	nowhere, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	logger := slog.New(slog.NewTextHandler(nowhere, nil))
	return inSandbox(sandbox.WithStore(store), sandbox.WithHistory(0), sandbox.WithLogger(logger)) //nolint:contextcheck // a sandbox takes none
}

// inMemory is the sandbox as a test has it.
func inMemory(context.Context, string) (httpServer, func() error, error) { return inSandbox() } //nolint:contextcheck // as above

func inSandbox(options ...sandbox.Option) (httpServer, func() error, error) {
	s, err := sandbox.New(options...)
	if err != nil {
		return nil, nil, err
	}
	return sandboxserver.New(s), s.Close, nil
}

func countSandbox(ctx context.Context, file string) (int64, error) {
	store, err := sqlite.Open(ctx, file)
	if err != nil {
		return 0, err
	}
	records, err := store.Records(ctx, 0, math.MaxInt32)
	return int64(len(records)), errors.Join(err, store.Close())
}
