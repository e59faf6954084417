package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strconv"
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
		Long: "sandbox serves the operations of the contract as the vendor documents them, stores the faults, and injects\n" +
			"failures on demand. It says nothing about the vendor's server.\n\n" +
			"It prints its URL and credentials to standard output as shell variables; the credentials are those of\n" +
			"the fixtures and no secret. A browser shows the exchanges at that URL, each with its findings. /healthz\n" +
			"returns 200 while faults can be stored, else 503.\n\n" +
			"SIGINT and SIGTERM end it: it stops accepting connections, gives in-flight requests 10 s to complete,\n" +
			"and closes the file. With --db, a fault is on disk before its 201 is sent.\n\n" +
			"Exit status: 0 after a signal, 2 if it could not run, or could not close the file of --db.",
		Example: "  fleetio sandbox\n" +
			"  fleetio sandbox --db faults.db --fixtures fleet.yaml --rate-limit 20\n" +
			"  fleetio sandbox --failure 500@10% --failure delay=2s@25%\n" +
			"  fleetio sandbox --failure drop-after@next --failure 'createFault: set=/id=0 && header=Location@5%'\n" +
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
			"(default those in --db, or else a built-in fleet)")
	flags.IntVar(&s.rateLimit, "rate-limit", 0, "limit each account to `NUMBER` requests a clock minute (default no limit)")
	flags.StringArrayVar(&s.failures, "failure", nil,
		"inject `WHAT` into each request, WHAT@10% into a share of them, WHAT@next3 into the next three, \"createFault: WHAT\"\n"+
			"into those of an operation only; may be given several times")
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
	signal.Ignore(syscall.SIGPIPE) // after the reader of the log has ended
	if os.Getenv("GOMEMLIMIT") == "" {
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(softSandboxMemory))
	}
	options, err := s.options()
	if err != nil {
		return err
	}
	listener, err := server.Listen(ctx, s.address)
	if err != nil {
		return fmt.Errorf("--addr: %w", err)
	}
	defer func() { _ = listener.Close() }() // if Serve is not called
	if s.db != "" {
		store, err := sqlite.Open(ctx, s.db)
		if err != nil {
			return err
		}
		options = append(options, sandbox.WithStore(store))
	}
	box, err := sandbox.New(append(options, sandbox.WithLogger(logger))...) //nolint:contextcheck // it takes none
	if err != nil {
		return trimPackage(err)
	}
	srv := &server.Server{Listener: listener, Sandbox: box, Logger: logger}
	err = s.prepare(c, srv)
	if err == nil {
		finishing.RLock()
		defer finishing.RUnlock() // once the file is closed
		err = srv.Serve(ctx)
	}
	return errors.Join(err, box.Close())
}

// prepare adds the page and prints the URL and the credentials.
func (s *sandboxRun) prepare(c *console, srv *server.Server) error {
	if !s.noPage {
		spec, err := c.loadSpec("")
		if err != nil {
			return err
		}
		srv.Page = page.New(srv.Sandbox, server.Check(spec.contract, spec.name))
	}
	if !srv.OnLoopback() {
		c.warnf("%s is no loopback address: every host that reaches it can use the sandbox and see all exchanges", srv.Addr())
	}
	return announce(c.stdout, srv.URL(), !s.noPage, srv.Sandbox.Accounts())
}

// options returns the options of the flags and the fixture file.
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
			return nil, fmt.Errorf("--failure: %w; --list-failures explains them", trimPackage(err))
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

// trimPackage removes the package name from an error.
func trimPackage(err error) error {
	return errors.New(strings.TrimPrefix(err.Error(), "sandbox: "))
}

