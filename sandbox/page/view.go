package page

import (
	"bytes"
	"context"
	_ "embed"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

const (
	mostRows      = 100 // exchanges in the list
	mostFaults    = 500 // of all accounts, the newest: an account by itself may take long to read
	mostOfAccount = 50
	mostAccounts  = 20 // whose faults and limits are shown
)

//go:embed assets/page.html
var markup string

var page = template.Must(template.New("page").Parse(markup))

// view is what the page shows. Its texts are visible and bounded already; the template escapes them.
type view struct {
	CSS, JS  string
	Newest   int64
	Older    int64 // the number before those of the rows; 0 for none
	Rows     []row
	Limits   []limit
	Accounts []account
	More     int // accounts that are not shown
	Chosen   *detail
	Missing  int64 // the number that was asked for, where no such exchange is kept
}

// row is an exchange in the list.
type row struct {
	Number       int64
	At           time.Time
	Took         string
	Caller, Key  string
	Method, Path string
	Status       string
	StatusKind   string
	Trouble      string
	Verdict      verdict
	Chosen       bool
}

// limit is the state of an account's rate limit.
type limit struct {
	Account     string
	Used, Limit int
	Plenty      int // of used calls that are no reason to worry
	Full        bool
	Reset       time.Time
}

// account is an account with its newest faults.
type account struct {
	ID      int64
	Name    string
	Faults  []fault
	Problem string // why there are none to see
}

// fault is a fault in the list. "" is what it does not have, or has as null.
type fault struct {
	ID                                                       int64
	Vehicle, Code, Status, Count, Name, Description, Source  string
	ExternalID, LastOccurredAt, CreatedAt, VehicleArchivedAt string
}

// page answers with the page; with ?exchange=NUMBER, that exchange is chosen.
func (p *Page) page(w http.ResponseWriter, r *http.Request) {
	var chosen int64
	if text := r.URL.Query().Get("exchange"); text != "" {
		var err error
		if chosen, err = strconv.ParseInt(text, 10, 64); err != nil || chosen < 1 {
			http.Error(w, "The parameter exchange is the number of an exchange, from 1.", http.StatusBadRequest)
			return
		}
	}
	v := p.view(r.Context(), chosen, origin(r))
	var out bytes.Buffer
	if err := page.Execute(&out, v); err != nil {
		http.Error(w, "The page cannot be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(out.Len()))
	w.Header().Set("Cache-Control", "no-store")
	if v.Missing != 0 {
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

func (p *Page) view(ctx context.Context, chosen int64, origin string) *view {
	recent := p.recent()
	v := &view{CSS: style.path[1:], JS: script.path[1:], Newest: newestOf(recent), Missing: chosen}
	for i := len(recent) - 1; i >= 0; i-- {
		v.Rows = append(v.Rows, p.row(&recent[i], chosen))
		v.Older = recent[i].Number - 1
	}
	if v.Chosen = p.detail(chosen, origin); v.Chosen != nil {
		v.Missing = 0
	}
	for _, l := range p.source.RateLimits() {
		if len(v.Limits) == mostAccounts {
			break
		}
		v.Limits = append(v.Limits, limit{
			Account: clip(l.Account, mostCell), Used: l.Used, Limit: l.Limit,
			Plenty: l.Limit * 3 / 4, Full: l.Limit > 0 && l.Used >= l.Limit, Reset: l.Reset,
		})
	}
	accounts := p.source.Accounts()
	v.More = max(0, len(accounts)-mostAccounts)
	faults, err := p.source.NewestFaults(ctx, 0, mostFaults)
	for i := range accounts[:len(accounts)-v.More] {
		shown := account{ID: accounts[i].ID, Name: clip(accounts[i].Name, mostCell)}
		if err != nil {
			shown.Problem = clip(err.Error(), mostText)
		}
		for j := range faults {
			if faults[j].AccountID == shown.ID && len(shown.Faults) < mostOfAccount {
				shown.Faults = append(shown.Faults, p.fault(&faults[j]))
			}
		}
		v.Accounts = append(v.Accounts, shown)
	}
	return v
}

// recent returns the newest exchanges, the oldest first. It asks for few, as the sandbox copies and redacts what it hands
// out.
func (p *Page) recent() []sandbox.Exchange {
	list := p.source.Since(max(0, p.source.Latest()-mostRows))
	return list[max(0, len(list)-mostRows):] // some came meanwhile
}

func newestOf(exchanges []sandbox.Exchange) int64 {
	if len(exchanges) == 0 {
		return 0
	}
	return exchanges[len(exchanges)-1].Number
}

func (p *Page) row(ex *sandbox.Exchange, chosen int64) row {
	return row{
		Number: ex.Number, At: ex.At, Took: took(ex.Took),
		Caller: clip(ex.Account, mostCell), Key: clip(ex.APIKey, mostCell),
		Method: clip(ex.Method, mostCell), Path: clip(ex.URL, mostCell),
		Status: statusText(ex.Status), StatusKind: statusKind(ex.Status),
		Trouble: clip(ex.Trouble, mostCell), Verdict: p.verdicts.of(ex), Chosen: ex.Number == chosen,
	}
}

// fault shows a fault without the credentials that somebody wrote into it.
func (p *Page) fault(f *fleetioapi.Fault) fault {
	text := func(s string) string { return clip(redacted(p.source, s), mostCell) }
	known := func(n fleetioapi.Nullable[string]) string {
		s, _ := n.Get()
		return text(s)
	}
	shown := fault{
		ID: f.ID, Code: text(f.Code), Status: text(string(f.Status)),
		Name: known(f.Name), Description: known(f.Description), Source: known(f.Source), ExternalID: known(f.ExternalID),
		LastOccurredAt: moment(f.LastOccurredAt.Get()), VehicleArchivedAt: moment(f.VehicleArchivedAt.Get()),
	}
	if id, ok := f.VehicleID.Get(); ok {
		shown.Vehicle = strconv.FormatInt(id, 10)
	}
	if n, ok := f.Count.Get(); ok {
		shown.Count = strconv.FormatInt(n, 10)
	}
	if f.CreatedAt != nil {
		shown.CreatedAt = moment(*f.CreatedAt, true)
	}
	return shown
}

// moment keeps the offset that the time was told with.
func moment(t time.Time, ok bool) string {
	if !ok {
		return ""
	}
	return t.Format("2006-01-02 15:04:05 -07:00")
}
