package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/probe"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	faults "github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/internal/curl"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// The security schemes of the spec.
const (
	schemeKey   = "apiKey"
	schemeToken = "accountToken"
)

// liveRate is the default of --rate for hosts other than loopback: the lowest limit that a page of the vendor's states.
const liveRate = 20

// probing holds the flags of the commands that send requests.
type probing struct {
	verdict verdict
	service service
	live    bool
	rate    int
	options probe.Options
	set     []string
	record  string
}

// addFlags adds the flags about the server.
func (p *probing) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	p.verdict.addFlags(cmd)
	flags.StringVar(&p.service.base, "base-url", "", "send requests to the server at `URL` (default a sandbox in this process)")
	flags.StringVar(&p.service.keysPath, "credentials", "",
		"read "+envAPIKey+"=... and "+envToken+"=... from `FILE`, of mode 600 (default the environment)")
	p.service.addInsecure(cmd)
	flags.BoolVar(&p.live, "live", false, "allow a host other than loopback, where each accepted create makes a real record")
	flags.IntVar(&p.rate, "rate", 0, "send at most `NUMBER` requests a clock minute (default "+strconv.Itoa(liveRate)+" with --live, or else no limit)")
	flags.IntVar(&p.options.MaxCreates, "max-creates", 10, "make at most `NUMBER` records; 0 is no limit")
	flags.StringVar(&p.record, "record", "", "write the exchanges without credentials to `FILE`, as NDJSON")
}

// addPlanFlags adds the flags about the plan.
func (p *probing) addPlanFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.IntVar(&p.options.MaxRequests, "max-requests", 40, "send at most `NUMBER` requests, those that observe the most claims; 0 is no limit")
	flags.Uint64Var(&p.options.Seed, "seed", 1, "generate values by `NUMBER`")
	flags.StringArrayVar(&p.set, "set", nil, "send `PLACE=VALUE`, such as createFault/request/code=P0420, a value that the account has; with /largest or\n"+
		"/smallest after the place, at the limits of the contract; repeatable (default the examples in the spec)")
}

func probeCommand(c *console) *cobra.Command {
	var p probing
	var planOnly bool
	cmd := &cobra.Command{
		Use:   "probe [flags]",
		Short: "Test a server against the contract, by requests made of its claims",
		Long: "probe sends valid requests, and for each claim about a request one that violates it, and checks each response.\n" +
			"Without --base-url, it tests a sandbox in this process.\n\n" +
			"It fails if the server accepts what the contract forbids, refuses what is valid, or responds with a server\n" +
			"error or anything else that the contract does not have. A record that should not have been made is reported\n" +
			"with its id, and each failed request as a curl command.\n\n" +
			"A live account is precious: --plan prints the requests, and sends none. The first requests of a plan observe\n" +
			"the most claims, assumed ones before documented ones. probe waits as Retry-After says, and after an interrupt\n" +
			"it reports what it has.\n\n" + credentials + "\n\n" + exitCodes,
		Example: "  fleetio probe --plan\n" +
			"  fleetio probe --max-requests 0\n" +
			"  fleetio probe --base-url http://127.0.0.1:8080 --report junit=probe.xml\n" +
			"  fleetio probe --live --base-url https://secure.fleetio.com --record probe.ndjson \\\n" +
			"    --set createFault/request/vehicle_id=4711 --set createFault/request/code=P0420",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.prepare(cmd, c, nil); err != nil {
				return err
			}
			plan, err := p.plan()
			if err != nil {
				return err
			}
			if planOnly {
				return printPlan(c.stdout, plan)
			}
			result, err := p.run(cmd, c, plan)
			if err != nil {
				return err
			}
			p.keep(result)
			return p.conclude(cmd.Context(), c, result, result.Report)
		},
	}
	p.addFlags(cmd)
	p.addPlanFlags(cmd)
	cmd.Flags().BoolVar(&planOnly, "plan", false, "print the requests and how many records they make, and send none")
	return cmd
}

