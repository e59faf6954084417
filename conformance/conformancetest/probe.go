package conformancetest

import (
	"testing"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/probe"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// Probe tests a server against a contract, by requests that are made of its claims: each is a subtest with the name of its
// case, such as createFault/request/code/maxLength/over. A finding, an unexpected status and a record that the server should
// not have made are errors; drift and notes are logged. On a live account, set the limits of the options and of the target.
func Probe(t *testing.T, contract *conformance.Contract, options probe.Options, target probe.Target) *probe.Result {
	t.Helper()
	plan, err := probe.New(contract, options)
	if err != nil {
		t.Fatal(err)
	}
	done := target.Done
	target.Done = func(o probe.Outcome) {
		t.Run(o.Case.Name, func(t *testing.T) {
			for _, f := range o.Findings {
				report := t.Logf
				if f.Fails() {
					report = t.Errorf
				}
				report("%s", printable.Text(describe(f)))
			}
			if o.Problem != "" {
				t.Error(printable.Text(o.Problem))
			}
			if o.Leaked != "" {
				t.Error(printable.Text("the server has made a record that it should not have: " + o.Leaked))
			}
		})
		if done != nil {
			done(o)
		}
	}
	result, err := plan.Run(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	for _, omitted := range append(plan.Omitted, result.Unsent...) {
		t.Logf("%s was left out: %s", omitted.Name, omitted.Reason)
	}
	if result.Report.Exchanges == 0 {
		t.Error("no exchange was checked")
	}
	return result
}
