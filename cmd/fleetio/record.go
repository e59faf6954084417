package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/proxy"
	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/printable"
	"github.com/fleetcontract/fleetio-go/internal/recorder"
)

// recording is one run of record.
type recording struct {
	console                   *console
	upstream, output, address string
	also                      []string
	spec                      *spec

	exchanges, checked, findings, bad int
	warned                            sync.Map // errors that were printed
}

func recordCommand(c *console) *cobra.Command {
	var specPath string
	r := recording{console: c}
	cmd := &cobra.Command{
		Use:   "record --upstream URL -o FILE [flags]",
		Short: "Record and check the traffic between programs and a server",
		Long: "record is a proxy on this machine that passes each request on to the server at --upstream, and the response\n" +
			"back, without changing them. It checks each exchange, prints its findings, and writes it to FILE, as HAR if\n" +
			"the name ends in .har, and else as NDJSON. verify reads both.\n\n" +
			"It replaces credentials with [redacted] before it writes them: those that redact replaces, of the exchange\n" +
			"itself and of earlier ones. Name others with --also.\n\n" +
			"An exchange is in FILE before the program gets the end of the response, unless that would delay it: a slow\n" +
			"disk or check delays no program, and an exchange that cannot be written is counted. A body of more than\n" +
			"1 MiB is marked as omitted.\n\n" +
			"It prints its URL to standard output as a shell variable. SIGINT and SIGTERM end it: it stops accepting\n" +
			"connections and gives in-flight requests 10 s to complete.\n\n" +
			"Exit codes: 0 everything is recorded and conforms, 1 findings, or an exchange is not in FILE, 2 could not run.",
		Example: "  fleetio record --upstream https://secure.fleetio.com -o session.ndjson\n" +
			"  fleetio record --upstream https://secure.fleetio.com --addr 127.0.0.1:0 -o session.har --also X-Device-Id\n" +
			"  FLEETIO_BASE_URL=http://127.0.0.1:8090 fleetio create --vehicle-id 4711 --code P0420  # in another terminal",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, name := range []string{"upstream", "output"} {
				if cmd.Flags().Lookup(name).Value.String() == "" {
					return fmt.Errorf("--%s is missing", name)
				}
			}
			to, err := resolveOutput(r.output)
			if err != nil {
				return err
			}
			if to.info != nil && (!to.info.Mode().IsRegular() || to.info.Size() > 0) {
				return fmt.Errorf("%s exists; remove it or use another name", r.output)
			}
			if err := checkOutputs([]string{r.output}, []string{specPath}); err != nil {
				return err
			}
			if r.spec, err = r.console.loadSpec(specPath, conformance.Servers(r.upstream)); err != nil {
				return err
			}
			return r.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	specFlag(cmd, &specPath)
	flags.StringVar(&r.upstream, "upstream", "", "pass requests on to the server at `URL` (required)")
	flags.StringVarP(&r.output, "output", "o", "", "write the recording to `FILE`, which must not exist (required)")
	flags.StringVar(&r.address, "addr", "127.0.0.1:8090", "listen on `HOST:PORT` of this machine; port 0 is any free port")
	alsoFlag(cmd, &r.also)
	return cmd
}

// run serves until ctx ends.
func (r *recording) run(ctx context.Context) error {
	upstream, err := proxy.ParseUpstream(r.upstream)
	if err != nil {
		return fmt.Errorf("--upstream: %w", err)
	}
	listener, err := server.Listen(ctx, r.address)
	if err != nil {
		return fmt.Errorf("--addr: %w", err)
	}
	defer func() { _ = listener.Close() }()
	if !listener.OnLoopback() {
		return fmt.Errorf("--addr: %s can be reached by other hosts; use 127.0.0.1", listener.Addr())
	}
	w, err := traffic.Create(r.output)
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGPIPE) // after the reader of the findings has ended
	if _, err := fmt.Fprintf(r.console.stdout, "export %s=%s\n", envBaseURL, quoteForShell(listener.URL())); err != nil {
		return errors.Join(err, w.Close(), os.Remove(r.output))
	}
	recorder := recorder.New(w, r.spec.contract.Redactor(r.also...), proxy.Transport(), r.recorded)
	handler := proxy.New(upstream, recorder, r.warn)
	logger := slog.New(slog.NewTextHandler(r.console.stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	finishing.RLock()
	err = listener.Serve(ctx, server.HTTPServer(handler, logger), logger)
	finishing.RUnlock() // standard output may block
	lost := recorder.Close()
	r.console.notef("%s: %d exchanges recorded, %d checked, %d findings in %d of them", r.output, r.exchanges, r.checked, r.findings, r.bad)
	switch {
	case err != nil:
		return errors.Join(err, lost)
	case lost != nil:
		r.console.fail(fmt.Errorf("%s: %w", r.output, lost))
		return errFindings
	case r.findings > 0:
		return errFindings
	}
	return nil
}

// recorded checks an exchange after it was written, or says why it was not.
func (r *recording) recorded(ex *traffic.Exchange, err error) {
	if err == nil {
		r.exchanges++
	} else {
		r.warn(err)
	}
	if ex == nil {
		return
	}
	findings, err := r.spec.contract.Check(ex)
	if err != nil { // it is for no operation, or has no response
		return
	}
	r.checked++
	fails := 0
	for _, f := range findings {
		if f.Fails() {
			fails++
		}
		line := fmt.Sprintf("%s: %s (%s, %s:%d)", f.Exchange, &f, f.Source, f.Spec.In(r.spec.name), f.Spec.Line)
		_, _ = fmt.Fprintln(r.console.stdout, printable.Text(line))
	}
	r.findings += fails
	r.bad += min(fails, 1)
}

// warn prints an error the first time that it occurs.
func (r *recording) warn(err error) {
	if _, known := r.warned.LoadOrStore(err.Error(), nil); !known {
		r.console.warnf("%v", err)
	}
}
