package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/internal/printable"
)

func claimsCommand(c *console) *cobra.Command {
	var path, format string
	cmd := &cobra.Command{
		Use:   "claims [flags]",
		Short: "List the claims of the spec",
		Long: "claims lists every claim of the spec that traffic can support or violate: its source, line, ID and text.\n\n" +
			"Exit codes: 0 listed, 2 could not run.",
		Example: "  fleetio claims\n  fleetio claims --format json | jq -r '.[] | select(.source == \"assumed\") | .id'",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			if err := checkFormat(format); err != nil {
				return err
			}
			if err := checkOutputs(nil, []string{path}); err != nil {
				return err
			}
			s, err := loadSpec(path)
			if err != nil {
				return err
			}
			out := bufio.NewWriter(c.stdout)
			if format == "json" {
				e := json.NewEncoder(out)
				e.SetEscapeHTML(false)
				e.SetIndent("", "  ")
				return errors.Join(e.Encode(s.contract.Claims()), out.Flush())
			}
			for _, claim := range s.contract.Claims() {
				line := fmt.Sprintf("%-10s %s:%d %s: %s", claim.Source, s.name, claim.Spec.Line, claim.ID, claim.Text)
				_, _ = fmt.Fprintln(out, printable.Text(line))
			}
			return out.Flush()
		},
	}
	specFlag(cmd, &path)
	formatFlag(cmd, &format, "text or json")
	return cmd
}
