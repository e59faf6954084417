package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Store stores the accounts and faults of a sandbox. It is safe for concurrent use. A sandbox reads the accounts only
// at its start, so a request uses the store only to add and to read faults.
type Store interface {
	// Seed adds the fixtures, and returns all accounts, without faults. An account replaces the stored one of the same id,
	// with its keys, vehicles and rules. The records are the faults of the fixtures; Seed adds those of new accounts. It
	// is atomic.
	Seed(ctx context.Context, f Fixtures, faults []Record) (Fixtures, error)
	// Add stores a fault, and returns its id, from 1 and never reused. If the store is persistent, the fault survives a
	// crash once Add has returned. After an error the fault is not stored; the response is a 500, with the reason if the
	// error has a method Detail() string.
	Add(ctx context.Context, r Record) (id int64, err error)
	// Records returns the faults of a query, by descending id.
	Records(ctx context.Context, q Query) ([]Record, error)
	// Check returns the reason why a fault cannot be added at present; nil if it can.
	Check(ctx context.Context) error
	// Close releases the store's resources. A second Close does nothing.
	Close() error
}

// Record is a fault in a [Store].
type Record struct {
	ID      int64 // 0 in a record to add
	Account int64
	// Fault is a JSON object without the id. A store must copy it.
	Fault []byte
}

// Query selects faults of a [Store].
type Query struct {
	Account int64 // 0 for all accounts
	MaxID   int64 // the highest id; 0 for no limit
	// ExternalID is the external_id of the faults; "" for all faults. A store may also return faults with another one: the
	// caller compares.
	ExternalID string
	Limit      int // maximum number of records
}

// errClosed is the error of a closed store.
var errClosed = errors.New("the store is closed")

const (
	maxStored  = 64 << 20 // bytes of the faults of the store in memory: about 100,000 faults of the usual size
	recordSize = 40       // bytes of a Record, without its fault
)

// fullError reports that the store in memory has no room for a fault.
type fullError struct{}

func (fullError) Error() string { return "the store is full" }

// Detail returns the reason for the 500, and what to do.
func (fullError) Detail() string {
	return fmt.Sprintf("the sandbox stores at most %d MiB of faults in memory; restart it, or use a file "+
		"(fleetio sandbox --db FILE)", maxStored>>20)
}

// memory is the default store.
type memory struct {
	mu       sync.Mutex
	closed   bool
	fixtures Fixtures
	records  []Record // by id, from 1
	bytes    int      // of them
	full     bool     // there was no room for the last fault
}

// NewMemory returns an empty store in memory, for at most 64 MiB of faults, about 100,000 of the usual size. The
// command fleetio sandbox --db uses a file, without that limit.
func NewMemory() Store { return &memory{} }

// Seed implements [Store].
func (m *memory) Seed(_ context.Context, f Fixtures, faults []Record) (Fixtures, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return Fixtures{}, errClosed
	}
	had, bytes := len(m.records), m.bytes
	for _, r := range faults {
		if slices.ContainsFunc(m.fixtures.Accounts, func(known Account) bool { return known.ID == r.Account }) {
			continue
		}
		if _, err := m.add(r); err != nil {
			m.records, m.bytes = m.records[:had], bytes
			return Fixtures{}, err
		}
	}
	m.fixtures = m.fixtures.merge(f)
	return m.fixtures, nil
}

// Add implements [Store].
func (m *memory) Add(_ context.Context, r Record) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return 0, errClosed
	}
	return m.add(r)
}

// Records implements [Store].
func (m *memory) Records(_ context.Context, q Query) ([]Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, errClosed
	}
	var list []Record
	newest := int64(len(m.records))
	if q.MaxID > 0 {
		newest = min(newest, q.MaxID)
	}
	for i := newest - 1; i >= 0 && len(list) < q.Limit; i-- {
		r := m.records[i]
		// A string with escapes is stored as it was sent.
		if (q.Account == 0 || r.Account == q.Account) &&
			(bytes.Contains(r.Fault, []byte(q.ExternalID)) || bytes.IndexByte(r.Fault, '\\') >= 0) {
			list = append(list, r)
		}
	}
	return list, nil
}

// Check reports whether the last fault was added.
func (m *memory) Check(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
		return errClosed
	case m.full:
		return fullError{}
	}
	return nil
}

// Close implements [Store].
func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.records, m.bytes = nil, 0
	return nil
}

func (m *memory) add(r Record) (int64, error) {
	r.ID = int64(len(m.records)) + 1
	r.Fault = slices.Clone(r.Fault)
	size := cap(r.Fault) + recordSize
	if m.full = m.bytes+size > maxStored; m.full {
		return 0, fullError{}
	}
	m.bytes += size
	m.records = append(m.records, r)
	return r.ID, nil
}
