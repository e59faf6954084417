package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/internal/printable"
	"github.com/fleetcontract/fleetio-go/internal/redact"
)

// The parts of the page, which loads nothing: its policy allows these texts and no other.
var (
	//go:embed page/page.css
	pageStyle string
	//go:embed page/page.js
	pageScript string
	//go:embed page/page.html
	pageText     string
	pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"text": printable.Text}).Parse(pageText))
)

// htmlPage is the data of the template.
type htmlPage struct {
	Style  template.CSS
	Script template.JS
	Policy string

	Passes                   bool
	Verdict, Coverage, Title string
	Warnings, Problems       []string
	Skipped                  []string
	Groups                   []htmlGroup
	Charts                   []htmlChart
	Tree                     htmlNodes
	Next                     []htmlStep
	Trend                    []htmlChange
}

// htmlGroup is a list of deviations with the same meaning.
type htmlGroup struct {
	Name, Title string
	Findings    []htmlFinding
}

// htmlFinding is a deviation with its exchange and the lines of the spec.
type htmlFinding struct {
	*conformance.Deviation

	About, Occurrences, At, Because string
	Messages                        []marked // of the exchange; nil if it is unknown
	Lines                           marked   // of the spec
	Command                         string
	Replace                         bool // a credential in the command that is no variable
}

// htmlCounts counts claims by their state.
type htmlCounts struct{ Supported, Consistent, Refuted, Unobserved, Assumed int }

// htmlBar is a part of a bar, in percent of its width.
type htmlBar struct {
	State    conformance.State
	X, Width float64
}

// Total returns the number of claims.
func (c htmlCounts) Total() int { return c.Supported + c.Consistent + c.Refuted + c.Unobserved }

// Observed returns the number of claims with evidence.
func (c htmlCounts) Observed() int { return c.Total() - c.Unobserved }

// Bars returns the bar of the counts.
func (c htmlCounts) Bars() []htmlBar {
	var bars []htmlBar
	x := 0.0
	for _, part := range []htmlBar{{conformance.Refuted, 0, float64(c.Refuted)}, {conformance.Supported, 0, float64(c.Supported)},
		{conformance.Consistent, 0, float64(c.Consistent)}, {conformance.Unobserved, 0, float64(c.Unobserved)}} {
		if part.Width > 0 {
			width := 100 * part.Width / float64(c.Total())
			bars = append(bars, htmlBar{part.State, x, width})
			x += width
		}
	}
	return bars
}

// htmlChart is a chart of the coverage with a bar for each row.
type htmlChart struct {
	Title string
	Rows  htmlNodes
}

// htmlNodes are nodes with different names.
type htmlNodes struct {
	List []*htmlNode
	at   map[string]*htmlNode
}

// htmlNode is a place in the spec with the claims at it and below. Those with children have no claims of their own.
type htmlNode struct {
	Name     string
	Counts   htmlCounts
	Children htmlNodes
	Claims   []htmlClaim
}

// htmlClaim is a claim with the deviation that refutes it.
type htmlClaim struct {
	*conformance.Evidence

	At, Text, Finding string
}

// htmlStep is what to send to observe the claims of one place.
type htmlStep struct {
	Name   string
	Claims []htmlClaim
}

// htmlChange is a change since an older report.
type htmlChange struct{ Name, Before, Now string }

// writeHTML writes one page that needs nothing else.
func writeHTML(b *bytes.Buffer, r *conformance.Report, o Options) error {
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	page := htmlPage{Style: template.CSS(pageStyle), Script: template.JS(pageScript), //nolint:gosec // files of this package
		Policy: "default-src 'none'; style-src " + hash(pageStyle) + "; script-src " + hash(pageScript) + "; base-uri 'none'; form-action 'none'",
		Title:  r.Spec.Title + " " + r.Spec.Version, Passes: passes(r, o), Verdict: verdict(r, o), Coverage: coverage(r),
		Problems: o.Problems, Skipped: append(skipped(r), uncheckedLines(r, o)...)}
	if warning := vacuous(r); warning != "" {
		page.Warnings = append(page.Warnings, warning)
	}
	if o.Older != nil && o.Older.Spec.SHA256 != r.Spec.SHA256 {
		page.Warnings = append(page.Warnings, "the older report is of another spec: "+o.Older.Spec.Title+" "+o.Older.Spec.Version)
	}
	because := reasons(r)
	refuting := map[string]string{}
	for _, g := range groups(r) {
		group := htmlGroup{Name: g.name, Title: g.title}
		for _, d := range g.deviations {
			refuting[d.Claim] = d.Fingerprint
			group.Findings = append(group.Findings, findingOf(d, because[d.Claim], o))
		}
		if len(group.Findings) > 0 {
			page.Groups = append(page.Groups, group)
		}
	}
	page.coverage(r, refuting, o)
	if o.Older != nil {
		page.Trend = trend(o.Older, r)
	}
	return pageTemplate.Execute(b, page)
}

func findingOf(d *conformance.Deviation, because string, o Options) htmlFinding {
	f := htmlFinding{Deviation: d, About: about(d), Occurrences: occurrences(d), At: o.at(d.Spec), Because: because}
	if ex := o.Exchanges.of(d); ex != nil {
		f.Messages, f.Command = messages(ex, d), command(ex, o.Variables)
		f.Replace = strings.Contains(f.Command, redact.Placeholder) || strings.Contains(f.Command, url.QueryEscape(redact.Placeholder))
	}
	if d.Spec.File == "" {
		f.Lines = specLines(o.Source, d.Spec.Line)
	}
	return f
}

