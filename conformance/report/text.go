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

// text is lines for people.
type text struct {
	*bytes.Buffer

	color bool
}

// linef adds one line. What is in it cannot add others, nor change the color.
func (t text) linef(color, format string, args ...any) {
	s := printable.Text(fmt.Sprintf(format, args...))
	if t.color && color != "" && s != "" {
		s = "\x1b[" + color + "m" + s + "\x1b[0m"
	}
	_, _ = t.WriteString(s + "\n") // a buffer takes it all
}

// writeText prints each deviation once, with the exchange that showed it first, then the verdict and the counts.
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
	if silences := unobserved(r); len(silences) > 0 {
		t.linef("", "never observed, by line of %s:", o.Spec)
		for _, of := range silences {
			t.linef(dim, "  %s: %s", of.place, of.list())
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
	if len(g.kinds) == 0 {
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
	for _, k := range g.kinds {
		t.linef(color, "%s", about(k))
		t.linef("", "  %s", k.Message)
		t.linef("", "  %s at %s:%d #%s", k.Source, o.Spec, k.Spec.Line, k.Spec.Pointer)
		if reason := because[k.Claim]; reason != "" {
			t.linef("", "    because: %s", reason)
		}
		if k.Known != "" {
			t.linef("", "  known: %s", k.Known)
		}
		t.linef(dim, "  %s  [%s]", sightings(k), k.Fingerprint)
		t.linef("", "")
	}
}
