package page

import (
	"fmt"
	"slices"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

const (
	maxFindings = 200     // displayed findings of one exchange
	maxRedacted = 4 << 10 // bytes of a string that are redacted; far more than are displayed, so that no credential is cut
)

// kind is one of [kinds].
type kind int

const (
	failing kind = iota
	drifting
	noted
)

// kinds are the kinds of findings, the worst first: the class of the style sheet, and the names of one and of several.
var kinds = [...]struct{ class, one, all string }{
	failing: {"fails", "Finding", "findings"}, drifting: {"drift", "Drift", "drift"}, noted: {"noted", "Note", "notes"},
}

func (f *Finding) kind() kind {
	switch {
	case f.Fails:
		return failing
	case f.Note:
		return noted
	default:
		return drifting
	}
}

// verdict is the verdict on an exchange.
type verdict struct {
	Kind   string // the class of the style sheet: conforms, fails, drift or none
	Text   string
	Reason string // why it was not checked
	More   int    // findings that are not in found
	found  []Finding
}

// verdict checks an exchange.
func (p *Page) verdict(raw *sandbox.Exchange) verdict {
	switch {
	case raw.Status == 0:
		return verdict{Kind: "none", Text: "dropped", Reason: "the connection was dropped before a response"}
	case p.check == nil:
		return verdict{Kind: "none", Text: "not checked", Reason: "this sandbox has no checker"}
	}
	found, err := p.check(raw)
	for i := range found[:min(len(found), maxFindings)] { // credentials of other callers, unknown to the checker
		found[i].Message = redacted(p.source, found[i].Message)
		found[i].Pointer = redacted(p.source, found[i].Pointer)
	}
	return newVerdict(found, err)
}

func newVerdict(found []Finding, err error) verdict {
	if err != nil {
		return verdict{Kind: "none", Text: "not checked", Reason: clip(err.Error(), maxText)}
	}
	var count [len(kinds)]int
	for i := range found {
		count[found[i].kind()]++
	}
	v := verdict{found: slices.Clone(found[:min(len(found), maxFindings)])} // to free the others
	v.More = len(found) - len(v.found)
	switch {
	case count[failing] > 0:
		v.Kind, v.Text = "fails", counted(count[failing], "finding")
	case count[drifting] > 0:
		v.Kind, v.Text = "drift", "drift"
	case count[noted] > 0:
		v.Kind, v.Text = "conforms", "conforms, "+counted(count[noted], "note")
	default:
		v.Kind, v.Text = "conforms", "conforms"
	}
	return v
}

func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func redacted(s source, str string) string { return s.Redact(str[:min(len(str), maxRedacted)]) }
