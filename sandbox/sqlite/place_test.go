package sqlite

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// TestFileIsLost takes the file away from a store, and puts another one in its place.
func TestFileIsLost(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a file that is open cannot be moved there")
	}
	path := filepath.Join(t.TempDir(), "faults.db")
	s, err := Open(t.Context(), path)
	require.NoError(t, err)
	_, err = s.Seed(t.Context(), sandbox.DefaultFixtures(), nil)
	require.NoError(t, err)
	_, err = s.Records(t.Context(), 0, 1)
	require.NoError(t, err)
	require.NoError(t, os.Rename(path, path+".away"))
	_, err = s.Records(t.Context(), 0, 1)
	require.EqualError(t, err, "the file "+path+" is lost, and with it what is stored: no such file or directory")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	_, err = s.Records(t.Context(), 0, 1)
	require.EqualError(t, err, "the file "+path+" is another one now: what is stored is not in it")
	require.ErrorContains(t, s.Close(), "is another one now")
}
