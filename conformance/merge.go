package conformance

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Merge adds up the reports of the shards of one run, in any order. Reports of all shards give the report of the whole
// run; if some are missing, Shards lists those that are there. Reports of different specs or versions, of the same shard,
// of a whole run beside others, or with known failures applied are an error.
func Merge(reports ...*Report) (*Report, error) {
	if len(reports) == 0 {
		return nil, errors.New("no report to merge")
	}
	parts := map[int]bool{}
	for _, r := range reports {
		switch {
		case r.Version != ReportVersion:
			return nil, fmt.Errorf("report version %d is not supported; expected version %d", r.Version, ReportVersion)
		case r.Spec != reports[0].Spec:
			return nil, fmt.Errorf("the reports are of different specs: %s and %s", reports[0].Spec.SHA256, r.Spec.SHA256)
		case len(r.Known) > 0:
			return nil, errors.New("apply known failures to the merged report, not to its parts")
		case len(reports) == 1:
			return merge(reports).withShards(r.Shards, nil), nil
		case r.Shards == nil:
			return nil, errors.New("the report of a whole run cannot be merged with others")
		case r.Shards.Of != reports[0].Shards.Of:
			return nil, fmt.Errorf("the reports are of shards of %d and of %d", reports[0].Shards.Of, r.Shards.Of)
		}
		for _, part := range r.Shards.Parts {
			if parts[part] {
				return nil, fmt.Errorf("two reports of shard %d of %d", part, r.Shards.Of)
			}
			parts[part] = true
		}
	}
	return merge(reports).withShards(reports[0].Shards, slices.Sorted(maps.Keys(parts))), nil
}

// withShards sets Shards, to the given ones if parts is nil. It is nil for all shards.
func (r *Report) withShards(shards *Shards, parts []int) *Report {
	switch {
	case shards == nil || len(parts) == shards.Of:
	case parts == nil:
		r.Shards = shards
	default:
		r.Shards = &Shards{Of: shards.Of, Parts: parts}
	}
	return r
}

// merge adds reports up. It also sorts, cuts and completes the report of a single ledger, so that the report of a whole
// run and the sum of its shards cannot differ.
func merge(reports []*Report) *Report {
	sum := &Report{Version: ReportVersion, Spec: reports[0].Spec, Unchecked: append([]Unchecked{}, reports[0].Unchecked...)}
	deviations := map[string]*Deviation{}
	claims := map[string]*Evidence{}
	hosts := map[string]int{}
	var all []Finding
	for _, r := range reports {
		sum.Exchanges += r.Exchanges
		sum.Summary = sum.Summary.plus(r.Summary)
		for _, h := range r.OtherHosts {
			hosts[h.Host] += h.Exchanges
		}
		all = slices.Concat(all, r.Findings, r.Drift, r.Notes, r.Known)
		for _, k := range r.Deviations {
			if same := deviations[k.Fingerprint]; same != nil {
				same.add(k)
			} else {
				k.Observed = k.Observed.clone()
				deviations[k.Fingerprint] = &k
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
	fingerprints := slices.Sorted(maps.Keys(deviations))
	for _, fingerprint := range fingerprints[min(len(fingerprints), maxDeviations):] { // the smallest stay
		delete(deviations, fingerprint)
	}
	sum.list(all, deviations)
	sum.Deviations = []Deviation{}
	for _, k := range deviations {
		sum.Deviations = append(sum.Deviations, *k)
	}
	slices.SortFunc(sum.Deviations, func(a, b Deviation) int {
		return cmp.Or(cmp.Compare(a.First.Index, b.First.Index), cmp.Compare(a.Part, b.Part), cmp.Compare(a.Pointer, b.Pointer),
			cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	limitHosts(hosts)
	for _, host := range slices.Sorted(maps.Keys(hosts)) {
		sum.OtherHosts = append(sum.OtherHosts, HostCount{host, hosts[host]})
	}
	sum.Claims = []Evidence{}
	for _, id := range sortedKeys(claims) {
		sum.Claims = append(sum.Claims, *claims[id])
	}
	sum.complete()
	return sum
}

// list distributes findings over the lists of the report, within the bounds.
func (r *Report) list(all []Finding, deviations map[string]*Deviation) {
	slices.SortFunc(all, compareFindings)
	all = slices.DeleteFunc(all, func(f Finding) bool { return deviations[f.Fingerprint] == nil })
	for _, limit := range listLimits {
		count := map[string]int{}
		all = slices.DeleteFunc(all, func(f Finding) bool {
			count[f.Fingerprint]++
			return count[f.Fingerprint] > limit
		})
		if len(all) <= maxListed {
			break
		}
	}
	r.Findings, r.Drift, r.Notes, r.Known = []Finding{}, []Finding{}, []Finding{}, []Finding{}
	for _, f := range all {
		switch f.Source {
		case Drift:
			r.Drift = append(r.Drift, f)
		case Note:
			r.Notes = append(r.Notes, f)
		default:
			r.Findings = append(r.Findings, f)
		}
	}
}

// complete sets the fields that follow from others.
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

// plus adds the counts of exchanges and findings. complete sets the other fields.
func (s Summary) plus(other Summary) Summary {
	for _, n := range []struct{ to, from *int }{
		{&s.Documented, &other.Documented}, {&s.Assumed, &other.Assumed}, {&s.Drift, &other.Drift}, {&s.Notes, &other.Notes},
		{&s.Deviating, &other.Deviating}, {&s.Accepted, &other.Accepted}, {&s.Unmatched, &other.Unmatched},
		{&s.Unanswered, &other.Unanswered}, {&s.BodiesOmitted, &other.BodiesOmitted},
		{&s.RequestBodiesOmitted, &other.RequestBodiesOmitted}, {&s.HeadersOmitted, &other.HeadersOmitted},
		{&s.OtherHosts, &other.OtherHosts}, {&s.Unreadable, &other.Unreadable}, {&s.CredentialsOmitted, &other.CredentialsOmitted},
	} {
		*n.to += *n.from
	}
	return s
}

// add adds the same deviation of another report. The first finding of both gives the pointer and the message.
func (k *Deviation) add(other Deviation) {
	if other.First.Index < k.First.Index {
		k.First, k.Pointer, k.Message, k.Spec, k.Claim, k.Source = other.First, other.Pointer, other.Message, other.Spec,
			other.Claim, other.Source
	}
	if other.Last.Index > k.Last.Index {
		k.Last = other.Last
	}
	k.Findings += other.Findings
	k.Exchanges += other.Exchanges
	if k.Observed == nil {
		k.Observed = other.Observed.clone()
	} else {
		k.Observed.Add(other.Observed)
	}
}

func (e *Evidence) add(other Evidence) {
	e.Supported += other.Supported
	e.Consistent += other.Consistent
	e.Refuted += other.Refuted
	if other.First != nil && (e.First == nil || other.First.Index < e.First.Index) {
		e.First = other.First
	}
	if other.Last != nil && (e.Last == nil || other.Last.Index > e.Last.Index) {
		e.Last = other.Last
	}
}

func (s *Observed) clone() *Observed {
	if s == nil {
		return nil
	}
	copied := Observed{}
	copied.Add(s)
	return &copied
}
