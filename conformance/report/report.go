// Package report prints what a run showed: for people, for programs, and in the formats that CI systems read.
//
// All formats say the same of a [conformance.Report], in the same order, and none of them holds a time or a name of the
// machine, so that equal runs print equal bytes. Names and messages that come from traffic are escaped as each format
// asks for, and no format contains a character that a terminal or a viewer obeys, hides or reorders: such a character is
// escaped, in JSON and SARIF so that the decoded value is the original one.
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

// Options are what a report says besides what the run showed. The zero value is of use.
type Options struct {
	// Spec is the name of the spec's file, as shown and linked: best relative to the root of its repository, as code
	// hosts find it there. By default, "", it is called openapi.yaml.
	Spec string
	// Strict says that drift fails the run. By default, false, it is shown and fails nothing.
	Strict bool
	// Problems fail the run besides its findings: known failures that are gone, too little coverage. They are shown in
	// every format but JSON, which holds the report alone. By default, nil, there are none.
	Problems []string
	// Color says that text is for a terminal that knows ANSI colors. By default, false.
	Color bool
}

// writers prints by the name of the format.
var writers = []struct {
	format string
	write  func(b *bytes.Buffer, r *conformance.Report, o Options) error
}{
	{"text", writeText},
	{"json", writeJSON},
	{"junit", writeJUnit},
	{"sarif", writeSARIF},
	{"markdown", writeMarkdown},
}

// Formats lists the names that [Write] knows: text, json, junit, sarif and markdown.
func Formats() []string {
	var names []string
	for _, w := range writers {
		names = append(names, w.format)
	}
	return names
}

// Write prints a report in one of [Formats]. Nothing is written where it fails, unless w does.
func Write(w io.Writer, format string, r *conformance.Report, o Options) error {
	o.Spec = cmp.Or(o.Spec, "openapi.yaml")
	for _, known := range writers {
		if known.format != format {
			continue
		}
		var b bytes.Buffer
		if err := known.write(&b, r, o); err != nil {
			return fmt.Errorf("writing the report as %s: %w", format, err)
		}
		text := b.Bytes()
		if format != "text" { // which escapes each line before it colors it
			text = printable.Lines(text)
		}
		_, err := w.Write(text)
		return err
	}
	return fmt.Errorf("no report format %q: there are %s", format, strings.Join(Formats(), ", "))
}

// group holds the deviations that mean the same.
type group struct {
	name  string // one word
	title string
	kinds []*conformance.Deviation
}

// groups sorts the deviations of a run by what they mean. There are always five, the worst first.
func groups(r *conformance.Report) []group {
	list := []group{
		{name: "documented", title: "refuted what is documented: the server deviates"},
		{name: "assumed", title: "refuted what is assumed: the spec is wrong"},
		{name: "drift", title: "drift, which no claim covers: the spec is incomplete"},
		{name: "known", title: "known failures"},
		{name: "notes", title: "notes: it conforms, and may surprise"},
	}
	for i := range r.Deviations {
		k := &r.Deviations[i]
		at := 0
		switch {
		case k.Known != "":
			at = 3
		case k.Source == conformance.Assumed:
			at = 1
		case k.Source == conformance.Drift:
			at = 2
		case k.Source == conformance.Note:
			at = 4
		}
		list[at].kinds = append(list[at].kinds, k)
	}
	return list
}

// verdict says in one line what the run came to.
func verdict(r *conformance.Report, o Options) string {
	s := r.Summary
	line := plural(r.Exchanges, "exchange") + " judged: "
	switch {
	case r.Exchanges == 0:
		return line + "no verdict"
	case s.Findings > 0:
		line += plural(s.Findings, "finding") + " in " + plural(s.Deviating, "exchange")
		if s.Known > 0 {
			line += ", with " + plural(s.Known, "known one")
		}
	case o.Strict && s.Drift > 0:
		line += "fails, as drift is not allowed"
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
		{s.Documented, "%d against what is documented (the server deviates)"},
		{s.Assumed, "%d against what is assumed (the spec may be wrong)"},
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

// passes reports whether a run shows nothing that fails it.
func passes(r *conformance.Report, o Options) bool {
	return r.Summary.Conforms && len(o.Problems) == 0 && (!o.Strict || r.Summary.Drift == 0)
}

// idle reports whether nothing was judged where something was to be: a shard may have nothing to do.
func idle(r *conformance.Report) bool { return r.Exchanges == 0 && r.Shards == nil }

// vacuous warns of a run that shows next to nothing; "" for any other.
func vacuous(r *conformance.Report) string {
	if r.Exchanges == 0 || !r.Summary.Vacuous() {
		return ""
	}
	return "no exchange was accepted (2xx), so this run says next to nothing of the answers that matter"
}

// coverage says how much of the spec the traffic was about.
func coverage(r *conformance.Report) string {
	count := map[conformance.State]int{}
	for _, e := range r.Claims {
		count[e.State]++
	}
	return fmt.Sprintf("claims: %d of %d observed (%.1f%%), %d supported, %d consistent, %d refuted", r.Summary.Observed,
		r.Summary.Claims, r.Summary.Coverage(), count[conformance.Supported], count[conformance.Consistent], count[conformance.Refuted])
}

// skipped lists what was not judged, or not in full.
func skipped(r *conformance.Report) []string {
	s := r.Summary
	var lines []string
	if r.Shards != nil {
		parts := strings.Trim(fmt.Sprint(r.Shards.Parts), "[]")
		lines = append(lines, fmt.Sprintf("only a part of the traffic was judged: of %s, number %s", plural(r.Shards.Of, "shard"), parts))
	}
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
			lines = append(lines, plural(skipped.n, "exchange")+" "+skipped.what)
		}
	}
	if s.Unlisted > 0 {
		lines = append(lines, plural(s.Unlisted, "finding")+" not listed one by one, as they are more of the same")
	}
	return lines
}

// about says where a deviation is: operation, status, part, place and rule.
func about(k *conformance.Deviation) string {
	return strings.Join(slices.DeleteFunc([]string{k.Operation, fmt.Sprintf("%d:", k.Status), string(k.Part), k.Pointer, k.Rule},
		func(s string) bool { return s == "" }), " ")
}

// sightings says where a deviation was seen.
func sightings(k *conformance.Deviation) string {
	seen := "seen in " + k.First.Exchange
	if k.Exchanges > 1 {
		seen += " and " + plural(k.Exchanges-1, "more exchange")
	}
	return seen
}

// reasons returns why claims are assumed, by their IDs.
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
