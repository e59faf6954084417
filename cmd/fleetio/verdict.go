package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/suggest"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/known"
	"github.com/fleetcontract/fleetio-go/conformance/report"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/curl"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// verdict holds the common flags of verify and merge: what fails a run, and the files of its results.
type verdict struct {
	specPath, format  string
	specName          string // in reports
	servers           []string
	reports           []string
	strict            bool
	knownPath         string
	minCoverage       float64
	coverageAsked     bool
	againstPath       string
	suggestPath       string
	suggestDocumented bool

	spec            *spec
	known           []known.Failure
	older           *conformance.Report // of --against
	exchanges       *report.Exchanges   // nil unless a report shows them
	targets         []target
	problems        []string                                   // that fail the run besides the findings
	summary         func(io.Writer, *conformance.Report) error // printed instead of the report if nothing fails; nil for none
	outputs, inputs []string
}

// target is a report that goes to a file.
type target struct{ format, path string }

func (v *verdict) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	specFlag(cmd, &v.specPath)
	flags.StringVar(&v.specName, "spec-path", "",
		"name the spec in reports by the `PATH` or URL that their readers have (default that of --spec, or the URL of the embedded spec)")
	formatFlag(cmd, &v.format, formats())
	flags.StringArrayVar(&v.reports, "report", nil, "also write a report to a file, `FORMAT=FILE`; repeatable")
	flags.StringVar(&v.againstPath, "against", "", "show in the HTML report what changed since the JSON report in `OLDER.json`")
	flags.BoolVar(&v.strict, "strict", false, "fail on drift, too, which is what no claim of the spec covers, and on exchanges that cannot be read")
	flags.StringVar(&v.knownPath, "known", "", "accept the known failures in `FILE`, one a line with a reason")
	flags.Float64Var(&v.minCoverage, "min-coverage", 0,
		"fail if less than `PERCENT` of the claims were observed, or no exchange was accepted")
	flags.StringVar(&v.suggestPath, "suggest", "",
		"write an OpenAPI Overlay that makes the spec agree with the traffic to `FILE`")
	flags.BoolVar(&v.suggestDocumented, "suggest-documented", false, "with --suggest, loosen documented claims, too")
}

func formats() string {
	list := report.Formats()
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
}

// prepare checks the flags and reads their files before the run starts. inputs are the other files that the run reads.
func (v *verdict) prepare(cmd *cobra.Command, c *console, inputs []string) error {
	if !slices.Contains(report.Formats(), v.format) {
		return fmt.Errorf("--format must be %s, not %q", formats(), v.format)
	}
	v.coverageAsked = cmd.Flags().Changed("min-coverage")
	if !(v.minCoverage >= 0 && v.minCoverage <= 100) { // false for NaN
		return fmt.Errorf("--min-coverage must be a percentage, 0 to 100, not %v", v.minCoverage)
	}
	if v.suggestDocumented && v.suggestPath == "" {
		return errors.New("--suggest-documented needs --suggest")
	}
	for _, text := range v.reports {
		format, path, _ := strings.Cut(text, "=")
		if !slices.Contains(report.Formats(), format) || path == "" {
			return fmt.Errorf("--report must be FORMAT=FILE, with %s as the format, not %q", formats(), text)
		}
		v.targets = append(v.targets, target{format, path})
		v.outputs = append(v.outputs, path)
	}
	if v.suggestPath != "" {
		v.outputs = append(v.outputs, v.suggestPath)
	}
	if v.format == "html" || slices.ContainsFunc(v.targets, func(t target) bool { return t.format == "html" }) {
		v.exchanges = &report.Exchanges{}
	} else if v.againstPath != "" {
		return errors.New("--against needs --report html=FILE, which has the comparison")
	}
	v.inputs = append([]string{v.specPath, v.knownPath, v.againstPath}, inputs...)
	if err := checkOutputs(v.outputs, v.inputs); err != nil {
		return err
	}
	var err error
	if v.spec, err = c.loadSpec(v.specPath, conformance.Servers(v.servers...)); err != nil {
		return err
	}
	for _, name := range v.spec.contract.Files() {
		v.inputs = append(v.inputs, conformance.Location{File: name}.In(v.specPath))
	}
	if v.againstPath != "" {
		if v.older, err = readReport(v.againstPath); err != nil {
			return err
		}
	}
	if v.knownPath == "" {
		return nil
	}
	return readText(v.knownPath, func(text io.Reader) (err error) {
		v.known, err = known.Read(text, v.knownPath)
		return err
	})
}

// deviating keeps exchanges for the report in HTML; nil if there is none.
func (v *verdict) deviating() func(*traffic.Exchange, []conformance.Finding) {
	if v.exchanges == nil {
		return nil
	}
	return func(ex *traffic.Exchange, findings []conformance.Finding) {
		v.exchanges.Add(v.spec.contract, ex, findings)
	}
}

