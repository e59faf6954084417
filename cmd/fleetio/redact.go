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
		Long: "redact writes the exchanges of recordings as NDJSON, one a line, without the credentials that the spec's security\n" +
			"schemes name and those that HTTP knows, wherever they stand or are repeated, in this or another exchange. To verify\n" +
			"the result gives the same findings.\n\n" +
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

// redact writes the exchanges to a file, which is there only when all of it is clean. It goes over them twice, as a
// later exchange may have the credential that an earlier one repeats. Between, they are in a file without their own
// credentials.
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

// redactAll writes a file, complete or not at all.
func redactAll(ctx context.Context, output string, exchanges iter.Seq2[*traffic.Exchange, error],
	edit func(*traffic.Exchange) (*traffic.Exchange, error)) error {
	var file files
	defer file.discard()
	var failed error
	err := file.add(output, func(w io.Writer) error {
		failed = errors.New("there is no exchange to redact")
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
	case failed != nil: // by what was read, which needs no word about the file
		return failed
	case err != nil:
		return err
	}
	return file.commit(ctx)
}

func temporaryFolder() (string, error) {
	return leavesBehind(func() (string, error) { return os.MkdirTemp("", "fleetio-*") },
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
