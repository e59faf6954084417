package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// insertSizes are how many rows the prepared INSERTs take. In one of 32, a row costs a quarter less CPU than alone.
var insertSizes = []int{32, 16, 8, 4, 2, 1}

// writer writes faults on a connection of its own. It uses the driver without database/sql, which would double what a row
// costs in Go.
type writer struct {
	conn                    driver.Conn
	begin, commit, rollback statement
	inserts                 []statement // as insertSizes
	args                    []driver.NamedValue
}

type statement interface {
	driver.StmtExecContext
	Close() error
}

func newWriter(ctx context.Context, dsn string) (*writer, error) {
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	conn, err := connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{conn: conn, args: make([]driver.NamedValue, 2*insertSizes[0])}
	for i := range w.args {
		w.args[i].Ordinal = i + 1
	}
	if err := w.prepareAll(ctx); err != nil {
		return nil, errors.Join(err, w.closeAll())
	}
	return w, nil
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

// write puts the rows into one transaction, and their ids, or why they are not stored, into them. A row that the database
// does not take is left out; any other failure is one of all rows. The context must be one that never ends, as a
// transaction must not be left halfway.
func (w *writer) write(ctx context.Context, rows []row) {
	err := w.try(ctx, rows)
	for i := range rows {
		r := &rows[i]
		switch {
		case err != nil && r.err == nil:
			r.id, r.err = 0, fmt.Errorf("the fault is not stored: %w", err)
		case isCode(r.err, sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY):
			r.err = fmt.Errorf("the fault is not stored: the store has no account %d", r.account)
		case r.err != nil:
			r.err = fmt.Errorf("the fault is not stored: %w", r.err)
		}
	}
}

func (w *writer) try(ctx context.Context, rows []row) error {
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
	}
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
	for _, s := range append([]statement{w.begin, w.commit, w.rollback}, w.inserts...) {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(append(errs, w.conn.Close())...)
}
