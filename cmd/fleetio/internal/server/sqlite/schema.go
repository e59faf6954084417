package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
)

// applicationID is "FLTO", the mark of a store's file (https://sqlite.org/pragma.html#pragma_application_id).
const applicationID = 0x464c544f

// migrations make a database of version n, from 1, of one of version n-1. None that was released ever changes.
var migrations = []string{`
CREATE TABLE accounts (
	id       INTEGER PRIMARY KEY,
	position INTEGER NOT NULL UNIQUE, -- in the order in which they came in
	name     TEXT NOT NULL,
	token    TEXT NOT NULL
) STRICT;

CREATE TABLE api_keys (
	account_id  INTEGER NOT NULL REFERENCES accounts (id),
	position    INTEGER NOT NULL,
	name        TEXT NOT NULL,
	key         TEXT NOT NULL,
	permissions TEXT NOT NULL, -- a JSON array of strings
	PRIMARY KEY (account_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE vehicles (
	account_id  INTEGER NOT NULL REFERENCES accounts (id),
	position    INTEGER NOT NULL,
	id          INTEGER NOT NULL,
	name        TEXT NOT NULL,
	archived_at TEXT, -- RFC 3339
	PRIMARY KEY (account_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE fault_rules (
	account_id INTEGER NOT NULL REFERENCES accounts (id),
	position   INTEGER NOT NULL,
	id         INTEGER NOT NULL,
	code       TEXT NOT NULL,
	name       TEXT NOT NULL,
	PRIMARY KEY (account_id, position)
) STRICT, WITHOUT ROWID;

-- No index and no generated column: each would make an INSERT slower by 15 to 40 percent.
CREATE TABLE faults (
	id         INTEGER PRIMARY KEY AUTOINCREMENT, -- so that no id comes twice
	account_id INTEGER NOT NULL REFERENCES accounts (id),
	fault      TEXT NOT NULL -- a JSON object
) STRICT;

-- For people who look.
CREATE VIEW fault_list AS
SELECT id,
	account_id,
	fault ->> '$.vehicle_id' AS vehicle_id,
	fault ->> '$.code' AS code,
	fault ->> '$.external_id' AS external_id,
	fault ->> '$.created_at' AS created_at
FROM faults;
`}

var (
	errNoDatabase = errors.New("it is no SQLite database")
	errForeign    = errors.New("it is an SQLite database of another application")
)

// querier is a connection, or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// stamp reads whose database it is, and of which version. Both stand in the header; a SELECT of them would read the schema.
func stamp(ctx context.Context, q querier) (id int64, version int, err error) {
	if err := q.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return 0, 0, err
	}
	err = q.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version)
	return id, version, err
}

// A store's schema cookie (https://sqlite.org/pragma.html#pragma_schema_version) begins at a random multiple of this, so that
// the header tells one store's database from another's. SQLite adds 1 for each change of the schema, and for a VACUUM.
const serialStep = 1 << 8

// serialOf returns what tells a database from that of another store; 0 where no store has opened it since there are serials.
func serialOf(ctx context.Context, q querier) (uint32, error) {
	var cookie uint32
	err := q.QueryRowContext(ctx, "PRAGMA schema_version").Scan(&cookie)
	return cookie / serialStep, err
}

// checkStamp returns an error if a database that is not empty cannot be used.
func checkStamp(id int64, version, newest int) error {
	switch {
	case id != applicationID || version < 1:
		return errForeign
	case version > newest:
		return fmt.Errorf("it has version %d, and the newest that this program knows is %d: a newer one wrote it", version, newest)
	}
	return nil
}

// migrate takes an empty database, or one of an earlier version, to the last of the steps: to all of them or, after an
// error, to none. It gives a serial to one that has none.
func migrate(ctx context.Context, db *sql.DB, steps []string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	id, version, err := stamp(ctx, tx)
	if err != nil {
		return err
	}
	var objects int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&objects); err != nil {
		return err
	}
	if id != 0 || version != 0 || objects != 0 {
		if err := checkStamp(id, version, len(steps)); err != nil {
			return err
		}
	}
	serial, err := serialOf(ctx, tx)
	if err != nil {
		return err
	}
	if version == len(steps) && serial != 0 {
		return nil
	}
	for i, step := range steps[version:] {
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return fmt.Errorf("make version %d of it: %w", version+i+1, err)
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, len(steps))); err != nil {
		return err
	}
	if serial == 0 {
		cookie := (1 + rand.Int32N(math.MaxInt32/serialStep-1)) * serialStep //nolint:gosec // it is no secret
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA schema_version = %d", cookie)); err != nil {
			return err
		}
	}
	return tx.Commit()
}
