package conformance

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ApplyKnown moves the deviations that are known from the findings and the drift of a report to its known ones, and
// counts the summary anew. Where two lines match one deviation, the first gives the reason. today decides which lines
// have expired: those count for nothing.
//
// The problems make a run fail: a line that has expired, and one that matches nothing in this report, as a failure that
// no longer occurs is to be deleted. The error says that a line is invalid, and the report is unchanged then. Known
// failures are applied once, to a merged report.
func (r *Report) ApplyKnown(known []KnownFailure, today time.Time) (problems []string, err error) {
	if len(r.Known) > 0 || slices.ContainsFunc(r.Kinds, func(k Kind) bool { return k.Known != "" }) {
		return nil, errors.New("known failures were applied to this report before")
	}
	var errs []error
	for i := range known {
		if err := known[i].validate(); err != nil {
			errs = append(errs, known[i].errorf("%w", err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	today = today.UTC().Truncate(24 * time.Hour)
	moved := map[string]bool{}
	for i := range known {
		line := &known[i]
		if !line.Until.IsZero() && line.Until.UTC().Before(today) {
			problems = append(problems, line.errorf("the known failure expired on %s: %s", line.Until.UTC().Format(time.DateOnly),
				line.selectors()+"because "+line.Reason).Error())
			continue
		}
		occurs := false
		for j := range r.Kinds {
			if k := &r.Kinds[j]; line.matches(*k) {
				occurs, moved[k.Fingerprint] = true, true
				if k.Known == "" {
					k.Known = line.Reason
				}
			}
		}
		if !occurs {
			problems = append(problems, line.errorf("the known failure matched nothing: delete the line, or correct it: %s", line.selectors()+"because "+line.Reason).Error())
		}
	}
	r.moveKnown(moved)
	return problems, nil
}

// moveKnown moves what is listed of the kinds that are known, and counts them.
func (r *Report) moveKnown(moved map[string]bool) {
	for i := range r.Kinds {
		k := &r.Kinds[i]
		if k.Known == "" {
			continue
		}
		switch k.Basis {
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

func (k *KnownFailure) matches(kind Kind) bool {
	return kind.Basis != Note &&
		(k.Fingerprint == "" || k.Fingerprint == kind.Fingerprint) &&
		(k.Rule == "" || k.Rule == kind.Rule) &&
		(k.Operation == "" || k.Operation == kind.Operation) &&
		(k.Status == 0 || k.Status == kind.Status) &&
		(k.Pointer == "" || globFits(k.Pointer, kind.Pointer)) &&
		(k.Claim == "" || kind.Claim != "" && globFits(k.Claim, kind.Claim))
}

// globFits matches a glob of pointers against one, token by token.
func globFits(pattern, pointer string) bool {
	tokens := strings.Split(pointer, "/")
	reached := make([]bool, len(tokens)+1) // whether the pattern so far matches as many tokens
	reached[0] = true
	for p := range strings.SplitSeq(pattern, "/") {
		next := make([]bool, len(tokens)+1)
		for i := range reached {
			switch {
			case p == "**":
				next[i] = reached[i] || i > 0 && next[i-1]
			case i > 0 && reached[i-1]:
				next[i] = isPosition(p) && isPosition(tokens[i-1]) || fitsToken(p, tokens[i-1])
			}
		}
		reached = next
	}
	return reached[len(tokens)]
}

func isPosition(token string) bool {
	_, err := strconv.Atoi(token)
	return err == nil
}

// fitsToken matches a glob within a token.
func fitsToken(pattern, token string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == token
	}
	last := parts[len(parts)-1]
	token, ok := strings.CutPrefix(token, parts[0])
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(token, part)
		if i < 0 {
			return false
		}
		token = token[i+len(part):]
	}
	return ok && strings.HasSuffix(token, last)
}
