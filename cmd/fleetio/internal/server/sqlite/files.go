package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// files watches the store's files: the database, its log and the log's index. SQLite keeps them open and does not
// notice when they are deleted, replaced, cut off or overwritten: a commit still succeeds, and what it wrote is lost.
type files struct {
	path     string    // the argument of Open, which may be a link
	names    [3]string // with links resolved, as SQLite does
	opened   [3]os.FileInfo
	database *os.File // to read its header
	log      *os.File // to read its header
	serial   uint32   // of the database, see serialStep
	frame    int64    // bytes of a page in the log

	// As of the last check.
	info    os.FileInfo // the database
	logSize int64
}

var suffixes = [3]string{"", "-wal", "-shm"}

const (
	logHeader   = 32
	frameHeader = 24
	logMagic    = 0x377f0682 // or one more (https://sqlite.org/fileformat.html, 4.1)
)

// watch starts to watch the files. SQLite must have opened all of them.
func watch(ctx context.Context, path string, database *os.File, conn *sql.Conn) (*files, error) {
	name, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	f := &files{path: path, database: database}
	for i, suffix := range suffixes {
		f.names[i] = name + suffix
		if f.opened[i], err = os.Stat(f.names[i]); err != nil {
			return nil, err
		}
	}
	f.info, f.logSize = f.opened[0], f.opened[1].Size()
	var cookie uint32
	err = conn.QueryRowContext(ctx, "SELECT page_size, schema_version FROM pragma_page_size, pragma_schema_version").
		Scan(&f.frame, &cookie)
	if err != nil {
		return nil, err
	}
	f.frame += frameHeader
	f.serial = cookie / serialStep
	f.log, err = os.Open(f.names[1])
	return f, err
}

// stat returns an error if one of the files is not where SQLite opened it. A missing file is [fs.ErrNotExist], unless
// there is a worse error: SQLite can still close a store whose file is only missing.
func (f *files) stat() (now [3]os.FileInfo, err error) {
	for i, name := range f.names {
		if i == 0 {
			name = f.path
		}
		info, statErr := os.Stat(name)
		switch {
		case errors.Is(statErr, fs.ErrNotExist):
			if err == nil {
				err = fmt.Errorf("%s was deleted or moved while it was open (%w): put it back, or start the sandbox again",
					name, fs.ErrNotExist)
			}
		case statErr != nil:
			return now, fmt.Errorf("%w: allow the sandbox to read its folder", statErr)
		case !os.SameFile(f.opened[i], info):
			return now, fmt.Errorf("%s was replaced by another file while it was open: put the first one back, "+
				"or start the sandbox again", name)
		case i == 2 && info.Size() < f.opened[i].Size(): // SQLite has mapped it: reading beyond the end crashes the process
			return now, errCutOff(name)
		}
		now[i] = info
	}
	return now, err
}

const startAgain = "start the sandbox again, with a copy of the file or with a new one"

func errCutOff(name string) error {
	return fmt.Errorf("%s was cut off while it was open: %s", name, startAgain)
}

// check returns an error if a fault that was committed is lost, or the next one would be. It is called by the goroutine
// that holds Store.writing, outside a transaction.
func (f *files) check(ctx context.Context, conn *sql.Conn) error {
	now, err := f.stat()
	if err == nil {
		err = f.checkLog(ctx, conn, now[1].Size())
	}
	if err == nil {
		err = f.checkDatabase(now[0])
	}
	return err
}

// checkLog finds a log that is shorter than before, or whose header is gone: SQLite fills up what was cut off with
// zeros. That is right if another process has emptied the log; then SQLite knows.
func (f *files) checkLog(ctx context.Context, conn *sql.Conn, size int64) error {
	if size >= f.logSize && f.logBegins() {
		f.logSize = size
		return nil
	}
	for range 10 { // another process may empty the log and write to it in between
		var busy, frames, done int64
		if err := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(NOOP)").Scan(&busy, &frames, &done); err != nil {
			return err
		}
		info, err := f.log.Stat()
		if err != nil {
			return err
		}
		if frames == 0 || info.Size() >= logHeader+frames*f.frame && f.logBegins() {
			f.logSize = info.Size()
			return nil
		}
	}
	return errCutOff(f.names[1])
}

func (f *files) logBegins() bool {
	var magic [4]byte
	_, err := f.log.ReadAt(magic[:], 0)
	return err == nil && binary.BigEndian.Uint32(magic[:])&^1 == logMagic
}

// checkDatabase reads the header of a database that has changed. Only a checkpoint changes it, of this process or
// another one, and keeps the stamp and the serial; a checkpoint that makes the file shorter leaves it whole.
func (f *files) checkDatabase(now os.FileInfo) error {
	if now.Size() == f.info.Size() && now.ModTime().Equal(f.info.ModTime()) {
		return nil
	}
	h, err := readHeader(f.database)
	if now.Size() < f.info.Size() && (err != nil || now.Size() < h.size) {
		return errCutOff(f.path)
	}
	if err == nil {
		err = h.check(len(migrations))
	}
	if err == nil && h.serial != 0 && h.serial != f.serial { // 0: the page with a newer serial is still in the log
		err = errors.New("it is another store")
	}
	if err != nil {
		return fmt.Errorf("%s was overwritten while it was open (%w): %s", f.path, err, startAgain)
	}
	f.info = now
	return nil
}
