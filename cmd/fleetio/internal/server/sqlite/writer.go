package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// insertSizes are how many rows the prepared INSERTs take. In one of 32, a row costs a quarter less CPU than alone.
var insertSizes = []int{32, 16, 8, 4, 2, 1}

// writer writes faults on a connection of its own. It uses the driver without database/sql, which would double what a row
// costs in Go.
type writer struct {
	place *place

	conn                    driver.Conn
	begin, commit, rollback statement
	inserts                 []statement // as insertSizes
	args                    []driver.NamedValue

	maxLog int     // bytes in the log before fold empties it
	logged int     // about how many this writer has put there since
	last   outcome // of a batch or a probe
}

// outcome is what became of a transaction.
type outcome struct {
	at    time.Time
	bytes int // of the faults
	err   error
}

const (
	maxLog = 1000 * pageSize // as many pages as SQLite has by default

	probeAfter = time.Second
	maxProbe   = 4 << 20 // bytes
)

type statement interface {
	driver.StmtExecContext
	Close() error
}

// newWriter also begins to watch the files.
func newWriter(ctx context.Context, path string) (*writer, error) {
	// SQLite would put the log into the database in the middle of a commit, whatever has become of that; see fold.
	connector, err := sqlite.NewConnector(dsn(path, "_pragma=wal_autocheckpoint(0)"))
	if err != nil {
		return nil, err
	}
	conn, err := connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{conn: conn, args: make([]driver.NamedValue, 2*insertSizes[0]), maxLog: maxLog}
	for i := range w.args {
		w.args[i].Ordinal = i + 1
	}
	err = w.prepareAll(ctx)
	if err == nil {
		err = w.watch(ctx, path)
	}
	if err != nil {
		return nil, errors.Join(err, w.closeAll())
	}
	return w, nil
}

func (w *writer) watch(ctx context.Context, path string) error {
	size, err := w.number(ctx, "PRAGMA page_size", 0)
	if err != nil {
		return err
	}
	cookie, err := w.number(ctx, "PRAGMA schema_version", 0)
	if err != nil {
		return err
	}
	w.place, err = newPlace(path, uint32(cookie/serialStep), size, func(ctx context.Context) (int64, error) { //nolint:gosec // it has 32 bits
		return w.number(ctx, "PRAGMA wal_checkpoint(NOOP)", 1)
	})
	return err
}

// number returns the number in a column of the only row of a query.
func (w *writer) number(ctx context.Context, query string, column int) (n int64, err error) {
	q, ok := w.conn.(driver.QueryerContext)
	if !ok {
		return 0, fmt.Errorf("a connection of type %T queries nothing", w.conn)
	}
	rows, err := q.QueryContext(ctx, query, nil)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	values := make([]driver.Value, len(rows.Columns()))
	if err := rows.Next(values); err != nil {
		return 0, err
	}
	n, ok = values[column].(int64)
	if !ok {
		return 0, fmt.Errorf("%s: a %T is no number", query, values[column])
	}
	return n, nil
}

func (w *writer) prepareAll(ctx context.Context) error {
	for _, s := range []struct {
		to  *statement
		sql string
	}{{&w.begin, "BEGIN IMMEDIATE"}, {&w.commit, "COMMIT"}, {&w.rollback, "ROLLBACK"}} {
		var err error
		if *s.to, err = w.prepare(ctx, s.sql); err != nil {
			return err
		}
	}
	for _, n := range insertSizes {
		// The cast makes text of bytes without a copy; a string would be one.
		values := strings.TrimSuffix(strings.Repeat("(?, CAST(? AS TEXT)), ", n), ", ")
		insert, err := w.prepare(ctx, "INSERT INTO faults (account_id, fault) VALUES "+values)
		if err != nil {
			return err
		}
		w.inserts = append(w.inserts, insert)
	}
	return nil
}

func (w *writer) prepare(ctx context.Context, sql string) (statement, error) {
	conn, ok := w.conn.(driver.ConnPrepareContext)
	if !ok {
		return nil, fmt.Errorf("a connection of type %T prepares nothing", w.conn)
	}
	prepared, err := conn.PrepareContext(ctx, sql)
	if err != nil {
		return nil, err
	}
	s, ok := prepared.(statement)
	if !ok {
		return nil, fmt.Errorf("a statement of type %T runs nothing", prepared)
	}
	return s, nil
}

// notStoredError is the error of all rows of a batch. It is for the caller as well.
type notStoredError struct{ error }

// Detail is for [sandbox.Store].
func (e notStoredError) Detail() string { return e.Error() }

// Unwrap is for [errors.Is].
func (e notStoredError) Unwrap() error { return errors.Unwrap(e.error) }

// write puts the rows into one transaction, and their ids, or why they are not stored, into them. A row that the database
// does not take is left out; any other failure is one of all rows. The context must be one that never ends, as a
// transaction must not be left halfway.
func (w *writer) write(ctx context.Context, rows []row) {
	size := 0
	for i := range rows {
		size += len(rows[i].fault)
	}
	err := w.explain(w.try(ctx, rows))
	w.last = outcome{time.Now(), size, err}
	w.logged += size + 3*pageSize // at least one page of faults, one of AUTOINCREMENT, and what is left free
	for i := range rows {
		r := &rows[i]
		switch {
		case err != nil && r.err == nil:
			r.id, r.err = 0, notStoredError{fmt.Errorf("the fault is not stored: %w", err)}
		case isCode(r.err, sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY):
			r.err = fmt.Errorf("the fault is not stored: the store has no account %d", r.account)
		case r.err != nil:
			r.err = fmt.Errorf("the fault is not stored: %w", r.err)
		}
	}
}

