// Package sqlite stores the accounts and faults of a sandbox in an SQLite file.
//
// A fault is on disk before Add returns its id: SQLite calls fsync in each commit. Faults that are added at the same
// time share a transaction, and so the fsync.
//
// The file is an ordinary SQLite database in WAL mode. Other programs may read it while a sandbox runs; the view
// fault_list has columns for people. Several processes may open it, but a sandbox reads the accounts only at its start.
package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// Store is a [sandbox.Store] in a file. [Open] returns one.
type Store struct {
	db    *sql.DB
	conn  *sql.Conn // writes
	files *files

	open     sync.RWMutex // read-locked by each method, so that Close waits for them
	closed   bool
	closeErr error

	writing sync.Mutex // held while conn is used
	last    struct {   // the result of the last batch or probe
		at   time.Time
		size int // bytes of the faults
		err  error
	}

	queue sync.Mutex
	next  *batch // gathers rows while the batch before it is written; nil for none
}

// batch is a number of rows that share a transaction.
type batch struct {
	rows []row
	done chan struct{} // closed once the rows have their results
}

type row struct {
	sandbox.Record

	err error
}

var _ sandbox.Store = (*Store)(nil)

var errClosed = errors.New("the store is closed")

// notStoredError is the error of a row. The client gets its text, too.
type notStoredError struct{ cause error }

func (e notStoredError) Error() string { return "the fault is not stored: " + e.cause.Error() }

// Detail returns the text for the response, see [sandbox.Store].
func (e notStoredError) Detail() string { return e.Error() }

// Add implements [sandbox.Store]. It returns once the fault is on disk, even if the context ends meanwhile. It waits up
// to 5 s for another process that writes.
//
// If the disk fails during a commit and the process dies before the next commit succeeds, SQLite may recover faults
// whose Add has returned an error.
func (s *Store) Add(ctx context.Context, r sandbox.Record) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.open.RLock()
	defer s.open.RUnlock()
	if s.closed {
		return 0, errClosed
	}
	s.queue.Lock()
	b, first := s.next, s.next == nil
	if first {
		b = &batch{done: make(chan struct{})}
		s.next = b
	}
	i := len(b.rows)
	b.rows = append(b.rows, row{Record: r})
	s.queue.Unlock()
	if first { // the first caller of a batch writes it for the others
		s.writing.Lock()
		s.queue.Lock()
		s.next = nil
		s.queue.Unlock()
		s.write(context.WithoutCancel(ctx), b.rows)
		s.writing.Unlock()
		close(b.done)
	}
	<-b.done
	return b.rows[i].ID, b.rows[i].err
}

