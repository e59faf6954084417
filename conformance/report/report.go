// Package report writes a [conformance.Report] as text, JSON, JUnit XML, SARIF, Markdown and HTML, and reads the JSON.
//
// All formats have the same content in the same order, without times and names of machines, so that equal runs give equal
// bytes. Names and messages from traffic are escaped for the format. No format contains a character that a terminal or a
// viewer obeys, hides or reorders: the escaped form replaces it, which in JSON and SARIF decodes to the original.
package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// Options are the options of [Write]. JSON uses none of them; the last four are for HTML.
type Options struct {
	// Spec is the path or the URL of the spec for the reader (default openapi.yaml). Relative to the root of the
	// repository, code hosts can link to it.
	Spec string
	// Version is the version of the program for SARIF (default none).
	Version string
	// Strict makes drift fail the run (default false).
	Strict bool
	// Problems fail the run in addition to its findings, such as stale known failures (default nil).
	Problems []string
	// Color adds ANSI colors to text (default false).
	Color bool
	// Source has the bytes of the spec, whose lines the page quotes (default nil: none).
	Source []byte
	// Exchanges are those that the page shows for the deviations (default nil: none).
	Exchanges *Exchanges
	// Older is an older report, with which the page compares this one (default nil: no comparison).
	Older *conformance.Report
	// Variables are the shell variables of credentials, by header, in the commands that send a request again (default nil:
	// named as the header).
	Variables map[string]string
}

// at returns the file and the line of a place in the spec.
func (o Options) at(l conformance.Location) string {
	file := l.In(o.Spec)
	if isURL(file) { // as code hosts link to lines
		return fmt.Sprintf("%s#L%d", file, l.Line)
	}
	return fmt.Sprintf("%s:%d", file, l.Line)
}

func isURL(file string) bool {
	return strings.HasPrefix(file, "https://") || strings.HasPrefix(file, "http://")
}

var writers = []struct {
	format string
	write  func(b *bytes.Buffer, r *conformance.Report, o Options) error
}{
	{"text", writeText},
	{"json", writeJSON},
	{"junit", writeJUnit},
	{"sarif", writeSARIF},
	{"markdown", writeMarkdown},
	{"html", writeHTML},
}

// Formats returns the formats of [Write]: text, json, junit, sarif, markdown and html.
func Formats() []string {
	var names []string
	for _, w := range writers {
		names = append(names, w.format)
	}
	return names
}

// Write writes a report in one of [Formats]. It writes nothing if it fails, unless w fails.
func Write(w io.Writer, format string, r *conformance.Report, o Options) error {
	o.Spec = cmp.Or(o.Spec, "openapi.yaml")
	for _, writer := range writers {
		if writer.format != format {
			continue
		}
		var b bytes.Buffer
		if err := writer.write(&b, r, o); err != nil {
			return fmt.Errorf("writing the report as %s: %w", format, err)
		}
		text := b.Bytes()
		if format != "text" { // which is escaped before it is colored
			text = printable.Lines(text)
		}
		_, err := w.Write(text)
		return err
	}
	return fmt.Errorf("unknown report format %q; use one of %s", format, strings.Join(Formats(), ", "))
}

// group has the deviations with the same meaning.
type group struct {
	name       string // one word
	title      string
	deviations []*conformance.Deviation
}

// groups returns the five groups of deviations, the worst first.
func groups(r *conformance.Report) []group {
	list := []group{
		{name: "documented", title: "documented claims refuted: the server deviates"},
		{name: "assumed", title: "assumed claims refuted: the spec is wrong"},
		{name: "drift", title: "drift: no claim covers it, the spec is incomplete"},
		{name: "known", title: "known failures"},
		{name: "notes", title: "notes: it conforms, but may surprise a client"},
	}
	for i := range r.Deviations {
		d := &r.Deviations[i]
		at := 0
		switch {
		case d.Known != "":
			at = 3
		case d.Source == conformance.Assumed:
			at = 1
		case d.Source == conformance.Drift:
			at = 2
		case d.Source == conformance.Note:
			at = 4
		}
		list[at].deviations = append(list[at].deviations, d)
	}
	return list
}

// verdict returns the result of the run in one line.
func verdict(r *conformance.Report, o Options) string {
	s := r.Summary
	line := plural(r.Exchanges, "exchange") + " checked: "
	switch {
	case r.Exchanges == 0:
		return line + "no verdict"
	case s.Findings > 0:
		line += plural(s.Findings, "finding") + " in " + plural(s.Deviating, "exchange")
		if s.Known > 0 {
			line += ", " + plural(s.Known, "known finding")
		}
	case o.Strict && s.Drift > 0:
		line += "fails because of drift (strict)"
	case len(o.Problems) > 0:
		line += "fails"
	default:
		line += "conforms"
	}
	parts := []string{line}
	for _, more := range []struct {
		n    int
		what string
	}{
		{s.Documented, "%d against documented claims (the server deviates)"},
		{s.Assumed, "%d against assumed claims (the spec may be wrong)"},
		{s.Drift, "%d of drift (the spec is incomplete)"},
	} {
		if more.n > 0 {
			parts = append(parts, fmt.Sprintf(more.what, more.n))
		}
	}
	if s.Known > 0 && s.Findings == 0 {
		parts = append(parts, plural(s.Known, "known finding"))
	}
	if n := len(o.Problems); n > 0 {
		parts = append(parts, plural(n, "problem"))
	}
	return strings.Join(parts, "; ")
}

