// Package sqlite keeps what a sandbox knows in a file.
//
// A fault that was answered is on disk: each commit is followed by an fsync before anybody is told. Faults that come in at
// the same time share a transaction, so that they share the fsync as well.
//
// The file is an ordinary SQLite database in WAL mode. People may look into it with other programs while a sandbox runs;
// the view fault_list shows the parts of the faults in columns. Several processes may have it open, but a sandbox reads the accounts
// once only, as it starts.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// Store is a [sandbox.Store] in a file. Make one with [Open].
type Store struct {
	db    *sql.DB // reads, and the rare writes of Seed
	queue queue

	// Held by whoever writes. SQLite would let a second writer wait as well, but by sleeping.
	writing sync.Mutex
	writer  *writer
	reading sync.RWMutex  // held by readers, for Close to wait for them
	ended   chan struct{} // closed when the goroutine that writes has ended
	close   func() error  // does it once
}

var _ sandbox.Store = (*Store)(nil)

var errClosed = errors.New("the store is closed")

// Open opens the store in the file at path, and makes the file, readable for its owner only, when there is none.
//
// It is an error when the file is no SQLite database, is that of another application, or comes from a newer version of this
// package; such a file is left as it was. (Where only the log that a crash left beside it tells so, SQLite puts that into
// the file.) A file of an older version is brought up to date. The context is for opening only.
func Open(ctx context.Context, path string) (*Store, error) {
	db, err := openFile(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	w, err := newWriter(ctx, path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, pathless(err)), db.Close())
	}
	s := &Store{db: db, queue: newQueue(), writer: w, ended: make(chan struct{})}
	s.close = sync.OnceValue(s.end)
	go s.run(context.WithoutCancel(ctx))
	return s, nil
}

// Add implements [sandbox.Store]. It returns once the fault is on disk. What was let in is waited for even if the context
// ends: only the outcome is the truth. That takes milliseconds, unless another process writes all the time: after 5 seconds
// it is an error.
//
// One case is beyond it: if the disk fails in the middle of a commit, and the process dies before the next commit
// succeeds, SQLite may find the faults of the failed one whole when the file is opened again.
func (s *Store) Add(ctx context.Context, r sandbox.Record) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	b, i, err := s.queue.add(r)
	if err != nil {
		return 0, err
	}
	<-b.done
	return b.rows[i].id, b.rows[i].err
}

// Records implements [sandbox.Store]. It fails where the file was deleted or replaced. It does not hold up those who write.
// There is no index by account, as it would slow down each Add: what an account that has few faults costs to read grows
// with the faults of the others.
func (s *Store) Records(ctx context.Context, account int64, limit int) ([]sandbox.Record, error) {
	s.reading.RLock()
	defer s.reading.RUnlock()
	if s.queue.isClosed() {
		return nil, errClosed
	}
	if _, err := s.writer.place.look(); err != nil {
		return nil, err
	}
	if limit <= 0 {
		return nil, nil
	}
	var list []sandbox.Record
	err := each(ctx, s.db, `SELECT id, account_id, fault FROM faults
		WHERE ?1 = 0 OR account_id = ?1 ORDER BY id DESC LIMIT ?2`, func(scan scanner) error {
		var r sandbox.Record
		err := scan(&r.ID, &r.Account, &r.Fault)
		list = append(list, r)
		return err
	}, account, limit)
	if err != nil {
		return nil, fmt.Errorf("read faults: %w", err)
	}
	return list, nil
}

// Check returns why faults cannot be stored at present; nil where they can. It goes by the last batch. If that was more than
// a second ago, it tries to write, so that a full disk that has space again is found out without an Add.
func (s *Store) Check(ctx context.Context) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.queue.isClosed() {
		return errClosed
	}
	defer s.writer.fold(context.WithoutCancel(ctx))
	return s.writer.health(context.WithoutCancel(ctx))
}

// scanner is [sql.Rows.Scan].
type scanner func(...any) error

// each calls row for each row of a query.
func each(ctx context.Context, q querier, query string, row func(scan scanner) error, args ...any) (err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Close implements [sandbox.Store]. It waits for the faults that are being added and for who reads, and puts all into the
// one file. Another process that reads or writes is waited for, 5 seconds; then the rest stays in the log beside the file,
// for whoever closes or opens it next. Any later call of the others is an error; a second Close returns what the first did.
func (s *Store) Close() error { return s.close() }

func (s *Store) end() error {
	s.queue.close()
	<-s.ended
	s.writing.Lock()
	defer s.writing.Unlock()
	s.reading.Lock()
	defer s.reading.Unlock()
	err := s.writer.check(context.Background())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		// The connection that writes stays open. At its end SQLite would put its log into what is there now, or delete
		// another store's log, which has the same name.
		return errors.Join(err, s.db.Close())
	}
	return errors.Join(err, s.writer.close(), s.db.Close())
}
