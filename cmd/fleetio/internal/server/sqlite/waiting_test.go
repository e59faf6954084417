package sqlite

import (
	"context"
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

// waitFor gives way until the queue is as told.
func (s *Store) waitFor(is func(next *batch) bool) {
	for {
		s.queue.mu.Lock()
		ok := is(s.queue.next)
		s.queue.mu.Unlock()
		if ok {
			return
		}
		runtime.Gosched()
	}
}

func TestContextEnds(t *testing.T) {
	t.Parallel()
	s := open(t)
	first := s.queue.next
	s.writing.Lock() // the first batch gets no further than here
	unlock := sync.OnceFunc(s.writing.Unlock)
	defer unlock()
	ctxTaken, cancelTaken := context.WithCancel(t.Context())
	taken := s.goAdd(ctxTaken, fault("taken"))
	s.waitFor(func(next *batch) bool { return next != first })

	queued := s.goAdd(ctxTaken, fault("queued"))
	s.waitFor(func(next *batch) bool { return len(next.rows) == 1 })

	cancelTaken()
	for range 1000 { // give a wrong answer the time to come
		runtime.Gosched()
	}
	require.Empty(t, taken, "answered before it was known")
	require.Empty(t, queued, "answered before it was known")
	unlock()

	assert.Equal(t, added{1, nil}, <-taken)
	assert.Equal(t, added{2, nil}, <-queued)
	_, err := s.Add(ctxTaken, sandbox.Record{Account: account1, Fault: fault("late")})
	require.ErrorIs(t, err, context.Canceled)
	list, err := s.Records(t.Context(), 0, 10)
	require.NoError(t, err)
	assert.Equal(t, []sandbox.Record{
		{ID: 2, Account: account1, Fault: fault("queued")}, {ID: 1, Account: account1, Fault: fault("taken")},
	}, list)
}

// TestCanceledWhileAdding cancels many calls at any moment, and compares what was answered with what is there.
func TestCanceledWhileAdding(t *testing.T) {
	t.Parallel()
	s := open(t)
	var answered sync.Map
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
					answered.Store(r.id, string(fault(token)))
				} else {
					assert.ErrorIs(t, r.err, context.Canceled)
				}
			}
		})
	}
	done.Wait()
	list, err := s.Records(t.Context(), 0, 10_000)
	require.NoError(t, err)
	for _, r := range list {
		want, ok := answered.LoadAndDelete(r.ID)
		require.True(t, ok, "fault %d is there after an error", r.ID)
		require.Equal(t, want, string(r.Fault))
	}
	answered.Range(func(id, _ any) bool { return assert.Fail(t, "answered, and not there", "fault %v", id) })
}

// TestClose closes while callers add: those who are in get their answer, the others an error.
func TestClose(t *testing.T) {
	t.Parallel()
	for range 10 { // whoever writes finds the next batch and the end at the same time, and begins with either
		closeWhileAdding(t)
	}
}

func closeWhileAdding(t *testing.T) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sandbox.db")
	s := openAt(t, path)
	first := s.queue.next
	s.writing.Lock()
	unlock := sync.OnceFunc(s.writing.Unlock)
	defer unlock()
	results := []<-chan added{s.goAdd(t.Context(), fault("taken"))}
	s.waitFor(func(next *batch) bool { return next != first })
	results = append(results, s.goAdd(t.Context(), fault("queued")))
	s.waitFor(func(next *batch) bool { return len(next.rows) == 1 })
	closed := make(chan error, 2)
	for range 2 {
		go func() { closed <- s.Close() }()
	}
	for !s.queue.isClosed() {
		runtime.Gosched()
	}
	require.Equal(t, added{0, errClosed}, <-s.goAdd(t.Context(), fault("late")))
	unlock()
	for i, result := range results {
		assert.Equal(t, added{int64(i + 1), nil}, <-result)
	}
	require.NoError(t, <-closed)
	require.NoError(t, <-closed)

	_, err := s.Records(t.Context(), 0, 10)
	require.ErrorIs(t, err, errClosed)
	_, err = s.Seed(t.Context(), sandbox.DefaultFixtures(), nil)
	require.ErrorIs(t, err, errClosed)
	s = openAt(t, path)
	list, err := s.Records(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Len(t, list, 2)
}

// TestCloseWhileReading has a reader who is slower than SQLite's patience.
func TestCloseWhileReading(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.reading.RLock() // as Records does
	unlock := sync.OnceFunc(s.reading.RUnlock)
	defer unlock()
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	<-s.ended
	for range 1000 {
		runtime.Gosched()
	}
	require.Empty(t, closed, "closed while somebody reads")
	unlock()
	require.NoError(t, <-closed)
	_, err := s.Records(t.Context(), 0, 1)
	require.ErrorIs(t, err, errClosed)
}

// TestCloseBesideReader has somebody else who reads what was there before, for longer than is waited for.
func TestCloseBesideReader(t *testing.T) {
	t.Parallel()
	s := open(t)
	path := s.path(t)
	other, err := connect(uri(path))
	require.NoError(t, err)
	defer other.Close()
	tx, err := other.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer tx.Rollback()
	require.NoError(t, tx.QueryRow("SELECT count(*) FROM faults").Scan(new(int)))
	answered, errs := addMany(t, s, "x", 10, "")
	require.Empty(t, errs)
	s.pragma(t, "busy_timeout = 1")
	require.NoError(t, s.Close())
	assert.FileExists(t, path+"-wal")
	assert.Equal(t, answered, stored(t, openAt(t, path)))
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
	require.Greater(t, runtime.NumGoroutine(), before)
	require.NoError(t, s.Close())
	for range 1_000_000 { // goroutines end a little after they said so
		if runtime.NumGoroutine() <= before {
			return
		}
		runtime.Gosched()
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
}
