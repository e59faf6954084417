package conformance_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/internal/testspec"
)

const recordings = "testdata/recordings"

func loadContract(t testing.TB) *conformance.Contract {
	t.Helper()
	contract, err := conformance.Load(testspec.Spec)
	require.NoError(t, err)
	return contract
}
