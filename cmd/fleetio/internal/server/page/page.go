// Package page shows what happens in a sandbox to people: the exchanges as they arrive, each with its verdict and its
// findings at their place, the faults stored, and the state of the rate limit. It is HTML made by the server; a script
// of its own keeps it up to date, and without it a reload does.
//
// The package judges nothing. Whoever serves the page says how an exchange is judged, see [Judge].
package page

import (
	"context"
	"net/http"
	"slices"
	"sync"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// Judge returns what is to be said of an exchange; nothing where it conforms. It gets the exchange as it was, credentials
// included, as a verdict on another would be none: neither a finding nor an error may hold one of the request's. An error
// says why it cannot be judged. It is asked when somebody looks at the page, at most once for an exchange that the page
// remembers and once more for its details, and from several goroutines. It is not asked about dropped connections, and does
// not change the exchange.
type Judge func(*sandbox.Exchange) ([]Finding, error)

// Finding is one deviation of an exchange from the contract, or something else that is worth knowing.
type Finding struct {
	Rule string // what was broken, such as required
	// Part is where it was: request.header, request.body, response.status, response.header or response.body.
	Part string
	// Pointer is a JSON pointer (RFC 6901) into the body. What is missing there is shown at its nearest parent. For a
	// header it is its name behind a slash, and its position in a list behind another.
	Pointer string
	Message string // what was expected and found, without any credential
	Spec    string // where the contract says so, such as api/openapi.yaml:331
	Fails   bool   // false for drift, which no claim of the contract covers, and for notes
	Note    bool   // it conforms all the same; nothing that fails
}

// source is what the page needs of a [sandbox.Sandbox].
type source interface {
	Latest() int64
	Exchange(number int64) (sandbox.Exchange, bool)
	Summary(number int64) (sandbox.Exchange, bool)
	Unredacted(number int64) (sandbox.Exchange, bool)
	Redact(text string) string
	Wait(ctx context.Context, number int64) error
	Accounts() []sandbox.Account
	NewestRecords(ctx context.Context, account int64, limit int) ([]sandbox.Record, error)
	RateLimits() []sandbox.RateLimit
}

// Page serves the page. It is an [http.Handler], made by [New], and safe for concurrent use.
type Page struct {
	source   source
	judge    Judge
	rows     cache[int64, row]
	details  cache[detailKey, detail]
	faults   faults
	accounts func() []sandbox.Account // which do not change
	known    func() []account         // the same for display, without faults

	places chan struct{} // of event streams; full when no more are served
	closed chan struct{}
	close  sync.Once
}

// New returns the page of a sandbox. It answers GET and HEAD of / and /assets/, and GET of /events; it is made for the
// root of a host, where its caller also checks who asks, as the page is open to everyone. Where judge is nil the page
// says that nothing is judged.
func New(s *sandbox.Sandbox, judge Judge) *Page { return newPage(s, judge) }

func newPage(s source, judge Judge) *Page {
	p := &Page{
		source:   s,
		judge:    judge,
		rows:     cache[int64, row]{max: maxRows, entries: map[int64]func() row{}},
		details:  cache[detailKey, detail]{max: maxDetails, entries: map[detailKey]func() detail{}},
		accounts: sync.OnceValue(s.Accounts),
		places:   make(chan struct{}, mostStreams),
		closed:   make(chan struct{}),
	}
	p.known = sync.OnceValue(p.makeAccounts)
	return p
}

// Close ends the event streams. [http.Server.Shutdown] would wait for them for ever, so hand Close to
// [http.Server.RegisterOnShutdown].
func (p *Page) Close() { p.close.Do(func() { close(p.closed) }) }

// guards are headers of every answer. The page loads nothing from elsewhere, runs no script but its own, and that one
// makes no HTML of strings; no other site can frame it or read it.
var guards = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
}

// ServeHTTP implements [http.Handler].
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name, value := range guards {
		w.Header().Set(name, value)
	}
	switch asset, found := assets[r.URL.Path]; {
	case found:
		if allowed(w, r, http.MethodGet, http.MethodHead) {
			asset.serve(w)
		}
	case r.URL.Path == "/":
		if allowed(w, r, http.MethodGet, http.MethodHead) {
			p.page(w, r)
		}
	case r.URL.Path == "/events":
		if allowed(w, r, http.MethodGet) {
			p.stream(w, r)
		}
	default:
		http.Error(w, "There is nothing here. The page is at /.", http.StatusNotFound)
	}
}

// allowed answers 405 where the method is none of these.
func allowed(w http.ResponseWriter, r *http.Request, methods ...string) bool {
	if slices.Contains(methods, r.Method) {
		return true
	}
	for _, m := range methods {
		w.Header().Add("Allow", m)
	}
	http.Error(w, "This address can only be read.", http.StatusMethodNotAllowed)
	return false
}
