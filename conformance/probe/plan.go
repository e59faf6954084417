// Package probe tests a live server against a contract, by requests that are made of its claims.
//
// For each operation, a [Plan] has requests that satisfy the contract (everything, only what is required, the largest and
// the smallest values), and for each claim about a request one that violates it and nothing else: the checker agrees on
// each. Others lack a credential or have a wrong one, or a body that is not JSON. [Plan.Run] sends them within limits, as a
// request that a live server accepts makes a real record, and checks each exchange.
package probe

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/internal/generate"
)

// Options are the options of [New].
type Options struct {
	// Set has values that the account knows, by their place: OPERATION/PART/NAME, where PART is request (the body), path,
	// query, header or cookie, such as createFault/request/vehicle_id (default the example in the spec, or else a generated
	// value). With /largest or /smallest at the end it is the value of that case. Text is a string, JSON another value.
	Set map[string]string
	// Defaults has values like Set, for places that Set lacks. A place that no request has is no error.
	Defaults map[string]string
	// Restricted has the names of the security schemes for which there are credentials without permission to change
	// anything, see [Target] (default none, and no case needs them).
	Restricted []string
	// MaxRequests limits the requests, and MaxCreates those that make a record (default 0: no limit).
	MaxRequests, MaxCreates int
	// Seed is that of generated values.
	Seed uint64
	// OwnRecords requires that the values of fixtures are set: those of schemas with x-fixture, which the account must have.
	// A request for a record then needs one that the run has created.
	OwnRecords bool
}

// Plan is an ordered list of cases. The first ones are evidence for the most claims.
type Plan struct {
	Cases   []*Case
	Omitted []Omission

	contract    *conformance.Contract
	options     Options
	operations  []*operation
	credentials []credential // of all operations
}

// Omission is what the plan, or a run of it, leaves out.
type Omission struct{ Name, Reason string }

// New makes a plan. The error names the values of [Options.Set] that are missing or that no case needs.
func New(contract *conformance.Contract, o Options) (*Plan, error) {
	p := &planner{contract: contract, claims: contract.Claims(), options: o, reader: newReader(), rand: rand.New(rand.NewPCG(o.Seed, 0)), used: map[string]bool{}} //nolint:gosec // values of tests
	plan := &Plan{contract: contract, options: o, operations: p.reader.operations(contract.Document())}
	for _, op := range plan.operations {
		p.operation(op)
	}
	plan.readCredentials()
	if err := p.checkSet(plan.operations); err != nil {
		return nil, err
	}
	for _, c := range p.cases {
		p.gain(c)
	}
	plan.Cases = p.choose()
	plan.Omitted = p.omitted
	return plan, nil
}

// Schemes returns the names of the security schemes that the requests have credentials of, see [Target].
func (p *Plan) Schemes() []string {
	var names []string
	for _, c := range p.credentials {
		names = append(names, c.scheme)
	}
	return names
}

// Creates returns how many records the plan makes if the server conforms.
func (p *Plan) Creates() (n int) {
	for _, c := range p.Cases {
		if c.Creates {
			n++
		}
	}
	return n
}

// readCredentials collects the credentials of all operations.
func (p *Plan) readCredentials() {
	for _, op := range p.operations {
		for _, c := range op.credentials {
			if !slices.Contains(p.credentials, c) {
				p.credentials = append(p.credentials, c)
			}
		}
	}
}

// checkSet returns an error for names in Set that no case needs, and for fixtures without a value.
func (p *planner) checkSet(operations []*operation) error {
	var missing []string
	for _, op := range operations {
		if root := op.body; p.options.OwnRecords && root != nil {
			for _, name := range generate.SortedKeys(root.Properties) {
				if at := op.id + "/request/" + name; p.reader.fixtures[root.Properties[name]] && !p.used[at] {
					missing = append(missing, at)
				}
			}
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("values of the account are missing: set %s", strings.Join(missing, " and "))
	}
	for _, name := range slices.Sorted(maps.Keys(p.options.Set)) {
		if !p.used[name] {
			return fmt.Errorf("no request has a value at %q; a place is such as createFault/request/code, see the names of the cases", name)
		}
	}
	return nil
}

// choose orders the cases and leaves out those beyond the limits. Each time the next one is that which observes the most
// claims that the others do not observe, assumed ones before documented ones. When all are observed, it is one that shows
// whether the server enforces a claim: those first that would make a record if it does not.
func (p *planner) choose() (chosen []*Case) {
	assumed := map[string]bool{}
	for _, c := range p.claims {
		assumed[c.ID] = c.Source == conformance.Assumed
	}
	left, known, creates := slices.Clone(p.cases), map[string]bool{}, 0
	for len(left) > 0 {
		var next *Case
		var best []int
		for _, c := range left {
			var observed, ofAssumed, shows, changing, enforcedAssumed int
			for gain := range c.gains {
				claim, isEnforced := strings.CutSuffix(gain, enforced)
				switch {
				case known[gain]:
				case !isEnforced && assumed[claim]:
					observed, ofAssumed = observed+1, ofAssumed+1
				case !isEnforced:
					observed++
				case assumed[claim]:
					shows, enforcedAssumed = 1, 1
				default:
					shows = 1
				}
			}
			switch {
			case c.novelty == "" || known[c.novelty]:
			case c.expected.isValid():
				observed = max(observed, 1)
			default:
				shows = 1
			}
			if changes(c.Request.Method) {
				changing = shows
			}
			if rank := []int{observed, ofAssumed, changing, enforcedAssumed, shows}; slices.Compare(rank, best) > 0 {
				next, best = c, rank
			}
		}
		left = slices.DeleteFunc(left, func(c *Case) bool { return c == next })
		switch {
		case p.options.MaxRequests > 0 && len(chosen) == p.options.MaxRequests:
			p.omitted = append(p.omitted, Omission{next.Name, fmt.Sprintf("the limit is %d requests", p.options.MaxRequests)})
			continue
		case next.Creates && p.options.MaxCreates > 0 && creates == p.options.MaxCreates:
			p.omitted = append(p.omitted, Omission{next.Name, fmt.Sprintf("the limit is %d records", p.options.MaxCreates)})
			continue
		case next.Creates:
			creates++
		}
		chosen = append(chosen, next)
		maps.Copy(known, next.gains)
		known[next.novelty] = true
	}
	return chosen
}
