package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
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
		Long: "redact writes the exchanges of recordings as NDJSON, one a line. It replaces the credentials that the\n" +
			"security schemes of the spec name, and those that HTTP defines, wherever they occur, in any\n" +
			"exchange. verify reports the same about the copy.\n\n" +
			"Exit codes: 0 everything is written, 2 could not run, or a credential would be left; then nothing is written.",
		Example: "  fleetio redact -o session.ndjson session.har\n" +
			"  fleetio redact recordings/ | fleetio verify -",
		Args: needs(aPath),
		RunE: func(cmd *cobra.Command, paths []string) error {
			recordings, err := traffic.Files(paths...)
			if err != nil {
				return err
			}
			var outputs []string
			if output != "" {
				outputs = append(outputs, output)
			}
			if err := checkOutputs(outputs, slices.Concat([]string{specPath}, recordings, paths)); err != nil {
				return err
			}
			s, err := loadSpec(specPath)
			if err != nil {
				return err
			}
			if output == "" {
				return redactToStdout(cmd.Context(), c, s.contract, recordings)
			}
			to, err := resolveOutput(output)
			if err != nil {
				return err
			}
			if to.path == "" {
				return fmt.Errorf("%s is not a regular file; redirect standard output instead", output)
			}
			return redact(cmd.Context(), c, s.contract, to.path, recordings)
		},
	}
	specFlag(cmd, &specPath)
	cmd.Flags().StringVarP(&output, "output", "o", "",
		"write to `FILE`, completely or not at all (default standard output)")
	return cmd
}

// redact writes the exchanges to a file, completely or not at all. It takes two passes, because a later exchange may
// have the credential that an earlier one repeats. The file between them has each exchange without its own credentials.
func redact(ctx context.Context, c *console, contract *conformance.Contract, output string, paths []string) error {
	folder, err := temporaryFolder()
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	first := filepath.Join(folder, "first.ndjson")
	redactor := contract.Redactor()
	if err := redactAll(ctx, first, traffic.Read(ctx, c.stdin, paths...), redactor.Add); err != nil {
		return err
	}
	if err := checkOutputs([]string{output}, paths); err != nil {
		return err
	}
	number := 0
	return redactAll(ctx, output, traffic.Read(ctx, nil, first), func(ex *traffic.Exchange) (*traffic.Exchange, error) {
		number++
		ex.Source = fmt.Sprintf("exchange %d", number) // for errors, which must not name the temporary file
		return redactor.Redact(ex)
	})
}

// redactAll writes a file, completely or not at all.
func redactAll(ctx context.Context, output string, exchanges iter.Seq2[*traffic.Exchange, error],
	edit func(*traffic.Exchange) (*traffic.Exchange, error)) error {
	var file files
	defer file.discard()
	var failed error
	err := file.add(output, func(w io.Writer) error {
		failed = errors.New("no exchange to redact")
		for ex, err := range exchanges {
			if failed = err; failed != nil || ctx.Err() != nil {
				break
			}
			if ex, failed = edit(ex); failed != nil {
				break
			}
			if err := traffic.WriteNDJSON(w, ex); err != nil {
				return err
			}
		}
		return failed
	})
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case failed != nil: // not an error of the file
		return failed
	case err != nil:
		return err
	}
	return file.commit()
}

func temporaryFolder() (string, error) {
	return createTracked(func() (string, error) { return os.MkdirTemp("", "fleetio-*") },
		func(path string) { _ = os.RemoveAll(path) })
}

func redactToStdout(ctx context.Context, c *console, contract *conformance.Contract, paths []string) (err error) {
	folder, err := temporaryFolder()
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
