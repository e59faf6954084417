package sandbox

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
)

const (
	defaultHistory = 1000
	mostHistory    = 1_000_000
)

// settings are what the options set.
type settings struct {
	store             Store
	fixtures          *Fixtures
	perMinute         int
	kept              int // exchanges
	logger            *slog.Logger
	standing          []*standing
	next              []Trouble
	emptyForbidden    bool
	plainUnauthorized bool
	wrap              func(http.Handler) http.Handler
}

// Option sets something of a [Sandbox].
type Option func(*settings) error

// WithStore sets where the sandbox keeps what it knows; it closes the store in the end. The command has one on
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

// WithFixtures sets what the sandbox knows when it begins, beside what the store has. By default, what the store has, or
// else [DefaultFixtures].
func WithFixtures(f Fixtures) Option {
	f = f.clone()
	return func(s *settings) error {
		own := f.clone() // several sandboxes may be given the option
		s.fixtures = &own
		return nil
	}
}

// WithRateLimit sets how many calls each account may make in a clock minute; further ones get a 429 with Retry-After until
// the minute ends (page "Rate Limiting"; an older one has 20, newer ones depend on the plan). By default, 0: no limit.
func WithRateLimit(perMinute int) Option {
	return func(s *settings) error {
		if perMinute < 0 {
			return fmt.Errorf("sandbox: a rate limit of %d is negative", perMinute)
		}
		s.perMinute = perMinute
		return nil
	}
}

// WithHistory sets how many exchanges [Sandbox.Requests] keeps: the last ones, as far as they
// hold no more than 16 MiB. By default, 1000.
func WithHistory(n int) Option {
	return func(s *settings) error {
		if n < 0 || n > mostHistory {
			return fmt.Errorf("sandbox: a history of %d exchanges is negative, or more than %d", n, mostHistory)
		}
		s.kept = n
		return nil
	}
}

// WithLogger sets where each exchange is logged (level Info), and what went wrong inside (Error). No credential, header or
// body is logged. By default, nothing is.
func WithLogger(logger *slog.Logger) Option {
	return func(s *settings) error {
		if logger == nil {
			return errors.New("sandbox: the logger is nil")
		}
		s.logger = logger
		return nil
	}
}

// WithTrouble makes trouble in a share of the calls for as long as the sandbox runs: 1 is each call, 0.25 every fourth. The
// share is counted, not drawn, so a test that makes the same calls meets the same trouble. Where it is given several
// times, the first that is due counts, and the others are due in the next call. Calls that meet what [Sandbox.Next] has
// scripted do not count. By default, there is no trouble.
func WithTrouble(share float64, t Trouble) Option {
	return func(s *settings) error {
		if !(share > 0 && share <= 1) {
			return fmt.Errorf("sandbox: a share of %v is not above 0 and at most 1", share)
		}
		if err := t.check(); err != nil {
			return err
		}
		s.standing = append(s.standing, &standing{share: share, trouble: t})
		return nil
	}
}

// WithNext is [Sandbox.Next] before the first call.
func WithNext(t ...Trouble) Option {
	return func(s *settings) error {
		for _, t := range t {
			if err := t.check(); err != nil {
				return err
			}
		}
		s.next = append(s.next, t...)
		return nil
	}
}

// WithEmptyForbidden makes a 403 have an empty body, as the page "Overview, Response Codes" says. By default, it has a
// problem object, as the page "Create Fault" says.
func WithEmptyForbidden() Option {
	return func(s *settings) error {
		s.emptyForbidden = true
		return nil
	}
}

// WithTextUnauthorized makes a 401 have a line of plain text, as an older page, "Errors", says. By default, it has a problem
// object, as the page "Create Fault" says.
func WithTextUnauthorized() Option {
	return func(s *settings) error {
		s.plainUnauthorized = true
		return nil
	}
}

// WithHandler makes [Start] serve what wrap makes of the sandbox, such as conformancetest.Middleware; given again, it wraps that.
// [New] does not take it, as there the caller serves. By default, the sandbox itself is served.
func WithHandler(wrap func(http.Handler) http.Handler) Option {
	return func(s *settings) error {
		if wrap == nil {
			return errors.New("sandbox: what wraps the handler is nil")
		}
		if inner := s.wrap; inner != nil {
			s.wrap = func(h http.Handler) http.Handler { return wrap(inner(h)) }
		} else {
			s.wrap = wrap
		}
		return nil
	}
}
