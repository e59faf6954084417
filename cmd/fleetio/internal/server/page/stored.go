package page

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

const (
	mostFaults    = 100 // of all accounts, the newest: an account by itself may take long to read
	mostOfAccount = 50
	mostAccounts  = 20 // whose faults and limits are shown
	mostKnown     = 20 // vehicles, and codes, of an account
)

// stored are the faults by account.
type stored struct {
	Accounts []account
	More     int  // accounts that are not shown
	Cut      bool // there are older faults
}

// account is an account with its newest faults, and what faults it takes.
type account struct {
	ID                      int64
	Name                    string
	Vehicles, Codes         []known
	MoreVehicles, MoreCodes int
	Faults                  []fault
	Cut                     bool   // it has older ones among the newest of all
	Problem                 string // why there are none to see
}

// known is a vehicle by its id, or a code.
type known struct {
	What, Name string
	Archived   bool
}

// fault is a fault in the list. "" is what it does not have, or has as null.
type fault struct {
	account                                                  int64
	ID                                                       int64
	Vehicle, Code, Status, Count, Name, Description, Source  string
	ExternalID, LastOccurredAt, CreatedAt, VehicleArchivedAt string
}

// MostFaults is for the note on those that are not shown.
func (stored) MostFaults() int { return mostFaults }

// MostOfAccount is for the note on those that are not shown.
func (stored) MostOfAccount() int { return mostOfAccount }

func (p *Page) stored(ctx context.Context) (s stored) {
	s.Accounts = slices.Clone(p.known())
	s.More = len(p.accounts()) - len(s.Accounts)
	faults, err := p.newest(ctx)
	if len(faults) > mostFaults {
		s.Cut, faults = true, faults[:mostFaults]
	}
	for i := range s.Accounts {
		a := &s.Accounts[i]
		if err != nil {
			a.Problem = clip(err.Error(), mostText)
		}
		for _, f := range faults {
			if f.account != a.ID {
				continue
			}
			if a.Cut = len(a.Faults) == mostOfAccount; a.Cut {
				break
			}
			a.Faults = append(a.Faults, f)
		}
	}
	return s
}

// faults are the newest ones as they were last read, at most one more than are looked at.
type faults struct {
	mu   sync.Mutex
	list []fault
}

// newest reads the faults that are new: until it meets one that it knows. They do not change, and may be long.
func (p *Page) newest(ctx context.Context) ([]fault, error) {
	p.faults.mu.Lock()
	defer p.faults.mu.Unlock()
	for n := 1; ; n = min(8*n, mostFaults+1) {
		fresh, err := p.source.NewestRecords(ctx, 0, n)
		if err != nil {
			return nil, err
		}
		known := p.faults.list
		at := -1 // of a fault among the known
		find := func(id int64) { at = slices.IndexFunc(known, func(f fault) bool { return f.ID == id }) }
		more := len(fresh) == n // there may be older ones
		if more {
			if find(fresh[n-1].ID); at < 0 && n <= mostFaults {
				continue
			}
		}
		list := make([]fault, 0, mostFaults+1)
		for i := range fresh {
			if find(fresh[i].ID); at >= 0 {
				list = append(list, known[at])
				continue
			}
			f, err := p.fault(fresh[i])
			if err != nil {
				return nil, err
			}
			list = append(list, f)
		}
		if more && at >= 0 {
			list = append(list, known[at+1:]...)
		}
		p.faults.list = list[:min(len(list), mostFaults+1)]
		return p.faults.list, nil
	}
}

// makeAccounts shows what the first accounts know.
func (p *Page) makeAccounts() (list []account) {
	accounts := p.accounts()
	for i := range accounts[:min(len(accounts), mostAccounts)] {
		list = append(list, p.account(&accounts[i]))
	}
	return list
}

// account shows what an account knows. A name may hold a credential, like all that somebody wrote.
func (p *Page) account(of *sandbox.Account) account {
	a := account{
		ID: of.ID, Name: p.cell(of.Name),
		MoreVehicles: max(0, len(of.Vehicles)-mostKnown), MoreCodes: max(0, len(of.FaultRules)-mostKnown),
	}
	for _, v := range of.Vehicles[:len(of.Vehicles)-a.MoreVehicles] {
		a.Vehicles = append(a.Vehicles, known{strconv.FormatInt(v.ID, 10), p.cell(v.Name), v.ArchivedAt != nil})
	}
	for _, r := range of.FaultRules[:len(of.FaultRules)-a.MoreCodes] {
		a.Codes = append(a.Codes, known{p.cell(r.Code), p.cell(r.Name), false})
	}
	return a
}

// cell is a text in a table without the credentials that somebody wrote into it.
func (p *Page) cell(text string) string { return clip(redacted(p.source, text), mostCell) }

func (p *Page) fault(r sandbox.Record) (fault, error) {
	var f fleetioapi.Fault
	if err := json.Unmarshal(r.Fault, &f); err != nil {
		return fault{}, fmt.Errorf("the store's fault %d: %w", r.ID, err)
	}
	text := func(n fleetioapi.Nullable[string]) string {
		s, _ := n.Get()
		return p.cell(s)
	}
	shown := fault{
		account: r.Account, ID: r.ID, Code: p.cell(f.Code), Status: p.cell(string(f.Status)),
		Name: text(f.Name), Description: text(f.Description), Source: text(f.Source), ExternalID: text(f.ExternalID),
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
	return shown, nil
}

// moment keeps the offset that the time was told with.
func moment(t time.Time, ok bool) string {
	if !ok {
		return ""
	}
	return t.Format("2006-01-02 15:04:05 -07:00")
}
