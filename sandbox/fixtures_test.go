package sandbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	fleetio "github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

func TestDefaultFixtures(t *testing.T) {
	t.Parallel()
	f := sandbox.DefaultFixtures()
	require.NoError(t, f.Validate())
	assert.GreaterOrEqual(t, len(f.Accounts), 2)
	assert.NotNil(t, f.Accounts[0].Vehicles[1].ArchivedAt)
}

func TestFixturesValidate(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*sandbox.Fixtures){
		"accounts is empty":                                            func(f *sandbox.Fixtures) { f.Accounts = nil },
		"accounts[0].id is less than 1":                                func(f *sandbox.Fixtures) { f.Accounts[0].ID = 0 },
		"accounts[1].id is the same as accounts[0].id":                 func(f *sandbox.Fixtures) { f.Accounts[1].ID = f.Accounts[0].ID },
		"accounts[0].token is empty":                                   func(f *sandbox.Fixtures) { f.Accounts[0].Token = "" },
		"accounts[1].token is the same as accounts[0].token":           func(f *sandbox.Fixtures) { f.Accounts[1].Token = f.Accounts[0].Token },
		"accounts[1].api_keys[0].key is the same as accounts[0].token": func(f *sandbox.Fixtures) { f.Accounts[1].APIKeys[0].Key = f.Accounts[0].Token },
		"accounts[0].api_keys is empty":                                func(f *sandbox.Fixtures) { f.Accounts[0].APIKeys = nil },
		"accounts[0].api_keys[0].name is empty":                        func(f *sandbox.Fixtures) { f.Accounts[0].APIKeys[0].Name = " " },
		"accounts[0].api_keys[0].key has a character":                  func(f *sandbox.Fixtures) { f.Accounts[0].APIKeys[0].Key = "a key" },
		`accounts[0].api_keys[1].permissions[0] is unknown; expected one of ["create_faults" "read_faults"]`: func(f *sandbox.Fixtures) { f.Accounts[0].APIKeys[1].Permissions = []sandbox.Permission{"delete"} },
		"accounts[1].vehicles[0].id is the same as accounts[0].vehicles[0].id":                               func(f *sandbox.Fixtures) { f.Accounts[1].Vehicles[0].ID = 1 },
		"accounts[0].vehicles[0].archived_at cannot be written": func(f *sandbox.Fixtures) {
			f.Accounts[0].Vehicles[0].ArchivedAt = new(time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC))
		},
		`accounts[0].fault_rules[0].priority_handling is unknown; expected one of ["off" "ignore" "critical"]`: func(f *sandbox.Fixtures) { f.Accounts[0].FaultRules[0].PriorityHandling = "on" },
		"accounts[0].fault_rules[0].code is empty":                                                             func(f *sandbox.Fixtures) { f.Accounts[0].FaultRules[0].Code = "" },
		"accounts[0].fault_rules[1].code is the same as accounts[0].fault_rules[0].code":                       func(f *sandbox.Fixtures) { f.Accounts[0].FaultRules[1].Code = "P0420" },
		"accounts[0].fault_rules[0].code is not valid UTF-8":                                                   func(f *sandbox.Fixtures) { f.Accounts[0].FaultRules[0].Code = "\xff" },
		"accounts[0].faults[0].vehicle_id must be greater than or equal to 1":                                  func(f *sandbox.Fixtures) { f.Accounts[0].Faults = []fleetio.FaultCreate{{Code: "P0420"}} },
		"accounts[0].faults[0].vehicle_id must exist":                                                          func(f *sandbox.Fixtures) { f.Accounts[0].Faults = []fleetio.FaultCreate{{Code: "P0420", VehicleID: 3}} },
		"accounts[0].faults[0].code must match a Fault Rule":                                                   func(f *sandbox.Fixtures) { f.Accounts[0].Faults = []fleetio.FaultCreate{{Code: "P0300", VehicleID: 1}} },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			f := sandbox.DefaultFixtures()
			change(&f)
			err := f.Validate()
			require.ErrorContains(t, err, want)
			var at *sandbox.FixtureError
			require.ErrorAs(t, err, &at)
			for _, a := range sandbox.DefaultFixtures().Accounts {
				assert.NotContains(t, err.Error(), a.Token)
				assert.NotContains(t, err.Error(), a.APIKeys[0].Key)
			}
		})
	}
}

// TestFixturesSeedAStore holds that faults of the fixtures come in once, and that what a store has stays.
func TestFixturesSeedAStore(t *testing.T) {
	t.Parallel()
	store := keep{sandbox.NewMemory()}
	f := sandbox.DefaultFixtures()
	f.Accounts[0].Faults = []fleetio.FaultCreate{{Code: "P0420", VehicleID: 2}, {Code: "P0171", VehicleID: 1}}
	first := f.Accounts[:1]
	for round := range 2 {
		s := start(t, sandbox.WithStore(store), sandbox.WithFixtures(sandbox.Fixtures{Accounts: first}))
		_, err := s.Client.CreateFault(t.Context(), fleetio.FaultCreate{VehicleID: 1, Code: "P0420"})
		require.NoError(t, err)
		require.Len(t, s.Faults(), 3+round)
		_, archived := s.Faults()[0].VehicleArchivedAt.Get()
		assert.True(t, archived)
	}
	// The first account is still there when only the second is given.
	s := start(t, sandbox.WithStore(store), sandbox.WithFixtures(sandbox.Fixtures{Accounts: f.Accounts[1:]}))
	require.Len(t, s.Accounts(), 2)
	_, err := s.Client.CreateFault(t.Context(), fleetio.FaultCreate{VehicleID: 1, Code: "P0420"})
	require.NoError(t, err)
	assert.Equal(t, int64(5), s.Faults()[4].ID)
	// Together, they may not go.
	clash := sandbox.DefaultFixtures().Accounts[1:]
	clash[0].ID, clash[0].Token, clash[0].APIKeys[0].Key = 99, "another-token", "another-key"
	clash[0].Vehicles[0].ID, clash[0].FaultRules[0].ID = 4711, 77
	_, err = sandbox.New(sandbox.WithStore(store), sandbox.WithFixtures(sandbox.Fixtures{Accounts: clash}))
	require.EqualError(t, err, "sandbox: the fixtures contradict the accounts in the store; change them, or use an empty store: "+
		"accounts[0].vehicles[0].id is the same as (account 12 in the store).vehicles[2].id")
	assert.Len(t, sandbox.Start(t, sandbox.WithStore(store)).Accounts(), 2, "the store has not taken it in, and what it has is enough")
}

// keep is a store that outlives the sandbox.
type keep struct{ sandbox.Store }

func (keep) Close() error { return nil }
