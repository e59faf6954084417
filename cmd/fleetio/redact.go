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
	"slices"
	"time"

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
	var servers []string
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
			s, err := c.loadSpec(specPath, conformance.Servers(servers...))
			if err != nil {
				return err
			}
			r.contract = s.contract
			return r.run(cmd.Context(), output, recordings)
		},
	}
	specFlag(cmd, &specPath)
	serverFlag(cmd, &servers)
	cmd.Flags().StringVarP(&output, "output", "o", "",
		"write to `FILE`, completely or not at all (default standard output)")
	alsoFlag(cmd, &r.also)
	cmd.Flags().BoolVar(&r.all, "all", false, "also write exchanges that are for no operation of the spec")
	return cmd
}

// alsoFlag adds --also.
func alsoFlag(cmd *cobra.Command, names *[]string) {
	cmd.Flags().StringArrayVar(names, "also", nil,
		"also replace the values of headers, parameters, cookies and properties with this `NAME`; repeatable")
}

// run writes the exchanges to a file, or to standard output, completely or not at all. It takes two passes, because a
// later exchange may have the credential that an earlier one repeats. The file between them is encrypted.
func (r *redaction) run(ctx context.Context, output string, paths []string) error {
	defer collectLess()()
	first, err := createTemp("", "fleetio-*")
	if err != nil {
		return err
	}
	defer func() { _, _ = first.Close(), os.Remove(first.Name()) }()
	var key, nonce [aes.BlockSize]byte
	_, _ = rand.Read(key[:]) // never fails
	_, _ = rand.Read(nonce[:])
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return err
	}
	stream := func() cipher.Stream { return cipher.NewCTR(block, nonce[:]) }
	redactor := r.contract.Redactor(r.also...)
	read, size := 0, int64(0)
	var written []int // positions of the exchanges, from 1
	var warned warnings
	defer warned.print(r.console)
	p := r.console.startProgress()
	defer p.end()
	var pool traffic.Pool
	all := readable(pool.Read(ctx, r.console.stdin, paths...), warned.add)
	err = writeEdited(cipher.StreamWriter{S: stream(), W: first}, &pool, all, func(ex *traffic.Exchange) bool {
		read, size = read+1, size+ex.Size
		p.show(func(time.Duration) string { return fmt.Sprintf("read %.1f MB, %d exchanges", float64(size)/1e6, read) })
		if !redactor.Add(ex) && !r.all {
			return false
		}
		written = append(written, read)
		return true
	}, func(ex *traffic.Exchange) (*traffic.Exchange, error) { return ex, nil })
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		return err
	case read == 0:
		return errors.New("no exchange to redact")
	case len(written) == 0:
		return fmt.Errorf("no exchange to redact: %d read, none for an operation of the spec; write them with --all", read)
	}
	err = r.writeTo(output, paths, func(w io.Writer) error {
		if _, err := first.Seek(0, io.SeekStart); err != nil {
			return err
		}
		number := 0
		return writeEdited(w, &pool, pool.Read(ctx, cipher.StreamReader{S: stream(), R: first}, "-"), func(ex *traffic.Exchange) bool {
			ex.Source = fmt.Sprintf("exchange %d", written[number]) // for errors, instead of a line of the temporary file
			number++
			p.show(func(time.Duration) string { return fmt.Sprintf("redacted %d of %d exchanges", number, len(written)) })
			return true
		}, redactor.Redact)
	})
	switch left := read - len(written); {
	case ctx.Err() != nil:
		return errInterrupted
	case err == nil && left > 0:
		r.console.warnf("%d of %d exchanges are for no operation of the spec and left out; write them with --all", left, read)
	}
	return err
}

// readable leaves out the exchanges that cannot be read, with a warning for each.
func readable(exchanges iter.Seq2[*traffic.Exchange, error], warn func(error)) iter.Seq2[*traffic.Exchange, error] {
	return func(yield func(*traffic.Exchange, error) bool) {
		for ex, err := range exchanges {
			if errors.As(err, new(*traffic.EntryError)) {
				warn(fmt.Errorf("left out: %w", err))
			} else if !yield(ex, err) {
				return
			}
		}
	}
}

// writeTo writes a result to a file, or to standard output, completely or not at all.
func (r *redaction) writeTo(output string, inputs []string, write func(io.Writer) error) error {
	if output == "" {
		whole, err := createTemp("", "fleetio-*")
		if err != nil {
			return err
		}
		defer func() { _, _ = whole.Close(), os.Remove(whole.Name()) }()
		if err := write(whole); err != nil {
			return err
		}
		if _, err := whole.Seek(0, io.SeekStart); err != nil {
			return err
		}
		_, err = io.Copy(r.console.stdout, whole)
		return err
	}
	if err := checkOutputs([]string{output}, inputs); err != nil {
		return err
	}
	var file files
	defer file.discard()
	var failed error // without the name of the output
	err := file.add(output, func(w io.Writer) error {
		failed = write(w)
		return failed
	})
	if err := cmp.Or(failed, err); err != nil {
		return err
	}
	return file.commit()
}
