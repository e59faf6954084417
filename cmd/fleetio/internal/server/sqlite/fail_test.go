package sqlite

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// addMany adds from many goroutines, and returns what was acknowledged, by id, and the errors.
func addMany(t *testing.T, s *Store, name string, callers int, text string) (acknowledged map[int64]string, errs []error) {
	t.Helper()
	acknowledged = map[int64]string{}
	var mu sync.Mutex
	var done sync.WaitGroup
	for caller := range callers {
		done.Go(func() {
			token := fmt.Sprintf("%s-%d %s", name, caller, text)
			id, err := s.Add(t.Context(), sandbox.Record{Account: account1, Fault: fault(token)})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, err)
				return
			}
			acknowledged[id] = string(fault(token))
		})
	}
	done.Wait()
	return acknowledged, errs
}

// stored returns all faults by id.
func stored(t *testing.T, s *Store) map[int64]string {
	t.Helper()
	list, err := s.Records(t.Context(), sandbox.Query{Limit: 1_000_000})
	require.NoError(t, err)
	all := map[int64]string{}
	for _, r := range list {
		all[r.ID] = string(r.Fault)
	}
	require.Len(t, all, len(list))
	return all
}

// TestFull lets the database be full in the middle of a batch, where SQLite rolls back by itself, and then not any
// more.
func TestFull(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.pragma(t, "max_page_count = 60")
	big := strings.Repeat("x", 1500)
	acknowledged := map[int64]string{}
	failed := 0
	for round := range 5 {
		more, errs := addMany(t, s, strconv.Itoa(round), 60, big)
		maps.Copy(acknowledged, more)
		failed += len(errs)
		for _, err := range errs {
			require.ErrorContains(t, err, "the fault is not stored: database or disk is full")
		}
		require.Equal(t, acknowledged, stored(t, s), "no more and no less than was acknowledged")
	}
	require.NotEmpty(t, acknowledged)
	require.NotZero(t, failed)
	const full = "database or disk is full"
	for errs := error(nil); errs == nil; { // a small batch may have found room last
		more, failed := addMany(t, s, "one", 1, big)
		maps.Copy(acknowledged, more)
		errs = errors.Join(failed...)
	}
	require.ErrorContains(t, s.Check(t.Context()), full, "by the last batch")
	s.wait()
	require.ErrorContains(t, s.Check(t.Context()), full, "by a probe")

	s.pragma(t, "max_page_count = 100000")
	require.ErrorContains(t, s.Check(t.Context()), full, "no probe so soon")
	s.wait()
	require.NoError(t, s.Check(t.Context()))
	require.Equal(t, acknowledged, stored(t, s), "a probe leaves nothing")
	last := slices.Max(slices.Collect(maps.Keys(acknowledged)))
	more, errs := addMany(t, s, "after", 60, big)
	require.Empty(t, errs)
	for id := range more {
		assert.Greater(t, id, last)
	}
	maps.Copy(acknowledged, more)
	require.Equal(t, acknowledged, stored(t, s))
	checkFile(t, s.db)
}

// wait lets it be some time since the last batch or probe.
func (s *Store) wait() {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.last.at = s.last.at.Add(-probeAfter)
}

// TestFullHalfway has the rows that fit before the one that does not: they are of the same transaction.
func TestFullHalfway(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.pragma(t, "max_page_count = 30")
	var rows []row
	for i := range 43 {
		text := fault(strconv.Itoa(i) + strings.Repeat("x", 10*i*i))
		rows = append(rows, row{Record: sandbox.Record{Account: account1, Fault: text}})
	}
	rows[2].Account = 99 // the one whose error is not the disk
	s.writing.Lock()
	s.write(t.Context(), rows)
	s.writing.Unlock()
	for i, r := range rows {
		if i == 2 {
			require.ErrorContains(t, r.err, "FOREIGN KEY")
		} else {
			require.ErrorContains(t, r.err, "database or disk is full")
		}
		require.Zero(t, r.ID)
	}
	require.Empty(t, stored(t, s))
	s.pragma(t, "max_page_count = 100000")
	_, errs := addMany(t, s, "after", 10, "")
	require.Empty(t, errs)
}

// TestLocked has another connection that keeps the file for itself.
func TestLocked(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.pragma(t, "busy_timeout = 1")
	conn, err := s.db.Conn(t.Context())
	require.NoError(t, err)
	_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	require.NoError(t, err)
	_, errs := addMany(t, s, "locked", 10, "")
	require.Len(t, errs, 10)
	for _, err := range errs {
		require.ErrorContains(t, err, "the fault is not stored: database is locked")
	}
	_, err = conn.ExecContext(t.Context(), "ROLLBACK")
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	acknowledged, errs := addMany(t, s, "unlocked", 10, "")
	require.Empty(t, errs)
	assert.Equal(t, acknowledged, stored(t, s))
}
