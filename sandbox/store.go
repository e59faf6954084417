package sandbox

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// Store keeps what a sandbox knows. It is safe for concurrent use. A sandbox keeps its own copy of all but the faults, so
// a call asks the store for nothing but to keep one.
type Store interface {
	// Seed takes in the fixtures, and returns all that it has then, but for faults. An account of a known id is replaced,
	// with its keys, vehicles and rules. Of an account that it did not know, it adds the faults too: those among the
	// records, as it looks at none in the fixtures. All of it happens, or nothing.
	Seed(ctx context.Context, f Fixtures, faults []Record) (Fixtures, error)
	// Add keeps a fault for good, and returns its id: from 1, and never one that any fault had before. Whoever gets an id
	// finds the fault there after a crash, as far as the store outlives one. After an error the fault is not there. The
	// response to the caller is a 500 then, which says why if the error has a method Detail() string.
	Add(ctx context.Context, r Record) (id int64, err error)
	// Records lists the newest faults by descending id, at most limit; of one account, or of all where account is 0.
	Records(ctx context.Context, account int64, limit int) ([]Record, error)
	// Close gives up what the store holds. Faults that were added stay. It may be called again, which does nothing.
	Close() error
}

// Record is a fault as a [Store] keeps it.
type Record struct {
	ID      int64 // 0 in a record to add
	Account int64
	// Fault is the fault as JSON, an object without its id. A store that keeps it longer than the call copies it.
	Fault []byte
}

// errClosed is what a store that was closed answers.
var errClosed = errors.New("the store is closed")

// memory is the store of a sandbox that was given none.
type memory struct {
	mu       sync.Mutex
	closed   bool
	fixtures Fixtures
	records  []Record // by id, from 1
}

// NewMemory returns an empty store in memory. It forgets all when the process ends.
func NewMemory() Store { return &memory{} }

// Seed implements [Store].
func (m *memory) Seed(_ context.Context, f Fixtures, faults []Record) (Fixtures, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return Fixtures{}, errClosed
	}
	for _, r := range faults {
		if !slices.ContainsFunc(m.fixtures.Accounts, func(known Account) bool { return known.ID == r.Account }) {
			m.add(r)
		}
	}
	m.fixtures = m.fixtures.with(f)
	return m.fixtures, nil
}

// Add implements [Store].
func (m *memory) Add(_ context.Context, r Record) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return 0, errClosed
	}
	return m.add(r), nil
}

// Records implements [Store].
func (m *memory) Records(_ context.Context, account int64, limit int) ([]Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, errClosed
	}
	var list []Record
	for i := len(m.records) - 1; i >= 0 && len(list) < limit; i-- {
		if account == 0 || m.records[i].Account == account {
			list = append(list, m.records[i])
		}
	}
	return list, nil
}

// Close implements [Store].
func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.records = nil
	return nil
}

func (m *memory) add(r Record) int64 {
	r.ID = int64(len(m.records)) + 1
	r.Fault = slices.Clone(r.Fault)
	m.records = append(m.records, r)
	return r.ID
}
