package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// account1 and account2 are what open seeds.
const account1, account2 = 12, 13

// open returns a store in a new file, with the default fixtures.
func open(tb testing.TB) *Store {
	tb.Helper()
	return openAt(tb, filepath.Join(tb.TempDir(), "sandbox.db"))
}

func openAt(tb testing.TB, path string) *Store {
	tb.Helper()
	s, err := Open(tb.Context(), path)
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, s.Close()) })
	_, err = s.Seed(tb.Context(), sandbox.DefaultFixtures(), nil)
	require.NoError(tb, err)
	return s
}

// fault returns the fault with a token, about as long as real ones are.
func fault(token string) []byte {
	return []byte(`{"external_id":"` + token + `","vehicle_id":4711,"code":"P0420","description":"` + strings.Repeat("é", 150) +
		`","created_at":"2026-01-31T10:00:00.000-06:00"}`)
}

// pragma runs a PRAGMA on the connection that writes.
func (s *Store) pragma(tb testing.TB, sql string) {
	tb.Helper()
	require.NoError(tb, s.setPragma(tb.Context(), sql))
}

func (s *Store) setPragma(ctx context.Context, sql string) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	_, err := s.conn.ExecContext(ctx, "PRAGMA "+sql)
	return err
}

// keepLog sets how many pages the log has before SQLite puts it into the database; 0 for never.
func (s *Store) keepLog(tb testing.TB, pages int) {
	tb.Helper()
	s.pragma(tb, fmt.Sprintf("wal_autocheckpoint = %d", pages))
}

// path is where the store's file is.
func (s *Store) path(tb testing.TB) (path string) {
	tb.Helper()
	require.NoError(tb, s.db.QueryRowContext(tb.Context(), "SELECT file FROM pragma_database_list").Scan(&path))
	return path
}

