package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/probe"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// testCommand is verify and probe together.
func testCommand(c *console) *cobra.Command {
	var p probing
	cmd := &cobra.Command{
		Use:   "test [flags] [PATH...]",
		Short: "Verify recordings and probe a server, with one verdict",
		Long: "test checks recordings, as verify does, and a server, as probe does, adds up the evidence, and prints a\n" +
			"summary, or the findings. Without --base-url, it probes a sandbox in this process.\n\n" +
			credentials + "\n\n" + exitCodes,
		Example: "  fleetio test --max-requests 0 recordings/\n" +
			"  fleetio test --base-url http://127.0.0.1:8080 --report junit=contract.xml recordings/",
		RunE: func(cmd *cobra.Command, paths []string) error {
			recordings, err := traffic.Files(paths...)
			if err != nil {
				return err
			}
			if err := p.prepare(cmd, c, slices.Concat(recordings, paths)); err != nil {
				return err
			}
			plan, err := p.plan()
			if err != nil {
				return err
			}
			result, err := p.run(cmd, c, plan)
			if err != nil {
				return err
			}
			report, err := p.together(context.WithoutCancel(cmd.Context()), c, recordings, result)
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("format") {
				p.verdict.summary = func(w io.Writer, r *conformance.Report) error {
					return p.summarize(w, r, len(recordings), result)
				}
			}
			return p.conclude(cmd.Context(), c, result, report)
		},
	}
	p.addFlags(cmd)
	p.addPlanFlags(cmd)
	serverFlag(cmd, &p.verdict.servers)
	return cmd
}

// together checks the recordings and the exchanges of a probe in one run.
func (p *probing) together(ctx context.Context, c *console, recordings []string, result *probe.Result) (*conformance.Report, error) {
	var warned warnings
	defer warned.print(c)
	options := conformance.Options{Warn: warned.add, Deviating: p.verdict.deviating()}
	return p.verdict.spec.contract.Verify(func(yield func(*traffic.Exchange, error) bool) {
		for ex, err := range traffic.Read(ctx, c.stdin, recordings...) {
			if !yield(ex, err) {
				return
			}
		}
		for i := range result.Outcomes {
			if !yield(result.Outcomes[i].Evidence(), nil) {
				return
			}
		}
	}, options)
}

// summarize prints ten lines at most.
func (p *probing) summarize(w io.Writer, r *conformance.Report, recordings int, result *probe.Result) error {
	created, recording := 0, 0
	for _, o := range result.Outcomes {
		if o.Case.Creates && o.Exchange.Status/100 == 2 {
			created++
		}
	}
	for _, e := range r.Claims {
		if e.State == conformance.Unobserved && e.NeedsRecording {
			recording++
		}
	}
	s := r.Summary
	_, err := fmt.Fprintf(w, "recordings  %d files, %d exchanges\n"+
		"probe       %d requests to %s, %d records made, %d requests left out\n"+
		"claims      %d of %d observed (%.1f%%)\n"+
		"unobserved  %d claims, %d of which need a recording; --format text lists them\n"+
		"findings    %d documented, %d assumed, %d known\n"+
		"drift       %d\n"+
		"notes       %d\n"+
		"verdict     conforms\n",
		recordings, r.Exchanges-len(result.Outcomes)+s.Unmatched, len(result.Outcomes), cmp.Or(p.service.base, "a sandbox"), created, len(result.Unsent),
		s.Observed, s.Claims, s.Coverage(), s.Claims-s.Observed, recording, s.Documented, s.Assumed, s.Known, s.Drift, s.Notes)
	return err
}
