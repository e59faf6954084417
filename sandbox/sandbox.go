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
	"sync/atomic"

	fleetio "github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
	"github.com/fleetcontract/fleetio-go/internal/redact"
)

// Sandbox is the test double. It is an [http.Handler], made by [New], and safe for concurrent use.
type Sandbox struct {
	settings

	mux      *http.ServeMux
	accounts []*account
	keys     keyring
	bodies   atomic.Int64     // how many bytes the bodies of the requests being served hold
	redactor *redact.Redactor // of all that the fixtures have
}

// account is an account of the fixtures with indexes.
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

// New returns a sandbox. It closes the store when it is closed, or fails here. The error is that of an option, of
// fixtures (see [Fixtures.Validate]) or of the store.
func New(opts ...Option) (*Sandbox, error) {
	s, err := newSandbox(opts...)
	if err == nil && s.wrap != nil { // it would wrap nothing
		return nil, errors.Join(errors.New("sandbox: WithHandler is for Start; wrap what New returns"), s.Close())
	}
	return s, err
}

func newSandbox(opts ...Option) (*Sandbox, error) {
	s := &Sandbox{mux: http.NewServeMux()}
	s.logger, s.history.max = slog.New(slog.DiscardHandler), defaultHistory
	var err error
	for _, o := range opts { // all of them, as one may bring the store
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
		_ = s.store.Close() // the error at hand is the one that helps
		return nil, err
	}
	fleetioserver.HandlerWithOptions(operations{s}, fleetioserver.StdHTTPServerOptions{
		BaseRouter:  s.mux,
		Middlewares: []fleetioserver.MiddlewareFunc{s.operation},
	})
	return s, nil
}

// Close closes the store. Later requests get a 500.
func (s *Sandbox) Close() error { return s.store.Close() }

// Check returns why faults cannot be stored at present; nil if they can.
func (s *Sandbox) Check(ctx context.Context) error { return s.store.Check(ctx) }

// Accounts returns the accounts that the sandbox knows, with their credentials.
func (s *Sandbox) Accounts() []Account {
	var f Fixtures
	for _, a := range s.accounts {
		f.Accounts = append(f.Accounts, a.Account)
	}
	return f.clone().Accounts
}

// NewestFaults returns the newest faults, at most limit, by descending id; of one account, or of all if account is 0.
func (s *Sandbox) NewestFaults(ctx context.Context, account int64, limit int) ([]fleetioapi.Fault, error) {
	records, err := s.NewestRecords(ctx, account, limit)
	if err != nil {
		return nil, err
	}
	list := make([]fleetioapi.Fault, len(records))
	for i, r := range records {
		if err := json.Unmarshal(withID(r.ID, r.Fault), &list[i]); err != nil {
			return nil, fmt.Errorf("sandbox: the store's fault %d: %w", r.ID, err)
		}
	}
	return list, nil
}

// NewestRecords is [Sandbox.NewestFaults] without decoding the faults, which takes long if they are. They are not
// copies, and must not be changed.
func (s *Sandbox) NewestRecords(ctx context.Context, account int64, limit int) ([]Record, error) {
	return s.store.Records(ctx, account, limit)
}

// open brings the fixtures and the store together.
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
	// Before the store takes in what does not go together with what it has of an earlier run.
	if err := fixtures.beside(stored); err != nil {
		return fmt.Errorf("sandbox: the fixtures do not go together with the accounts that stay in the store; "+
			"change them, or begin with an empty store: %w", err)
	}
	all, err := s.store.Seed(ctx, fixtures, faultsOf(fixtures))
	if err != nil {
		return fmt.Errorf("sandbox: the store cannot take the fixtures: %w", err)
	}
	_, _ = rand.Read(s.keys.salt[:]) // never fails
	s.keys.known = map[digest]*credential{}
	s.redactor = redactorOf(all)
	for _, a := range all.clone().Accounts {
		// Names are logged and shown as they are from here on.
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

// credentials returns those of the first key that may create faults; the zero value if none may.
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
