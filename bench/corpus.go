package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// suite is a spec with its corpus.
type suite struct {
	name, spec, corpus string
}

// suites are this project's spec, and two public ones that Go modules ship.
func suites(ctx context.Context) ([]suite, error) {
	all := []suite{{"fleetio", specFile, "corpus/fleetio.ndjson.gz"}}
	for _, public := range []struct{ name, module, path string }{
		{"lxkns", "github.com/getkin/kin-openapi", "openapi3/testdata/lxkns.yaml"},
		{"petstore", "github.com/pb33f/libopenapi", "test_specs/petstorev3.json"},
	} {
		folder, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", public.module).Output()
		if err != nil {
			return nil, fmt.Errorf("go list -m %s: %w", public.module, err)
		}
		all = append(all, suite{public.name, filepath.Join(strings.TrimSpace(string(folder)), public.path),
			filepath.Join(resultsFolder, public.name+".ndjson.gz")})
	}
	return all, nil
}

// write makes the corpus of the spec anew.
func (s suite) write(ctx context.Context) error {
	spec, err := filepath.Abs(s.spec)
	if err != nil {
		return err
	}
	corpus, err := filepath.Abs(s.corpus)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-run", "^TestCorpus$", "./internal/mutate", "-corpus-spec", spec, "-corpus", corpus)
	cmd.Dir = ".."
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", s.name, err, output)
	}
	return nil
}

// entry is an exchange of a corpus, with the findings that a checker should have.
type entry struct {
	*traffic.Exchange

	expected []finding
}

type finding struct{ Claim, Rule, Part string }

// read returns the exchanges that any tool can be given: complete, and with a final status.
func (s suite) read(ctx context.Context) (entries []entry, err error) {
	f, err := os.Open(s.corpus)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	text, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewReader(text)
	for ex, err := range traffic.Read(ctx, nil, s.corpus) {
		if err != nil {
			return nil, err
		}
		line, err := lines.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		var label struct {
			Expected []finding `json:"x-expected"`
		}
		if err := json.Unmarshal(line, &label); err != nil {
			return nil, fmt.Errorf("%s: %w", ex.Source, err)
		}
		if ex.Status >= 200 && !ex.Request.BodyOmitted && !ex.Response.BodyOmitted {
			entries = append(entries, entry{ex, label.Expected})
		}
	}
	return entries, nil
}

// classes are the columns of the scoreboard, by what the one finding is about. The last two are no violations of OpenAPI.
var classes = []string{"JSON text", "body schemas", "parameters, headers", "message", "criteria", "notes"}

// class is the index of the class of an entry.
func (e entry) class() int {
	f := e.expected[0]
	in := func(rules ...string) bool { return slices.Contains(rules, f.Rule) }
	switch {
	case f.Rule == "criterion":
		return 4
	case in("undocumented-property", "undocumented-header", "undocumented-parameter", "portability", "readOnly"), f.Rule == "nullable" && f.Claim == "":
		return 5
	case in("json", "unicode", "duplicate-key"):
		return 0
	case in("status", "media-type", "body", "security"):
		return 3
	case f.Part == "request.body" || f.Part == "response.body":
		return 1
	}
	return 2
}
