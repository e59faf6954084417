package contracttest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestClaimsGolden lists the claims of the spec, and what nothing checks, so that the diff of an edit shows each that is
// new, changed or lost, here and in `make diff-spec`.
func TestClaimsGolden(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	contract := loadContract(t)
	for _, c := range contract.Claims() {
		_, _ = fmt.Fprintf(&b, "%s %s: %s\n", c.Source, c.ID, c.Text)
	}
	for _, u := range contract.Unchecked {
		_, _ = fmt.Fprintf(&b, "unchecked #%s: %s\n", u.Spec.Pointer, u.Reason)
	}
	const path = root + "/api/testdata/claims.golden"
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), b.String(), "%s; -update rewrites it", path)
}
