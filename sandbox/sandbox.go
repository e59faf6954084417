package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
	"github.com/fleetcontract/fleetio-go/internal/redact"
)

// Sandbox is the test double. [New] returns one. It is an [http.Handler], and safe for concurrent use.
type Sandbox struct {
	settings

	mux      *http.ServeMux
	accounts []*account
	keys     keyring
	clock    clock
	bodies   atomic.Int64     // bytes of the bodies of the requests in flight
	redactor *redact.Redactor // of the credentials of the fixtures

	late struct { // requests that are performed later
		mu      sync.Mutex
		closed  bool
		closing chan struct{}
		running sync.WaitGroup
	}
	exampleLogged sync.Map // by operationId
}

// account is an account with indexes.
type account struct {
	Account

	vehicles map[int64]*Vehicle
	rules    map[string]*FaultRule // by code
	window   rateWindow
}

func newAccount(a Account) *account {
	known := &account{Account: a, vehicles: map[int64]*Vehicle{}, rules: map[string]*FaultRule{}}
	for i := range a.Vehicles {
		known.vehicles[a.Vehicles[i].ID] = &a.Vehicles[i]
	}
	for i := range a.FaultRules {
		known.rules[a.FaultRules[i].Code] = &a.FaultRules[i]
	}
	return known
}

// New returns a sandbox. It fails if an option, the fixtures (see [Fixtures.Validate]) or the store is invalid, and
// then closes the store.
func New(opts ...Option) (*Sandbox, error) {
	s, err := newSandbox(opts...)
	if err == nil && s.wrap != nil {
		return nil, errors.Join(errors.New("sandbox: WithHandler is for Start; wrap what New returns"), s.Close())
	}
	return s, err
}

func newSandbox(opts ...Option) (*Sandbox, error) {
	s := &Sandbox{mux: http.NewServeMux()}
	s.late.closing = make(chan struct{})
	s.logger, s.history.max = slog.New(slog.DiscardHandler), defaultHistory
	var err error
	for _, o := range opts { // all of them, so that a store is closed after an error
		if o == nil {
			err = errors.Join(err, errors.New("sandbox: an option is nil"))
		} else {
			err = errors.Join(err, o(&s.settings))
		}
	}
	if s.store == nil {
		s.store = NewMemory()
	}
	if err == nil {
		err = s.open(context.Background())
	}
	if err != nil {
		_ = s.store.Close() // the first error is the cause
		return nil, err
	}
	fleetioserver.HandlerWithOptions(operations{s.answerExample, s}, fleetioserver.StdHTTPServerOptions{
		BaseRouter:       router{s},
		ErrorHandlerFunc: undecodable,
	})
	return s, nil
}

// Close closes the store. Requests get a 500 afterwards, and those that [StoreLate] still delays are dropped.
func (s *Sandbox) Close() error {
	s.late.mu.Lock()
	if !s.late.closed {
		s.late.closed = true
		close(s.late.closing)
	}
	s.late.mu.Unlock()
	s.late.running.Wait()
	return s.store.Close()
}

// Check returns the reason why faults cannot be stored at present; nil if they can.
func (s *Sandbox) Check(ctx context.Context) error { return s.store.Check(ctx) }

// Accounts returns a copy of the accounts, with their credentials.
func (s *Sandbox) Accounts() []Account {
	var f Fixtures
	for _, a := range s.accounts {
		f.Accounts = append(f.Accounts, a.Account)
	}
	return f.clone().Accounts
}

// NewestFaults returns the newest faults of an account, or of all accounts if it is 0, by descending id, at most limit.
func (s *Sandbox) NewestFaults(ctx context.Context, account int64, limit int) ([]fleetio.Fault, error) {
	records, err := s.NewestRecords(ctx, account, limit)
	if err != nil {
		return nil, err
	}
	list := make([]fleetio.Fault, len(records))
	for i, r := range records {
		if err := json.Unmarshal(r.JSON(), &list[i]); err != nil {
			return nil, fmt.Errorf("sandbox: the store's fault %d: %w", r.ID, err)
		}
	}
	return list, nil
}

// NewestRecords is [Sandbox.NewestFaults] without decoding, which takes long for long faults. The records are not
// copies, and must not be changed.
func (s *Sandbox) NewestRecords(ctx context.Context, account int64, limit int) ([]Record, error) {
	return s.store.Records(ctx, Query{Account: account, Limit: limit})
}

// open adds the fixtures to the store, and loads the accounts from it.
func (s *Sandbox) open(ctx context.Context) error {
	stored, err := s.store.Seed(ctx, Fixtures{}, nil)
	if err != nil {
		return fmt.Errorf("sandbox: the store cannot be read: %w", err)
	}
	fixtures := stored
	if s.fixtures != nil {
		fixtures = *s.fixtures
	} else if len(stored.Accounts) == 0 {
		fixtures = DefaultFixtures()
	}
	// Check first, because the store may have accounts of an earlier run that contradict the fixtures.
	if err := fixtures.validateWith(stored); err != nil {
		return fmt.Errorf("sandbox: the fixtures contradict the accounts in the store; "+
			"change them, or use an empty store: %w", err)
	}
	all, err := s.store.Seed(ctx, fixtures, faultsOf(fixtures, s.Now()))
	if err != nil {
		return fmt.Errorf("sandbox: the store rejects the fixtures: %w", err)
	}
	_, _ = rand.Read(s.keys.salt[:]) // never fails
	s.keys.known = map[digest]*credential{}
	s.redactor = redactorOf(all)
	for _, a := range all.clone().Accounts {
		// Redact names once, because they are logged and displayed often.
		a.Name = s.redactor.Text(a.Name)
		for i := range a.APIKeys {
			a.APIKeys[i].Name = s.redactor.Text(a.APIKeys[i].Name)
		}
		if a.Name == "" {
			a.Name = fmt.Sprintf("account %d", a.ID)
		}
		known := newAccount(a)
		s.accounts = append(s.accounts, known)
		s.keys.add(known)
	}
	return nil
}

// credentials returns the credentials of the first key that may create faults; the zero value for none.
func (s *Sandbox) credentials() fleetio.Credentials {
	for _, a := range s.accounts {
		for _, k := range a.APIKeys {
			if slices.Contains(k.Permissions, CreateFaults) {
				return fleetio.Credentials{APIKey: k.Key, AccountToken: a.Token}
			}
		}
	}
	return fleetio.Credentials{}
}