func TestAddAndRecords(t *testing.T) {
	t.Parallel()
	s := open(t)
	var want []sandbox.Record
	for i, account := range []int64{account1, account2, account1} {
		r := sandbox.Record{Account: account, Fault: fault(strconv.Itoa(i))}
		id, err := s.Add(t.Context(), r)
		require.NoError(t, err)
		require.EqualValues(t, i+1, id)
		r.ID = id
		want = append([]sandbox.Record{r}, want...)
	}
	for _, test := range []struct {
		account int64
		limit   int
		want    []sandbox.Record
	}{
		{0, 10, want},
		{0, 3, want},
		{0, 2, want[:2]},
		{account1, 10, []sandbox.Record{want[0], want[2]}},
		{account1, 1, want[:1]},
		{account2, 10, want[1:2]},
		{99, 10, nil},
		{0, 0, nil},
		{0, -1, nil},
	} {
		t.Run(fmt.Sprintf("account %d, limit %d", test.account, test.limit), func(t *testing.T) {
			t.Parallel()
			got, err := s.Records(t.Context(), sandbox.Query{Account: test.account, Limit: test.limit})
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

// TestBytes stores JSON of all kinds, of which the store must not change a byte.
func TestBytes(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"object": "{}", "escapes": `{"external_id":"a\u0000\ud83d\ude00\/"}`, "no UTF-8": "{\"external_id\":\"\xff\xfe\"}", "not ASCII": `{"a":"é😀"}`,
		"long": `{"external_id":"` + strings.Repeat("x", 1<<20) + `"}`, "another type": `{"external_id":[1]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			_, err := s.Add(t.Context(), sandbox.Record{Account: account1, Fault: []byte(text)})
			require.NoError(t, err)
			got, err := s.Records(t.Context(), sandbox.Query{Limit: 1})
			require.NoError(t, err)
			require.Equal(t, text, string(got[0].Fault))
		})
	}
}

func TestIDsAreNeverReused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sandbox.db")
	for round := range 3 {
		s := openAt(t, path)
		for i := range 5 {
			id, err := s.Add(t.Context(), sandbox.Record{Account: account1, Fault: fault("x")})
			require.NoError(t, err)
			require.EqualValues(t, 5*round+i+1, id)
		}
		_, err := s.db.ExecContext(t.Context(), "DELETE FROM faults")
		require.NoError(t, err)
		require.NoError(t, s.Close())
	}
}

func TestReopen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sandbox.db")
	s := openAt(t, path)
	id, err := s.Add(t.Context(), sandbox.Record{Account: account1, Fault: fault("kept")})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	for _, suffix := range []string{"-wal", "-shm", "-journal"} {
		assert.NoFileExists(t, path+suffix, "all is in the one file")
	}

	s = openAt(t, path)
	got, err := s.Records(t.Context(), sandbox.Query{Limit: 10})
	require.NoError(t, err)
	assert.Equal(t, []sandbox.Record{{ID: id, Account: account1, Fault: fault("kept")}}, got)
}

// TestConcurrent adds from hundreds of goroutines while others read, and closes in between.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	s := open(t)
	const callers, each = 256, 8
	var acknowledged sync.Map // id to what it was
	var done sync.WaitGroup
	for caller := range callers {
		done.Go(func() {
			buffer := make([]byte, 0, 1024) // reused, as a server does
			for i := range each {
				account := int64(account1 + caller%2)
				token := fmt.Sprintf("%d-%d", caller, i)
				buffer = append(buffer[:0], fault(token)...)
				id, err := s.Add(t.Context(), sandbox.Record{Account: account, Fault: buffer})
				if !assert.NoError(t, err) {
					return
				}
				_, twice := acknowledged.LoadOrStore(id, sandbox.Record{ID: id, Account: account, Fault: fault(token)})
				assert.False(t, twice, "id %d came twice", id)
			}
		})
	}
	for range 4 {
		done.Go(func() {
			for range 10 {
				list, err := s.Records(t.Context(), sandbox.Query{Account: account2, Limit: 50})
				assert.NoError(t, err)
				for i, r := range list {
					assert.EqualValues(t, account2, r.Account)
					assert.True(t, i == 0 || r.ID < list[i-1].ID, "newest first")
				}
			}
		})
	}
	done.Wait()
	list, err := s.Records(t.Context(), sandbox.Query{Limit: callers*each + 1})
	require.NoError(t, err)
	require.Len(t, list, callers*each)
	for _, r := range list {
		want, ok := acknowledged.Load(r.ID)
		require.True(t, ok)
		require.Equal(t, want, r)
	}
}

// TestBadRow has rows that the database refuses. The others of their transaction are stored.
func TestBadRow(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]map[int]int64{
		"none": {}, "one": {3: 99}, "last": {42: 98}, "several": {0: 99, 31: 98, 32: 97, 41: 96},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			var rows []row
			for i := range 43 {
				r := sandbox.Record{Account: account1, Fault: fault(strconv.Itoa(i))}
				if account, ok := bad[i]; ok {
					r.Account = account
				}
				rows = append(rows, row{Record: r})
			}
			s.writing.Lock()
			s.write(t.Context(), rows)
			s.writing.Unlock()
			list, err := s.Records(t.Context(), sandbox.Query{Limit: 100})
			require.NoError(t, err)
			stored := map[int64]string{}
			for _, r := range list {
				stored[r.ID] = string(r.Fault)
			}
			for i, r := range rows {
				if _, ok := bad[i]; ok {
					require.ErrorContains(t, r.err, "the fault is not stored: constraint failed: FOREIGN KEY")
					require.Zero(t, r.ID)
					continue
				}
				require.NoError(t, r.err)
				require.Equal(t, string(fault(strconv.Itoa(i))), stored[r.ID])
			}
			require.Len(t, list, len(rows)-len(bad))
		})
	}
}

func TestNoFault(t *testing.T) {
	t.Parallel()
	s := open(t)
	_, err := s.Add(t.Context(), sandbox.Record{Account: account1})
	require.ErrorContains(t, err, "the fault is not stored: ")
	list, err := s.Records(t.Context(), sandbox.Query{Limit: 1})
	require.NoError(t, err)
	assert.Empty(t, list)
}

// TestFaultList reads the view that is there for people: it has the properties of the contract, also in a file that was
// opened when the contract had others.
func TestFaultList(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sandbox.db")
	require.NoError(t, openAt(t, path).Close())
	run(t, path, "DROP VIEW fault_list; CREATE VIEW fault_list AS SELECT id FROM faults")
	for range 2 {
		s := openAt(t, path)
		_, err := s.Add(t.Context(), sandbox.Record{Account: account1, Fault: fault("from outside")})
		require.NoError(t, err)
		var id, vehicle int64
		var code, external, created string
		row := s.db.QueryRowContext(t.Context(), "SELECT id, vehicle_id, code, external_id, created_at FROM fault_list ORDER BY id")
		require.NoError(t, row.Scan(&id, &vehicle, &code, &external, &created))
		assert.Equal(t, []int64{1, 4711}, []int64{id, vehicle})
		assert.Equal(t, []string{"P0420", "from outside", "2026-01-31T10:00:00.000-06:00"}, []string{code, external, created})
		var columns, cookie int
		require.NoError(t, s.db.QueryRowContext(t.Context(), "SELECT count(*) FROM pragma_table_info('fault_list')").Scan(&columns))
		assert.Len(t, fleetioapi.FaultSchema.Fields(), columns)
		require.NoError(t, s.db.QueryRowContext(t.Context(), "PRAGMA schema_version").Scan(&cookie))
		assert.Less(t, cookie%serialStep, 20, "it is not replaced each time")
		require.NoError(t, s.Close())
	}
}

// asJSON is how fixtures are compared, as times of one offset can differ in how Go holds them.
func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}
