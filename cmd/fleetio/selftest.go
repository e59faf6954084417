package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/internal/mutate"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

func selftestCommand(c *console) *cobra.Command {
	var path string
	var o mutate.Options
	cmd := &cobra.Command{
		Use:   "selftest [flags]",
		Short: "Prove that the judge finds each broken claim, and nothing else",
		Long: "selftest breaks every claim of the spec, one at a time, in an exchange that keeps all others, and judges it: exactly\n" +
			"that claim must be found broken. Exchanges that conform, drawn at random, must raise nothing.\n\n" +
			"Exit status: 0 so it is, 1 the judge fails, 2 the command could not run.",
		Example: "  fleetio selftest\n  fleetio selftest --spec api/openapi.yaml --conformant 100000 --seed 7",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Conformant < 0 {
				return errors.New("--conformant is a number from 0")
			}
			if err := checkOutputs(nil, []string{path}); err != nil {
				return err
			}
			s, err := loadSpec(path)
			if err != nil {
				return err
			}
			r, err := interruptible(cmd.Context(), func() (*mutate.Result, error) { return mutate.Run(s.contract, s.bytes, o) })
			if err != nil {
				return err
			}
			return tell(c.stdout, r, o.Seed)
		},
	}
	specFlag(cmd, &path)
	cmd.Flags().IntVar(&o.Conformant, "conformant", 2000, "how many conformant exchanges to draw, as a `NUMBER`. By default, 2000.")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 1, "`NUMBER` to draw them by; the same one draws the same. By default, 1.")
	for _, name := range []string{"conformant", "seed"} {
		cmd.Flags().Lookup(name).DefValue = "0" // the help says it already
	}
	return cmd
}

// tell prints what came of a self test, and returns errFindings if the judge failed it.
func tell(w io.Writer, r *mutate.Result, seed uint64) error {
	var b strings.Builder
	for _, claim := range r.Unbreakable {
		fmt.Fprintf(&b, "no exchange breaks alone: %s\n", printable.Text(claim))
	}
	for _, failure := range r.Failures {
		fmt.Fprintf(&b, "FAIL %s\n", printable.Text(failure))
	}
	fmt.Fprintf(&b, "%d of %d mutants found; %d exchanges that must count for a claim; %d that conform left alone (seed %d): ",
		r.Killed, r.Mutants, r.Shown, r.Conformant, seed)
	// A result in which nothing was tried would be no proof.
	passed := len(r.Failures) == 0 && r.Mutants > 0 && r.Killed == r.Mutants
	if passed {
		b.WriteString("passed\n")
	} else {
		fmt.Fprintf(&b, "%d failures\n", len(r.Failures))
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	if !passed {
		return errFindings
	}
	return nil
}
