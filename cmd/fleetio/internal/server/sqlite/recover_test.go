package sqlite

import (
	"database/sql"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// crashed is what lies on the disk after a crash.
type crashed struct{ file, log, journal []byte }

// write puts it where there was nothing.
func (c crashed) write(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "sandbox.db")
	for suffix, data := range map[string][]byte{"": c.file, "-wal": c.log, "-journal": c.journal} {
		if data != nil {
			require.NoError(t, os.WriteFile(path+suffix, data, 0o600))
		}
	}
	return path
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return data
}

// torn returns what a checkpoint leaves that ended after so many pages: it writes them in their order, and the first
// counts them.
func torn(before, after []byte, pages int) []byte {
	n := min(pages*pageSize, len(after))
	return append(append([]byte(nil), after[:n]...), before[min(n, len(before)):]...)
}

// TestTornCheckpoint ends the checkpoint of 500 faults after any of its first pages, and some of the others.
func TestTornCheckpoint(t *testing.T) {
	t.Parallel()
	s := open(t)
	path := s.path(t)
	before := read(t, path)
	s.keepLog(t, 0)
	acknowledged, errs := addMany(t, s, "kept", 500, "")
	require.Empty(t, errs)
	log := read(t, path+"-wal")
	require.NoError(t, s.Close())
	after := read(t, path)
	require.Greater(t, len(after), len(before))
	for pages := 0; pages <= len(after)/pageSize; pages += 1 + pages/4 {
		s := openAt(t, crashed{file: torn(before, after, pages), log: log}.write(t))
		require.Equal(t, acknowledged, stored(t, s), "after %d pages", pages)
		checkFile(t, s.db)
		id, err := s.Add(t.Context(), sandbox.Record{Account: account1, Fault: fault("next")})
		require.NoError(t, err)
		require.EqualValues(t, 501, id)
		require.NoError(t, s.Close())
	}
}

// TestTornCreation ends the making of the file at any of its pages.
func TestTornCreation(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sandbox.db")
	migrated(t, dsn(path), migrations)
	whole := read(t, path)
	for pages := range len(whole)/pageSize + 1 {
		s := openAt(t, crashed{file: whole[:pages*pageSize], journal: emptyJournal()}.write(t))
		assert.Empty(t, stored(t, s))
		checkFile(t, s.db)
	}
}

// emptyJournal is the rollback journal of a transaction that began with no pages (https://sqlite.org/fileformat.html,
// 3).
func emptyJournal() []byte {
	journal := make([]byte, 512) // a sector
	copy(journal, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7")
	binary.BigEndian.PutUint32(journal[20:], uint32(len(journal)))
	binary.BigEndian.PutUint32(journal[24:], pageSize)
	return journal
}

// TestTornForeign has a database of another application that ended in the middle of a checkpoint. It is for that one to
// mend.
func TestTornForeign(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "other.db")
	db, err := sql.Open("sqlite", uri(path, fmt.Sprintf("_pragma=page_size(%d)", pageSize)))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, db.Close()) })
	db.SetMaxOpenConns(1)
	exec := func(sql string) {
		_, err := db.Exec(sql)
		require.NoError(t, err)
	}
	exec("PRAGMA journal_mode = WAL; CREATE TABLE t (x)")
	exec("PRAGMA wal_checkpoint(TRUNCATE)")
	before := read(t, path)
	exec("CREATE TABLE u (x)")
	exec("INSERT INTO t VALUES (zeroblob(100000))")
	log := read(t, path+"-wal")
	exec("PRAGMA wal_checkpoint(TRUNCATE)")
	after := read(t, path)
	for pages := range len(after)/pageSize + 1 {
		c := crashed{file: torn(before, after, pages), log: log}
		path := c.write(t)
		_, err := Open(t.Context(), path)
		require.ErrorContains(t, err, "another application", "after %d pages", pages)
		assert.Equal(t, c.file, read(t, path))
		assert.Equal(t, c.log, read(t, path+"-wal"))
		assert.NoFileExists(t, path+"-shm")
	}
}

// TestNewerInLog has a file that a newer version brought up to date, in a log that it did not come to put into the
// file.
func TestNewerInLog(t *testing.T) {
	t.Parallel()
	s := open(t)
	path := s.path(t)
	s.keepLog(t, 0)
	acknowledged, errs := addMany(t, s, "kept", 10, "")
	require.Empty(t, errs)
	s.pragma(t, "user_version = 1000")
	path = crashed{file: read(t, path), log: read(t, path+"-wal")}.write(t)
	for range 2 {
		_, err := Open(t.Context(), path)
		require.ErrorContains(t, err, "it has version 1000, and the newest that this program knows is 2")
	}
	run(t, path, fmt.Sprintf("PRAGMA user_version = %d", len(migrations))) // nothing is lost
	assert.Equal(t, acknowledged, stored(t, openAt(t, path)))
}
