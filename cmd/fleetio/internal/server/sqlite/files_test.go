//go:build unix

package sqlite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// inFolder opens a store by a link to a folder, so that both can be taken away. It has acknowledged a fault.
func inFolder(t *testing.T) (s *Store, path string) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "folder"), 0o700))
	require.NoError(t, os.Symlink("folder", filepath.Join(dir, "link")))
	path = filepath.Join(dir, "link", "faults.db")
	s, err := Open(t.Context(), path)
	require.NoError(t, err)
	_, err = s.Seed(t.Context(), sandbox.DefaultFixtures(), nil)
	require.NoError(t, err)
	_, err = s.Add(t.Context(), sandbox.Record{Account: account1, Fault: fault("first")})
	require.NoError(t, err)
	return s, path
}

// copyTo writes over a file in place, as cp does.
func copyTo(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, os.WriteFile(to, read(t, from), 0o600))
}

// otherStore returns the path of a store with a fault, which is closed.
func otherStore(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "other.db")
	s, err := Open(t.Context(), path)
	require.NoError(t, err)
	_, err = s.Seed(t.Context(), sandbox.DefaultFixtures(), nil)
	require.NoError(t, err)
	_, err = s.Add(t.Context(), sandbox.Record{Account: account1, Fault: fault("other")})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	return path
}

// TestLost takes one of its files from a store, or damages it: no fault is acknowledged that the named file does not hold.
func TestLost(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		damage  func(t *testing.T, path string) error
		want    string
		between bool // not found when it comes in the middle of a batch
	}{
		"deleted":        {damage: func(_ *testing.T, path string) error { return os.Remove(path) }, want: "faults.db was deleted or moved"},
		"moved":          {damage: func(_ *testing.T, path string) error { return os.Rename(path, path+".away") }, want: "faults.db was deleted or moved"},
		"folder deleted": {damage: func(_ *testing.T, path string) error { return os.RemoveAll(realDir(path)) }, want: "faults.db was deleted or moved"},
		"folder moved": {damage: func(_ *testing.T, path string) error {
			return os.Rename(realDir(path), realDir(path)+".away")
		}, want: "faults.db was deleted or moved"},
		"link deleted": {damage: func(_ *testing.T, path string) error { return os.Remove(filepath.Dir(path)) }, want: "faults.db was deleted or moved"},
		"replaced": {damage: func(t *testing.T, path string) error {
			return os.Rename(otherStore(t), path)
		}, want: "faults.db was replaced"},
		"replaced by a copy": {damage: func(t *testing.T, path string) error {
			copyTo(t, path, path+".new")
			return os.Rename(path+".new", path)
		}, want: "faults.db was replaced"},
		"a folder": {damage: func(_ *testing.T, path string) error {
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.Mkdir(path, 0o700)
		}, want: "faults.db was replaced"},
		"emptied":          {damage: func(_ *testing.T, path string) error { return os.Truncate(path, 0) }, want: "faults.db was cut off"},
		"cut off":          {damage: func(_ *testing.T, path string) error { return os.Truncate(path, 2*pageSize) }, want: "faults.db was cut off"},
		"the last page":    {damage: func(t *testing.T, path string) error { return os.Truncate(path, sizeOf(t, path)-pageSize) }, want: "faults.db was cut off"},
		"longer text":      {damage: func(_ *testing.T, path string) error { return os.WriteFile(path, make([]byte, 1<<20), 0o600) }, want: "faults.db was overwritten"},
		"another store":    {damage: func(t *testing.T, path string) error { copyTo(t, otherStore(t), path); return nil }, want: "faults.db was overwritten while it was open (it is another store)"},
		"another database": {damage: func(t *testing.T, path string) error { copyTo(t, otherDatabase(t), path); return nil }, want: "faults.db was overwritten"},
		"log deleted":      {damage: func(_ *testing.T, path string) error { return os.Remove(path + "-wal") }, want: "faults.db-wal was deleted or moved"},
		"log moved":        {damage: func(_ *testing.T, path string) error { return os.Rename(path+"-wal", path+".away") }, want: "faults.db-wal was deleted or moved"},
		"log replaced":     {damage: func(t *testing.T, path string) error { return replaceByCopy(t, path+"-wal") }, want: "faults.db-wal was replaced"},
		"log emptied":      {damage: func(_ *testing.T, path string) error { return os.Truncate(path+"-wal", 0) }, want: "faults.db-wal was cut off"},
		"log cut off":      {damage: func(t *testing.T, path string) error { return os.Truncate(path+"-wal", sizeOf(t, path+"-wal")/2) }, want: "faults.db-wal was cut off", between: true},
		"log overwritten":  {damage: func(_ *testing.T, path string) error { return os.WriteFile(path+"-wal", make([]byte, 1<<20), 0o600) }, want: "faults.db-wal was cut off"},
		"index deleted":    {damage: func(_ *testing.T, path string) error { return os.Remove(path + "-shm") }, want: "faults.db-shm was deleted or moved"},
		"index replaced":   {damage: func(t *testing.T, path string) error { return replaceByCopy(t, path+"-shm") }, want: "faults.db-shm was replaced"},
		"index cut off":    {damage: func(_ *testing.T, path string) error { return os.Truncate(path+"-shm", 0) }, want: "faults.db-shm was cut off", between: true},
		"all deleted":      {damage: func(_ *testing.T, path string) error { return deleteAll(path) }, want: "faults.db was deleted or moved"},
	} {
		t.Run(name+"/between batches", func(t *testing.T) {
			t.Parallel()
			s, path := inFolder(t)
			require.NoError(t, s.Check(t.Context()))
			require.NoError(t, test.damage(t, path))
			_, err := s.Add(t.Context(), sandbox.Record{Account: account1, Fault: fault("lost")})
			require.ErrorContains(t, err, "the fault is not stored: ")
			require.ErrorContains(t, err, test.want)
			isLost(t, s, path, test.want)
		})
		if test.between {
			continue
		}
		t.Run(name+"/in a batch", func(t *testing.T) {
			t.Parallel()
			s, path := inFolder(t)
			s.writing.Lock()
			err := s.transact(t.Context(), func() error {
				require.NoError(t, test.damage(t, path))
				return s.insert(t.Context(), []row{{Record: sandbox.Record{Account: account1, Fault: fault("lost")}}})
			})
			s.writing.Unlock()
			require.ErrorContains(t, err, test.want)
			isLost(t, s, path, test.want)
		})
	}
}

