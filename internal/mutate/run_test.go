package mutate

import (
	_ "embed"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
)

var update = flag.Bool("update", false, "write golden files anew")

//go:embed testdata/vocabulary.yaml
var vocabulary []byte

// specs are the one of this project, and one of all that OpenAPI 3.0 can say.
var specs = map[string][]byte{"api": api.Spec, "vocabulary": vocabulary}

// TestSelftest is the mutation test of the checker, for both specs: `make selftest` prints its summary. It also compares
// the claims that cannot be violated alone with a reviewed list, and fails on a known difference of kin-openapi that
// explains nothing. It runs on one goroutine, so the race detector has nothing to see and makes it ten times as slow.
func TestSelftest(t *testing.T) {
	if raceDetector {
		t.Skip("slow, and on one goroutine")
	}
	t.Parallel()
	const conformant = 2000
	used := map[string]int{}
	for name, spec := range specs {
		t.Run(name, func(t *testing.T) {
			contract, err := conformance.Load(spec)
			require.NoError(t, err)
			r, err := Run(contract, spec, Options{Conformant: conformant, Seed: 1})
			require.NoError(t, err)
			t.Logf("%d claims, %d mutants, %d killed, %d survivors; %d positive cases; %d conforming exchanges",
				len(contract.Claims()), r.Mutants, r.Killed, r.Mutants-r.Killed, r.Shown, r.Conformant)
			assert.Empty(t, r.Failures)
			assert.Equal(t, r.Mutants, r.Killed, "survivors")
			assert.Greater(t, r.Mutants, 2*len(contract.Claims()))
			assert.Equal(t, conformant, r.Conformant)
			golden(t, "testdata/"+name+".unbreakable.golden", strings.Join(r.Unbreakable, "\n")+"\n")
			for gap, n := range r.gaps {
				used[gap] += n
			}
		})
	}
	for _, g := range gaps {
		assert.Positive(t, used[g.name], "kin-openapi has no gap any more as to: %s", g.name)
		assert.NotEmpty(t, g.reason, g.name)
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "%s; -update writes it anew", path)
}
