package sqlite

import (
	"database/sql"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden file anew")

// TestSchema compares what the migrations make. What was released must not change; it takes a new migration.
func TestSchema(t *testing.T) {
	t.Parallel()
	got := strings.Join(migrations, "\n-- next version\n")
	golden := filepath.Join("testdata", "migrations.golden.sql")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), got)
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	db, err := connect(dsn(filepath.Join(t.TempDir(), "x.db")))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	names := func() (list []string) {
		require.NoError(t, each(t.Context(), db, "SELECT name FROM sqlite_schema ORDER BY name", func(scan scanner) error {
			list = append(list, "")
			return scan(&list[len(list)-1])
		}))
		return list
	}
	version := func() int {
		id, version, err := stamp(t.Context(), db)
		require.NoError(t, err)
		require.EqualValues(t, applicationID, id)
		return version
	}
	steps := []string{"CREATE TABLE a (x)", "CREATE TABLE b (x); INSERT INTO a VALUES (1)", "CREATE TABLE c (x)", "CREATE TABLE a (x)"}
	require.NoError(t, migrate(t.Context(), db, steps[:1]))
	assert.Equal(t, 1, version())
	assert.Equal(t, []string{"a"}, names())

	require.NoError(t, migrate(t.Context(), db, steps[:2]))
	require.NoError(t, migrate(t.Context(), db, steps[:2]))
	assert.Equal(t, 2, version())
	var rows int
	require.NoError(t, db.QueryRow("SELECT count(*) FROM a").Scan(&rows))
	assert.Equal(t, 1, rows, "each step runs once")

	require.ErrorContains(t, migrate(t.Context(), db, steps), "make version 4 of it: ")
	assert.Equal(t, 2, version(), "all or none")
	assert.Equal(t, []string{"a", "b"}, names())

	require.ErrorContains(t, migrate(t.Context(), db, steps[:1]), "it has version 2")
	require.NoError(t, migrate(t.Context(), db, steps[:3]))
	assert.Equal(t, []string{"a", "b", "c"}, names())
}

// TestMigrateForeign has a database that came to be after it was inspected.
func TestMigrateForeign(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	run(t, path, "CREATE TABLE t (x)")
	db, err := connect(dsn(path))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	require.ErrorIs(t, migrate(t.Context(), db, migrations), errForeign)
	var name sql.NullString
	require.NoError(t, db.QueryRow("SELECT group_concat(name) FROM sqlite_schema").Scan(&name))
	assert.Equal(t, "t", name.String)
}
