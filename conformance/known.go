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
	var errs []error
	for i := range expected {
		if err := expected[i].Validate(); err != nil {
			errs = append(errs, expected[i].Errorf("%w", err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	today = today.UTC().Truncate(24 * time.Hour)
	moved := map[string]bool{}
	for i := range expected {
		line := &expected[i]
		if !line.Until.IsZero() && line.Until.UTC().Before(today) {
			problems = append(problems, line.Errorf("the known failure expired on %s: %s", line.Until.UTC().Format(time.DateOnly),
				line.Selectors()+"because "+line.Reason).Error())
			continue
		}
		occurs := false
		for j := range r.Deviations {
			if k := &r.Deviations[j]; k.isKnown(line) {
				occurs, moved[k.Fingerprint] = true, true
				if k.Known == "" {
					k.Known = line.Reason
				}
			}
		}
		if !occurs {
			problems = append(problems, line.Errorf("the known failure matched nothing: delete the line, or correct it: %s",
				line.Selectors()+"because "+line.Reason).Error())
		}
	}
	r.moveKnown(moved)
	return problems, nil
}

// moveKnown moves the findings with these fingerprints to Known.
func (r *Report) moveKnown(moved map[string]bool) {
	for i := range r.Deviations {
		k := &r.Deviations[i]
		if k.Known == "" {
			continue
		}
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

func (k *Deviation) isKnown(line *known.Failure) bool {
	return k.Source != Note && line.Matches(known.Deviation{Fingerprint: k.Fingerprint, Rule: k.Rule, Operation: k.Operation,
		Status: k.Status, Pointer: k.Pointer, Claim: k.Claim})
}
