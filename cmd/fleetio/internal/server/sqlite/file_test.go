package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// checkFile lets SQLite look for damage.
func checkFile(tb testing.TB, db *sql.DB) {
	tb.Helper()
	var verdict string
	require.NoError(tb, db.QueryRow("PRAGMA integrity_check").Scan(&verdict))
	require.Equal(tb, "ok", verdict)
	require.ErrorIs(tb, db.QueryRow("PRAGMA foreign_key_check").Scan(new(any)), sql.ErrNoRows)
}

// run makes changes to the file behind the store's back.
func run(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", uri(path))
	require.NoError(t, err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, s := range statements {
		_, err := db.Exec(s)
		require.NoError(t, err, s)
	}
}

// TestRefused has files that are no store's. Each is as it was before, and nothing lies beside it.
func TestRefused(t *testing.T) {
	t.Parallel()
	store := func(t *testing.T, path string, statements ...string) {
		require.NoError(t, openAt(t, path).Close())
		run(t, path, statements...)
	}
	write := func(t *testing.T, path, text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	for name, test := range map[string]struct {
		make func(t *testing.T, path string)
		want string
	}{
		"text":                  {func(t *testing.T, path string) { write(t, path, "hello") }, "it is no SQLite database"},
		"long text":             {func(t *testing.T, path string) { write(t, path, strings.Repeat("hello\n", 10_000)) }, "it is no SQLite database"},
		"header only":           {func(t *testing.T, path string) { write(t, path, "SQLite format 3\x00") }, "it is no SQLite database"},
		"other database":        {func(t *testing.T, path string) { run(t, path, "CREATE TABLE t (x)") }, "another application"},
		"other in WAL mode":     {func(t *testing.T, path string) { run(t, path, "PRAGMA journal_mode = WAL", "CREATE TABLE t (x)") }, "another application"},
		"other with a mark":     {func(t *testing.T, path string) { run(t, path, "PRAGMA application_id = 7", "CREATE TABLE t (x)") }, "another application"},
		"other with version 1":  {func(t *testing.T, path string) { run(t, path, "PRAGMA user_version = 1", "CREATE TABLE accounts (x)") }, "another application"},
		"store without version": {func(t *testing.T, path string) { store(t, path, "PRAGMA user_version = 0") }, "another application"},
		"newer":                 {func(t *testing.T, path string) { store(t, path, "PRAGMA user_version = 1000") }, "it has version 1000, and the newest that this program knows is 2"},
		"directory":             {func(t *testing.T, path string) { require.NoError(t, os.Mkdir(path, 0o700)) }, "is a directory"},
		"no directory":          {func(*testing.T, string) {}, "no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if runtime.GOOS == "windows" && name == "no directory" {
				t.Skip("Windows has other words for it")
			}
			path := filepath.Join(t.TempDir(), "sandbox.db")
			if name == "no directory" {
				path = filepath.Join(filepath.Dir(path), "none", "sandbox.db")
			}
			test.make(t, path)
			before, _ := os.ReadFile(path)
			s, err := Open(t.Context(), path)
			require.Nil(t, s)
			require.ErrorContains(t, err, test.want)
			assert.Equal(t, 1, strings.Count(err.Error(), path), "the path once: %v", err)
			after, _ := os.ReadFile(path)
			assert.Equal(t, before, after)
			for _, suffix := range []string{"-wal", "-shm", "-journal"} {
				assert.NoFileExists(t, path+suffix)
			}
		})
	}
}

// TestRefusedLog has a database of another application whose latest is in its log, and that another process has open.
func TestRefusedLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "other.db")
	db, err := sql.Open("sqlite", uri(path))
	require.NoError(t, err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	_, err = db.Exec("PRAGMA journal_mode = WAL; CREATE TABLE t (x)")
	require.NoError(t, err)
	before, err := os.ReadFile(path + "-wal")
	require.NoError(t, err)
	require.NotEmpty(t, before)
	_, err = Open(t.Context(), path)
	require.ErrorContains(t, err, "another application")
	after, err := os.ReadFile(path + "-wal")
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

// TestDamaged never panics, and says which file it is about.
func TestDamaged(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sandbox.db")
	s := openAt(t, path)
	for range 100 {
		_, err := s.Add(t.Context(), sandbox.Record{Account: account1, Fault: fault("x")})
		require.NoError(t, err)
	}
	require.NoError(t, s.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, size := range []int{len(whole) / 2, pageSize, 100} {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "sandbox.db")
			require.NoError(t, os.WriteFile(path, whole[:size], 0o600))
			_, err := Open(t.Context(), path)
			require.ErrorContains(t, err, "open "+path+": ", "cut off after %d of %d bytes", size, len(whole))
		})
	}
	// SQLite has no checksums, so that not all damage is noticed.
	noticed := 0
	for page := range len(whole) / pageSize {
		damaged := append([]byte(nil), whole...)
		for i := range pageSize - 100 {
			damaged[pageSize*page+100+i] ^= 0x5a
		}
		require.NoError(t, os.WriteFile(path, damaged, 0o600))
		s, err := Open(t.Context(), path)
		if err == nil {
			_, seedErr := s.Seed(t.Context(), sandbox.DefaultFixtures(), nil)
			_, addErr := s.Add(t.Context(), sandbox.Record{Account: account1, Fault: fault("x")})
			_, readErr := s.Records(t.Context(), sandbox.Query{Limit: 1000})
			err = errors.Join(seedErr, addErr, readErr, s.Close())
		}
		if err != nil {
			noticed++
		}
	}
	assert.Greater(t, noticed, len(whole)/pageSize/2)
}

