package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
)

// embeddedSpec is what reports call the spec that the binary holds.
const embeddedSpec = "api/openapi.yaml"

// mostOfText bounds a file that people write: it is far beyond any spec or list of known failures.
const mostOfText = 16 << 20

// spec is the spec to judge by.
type spec struct {
	name     string // of its file
	path     string // "" for the embedded one
	bytes    []byte
	contract *conformance.Contract
}

// specFlag adds the flag that load takes.
func specFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVar(path, "spec", "", "OpenAPI 3.0 `FILE` to judge by. By default, the embedded "+embeddedSpec+".")
}

// loadSpec reads the spec at path, or the embedded one.
func loadSpec(path string) (*spec, error) {
	s := &spec{name: embeddedSpec, path: path, bytes: api.Spec}
	var err error
	if path != "" {
		s.name = path
		if s.bytes, err = readText(path); err != nil {
			return nil, err
		}
	}
	s.contract, err = conformance.Load(s.bytes)
	var at *conformance.SpecError
	switch {
	case errors.As(err, &at) && at.Line > 0:
		return nil, fmt.Errorf("%s:%d: %s (#%s)", s.name, at.Line, at.Reason, at.Pointer)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	return s, nil
}

func readText(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, mostOfText+1))
	if err == nil && len(text) > mostOfText {
		err = fmt.Errorf("%s: more than %d MiB", path, mostOfText>>20)
	}
	return text, err
}