// isLost holds that a store says so of itself, and which file it is.
func isLost(t *testing.T, s *Store, path, want string) {
	t.Helper()
	err := s.Check(t.Context())
	require.ErrorContains(t, err, want)
	assert.Contains(t, err.Error(), strings.TrimSuffix(filepath.Dir(path), "link"))
	_, err = s.Seed(t.Context(), sandbox.DefaultFixtures(), nil)
	require.ErrorContains(t, err, want)
	assert.Error(t, s.Close())
}

// realDir is what the link of inFolder leads to.
func realDir(path string) string {
	return filepath.Join(filepath.Dir(filepath.Dir(path)), "folder")
}

func replaceByCopy(t *testing.T, path string) error {
	t.Helper()
	copyTo(t, path, path+".new")
	return os.Rename(path+".new", path)
}

func deleteAll(path string) error {
	for _, suffix := range suffixes {
		if err := os.Remove(path + suffix); err != nil {
			return err
		}
	}
	return nil
}

func otherDatabase(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "other.db")
	run(t, path, "CREATE TABLE t (x)", "INSERT INTO t VALUES (zeroblob(1000000))")
	return path
}

// TestLostIsLeft holds that Close does not change what another program has put there.
func TestLostIsLeft(t *testing.T) {
	t.Parallel()
	for name, suffix := range map[string]string{"database": "", "log": "-wal", "index": "-shm"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, path := inFolder(t)
			require.NoError(t, os.WriteFile(path+".new", []byte("put there"), 0o600))
			require.NoError(t, os.Rename(path+".new", path+suffix))
			require.ErrorContains(t, s.Close(), "was replaced by another file")
			assert.Equal(t, "put there", string(read(t, path+suffix)))
		})
	}
	t.Run("emptied", func(t *testing.T) {
		t.Parallel()
		s, path := inFolder(t)
		require.NoError(t, os.Truncate(path, 0))
		require.ErrorContains(t, s.Close(), "was cut off")
		assert.Empty(t, read(t, path))
	})
}

// TestLogIsSaved holds that what was acknowledged before the log was deleted is in the database in the end.
func TestLogIsSaved(t *testing.T) {
	t.Parallel()
	s, path := inFolder(t)
	require.NoError(t, os.Remove(path+"-wal"))
	require.ErrorContains(t, s.Close(), "-wal was deleted")
	assert.Equal(t, map[int64]string{1: string(fault("first"))}, stored(t, openAt(t, path)))
}

