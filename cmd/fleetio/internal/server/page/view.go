package page

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

//go:embed assets/page.html
var markup string

var page = template.Must(template.New("page").Parse(markup))

// view is what the page shows. Its texts are visible and bounded already; the template escapes them.
type view struct {
	query
	list
	stored

	CSS, JS    string
	Newest     int64 // number of the newest exchange; 0 for none
	Limits     []limit
	MoreLimits int     // limits that are not shown
	Chosen     *detail // nil where none was asked for, or it is not kept
	First      first   // what to do where nothing has arrived
}

// limit is the state of an account's rate limit.
type limit struct {
	Account     string
	Used, Limit int
	Plenty      int // of used calls that are no reason to worry
	Full        bool
	Reset       time.Time
}

// Missing says that the exchange that was asked for is not kept.
func (v *view) Missing() bool { return v.Exchange != 0 && v.Chosen == nil }

// NotYet says of a missing exchange that it may still arrive.
func (v *view) NotYet() bool { return v.Exchange > v.Newest }

// page serves the page.
func (p *Page) page(w http.ResponseWriter, r *http.Request) {
	q, problem := readQuery(r.URL.Query())
	if problem != "" {
		http.Error(w, problem, http.StatusBadRequest)
		return
	}
	v := p.view(r.Context(), q, origin(r))
	var out bytes.Buffer
	if err := page.Execute(&out, v); err != nil {
		http.Error(w, "The page cannot be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(out.Len()))
	w.Header().Set("Cache-Control", "no-store")
	if v.Missing() {
		w.WriteHeader(http.StatusNotFound)
	}
	_, _ = out.WriteTo(w) // a reader that went away misses nothing
}

// origin is where the reader found the page, and so the sandbox.
func origin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (p *Page) view(ctx context.Context, q query, origin string) *view {
	v := &view{query: q, CSS: style.path[1:], JS: script.path[1:], Newest: p.source.Latest()}
	v.list = p.list(q, v.Newest)
	v.stored = p.stored(ctx) // after the exchanges, whose faults it has then
	if q.Exchange != 0 {
		v.Chosen = p.detail(q.Exchange, origin)
	}
	if v.Newest == 0 {
		v.First = p.first(p.accounts(), origin)
	}
	for _, l := range p.source.RateLimits() {
		if len(v.Limits) == maxAccounts {
			v.MoreLimits++
			continue
		}
		v.Limits = append(v.Limits, limit{
			Account: clip(l.Account, maxCell), Used: l.Used, Limit: l.Limit,
			Plenty: l.Limit * 3 / 4, Full: l.Limit > 0 && l.Used >= l.Limit, Reset: l.Reset,
		})
	}
	return v
}

// query is what the reader asks for by the address, so that it can be kept and passed on.
type query struct {
	Exchange int64 // the chosen one; 0 for none
	Before   int64 // the list has those with a lower number; 0 for the newest
	Only     bool  // the list has only those with findings
}

// readQuery returns what is wrong with an address, if anything is.
func readQuery(values url.Values) (q query, problem string) {
	for name, number := range map[string]*int64{"exchange": &q.Exchange, "before": &q.Before} {
		text := values.Get(name)
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 {
			return query{}, fmt.Sprintf("The parameter %s is the number of an exchange, from 1.", name)
		}
		*number = n
	}
	switch values.Get("only") {
	case "":
	case "findings":
		q.Only = true
	default:
		return query{}, "The parameter only is findings, or is left out."
	}
	return q, ""
}

// String is the address, from that of the page.
func (q query) String() string {
	var parts []string
	if q.Only {
		parts = append(parts, "only=findings")
	}
	if q.Before != 0 {
		parts = append(parts, fmt.Sprintf("before=%d", q.Before))
	}
	if q.Exchange != 0 {
		parts = append(parts, fmt.Sprintf("exchange=%d", q.Exchange))
	}
	if parts == nil {
		return "./"
	}
	return "?" + strings.Join(parts, "&")
}

// Choose is the same list with another exchange chosen; 0 for none.
func (q query) Choose(exchange int64) string {
	q.Exchange = exchange
	return q.String()
}

// From is another page of the list; 0 for the newest.
func (q query) From(before int64) string { return query{Before: before, Only: q.Only}.String() }

// Switch is the newest page of the other list: with findings only, or of all.
func (q query) Switch() string { return query{Only: !q.Only}.String() }
