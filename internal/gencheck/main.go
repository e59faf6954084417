// Gencheck generates Go code that checks request bodies before they are sent, by the limits in the spec. It reads the
// names of the Go fields from the generated types.
//
//	gencheck -spec api/openapi.yaml -types gen/fleetioapi/types.gen.go -o gen/fleetioapi/checks.gen.go
//
// It fails on a schema keyword that it does not support, as a missing check would look like one that passed.
package main

import (
	"bytes"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"go/format"
	"io"
	"os"
	"text/template"
)

//go:embed checks.tmpl
var checksTemplate string

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

// run returns the exit code: 0, or 2 after an error.
func run(args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("gencheck", flag.ContinueOnError)
	flags.SetOutput(stderr)
	spec := flags.String("spec", "", "read the OpenAPI `file` (required)")
	types := flags.String("types", "", "read the Go `file` with the generated types (required)")
	out := flags.String("o", "", "write the checks to `file` (required)")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if err := generate(*spec, *types, *out); err != nil {
		_, _ = fmt.Fprintln(stderr, "gencheck:", err)
		return 2
	}
	return 0
}

func generate(specFile, typesFile, out string) error {
	if specFile == "" || typesFile == "" || out == "" {
		return errors.New("-spec, -types and -o are required")
	}
	spec, err := os.ReadFile(specFile)
	if err != nil {
		return err
	}
	source, err := os.ReadFile(typesFile)
	if err != nil {
		return err
	}
	code, err := checks(spec, source)
	if err != nil {
		return err
	}
	return os.WriteFile(out, code, 0o644) //nolint:gosec // source code is readable by all
}

// checks returns the Go file for a spec and the types that are generated from it.
func checks(spec, source []byte) ([]byte, error) {
	bodies, err := readBodies(spec)
	if err != nil {
		return nil, err
	}
	pkg, err := nameFields(bodies, source)
	if err != nil {
		return nil, err
	}
	t, err := template.New("checks.tmpl").Parse(checksTemplate)
	if err != nil {
		return nil, err
	}
	var code bytes.Buffer
	if err := t.Execute(&code, struct {
		Package string
		Bodies  []*body
	}{pkg, bodies}); err != nil {
		return nil, err
	}
	return format.Source(code.Bytes())
}