// prepare checks the flags. inputs are the files that the run reads.
func (p *probing) prepare(cmd *cobra.Command, c *console, inputs []string) error {
	if p.record != "" {
		p.verdict.outputs = append(p.verdict.outputs, p.record)
	}
	if err := p.verdict.prepare(cmd, c, inputs); err != nil {
		return err
	}
	if p.rate < 0 || p.options.MaxCreates < 0 || p.options.MaxRequests < 0 {
		return errors.New("--rate, --max-requests and --max-creates are numbers from 0")
	}
	p.options.Set = map[string]string{}
	for _, text := range p.set {
		place, value, ok := strings.Cut(text, "=")
		if !ok || place == "" {
			return fmt.Errorf("--set must be PLACE=VALUE, such as createFault/request/code=P0420, not %q", text)
		}
		p.options.Set[place] = value
	}
	if p.service.base == "" {
		return nil
	}
	u, err := url.Parse(p.service.base)
	if err != nil {
		return errors.New("--base-url is no URL")
	}
	ip := net.ParseIP(u.Hostname())
	if u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	p.options.OwnRecords = true
	if !p.live {
		return fmt.Errorf("%s is not loopback, so that records are real; see --plan, and use --live to allow it", u.Hostname())
	}
	if u.Scheme == "http" && !p.service.insecure {
		return fmt.Errorf("http to %s would send the credentials unencrypted; for a test server in another container, --insecure-http allows it", u.Hostname())
	}
	if !cmd.Flags().Changed("rate") {
		p.rate = liveRate
	}
	return nil
}

// plan makes the plan. That of the sandbox has the values of its fixtures.
func (p *probing) plan() (*probe.Plan, error) {
	if p.service.base == "" {
		p.options.Restricted = []string{schemeKey}
		p.options.Defaults = map[string]string{"createFault/request/code/largest": longCode, "createFault/request/vehicle_id/smallest": "1"}
	}
	plan, err := probe.New(p.verdict.spec.contract, p.options)
	if err != nil {
		return nil, fmt.Errorf("--set: %w", err)
	}
	return plan, nil
}

