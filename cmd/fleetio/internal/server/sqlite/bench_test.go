package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// benchmark calls add from as many goroutines at once.
func benchmark(b *testing.B, add func(ctx context.Context, fault []byte) error) {
	for _, goroutines := range []int{1, 64, 256} {
		b.Run(fmt.Sprintf("goroutines=%d", goroutines), func(b *testing.B) {
			ctx, cancel := context.WithCancel(b.Context()) // one that can end, as that of a request
			defer cancel()
			text := fault(strings.Repeat("x", 500)) // as long as a fault with all members
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ReportAllocs()
			b.ResetTimer()
			var done sync.WaitGroup
			for range goroutines {
				done.Go(func() {
					for left.Add(-1) >= 0 {
						if err := add(ctx, text); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			done.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "adds/s")
		})
	}
}

func BenchmarkAdd(b *testing.B) {
	s := open(b)
	benchmark(b, func(ctx context.Context, fault []byte) error {
		_, err := s.Add(ctx, sandbox.Record{Account: account1, Fault: fault})
		return err
	})
}

// BenchmarkOneByOne is the usual way: database/sql, and a transaction for each.
func BenchmarkOneByOne(b *testing.B) {
	path := filepath.Join(b.TempDir(), "sandbox.db")
	openAt(b, path)
	db, err := sql.Open("sqlite", dsn(path))
	require.NoError(b, err)
	defer db.Close()
	db.SetMaxOpenConns(1)
	benchmark(b, func(ctx context.Context, fault []byte) error {
		return addAlone(ctx, db, fault)
	})
}

func addAlone(ctx context.Context, db *sql.DB, fault []byte) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	result, err := tx.ExecContext(ctx, "INSERT INTO faults (account_id, fault) VALUES (?, ?)", int64(account1), string(fault))
	if err != nil {
		return err
	}
	if _, err := result.LastInsertId(); err != nil {
		return err
	}
	return tx.Commit()
}

// BenchmarkRecords reads a page of the newest, of a file with many.
func BenchmarkRecords(b *testing.B) {
	s := open(b)
	var done sync.WaitGroup
	for i := range 100 {
		done.Go(func() {
			for j := range 200 {
				if _, err := s.Add(b.Context(), sandbox.Record{Account: account1, Fault: fault(fmt.Sprint(i, "-", j))}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	done.Wait()
	for name, q := range map[string]sandbox.Query{
		"account=all": {}, "account=one": {Account: account1}, "account=empty": {Account: account2},
		"external_id": {Account: account1, ExternalID: "50-100"}, "id": {MaxID: 10_000, Limit: 1},
	} {
		q.Limit = cmp.Or(q.Limit, 100)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, err := s.Records(b.Context(), q)
				require.NoError(b, err)
			}
		})
	}
}
