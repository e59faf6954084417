package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
)

const (
	embeddedSpec = "api/openapi.yaml" // the name of the embedded spec in reports
	maxSpec      = 16 << 20           // bytes
	largeSpec    = 1 << 20            // bytes, of a spec that may fill much of softMemory by itself
)

// spec is the spec to check by.
type spec struct {
	name     string
	bytes    []byte
	contract *conformance.Contract
}

// specFlag adds --spec, see loadSpec.
func specFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVar(path, "spec", "",
		"check by the OpenAPI 3.0 document in `FILE` (default the embedded "+embeddedSpec+")")
}

// loadSpec reads the spec at path, or the embedded one.
func loadSpec(path string) (*spec, error) {
	s := &spec{name: embeddedSpec, bytes: api.Spec}
	if path != "" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		s.name = path
		if s.bytes, err = io.ReadAll(io.LimitReader(f, maxSpec+1)); err != nil {
			return nil, err
		}
		if len(s.bytes) > maxSpec {
			return nil, fmt.Errorf("%s: more than %d MiB", path, maxSpec>>20)
		}
	}
	if len(s.bytes) > largeSpec && os.Getenv("GOMEMLIMIT") == "" {
		defer raiseMemoryLimit()()
	}
	var err error
	s.contract, err = conformance.Load(s.bytes)
	at, isAt := errors.AsType[*conformance.SpecError](err)
	switch {
	case isAt && at.Line > 0:
		return nil, fmt.Errorf("%s:%d: %s (#%s)", s.name, at.Line, at.Reason, at.Pointer)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	return s, nil
}

// raiseMemoryLimit lifts the soft limit of memory until the function that it returns is called, which sets it again, above
// what is in use then. A heap that is beyond its limit for good only keeps the garbage collector busy.
func raiseMemoryLimit() func() {
	limit := debug.SetMemoryLimit(math.MaxInt64)
	return func() {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if limit < math.MaxInt64 {
			limit += int64(m.HeapAlloc) //nolint:gosec // a heap is smaller than that
		}
		debug.SetMemoryLimit(limit)
	}
}
