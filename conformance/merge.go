package conformance

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// merge adds reports up. It is also what sorts, cuts and completes the report of a single ledger, so that the whole
// and the sum of its parts cannot differ.
func merge(reports []*Report) *Report {
	sum := &Report{Version: ReportVersion, Spec: reports[0].Spec, Unchecked: []Unchecked{}}
	sum.Unchecked = append(sum.Unchecked, reports[0].Unchecked...)
	kinds := map[string]*Kind{}
	claims := map[string]*Evidence{}
	var all []Finding
	for _, r := range reports {
		sum.Exchanges += r.Exchanges
		sum.Summary = sum.Summary.plus(r.Summary)
		all = slices.Concat(all, r.Findings, r.Drift, r.Notes, r.Known)
		for _, k := range r.Kinds {
			if same := kinds[k.Fingerprint]; same != nil {
				same.add(k)
			} else {
				k.Seen = k.Seen.clone()
				kinds[k.Fingerprint] = &k
			}
		}
		for _, e := range r.Claims {
			if same := claims[e.ID]; same != nil {
				same.add(e)
			} else {
				claims[e.ID] = &e
			}
		}
	}
	prints := slices.Sorted(maps.Keys(kinds))
	for _, fingerprint := range prints[min(len(prints), mostKinds):] {
		delete(kinds, fingerprint)
	}
	sum.list(all, kinds)
	sum.Kinds = []Kind{}
	for _, k := range kinds {
		sum.Kinds = append(sum.Kinds, *k)
	}
	slices.SortFunc(sum.Kinds, func(a, b Kind) int {
		return cmp.Or(cmp.Compare(a.First.Index, b.First.Index), cmp.Compare(a.Part, b.Part), cmp.Compare(a.Pointer, b.Pointer),
			cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	sum.Claims = []Evidence{}
	for _, id := range sortedKeys(claims) {
		sum.Claims = append(sum.Claims, *claims[id])
	}
	sum.complete()
	return sum
}

// list sorts findings into the lists of the report, within the bounds.
func (r *Report) list(all []Finding, kinds map[string]*Kind) {
	slices.SortFunc(all, compareFindings)
	all = slices.DeleteFunc(all, func(f Finding) bool { return kinds[f.Fingerprint] == nil })
	for _, limit := range listLimits {
		count := map[string]int{}
		all = slices.DeleteFunc(all, func(f Finding) bool {
			count[f.Fingerprint]++
			return count[f.Fingerprint] > limit
		})
		if len(all) <= mostListed {
			break
		}
	}
	r.Findings, r.Drift, r.Notes, r.Known = []Finding{}, []Finding{}, []Finding{}, []Finding{}
	for _, f := range all {
		switch f.Basis {
		case Drift:
			r.Drift = append(r.Drift, f)
		case Note:
			r.Notes = append(r.Notes, f)
		default:
			r.Findings = append(r.Findings, f)
		}
	}
}

// complete derives what follows from the rest.
func (r *Report) complete() {
	s := &r.Summary
	s.Findings = s.Documented + s.Assumed
	s.Conforms = r.Exchanges > 0 && s.Findings == 0
	s.Unlisted = s.Findings + s.Drift + s.Notes + s.Known - len(r.Findings) - len(r.Drift) - len(r.Notes) - len(r.Known)
	s.Claims, s.Observed = len(r.Claims), 0
	for i := range r.Claims {
		e := &r.Claims[i]
		switch {
		case e.Refuted > 0:
			e.State = Refuted
		case e.Supported > 0:
			e.State = Supported
		case e.Consistent > 0:
			e.State = Consistent
		default:
			e.State = Unobserved
			continue
		}
		s.Observed++
	}
}

// plus adds what is counted by exchanges and findings.
func (s Summary) plus(other Summary) Summary {
	for _, n := range []struct{ to, from *int }{
		{&s.Documented, &other.Documented}, {&s.Assumed, &other.Assumed}, {&s.Drift, &other.Drift}, {&s.Notes, &other.Notes},
		{&s.Deviating, &other.Deviating}, {&s.Accepted, &other.Accepted}, {&s.Unmatched, &other.Unmatched},
		{&s.Unanswered, &other.Unanswered}, {&s.BodiesOmitted, &other.BodiesOmitted},
		{&s.RequestBodiesOmitted, &other.RequestBodiesOmitted}, {&s.HeadersOmitted, &other.HeadersOmitted},
	} {
		*n.to += *n.from
	}
	return s
}

// add takes in the same deviation of another report. Its first finding gives the pointer and the message.
func (k *Kind) add(other Kind) {
	if other.First.Index < k.First.Index {
		k.First, k.Pointer, k.Message, k.Spec, k.Claim, k.Basis, k.Verdict = other.First, other.Pointer, other.Message, other.Spec,
			other.Claim, other.Basis, other.Verdict
	}
	if other.Last.Index > k.Last.Index {
		k.Last = other.Last
	}
	k.Findings += other.Findings
	k.Exchanges += other.Exchanges
	if k.Seen == nil {
		k.Seen = other.Seen.clone()
	} else {
		k.Seen.Add(other.Seen)
	}
}

func (e *Evidence) add(other Evidence) {
	e.Supported += other.Supported
	e.Consistent += other.Consistent
	e.Refuted += other.Refuted
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	if e.First != nil {
		first, last = e.First.Index, e.Last.Index
	}
	if other.First != nil && other.First.Index < first {
		e.First = other.First
	}
	if other.Last != nil && other.Last.Index > last {
		e.Last = other.Last
	}
}

func (s *Seen) clone() *Seen {
	if s == nil {
		return nil
	}
	copied := Seen{}
	copied.Add(s)
	return &copied
}
