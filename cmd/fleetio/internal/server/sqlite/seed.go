package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// replaceAccount stores an account, which is the parameter as JSON, with its keys, vehicles and rules. The row of a
// known account stays, as its faults refer to it.
const replaceAccount = `
INSERT INTO accounts (id, position, name, token)
	SELECT ?1 ->> 'id', (SELECT ifnull(max(position), 0) + 1 FROM accounts), ifnull(?1 ->> 'name', ''), ?1 ->> 'token'
	WHERE true -- or else ON would belong to a join
	ON CONFLICT (id) DO UPDATE SET name = excluded.name, token = excluded.token;
DELETE FROM api_keys WHERE account_id = ?1 ->> 'id';
DELETE FROM vehicles WHERE account_id = ?1 ->> 'id';
DELETE FROM fault_rules WHERE account_id = ?1 ->> 'id';
INSERT INTO api_keys (account_id, position, name, key, permissions)
	SELECT ?1 ->> 'id', key, value ->> 'name', value ->> 'key', ifnull(value -> 'permissions', 'null')
	FROM json_each(?1, '$.api_keys');
INSERT INTO vehicles (account_id, position, id, name, archived_at)
	SELECT ?1 ->> 'id', key, value ->> 'id', ifnull(value ->> 'name', ''), value ->> 'archived_at'
	FROM json_each(?1, '$.vehicles');
INSERT INTO fault_rules (account_id, position, id, code, name, description, priority_handling)
	SELECT ?1 ->> 'id', key, value ->> 'id', value ->> 'code', ifnull(value ->> 'name', ''),
		ifnull(value ->> 'description', ''), ifnull(value ->> 'priority_handling', '')
	FROM json_each(?1, '$.fault_rules')`

// selectAccounts returns the stored fixtures as JSON.
const selectAccounts = `
SELECT json_object('accounts', json_group_array(json_object('id', id, 'name', name, 'token', token,
	'api_keys', json((SELECT json_group_array(
		json_object('name', name, 'key', key, 'permissions', json(permissions)) ORDER BY position)
		FROM api_keys WHERE account_id = accounts.id)),
	'vehicles', json((SELECT json_group_array(
		json_object('id', id, 'name', name, 'archived_at', archived_at) ORDER BY position)
		FROM vehicles WHERE account_id = accounts.id)),
	'fault_rules', json((SELECT json_group_array(
		json_object('id', id, 'code', code, 'name', name, 'description', description,
			'priority_handling', priority_handling) ORDER BY position)
		FROM fault_rules WHERE account_id = accounts.id))) ORDER BY position))
FROM accounts`

// Seed implements [sandbox.Store]. The store as a whole must be valid afterwards: a new account cannot have the token
// of a stored one.
func (s *Store) Seed(
	ctx context.Context, f sandbox.Fixtures, faults []sandbox.Record,
) (all sandbox.Fixtures, err error) {
	s.open.RLock()
	defer s.open.RUnlock()
	if s.closed {
		return all, errClosed
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if err = ctx.Err(); err == nil {
		ctx = context.WithoutCancel(ctx)
		err = s.transact(ctx, func() error {
			if err := s.seed(ctx, f, faults); err != nil {
				return err
			}
			var text []byte
			if err := s.conn.QueryRowContext(ctx, selectAccounts).Scan(&text); err != nil {
				return err
			}
			if err := json.Unmarshal(text, &all); err != nil || len(all.Accounts) == 0 {
				return err
			}
			return all.Validate()
		})
	}
	if err != nil {
		return sandbox.Fixtures{}, fmt.Errorf("the fixtures are not stored: %w", err)
	}
	return all, nil
}

func (s *Store) seed(ctx context.Context, f sandbox.Fixtures, faults []sandbox.Record) error {
	added := map[int64]bool{}
	for i := range f.Accounts {
		a := &f.Accounts[i]
		var known bool
		err := s.conn.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM accounts WHERE id = ?)", a.ID).Scan(&known)
		if err != nil {
			return err
		}
		added[a.ID] = !known
		text, err := json.Marshal(a)
		if err != nil {
			return fmt.Errorf("account %d: %w", a.ID, err)
		}
		if _, err := s.conn.ExecContext(ctx, replaceAccount, string(text)); err != nil {
			return err
		}
	}
	for _, r := range faults {
		if added[r.Account] {
			if _, err := s.conn.ExecContext(ctx, insertFault, r.Account, r.Fault); err != nil {
				return err
			}
		}
	}
	return nil
}
