package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// Seed implements [sandbox.Store]. What it then has as a whole must be valid too: an account that is already there cannot have the
// token of a new one.
func (s *Store) Seed(ctx context.Context, f sandbox.Fixtures, faults []sandbox.Record) (sandbox.Fixtures, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.queue.isClosed() {
		return sandbox.Fixtures{}, errClosed
	}
	err := s.writer.check(ctx)
	var all sandbox.Fixtures
	if err == nil {
		all, err = s.seed(ctx, f, faults)
	}
	if err == nil {
		_, err = s.writer.place.check(ctx)
	}
	if err != nil {
		return sandbox.Fixtures{}, fmt.Errorf("the fixtures are not stored: %w", err)
	}
	return all, nil
}

func (s *Store) seed(ctx context.Context, f sandbox.Fixtures, faults []sandbox.Record) (all sandbox.Fixtures, err error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return all, err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	fresh := map[int64]bool{}
	for i := range f.Accounts {
		known, err := replace(ctx, tx, &f.Accounts[i])
		if err != nil {
			return all, err
		}
		fresh[f.Accounts[i].ID] = !known
	}
	for _, r := range faults {
		if !fresh[r.Account] {
			continue
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO faults (account_id, fault) VALUES (?, ?)", r.Account, string(r.Fault)); err != nil {
			return all, err
		}
	}
	if all, err = load(ctx, tx); err != nil {
		return all, err
	}
	if len(all.Accounts) > 0 {
		if err := all.Validate(); err != nil {
			return all, err
		}
	}
	return all, tx.Commit()
}

// replace stores an account with all that it has. The row of a known one stays, as its faults refer to it.
func replace(ctx context.Context, tx *sql.Tx, a *sandbox.Account) (known bool, err error) {
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM accounts WHERE id = ?)", a.ID).Scan(&known); err != nil {
		return false, err
	}
	do := func(query string, args ...any) {
		if err == nil {
			_, err = tx.ExecContext(ctx, query, args...)
		}
	}
	do(`INSERT INTO accounts (id, position, name, token) VALUES (?, (SELECT ifnull(max(position), 0) + 1 FROM accounts), ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, token = excluded.token`, a.ID, a.Name, a.Token)
	do("DELETE FROM api_keys WHERE account_id = ?", a.ID)
	do("DELETE FROM vehicles WHERE account_id = ?", a.ID)
	do("DELETE FROM fault_rules WHERE account_id = ?", a.ID)
	for i, k := range a.APIKeys {
		permissions, err := json.Marshal(k.Permissions)
		if err != nil {
			return known, err
		}
		do("INSERT INTO api_keys (account_id, position, name, key, permissions) VALUES (?, ?, ?, ?, ?)",
			a.ID, i, k.Name, k.Key, string(permissions))
	}
	for i, v := range a.Vehicles {
		var archived any
		if v.ArchivedAt != nil {
			text, err := v.ArchivedAt.MarshalText()
			if err != nil {
				return known, fmt.Errorf("vehicle %d: %w", v.ID, err)
			}
			archived = string(text)
		}
		do("INSERT INTO vehicles (account_id, position, id, name, archived_at) VALUES (?, ?, ?, ?, ?)",
			a.ID, i, v.ID, v.Name, archived)
	}
	for i, r := range a.FaultRules {
		do("INSERT INTO fault_rules (account_id, position, id, code, name) VALUES (?, ?, ?, ?, ?)",
			a.ID, i, r.ID, r.Code, r.Name)
	}
	return known, err
}

// load reads all accounts.
func load(ctx context.Context, tx *sql.Tx) (sandbox.Fixtures, error) {
	var f sandbox.Fixtures
	err := each(ctx, tx, "SELECT id, name, token FROM accounts ORDER BY position", func(scan scanner) error {
		var a sandbox.Account
		err := scan(&a.ID, &a.Name, &a.Token)
		f.Accounts = append(f.Accounts, a)
		return err
	})
	if err != nil {
		return f, err
	}
	for i := range f.Accounts {
		if err := loadAccount(ctx, tx, &f.Accounts[i]); err != nil {
			return f, fmt.Errorf("account %d: %w", f.Accounts[i].ID, err)
		}
	}
	return f, nil
}

func loadAccount(ctx context.Context, tx *sql.Tx, a *sandbox.Account) error {
	err := each(ctx, tx, "SELECT name, key, permissions FROM api_keys WHERE account_id = ? ORDER BY position", func(scan scanner) error {
		var k sandbox.APIKey
		var permissions []byte
		if err := scan(&k.Name, &k.Key, &permissions); err != nil {
			return err
		}
		a.APIKeys = append(a.APIKeys, k)
		return json.Unmarshal(permissions, &a.APIKeys[len(a.APIKeys)-1].Permissions)
	}, a.ID)
	if err != nil {
		return fmt.Errorf("api_keys: %w", err)
	}
	err = each(ctx, tx, "SELECT id, name, archived_at FROM vehicles WHERE account_id = ? ORDER BY position", func(scan scanner) error {
		var v sandbox.Vehicle
		var archived sql.NullString
		if err := scan(&v.ID, &v.Name, &archived); err != nil {
			return err
		}
		if archived.Valid {
			v.ArchivedAt = new(time.Time)
			if err := v.ArchivedAt.UnmarshalText([]byte(archived.String)); err != nil {
				return err
			}
		}
		a.Vehicles = append(a.Vehicles, v)
		return nil
	}, a.ID)
	if err != nil {
		return fmt.Errorf("vehicles: %w", err)
	}
	err = each(ctx, tx, "SELECT id, code, name FROM fault_rules WHERE account_id = ? ORDER BY position", func(scan scanner) error {
		var r sandbox.FaultRule
		err := scan(&r.ID, &r.Code, &r.Name)
		a.FaultRules = append(a.FaultRules, r)
		return err
	}, a.ID)
	if err != nil {
		return fmt.Errorf("fault_rules: %w", err)
	}
	return nil
}
