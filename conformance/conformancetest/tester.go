package conformancetest

import (
	"errors"
	"fmt"
	"net/url"
	"sync"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// TB has the methods of [*testing.T] that [Transport] and [Middleware] need. If it has the methods Name and Skipped as
// well, messages name the test, and a skipped test may end without an exchange.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Logf(format string, args ...any)
	Cleanup(f func())
}

// Option changes what [Transport] and [Middleware] report.
type Option func(*tester)

// Strict makes drift an error of the test (default: drift is logged, as a vendor may add to an API at any time).
func Strict() Option { return func(t *tester) { t.strict = true } }

// tester checks the exchanges of one test, and reports findings until the test ends.
type tester struct {
	tb       TB
	contract *conformance.Contract
	strict   bool
	name     string // of the test, in brackets, or ""

	mu      sync.Mutex
	ended   bool
	started int
	checked int
}

func newTester(tb TB, contract *conformance.Contract, options []Option) *tester {
	t := &tester{tb: tb, contract: contract}
	if named, ok := tb.(interface{ Name() string }); ok {
		t.name = " (" + named.Name() + ")"
	}
	for _, option := range options {
		option(t)
	}
	tb.Cleanup(t.end)
	return t
}

// start counts an exchange and returns its number, from 1.
func (t *tester) start() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.started++
	return t.started
}

// check checks an exchange. It reports nothing after the end of the test, as testing.T would panic.
func (t *tester) check(number int, ex *traffic.Exchange) {
	t.tb.Helper()
	ex.URL.Host = "" // it is the server of the contract, whatever the test calls it
	ex.Source = fmt.Sprintf("%s %s #%d%s", ex.Method, t.path(ex), number, t.name)
	findings, err := t.contract.Check(ex)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return
	}
	if err == nil {
		t.checked++
	} else if !errors.Is(err, conformance.ErrNoOperation) && !errors.Is(err, conformance.ErrNoResponse) {
		t.tb.Errorf("%s: %v", ex.Source, err)
	}
	for _, f := range findings {
		report := t.tb.Logf
		if f.Fails() || t.strict && f.Source == conformance.Drift {
			report = t.tb.Errorf
		}
		report("%s", printable.Text(describe(f)))
	}
}

// describe describes a finding in one line.
func describe(f conformance.Finding) string {
	return fmt.Sprintf("%s (%s, line %d of the spec, #%s; %s)", &f, f.Source, f.Spec.Line, f.Spec.Pointer, f.Exchange)
}

// path returns the path of an exchange's URL without credentials.
func (t *tester) path(ex *traffic.Exchange) string {
	redacted, err := t.contract.Redact(&traffic.Exchange{URL: ex.URL,
		Request: traffic.Message{Header: ex.Request.Header}, Response: traffic.Message{Header: ex.Response.Header}})
	if err != nil {
		return "[redacted]"
	}
	return (&url.URL{Path: redacted.URL.Path}).EscapedPath()
}

// end fails a test that has checked nothing.
func (t *tester) end() {
	t.tb.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	if test, ok := t.tb.(interface{ Skipped() bool }); ok && test.Skipped() {
		return
	}
	if t.checked == 0 {
		t.tb.Errorf("no exchange was checked: of %d exchanges, none was for an operation of the contract "+
			"and had a response before the test ended", t.started)
	}
}
