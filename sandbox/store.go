package sandbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Store keeps the accounts and faults of a sandbox. It is safe for concurrent use. A sandbox keeps its own copy of all
// but the faults, so a request needs the store only to add one.
type Store interface {
	// Seed takes in the fixtures, and returns all that it has then, but for faults. An account of a known id is
	// replaced, with its keys, vehicles and rules. Of an account that it did not know, it adds the faults too: those
	// among the records, as it looks at none in the fixtures. All of it happens, or nothing.
	Seed(ctx context.Context, f Fixtures, faults []Record) (Fixtures, error)
	// Add keeps a fault for good, and returns its id: from 1, and never one that a fault had before. A fault whose id
	// was returned is there after a crash, if the store outlives one. After an error the fault is not there. The
	// response is a 500 then, which says why if the error has a method Detail() string.
	Add(ctx context.Context, r Record) (id int64, err error)
	// Records lists the newest faults by descending id, at most limit; of one account, or of all if account is 0.
	Records(ctx context.Context, account int64, limit int) ([]Record, error)
	// Check returns why a fault cannot be added at present; nil if it can.
	Check(ctx context.Context) error
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

// errClosed is the error of a store that was closed.
var errClosed = errors.New("the store is closed")

// maxStored bounds what the store in memory keeps, in bytes: about 100,000 faults of the usual size.
const maxStored = 64 << 20

const recordSize = 40 // bytes of a Record, beside its fault

// fullError says that the store in memory has no room for a fault.
type fullError struct{}

func (fullError) Error() string { return "the store is full" }

// Detail says in the 500 what to do.
func (fullError) Detail() string {
	return fmt.Sprintf("the sandbox keeps at most %d MiB of faults in memory; start it again, or with a file "+
		"(fleetio sandbox --db FILE)", maxStored>>20)
}

// memory is the default store.
type memory struct {
	mu       sync.Mutex
	closed   bool
	fixtures Fixtures
	records  []Record // by id, from 1
	bytes    int      // of them
	full     bool     // there was no room for the last one
}

// NewMemory returns an empty store in memory. It keeps 64 MiB of faults, about 100,000 of the usual size, and adds no
// more then; `fleetio sandbox --db` has a store without that bound. It forgets all when the process ends.
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
	return m.add(r)
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

// Check goes by the last fault that was to be added.
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
