package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

// busyTimeout is the maximum wait for a writer of another process.
const busyTimeout = 5 * time.Second

// pageSize is that of a new file. With SQLite's default, 4 KiB, many faults at once take longer (BenchmarkAdd).
const pageSize = 8 << 10

// Open opens the store in the file at path, or creates it, readable by its owner only. It migrates a file of an older
// version. It fails, and does not change the file, if that is no SQLite database, belongs to another application, or
// was written by a newer version. (If only the log after a crash shows that, SQLite merges the log into the file.) A
// process must open a file only once: closing one store would release the locks of the other. The context is for
// opening only.
func Open(ctx context.Context, path string) (*Store, error) {
	s, err := openStore(ctx, path)
	if err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = e.Err // otherwise the path would be in the message twice
		}
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return s, nil
}

func openStore(ctx context.Context, path string) (_ *Store, err error) {
	path, err = filepath.Abs(path) // the process may change its directory
	if err != nil {
		return nil, err
	}
	database, err := openDatabase(path)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		return nil, errors.Join(err, database.Close())
	}
	db.SetMaxOpenConns(4)
	s := &Store{db: db}
	if s.conn, err = db.Conn(ctx); err == nil {
		if err = prepare(ctx, s.conn); err == nil {
			if s.files, err = watch(ctx, path, database, s.conn); err == nil {
				return s, nil
			}
		}
		err = errors.Join(err, s.conn.Close())
	}
	return nil, errors.Join(err, db.Close(), database.Close()) // in this order: the last drops SQLite's locks
}

// openDatabase opens a file that is a store's, or empty and about to be one. It stays open as long as SQLite has it
// open: a process that closes a file loses all its locks on it, SQLite's as well.
func openDatabase(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) // SQLite gives the files beside it the same mode
	if err != nil {
		return nil, err
	}
	if err := checkDatabase(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func checkDatabase(f *os.File) error {
	info, err := f.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("it is no regular file")
	case info.Size() == 0:
		return nil
	}
	h, err := readHeader(f)
	if err != nil {
		return err
	}
	return h.check(len(migrations))
}

// prepare migrates the database, updates its view and sets the WAL mode.
func prepare(ctx context.Context, conn *sql.Conn) error {
	if err := migrate(ctx, conn, migrations); err != nil {
		return err
	}
	if err := showFaults(context.WithoutCancel(ctx), conn); err != nil {
		return err
	}
	// It is not part of the transaction: a database has its stamp before it has a log. SQLite does not wait for another
	// process that does the same, which could wait for this one.
	for end := time.Now().Add(busyTimeout); ; time.Sleep(time.Millisecond) {
		var mode string
		err := conn.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
		if isCode(err, sqlite3.SQLITE_BUSY) && time.Now().Before(end) {
			continue
		}
		if err != nil {
			return err
		}
		if mode != "wal" {
			return fmt.Errorf("the file system allows no write-ahead log, only the journal mode %q", mode)
		}
		break
	}
	// This reads the pages that lead to the newest fault, and so finds a file that was cut off.
	var newest sql.NullInt64
	return conn.QueryRowContext(ctx, "SELECT max(id) FROM faults").Scan(&newest)
}

// dsn returns the data source name of a store. FULL makes a commit in WAL mode wait for the disk, and fullfsync makes
// macOS do so.
func dsn(path string) string {
	busy := fmt.Sprintf("_pragma=busy_timeout(%d)", busyTimeout.Milliseconds())
	page := fmt.Sprintf("_pragma=page_size(%d)", pageSize)
	return uri(path, "_error_rc=1", busy, page, "_pragma=foreign_keys(1)", "_pragma=synchronous(FULL)",
		"_pragma=fullfsync(1)")
}

// uri returns an absolute path as SQLite's URI (https://sqlite.org/uri.html), in which a path may hold any character.
func uri(path string, parameters ...string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/...
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: strings.Join(parameters, "&")}
	return u.String()
}
