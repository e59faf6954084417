package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server"
	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server/fixture"
	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server/page"
	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server/sqlite"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// sandboxRun is one run of the sandbox.
type sandboxRun struct {
	address      string
	db           string
	fixturesPath string
	rateLimit    int
	failures     []string
	listFailures bool
	empty403     bool
	text401      bool
	log          string
	noPage       bool
}

func sandboxCommand(c *console) *cobra.Command {
	var s sandboxRun
	cmd := &cobra.Command{
		Use:   "sandbox [flags]",
		Short: "Run a test server that behaves like the vendor's API",
		Long: "sandbox serves Create Fault as the vendor documents it, stores the faults, and injects failures on\n" +
			"demand. It has no other operation, and says nothing about the vendor's server.\n\n" +
			"It prints its URL and credentials to standard output as shell variables; the credentials are those of\n" +
			"the fixtures and no secret. A browser shows the exchanges at that URL, each with its findings. /healthz\n" +
			"returns 200 while faults can be stored, else 503.\n\n" +
			"SIGINT and SIGTERM end it: it stops accepting connections, gives in-flight requests 10 s to complete,\n" +
			"and closes the file. With --db, a fault is on disk before its 201 is sent.\n\n" +
			"Exit status: 0 after a signal, 2 if it could not run, or could not close the file of --db.",
		Example: "  fleetio sandbox\n" +
			"  fleetio sandbox --db faults.db --fixtures fleet.yaml --rate-limit 20\n" +
			"  fleetio sandbox --failure 500@10% --failure delay=2s@25%\n" +
			"  fleetio sandbox --failure drop-after@next --failure 'set=/id=0 && header=Location@5%'\n" +
			"  fleetio sandbox --list-failures",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if s.listFailures {
				return listFailures(c.stdout)
			}
			for _, name := range []string{"db", "fixtures"} { // a shell variable that is not set
				if flag := cmd.Flags().Lookup(name); flag.Changed && flag.Value.String() == "" {
					return fmt.Errorf("--%s is empty; omit it or name a file", name)
				}
			}
			return s.run(cmd.Context(), c)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&s.address, "addr", "127.0.0.1:8080", "listen on `HOST:PORT`; port 0 is any free port")
	flags.StringVar(&s.db, "db", "",
		"store accounts and faults in the SQLite `FILE`, which is created if it does not exist (default in memory)")
	flags.StringVar(&s.fixturesPath, "fixtures", "",
		"read accounts, keys, vehicles and fault rules from the YAML or JSON `FILE` "+
			"(default the file of --db, or else a built-in fleet)")
	flags.IntVar(&s.rateLimit, "rate-limit", 0, "limit each account to `NUMBER` requests a clock minute (default no limit)")
	flags.StringArrayVar(&s.failures, "failure", nil,
		"inject `WHAT` into each request, WHAT@10% into a share of them, WHAT@next3 into the next three; may be given\n"+
			"several times")
	flags.BoolVar(&s.listFailures, "list-failures", false, "print all that --failure takes, and exit")
	flags.BoolVar(&s.empty403, "empty-403", false,
		"send a 403 without a body, as one page of the vendor's says, instead of a problem object")
	flags.BoolVar(&s.text401, "text-401", false,
		"send a 401 with a line of text, as an old page of the vendor's says, instead of a problem object")
	flags.StringVar(&s.log, "log", "text",
		"log each exchange to standard error in the `FORMAT` text or json; off logs errors only")
	flags.BoolVar(&s.noPage, "no-page", false, "serve no page and keep no exchanges")
	return cmd
}

// softSandboxMemory is the memory limit of the process, in bytes, beyond which the garbage collector works harder: the
// sandbox keeps at most 64 MiB of faults and 16 MiB of exchanges.
const softSandboxMemory = 112 << 20

// run serves until ctx ends.
func (s *sandboxRun) run(ctx context.Context, c *console) error {
	logger, err := server.NewLogger(c.stderr, s.log)
	if err != nil {
		return fmt.Errorf("--log: %w", err)
	}
	signal.Ignore(syscall.SIGPIPE) // the reader of the log may leave
	if os.Getenv("GOMEMLIMIT") == "" {
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(softSandboxMemory))
	}
	options, err := s.options()
	if err != nil {
		return err
	}
	srv, err := server.Listen(ctx, s.address)
	if err != nil {
		return fmt.Errorf("--addr: %w", err)
	}
	defer func() { _ = srv.Close() }() // Serve has closed it already
	if s.db != "" {
		store, err := sqlite.Open(ctx, s.db)
		if err != nil {
			return err
		}
		options = append(options, sandbox.WithStore(store))
	}
	box, err := sandbox.New(append(options, sandbox.WithLogger(logger))...) //nolint:contextcheck // it takes none
	if err != nil {
		return plainSandbox(err)
	}
	srv.Sandbox, srv.Logger = box, logger
	err = s.prepare(c, srv) //nolint:contextcheck // loading a spec does not wait
	if err == nil {
		finishing.RLock()
		defer finishing.RUnlock() // once the file is closed
		err = srv.Serve(ctx)
	}
	return errors.Join(err, box.Close())
}

// prepare mounts the page and prints what clients need.
func (s *sandboxRun) prepare(c *console, srv *server.Server) error {
	if !s.noPage {
		spec, err := loadSpec("")
		if err != nil {
			return err
		}
		srv.Page = page.New(srv.Sandbox, server.Check(spec.contract, spec.name))
	}
	if !srv.OnLoopback() {
		c.warnf("%s is no loopback address: every host that reaches it can call the sandbox and see all exchanges", srv.Addr())
	}
	return announce(c.stdout, srv.URL(), !s.noPage, srv.Sandbox.Accounts())
}

// options returns the options that depend on flags and the fixture file only.
func (s *sandboxRun) options() ([]sandbox.Option, error) {
	if s.rateLimit < 0 {
		return nil, errors.New("--rate-limit is a number from 0")
	}
	options := []sandbox.Option{sandbox.WithRateLimit(s.rateLimit)}
	if s.noPage {
		options = append(options, sandbox.WithHistory(0))
	}
	for _, text := range s.failures {
		o, err := sandbox.ParseFailure(text)
		if err != nil {
			return nil, fmt.Errorf("--failure: %w; --list-failures explains them", plainSandbox(err))
		}
		options = append(options, o)
	}
	if s.empty403 {
		options = append(options, sandbox.WithEmptyForbidden())
	}
	if s.text401 {
		options = append(options, sandbox.WithTextUnauthorized())
	}
	if s.fixturesPath != "" {
		fixtures, err := fixture.Read(s.fixturesPath)
		if err != nil {
			return nil, err
		}
		options = append(options, sandbox.WithFixtures(fixtures))
	}
	return options, nil
}

// plainSandbox removes the package name from the error.
func plainSandbox(err error) error {
	return errors.New(strings.TrimPrefix(err.Error(), "sandbox: "))
}
