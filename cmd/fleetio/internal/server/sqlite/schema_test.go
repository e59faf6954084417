package sqlite

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReleasedMigrations holds that no released migration changes: add another one instead.
func TestReleasedMigrations(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "4062d2644857cf30ae64e96499fb364c43d4ec7ab0075dc728415273ca6d689e", fmt.Sprintf("%x", sha256.Sum256([]byte(version1))))
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
