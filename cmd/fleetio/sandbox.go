package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server/fixture"
	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server/page"
	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server/sqlite"
	"github.com/fleetcontract/fleetio-go/internal/sandboxserver"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

const defaultAddress = "127.0.0.1:8080"

// serving is one run of the sandbox.
type serving struct {
	address      string
	db           string
	fixturesPath string
	rateLimit    int
	trouble      []string
	listTrouble  bool
	empty403     bool
	text401      bool
	log          string
	noPage       bool
}

func sandboxCommand(c *console) *cobra.Command {
	var s serving
	cmd := &cobra.Command{
		Use:   "sandbox [flags]",
		Short: "Serve a stand-in for the vendor, for tests",
		Long: "sandbox answers Create Fault as the vendor documents it, keeps what was created, and makes trouble on demand. It has\n" +
			"this one operation, and proves nothing about the vendor.\n\n" +
			"Standard output gets its URL and credentials, as lines for a shell; they are in the fixtures, and no secret. A\n" +
			"browser shows at that URL what arrives, each call with its verdict. /healthz answers 200 while faults can be stored, else 503.\n\n" +
			"An interrupt ends it: it takes no call more, finishes those on their way within 10 s, and closes the file. An\n" +
			"answered 201 is on disk with --db.\n\n" +
			"Exit status: 0 it was interrupted, 2 it could not run, or could not close the file of --db well.",
		Example: "  fleetio sandbox\n" +
			"  fleetio sandbox --db faults.db --fixtures fleet.yaml --rate-limit 20\n" +
			"  fleetio sandbox --trouble 500@10% --trouble delay=2s@25%\n" +
			"  fleetio sandbox --trouble drop-after@next --trouble deviate=201/body/id/minimum/zero@5%\n" +
			"  fleetio sandbox --list-trouble | grep Location",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if s.listTrouble {
				return listTrouble(c.stdout)
			}
			for _, name := range []string{"db", "fixtures"} { // as of a variable that is not set
				if flag := cmd.Flags().Lookup(name); flag.Changed && flag.Value.String() == "" {
					return fmt.Errorf("--%s is empty; leave it out, or name a file", name)
				}
			}
			return s.run(cmd.Context(), c)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&s.address, "addr", defaultAddress, "`HOST:PORT` to listen on; port 0 is any that is free. By default, "+defaultAddress+".")
	flags.StringVar(&s.db, "db", "", "SQLite `FILE` to keep accounts and faults in; it is made where there is none. By default, they are kept in memory.")
	flags.StringVar(&s.fixturesPath, "fixtures", "",
		"YAML or JSON `FILE` with accounts, keys, vehicles and rules. By default, what the file of --db has, or else an embedded fleet.")
	flags.IntVar(&s.rateLimit, "rate-limit", 0, "`NUMBER` of calls that each account may make in a clock minute. By default, there is no limit.")
	flags.StringArrayVar(&s.trouble, "trouble", nil,
		"`WHAT` goes wrong: WHAT in each call, WHAT@10% in a share, WHAT@next in the next; may be given several times. By default, nothing.")
	flags.BoolVar(&s.listTrouble, "list-trouble", false, "print all that --trouble takes, and serve nothing. By default, serve.")
	flags.BoolVar(&s.empty403, "empty-403", false, "answer a 403 with an empty body, as one of the vendor's pages says. By default, with a problem object.")
	flags.BoolVar(&s.text401, "text-401", false, "answer a 401 with a line of text, as an old page of the vendor's says. By default, with a problem object.")
	flags.StringVar(&s.log, "log", "text", "`FORMAT` of the log on standard error, a line for each call: text, json, or off, which leaves errors. By default, text.")
	flags.BoolVar(&s.noPage, "no-page", false, "leave out the page that shows what arrives. By default, it is at the URL.")
	for _, name := range []string{"addr", "rate-limit", "log"} {
		value := flags.Lookup(name)
		value.DefValue = map[string]string{"int": "0"}[value.Value.Type()] // the help says it already
	}
	return cmd
}

// softSandboxMemory is what the process tries to get along with, in bytes: what the sandbox keeps (64 MiB of faults, 16 MiB of
// exchanges) and some bodies. Beyond it the collector runs more often than sandboxserver.GCPercent has it.
const softSandboxMemory = 112 << 20

// run serves until ctx ends.
func (s *serving) run(ctx context.Context, c *console) error {
	logger, lines, err := logTo(c.stderr, s.log)
	if err != nil {
		return err
	}
	var served bool
	defer func() { // last, as the log comes to its end before
		if served {
			finishing.RUnlock()
		}
	}()
	defer lines.close(logEnd)
	signal.Ignore(syscall.SIGPIPE) // whoever read the log may leave
	defer debug.SetGCPercent(debug.SetGCPercent(sandboxserver.GCPercent))
	if os.Getenv("GOMEMLIMIT") == "" {
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(softSandboxMemory))
	}
	options, err := s.options()
	if err != nil {
		return err
	}
	judge, err := s.judge() //nolint:contextcheck // to load a spec does not wait
	if err != nil {
		return err
	}
	listener, err := listen(ctx, s.address)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }() // a second time, where it was served
	options = append(options, sandbox.WithLogger(logger))
	f := &front{url: baseURL(listener.Addr()), onLoopback: isLoopback(listener.Addr()), logger: logger}
	if s.db != "" {
		store, err := sqlite.Open(ctx, s.db)
		if err != nil {
			return err
		}
		sandboxserver.OneMoreProcessor()
		options = append(options, sandbox.WithStore(store))
	}
	box, err := sandbox.New(options...) //nolint:contextcheck // it takes none
	if err != nil {
		return plainSandbox(err)
	}
	f.sandbox = box
	if !s.noPage {
		f.page = page.New(box, judge)
	}
	if !f.onLoopback {
		c.warnf("%s is no loopback address: whoever reaches it can call the sandbox, and see what others called", listener.Addr())
	}
	err = announce(c.stdout, f.url, !s.noPage, box.Accounts())
	if err == nil {
		finishing.RLock()
		served = true
		err = serve(ctx, f, listener, logger, 10*time.Second)
	}
	return errors.Join(err, box.Close())
}

// options are those that need nothing but the flags and the fixture file.
func (s *serving) options() ([]sandbox.Option, error) {
	options := []sandbox.Option{sandbox.WithRateLimit(s.rateLimit)}
	if s.noPage { // nobody could look at them
		options = append(options, sandbox.WithHistory(0))
	}
	if s.rateLimit < 0 {
		return nil, errors.New("--rate-limit is a number from 0")
	}
	for _, text := range s.trouble {
		o, err := sandbox.ParseTrouble(text)
		if err != nil {
			return nil, fmt.Errorf("--trouble: %w; --list-trouble lists all", plainSandbox(err))
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

// listen wants both parts of an address, so that nobody binds to all interfaces by leaving one out.
func listen(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return nil, fmt.Errorf("--addr is HOST:PORT, such as %s or 0.0.0.0:8080, not %q", defaultAddress, address)
	}
	network := "tcp"
	if ip := net.ParseIP(host); ip != nil && ip.To4() != nil {
		network = "tcp4" // else 0.0.0.0 would be all of IPv6, too
	}
	listener, err := new(net.ListenConfig).Listen(ctx, network, address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use: name another one by --addr, or port 0 for any that is free", address)
	}
	return listener, err
}

// plainSandbox leaves the name out that the package's errors begin with.
func plainSandbox(err error) error {
	return errors.New(strings.TrimPrefix(err.Error(), "sandbox: "))
}
