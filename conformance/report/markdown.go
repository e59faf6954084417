package report

import (
	"bytes"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// GitHub rejects a job summary of more than 1 MiB. A table has at most maxRows rows, and none after maxSize bytes of the
// summary, as the names in a row may be long.
const (
	maxRows = 200
	maxSize = 512 << 10
)

// writeMarkdown writes the summary of a CI job in GitHub Flavored Markdown.
func writeMarkdown(b *bytes.Buffer, r *conformance.Report, o Options) error {
	mark := "❌"
	switch {
	case passes(r, o):
		mark = "✅"
	case r.Exchanges == 0 && !noneChecked(r):
		mark = "➖"
	}
	fmt.Fprintf(b, "## %s %s\n\n", mark, verdict(r, o))
	if warning := vacuous(r); warning != "" {
		fmt.Fprintf(b, "> [!WARNING]\n> %s\n\n", warning)
	}
	list := groups(r)
	table(b, "Findings", slices.Concat(list[0].deviations, list[1].deviations), o)
	if len(o.Problems) > 0 {
		b.WriteString("### Problems\n\n")
		for _, problem := range o.Problems {
			fmt.Fprintf(b, "- %s\n", code(problem))
		}
		b.WriteByte('\n')
	}
	drift := "Drift, which fails only with --strict"
	if o.Strict {
		drift = "Drift"
	}
	table(b, drift, list[2].deviations, o)
	table(b, "Known failures", list[3].deviations, o)
	table(b, "Notes", list[4].deviations, o)

	fmt.Fprintf(b, "%s\n\n", coverage(r))
	if places := unobserved(r); len(places) > 0 {
		fmt.Fprintf(b, "<details>\n<summary>%s never observed</summary>\n\n", plural(r.Summary.Claims-r.Summary.Observed, "claim"))
		for _, p := range places {
			fmt.Fprintf(b, "- %s\n", code(p.name))
			for _, e := range p.claims {
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

// table writes a row for each deviation.
func table(b *bytes.Buffer, title string, deviations []*conformance.Deviation, o Options) {
	if len(deviations) == 0 {
		return
	}
	fmt.Fprintf(b, "### %s\n\n| finding | message | exchange | spec |\n| --- | --- | --- | --- |\n", title)
	shown := 0
	for _, d := range deviations[:min(len(deviations), maxRows)] {
		if b.Len() > maxSize {
			break
		}
		shown++
		message := code(d.Message)
		if d.Known != "" {
			message += "<br>known: " + code(d.Known)
		}
		exchange := code(d.First.Exchange)
		if d.Exchanges > 1 {
			exchange += "<br>and " + plural(d.Exchanges-1, "more exchange")
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s<br>%s |\n", code(about(d)), message, exchange, literal(string(d.Source)), link(d.Spec, o))
	}
	if more := len(deviations) - shown; more > 0 {
		fmt.Fprintf(b, "\nThe other formats list %d more.\n", more)
	}
	b.WriteByte('\n')
}

// link returns the file and the line of a place in the spec. A URL is behind the name of its file, as it is long.
func link(l conformance.Location, o Options) string {
	at := o.at(l)
	u, err := url.Parse(at)
	if err != nil || !isURL(at) {
		return code(at)
	}
	return fmt.Sprintf(`<a href="%s">%s</a>`, literal(u.String()), code(fmt.Sprintf("%s:%d", path.Base(u.Path), l.Line)))
}

// code returns Markdown that shows any text literally. In a code element, GitHub makes no mentions and links. A code span in
// backticks could not contain every text. Paths may break after a slash, so that tables fit on the page.
func code(s string) string {
	return "<code>" + strings.ReplaceAll(literal(s), "/", "/<wbr>") + "</code>"
}

// literal returns a text with character references for the punctuation of Markdown and HTML, which so splits no table cell
// and ends no element.
func literal(s string) string {
	var b strings.Builder
	for _, r := range printable.Text(s) {
		if r < 0x80 && !isLiteral(r) {
			fmt.Fprintf(&b, "&#%d;", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isLiteral reports whether an ASCII character has no meaning in Markdown and HTML within a line.
func isLiteral(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(" /-,()+%", r)
}