func TestPaths(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a b", "a?b", "a?mode=memory", "a#b", "a%41", "a%", "a&b=c", "a+b", "é😀", "-a", ":memory:", "file:x", "a'b\"c;", "a\nb"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if runtime.GOOS == "windows" && strings.ContainsAny(name, "?:\"\n") {
				t.Skip("no file can have this name")
			}
			dir := t.TempDir()
			path := filepath.Join(dir, name)
			s := openAt(t, path)
			_, err := s.Add(t.Context(), sandbox.Record{Account: account1, Fault: fault("x")})
			require.NoError(t, err)
			require.NoError(t, s.Close())
			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Len(t, entries, 1, name)
			require.Equal(t, name, entries[0].Name())
			info, err := entries[0].Info()
			require.NoError(t, err)
			require.Positive(t, info.Size(), name)
		})
	}
	_, err := Open(t.Context(), "")
	require.Error(t, err)
	_, err = Open(t.Context(), "a\x00b")
	require.Error(t, err)
}

// TestRelativePath changes the working directory.
func TestRelativePath(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, path := range []string{"a.db", "./b?.db", "../" + filepath.Base(dir) + "/c.db"} {
		t.Run(path, func(t *testing.T) {
			require.NoError(t, openAt(t, path).Close())
			require.FileExists(t, filepath.Join(dir, filepath.Base(path)))
		})
	}
	s, err := Open(t.Context(), "moved-from.db")
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	_, err = s.Records(t.Context(), sandbox.Query{Limit: 1})
	require.NoError(t, err)
	require.NoError(t, s.Close())
}

func TestMode(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no modes")
	}
	path := filepath.Join(t.TempDir(), "sandbox.db")
	s := openAt(t, path)
	_, err := s.Add(t.Context(), sandbox.Record{Account: account1, Fault: fault("x")})
	require.NoError(t, err)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode(), "the file holds credentials: %q", suffix)
	}
}

// TestSettings asks the connections what they do, as a misspelt PRAGMA is no error.
func TestSettings(t *testing.T) {
	t.Parallel()
	s := open(t)
	for pragma, want := range map[string]string{
		"synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000", "fullfsync": "1", "journal_mode": "wal",
		"page_size": strconv.Itoa(pageSize),
	} {
		t.Run(pragma, func(t *testing.T) {
			t.Parallel()
			var got string
			require.NoError(t, s.db.QueryRow("PRAGMA "+pragma).Scan(&got))
			assert.Equal(t, want, got, pragma)

			require.NoError(t, s.conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
			assert.Equal(t, want, got, "%s of the one that writes", pragma)
		})
	}
}

// TestOtherPages has a file that was made with pages of another size. It keeps them.
func TestOtherPages(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sandbox.db")
	migrated(t, uri(path, "_pragma=page_size(4096)"), migrations)
	s := openAt(t, path)
	acknowledged, errs := addMany(t, s, "many", 100, "")
	require.Empty(t, errs)
	assert.Equal(t, acknowledged, stored(t, s))
	var size int
	require.NoError(t, s.db.QueryRow("PRAGMA page_size").Scan(&size))
	assert.Equal(t, 4096, size)
	checkFile(t, s.db)
}

// TestTwoStores has one file open twice.
func TestTwoStores(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sandbox.db")
	stores := []*Store{openAt(t, path), openAt(t, path)}
	var ids sync.Map
	var done sync.WaitGroup
	for caller := range 32 {
		done.Go(func() {
			for range 10 {
				id, err := stores[caller%2].Add(t.Context(), sandbox.Record{Account: account1, Fault: fault("x")})
				if assert.NoError(t, err) {
					_, twice := ids.LoadOrStore(id, true)
					assert.False(t, twice)
				}
			}
		})
	}
	done.Wait()
	for _, s := range stores {
		list, err := s.Records(t.Context(), sandbox.Query{Limit: 1000})
		require.NoError(t, err)
		require.Len(t, list, 320)
		for _, r := range list {
			_, ok := ids.Load(r.ID)
			require.True(t, ok)
		}
	}
}

// TestOpenAtOnce lets many make the file.
func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sandbox.db")
	var done sync.WaitGroup
	for range 8 {
		done.Go(func() {
			s, err := Open(t.Context(), path)
			if !assert.NoError(t, err) {
				return
			}
			_, err = s.Seed(t.Context(), sandbox.DefaultFixtures(), []sandbox.Record{{Account: account1, Fault: fault("seeded")}})
			assert.NoError(t, err)
			assert.NoError(t, s.Close())
		})
	}
	done.Wait()
	s, err := Open(t.Context(), path)
	require.NoError(t, err)
	list, err := s.Records(t.Context(), sandbox.Query{Limit: 10})
	require.NoError(t, err)
	assert.Len(t, list, 1, "the account was new to one of them only")
	require.NoError(t, s.Close())
}

func TestOpenCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Open(ctx, filepath.Join(t.TempDir(), "sandbox.db"))
	require.ErrorIs(t, err, context.Canceled)
}
