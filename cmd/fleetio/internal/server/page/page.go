// Package page shows what happens in a sandbox to people: the exchanges as they arrive, each with its verdict and its
// findings at their place, the faults stored, and the state of the rate limit. It is HTML made by the server; a script
// of its own keeps it up to date, and without it a reload does.
//
// The package checks nothing itself: its caller hands in how an exchange is checked, see [Check].
package page

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"strconv"
	"sync"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// Check returns the findings of an exchange; none if it conforms. It gets the exchange as it was, credentials included,
// as the verdict on another would be none: neither a finding nor an error may hold a credential of the request. An
// error says why the exchange cannot be checked. The page calls it when it is looked at, at most once for an exchange
// that the page remembers and once more for its details, and from several goroutines. It is not called for dropped
// connections, and does not change the exchange.
type Check func(*sandbox.Exchange) ([]Finding, error)

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
	check    Check
	rows     cache[int64, row]
	details  cache[detailKey, detail]
	faults   faults
	accounts func() []sandbox.Account // which do not change
	known    func() []account         // the same for display, without faults

	mux    *http.ServeMux
	places chan struct{} // of event streams; full when no more are served
	closed chan struct{}
	close  sync.Once
}

// New returns the page of a sandbox. It serves /, /assets/ and /events, and is made for the root of a host. Its caller
// decides which requests reach it, as the page itself is open. If check is nil, the page says that nothing is checked.
func New(s *sandbox.Sandbox, check Check) *Page { return newPage(s, check) }

func newPage(s source, check Check) *Page {
	p := &Page{
		source:   s,
		check:    check,
		rows:     cache[int64, row]{max: maxRows, entries: map[int64]func() row{}},
		details:  cache[detailKey, detail]{max: maxDetails, entries: map[detailKey]func() detail{}},
		accounts: sync.OnceValue(s.Accounts),
		mux:      http.NewServeMux(),
		places:   make(chan struct{}, maxStreams),
		closed:   make(chan struct{}),
	}
	p.known = sync.OnceValue(p.makeAccounts)
	p.mux.HandleFunc("GET /{$}", p.page)
	p.mux.HandleFunc("GET /events", p.stream)
	for _, a := range []asset{style, script} {
		p.mux.HandleFunc("GET "+a.path, a.serve)
	}
	return p
}

// Close ends the event streams. [http.Server.Shutdown] would wait for them for ever, so hand Close to
// [http.Server.RegisterOnShutdown].
func (p *Page) Close() { p.close.Do(func() { close(p.closed) }) }

// guards are headers of every response. The page loads nothing from elsewhere, runs no script but its own, and that one
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
	p.mux.ServeHTTP(w, r)
}

var (
	//go:embed assets/page.css
	css []byte
	//go:embed assets/page.js
	js []byte

	style  = newAsset("page", ".css", "text/css; charset=utf-8", css)
	script = newAsset("page", ".js", "text/javascript; charset=utf-8", js)
)

// asset is a file whose name changes with its content, so that a browser keeps it for good, and never an old one.
type asset struct {
	path, mediaType string
	content         []byte
}

func newAsset(name, extension, mediaType string, content []byte) asset {
	sum := sha256.Sum256(content)
	return asset{"/assets/" + name + "-" + hex.EncodeToString(sum[:8]) + extension, mediaType, content}
}

func (a asset) serve(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", a.mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.content)))
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(a.content) // a reader that went away misses nothing
}
