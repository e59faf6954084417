package sqlite

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// TestSeed runs the same steps on a file, which is opened anew for each, and on the store in memory.
func TestSeed(t *testing.T) {
	t.Parallel()
	archived := time.Date(2025, 11, 30, 17, 0, 0, 123456789, time.FixedZone("", -6*60*60))
	account := func(id int64, token string) sandbox.Account {
		return sandbox.Account{ID: id, Token: token, APIKeys: []sandbox.APIKey{{Name: "n", Key: "key-" + token}}}
	}
	full := account(12, "other")
	full.Name = "Größe 'x' -- "
	full.APIKeys = append(full.APIKeys, sandbox.APIKey{Name: "2", Key: "a", Permissions: []sandbox.Permission{sandbox.CreateFaults}})
	full.Vehicles = []sandbox.Vehicle{{ID: 9}, {ID: 1, Name: "V", ArchivedAt: &archived}, {ID: 5}}
	full.FaultRules = []sandbox.FaultRule{{ID: 3, Code: "Z"}, {ID: 2, Code: "A", Name: "N", Description: "D", PriorityHandling: sandbox.PriorityIgnore}}
	withFaults := account(20, "with-faults")
	withFaults.Faults = []fleetio.FaultCreate{{VehicleID: 1}}
	faults := []sandbox.Record{{Account: 12, Fault: fault("a")}, {Account: 20, Fault: fault("b")}, {Account: 20, Fault: fault("c")}}
	steps := []struct {
		name   string
		seed   []sandbox.Account
		faults int // that are there then
	}{
		{"nothing", nil, 0},
		{"two, one with a fault", sandbox.DefaultFixtures().Accounts, 1},
		{"the same", sandbox.DefaultFixtures().Accounts, 1},
		{"nothing more", nil, 1},
		{"replace the first, with all it has, and add one", []sandbox.Account{account(1, "one"), full}, 1},
		{"swap tokens", []sandbox.Account{account(12, "one"), account(1, "other")}, 1},
		{"faults are those of the records", []sandbox.Account{withFaults}, 3},
	}
	path := filepath.Join(t.TempDir(), "sandbox.db")
	memory := sandbox.NewMemory()
	for _, step := range steps {
		s, err := Open(t.Context(), path)
		require.NoError(t, err)
		f := sandbox.Fixtures{Accounts: step.seed}
		own := slices.DeleteFunc(slices.Clone(faults), func(r sandbox.Record) bool {
			return !slices.ContainsFunc(step.seed, func(a sandbox.Account) bool { return a.ID == r.Account })
		})
		all, err := s.Seed(t.Context(), f, own)
		require.NoError(t, err, step.name)
		want, err := memory.Seed(t.Context(), f, own)
		require.NoError(t, err)
		assert.Len(t, all.Accounts, len(want.Accounts), step.name)
		for i := range all.Accounts {
			assert.Equal(t, asJSON(t, want.Accounts[i]), asJSON(t, all.Accounts[i]), step.name)
		}
		there, err := s.Records(t.Context(), sandbox.Query{Limit: 10})
		require.NoError(t, err)
		assert.Len(t, there, step.faults, step.name)
		wanted, err := memory.Records(t.Context(), sandbox.Query{Limit: 10})
		require.NoError(t, err)
		assert.Equal(t, wanted, there, step.name)
		require.NoError(t, s.Close())
	}
}

// TestSeedKeepsFaults replaces an account that has some.
func TestSeedKeepsFaults(t *testing.T) {
	t.Parallel()
	s := open(t)
	_, err := s.Add(t.Context(), sandbox.Record{Account: account1, Fault: fault("kept")})
	require.NoError(t, err)
	f := sandbox.DefaultFixtures()
	f.Accounts[0].Name, f.Accounts[0].Vehicles = "renamed", nil
	_, err = s.Seed(t.Context(), f, []sandbox.Record{{Account: account1, Fault: fault("of a known account")}})
	require.NoError(t, err)
	list, err := s.Records(t.Context(), sandbox.Query{Account: account1, Limit: 10})
	require.NoError(t, err)
	assert.Equal(t, []sandbox.Record{{ID: 1, Account: account1, Fault: fault("kept")}}, list)
	checkFile(t, s.db)
}

// TestSeedRefused leaves all as it was.
func TestSeedRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	before, err := s.Seed(t.Context(), sandbox.Fixtures{}, nil)
	require.NoError(t, err)
	secret := before.Accounts[0].Token
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	keys := []sandbox.APIKey{{Name: "k", Key: "k"}}
	year := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		ctx  context.Context //nolint:containedctx // a row of a table
		a    sandbox.Account
		want string
	}{
		"token of another account": {t.Context(), sandbox.Account{ID: 30, Token: secret, APIKeys: keys}, "accounts[2].token is the same as accounts[0].token"},
		"no id":                    {t.Context(), sandbox.Account{Token: "t", APIKeys: keys}, "accounts[2].id is less than 1"},
		"no time":                  {t.Context(), sandbox.Account{ID: 12, Token: "t", APIKeys: keys, Vehicles: []sandbox.Vehicle{{ID: 1, ArchivedAt: &year}}}, "account 12: "},
		"canceled":                 {canceled, sandbox.Account{ID: 30, Token: "t"}, context.Canceled.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := s.Seed(test.ctx, sandbox.Fixtures{Accounts: []sandbox.Account{{ID: 13, Token: "changed", APIKeys: []sandbox.APIKey{{Name: "k", Key: "changed-key"}}}, test.a}},
				[]sandbox.Record{{Account: test.a.ID, Fault: fault("x")}})
			require.ErrorContains(t, err, test.want)
			require.ErrorContains(t, err, "the fixtures are not stored: ")
			assert.NotContains(t, err.Error(), secret, "a credential")
			after, err := s.Seed(t.Context(), sandbox.Fixtures{}, nil)
			require.NoError(t, err)
			assert.Equal(t, asJSON(t, before), asJSON(t, after))
		})
	}
}
