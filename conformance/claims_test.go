package conformance

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestClaimsGolden lists the assumptions and criteria of the spec, so that a diff shows an edit of either, here and in
// `make diff-spec`: no other tool reads these extensions.
func TestClaimsGolden(t *testing.T) {
	t.Parallel()
	contract, err := Load(api.Spec)
	require.NoError(t, err)
	var lines []string
	for pointer := range contract.assumptions {
		if !strings.Contains(pointer, "/"+criteriaKey+"/") {
			lines = append(lines, "assumed "+contract.source.ByName(pointer))
		}
	}
	slices.Sort(lines)
	for _, op := range contract.operations {
		for _, status := range slices.Sorted(maps.Keys(op.responses)) {
			for _, k := range op.responses[status].criteria {
				source, _ := contract.sourceOf(k.pointer)
				lines = append(lines, fmt.Sprintf("criterion, %s, %s %s: %s: %s", source, op.id, status, k.name, k.text()))
			}
		}
	}
	got := strings.Join(lines, "\n") + "\n"
	const path = "testdata/claims.golden"
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "%s; -update rewrites it", path)
}