// announce prints the URL and the credentials of the sandbox, as lines that a shell can evaluate.
func announce(w io.Writer, url string, hasPage bool, accounts []sandbox.Account) error {
	var b strings.Builder
	if hasPage {
		fmt.Fprintf(&b, "# The page of the exchanges: %s/\n", url)
	}
	account, key := first(accounts)
	fmt.Fprintf(&b, "export %s=%s\n", envBaseURL, quoteForShell(url))
	fmt.Fprintf(&b, "export %s=%s\n", envAPIKey, quoteForShell(accounts[account].APIKeys[key].Key))
	fmt.Fprintf(&b, "export %s=%s\n", envToken, quoteForShell(accounts[account].Token))
	fmt.Fprintf(&b, "# These are of account %d %q, key %q%s.\n", accounts[account].ID, accounts[account].Name,
		accounts[account].APIKeys[key].Name, restriction(accounts[account].APIKeys[key]))
	for i, a := range accounts {
		fmt.Fprintf(&b, "# account %d %q has %s; %s\n", a.ID, a.Name,
			some("vehicle", a.Vehicles, func(v sandbox.Vehicle) string { return strconv.FormatInt(v.ID, 10) }),
			some("code", a.FaultRules, func(r sandbox.FaultRule) string { return strconv.Quote(r.Code) }))
		for j, k := range a.APIKeys {
			if i == account && j == key {
				continue
			}
			// Quoted by Go, a name cannot end the line of the comment.
			fmt.Fprintf(&b, "# account %d %q, key %q%s: %s=%s %s=%s\n", a.ID, a.Name, k.Name, restriction(k),
				envAPIKey, quoteForShell(k.Key), envToken, quoteForShell(a.Token))
		}
	}
	_, err := io.WriteString(w, b.String()) // in one write, for scripts that wait for the first line and read the others
	return err
}

func restriction(k sandbox.APIKey) string {
	var missing []string
	for _, p := range []struct {
		permission sandbox.Permission
		what       string
	}{{sandbox.CreateFaults, "create"}, {sandbox.ReadFaults, "read"}} {
		if !slices.Contains(k.Permissions, p.permission) {
			missing = append(missing, p.what)
		}
	}
	if missing == nil {
		return ""
	}
	return ", which may not " + strings.Join(missing, " or ") + " faults"
}

// some returns the names of the first few elements.
func some[T any](what string, list []T, name func(T) string) string {
	const maxNames = 8
	if len(list) == 0 {
		return "no " + what
	}
	var names []string
	for _, each := range list[:min(maxNames, len(list))] {
		names = append(names, name(each))
	}
	if len(list) > maxNames {
		names = append(names, fmt.Sprintf("and %d more", len(list)-maxNames))
	}
	if len(list) > 1 {
		what += "s"
	}
	return what + " " + strings.Join(names, ", ")
}

// first returns the first key that may create faults, or the first of all if none may.
func first(accounts []sandbox.Account) (account, key int) {
	for i, a := range accounts {
		for j, k := range a.APIKeys {
			if slices.Contains(k.Permissions, sandbox.CreateFaults) {
				return i, j
			}
		}
	}
	return 0, 0
}

// quoteForShell quotes a string as one word of a POSIX shell.
func quoteForShell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// failures are examples of all failures, with their effects.
var failures = []struct{ what, does string }{
	{"500", "fails with a status from 400 to 599 instead of performing the operation"},
	{"429=30s", "fails with a 429 with Retry-After, in whole seconds"},
	{"503=5s", "fails with a 503 with Retry-After, in whole seconds"},
	{"delay=250ms", "creates the fault at once, and delays the response"},
	{"truncate", "creates the fault, and closes the connection after half of the response"},
	{"malform", "creates the fault, and responds with half of the JSON as if it were complete"},
	{"drop-before", "closes the connection without a response; the fault is not created"},
	{"drop-after", "closes the connection without a response; the fault is created"},
	{"store-late=2s", "closes the connection without a response, or with the one of a status; the fault is created later"},
	{"accept", "performs the operation even without credentials or a valid body"},
	{"set=/id=0", "sets the value at a JSON pointer of the response, or adds it"},
	{"remove=/id", "removes the value at a JSON pointer"},
	{"header=Location=/x", "sets a header; a second one of the same name adds a field"},
	{"header=Location", "removes a header"},
	{"type=text/html", "sets Content-Type"},
	{"status=200", "sets the status, from 200 to 999"},
	{`body={"id":1,"id":2}`, "sets the whole body, verbatim"},
	{"createFault: 500", "limits it to an operation of the contract, by its operationId"},
}

// listFailures prints the failures.
func listFailures(w io.Writer) error {
	out := bufio.NewWriter(w)
	_, _ = fmt.Fprint(out, "A failure is injected into each request; with the suffix @10% into a tenth of them, with @next into the next\n"+
		"one, with @next3 into the next three. \" && \" combines several for one request; body= extends to the end.\n")
	for _, f := range failures {
		_, _ = fmt.Fprintf(out, "%-22s %s\n", f.what, f.does)
	}
	return out.Flush()
}