// specLines returns a line of the spec, marked, with those around it.
func specLines(source []byte, line int) marked {
	const around = 4
	lines := strings.SplitAfter(string(source), "\n")
	if line < 1 || line > len(lines) {
		return marked{}
	}
	return marked{strings.Join(lines[max(0, line-1-around):line-1], ""), lines[line-1], strings.Join(lines[line:min(len(lines), line+around)], "")}
}

// coverage fills in the tree of the claims, the charts, and what to send next.
func (p *htmlPage) coverage(r *conformance.Report, refuting map[string]string, o Options) {
	charts := []htmlChart{{Title: "by operation"}, {Title: "by response"}, {Title: "by part of the exchange"}}
	claimOf := func(e *conformance.Evidence) htmlClaim {
		return htmlClaim{e, o.at(e.Spec), sentence(&e.Claim), refuting[e.ID]}
	}
	sorted := make([]*conformance.Evidence, len(r.Claims))
	for i := range r.Claims {
		sorted[i] = &r.Claims[i]
	}
	slices.SortStableFunc(sorted, func(a, b *conformance.Evidence) int {
		return cmp.Or(strings.Compare(a.Spec.File, b.Spec.File), a.Spec.Line-b.Spec.Line)
	})
	for _, e := range sorted {
		for _, operation := range operations(e.Uses) {
			charts[0].Rows.count(operation, e)
		}
		for _, use := range e.Uses {
			if !strings.HasPrefix(string(e.Part), "request.") {
				charts[1].Rows.count(use, e)
			}
		}
		charts[2].Rows.count(string(e.Part), e)
		place := p.Tree.count(claimPlace(&e.Claim), e)
		property := place.Children.count(cmp.Or(strings.Join(e.Places, " "), "the "+strings.ReplaceAll(string(e.Part), ".", "'s ")), e)
		property.Claims = append(property.Claims, claimOf(e))
	}
	for _, chart := range charts {
		slices.SortFunc(chart.Rows.List, func(a, b *htmlNode) int { return strings.Compare(a.Name, b.Name) })
		if len(chart.Rows.List) > 0 {
			p.Charts = append(p.Charts, chart)
		}
	}
	for _, place := range unobserved(r) {
		step := htmlStep{Name: place.name}
		for _, e := range place.claims {
			claim := claimOf(e)
			claim.Text = next(e)
			step.Claims = append(step.Claims, claim)
		}
		p.Next = append(p.Next, step)
	}
}

// count counts a claim in the node with a name, which it adds if there is none.
func (list *htmlNodes) count(name string, e *conformance.Evidence) *htmlNode {
	n := list.at[name]
	if n == nil {
		n = &htmlNode{Name: name}
		list.List = append(list.List, n)
		if list.at == nil {
			list.at = map[string]*htmlNode{}
		}
		list.at[name] = n
	}
	switch e.State {
	case conformance.Supported:
		n.Counts.Supported++
	case conformance.Consistent:
		n.Counts.Consistent++
	case conformance.Refuted:
		n.Counts.Refuted++
	default:
		n.Counts.Unobserved++
	}
	if e.Source == conformance.Assumed {
		n.Counts.Assumed++
	}
	return n
}

// next returns what to send to observe a claim.
func next(e *conformance.Evidence) string {
	switch {
	case e.NeedsRecording:
		return "record such a response, which no request provokes: " + sentence(&e.Claim)
	case strings.HasPrefix(string(e.Part), "request."):
		return "send a request that has, and one that violates only: " + sentence(&e.Claim)
	}
	return "send a request whose response has: " + sentence(&e.Claim)
}

// trend returns what changed since an older report.
func trend(older, r *conformance.Report) []htmlChange {
	var changes []htmlChange
	for _, row := range []struct {
		name string
		of   func(*conformance.Report) string
	}{
		{"exchanges", func(r *conformance.Report) string { return strconv.Itoa(r.Exchanges) }},
		{"findings", func(r *conformance.Report) string { return strconv.Itoa(r.Summary.Findings) }},
		{"drift", func(r *conformance.Report) string { return strconv.Itoa(r.Summary.Drift) }},
		{"claims observed", func(r *conformance.Report) string {
			return fmt.Sprintf("%d of %d (%.1f%%)", r.Summary.Observed, r.Summary.Claims, r.Summary.Coverage())
		}},
	} {
		changes = append(changes, htmlChange{row.name, row.of(older), row.of(r)})
	}
	deviations := func(r *conformance.Report) map[string]string {
		list := map[string]string{}
		for i := range r.Deviations {
			list[r.Deviations[i].Fingerprint] = string(r.Deviations[i].Source) + ": " + about(&r.Deviations[i])
		}
		return list
	}
	states := func(r *conformance.Report) map[string]string {
		list := map[string]string{}
		for _, e := range r.Claims {
			list[e.ID] = string(e.State)
		}
		return list
	}
	before, now := deviations(older), deviations(r)
	for _, fingerprint := range slices.Sorted(maps.Keys(now)) {
		if before[fingerprint] == "" {
			changes = append(changes, htmlChange{now[fingerprint], "", "new"})
		}
	}
	for _, fingerprint := range slices.Sorted(maps.Keys(before)) {
		if now[fingerprint] == "" {
			changes = append(changes, htmlChange{before[fingerprint], "reported", "gone"})
		}
	}
	before, now = states(older), states(r)
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if before[id] != now[id] {
			changes = append(changes, htmlChange{id, cmp.Or(before[id], "no claim"), now[id]})
		}
	}
	return changes
}
