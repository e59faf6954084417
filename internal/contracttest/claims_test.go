package contracttest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestClaimsGolden lists the claims of the spec, so that the diff of an edit shows each that is new, changed or lost, here
// and in `make diff-spec`.
func TestClaimsGolden(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, c := range loadContract(t).Claims() {
		_, _ = fmt.Fprintf(&b, "%s %s: %s\n", c.Source, c.ID, c.Text)
	}
	const path = root + "/api/testdata/claims.golden"
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), b.String(), "%s; -update rewrites it", path)
}
