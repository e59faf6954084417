package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

func claimsCommand(c *console) *cobra.Command {
	var path, format string
	cmd := &cobra.Command{
		Use:   "claims [flags]",
		Short: "List the claims of the spec",
		Long: "claims lists every claim of the spec that traffic can support or violate: its source, line, ID and text.\n" +
			"It ends with what the spec has and verify does not check.\n\n" +
			"Exit codes: 0 listed, 2 could not run.",
		Example: "  fleetio claims\n  fleetio claims --format json | jq -r '.claims[] | select(.source == \"assumed\") | .id'",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			if err := checkFormat(format); err != nil {
				return err
			}
			if err := checkOutputs(nil, []string{path}); err != nil {
				return err
			}
			s, err := c.loadSpec(path)
			if err != nil {
				return err
			}
			out := bufio.NewWriter(c.stdout)
			if format == "json" {
				e := json.NewEncoder(out)
				e.SetEscapeHTML(false)
				e.SetIndent("", "  ")
				return errors.Join(e.Encode(map[string]any{"claims": s.contract.Claims(), "unchecked": s.contract.Unchecked}), out.Flush())
			}
			list := func(source any, at conformance.Location, id, text string) {
				line := fmt.Sprintf("%-10s %s:%d %s: %s", source, at.In(s.name), at.Line, id, text)
				_, _ = fmt.Fprintln(out, printable.Text(line))
			}
			for _, claim := range s.contract.Claims() {
				list(claim.Source, claim.Spec, claim.ID, claim.Text)
			}
			for _, u := range s.contract.Unchecked {
				list("unchecked", u.Spec, "#"+u.Spec.Pointer, u.Reason)
			}
			return out.Flush()
		},
	}
	specFlag(cmd, &path)
	formatFlag(cmd, &format, "text or json")
	return cmd
}
