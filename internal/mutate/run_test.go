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

// TestJudge is the self test of the judge, for both specs. It compares, too, which claims cannot be broken alone with a
// list that a person has read, and fails where a gap of the second opinion is on its list that explains nothing. All of
// it runs on one goroutine, so there is nothing for the race detector, which makes it ten times as slow: `make test` runs
// it without.
func TestJudge(t *testing.T) {
	if raceDetector {
		t.Skip("slow, and on one goroutine")
	}
	t.Parallel()
	const conformant = 2000
	used := map[string]int{}
	for name, spec := range specs {
		contract, err := conformance.Load(spec)
		require.NoError(t, err)
		r, err := Run(contract, spec, Options{Conformant: conformant, Seed: 1})
		require.NoError(t, err)
		assert.Empty(t, r.Failures, name)
		assert.Equal(t, r.Mutants, r.Killed, name)
		assert.Greater(t, r.Mutants, 2*len(contract.Claims()), name)
		assert.Equal(t, conformant, r.Conformant, name)
		golden(t, "testdata/"+name+".unbreakable.golden", strings.Join(r.Unbreakable, "\n")+"\n")
		for gap, n := range r.gaps {
			used[gap] += n
		}
		t.Logf("%s: %d mutants, %d proofs, %d conformant exchanges", name, r.Mutants, r.Shown, r.Conformant)
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
