package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/report"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// embeddedSpec is what reports call the spec that the binary holds.
const embeddedSpec = "api/openapi.yaml"

func verifyCommand() *cobra.Command {
	var spec, format string
	cmd := &cobra.Command{
		Use:   "verify [flags] PATH...",
		Short: "Judge recorded exchanges (HAR 1.2) against the contract",
		Long: "verify judges recorded exchanges against the contract and prints every deviation (of one claim at most 100 in\n" +
			"a body).\n\n" +
			"A PATH is a HAR 1.2 file, a folder (its *.har files, recursively) or - for standard input.\n\n" +
			"Exit status: 0 all exchanges conform, 1 there are findings, 2 the command could not run. A run in which no\n" +
			"exchange was for an operation of the contract is 2: an empty run is not a pass.",
		Example: "  fleetio verify session.har\n" +
			"  fleetio verify --format json recordings/ > report.json\n" +
			"  fleetio verify --spec api/openapi.yaml - < session.har",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("verify needs a PATH: a HAR file, a folder of them, or - for standard input")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, paths []string) error {
			if format != "text" && format != "json" {
				return fmt.Errorf("--format is text or json, not %q", format)
			}
			return verify(cmd, spec, format, paths)
		},
	}
	cmd.Flags().StringVar(&spec, "spec", "", "OpenAPI 3.0 `FILE` to judge by (default: the embedded "+embeddedSpec+")")
	cmd.Flags().StringVar(&format, "format", "text", "what to print: text or json")
	return cmd
}

func verify(cmd *cobra.Command, spec, format string, paths []string) error {
	contract, name, err := loadContract(spec)
	if err != nil {
		return err
	}
	for _, u := range contract.Unchecked {
		cmd.PrintErrf("warning: %s:%d: not checked: %s (#%s)\n", name, u.Spec.Line, u.Reason, u.Spec.Pointer)
	}
	result := report.New()
	for exchange, err := range traffic.ReadPaths(cmd.InOrStdin(), paths...) {
		if err != nil {
			return err
		}
		findings, err := contract.Check(exchange)
		if err := result.Add(exchange, findings, err); err != nil {
			return err
		}
	}
	if result.Exchanges == 0 {
		return fmt.Errorf("nothing was judged: of %d exchanges, %d were for no operation of the contract and %d had no answer",
			result.Summary.Unmatched+result.Summary.Unanswered, result.Summary.Unmatched, result.Summary.Unanswered)
	}
	for _, omitted := range []struct {
		n    int
		what string
	}{
		{result.Summary.BodiesOmitted, "a response body, so no answer was judged by what it says"},
		{result.Summary.RequestBodiesOmitted, "a request body, so nothing was judged by what was sent"},
		{result.Summary.HeadersOmitted, "both headers, so credentials and response headers were not judged in full"},
	} {
		if omitted.n == result.Exchanges {
			cmd.PrintErrf("warning: no exchange has %s\n", omitted.what)
		}
	}
	if format == "json" {
		err = result.WriteJSON(cmd.OutOrStdout())
	} else {
		err = result.WriteText(cmd.OutOrStdout(), name)
	}
	if err == nil && !result.Summary.Conforms {
		err = errFindings
	}
	return err
}

// loadContract reads the spec at path, or the embedded one, and returns it with its name.
func loadContract(path string) (*conformance.Contract, string, error) {
	spec, name := api.Spec, embeddedSpec
	if path != "" {
		name = path
		var err error
		if spec, err = readSpec(path); err != nil {
			return nil, name, err
		}
	}
	contract, err := conformance.Load(spec)
	var at *conformance.SpecError
	switch {
	case errors.As(err, &at) && at.Line > 0:
		return nil, name, fmt.Errorf("%s:%d: %s (#%s)", name, at.Line, at.Reason, at.Pointer)
	case err != nil:
		return nil, name, fmt.Errorf("%s: %w", name, err)
	}
	return contract, name, nil
}

func readSpec(path string) ([]byte, error) {
	const most = 16 << 20 // far beyond any spec written by people
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	spec, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && len(spec) > most {
		err = fmt.Errorf("%s: a spec of more than %d MiB", path, most>>20)
	}
	return spec, err
}