// nothingChecked is the error of an empty run, which is not a pass.
func nothingChecked(s conformance.Summary) error {
	text := fmt.Sprintf("no exchange was checked: %d read, %d matched no operation, %d had no response",
		s.Unmatched+s.Unanswered+s.OtherHosts+s.Unreadable, s.Unmatched, s.Unanswered)
	if s.OtherHosts > 0 {
		text += fmt.Sprintf(", %d were of other hosts", s.OtherHosts)
	}
	if s.Unreadable > 0 {
		text += fmt.Sprintf(", %d cannot be read", s.Unreadable)
	}
	return errors.New(text)
}

// conclude evaluates the report, writes the results, and returns errFindings if the run fails. It writes all files or
// none.
func (v *verdict) conclude(ctx context.Context, c *console, r *conformance.Report) error {
	problems := v.problems
	if v.knownPath != "" {
		unmatched, err := r.ApplyKnown(v.known, c.now())
		if err != nil {
			return err
		}
		problems = append(problems, unmatched...)
	}
	problems = append(problems, v.missingCoverage(r.Summary)...)
	if n := r.Summary.Unreadable; v.strict && n > 0 {
		problems = append(problems, fmt.Sprintf("%d exchanges cannot be read and may be for the contract, and --strict fails on them", n))
	}
	v.warnings(c, r)

	if err := checkOutputs(v.outputs, v.inputs); err != nil {
		return err
	}
	var results files
	defer func() { results.discard() }()
	printer := func(format string, color bool) func(io.Writer) error {
		o := report.Options{Spec: cmp.Or(v.specName, v.spec.published), Version: version(), Strict: v.strict, Problems: problems, Color: color,
			Source: v.spec.contract.Source(), Exchanges: v.exchanges, Older: v.older, Variables: curl.Fleetio}
		return func(w io.Writer) error { return report.Write(w, format, r, o) }
	}
	for _, t := range v.targets {
		if err := results.add(t.path, printer(t.format, false)); err != nil {
			return err
		}
	}
	if err := v.addSuggestion(c, &results, r); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return errInterrupted
	}
	fails := r.Summary.Findings > 0 || v.strict && r.Summary.Drift > 0 || len(problems) > 0
	write := printer(v.format, c.color)
	if v.summary != nil && !fails {
		write = func(w io.Writer) error { return v.summary(w, r) }
	}
	if err := write(printable.Unescaped(c.stdout)); err != nil {
		return err
	}
	if err := results.commit(); err != nil {
		return err
	}
	if fails {
		return errFindings
	}
	return nil
}

// missingCoverage returns the problems of a run that misses --min-coverage.
func (v *verdict) missingCoverage(s conformance.Summary) []string {
	var problems []string
	if !v.coverageAsked {
		return nil
	}
	if s.Coverage() < v.minCoverage {
		problems = append(problems, fmt.Sprintf("%d of %d claims were observed (%.2f%%), and --min-coverage asks for %v%%",
			s.Observed, s.Claims, s.Coverage(), v.minCoverage))
	}
	if s.Vacuous() {
		problems = append(problems, "no exchange was accepted (2xx), and --min-coverage asks for evidence")
	}
	return problems
}

// addSuggestion adds the overlay of --suggest.
func (v *verdict) addSuggestion(c *console, results *files, r *conformance.Report) error {
	if v.suggestPath == "" {
		return nil
	}
	end := c.during("looking for suggestions")
	overlay, err := suggest.Overlay(v.spec.contract.Source(), r, v.suggestDocumented)
	end()
	if errors.Is(err, suggest.ErrNothing) {
		c.warnf("nothing to suggest; %s is not written", v.suggestPath)
		return nil
	}
	if err != nil {
		return err
	}
	return results.add(v.suggestPath, func(w io.Writer) error {
		_, err := w.Write(overlay)
		return err
	})
}

// warnings prints what was not checked.
func (v *verdict) warnings(c *console, r *conformance.Report) {
	for _, u := range r.Unchecked {
		c.warnf("%s:%d: not checked: %s (#%s)", u.Spec.In(v.spec.name), u.Spec.Line, u.Reason, u.Spec.Pointer)
	}
	v.noteHosts(c, r)
	if r.Exchanges == 0 {
		return
	}
	s := r.Summary
	if s.Vacuous() {
		c.warnf("no exchange was accepted (2xx), so no successful response was checked")
	}
	for _, omitted := range []struct {
		n    int
		what string
	}{
		{s.BodiesOmitted, "a response body, so no response body was checked"},
		{s.RequestBodiesOmitted, "a request body, so no request body was checked"},
		{s.HeadersOmitted, "both headers, so credentials and response headers were not fully checked"},
	} {
		if omitted.n == r.Exchanges {
			c.warnf("no exchange has %s", omitted.what)
		}
	}
}

// noteHosts prints which hosts were left out.
func (v *verdict) noteHosts(c *console, r *conformance.Report) {
	if hosts := report.OtherHosts(r); hosts != "" {
		c.notef("%s; --server URL says where the API is", hosts)
	}
}
