package server

import (
	"strconv"
	"sync"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// Journal checks the exchanges of sandboxes as they happen, adds up the evidence, and tells of new ones. It is safe for
// concurrent use.
type Journal struct {
	contract *conformance.Contract

	mu      sync.Mutex
	ledger  *conformance.Ledger
	earlier Earlier
	added   chan struct{} // closed by the next exchange; nil if nothing waits for it
}

// Earlier counts what was in a journal before it was cleared.
type Earlier struct {
	Exchanges int // that were checked
	Findings  int
}

// NewJournal returns an empty journal. The contract must have the server of the sandbox, or no hosts.
func NewJournal(contract *conformance.Contract) *Journal {
	return &Journal{contract: contract, ledger: contract.NewLedger()}
}

// Observe adds an exchange. It is for [sandbox.WithObserver].
func (j *Journal) Observe(e *sandbox.Exchange) {
	ex := exchangeOf(e)
	ex.Source = "exchange " + strconv.FormatInt(e.Number, 10)
	j.mu.Lock()
	defer j.mu.Unlock()
	_, _ = j.ledger.Add(ex) // the report counts those that could not be checked
	if j.added != nil {
		close(j.added)
		j.added = nil
	}
}

// Added returns a channel that the next exchange closes.
func (j *Journal) Added() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.added == nil {
		j.added = make(chan struct{})
	}
	return j.added
}

// Clear starts a new report.
func (j *Journal) Clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := j.ledger.Report()
	j.earlier.Exchanges += r.Exchanges
	j.earlier.Findings += r.Summary.Findings
	j.ledger = j.contract.NewLedger()
}

// Report returns the report of the exchanges since the last Clear, and the counts of those before. Strings in the report
// may have credentials of other requests: redact replaces them.
func (j *Journal) Report(redact func(string) string) (*conformance.Report, Earlier) {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := j.ledger.Report()
	for _, list := range [][]conformance.Finding{r.Findings, r.Drift, r.Notes} {
		for i := range list {
			list[i].Message, list[i].Pointer = redact(list[i].Message), redact(list[i].Pointer)
		}
	}
	for i := range r.Deviations {
		r.Deviations[i].Message, r.Deviations[i].Pointer = redact(r.Deviations[i].Message), redact(r.Deviations[i].Pointer)
	}
	return r, j.earlier
}
