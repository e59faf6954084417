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

// view is the data of the template. Its strings are printable and bounded; the template escapes them.
type view struct {
	query
	list
	stored

	Newest     int64 // number of the newest exchange; 0 for none
	Limits     []limit
	MoreLimits int     // limits that are not displayed
	Chosen     *detail // nil for none, or if it is not in the history
	First      first   // displayed before the first request
}

// limit is the state of an account's rate limit.
type limit struct {
	Account     string
	Used, Limit int
	High        int // used requests that are displayed as many
	Full        bool
	Reset       time.Time
}

// Missing reports that the chosen exchange is not in the history.
func (v *view) Missing() bool { return v.Exchange != 0 && v.Chosen == nil }

// NotYet reports that the missing exchange may still arrive.
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
		http.Error(w, "The page could not be rendered.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(out.Len()))
	w.Header().Set("Cache-Control", "no-store")
	if v.Missing() {
		w.WriteHeader(http.StatusNotFound)
	}
	_, _ = out.WriteTo(w) // fails if the client has disconnected
}

// origin returns the URL of the server, as the browser uses it.
func origin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (p *Page) view(ctx context.Context, q query, origin string) *view {
	v := &view{query: q, Newest: p.source.Latest()}
	v.list = p.list(q, v.Newest)
	v.stored = p.stored(ctx) // after the list, so that it has the faults of its exchanges
	if q.Exchange != 0 {
		v.Chosen = p.detail(q.Exchange, origin)
	}
	if v.Newest == 0 {
		v.First = p.first(origin)
	}
	for _, l := range p.source.RateLimits() {
		if len(v.Limits) == maxAccounts {
			v.MoreLimits++
			continue
		}
		v.Limits = append(v.Limits, limit{
			Account: clip(l.Account, maxCell), Used: l.Used, Limit: l.Limit,
			High: l.Limit * 3 / 4, Full: l.Limit > 0 && l.Used >= l.Limit, Reset: l.Reset,
		})
	}
	return v
}

// query is the query of the URL, so that a view can be bookmarked.
type query struct {
	Exchange int64 // the chosen one; 0 for none
	Before   int64 // list only lower numbers; 0 for all
	Only     bool  // list only exchanges with findings
}

// readQuery parses a query. problem is "" if it is valid.
func readQuery(values url.Values) (q query, problem string) {
	for name, number := range map[string]*int64{"exchange": &q.Exchange, "before": &q.Before} {
		value := values.Get(name)
		if value == "" {
			continue
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < 1 {
			return query{}, fmt.Sprintf("The parameter %s must be the number of an exchange, from 1.", name)
		}
		*number = n
	}
	switch values.Get("only") {
	case "":
	case "findings":
		q.Only = true
	default:
		return query{}, "The parameter only must be findings, or absent."
	}
	return q, ""
}

// String returns the URL, relative to that of the page.
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

// Choose returns the URL of the same list with another chosen exchange; 0 for none.
func (q query) Choose(exchange int64) string {
	q.Exchange = exchange
	return q.String()
}

// From returns the URL of another page of the list; 0 for the newest.
func (q query) From(before int64) string { return query{Before: before, Only: q.Only}.String() }

// Switch returns the URL of the other list: only those with findings, or all.
func (q query) Switch() string { return query{Only: !q.Only}.String() }
