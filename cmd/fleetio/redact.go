package main

import (
	"cmp"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
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

// redaction is what redact does.
type redaction struct {
	console  *console
	contract *conformance.Contract
	also     []string // names of credentials
	all      bool     // also write exchanges that are for no operation of the contract
}

func redactCommand(c *console) *cobra.Command {
	var specPath, output string
	r := redaction{console: c}
	cmd := &cobra.Command{
		Use:   "redact [flags] PATH...",
		Short: "Copy recordings without their credentials",
		Long: "redact writes the exchanges for operations of the spec as NDJSON, one a line, with [redacted] in place of\n" +
			"credentials. These are the credentials of the spec's security schemes, and the values of headers, URL\n" +
			"parameters, form fields, cookies and JSON properties with names such as Authorization, Set-Cookie,\n" +
			"X-Api-Key, access_token, client_secret, password and sessionid. redact replaces a credential of any\n" +
			"exchange in all exchanges, also escaped, in base64 and in hex. It replaces short and ordinary values,\n" +
			"such as en-US, only where the name is. verify reports the same about the copy.\n\n" +
			"Exit codes: 0 everything is written, 2 could not run, or a credential would be left; then nothing is written.",
		Example: "  fleetio redact -o session.ndjson session.har\n" +
			"  fleetio redact recordings/ | fleetio verify -\n" +
			"  fleetio redact --all --also X-Device-Id --also pairing_code -o login.ndjson login.har",
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
			r.contract = s.contract
			if output == "" {
				return r.toStdout(cmd.Context(), recordings)
			}
			to, err := resolveOutput(output)
			if err != nil {
				return err
			}
			if to.path == "" {
				return fmt.Errorf("%s is not a regular file; redirect standard output instead", output)
			}
			return r.toFile(cmd.Context(), to.path, recordings)
		},
	}
	specFlag(cmd, &specPath)
	cmd.Flags().StringVarP(&output, "output", "o", "",
		"write to `FILE`, completely or not at all (default standard output)")
	cmd.Flags().StringArrayVar(&r.also, "also", nil,
		"also replace the values of headers, parameters, cookies and properties with this `NAME`; repeatable")
	cmd.Flags().BoolVar(&r.all, "all", false, "also write exchanges that are for no operation of the spec")
	return cmd
}

// toFile writes the exchanges to a file, completely or not at all. It takes two passes, because a later exchange may
// have the credential that an earlier one repeats. The file between them is encrypted.
func (r *redaction) toFile(ctx context.Context, output string, paths []string) error {
	folder, err := temporaryFolder()
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	defer collectLess()()
	first := filepath.Join(folder, "first")
	key, nonce := make([]byte, 16), make([]byte, aes.BlockSize)
	_, _ = rand.Read(key) // never fails
	_, _ = rand.Read(nonce)
	block, err := aes.NewCipher(key)
	if err != nil {
		return err
	}
	stream := func() cipher.Stream { return cipher.NewCTR(block, nonce) }
	redactor := r.contract.Redactor(r.also...)
	var read, left int
	err = writeAll(ctx, first, stream(), traffic.Read(ctx, r.console.stdin, paths...), func(ex *traffic.Exchange) bool {
		read++
		isWritten := redactor.Add(ex) || r.all
		if !isWritten {
			left++
		}
		return isWritten
	}, func(ex *traffic.Exchange) (*traffic.Exchange, error) { return ex, nil })
	switch {
	case err != nil:
		return err
	case read == 0:
		return errors.New("no exchange to redact")
	case read == left:
		return fmt.Errorf("no exchange to redact: %d read, none for an operation of the spec; write them with --all", read)
	}
	if err := checkOutputs([]string{output}, paths); err != nil {
		return err
	}
	f, err := os.Open(first)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	number := 0
	again := traffic.Read(ctx, &cipher.StreamReader{S: stream(), R: f}, "-")
	err = writeAll(ctx, output, nil, again, func(ex *traffic.Exchange) bool {
		number++
		ex.Source = fmt.Sprintf("exchange %d", number) // for errors, which must not name the temporary file
		return true
	}, redactor.Redact)
	if err == nil && left > 0 {
		r.console.warnf("%d of %d exchanges are for no operation of the spec and left out; write them with --all", left, read)
	}
	return err
}

// writeAll writes the exchanges that are chosen to a file, completely or not at all, and encrypted if there is a key stream.
// It edits and encodes them on all processors.
func writeAll(ctx context.Context, output string, stream cipher.Stream, exchanges iter.Seq2[*traffic.Exchange, error],
	choose func(*traffic.Exchange) bool, edit func(*traffic.Exchange) (*traffic.Exchange, error)) error {
	var file files
	defer file.discard()
	var failed error // not an error of the file
	err := file.add(output, func(w io.Writer) error {
		if stream != nil {
			w = cipher.StreamWriter{S: stream, W: w}
		}
		var writeErr error
		failed, writeErr = writeEdited(w, exchanges, choose, edit)
		return cmp.Or(failed, writeErr)
	})
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case failed != nil:
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

// toStdout writes the exchanges to standard output, if all can be redacted.
func (r *redaction) toStdout(ctx context.Context, paths []string) (err error) {
	folder, err := temporaryFolder()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	path := filepath.Join(folder, "redacted.ndjson")
	if err := r.toFile(ctx, path, paths); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	_, err = io.Copy(r.console.stdout, f)
	return err
}
