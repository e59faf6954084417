package sandbox

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
)

const (
	defaultHistory = 1000
	maxHistory     = 1_000_000
)

// settings are what the options set.
type settings struct {
	store            Store
	fixtures         *Fixtures
	perMinute        int
	history          history
	logger           *slog.Logger
	failures         failures
	emptyForbidden   bool
	textUnauthorized bool
	wrap             func(http.Handler) http.Handler
}

// Option sets something of a [Sandbox].
type Option func(*settings) error

// WithStore sets where the sandbox keeps accounts and faults; it closes the store in the end. The command has one on
// disk (default [NewMemory]).
func WithStore(store Store) Option {
	return func(s *settings) error {
		if store == nil {
			return errors.New("sandbox: the store is nil")
		}
		if s.store != nil {
			return errors.Join(errors.New("sandbox: there are two stores"), store.Close())
		}
		s.store = store
		return nil
	}
}

// WithFixtures sets what the sandbox knows at its start, beside what the store has (default the store's accounts, or
// else [DefaultFixtures]).
func WithFixtures(f Fixtures) Option {
	err := f.Validate()
	if err == nil {
		f = f.clone()
	}
	return func(s *settings) error {
		if err != nil {
			return fmt.Errorf("sandbox: fixtures: %w", err)
		}
		own := f.clone() // several sandboxes may be given the option
		s.fixtures = &own
		return nil
	}
}

// WithRateLimit sets how many requests each account may make in a clock minute; further ones get a 429 with Retry-After
// until the minute ends (page "Rate Limiting"; an older one has 20, newer ones depend on the plan) (default 0, no
// limit).
func WithRateLimit(perMinute int) Option {
	return func(s *settings) error {
		if perMinute < 0 {
			return fmt.Errorf("sandbox: a rate limit of %d is negative", perMinute)
		}
		s.perMinute = perMinute
		return nil
	}
}

// WithHistory sets how many exchanges [Sandbox.Requests] keeps: the last ones, as far as they hold no more than 16 MiB
// (default 1000).
func WithHistory(n int) Option {
	return func(s *settings) error {
		if n < 0 || n > maxHistory {
			return fmt.Errorf("sandbox: a history of %d exchanges is negative, or more than %d", n, maxHistory)
		}
		s.history.max = n
		return nil
	}
}

// WithLogger sets where each exchange is logged (level Info), and what went wrong inside (Error). No credential, header
// or body is logged (default no log).
func WithLogger(logger *slog.Logger) Option {
	return func(s *settings) error {
		if logger == nil {
			return errors.New("sandbox: the logger is nil")
		}
		s.logger = logger
		return nil
	}
}

// WithFailure injects a failure into a share of the requests for as long as the sandbox runs: 1 is each request, 0.25
// every fourth. The share is counted, not drawn, so a test that sends the same requests meets the same failures. If it
// is given several times, the first failure that is due counts, and the others are due in the next request. Requests
// that meet a failure of [Sandbox.InjectNext] do not count.
func WithFailure(share float64, f Failure) Option {
	return func(s *settings) error {
		if !(share > 0 && share <= 1) {
			return fmt.Errorf("sandbox: a share of %v is not above 0 and at most 1", share)
		}
		if err := f.check(); err != nil {
			return err
		}
		s.failures.persistent = append(s.failures.persistent, persistent{share: share, failure: f})
		return nil
	}
}

// WithEmptyForbidden makes a 403 have an empty body, as the page "Overview, Response Codes" says (default a problem
// object, as the page "Create Fault" says).
func WithEmptyForbidden() Option {
	return func(s *settings) error {
		s.emptyForbidden = true
		return nil
	}
}

// WithTextUnauthorized makes a 401 have a line of plain text, as an older page, "Errors", says (default a problem
// object, as the page "Create Fault" says).
func WithTextUnauthorized() Option {
	return func(s *settings) error {
		s.textUnauthorized = true
		return nil
	}
}

// WithHandler makes [Start] serve what wrap makes of the sandbox, such as middleware that checks each exchange; given
// again, it wraps that. [New] does not take it, as there the caller serves.
func WithHandler(wrap func(http.Handler) http.Handler) Option {
	return func(s *settings) error {
		if wrap == nil {
			return errors.New("sandbox: the function that wraps the handler is nil")
		}
		if inner := s.wrap; inner != nil {
			s.wrap = func(h http.Handler) http.Handler { return wrap(inner(h)) }
		} else {
			s.wrap = wrap
		}
		return nil
	}
}
