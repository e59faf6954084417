package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
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
	"github.com/fleetcontract/fleetio-go/conformance/report"
	"github.com/fleetcontract/fleetio-go/internal/printable"
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
	noControl    bool
	tokenPath    string
	tls          bool
	caFile       string
	failing      bool // on findings

	token       string          // of the control API; "" for none
	certificate []byte          // for clients to trust; nil without TLS
	spec        *spec           // nil if nothing is checked
	journal     *server.Journal // nil if not each exchange is checked
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
			"Below /_sandbox/ is the control API, with which tests in any language set failures, move the clock, read\n" +
			"the faults and the exchanges, and reset all; /_sandbox/openapi.yaml describes it. On an address other than\n" +
			"loopback it needs a token, from FILE or " + envControlToken + ".\n\n" +
			"SIGINT and SIGTERM end it: it stops accepting connections, gives in-flight requests 10 s to complete,\n" +
			"and closes the file. With --db, a fault is on disk before its 201 is sent.\n\n" +
			"Exit codes: 0 after a signal, 1 findings with --fail-on-findings, 2 if it could not run, or could not close\n" +
			"the file of --db.",
		Example: "  fleetio sandbox\n" +
			"  fleetio sandbox --db faults.db --fixtures fleet.yaml --rate-limit 20\n" +
			"  fleetio sandbox --failure 500@10% --failure delay=2s@25%\n" +
			"  fleetio sandbox --failure drop-after@next --failure 'createFault: set=/id=0 && header=Location@5%'\n" +
			"  fleetio sandbox --tls --ca-file ca.pem --fail-on-findings\n" +
			"  fleetio sandbox --list-failures\n" +
			"  curl -d '{\"failures\": [\"drop-after@next\"]}' -H 'Content-Type: application/json' $FLEETIO_BASE_URL/_sandbox/failures",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if s.listFailures {
				return listFailures(c.stdout)
			}
			for _, name := range []string{"db", "fixtures", "control-token", "ca-file"} { // a shell variable that is not set
				if flag := cmd.Flags().Lookup(name); flag.Changed && flag.Value.String() == "" {
					return fmt.Errorf("--%s is empty; omit it or name a file", name)
				}
			}
			if s.caFile != "" && !s.tls {
				return errors.New("--ca-file needs --tls")
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
	flags.BoolVar(&s.noPage, "no-page", false, "serve no page")
	flags.BoolVar(&s.noControl, "no-control", false, "serve no control API; with --no-page, keep no exchanges")
	flags.StringVar(&s.tokenPath, "control-token", "",
		"require the token in `FILE`, of mode 600, for the control API (default $"+envControlToken+", or else none on loopback,\n"+
			"and no control API on other addresses)")
	flags.BoolVar(&s.tls, "tls", false, "serve HTTPS, with a certificate that is made for this run")
	flags.StringVar(&s.caFile, "ca-file", "",
		"with --tls, write the certificate that clients have to trust to `FILE` (default print it to standard output)")
	flags.BoolVar(&s.failing, "fail-on-findings", false, "check each exchange, and exit with 1 if one deviates from the contract")
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
	if err := s.prepare(c, listener); err != nil {
		return err
	}
	options = append(options, sandbox.WithLogger(logger))
	if s.noPage && s.noControl {
		options = append(options, sandbox.WithHistory(0))
	}
	if s.journal != nil {
		options = append(options, sandbox.WithObserver(s.journal.Observe))
	}
	newSandbox := func(fixtures *sandbox.Fixtures) (*sandbox.Sandbox, error) { //nolint:contextcheck // it takes none
		all := slices.Clone(options)
		if fixtures != nil {
			all = append(all, sandbox.WithFixtures(*fixtures))
		}
		return sandbox.New(all...)
	}
	if s.db != "" {
		store, err := sqlite.Open(ctx, s.db)
		if err != nil {
			return err
		}
		options = append(options, sandbox.WithStore(store))
	}
	box, err := newSandbox(nil)
	if err != nil {
		return trimPackage(err)
	}
	srv := server.New(listener, logger, box, s.newPage(), s.control(newSandbox))
	before, after := s.more(srv.URL())
	if err = announce(c.stdout, srv.URL(), before, after, box.Accounts()); err == nil {
		finishing.RLock()
		defer finishing.RUnlock() // once the file is closed
		err = srv.Serve(ctx)
	}
	if err = errors.Join(err, srv.Sandbox().Close()); err == nil && s.failing {
		err = s.conclude(c, srv.Sandbox())
	}
	return err
}

