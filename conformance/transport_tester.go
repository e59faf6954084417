package conformance

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"sync"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// TB is what [Transport] and [Middleware] need of a test. [*testing.T] is one. Where it has the methods Name and Skipped
// of a test, too, messages name the test, and one that was skipped need not make an exchange.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Logf(format string, args ...any)
	Cleanup(f func())
}

// TestOption changes what [Transport] and [Middleware] report.
type TestOption func(*tester)

// Strict makes drift an error. By default, it is logged: what the contract does not know may be new, and not wrong.
func Strict() TestOption { return func(t *tester) { t.strict = true } }

// tester judges the exchanges of one test and reports through it, as long as it runs.
type tester struct {
	tb       TB
	contract *Contract
	strict   bool
	name     string // of the test, in brackets, or ""

	mu     sync.Mutex
	ended  bool
	made   int
	judged int
	open   map[int]func() // what judges an exchange that has not come to its end, by its number
}

func newTester(tb TB, contract *Contract, options []TestOption) *tester {
	t := &tester{tb: tb, contract: contract, open: map[int]func(){}}
	if named, ok := tb.(interface{ Name() string }); ok {
		t.name = " (" + named.Name() + ")"
	}
	for _, option := range options {
		option(t)
	}
	tb.Cleanup(t.end)
	return t
}

// start counts an exchange, and returns its number, from 1.
func (t *tester) start() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.made++
	return t.made
}

// wait keeps what is to be done if the exchange has not come to its end when the test does.
func (t *tester) wait(number int, judge func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ended {
		t.open[number] = judge
	}
}

// weigh judges an exchange. After the end of the test it does nothing, as nobody may report then.
func (t *tester) weigh(number int, ex *traffic.Exchange) {
	t.tb.Helper()
	path := (&url.URL{Path: ex.URL.Path}).EscapedPath()
	ex.Source = fmt.Sprintf("%s %s #%d%s", ex.Method, t.contract.credentials(ex).redact(path), number, t.name)
	findings, err := t.contract.Check(ex)
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, number)
	if t.ended {
		return
	}
	if err == nil {
		t.judged++
	} else if !errors.Is(err, ErrNoOperation) && !errors.Is(err, ErrNoAnswer) {
		t.tb.Errorf("%s: %v", ex.Source, err)
	}
	for _, f := range findings {
		tell := t.tb.Logf
		if f.Fails() || t.strict && f.Basis == Drift {
			tell = t.tb.Errorf
		}
		tell("%s", printable.Text(fmt.Sprintf("%s %d: %s %s %s: %s (%s, line %d of the spec, #%s; %s)", f.Operation, f.Status,
			f.Part, f.Pointer, f.Rule, f.Message, f.Basis, f.Spec.Line, f.Spec.Pointer, f.Exchange)))
	}
}

// end judges what is left, and fails a test that has shown nothing.
func (t *tester) end() {
	t.tb.Helper()
	t.mu.Lock()
	left := t.open
	t.open = map[int]func(){}
	t.mu.Unlock()
	for _, number := range slices.Sorted(maps.Keys(left)) {
		left[number]()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	if test, ok := t.tb.(interface{ Skipped() bool }); ok && test.Skipped() {
		return
	}
	if t.judged == 0 {
		t.tb.Errorf("nothing was judged: of %d exchanges, no exchange was for an operation of the contract and had an "+
			"answer before the test ended", t.made)
	}
}
