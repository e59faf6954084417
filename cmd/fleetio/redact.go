package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
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
				to, err := resolveOutput(output)
				if err == nil && to.path == "" {
					err = fmt.Errorf("%s is not a regular file; redirect standard output instead", output)
				}
				if err != nil {
					return err
				}
				outputs = append(outputs, output)
			}
			if err := checkOutputs(outputs, slices.Concat([]string{specPath}, recordings, paths)); err != nil {
				return err
			}
			s, err := loadSpec(specPath)
			if err != nil {
				return err
			}
			text, err := redact(cmd.Context(), c, s.contract, recordings)
			if err != nil {
				return err
			}
			if output == "" {
				_, err = c.stdout.Write(text)
				return err
			}
			if err := checkOutputs(outputs, recordings); err != nil {
				return err
			}
			var file files
			defer file.discard()
			err = file.add(output, func(w io.Writer) error {
				_, err := w.Write(text)
				return err
			})
			if err != nil {
				return err
			}
			return file.commit()
		},
	}
	specFlag(cmd, &specPath)
	cmd.Flags().StringVarP(&output, "output", "o", "",
		"write to `FILE`, completely or not at all (default standard output)")
	return cmd
}

// redact returns the exchanges as NDJSON. It takes two passes, because a later exchange may have the credential that an
// earlier one repeats. After the first, each exchange is without its own credentials.
func redact(ctx context.Context, c *console, contract *conformance.Contract, paths []string) ([]byte, error) {
	redactor := contract.Redactor()
	first, err := redactAll(ctx, traffic.Read(ctx, c.stdin, paths...), redactor.Add)
	if err != nil {
		return nil, err
	}
	number := 0
	return redactAll(ctx, traffic.Read(ctx, bytes.NewReader(first), "-"), func(ex *traffic.Exchange) (*traffic.Exchange, error) {
		number++
		ex.Source = fmt.Sprintf("exchange %d", number) // for errors
		return redactor.Redact(ex)
	})
}

func redactAll(ctx context.Context, exchanges iter.Seq2[*traffic.Exchange, error],
	edit func(*traffic.Exchange) (*traffic.Exchange, error)) ([]byte, error) {
	var text bytes.Buffer
	for ex, err := range exchanges {
		if ctx.Err() != nil {
			return nil, errInterrupted
		}
		if err == nil {
			ex, err = edit(ex)
		}
		if err == nil {
			err = traffic.WriteNDJSON(&text, ex)
		}
		if err != nil {
			return nil, err
		}
	}
	if text.Len() == 0 {
		return nil, errors.New("no exchange to redact")
	}
	return text.Bytes(), nil
}