// prepare decides about the control API, makes the certificate, and reads the spec for the page and the journal.
func (s *sandboxRun) prepare(c *console, listener *server.Listener) error {
	var err error
	if s.token, err = s.controlToken(); err != nil {
		return err
	}
	if !listener.OnLoopback() {
		warning := "every host that reaches it can use the sandbox"
		if !s.noPage {
			warning += " and see all exchanges"
		}
		if s.token == "" && !s.noControl {
			s.noControl = true
			warning += "; without --control-token or $" + envControlToken + " it has no control API"
		}
		c.warnf("%s is no loopback address: %s", listener.Addr(), warning)
	}
	if s.tls {
		if s.certificate, err = listener.UseTLS(); err != nil {
			return fmt.Errorf("--tls: %w", err)
		}
		if s.caFile != "" {
			if s.caFile, err = filepath.Abs(s.caFile); err != nil {
				return fmt.Errorf("--ca-file: %w", err)
			}
			// No secret, so that clients of other users can read it.
			if err := os.WriteFile(s.caFile, s.certificate, 0o644); err != nil { //nolint:gosec // see above
				return fmt.Errorf("--ca-file: %w", err)
			}
		}
	}
	if s.noPage && s.noControl && !s.failing {
		return nil
	}
	if s.spec, err = c.loadSpec(""); err == nil && (!s.noControl || s.failing) {
		s.journal = server.NewJournal(s.spec.contract)
	}
	return err
}

// controlToken returns the token of the control API; "" for none.
func (s *sandboxRun) controlToken() (string, error) {
	const minToken = 16
	token := os.Getenv(envControlToken)
	if s.tokenPath != "" {
		values, err := readSecrets(s.tokenPath, envControlToken)
		if err != nil {
			return "", err
		}
		token = values[envControlToken]
	}
	if token != "" && (len(token) < minToken || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' })) {
		return "", fmt.Errorf("the control token must have at least %d characters, all of them visible ASCII", minToken)
	}
	return token, nil
}

// newPage returns the function that makes the page of a sandbox; nil for no page.
func (s *sandboxRun) newPage() func(*sandbox.Sandbox) *page.Page {
	if s.noPage {
		return nil
	}
	check := server.Check(s.spec.contract, s.spec.name)
	return func(box *sandbox.Sandbox) *page.Page { return page.New(box, check) }
}

// control returns the control API; nil for none.
func (s *sandboxRun) control(newSandbox func(*sandbox.Fixtures) (*sandbox.Sandbox, error)) *server.Control {
	if s.noControl {
		return nil
	}
	control := &server.Control{Journal: s.journal, Token: s.token, New: newSandbox}
	if s.db != "" {
		control.New = nil
	}
	return control
}

// conclude prints the report of all exchanges, and returns errFindings if one deviates from the contract.
func (s *sandboxRun) conclude(c *console, box *sandbox.Sandbox) error {
	r, earlier := s.journal.Report(box.Redact)
	if r.Exchanges+earlier.Exchanges == 0 {
		return nothingChecked(r.Summary)
	}
	if earlier.Exchanges > 0 {
		c.notef("before the journal was last cleared, %d exchanges were checked, with %d findings", earlier.Exchanges, earlier.Findings)
	}
	if err := report.Write(printable.Unescaped(c.stderr), "text", r, report.Options{Spec: s.spec.published, Version: version()}); err != nil {
		return err
	}
	if r.Summary.Findings+earlier.Findings > 0 {
		return errFindings
	}
	return nil
}

// options returns the options of the flags and the fixture file.
func (s *sandboxRun) options() ([]sandbox.Option, error) {
	if s.rateLimit < 0 {
		return nil, errors.New("--rate-limit is a number from 0")
	}
	options := []sandbox.Option{sandbox.WithRateLimit(s.rateLimit)}
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

// more returns what is printed before and after the URL and the credentials: comments, and the certificate.
func (s *sandboxRun) more(url string) (before, after string) {
	if !s.noPage {
		before = "# The page of the exchanges: " + url + "/\n"
	}
	if !s.noControl {
		before += "# The control API: " + url + "/_sandbox/openapi.yaml\n"
	}
	switch {
	case s.certificate == nil:
	case s.caFile == "":
		after = "# Clients have to trust this certificate.\nexport FLEETIO_SANDBOX_CA=" + quoteForShell(string(s.certificate)) + "\n"
	default:
		after = "# Clients have to trust the certificate in this file: Go, Python, Ruby and curl by the first name, Node by the second.\n" +
			"export SSL_CERT_FILE=" + quoteForShell(s.caFile) + "\nexport NODE_EXTRA_CA_CERTS=" + quoteForShell(s.caFile) + "\n"
	}
	return before, after
}

// announce prints the URL and the credentials of the sandbox, as lines that a shell can evaluate.
func announce(w io.Writer, url, before, after string, accounts []sandbox.Account) error {
	var b strings.Builder
	b.WriteString(before)
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
	b.WriteString(after)
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
