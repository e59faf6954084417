package mutate

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/probe"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// TestProbeCases has the reference validator check the body of each case of a probe, and the checker whether the case violates
// its one claim, or none if it is valid.
func TestProbeCases(t *testing.T) {
	t.Parallel()
	for name, spec := range specs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := parse(spec)
			require.NoError(t, err)
			contract, err := conformance.Load(spec)
			require.NoError(t, err)
			reference := newReference(t, c)
			for seed := range uint64(3) {
				plan, err := probe.New(contract, probe.Options{Seed: seed})
				require.NoError(t, err)
				assert.Empty(t, plan.Omitted)
				assert.Greater(t, len(plan.Cases), 70)
				for _, of := range plan.Cases {
					ex := *of.Request
					ex.Status, ex.Response = http.StatusOK, traffic.Message{HeaderOmitted: true, BodyOmitted: true}
					findings, err := contract.Check(&ex)
					if err != nil { // an undocumented method
						assert.ErrorIs(t, err, conformance.ErrNoOperation, of.Name)
						continue
					}
					var claims []string
					var violated []Expectation
					for _, f := range findings {
						if f.Fails() {
							claims, violated = append(claims, f.Claim), append(violated, Expectation{f.Claim, f.Rule, f.Part, f.Pointer})
						}
					}
					if of.Claim != "" {
						assert.Equal(t, []string{of.Claim}, claims, of.Name)
					}
					assert.Empty(t, reference.differences(&ex, violated), fmt.Sprint(of.Name, " ", seed))
				}
			}
		})
	}
}
