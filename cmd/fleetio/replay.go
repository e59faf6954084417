package main

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/probe"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

func replayCommand(c *console) *cobra.Command {
	var p probing
	var findingsOnly bool
	cmd := &cobra.Command{
		Use:   "replay [flags] PATH...",
		Short: "Send the requests of recordings again, and check the responses",
		Long: "replay sends the requests of recordings that are for operations of the contract to a server, one after the\n" +
			"other, with the credentials of the environment in place of the recorded ones. Requests that were answered\n" +
			"with 401 or 403 keep a wrong one. Without --base-url, it sends them to a sandbox in this process.\n\n" +
			credentials + "\n\n" + exitCodes,
		Example: "  fleetio replay --base-url http://127.0.0.1:8080 probe.ndjson\n" +
			"  fleetio replay --findings --live --base-url https://secure.fleetio.com session.har",
		Args: needs(aPath),
		RunE: func(cmd *cobra.Command, paths []string) error {
			if err := p.prepare(cmd, c, paths); err != nil {
				return err
			}
			var exchanges []*traffic.Exchange
			for ex, err := range traffic.Read(cmd.Context(), c.stdin, paths...) {
				if entry, ok := errors.AsType[*traffic.EntryError](err); ok {
					c.warnf("%v", entry)
					continue
				}
				if err != nil {
					return err
				}
				findings, err := p.verdict.spec.contract.Check(ex)
				fails := slices.ContainsFunc(findings, func(f conformance.Finding) bool { return f.Fails() })
				if (err == nil || errors.Is(err, conformance.ErrNoResponse)) && (fails || !findingsOnly) {
					exchanges = append(exchanges, ex)
				}
			}
			if len(exchanges) == 0 {
				return errors.New("the recordings have no request to send")
			}
			result, err := p.run(cmd, c, probe.Replay(p.verdict.spec.contract, exchanges))
			if err != nil {
				return err
			}
			p.keep(result)
			return p.conclude(cmd.Context(), c, result, result.Report)
		},
	}
	p.addFlags(cmd)
	serverFlag(cmd, &p.verdict.servers)
	cmd.Flags().BoolVar(&findingsOnly, "findings", false, "send only the requests of exchanges with findings")
	return cmd
}