// passes reports whether nothing fails the run.
func passes(r *conformance.Report, o Options) bool {
	return r.Summary.Conforms && len(o.Problems) == 0 && (!o.Strict || r.Summary.Drift == 0)
}

// noneChecked reports whether no exchange was checked. A shard may have none.
func noneChecked(r *conformance.Report) bool { return r.Exchanges == 0 && r.Shards == nil }

// vacuous returns a warning about a run without evidence for the main responses, or "".
func vacuous(r *conformance.Report) string {
	if r.Exchanges == 0 || !r.Summary.Vacuous() {
		return ""
	}
	return "no exchange has a 2xx response: this run has no evidence for the main responses"
}

// coverage returns the numbers of claims by state in one line.
func coverage(r *conformance.Report) string {
	count := map[conformance.State]int{}
	for _, e := range r.Claims {
		count[e.State]++
	}
	return fmt.Sprintf("claims: %d of %d observed (%.1f%%), %d supported, %d consistent, %d refuted", r.Summary.Observed,
		r.Summary.Claims, r.Summary.Coverage(), count[conformance.Supported], count[conformance.Consistent], count[conformance.Refuted])
}

// skipped lists the exchanges that were not checked, or only in part.
func skipped(r *conformance.Report) []string {
	s := r.Summary
	var lines []string
	if r.Shards != nil {
		parts := strings.Trim(fmt.Sprint(r.Shards.Parts), "[]")
		lines = append(lines, fmt.Sprintf("only a part of the traffic was checked: number %s of %s", parts, plural(r.Shards.Of, "shard")))
	}
	for _, skipped := range []struct {
		n    int
		what string
	}{
		{s.Unmatched, "not checked: no operation of the contract has the method and path"},
		{s.Unanswered, "not checked: no response was recorded"},
		{s.Unreadable, "not checked: the recording has them in a form that cannot be read"},
		{s.BodiesOmitted, "checked without the response body, which was not recorded"},
		{s.RequestBodiesOmitted, "checked without the request body, which was not recorded"},
		{s.HeadersOmitted, "checked without a header, which was not recorded"},
		{s.CredentialsOmitted, "checked without a credential, which no exchange of the recording has"},
	} {
		if skipped.n > 0 {
			lines = append(lines, plural(skipped.n, "exchange")+" "+skipped.what)
		}
	}
	if hosts := OtherHosts(r); hosts != "" {
		lines = append(lines, hosts)
	}
	if s.Unlisted > 0 {
		lines = append(lines, plural(s.Unlisted, "finding")+" counted, but not listed")
	}
	return lines
}

// maxHosts is how many hosts a line names.
const maxHosts = 5

// OtherHosts returns a line about the exchanges of other hosts, which were not checked, with the most frequent hosts; "" if
// there are none.
func OtherHosts(r *conformance.Report) string {
	if r.Summary.OtherHosts == 0 {
		return ""
	}
	hosts := slices.Clone(r.OtherHosts)
	slices.SortFunc(hosts, func(a, b conformance.HostCount) int {
		return cmp.Or(b.Exchanges-a.Exchanges, cmp.Compare(a.Host, b.Host))
	})
	var list []string
	listed := 0
	for _, h := range hosts[:min(len(hosts), maxHosts)] {
		list = append(list, fmt.Sprintf("%s (%d)", printable.Text(h.Host), h.Exchanges))
		listed += h.Exchanges
	}
	if listed < r.Summary.OtherHosts {
		list = append(list, "and others")
	}
	return plural(r.Summary.OtherHosts, "exchange") + " not checked: the spec has no such server: " + strings.Join(list, ", ")
}

// about returns the operation, status, part, pointer and rule of a deviation.
func about(d *conformance.Deviation) string {
	return strings.Join(slices.DeleteFunc([]string{d.Operation, fmt.Sprintf("%d:", d.Status), string(d.Part), d.Pointer, d.Rule},
		func(s string) bool { return s == "" }), " ")
}

// occurrences returns the first exchange of a deviation and the number of others.
func occurrences(d *conformance.Deviation) string {
	text := "in " + d.First.Exchange
	if d.Exchanges > 1 {
		text += " and " + plural(d.Exchanges-1, "more exchange")
	}
	return text
}

// describe returns a description of a deviation in lines: what it is about first, and its exchanges last.
func describe(d *conformance.Deviation, because string, o Options) []string {
	lines := []string{about(d), "  " + d.Message, fmt.Sprintf("  %s at %s #%s", d.Source, o.at(d.Spec), d.Spec.Pointer)}
	if because != "" {
		lines = append(lines, "    because: "+because)
	}
	if d.Known != "" {
		lines = append(lines, "  known: "+d.Known)
	}
	return append(lines, "  "+occurrences(d)+"  ["+d.Fingerprint+"]")
}

// reasons returns the reasons of assumed claims by the claim's ID.
func reasons(r *conformance.Report) map[string]string {
	because := map[string]string{}
	for _, e := range r.Claims {
		because[e.ID] = e.Reason
	}
	return because
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
