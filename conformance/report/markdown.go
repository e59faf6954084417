package report

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// GitHub refuses a job summary of more than a mebibyte. A table has at most mostRows, and gets none beyond mostShown
// bytes of the summary, as the names in a row may be long.
const (
	mostRows  = 200
	mostShown = 512 << 10
)

// writeMarkdown prints the summary of a CI job in GitHub flavoured Markdown.
func writeMarkdown(b *bytes.Buffer, r *conformance.Report, o Options) error {
	mark := "❌"
	switch {
	case passes(r, o):
		mark = "✅"
	case r.Exchanges == 0 && !idle(r):
		mark = "➖"
	}
	fmt.Fprintf(b, "## %s %s\n\n", mark, verdict(r, o))
	if warning := vacuous(r); warning != "" {
		fmt.Fprintf(b, "> [!WARNING]\n> %s\n\n", warning)
	}
	if len(o.Problems) > 0 {
		b.WriteString("### Problems\n\n")
		for _, problem := range o.Problems {
			fmt.Fprintf(b, "- %s\n", code(problem))
		}
		b.WriteByte('\n')
	}
	list := groups(r)
	table(b, "Deviations", slices.Concat(list[0].kinds, list[1].kinds), o)
	drift := "Drift, which fails only with --strict"
	if o.Strict {
		drift = "Drift"
	}
	table(b, drift, list[2].kinds, o)
	table(b, "Known failures", list[3].kinds, o)
	table(b, "Notes", list[4].kinds, o)

	fmt.Fprintf(b, "%s\n\n", coverage(r))
	if silences := unobserved(r); len(silences) > 0 {
		fmt.Fprintf(b, "<details>\n<summary>%s never observed</summary>\n\n", plural(r.Summary.Claims-r.Summary.Observed, "claim"))
		for _, of := range silences {
			fmt.Fprintf(b, "- %s\n", code(of.place))
			for _, e := range of.claims {
				needs := ""
				if e.NeedsRecording {
					needs = " (needs a recording)"
				}
				fmt.Fprintf(b, "  - line %d: %s%s\n", e.Spec.Line, code(sentence(&e.Claim)), needs)
			}
		}
		b.WriteString("\n</details>\n\n")
	}
	for _, line := range skipped(r) {
		fmt.Fprintf(b, "- %s\n", line)
	}
	for _, line := range uncheckedLines(r, o) {
		fmt.Fprintf(b, "- %s\n", code(line))
	}
	return nil
}

// table shows each deviation in a row.
func table(b *bytes.Buffer, title string, kinds []*conformance.Deviation, o Options) {
	if len(kinds) == 0 {
		return
	}
	fmt.Fprintf(b, "### %s\n\n| source | rule | place | what | exchanges | first seen in | spec |\n", title)
	b.WriteString("| --- | --- | --- | --- | ---: | --- | --- |\n")
	shown := 0
	for _, k := range kinds[:min(len(kinds), mostRows)] {
		if b.Len() > mostShown {
			break
		}
		shown++
		what := code(k.Message)
		if k.Known != "" {
			what += " known: " + code(k.Known)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %d | %s | %s |\n", code(string(k.Source)), code(k.Rule),
			code(fmt.Sprintf("%s %d %s %s", k.Operation, k.Status, k.Part, k.Pointer)), what, k.Exchanges,
			code(k.First.Exchange), code(fmt.Sprintf("%s:%d", o.Spec, k.Spec.Line)))
	}
	if more := len(kinds) - shown; more > 0 {
		fmt.Fprintf(b, "\n%d more are in the other formats.\n", more)
	}
	b.WriteByte('\n')
}
