package report

import (
	"bytes"
	"fmt"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// The colors of a terminal (ECMA-48, section 8.3.117).
const (
	red    = "31"
	yellow = "33"
	dim    = "2"
)

// text is a buffer of lines for a terminal.
type text struct {
	*bytes.Buffer

	color bool
}

// linef adds one line. Escaping keeps its arguments from adding lines or changing the color.
func (t text) linef(color, format string, args ...any) {
	s := printable.Text(fmt.Sprintf(format, args...))
	if t.color && color != "" && s != "" {
		s = "\x1b[" + color + "m" + s + "\x1b[0m"
	}
	_, _ = t.WriteString(s + "\n") // a buffer takes it all
}

// writeText writes each deviation once, with its first exchange, then the counts and the verdict.
func writeText(b *bytes.Buffer, r *conformance.Report, o Options) error {
	t := text{b, o.Color}
	because := reasons(r)
	for _, g := range groups(r) {
		t.group(g, because, o)
	}
	if len(o.Problems) > 0 {
		t.linef(red, "--- problems ---")
		for _, problem := range o.Problems {
			t.linef("", "%s", problem)
		}
		t.linef("", "")
	}
	if places := unobserved(r); len(places) > 0 {
		t.linef("", "never observed, by line of %s:", o.Spec)
		for _, p := range places {
			t.linef(dim, "  %s: %s", p.name, p.list())
		}
		t.linef("", "")
	}
	for _, line := range append(skipped(r), uncheckedLines(r, o)...) {
		t.linef("", "%s", line)
	}
	t.linef("", "%s", coverage(r))
	if warning := vacuous(r); warning != "" {
		t.linef(yellow, "warning: %s", warning)
	}
	color := red
	if passes(r, o) {
		color = ""
	}
	t.linef(color, "%s", verdict(r, o))
	return nil
}

func (t text) group(g group, because map[string]string, o Options) {
	if len(g.deviations) == 0 {
		return
	}
	color := map[string]string{"documented": red, "assumed": yellow, "drift": yellow, "known": dim, "notes": dim}[g.name]
	if g.name == "drift" && o.Strict {
		color = red
	}
	t.linef(color, "--- %s ---", g.title)
	if g.name == "drift" && !o.Strict {
		t.linef("", "Drift fails a run only with --strict.")
	}
	t.linef("", "")
	for _, d := range g.deviations {
		t.linef(color, "%s", about(d))
		t.linef("", "  %s", d.Message)
		t.linef("", "  %s at %s:%d #%s", d.Source, d.Spec.In(o.Spec), d.Spec.Line, d.Spec.Pointer)
		if reason := because[d.Claim]; reason != "" {
			t.linef("", "    because: %s", reason)
		}
		if d.Known != "" {
			t.linef("", "  known: %s", d.Known)
		}
		t.linef(dim, "  %s  [%s]", occurrences(d), d.Fingerprint)
		t.linef("", "")
	}
}
