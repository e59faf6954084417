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

// settings are the values of the options.
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
	observe          func(*Exchange) // nil for none
}

// Option is an option of [New] and [Start].
type Option func(*settings) error

// WithStore sets the store of accounts and faults (default [NewMemory]). The sandbox closes it.
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

// WithFixtures adds fixtures to those in the store (default none if the store has accounts, or else [DefaultFixtures]).
func WithFixtures(f Fixtures) Option {
	err := f.Validate()
	if err == nil {
		f = f.clone()
	}
	return func(s *settings) error {
		if err != nil {
			return fmt.Errorf("sandbox: fixtures: %w", err)
		}
		own := f.clone() // the option may be used for several sandboxes
		s.fixtures = &own
		return nil
	}
}

// WithRateLimit limits the requests of each account in a clock minute (default 0, no limit). Further ones get a 429
// with Retry-After until the minute ends (page "Rate Limiting": 20 for old accounts; for new ones it depends on the
// plan).
func WithRateLimit(perMinute int) Option {
	return func(s *settings) error {
		if perMinute < 0 {
			return fmt.Errorf("sandbox: a rate limit of %d is negative", perMinute)
		}
		s.perMinute = perMinute
		return nil
	}
}

// WithHistory sets the number of exchanges in the history (default 1000): the last ones, at most 16 MiB.
func WithHistory(n int) Option {
	return func(s *settings) error {
		if n < 0 || n > maxHistory {
			return fmt.Errorf("sandbox: a history of %d exchanges is negative, or more than %d", n, maxHistory)
		}
		s.history.max = n
		return nil
	}
}

// WithObserver calls a function with each exchange before its response is sent, such as to check it (default none). The
// exchange has the credentials, as that of [Sandbox.Unredacted], and must not be changed. The function is called from
// several goroutines, and the response waits for it.
func WithObserver(observe func(*Exchange)) Option {
	return func(s *settings) error {
		if observe == nil {
			return errors.New("sandbox: the observer is nil")
		}
		s.observe = observe
		return nil
	}
}

// WithLogger logs each exchange (level Info) and internal errors (Error) (default no log). No credential, header or
// body is logged.
func WithLogger(logger *slog.Logger) Option {
	return func(s *settings) error {
		if logger == nil {
			return errors.New("sandbox: the logger is nil")
		}
		s.logger = logger
		return nil
	}
}

// WithFailure injects a failure into a share of the requests: 1 is each request, 0.25 every fourth. The share is
// counted, not random, so that a test with the same requests gets the same failures. If several are due, the first one
// is injected, and the others are due again at the next request. Requests with a failure of [Sandbox.InjectNext] do not
// count.
func WithFailure(share float64, f Failure) Option {
	return func(s *settings) error {
		if !(share > 0 && share <= 1) {
			return fmt.Errorf("sandbox: a share of %v is not above 0 and at most 1", share)
		}
		if err := f.check(); err != nil {
			return err
		}
		s.failures.add(scheduled{failure: f, share: share})
		return nil
	}
}

// WithEmptyForbidden sends a 403 without a body, as the page "Overview, Response Codes" says (default a problem object,
// as the page "Create Fault" says).
func WithEmptyForbidden() Option {
	return func(s *settings) error {
		s.emptyForbidden = true
		return nil
	}
}

// WithTextUnauthorized sends a 401 with a line of plain text, as an older page, "Errors", says (default a problem
// object, as the page "Create Fault" says).
func WithTextUnauthorized() Option {
	return func(s *settings) error {
		s.textUnauthorized = true
		return nil
	}
}

// WithHandler wraps the handler that [Start] serves, such as with middleware that checks each exchange; the last one is
// the outermost. [New] rejects it, because its caller serves the handler.
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
