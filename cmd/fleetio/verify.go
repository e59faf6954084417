package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

func verifyCommand(c *console) *cobra.Command {
	var v verdict
	var shard string
	cmd := &cobra.Command{
		Use:   "verify [flags] PATH...",
		Short: "Judge recorded exchanges (HAR, NDJSON, go-vcr) against the contract",
		Long: "verify judges recorded exchanges against the contract and prints every deviation (of one claim at most 100 in\n" +
			"a body), and which claims the traffic says nothing of.\n\n" +
			"A PATH is a recording (HAR 1.2, NDJSON with one exchange a line, or a go-vcr cassette), a folder of them, or - for\n" +
			"standard input.\n\n" +
			exitTable + " A run in which no\n" +
			"exchange was for an operation of the contract is 2: an empty run is not a pass. A shard may be empty.",
		Example: "  fleetio verify session.har\n" +
			"  fleetio verify --strict --known known.txt --min-coverage 60 recordings/\n" +
			"  fleetio verify --format json --report junit=junit.xml --report sarif=fleetio.sarif recordings/ > report.json\n" +
			"  fleetio verify --spec api/openapi.yaml --suggest overlay.yaml - < session.har\n" +
			"  fleetio verify --shard 2/4 --report json=shard-2.json recordings/",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("verify needs a PATH: a recording, a folder of them, or - for standard input")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, paths []string) error {
			o, err := dealt(cmd, shard)
			if err != nil {
				return err
			}
			recordings, err := filesOf(cmd.Context(), paths)
			if err != nil {
				return err
			}
			if err := v.prepare(cmd, slices.Concat(recordings, paths)); err != nil {
				return err
			}
			r, err := judge(cmd.Context(), c, v.spec.contract, o, recordings)
			if err != nil {
				return err
			}
			if r.Exchanges == 0 && shard == "" {
				return nothingJudged(r.Summary)
			}
			return v.conclude(cmd.Context(), c, r)
		},
	}
	v.addFlags(cmd)
	cmd.Flags().StringVar(&shard, "shard", "", "judge only part `I/N` of the exchanges, 1/N to N/N; fleetio merge adds the reports up. By default, all.")
	return cmd
}

// dealt reads --shard, and refuses with it what only the whole can be asked.
func dealt(cmd *cobra.Command, shard string) (conformance.Options, error) {
	var o conformance.Options
	if !cmd.Flags().Changed("shard") {
		return o, nil
	}
	left, right, _ := strings.Cut(shard, "/")
	i, errI := strconv.Atoi(left)
	n, errN := strconv.Atoi(right)
	if errI != nil || errN != nil || i < 1 || i > n {
		return o, fmt.Errorf("--shard is I/N, 1/N to N/N, not %q", shard)
	}
	for _, flag := range []string{"known", "min-coverage", "suggest", "suggest-documented"} {
		if cmd.Flags().Changed(flag) {
			return o, fmt.Errorf("--%s is about the whole, not a shard: give it to fleetio merge", flag)
		}
	}
	o.Shard, o.Shards = i, n
	return o, nil
}

// filesOf lists the recordings at the paths, so that a run knows what it reads before it writes anything.
func filesOf(ctx context.Context, paths []string) ([]string, error) {
	return interruptible(ctx, func() ([]string, error) { return traffic.Files(paths...) })
}

// judge weighs the recordings at the paths.
func judge(ctx context.Context, c *console, contract *conformance.Contract, o conformance.Options, paths []string) (*conformance.Report, error) {
	if c.live {
		p := newProgress(c, sizeOf(paths))
		defer p.end()
		o.Progress = p.show
	}
	report, err := contract.Verify(traffic.Read(ctx, c.stdin, paths...), o)
	if ctx.Err() != nil {
		return nil, errInterrupted
	}
	return report, err
}