func (w *writer) try(ctx context.Context, rows []row) error {
	if err := w.check(ctx); err != nil {
		return err
	}
	if _, err := w.begin.ExecContext(ctx, nil); err != nil {
		return err
	}
	err := w.insertAll(ctx, rows)
	if err == nil {
		_, err = w.commit.ExecContext(ctx, nil)
	}
	if err != nil {
		// After some errors SQLite has rolled back by itself, and this one says so. If it ever failed otherwise, each
		// later BEGIN would say that there still is a transaction.
		_, _ = w.rollback.ExecContext(ctx, nil)
		return err
	}
	_, err = w.place.check(ctx)
	return err
}

// check returns why nothing can be written, as far as the files tell.
func (w *writer) check(ctx context.Context) error {
	file, err := w.place.check(ctx)
	if err != nil {
		return err
	}
	if err := checkMode(file); err != nil {
		return fmt.Errorf("%s cannot be written to any more: %w", w.place.named, err)
	}
	return nil
}

// explain adds what to do to an error of SQLite.
func (w *writer) explain(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY:
		return fmt.Errorf("%w: make room for %s, and let its disk be written to", err, w.place.named)
	case sqlite3.SQLITE_BUSY:
		return fmt.Errorf("%w: end the other process that writes to %s", err, w.place.named)
	}
	return err
}

// fold puts the log into the database when it is long, so that it begins anew. Pages that another process still reads the
// state before of stay for the next time.
func (w *writer) fold(ctx context.Context) {
	if w.logged < w.maxLog || w.last.err != nil {
		return
	}
	w.logged = 0
	_, _ = w.number(ctx, "PRAGMA wal_checkpoint(PASSIVE)", 0) // after an error all of the log is left for the next time
	_, _ = w.place.check(ctx)                                 // looks at the database now, so that no batch waits for it
}

// health returns why faults cannot be stored, by the last batch, or by a probe if that was a while ago.
func (w *writer) health(ctx context.Context) error {
	if err := w.check(ctx); err != nil {
		return err
	}
	if time.Since(w.last.at) >= probeAfter {
		err := w.explain(w.probe(ctx, min(w.last.bytes, maxProbe)))
		w.last.at, w.last.err = time.Now(), err
		w.logged += 3 * pageSize
	}
	return w.last.err
}

// probe writes as much as the last batch, and leaves nothing: less could find room where a batch does not. The small cache
// makes SQLite write pages into the log before they are committed, all but the last few; the commit has a page that is as it
// was.
func (w *writer) probe(ctx context.Context, size int) error {
	size += 8 * pageSize
	err := w.exec(ctx, fmt.Sprintf(`PRAGMA cache_size = 1; BEGIN IMMEDIATE; SAVEPOINT probe;
		INSERT INTO faults (account_id, fault) SELECT id, printf('%%*c', %d, ' ') FROM accounts LIMIT 1;
		ROLLBACK TO probe; PRAGMA application_id = %d; COMMIT`, size, applicationID))
	if err != nil {
		_ = w.exec(ctx, "ROLLBACK") // as in try
	} else {
		_, err = w.place.check(ctx)
	}
	return errors.Join(err, w.exec(ctx, "PRAGMA cache_size = -2000")) // SQLite's default
}

func (w *writer) exec(ctx context.Context, sql string) error {
	e, ok := w.conn.(driver.ExecerContext)
	if !ok {
		return fmt.Errorf("a connection of type %T runs nothing", w.conn)
	}
	_, err := e.ExecContext(ctx, sql, nil)
	return err
}

func (w *writer) insertAll(ctx context.Context, rows []row) error {
	for i, n := range insertSizes {
		for ; len(rows) >= n; rows = rows[n:] {
			if err := w.insert(ctx, w.inserts[i], rows[:n]); err != nil {
				return err
			}
		}
	}
	return nil
}

// insert runs one INSERT. Only if the transaction has to end does it return an error.
func (w *writer) insert(ctx context.Context, s statement, rows []row) error {
	for i := range rows {
		w.args[2*i].Value = rows[i].account
		w.args[2*i+1].Value = rows[i].fault
	}
	result, err := s.ExecContext(ctx, w.args[:2*len(rows)])
	switch {
	case err != nil && !isOfRow(err):
		return err
	case err != nil && len(rows) == 1:
		rows[0].err = err
		return nil
	case err != nil: // SQLite has undone all of this statement, and nothing else
		for i := range rows {
			if err := w.insert(ctx, w.inserts[len(w.inserts)-1], rows[i:i+1]); err != nil {
				return err
			}
		}
		return nil
	}
	last, err := result.LastInsertId()
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].id = last - int64(len(rows)-1-i) // nobody else can write, so they follow one another
	}
	return nil
}

// isOfRow tells whether an INSERT failed for what it was to insert. Then it is as if it had not run. After any other error, such as
// that of a full disk, SQLite may have rolled back the transaction.
func isOfRow(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff { // the upper bits tell more about it
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG:
		return true
	}
	return false
}

// isBusy tells whether another process was in the way, for whatever it did.
func isBusy(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY
}

func isCode(err error, code int) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code() == code
}

// close puts what is in the log into the database, as far as no other process still reads what was there before.
func (w *writer) close() error {
	checkpoint, err := w.prepare(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)")
	if err == nil {
		_, err = checkpoint.ExecContext(context.Background(), nil)
		err = errors.Join(err, checkpoint.Close())
	}
	return errors.Join(err, w.closeAll())
}

func (w *writer) closeAll() error {
	var errs []error
	if w.place != nil {
		errs = append(errs, w.place.log.Close()) // first: Windows deletes no log that is open
	}
	for _, s := range append([]statement{w.begin, w.commit, w.rollback}, w.inserts...) {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(append(errs, w.conn.Close())...)
}
