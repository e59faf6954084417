package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

func redactCommand(c *console) *cobra.Command {
	var specPath, output string
	cmd := &cobra.Command{
		Use:   "redact [flags] PATH...",
		Short: "Copy recordings without their credentials",
		Long: "redact writes the exchanges of recordings as NDJSON, one a line, without the credentials that the spec's security\n" +
			"schemes name and those that HTTP knows, wherever they stand or are repeated. What is left is judged as before.\n\n" +
			"Exit status: 0 all is written, 2 the command could not run, or a credential would be left: then nothing is written.",
		Example: "  fleetio redact -o session.ndjson session.har\n" +
			"  fleetio redact recordings/ | fleetio verify -",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("redact needs a PATH: a recording, a folder of them, or - for standard input")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, paths []string) error {
			recordings, err := filesOf(cmd.Context(), paths)
			if err != nil {
				return err
			}
			var outputs []string
			if output != "" {
				outputs = append(outputs, output)
			}
			inputs := slices.Concat([]string{specPath}, recordings, paths)
			if err := checkOutputs(outputs, inputs); err != nil {
				return err
			}
			s, err := loadSpec(specPath)
			if err != nil {
				return err
			}
			if output == "" {
				return redactToStdout(cmd.Context(), c, s.contract, recordings)
			}
			to, err := placeOf(output)
			if err != nil {
				return err
			}
			if to.info != nil && !to.info.Mode().IsRegular() {
				return fmt.Errorf("%s is no regular file: leave --output out, and redirect", output)
			}
			return redact(cmd.Context(), c, s.contract, to.path, recordings)
		},
	}
	specFlag(cmd, &specPath)
	cmd.Flags().StringVarP(&output, "output", "o", "", "`FILE` to write, complete or not at all. By default, standard output.")
	return cmd
}

// redact records the exchanges anew, into a file that is there only when all of it is clean.
func redact(ctx context.Context, c *console, contract *conformance.Contract, output string, paths []string) error {
	recorder, err := leavesBehind(func() (*conformance.Recorder, error) { return contract.Record(output) }, (*conformance.Recorder).Discard)
	if err != nil {
		return err
	}
	defer recorder.Discard()
	exchanges := 0
	for ex, err := range traffic.Read(ctx, c.stdin, paths...) {
		switch {
		case ctx.Err() != nil:
			return errInterrupted
		case err != nil:
			return err
		}
		if err := recorder.Write(ex); err != nil {
			return err
		}
		exchanges++
	}
	if exchanges == 0 {
		return errors.New("there is no exchange to redact")
	}
	if err := checkOutputs([]string{output}, paths); err != nil {
		return err
	}
	return recorder.Close()
}

// redactToStdout goes through a file, as the last scan comes before the first byte.
func redactToStdout(ctx context.Context, c *console, contract *conformance.Contract, paths []string) (err error) {
	folder, err := leavesBehind(func() (string, error) { return os.MkdirTemp("", "fleetio-*") }, func(path string) { _ = os.RemoveAll(path) })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	path := filepath.Join(folder, "redacted.ndjson")
	if err := redact(ctx, c, contract, path, paths); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	_, err = io.Copy(c.stdout, f)
	return err
}
