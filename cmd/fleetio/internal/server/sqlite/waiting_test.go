package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

type added struct {
	id  int64
	err error
}

// goAdd adds on a goroutine.
func (s *Store) goAdd(ctx context.Context, text []byte) <-chan added {
	result := make(chan added, 1)
	go func() {
		id, err := s.Add(ctx, sandbox.Record{Account: account1, Fault: text})
		result <- added{id, err}
	}()
	return result
}

// waitFor waits until so many rows are queued.
func (s *Store) waitFor(rows int) {
	for queued := 0; queued != rows; runtime.Gosched() {
		s.queue.Lock()
		if queued = 0; s.next != nil {
			queued = len(s.next.rows)
		}
		s.queue.Unlock()
	}
}

// TestContextEnds ends the context of callers whose rows are queued: their faults are stored all the same.
func TestContextEnds(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.writing.Lock() // the first batch gets no further than here
	unlock := sync.OnceFunc(s.writing.Unlock)
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	first := s.goAdd(ctx, fault("first"))
	s.waitFor(1)
	second := s.goAdd(ctx, fault("second"))
	s.waitFor(2)

	cancel()
	for range 1000 { // a wrong result would come meanwhile
		runtime.Gosched()
	}
	require.Empty(t, first, "returned before it was stored")
	require.Empty(t, second, "returned before it was stored")
	unlock()

	assert.Equal(t, added{1, nil}, <-first)
	assert.Equal(t, added{2, nil}, <-second)
	_, err := s.Add(ctx, sandbox.Record{Account: account1, Fault: fault("late")})
	require.ErrorIs(t, err, context.Canceled)
	list, err := s.Records(t.Context(), sandbox.Query{Limit: 10})
	require.NoError(t, err)
	assert.Equal(t, []sandbox.Record{
		{ID: 2, Account: account1, Fault: fault("second")}, {ID: 1, Account: account1, Fault: fault("first")},
	}, list)
}

// TestCanceledWhileAdding cancels many calls at any moment, and compares the results with what is stored.
func TestCanceledWhileAdding(t *testing.T) {
	t.Parallel()
	s := open(t)
	var acknowledged sync.Map
	var done sync.WaitGroup
	for caller := range 64 {
		done.Go(func() {
			for i := range 20 {
				ctx, cancel := context.WithCancel(t.Context())
				token := fmt.Sprintf("%d-%d", caller, i)
				result := s.goAdd(ctx, fault(token))
				for range i {
					runtime.Gosched()
				}
				cancel()
				if r := <-result; r.err == nil {
					acknowledged.Store(r.id, string(fault(token)))
				} else {
					assert.ErrorIs(t, r.err, context.Canceled)
				}
			}
		})
	}
	done.Wait()
	list, err := s.Records(t.Context(), sandbox.Query{Limit: 10_000})
	require.NoError(t, err)
	for _, r := range list {
		want, ok := acknowledged.LoadAndDelete(r.ID)
		require.True(t, ok, "fault %d is there after an error", r.ID)
		require.Equal(t, want, string(r.Fault))
	}
	acknowledged.Range(func(id, _ any) bool { return assert.Fail(t, "acknowledged, and not there", "fault %v", id) })
}

// TestClose closes a store while callers add: those in the queue get their ids, later ones an error.
func TestClose(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sandbox.db")
	s := openAt(t, path)
	s.writing.Lock()
	unlock := sync.OnceFunc(s.writing.Unlock)
	defer unlock()
	results := []<-chan added{s.goAdd(t.Context(), fault("first"))}
	s.waitFor(1)
	results = append(results, s.goAdd(t.Context(), fault("second")))
	s.waitFor(2)
	closed := make(chan error, 2)
	for range 2 {
		go func() { closed <- s.Close() }()
	}
	for s.open.TryRLock() { // until Close waits
		s.open.RUnlock()
		runtime.Gosched()
	}
	late := s.goAdd(t.Context(), fault("late"))
	require.Empty(t, closed, "closed while callers add")
	unlock()
	for i, result := range results {
		assert.Equal(t, added{int64(i + 1), nil}, <-result)
	}
	require.Equal(t, added{0, errClosed}, <-late)
	require.NoError(t, <-closed)
	require.NoError(t, <-closed)

	_, err := s.Records(t.Context(), sandbox.Query{Limit: 10})
	require.ErrorIs(t, err, errClosed)
	_, err = s.Seed(t.Context(), sandbox.DefaultFixtures(), nil)
	require.ErrorIs(t, err, errClosed)
	require.ErrorIs(t, s.Check(t.Context()), errClosed)
	s = openAt(t, path)
	list, err := s.Records(t.Context(), sandbox.Query{Limit: 10})
	require.NoError(t, err)
	require.Len(t, list, 2)
}

// TestCloseBesideReader has another process that reads an older state for longer than Close waits.
func TestCloseBesideReader(t *testing.T) {
	t.Parallel()
	s := open(t)
	path := s.path(t)
	other, err := sql.Open("sqlite", uri(path))
	require.NoError(t, err)
	defer other.Close()
	tx, err := other.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer tx.Rollback()
	require.NoError(t, tx.QueryRow("SELECT count(*) FROM faults").Scan(new(int)))
	acknowledged, errs := addMany(t, s, "x", 10, "")
	require.Empty(t, errs)
	s.pragma(t, "busy_timeout = 1")
	require.NoError(t, s.Close())
	assert.FileExists(t, path+"-wal")
	assert.Equal(t, acknowledged, stored(t, openAt(t, path)))
}

// TestGoroutines cannot run in parallel with the others, as it counts.
func TestGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "sandbox.db"))
	require.NoError(t, err)
	_, err = s.Seed(t.Context(), sandbox.DefaultFixtures(), nil)
	require.NoError(t, err)
	_, err = s.Add(t.Context(), sandbox.Record{Account: account1, Fault: fault("x")})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	for range 1_000_000 { // goroutines end a little after they said so
		if runtime.NumGoroutine() <= before {
			return
		}
		runtime.Gosched()
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
}
