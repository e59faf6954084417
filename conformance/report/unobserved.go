package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// place is a schema or operation with its claims without evidence.
type place struct {
	name   string // the part of the exchange, and the schema or operation
	claims []*conformance.Evidence
}

// unobserved groups the claims without evidence by their place, in the order of the lines in the spec.
func unobserved(r *conformance.Report) []place {
	var list []place
	at := map[string]int{}
	for i := range r.Claims {
		e := &r.Claims[i]
		if e.State != conformance.Unobserved {
			continue
		}
		name := claimPlace(&e.Claim)
		if _, ok := at[name]; !ok {
			at[name] = len(list)
			list = append(list, place{name: name})
		}
		p := &list[at[name]]
		p.claims = append(p.claims, e)
	}
	byLine := func(a, b *conformance.Evidence) int { return a.Spec.Line - b.Spec.Line }
	for _, p := range list {
		slices.SortStableFunc(p.claims, byLine)
	}
	slices.SortStableFunc(list, func(a, b place) int { return byLine(a.claims[0], b.claims[0]) })
	return list
}

// list returns the line, pointer and rule of each claim.
func (p place) list() string {
	var words []string
	for _, e := range p.claims {
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

// claimPlace returns the part of a claim, and its component or the operations that use it.
func claimPlace(c *conformance.Claim) string {
	if rest, ok := strings.CutPrefix(c.Spec.Pointer, "/components/"); ok {
		if kind, name, ok := strings.Cut(rest, "/"); ok {
			name, _, _ = strings.Cut(name, "/")
			return string(c.Part) + ", " + kind + "/" + name
		}
	}
	return string(c.Part) + ", " + strings.Join(c.Uses, ", ")
}

// sentence returns the places, rule and text of a claim.
func sentence(c *conformance.Claim) string {
	if place := strings.Join(c.Places, " "); place != "" {
		return place + " " + c.Rule + ": " + c.Text
	}
	return c.Rule + ": " + c.Text
}

// unobservedBecause returns why a claim has no evidence.
func unobservedBecause(c *conformance.Claim) string {
	if c.NeedsRecording {
		return "never observed: needs a recording, as no request provokes such a response"
	}
	return "never observed"
}

// uncheckedLines lists the parts of the spec that the checker ignores.
func uncheckedLines(r *conformance.Report, o Options) []string {
	var lines []string
	for _, u := range r.Unchecked {
		lines = append(lines, fmt.Sprintf("not checked: %s at %s #%s", u.Reason, o.at(u.Spec), u.Spec.Pointer))
	}
	return lines
}
