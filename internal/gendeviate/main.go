// Gendeviate writes down, for each deviation that the judge's mutants know, how a right answer is changed to show it. The
// sandbox reads that, so that it can show all of them without a line of the judge's code.
//
//	gendeviate -spec api/openapi.yaml -o gen/fleetiodeviations
//
// It fails on a mutant that it cannot describe, as a deviation that is silently left out is one that nobody sees.
package main

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/fleetcontract/fleetio-go/internal/mutate"
)

// source is the Go file beside the data, which says how to read it.
//
//go:embed deviations.go.txt
var source string

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

// run returns the exit status: 0, or 2 for what could not be done.
func run(args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("gendeviate", flag.ContinueOnError)
	flags.SetOutput(stderr)
	spec := flags.String("spec", "", "the OpenAPI `file`")
	out := flags.String("o", "", "the `folder` to write")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if err := generate(*spec, *out); err != nil {
		_, _ = fmt.Fprintln(stderr, "gendeviate:", err)
		return 2
	}
	return 0
}

func generate(specFile, out string) error {
	if specFile == "" || out == "" {
		return errors.New("-spec and -o are needed")
	}
	spec, err := os.ReadFile(specFile)
	if err != nil {
		return err
	}
	text, err := deviations(spec)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil { //nolint:gosec // source code is for all to read
		return err
	}
	for name, data := range map[string]string{"deviations.gen.go": source, "deviations.gen.txt": text} {
		if err := os.WriteFile(filepath.Join(out, name), []byte(data), 0o644); err != nil { //nolint:gosec // as above
			return err
		}
	}
	return nil
}

// deviations returns the lines of all mutants of a spec, in the order of their names.
func deviations(spec []byte) (string, error) {
	mutants, err := mutate.Mutants(spec)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for i := range mutants {
		steps, err := edit(&mutants[i])
		if err != nil {
			return "", fmt.Errorf("%s: %w", mutants[i].Name, err)
		}
		text.WriteString(line(mutants[i].Name, steps))
	}
	return text.String(), nil
}
