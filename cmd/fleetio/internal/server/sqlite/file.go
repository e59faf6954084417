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
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// opening is held while a file is made. When a process closes a file, it loses all its locks on it, and so does a store
// of the same process that has opened the new file meanwhile.
var opening sync.Mutex

// openFile returns connections to a database that is up to date and in WAL mode.
func openFile(ctx context.Context, path string) (*sql.DB, error) {
	opening.Lock()
	defer opening.Unlock()
	size, err := ensureFile(path)
	if err != nil {
		return nil, err
	}
	if size > 0 { // nothing to see in a new one
		if _, err := inspect(ctx, path, false); err != nil {
			return nil, err
		}
	}
	db, err := connect(dsn(path))
	if err != nil {
		return nil, err
	}
	if err := prepareFile(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// ensureFile makes the file if there is none, and returns its size. It opens none that was there, see opening.
func ensureFile(path string) (int64, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		var f *os.File
		f, err = os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) // SQLite gives the files beside it the same mode
		if err == nil {
			return 0, f.Close()
		}
		if errors.Is(err, fs.ErrExist) { // another process was faster
			info, err = os.Stat(path)
		}
	}
	if err != nil {
		return 0, pathless(err)
	}
	return info.Size(), checkMode(info)
}

// checkMode returns an error if the file is none that can be written to.
func checkMode(info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return errors.New("it is a directory")
	case !info.Mode().IsRegular():
		return errors.New("it is no regular file")
	case info.Mode().Perm()&0o200 == 0:
		return errors.New("it is read-only")
	}
	return nil
}

// pathless drops the path from an error, as Open adds it to all of them.
func pathless(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// inspect returns the serial of the database, or an error if the file is not a store's. It leaves no trace, not even where a reader would usually: what
// is immutable gets neither locks nor a log. So it sees the database without what its log has to add. That can be less than
// the header says: after a crash in a checkpoint, or in the middle of one. writable_schema makes it no error, as the header
// is all that is asked for, and SQLite mends the rest when a store opens the file; whole makes it one. A stamp in the log is
// for migrate to find.
func inspect(ctx context.Context, path string, whole bool) (serial uint32, err error) {
	parameters := []string{"immutable=1", "mode=ro"}
	if !whole {
		parameters = append(parameters, "_pragma=writable_schema(1)")
	}
	db, err := connect(uri(path, parameters...))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	id, version, err := stamp(ctx, db)
	if isCode(err, sqlite3.SQLITE_NOTADB) {
		return 0, errNoDatabase
	} else if err != nil {
		return 0, err
	}
	if err := checkStamp(id, version, len(migrations)); err != nil {
		return 0, err
	}
	return serialOf(ctx, db)
}

// prepareFile brings the database up to date.
func prepareFile(ctx context.Context, db *sql.DB) error {
	if err := migrate(ctx, db, migrations); err != nil {
		return err
	}
	// Only now, as it is no transaction: a database has its stamp before it has a log.
	if err := useLog(ctx, db); err != nil {
		return err
	}
	// This reads the way down to the newest fault, so that a file that was cut off is found out now.
	var newest sql.NullInt64
	return db.QueryRowContext(ctx, "SELECT max(id) FROM faults").Scan(&newest)
}

// useLog sets the WAL mode. Where another process is about to do the same, SQLite gives up instead of waiting, so as not to
// wait for one that waits for it.
func useLog(ctx context.Context, db *sql.DB) error {
	for end := time.Now().Add(busyTimeout); ; time.Sleep(time.Millisecond) {
		var mode string
		err := db.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode)
		switch {
		case isBusy(err) && time.Now().Before(end):
		case err != nil:
			return err
		case mode != "wal":
			return fmt.Errorf("the file system allows no write-ahead log, only the journal mode %q", mode)
		default:
			return nil
		}
	}
}

// connect returns connections that are opened when they are used.
func connect(dsn string) (*sql.DB, error) {
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(4)
	return db, nil
}

// busyTimeout is how long another process that writes is waited for.
const busyTimeout = 5 * time.Second

// pageSize is that of a file that is made. With SQLite's usual 4 KiB, many faults at once take longer, and one alone a bit
// less (BenchmarkAdd).
const pageSize = 8 << 10

// dsn returns how a store connects to the file. FULL is what makes a commit in WAL mode wait for the disk, and fullfsync
// what makes macOS do so.
func dsn(path string, more ...string) string {
	busy := fmt.Sprintf("_pragma=busy_timeout(%d)", busyTimeout.Milliseconds())
	page := fmt.Sprintf("_pragma=page_size(%d)", pageSize)
	return uri(path, append(more, "_txlock=immediate", "_error_rc=1", busy, page, "_pragma=foreign_keys(1)", "_pragma=synchronous(FULL)", "_pragma=fullfsync(1)")...)
}

// uri returns the file as SQLite's URI (https://sqlite.org/uri.html), in which a path may hold any character.
func uri(path string, parameters ...string) string {
	if full, err := filepath.Abs(path); err == nil { // a relative path is no URI's
		path = full
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/...
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: strings.Join(parameters, "&")}
	return u.String()
}