// Records implements [sandbox.Store]. It does not wait for writers. There is no index by account, as it would slow down
// Add, so the newest faults of an account with few of them are found by reading those of the others.
func (s *Store) Records(ctx context.Context, q sandbox.Query) ([]sandbox.Record, error) {
	s.open.RLock()
	defer s.open.RUnlock()
	if s.closed {
		return nil, errClosed
	}
	if _, err := s.files.stat(); err != nil {
		return nil, err
	}
	rows, err := s.db.QueryContext(ctx, selectFaults(q),
		sql.Named("max", cmp.Or(q.MaxID, math.MaxInt64)), sql.Named("account", q.Account), sql.Named("external", q.ExternalID),
		sql.Named("limit", max(q.Limit, 0)))
	if err != nil {
		return nil, fmt.Errorf("read faults: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err has it
	var list []sandbox.Record
	for rows.Next() {
		var r sandbox.Record
		if err := rows.Scan(&r.ID, &r.Account, &r.Fault); err != nil {
			return nil, fmt.Errorf("read faults: %w", err)
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// selectFaults returns the SELECT of a query, with conditions that let SQLite use its index.
func selectFaults(q sandbox.Query) string {
	text := "SELECT id, account_id, fault FROM faults WHERE id <= @max"
	if q.Account != 0 {
		text += " AND account_id = @account"
	}
	if q.ExternalID != "" {
		text += " AND fault ->> '$.external_id' = @external"
	}
	return text + " ORDER BY id DESC LIMIT @limit"
}

const (
	probeAfter = time.Second
	maxProbe   = 4 << 20 // bytes
)

// Check returns why no fault can be stored at present, or nil. It reports the result of the last batch or, if that is
// more than a second old, of a probe: otherwise a full disk that has space again would be noticed by Add only.
func (s *Store) Check(ctx context.Context) error {
	s.open.RLock()
	defer s.open.RUnlock()
	if s.closed {
		return errClosed
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	ctx = context.WithoutCancel(ctx)
	if err := s.files.check(ctx, s.conn); err != nil {
		return err
	}
	if time.Since(s.last.at) >= probeAfter {
		s.last.err = s.probe(ctx, min(s.last.size, maxProbe))
		s.last.at = time.Now()
	}
	return s.last.err
}

// Close implements [sandbox.Store]. It waits for the other methods, and up to 5 s for another process that reads or
// writes, and moves all faults from the log to the database. If that is not possible, the next process that opens or
// closes the database does it. A second Close returns the result of the first.
func (s *Store) Close() error {
	s.open.Lock()
	defer s.open.Unlock()
	if !s.closed {
		s.closed = true
		s.closeErr = s.end(context.Background())
	}
	return s.closeErr
}

// write stores the rows in one transaction, and sets the id or the error of each.
func (s *Store) write(ctx context.Context, rows []row) {
	size := 0
	for i := range rows {
		size += len(rows[i].Fault)
	}
	err := s.transact(ctx, func() error { return s.insert(ctx, rows) })
	s.last.at, s.last.size, s.last.err = time.Now(), size, err
	for i := range rows {
		r := &rows[i]
		if r.err == nil {
			r.err = err
		}
		if r.err != nil {
			r.ID, r.err = 0, notStoredError{r.err}
		}
	}
}

// insertFault takes the fault as bytes, which the cast makes text.
const insertFault = "INSERT INTO faults (account_id, fault) VALUES (?, CAST(? AS TEXT))"

// insert returns an error if the transaction failed, and sets that of a row if only the row did.
func (s *Store) insert(ctx context.Context, rows []row) error {
	insert, err := s.conn.PrepareContext(ctx, insertFault)
	if err != nil {
		return err
	}
	defer insert.Close() //nolint:errcheck // it says again what failed
	for i := range rows {
		r := &rows[i]
		result, err := insert.ExecContext(ctx, r.Account, r.Fault)
		switch {
		case isCode(err, sqlite3.SQLITE_CONSTRAINT): // SQLite has undone this INSERT, not the transaction
			r.err = err
		case err != nil:
			return err
		default:
			if r.ID, err = result.LastInsertId(); err != nil {
				return err
			}
		}
	}
	return nil
}

// transact runs do in a transaction. It checks the files before, and once more after the commit, as a commit into files
// that were deleted or replaced is lost. The caller holds s.writing, and the context never ends, or a transaction could
// stay open.
func (s *Store) transact(ctx context.Context, do func() error) error {
	if err := s.files.check(ctx, s.conn); err != nil {
		return err
	}
	if err := inTransaction(ctx, s.conn, do); err != nil {
		switch {
		case isCode(err, sqlite3.SQLITE_FULL), isCode(err, sqlite3.SQLITE_IOERR), isCode(err, sqlite3.SQLITE_READONLY):
			return fmt.Errorf("%w: make room for %s, or make its disk writable", err, s.files.path)
		case isCode(err, sqlite3.SQLITE_BUSY):
			return fmt.Errorf("%w: end the other process that writes to %s", err, s.files.path)
		}
		return err
	}
	return s.files.check(ctx, s.conn)
}

func inTransaction(ctx context.Context, conn *sql.Conn, do func() error) error {
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := do()
	if err == nil {
		_, err = conn.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		_, _ = conn.ExecContext(ctx, "ROLLBACK") // it fails if SQLite has rolled back by itself
	}
	return err
}

// isCode reports whether err is an error of SQLite with a primary result code.
func isCode(err error, code int) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff == code // the upper bits are the extended code
}

// probe writes as much as the last batch, as less could find room, and leaves nothing in the file. The small cache
// makes SQLite write pages before the commit, all but the last few; the commit has a page whose content is as before.
func (s *Store) probe(ctx context.Context, size int) error {
	//nolint:gosec // the values are numbers
	probe := fmt.Sprintf(`PRAGMA cache_size = 1; SAVEPOINT probe;
		INSERT INTO faults (account_id, fault) SELECT id, printf('"%%*c"', %d, ' ') FROM accounts LIMIT 1;
		ROLLBACK TO probe; PRAGMA application_id = %d`, size+8*pageSize, applicationID)
	err := s.transact(ctx, func() error {
		_, err := s.conn.ExecContext(ctx, probe)
		return err
	})
	_, resetErr := s.conn.ExecContext(ctx, "PRAGMA cache_size = -2000") // SQLite's default
	return errors.Join(err, resetErr)
}

// end closes the files.
func (s *Store) end(ctx context.Context) error {
	err := s.files.check(ctx, s.conn)
	errs := []error{err, s.files.log.Close()} // the log first: Windows deletes no open file
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		_, err := s.conn.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
		errs = append(errs, err, s.conn.Close())
	}
	// Otherwise leave the connection open: to close it, SQLite would write its log into the file that has the name now, or
	// delete another store's log of the same name.
	return errors.Join(append(errs, s.db.Close(), s.files.database.Close())...)
}
