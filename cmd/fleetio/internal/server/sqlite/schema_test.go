package sqlite

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// TestReleasedMigrations holds that no released migration changes: add another one instead.
func TestReleasedMigrations(t *testing.T) {
	t.Parallel()
	for step, want := range map[string]string{
		version1: "4062d2644857cf30ae64e96499fb364c43d4ec7ab0075dc728415273ca6d689e",
		version2: "aaa69048a40e42aebc96c63e2b152a5fd15f5096f11a4eb9587b4185075e3573",
	} {
		assert.Equal(t, want, fmt.Sprintf("%x", sha256.Sum256([]byte(step))))
	}
}

// migrated opens a database, migrates it and closes it.
func migrated(t *testing.T, dsn string, steps []string) {
	t.Helper()
	db, conn := connect(t, dsn)
	require.NoError(t, migrate(t.Context(), conn, steps))
	require.NoError(t, conn.Close())
	require.NoError(t, db.Close())
}

func connect(t *testing.T, dsn string) (*sql.DB, *sql.Conn) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	return db, conn
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	_, db := connect(t, dsn(filepath.Join(t.TempDir(), "x.db")))
	names := func() (all string) {
		row := db.QueryRowContext(t.Context(), "SELECT group_concat(name, ' ' ORDER BY name) FROM sqlite_schema")
		require.NoError(t, row.Scan(&all))
		return all
	}
	number := func(query string) (n int) {
		require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&n))
		return n
	}
	version := func() int {
		require.Equal(t, applicationID, number("PRAGMA application_id"))
		return number("PRAGMA user_version")
	}
	steps := []string{"CREATE TABLE a (x)", "CREATE TABLE b (x); INSERT INTO a VALUES (1)", "CREATE TABLE c (x)", "CREATE TABLE a (x)"}
	require.NoError(t, migrate(t.Context(), db, steps[:1]))
	assert.Equal(t, 1, version())
	assert.Equal(t, "a", names())

	require.NoError(t, migrate(t.Context(), db, steps[:2]))
	require.NoError(t, migrate(t.Context(), db, steps[:2]))
	assert.Equal(t, 2, version())
	assert.Equal(t, 1, number("SELECT count(*) FROM a"), "each step runs once")

	require.ErrorContains(t, migrate(t.Context(), db, steps), "make version 4 of it: ")
	assert.Equal(t, 2, version(), "all or none")
	assert.Equal(t, "a b", names())

	require.ErrorContains(t, migrate(t.Context(), db, steps[:1]), "it has version 2")
	require.NoError(t, migrate(t.Context(), db, steps[:3]))
	assert.Equal(t, "a b c", names())
}

// TestMigrateForeign has a database that came to be after it was inspected.
func TestMigrateForeign(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	run(t, path, "CREATE TABLE t (x)")
	_, db := connect(t, dsn(path))
	require.ErrorIs(t, migrate(t.Context(), db, migrations), errForeign)
	var name sql.NullString
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT group_concat(name) FROM sqlite_schema").Scan(&name))
	assert.Equal(t, "t", name.String)
}

// TestMigrateVersion1 opens a file of version 1, with the fixtures of then.
func TestMigrateVersion1(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	migrated(t, dsn(path), migrations[:1])
	run(t, path, `INSERT INTO accounts VALUES (12, 1, 'one', 'token');
		INSERT INTO api_keys VALUES (12, 0, 'key', 'secret', '["create_faults"]');
		INSERT INTO fault_rules VALUES (12, 0, 8, 'P0420', 'Catalyst');
		INSERT INTO faults VALUES (7, 12, '`+string(fault("old"))+`')`)
	s, err := Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	all, err := s.Seed(t.Context(), sandbox.Fixtures{}, nil)
	require.NoError(t, err)
	assert.Equal(t, []sandbox.FaultRule{{ID: 8, Code: "P0420", Name: "Catalyst"}}, all.Accounts[0].FaultRules)
	want := []sandbox.Record{{ID: 7, Account: 12, Fault: fault("old")}}
	for _, q := range []sandbox.Query{{Limit: 2}, {Account: 12, ExternalID: "old", Limit: 2}, {MaxID: 7, Limit: 1}} {
		list, err := s.Records(t.Context(), q)
		require.NoError(t, err)
		assert.Equal(t, want, list)
	}
	for _, q := range []sandbox.Query{{Account: 13, ExternalID: "old", Limit: 2}, {Account: 12, ExternalID: "ol", Limit: 2}, {MaxID: 6, Limit: 1}} {
		list, err := s.Records(t.Context(), q)
		require.NoError(t, err)
		assert.Empty(t, list)
	}
	var number, parent, unused int64
	var plan string
	row := s.db.QueryRowContext(t.Context(), "EXPLAIN QUERY PLAN "+selectFaults(sandbox.Query{Account: 12, ExternalID: "old"}),
		sql.Named("max", 1), sql.Named("account", 12), sql.Named("external", "old"), sql.Named("limit", 1))
	require.NoError(t, row.Scan(&number, &parent, &unused, &plan))
	assert.Contains(t, plan, "faults_by_external_id", "the index finds it")
}
