package report

import (
	"bytes"
	"maps"
	"slices"
	"sync"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// Exchanges are the first exchanges of deviations, without their credentials, for a page in HTML: other than the rest of a
// [conformance.Report], they have whole bodies. The zero value is empty. It is safe for concurrent use.
type Exchanges struct {
	mu   sync.Mutex
	kept map[string]keptExchange // by fingerprint
	hide *conformance.Redactor   // for the credentials of all that were kept: one exchange may repeat those of another
}

type keptExchange struct {
	*traffic.Exchange

	index int64
}

// The limits of [Exchanges]: the number of deviations, those with the smallest fingerprints, and the size of a body in bytes.
const (
	maxExchanges = 200
	maxBody      = 32 << 10
)

// Add keeps an exchange for its findings, see [conformance.Options.Deviating].
func (e *Exchanges) Add(contract *conformance.Contract, ex *traffic.Exchange, findings []conformance.Finding) {
	if !slices.ContainsFunc(findings, e.needs) {
		return
	}
	e.mu.Lock()
	if e.hide == nil {
		e.hide = contract.Redactor()
	}
	e.hide.Add(ex)
	e.mu.Unlock()
	redacted, err := contract.Redact(ex)
	if err != nil { // it has a credential that cannot be removed
		return
	}
	kept := *redacted
	for _, m := range []*traffic.Message{&kept.Request, &kept.Response} {
		m.Header, m.Body = m.Header.Clone(), bytes.Clone(m.Body[:min(len(m.Body), maxBody+1)])
	}
	for i := range findings {
		e.keep(&findings[i], &kept)
	}
}

// needs reports whether the exchange of a finding is the first one of its deviation so far.
func (e *Exchanges) needs(f conformance.Finding) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	kept, ok := e.kept[f.Fingerprint]
	return !ok && (len(e.kept) < maxExchanges || f.Fingerprint < e.largest()) || ok && f.Index < kept.index
}

func (e *Exchanges) keep(f *conformance.Finding, ex *traffic.Exchange) {
	if !e.needs(*f) {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.kept == nil {
		e.kept = map[string]keptExchange{}
	}
	if kept, ok := e.kept[f.Fingerprint]; !ok || f.Index < kept.index {
		e.kept[f.Fingerprint] = keptExchange{ex, f.Index}
	}
	if len(e.kept) > maxExchanges {
		delete(e.kept, e.largest())
	}
}

func (e *Exchanges) largest() string { return slices.Max(slices.Collect(maps.Keys(e.kept))) }

// of returns the exchange of a deviation, or nil.
func (e *Exchanges) of(d *conformance.Deviation) *traffic.Exchange {
	if e == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	ex := e.kept[d.Fingerprint].Exchange
	if ex == nil {
		return nil
	}
	redacted, err := e.hide.Redact(ex)
	if err != nil {
		return nil
	}
	return redacted
}
