package main

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// usualStore keeps faults in SQLite as safely as the sandbox does, in a transaction for each.
type usualStore struct {
	db     *sql.DB
	insert *sql.Stmt
}

func openUsualStore(ctx context.Context, file string) (*usualStore, error) {
	pragmas := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)", "fullfsync(1)"}}
	path := url.URL{Path: file}
	name := url.URL{Scheme: "file", Opaque: path.EscapedPath(), RawQuery: pragmas.Encode()}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // SQLite has one writer at a time; more connections would only wait on locks
	_, err = db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS faults (
		id INTEGER PRIMARY KEY AUTOINCREMENT, account_id INTEGER NOT NULL, created_at TEXT NOT NULL, fault_rule_id INTEGER NOT NULL,
		vehicle_id INTEGER NOT NULL, code TEXT NOT NULL, count INTEGER, description TEXT, external_id TEXT,
		last_occurred_at TEXT, name TEXT, status TEXT NOT NULL, source TEXT)`)
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	insert, err := db.PrepareContext(ctx, `INSERT INTO faults (account_id, created_at, fault_rule_id, vehicle_id, code, count,
		description, external_id, last_occurred_at, name, status, source) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return &usualStore{db: db, insert: insert}, nil
}

// Close implements [io.Closer].
func (s *usualStore) Close() error { return s.db.Close() }

func (s *usualStore) create(ctx context.Context, account, rule int64, in *fleetioapi.FaultCreate) (fleetioapi.Fault, error) {
	now := time.Now().Truncate(time.Second)
	fault := fleetioapi.Fault{
		AccountID: account, CreatedAt: &now, UpdatedAt: &now, FaultRuleID: fleetioapi.Value(rule),
		VehicleID: fleetioapi.Value(in.VehicleID), Code: in.Code, Count: nullable(in.Count),
		Description: nullable(in.Description), ExternalID: nullable(in.ExternalID), LastOccurredAt: nullable(in.LastOccurredAt),
		Name: nullable(in.Name), Status: fleetioapi.FaultStatusOpen, Source: nullable(in.Source),
		VehicleArchivedAt: fleetioapi.Null[time.Time](), IdempotencyKey: fleetioapi.Null[string](),
	}
	if in.Status != nil {
		fault.Status = *in.Status
	}
	var occurred *string
	if in.LastOccurredAt != nil {
		text := in.LastOccurredAt.Format(time.RFC3339Nano) // the offset is kept
		occurred = &text
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fault, err
	}
	defer tx.Rollback()                     //nolint:errcheck // after the commit there is nothing to roll back
	insert := tx.StmtContext(ctx, s.insert) //nolint:sqlclosecheck // the end of tx closes it
	row, err := insert.ExecContext(ctx, account, now.Format(time.RFC3339), rule, in.VehicleID, in.Code, in.Count,
		in.Description, in.ExternalID, occurred, in.Name, string(fault.Status), in.Source)
	if err != nil {
		return fault, err
	}
	if fault.ID, err = row.LastInsertId(); err != nil {
		return fault, err
	}
	return fault, tx.Commit()
}

func nullable[T any](value *T) fleetioapi.Nullable[T] {
	if value == nil {
		return fleetioapi.Null[T]()
	}
	return fleetioapi.Value(*value)
}

func countUsual(ctx context.Context, file string) (n int64, err error) {
	store, err := openUsualStore(ctx, file)
	if err != nil {
		return 0, err
	}
	err = store.db.QueryRowContext(ctx, "SELECT count(*) FROM faults").Scan(&n)
	return n, errors.Join(err, store.Close())
}
