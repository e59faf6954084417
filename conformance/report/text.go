package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// WriteText prints the report for people: each deviation once, with the exchange that showed it first, then the
// counts. spec is the name of the spec's file.
func (r *Report) WriteText(w io.Writer, spec string) error {
	var b strings.Builder
	shown := map[string]bool{}
	for _, f := range r.Findings {
		if !shown[f.Fingerprint] {
			shown[f.Fingerprint] = true
			writeFinding(&b, f, spec, r.kinds[f.Fingerprint].exchanges)
		}
	}
	s := r.Summary
	fmt.Fprintf(&b, "%s judged: ", plural(r.Exchanges, "exchange"))
	switch {
	case r.Exchanges == 0:
		b.WriteString("no verdict")
	case s.Conforms:
		b.WriteString("conforms")
	default:
		fmt.Fprintf(&b, "%s in %s", plural(s.Findings, "finding"), plural(s.Deviating, "exchange"))
		if s.Documented > 0 {
			fmt.Fprintf(&b, "; %d against what is documented (the server deviates)", s.Documented)
		}
		if s.Assumed > 0 {
			fmt.Fprintf(&b, "; %d against what is assumed (the spec may be wrong)", s.Assumed)
		}
	}
	b.WriteByte('\n')
	for _, skipped := range []struct {
		n    int
		what string
	}{
		{s.Unmatched, "not judged: no operation of the contract has the method and path"},
		{s.Unanswered, "not judged: no answer was recorded"},
		{s.BodiesOmitted, "judged without the response body, which was not recorded"},
		{s.RequestBodiesOmitted, "judged without the request body, which was not recorded"},
		{s.HeadersOmitted, "judged without a header, which was not recorded"},
	} {
		if skipped.n > 0 {
			fmt.Fprintf(&b, "%s %s\n", plural(skipped.n, "exchange"), skipped.what)
		}
	}
	if s.Unlisted > 0 {
		fmt.Fprintf(&b, "%s not listed, as they are more of the same\n", plural(s.Unlisted, "finding"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeFinding(b *strings.Builder, f conformance.Finding, spec string, exchanges int) {
	fmt.Fprintf(b, "%s %d: %s %s %s\n", f.Operation, f.Status, f.Part, printable(f.Pointer), f.Rule)
	fmt.Fprintf(b, "  %s\n", f.Message)
	fmt.Fprintf(b, "  %s at %s:%d #%s\n", f.Basis, spec, f.Spec.Line, f.Spec.Pointer)
	if f.Reason != "" {
		fmt.Fprintf(b, "    because: %s\n", f.Reason)
	}
	fmt.Fprintf(b, "  seen in %s", printable(f.Exchange))
	if exchanges > 1 {
		fmt.Fprintf(b, " and %s", plural(exchanges-1, "more exchange"))
	}
	fmt.Fprintf(b, "  [%s]\n\n", f.Fingerprint)
}

// printable escapes what could pass for lines of the report, or move a terminal's cursor: names from traffic may hold
// anything.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r == ' ' || strconv.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
