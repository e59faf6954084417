package conformance

import (
	"errors"
	"slices"
	"time"

	"github.com/fleetcontract/fleetio-go/conformance/known"
)

// ApplyKnown moves known failures from Findings and Drift to Known, and updates Summary. If several failures match a
// deviation, the first gives the reason. Failures that expired before today (UTC) match nothing.
//
// A run with problems fails: each is a failure that has expired, or that matches nothing and should be deleted. If a
// failure is not valid, or known failures were applied before, ApplyKnown returns an error and leaves the report as it
// is. Apply known failures to the merged report, not to those of shards.
func (r *Report) ApplyKnown(expected []known.Failure, today time.Time) (problems []string, err error) {
	if len(r.Known) > 0 || slices.ContainsFunc(r.Deviations, func(k Deviation) bool { return k.Known != "" }) {
		return nil, errors.New("known failures were applied to this report before")
	}
	var deviations []known.Deviation
	for _, k := range r.Deviations {
		if k.Source != Note {
			deviations = append(deviations, known.Deviation{Fingerprint: k.Fingerprint, Rule: k.Rule, Operation: k.Operation,
				Status: k.Status, Pointer: k.Pointer, Claim: k.Claim})
		}
	}
	reasons, problems, err := known.Apply(expected, deviations, today)
	if err != nil {
		return nil, err
	}
	for i := range r.Deviations {
		r.Deviations[i].Known = reasons[r.Deviations[i].Fingerprint]
	}
	r.moveKnown()
	return problems, nil
}

// moveKnown moves the findings of known deviations to Known.
func (r *Report) moveKnown() {
	moved := map[string]bool{}
	for i := range r.Deviations {
		k := &r.Deviations[i]
		if k.Known == "" {
			continue
		}
		moved[k.Fingerprint] = true
		switch k.Source {
		case Documented:
			r.Summary.Documented -= k.Findings
		case Assumed:
			r.Summary.Assumed -= k.Findings
		default:
			r.Summary.Drift -= k.Findings
		}
		r.Summary.Known += k.Findings
	}
	r.Known = []Finding{}
	for _, list := range []*[]Finding{&r.Findings, &r.Drift} {
		left := []Finding{}
		for _, f := range *list {
			if moved[f.Fingerprint] {
				r.Known = append(r.Known, f)
			} else {
				left = append(left, f)
			}
		}
		*list = left
	}
	slices.SortStableFunc(r.Known, compareFindings)
	r.complete()
}
