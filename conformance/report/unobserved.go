package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// silence is claims that stand together in the spec, and that no exchange was about.
type silence struct {
	place  string // part of the exchange, and schema or operation
	claims []*conformance.Evidence
}

// unobserved groups the claims without evidence by where the spec makes them, in the order of its lines.
func unobserved(r *conformance.Report) []silence {
	var list []silence
	at := map[string]int{}
	for i := range r.Claims {
		e := &r.Claims[i]
		if e.State != conformance.Unobserved {
			continue
		}
		place := claimPlace(&e.Claim)
		if _, ok := at[place]; !ok {
			at[place] = len(list)
			list = append(list, silence{place: place})
		}
		of := &list[at[place]]
		of.claims = append(of.claims, e)
	}
	byLine := func(a, b *conformance.Evidence) int { return a.Spec.Line - b.Spec.Line }
	for _, of := range list {
		slices.SortStableFunc(of.claims, byLine)
	}
	slices.SortStableFunc(list, func(a, b silence) int { return byLine(a.claims[0], b.claims[0]) })
	return list
}

// list names the claims in a few words each.
func (s silence) list() string {
	var words []string
	for _, e := range s.claims {
		at := e.Rule
		if len(e.Places) > 0 && e.Places[0] != "" {
			at = e.Places[0] + " " + e.Rule
		}
		text := fmt.Sprintf("%d %s", e.Spec.Line, at)
		if e.NeedsRecording {
			text += " (needs a recording)"
		}
		words = append(words, text)
	}
	return strings.Join(words, ", ")
}

// claimPlace names what a claim belongs to: the component that makes it, or the operations that use it.
func claimPlace(c *conformance.Claim) string {
	if rest, ok := strings.CutPrefix(c.Spec.Pointer, "/components/"); ok {
		if kind, name, ok := strings.Cut(rest, "/"); ok {
			name, _, _ = strings.Cut(name, "/")
			return string(c.Part) + ", " + kind + "/" + name
		}
	}
	return string(c.Part) + ", " + strings.Join(c.Uses, ", ")
}

// sentence says what a claim claims, and of which place.
func sentence(c *conformance.Claim) string {
	if place := strings.Join(c.Places, " "); place != "" {
		return place + " " + c.Rule + ": " + c.Text
	}
	return c.Rule + ": " + c.Text
}

// silentBecause says why nothing was seen of a claim.
func silentBecause(c *conformance.Claim) string {
	if c.NeedsRecording {
		return "never observed: needs a recording, as no request can bring it about"
	}
	return "never observed"
}

// uncheckedLines lists what the spec claims and nobody looked at.
func uncheckedLines(r *conformance.Report, o Options) []string {
	var lines []string
	for _, u := range r.Unchecked {
		lines = append(lines, fmt.Sprintf("not checked: %s at %s:%d #%s", u.Reason, o.Spec, u.Spec.Line, u.Spec.Pointer))
	}
	return lines
}
