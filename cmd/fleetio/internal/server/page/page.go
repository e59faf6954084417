// Package page displays a sandbox in a browser: the exchanges as they arrive, each with its verdict and its findings at
// their places, the stored faults, and the rate limits. The server renders the HTML; a script updates it, and without
// the script a reload does.
package page

import (
	"context"
	_ "embed"
	"fmt"
	"net/http"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// Check returns the findings of an exchange; none if it conforms. An error is the reason why the exchange cannot be
// checked. The exchange is not redacted, because a redacted one would have another verdict; no finding or error may
// contain a credential of the request. The page calls Check when the exchange is displayed, for its row, while
// that is cached, and each time for its details, from several goroutines, and not for dropped connections.
type Check func(*sandbox.Exchange) ([]Finding, error)

// Finding is one deviation of an exchange from the contract, or a note.
type Finding struct {
	Rule string // the violated keyword, such as required
	// Part is request.path, request.query, request.header, request.cookie, request.body, response.status, response.header or response.body.
	Part string
	// Pointer is a JSON pointer (RFC 6901) into the body; a missing value is displayed at its nearest parent. For a header
	// it is /Name, or /Name/1 for the second value.
	Pointer string
	Message string // expected and actual, without credentials
	Spec    string // the line of the contract, such as api/openapi.yaml:331
	Fails   bool   // false for drift, which no claim of the contract covers, and for notes
	Note    bool   // it conforms nevertheless
}

// source is the part of [sandbox.Sandbox] that the page needs.
type source interface {
	Latest() int64
	Exchange(number int64) (sandbox.Exchange, bool)
	Summary(number int64) (sandbox.Exchange, bool)
	Unredacted(number int64) (sandbox.Exchange, bool)
	Redact(text string) string
	Accounts() []sandbox.Account
	NewestRecords(ctx context.Context, account int64, limit int) ([]sandbox.Record, error)
	RateLimits() []sandbox.RateLimit
}

// Page serves the page. [New] returns one. It is an [http.Handler], and safe for concurrent use.
type Page struct {
	source   source
	check    Check
	rows     cache[int64, row]
	faults   cache[int64, fault]
	accounts []sandbox.Account // which never change
	known    []account         // the same, formatted, without faults
	mux      *http.ServeMux
}

// New returns the page of a sandbox. It serves /, /assets/ and /state at the root of a host, without authentication.
// If check is nil, the page says that nothing is checked.
func New(s *sandbox.Sandbox, check Check) *Page { return newPage(s, check) }

func newPage(s source, check Check) *Page {
	p := &Page{
		source:   s,
		check:    check,
		rows:     cache[int64, row]{max: maxRows, entries: map[int64]func() row{}},
		faults:   cache[int64, fault]{max: 10 * maxFaults, entries: map[int64]func() fault{}},
		accounts: s.Accounts(),
		mux:      http.NewServeMux(),
	}
	for i := range p.accounts[:min(len(p.accounts), maxAccounts)] {
		p.known = append(p.known, p.account(&p.accounts[i]))
	}
	p.mux.HandleFunc("GET /{$}", p.page)
	p.mux.HandleFunc("GET /state", p.state)
	p.mux.HandleFunc("GET /assets/page.css", asset("text/css; charset=utf-8", css))
	p.mux.HandleFunc("GET /assets/page.js", asset("text/javascript; charset=utf-8", js))
	return p
}

// securityHeaders are headers of every response. The page loads nothing from other servers, runs only its own script,
// which creates no HTML from strings, and no other site can frame or read it.
var securityHeaders = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
}

// ServeHTTP implements [http.Handler].
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name, value := range securityHeaders {
		w.Header().Set(name, value)
	}
	p.mux.ServeHTTP(w, r)
}

var (
	//go:embed assets/page.css
	css []byte
	//go:embed assets/page.js
	js []byte
)

// state serves what the script asks for again and again: a text that changes with each exchange, and when a rate limit is
// reset. The script then loads the page again, so that only one place turns untrusted strings into HTML.
func (p *Page) state(w http.ResponseWriter, _ *http.Request) {
	used := 0
	for _, l := range p.source.RateLimits() {
		used += l.Used
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = fmt.Fprintf(w, "%d %d", p.source.Latest(), used) // fails if the client has disconnected
}

// asset returns a handler for a file. An [http.FileServer] would guess its type from the configuration of the machine.
func asset(mediaType string, content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("Cache-Control", "no-cache") // so that a new version is loaded
		_, _ = w.Write(content)                     // fails if the client has disconnected
	}
}