// printPlan prints the cases, and what is left out.
func printPlan(w io.Writer, plan *probe.Plan) error {
	var b strings.Builder
	for _, c := range plan.Cases {
		fmt.Fprintf(&b, "%-52s %-18s %s\n", c.Name, c.Expected(), c.Reason)
	}
	fmt.Fprintf(&b, "%d requests, which make %d records if the server conforms\n", len(plan.Cases), plan.Creates())
	for _, line := range omissions(plan.Omitted, "\n  ") {
		fmt.Fprintln(&b, line)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// omissions has a line for each reason. It lists the names after the separator, unless that is "".
func omissions(list []probe.Omission, separator string) (lines []string) {
	names := map[string][]string{}
	var reasons []string
	for _, o := range list {
		if names[o.Reason] == nil {
			reasons = append(reasons, o.Reason)
		}
		names[o.Reason] = append(names[o.Reason], o.Name)
	}
	for _, reason := range reasons {
		line := fmt.Sprintf("%d left out, as %s", len(names[reason]), reason)
		if separator != "" {
			line += ":" + separator + strings.Join(names[reason], separator)
		}
		lines = append(lines, line)
	}
	return lines
}

// run sends the requests of a plan, and prints each failure.
func (p *probing) run(cmd *cobra.Command, c *console, plan *probe.Plan) (*probe.Result, error) {
	target := probe.Target{URL: p.service.base, Rate: p.rate, MaxCreates: p.options.MaxCreates}
	if target.URL == "" {
		server, err := startSandbox(&target)
		if err != nil {
			return nil, err
		}
		defer func() { _ = server.Close() }()
	} else if schemes := plan.Schemes(); slices.Contains(schemes, schemeKey) || slices.Contains(schemes, schemeToken) {
		keys, err := p.service.credentials()
		if err != nil {
			return nil, err
		}
		target.Credentials = credentialsOf(keys)
	}
	progress := c.startProgress()
	sent := 0
	target.Done = func(o probe.Outcome) {
		sent++
		progress.show(func(time.Duration) string { return fmt.Sprintf("%d of %d requests", sent, len(plan.Cases)) })
		if o.Failed() || o.Leaked != "" {
			printFailure(c, &o)
		}
	}
	finishing.RLock() // a request in flight may make a record
	defer finishing.RUnlock()
	result, err := plan.Run(cmd.Context(), target)
	progress.end()
	if err != nil {
		return nil, fmt.Errorf("--base-url: %w", err)
	}
	for _, line := range omissions(plan.Omitted, "") {
		c.notef("%s; --plan lists them", line)
	}
	for _, line := range omissions(result.Unsent, " ") {
		c.notef("%s", line)
	}
	return result, nil
}

func credentialsOf(keys faults.Credentials) map[string]string {
	return map[string]string{schemeKey: "Token " + keys.APIKey, schemeToken: keys.AccountToken}
}

// printFailure prints what is wrong with an exchange, and a command that repeats the request.
func printFailure(c *console, o *probe.Outcome) {
	lines := []string{fmt.Sprintf("%s: %d", o.Case.Name, o.Exchange.Status)}
	if o.Problem != "" {
		lines = append(lines, o.Problem)
	}
	for _, f := range o.Findings {
		if f.Fails() {
			lines = append(lines, fmt.Sprintf("%s %s %s: %s", f.Part, f.Pointer, f.Rule, f.Message))
		}
	}
	if o.Leaked != "" {
		lines = append(lines, "leaked: the server has made a record that it should not have: "+o.Leaked)
	}
	request := curl.Request{Method: o.Request.Method, URL: o.URL, Header: o.Request.Request.Header.Clone(), Body: o.Request.Request.Body,
		Variables: curl.Fleetio}
	if request.Header.Get("Authorization") == curl.Placeholder {
		request.Header.Set("Authorization", "Token "+curl.Placeholder)
	}
	if text, ok := curl.Command(request); ok {
		lines = append(lines, strings.Split(text, "\n")...)
	}
	_, _ = fmt.Fprintln(c.stderr, strings.Join(lines, "\n  "))
}

// keep keeps the exchanges of a run for the report in HTML.
func (p *probing) keep(result *probe.Result) {
	if add := p.verdict.deviating(); add != nil {
		for i := range result.Outcomes {
			add(result.Outcomes[i].Exchange, result.Outcomes[i].Findings)
		}
	}
}

// conclude writes the recording and the report. An interrupted run has a report, too.
func (p *probing) conclude(ctx context.Context, c *console, result *probe.Result, report *conformance.Report) error {
	if len(result.Outcomes) > 0 && report.Exchanges == 0 {
		return errors.New("no exchange was checked: " + strings.Join(result.Problems, "; "))
	}
	if p.record != "" {
		if err := p.writeRecording(result); err != nil {
			return err
		}
	}
	p.verdict.problems = append(p.verdict.problems, result.Problems...)
	err := p.verdict.conclude(context.WithoutCancel(ctx), c, report)
	if ctx.Err() != nil {
		return errors.Join(err, errInterrupted)
	}
	return err
}

// writeRecording writes the exchanges, which have no credentials.
func (p *probing) writeRecording(result *probe.Result) error {
	var results files
	defer func() { results.discard() }()
	err := results.add(p.record, func(w io.Writer) error {
		for _, o := range result.Outcomes {
			if err := traffic.WriteNDJSON(w, o.Exchange); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(err, results.commit())
}

// longCode is a code at the limit of the contract, in characters of two bytes.
var longCode = strings.Repeat("é", 255)

// startSandbox starts a sandbox for a target, with more faults than a page has, of a vehicle that is archived.
func startSandbox(target *probe.Target) (*http.Server, error) {
	const stored = 51
	fixtures := sandbox.DefaultFixtures()
	account := &fixtures.Accounts[0]
	account.FaultRules = append(account.FaultRules, sandbox.FaultRule{ID: 99, Code: longCode})
	for range stored {
		account.Faults = append(account.Faults, faults.FaultCreate{VehicleID: 2, Code: "P0420"})
	}
	box, err := sandbox.New(sandbox.WithFixtures(fixtures), sandbox.WithHistory(0))
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not block
	if err != nil {
		return nil, errors.Join(err, box.Close())
	}
	server := &http.Server{Handler: box, ReadHeaderTimeout: time.Minute}
	server.RegisterOnShutdown(func() { _ = box.Close() })
	go func() { _ = server.Serve(listener) }() // until it is closed
	target.URL = "http://" + listener.Addr().String()
	target.Credentials = credentialsOf(faults.Credentials{APIKey: account.APIKeys[0].Key, AccountToken: account.Token})
	target.Restricted = map[string]string{schemeKey: "Token " + account.APIKeys[1].Key}
	return server, nil
}
