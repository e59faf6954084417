package page

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// stub is a source that says what a test wants.
type stub struct {
	mu        sync.Mutex
	exchanges []sandbox.Exchange
	latest    int64 // where none is kept
	accounts  []sandbox.Account
	limits    []sandbox.RateLimit
	faults    map[int64][]fleetioapi.Fault
	broken    error // of NewestRecords
}

var _ source = (*sandbox.Sandbox)(nil)

func newStub(exchanges ...sandbox.Exchange) *stub {
	return &stub{exchanges: exchanges}
}

func (s *stub) Latest() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.latest, newestOf(s.exchanges))
}

// Exchange has those of the stub, which are numbered on from any number.
func (s *stub) Exchange(number int64) (sandbox.Exchange, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.exchanges) == 0 || number < s.exchanges[0].Number || number > newestOf(s.exchanges) {
		return sandbox.Exchange{}, false
	}
	return s.exchanges[number-s.exchanges[0].Number], true
}

func newestOf(exchanges []sandbox.Exchange) int64 {
	if len(exchanges) == 0 {
		return 0
	}
	return exchanges[len(exchanges)-1].Number
}

func (s *stub) Summary(number int64) (sandbox.Exchange, bool) { return s.Exchange(number) }

func (s *stub) Unredacted(number int64) (sandbox.Exchange, bool) { return s.Exchange(number) }

func (s *stub) Redact(text string) string { return strings.ReplaceAll(text, secret, "[redacted]") }

// secret is a credential of the stub's fixtures.
const secret = "stub-secret"

func (s *stub) Accounts() []sandbox.Account { return s.accounts }

// NewestRecords gives those of all accounts only, as the page asks for no others.
func (s *stub) NewestRecords(_ context.Context, _ int64, limit int) (list []sandbox.Record, err error) {
	for _, account := range slices.Sorted(maps.Keys(s.faults)) {
		for _, f := range s.faults[account][:min(limit-len(list), len(s.faults[account]))] {
			text, err := json.Marshal(f)
			if err != nil {
				return nil, err
			}
			list = append(list, sandbox.Record{ID: f.ID, Account: account, Fault: text})
		}
	}
	return list, s.broken
}

func (s *stub) RateLimits() []sandbox.RateLimit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limits
}

// add appends exchanges, numbered on.
func (s *stub) add(exchanges ...sandbox.Exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ex := range exchanges {
		ex.Number = newestOf(s.exchanges) + 1
		s.exchanges = append(s.exchanges, ex)
	}
}

var errUnknown = errors.New("the contract has no such operation")

// begin is when the exchanges of these tests arrive.
var begin = time.Date(2026, 3, 14, 13, 46, 27, 123e6, time.FixedZone("", -6*3600))

// plainExchange is an ordinary one.
func plainExchange(number int64) sandbox.Exchange {
	return sandbox.Exchange{
		Number: number, At: begin.Add(time.Duration(number) * time.Second), Took: 412 * time.Microsecond,
		Account: "Northwind Delivery", APIKey: "integration",
		Method: http.MethodPost, URL: "/api/v1/faults",
		Header: http.Header{
			"Authorization": {"Token [redacted]"}, "Account-Token": {"[redacted]"},
			"Content-Type": {"application/json"}, "User-Agent": {"test/1"},
		},
		Body:           []byte(`{"vehicle_id":1,"code":"P0420","name":"Catalyst's efficiency"}`),
		Status:         http.StatusCreated,
		ResponseHeader: http.Header{"Content-Type": {"application/json"}, "Location": {"/faults new/1"}},
		ResponseBody:   []byte(`{"id":0,"code":"P0420","errors":{"name":["a","b"]},"none":{},"more":[]}`),
	}
}

// get asks the page.
func get(t *testing.T, p *Page, path string) *httptest.ResponseRecorder {
	t.Helper()
	return ask(t, p, http.MethodGet, path)
}

func ask(t *testing.T, p *Page, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:8080"+path, nil)
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	for name, value := range securityHeaders {
		assert.Equal(t, []string{value}, w.Header()[name], "%s %s", method, path)
	}
	return w
}

// body200 returns the page.
func body200(t *testing.T, p *Page, path string) string {
	t.Helper()
	w := get(t, p, path)
	require.Equal(t, http.StatusOK, w.Code)
	return w.Body.String()
}
