package sqlite

import (
	"context"
	"database/sql"
	_ "embed" // version1.sql and version2.sql
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// applicationID is "FLTO", the mark of a store's file (https://sqlite.org/pragma.html#pragma_application_id).
const applicationID = 0x464c544f

var (
	//go:embed version1.sql
	version1 string
	//go:embed version2.sql
	version2 string
)

// migrations[n-1] migrates a database from version n-1 to version n. A released one never changes.
var migrations = []string{version1, version2}

var (
	errNoDatabase = errors.New("it is no SQLite database")
	errForeign    = errors.New("it is an SQLite database of another application")
)

// A store's schema cookie (https://sqlite.org/pragma.html#pragma_schema_version) begins at a random multiple of
// serialStep, the serial, so that the header identifies the store. SQLite adds 1 for each change of the schema, and for
// a VACUUM. A store of an early version has the serial 0 until it is opened again.
const serialStep = 1 << 8

// header is the part of a database's header that the store needs (https://sqlite.org/fileformat.html, 1.3).
type header struct {
	id, version int
	serial      uint32
	size        int64 // of the file, in bytes
}

func readHeader(r io.ReaderAt) (header, error) {
	var b [100]byte
	_, err := r.ReadAt(b[:], 0)
	if errors.Is(err, io.EOF) || err == nil && string(b[:16]) != "SQLite format 3\x00" {
		return header{}, errNoDatabase
	}
	if err != nil {
		return header{}, err
	}
	number := func(offset int) uint32 { return binary.BigEndian.Uint32(b[offset:]) }
	page := int64(binary.BigEndian.Uint16(b[16:]))
	if page == 1 {
		page = 1 << 16
	}
	return header{
		id: int(number(68)), version: int(number(60)), serial: number(40) / serialStep, size: page * int64(number(28)),
	}, nil
}

// check returns an error if the database cannot be used. The newest version is the last that this program knows.
func (h header) check(newest int) error {
	switch {
	case h.id != applicationID || h.version < 1:
		return errForeign
	case h.version > newest:
		return fmt.Errorf("it has version %d, and the newest that this program knows is %d: a newer one wrote it",
			h.version, newest)
	}
	return nil
}

// migrate migrates an empty database, or one of an earlier version, by all of the steps or, after an error, by none. It
// assigns a serial to a database without one.
func migrate(ctx context.Context, conn *sql.Conn, steps []string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // a transaction must not stay open
	return inTransaction(ctx, conn, func() error {
		var h header // as of this transaction: another process may have created the file meanwhile
		var cookie, objects int
		err := conn.QueryRowContext(ctx, `SELECT application_id, user_version, schema_version,
			(SELECT count(*) FROM sqlite_schema)
			FROM pragma_application_id, pragma_user_version, pragma_schema_version`).
			Scan(&h.id, &h.version, &cookie, &objects)
		if err != nil {
			return err
		}
		if h.id != 0 || h.version != 0 || objects != 0 {
			if err := h.check(len(steps)); err != nil {
				return err
			}
		}
		if h.version < len(steps) {
			for i, step := range steps[h.version:] {
				if _, err := conn.ExecContext(ctx, step); err != nil {
					return fmt.Errorf("make version %d of it: %w", h.version+i+1, err)
				}
			}
			stamp := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, len(steps))
			if _, err := conn.ExecContext(ctx, stamp); err != nil {
				return err
			}
		}
		if cookie < serialStep {
			cookie = (1 + rand.IntN(math.MaxInt32/serialStep-1)) * serialStep //nolint:gosec // it is no secret
			_, err = conn.ExecContext(ctx, fmt.Sprintf("PRAGMA schema_version = %d", cookie))
		}
		return err
	})
}

// createFaultList is the view fault_list, with a column for each property that a fault has in the contract.
var createFaultList = func() string {
	columns := []string{"id"}
	for _, f := range fleetioapi.FaultSchema.Fields() {
		if f.Name != "id" {
			path := strings.ReplaceAll(`$."`+f.Name+`"`, "'", "''")
			columns = append(columns, fmt.Sprintf("fault ->> '%s' AS %s", path, `"`+strings.ReplaceAll(f.Name, `"`, `""`)+`"`))
		}
	}
	return "CREATE VIEW fault_list AS SELECT " + strings.Join(columns, ",\n\t") + "\nFROM faults"
}()

// showFaults replaces the view if the contract had other properties when the file was last opened. It does not touch the
// schema otherwise, as each change counts in the schema cookie.
func showFaults(ctx context.Context, conn *sql.Conn) error {
	return inTransaction(ctx, conn, func() error {
		var actual string
		err := conn.QueryRowContext(ctx, "SELECT sql FROM sqlite_schema WHERE name = 'fault_list'").Scan(&actual)
		if err == nil && actual != createFaultList || errors.Is(err, sql.ErrNoRows) {
			_, err = conn.ExecContext(ctx, "DROP VIEW IF EXISTS fault_list; "+createFaultList)
		}
		return err
	})
}
