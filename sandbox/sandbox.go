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
	"strings"
	"sync/atomic"

	fleetio "github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
	"github.com/fleetcontract/fleetio-go/internal/redact"
)

// Sandbox is the stand-in. It is an [http.Handler], made by [New], and safe for concurrent use.
type Sandbox struct {
	settings

	routes   routes
	accounts []*account
	keys     keyring
	history  history
	script   script
	bodies   atomic.Int64     // how many bytes the bodies of the calls on their way hold
	redactor *redact.Redactor // of all that the fixtures have
}

// account is an account of the fixtures, ready to be asked.
type account struct {
	Account

	vehicles map[int64]*Vehicle
	rules    map[string]int64 // ids by code
	window   window
}

func newAccount(a Account) *account {
	known := &account{Account: a, vehicles: map[int64]*Vehicle{}, rules: map[string]int64{}}
	for i := range a.Vehicles {
		known.vehicles[a.Vehicles[i].ID] = &a.Vehicles[i]
	}
	for _, r := range a.FaultRules {
		known.rules[r.Code] = r.ID
	}
	return known
}

// routes are the generated operations by path and method. Unlike [http.ServeMux], they know no redirects, which the
// vendor does not document.
type routes map[string]map[string]http.HandlerFunc

// HandleFunc implements [fleetioserver.ServeMux]. A pattern is a method, a space and a path without wildcards.
func (r routes) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	method, path, _ := strings.Cut(pattern, " ")
	if r[path] == nil {
		r[path] = map[string]http.HandlerFunc{}
	}
	r[path][method] = handler
}

// ServeHTTP implements [fleetioserver.ServeMux]. The sandbox asks the map instead.
func (r routes) ServeHTTP(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }

// New returns a sandbox. It closes the store when it is closed, or fails here. The error is that of an option, of fixtures
// (see [Fixtures.Validate]) or of the store.
func New(opts ...Option) (*Sandbox, error) {
	s, err := newSandbox(opts...)
	if err == nil && s.wrap != nil { // it would wrap nothing
		return nil, errors.Join(errors.New("sandbox: WithHandler is for Start; wrap what New returns"), s.Close())
	}
	return s, err
}

func newSandbox(opts ...Option) (*Sandbox, error) {
	s := &Sandbox{settings: settings{kept: defaultHistory, logger: slog.New(slog.DiscardHandler)}, routes: routes{}}
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
	fleetioserver.HandlerWithOptions(front{s}, fleetioserver.StdHTTPServerOptions{BaseRouter: s.routes})
	return s, nil
}

// Close closes the store. Calls that come later are answered with a 500.
func (s *Sandbox) Close() error { return s.store.Close() }

// Check returns why faults cannot be stored at present; nil where they can.
func (s *Sandbox) Check(ctx context.Context) error {
	if store, ok := s.store.(interface {
		Check(ctx context.Context) error
	}); ok {
		return store.Check(ctx)
	}
	_, err := s.store.Records(ctx, 0, 1)
	return err
}

// Accounts returns the accounts that the sandbox knows, with their credentials.
func (s *Sandbox) Accounts() []Account {
	var f Fixtures
	for _, a := range s.accounts {
		f.Accounts = append(f.Accounts, a.Account)
	}
	return f.clone().Accounts
}

// NewestFaults returns the newest faults, at most limit, by descending id; of one account, or of all where account is 0.
func (s *Sandbox) NewestFaults(ctx context.Context, account int64, limit int) ([]fleetioapi.Fault, error) {
	records, err := s.NewestRecords(ctx, account, limit)
	if err != nil {
		return nil, err
	}
	list := make([]fleetioapi.Fault, len(records))
	for i, r := range records {
		if err := json.Unmarshal(withID(nil, r.ID, r.Fault), &list[i]); err != nil {
			return nil, fmt.Errorf("sandbox: the store's fault %d: %w", r.ID, err)
		}
	}
	return list, nil
}

// NewestRecords is [Sandbox.NewestFaults] without decoding the faults, which can take long if they are. They are not copies,
// and must not be changed.
func (s *Sandbox) NewestRecords(ctx context.Context, account int64, limit int) ([]Record, error) {
	return s.store.Records(ctx, account, limit)
}

// open brings the fixtures and the store together.
func (s *Sandbox) open(ctx context.Context) error {
	had, err := s.store.Seed(ctx, Fixtures{}, nil)
	if err != nil {
		return fmt.Errorf("sandbox: the store cannot be read: %w", err)
	}
	fixtures := had
	if s.fixtures != nil {
		fixtures = *s.fixtures
	} else if len(had.Accounts) == 0 {
		fixtures = DefaultFixtures()
	}
	if err := fixtures.Validate(); err != nil {
		return fmt.Errorf("sandbox: fixtures: %w", err)
	}
	// Before the store takes in what does not go together with what it has of an earlier run.
	if err := fixtures.beside(had); err != nil {
		return fmt.Errorf("sandbox: the fixtures do not go together with the accounts that stay in the store; change them, or begin with an empty store: %w", err)
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
	s.history.ring, s.history.first = make([]kept, s.kept), 1
	s.script.standing = s.standing
	s.script.next = s.next
	s.script.armed.Store(true) // the first call finds out
	return nil
}

// credentials returns those of the first key that may create faults; the zero value where none may.
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

// faultsOf makes the faults of the fixtures as if they had been created just now.
func faultsOf(f Fixtures) []Record {
	var list []Record
	for _, a := range f.Accounts {
		known := newAccount(a)
		for i := range a.Faults {
			list = append(list, Record{Account: a.ID, Fault: known.fault(nil, inputOf(&a.Faults[i]))})
		}
	}
	return list
}
