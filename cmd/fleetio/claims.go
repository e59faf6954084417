package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/against"
	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/suggest"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

func claimsCommand(c *console) *cobra.Command {
	var path, format, other, suggestPath string
	cmd := &cobra.Command{
		Use:   "claims [flags]",
		Short: "List the claims of the spec",
		Long: "claims lists every claim of the spec that traffic can support or violate: its source, line, ID and text.\n" +
			"It ends with what the spec has and verify does not check.\n\n" +
			"With --against, it compares them with another OpenAPI 3.0 document about the same API, such as the vendor's\n" +
			"own: whether it agrees with each claim, contradicts it, or is silent, and what only the document has. --suggest\n" +
			"then writes an overlay that makes the assumed claims documented with which the document agrees.\n\n" +
			"Exit codes: 0 listed, 1 the document contradicts a claim, 2 could not run.",
		Example: "  fleetio claims\n  fleetio claims --format json | jq -r '.claims[] | select(.source == \"assumed\") | .id'\n" +
			"  fleetio claims --against vendor.yaml --suggest overlay.yaml",
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			if err := checkFormat(format); err != nil {
				return err
			}
			var outputs []string
			if suggestPath != "" {
				outputs = []string{suggestPath}
			}
			if suggestPath != "" && other == "" {
				return errors.New("--suggest needs --against")
			}
			if err := checkOutputs(outputs, []string{path, other}); err != nil {
				return err
			}
			s, err := c.loadSpec(path)
			if err != nil {
				return err
			}
			if other != "" {
				return compareClaims(c, s, other, suggestPath, format)
			}
			out := bufio.NewWriter(c.stdout)
			if format == "json" {
				return errors.Join(writeJSON(out, map[string]any{"claims": s.contract.Claims(), "unchecked": s.contract.Unchecked}), out.Flush())
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
	cmd.Flags().StringVar(&other, "against", "", "compare the claims with the OpenAPI 3.0 document in `FILE`")
	cmd.Flags().StringVar(&suggestPath, "suggest", "",
		"with --against, write an OpenAPI Overlay that makes confirmed assumptions documented to `FILE`")
	return cmd
}

func writeJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(value)
}

// compareClaims prints what another document says of the claims.
func compareClaims(c *console, s *spec, other, suggestPath, format string) error {
	end := c.during("reading " + printable.Text(other))
	compared, err := against.Compare(s.contract, other)
	end()
	if err != nil {
		return specErrors(other, err)
	}
	for _, m := range compared.Mistakes {
		c.warnf("%s:%d: not compared: %s (#%s)", other, m.Spec.Line, m.Reason, m.Spec.Pointer)
	}
	var results files
	defer func() { results.discard() }()
	if suggestPath != "" {
		overlay, err := confirmed(s, other, compared)
		switch {
		case errors.Is(err, suggest.ErrNothing):
			c.warnf("nothing to suggest; %s is not written", suggestPath)
		case err != nil:
			return err
		default:
			err := results.add(suggestPath, func(w io.Writer) error {
				_, err := w.Write(overlay)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	out := bufio.NewWriter(c.stdout)
	if format == "json" {
		err = writeJSON(out, compared)
	} else {
		printComparison(out, s, other, compared)
	}
	if err := errors.Join(err, out.Flush(), results.commit()); err != nil {
		return err
	}
	if slices.ContainsFunc(compared.Claims, func(c against.Compared) bool { return c.Verdict == against.Contradicts }) {
		return errFindings
	}
	return nil
}

// confirmed returns an overlay with the assumed claims that the document agrees with.
func confirmed(s *spec, other string, compared *against.Comparison) ([]byte, error) {
	reasons, contradicted := map[string]string{}, map[string]bool{}
	for _, claim := range compared.Claims {
		switch claim.Verdict {
		case against.Agrees:
			reasons[claim.ID] = fmt.Sprintf("%s:%d says it, too: %s.", claim.Other.Spec.In(other), claim.Other.Spec.Line, claim.Other.Text)
		case against.Contradicts:
			contradicted[claim.ID] = true
		case against.Silent:
		}
	}
	return suggest.Confirmed(s.contract.Source(), reasons, contradicted)
}

// printComparison prints a line for each claim and addition, contradictions first.
func printComparison(out io.Writer, s *spec, other string, compared *against.Comparison) {
	show := func(format string, args ...any) {
		_, _ = fmt.Fprintln(out, printable.Text(fmt.Sprintf(format, args...)))
	}
	count := map[against.Verdict]int{}
	list := func(verdict against.Verdict) {
		for _, claim := range compared.Claims {
			if claim.Verdict != verdict {
				continue
			}
			count[verdict]++
			show("%-11s %s:%d %s: %s (%s)", verdict, claim.Spec.In(s.name), claim.Spec.Line, claim.ID, claim.Text, claim.Source)
			if claim.Other != nil {
				show("            %s:%d: %s", claim.Other.Spec.In(other), claim.Other.Spec.Line, claim.Other.Text)
			}
		}
	}
	list(against.Contradicts)
	for _, a := range compared.Additions {
		show("only there  %s:%d %s %s, %s %s: %s", a.Spec.In(other), a.Spec.Line, strings.TrimSpace(a.Operation+" "+a.Status), a.Part, a.What, a.Pointer, a.Text)
	}
	list(against.Silent)
	list(against.Agrees)
	for _, name := range compared.Missing {
		show("%s has no operation %s", other, name)
	}
	show("%d claims: %d agree, %d contradicted, %d silent; only in %s: %d statements about these operations, and %d other operations", len(compared.Claims),
		count[against.Agrees], count[against.Contradicts], count[against.Silent], other, len(compared.Additions), compared.OtherOperations)
}