// TestNotLost has changes that take nothing from a store.
func TestNotLost(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(t *testing.T, s *Store, path string){
		"put back": func(t *testing.T, s *Store, path string) {
			require.NoError(t, os.Rename(path, path+".away"))
			require.Error(t, s.Check(t.Context()))
			require.NoError(t, os.Rename(path+".away", path))
		},
		"folder put back": func(t *testing.T, s *Store, path string) {
			require.NoError(t, os.Rename(realDir(path), realDir(path)+".away"))
			_, err := s.Add(t.Context(), sandbox.Record{Account: account1, Fault: fault("lost")})
			require.Error(t, err)
			require.NoError(t, os.Rename(realDir(path)+".away", realDir(path)))
			s.wait()
		},
		"touched": func(t *testing.T, _ *Store, path string) {
			for _, suffix := range suffixes {
				require.NoError(t, os.Chtimes(path+suffix, time.Now(), time.Now().Add(time.Hour)))
			}
		},
		"linked": func(t *testing.T, _ *Store, path string) { require.NoError(t, os.Link(path, path+".link")) },
		"emptied log": func(t *testing.T, _ *Store, path string) {
			run(t, path, "PRAGMA wal_checkpoint(TRUNCATE)")
			require.Zero(t, sizeOf(t, path+"-wal"))
		},
		"vacuum": func(t *testing.T, s *Store, path string) {
			_, errs := addMany(t, s, "many", 500, "")
			require.Empty(t, errs)
			run(t, path, "PRAGMA wal_checkpoint(TRUNCATE)", "DELETE FROM faults WHERE id > 1")
			before := sizeOf(t, path)
			run(t, path, "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)")
			require.Less(t, sizeOf(t, path), before)
		},
		"an index": func(t *testing.T, _ *Store, path string) {
			run(t, path, "CREATE INDEX i ON faults (account_id)", "PRAGMA wal_checkpoint(TRUNCATE)")
		},
		"by itself": func(t *testing.T, s *Store, path string) {
			s.keepLog(t, 10)
			before := sizeOf(t, path)
			for i := range 10 {
				_, errs := addMany(t, s, "many", 100, "")
				require.Empty(t, errs, i)
			}
			require.Greater(t, sizeOf(t, path), before, "the log is put into the database")
			require.Less(t, sizeOf(t, path+"-wal"), int64(40*pageSize), "and begins anew")
		},
		"probed": func(t *testing.T, s *Store, path string) {
			s.keepLog(t, 30)
			for range 50 {
				s.wait()
				require.NoError(t, s.Check(t.Context()))
			}
			require.Less(t, sizeOf(t, path+"-wal"), int64(60*pageSize), "the log begins anew")
		},
		"no serial yet": func(t *testing.T, _ *Store, path string) { // as a version before it has left it
			require.NoError(t, os.Chtimes(path, time.Now(), time.Now().Add(time.Hour)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, path := inFolder(t)
			if name == "no serial yet" {
				require.NoError(t, s.Close())
				run(t, path, "PRAGMA schema_version = 7")
				s = openAt(t, path)
			}
			change(t, s, path)
			require.NoError(t, s.Check(t.Context()))
			id, err := s.Add(t.Context(), sandbox.Record{Account: account1, Fault: fault("last")})
			require.NoError(t, err)
			require.NoError(t, s.Check(t.Context()))
			require.NoError(t, s.Close())
			now := stored(t, openAt(t, path))
			assert.Equal(t, string(fault("first")), now[1])
			assert.Equal(t, string(fault("last")), now[id])
		})
	}
}

// TestLogChangesMeanwhile has another process that empties the log before its size is read, and writes to it before
// SQLite is asked how long it is: a log that is not damaged.
func TestLogChangesMeanwhile(t *testing.T) {
	t.Parallel()
	s, path := inFolder(t)
	run(t, path, "PRAGMA wal_checkpoint(TRUNCATE)")
	size := sizeOf(t, path+"-wal")
	run(t, path, "INSERT INTO faults (account_id, fault) VALUES (12, '{}')")
	s.writing.Lock()
	err := s.files.checkLog(t.Context(), s.conn, size)
	s.writing.Unlock()
	require.NoError(t, err)
	require.NoError(t, s.Close())
}
