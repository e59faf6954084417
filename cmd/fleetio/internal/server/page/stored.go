package page

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

const (
	maxFaults    = 100 // of all accounts, the newest: an account by itself may take long to read
	maxOfAccount = 50
	maxAccounts  = 20 // whose faults and limits are shown
	maxKnown     = 20 // vehicles, and codes, of an account
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

// fault is a fault in the list.
type fault struct {
	account, ID int64
	properties  map[string]string // for display, those that are null left out
}

// Of is a property of the fault; "" for null and none.
func (f fault) Of(property string) string { return f.properties[property] }

// MaxFaults is for the note on those that are not shown.
func (stored) MaxFaults() int { return maxFaults }

// MaxOfAccount is for the note on those that are not shown.
func (stored) MaxOfAccount() int { return maxOfAccount }

func (p *Page) stored(ctx context.Context) (s stored) {
	s.Accounts = slices.Clone(p.known())
	s.More = len(p.accounts()) - len(s.Accounts)
	faults, err := p.newest(ctx)
	if len(faults) > maxFaults {
		s.Cut, faults = true, faults[:maxFaults]
	}
	for i := range s.Accounts {
		a := &s.Accounts[i]
		if err != nil {
			a.Problem = clip(err.Error(), maxText)
		}
		for _, f := range faults {
			if f.account != a.ID {
				continue
			}
			if a.Cut = len(a.Faults) == maxOfAccount; a.Cut {
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
	for n := 1; ; n = min(8*n, maxFaults+1) {
		fresh, err := p.source.NewestRecords(ctx, 0, n)
		if err != nil {
			return nil, err
		}
		known := p.faults.list
		at := -1 // of a fault among the known
		find := func(id int64) { at = slices.IndexFunc(known, func(f fault) bool { return f.ID == id }) }
		more := len(fresh) == n // there may be older ones
		if more {
			if find(fresh[n-1].ID); at < 0 && n <= maxFaults {
				continue
			}
		}
		list := make([]fault, 0, maxFaults+1)
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
		p.faults.list = list[:min(len(list), maxFaults+1)]
		return p.faults.list, nil
	}
}

// makeAccounts shows what the first accounts know.
func (p *Page) makeAccounts() (list []account) {
	accounts := p.accounts()
	for i := range accounts[:min(len(accounts), maxAccounts)] {
		list = append(list, p.account(&accounts[i]))
	}
	return list
}

// account shows what an account knows. A name may hold a credential, like all text from outside.
func (p *Page) account(of *sandbox.Account) account {
	a := account{
		ID: of.ID, Name: p.cell(of.Name),
		MoreVehicles: max(0, len(of.Vehicles)-maxKnown), MoreCodes: max(0, len(of.FaultRules)-maxKnown),
	}
	for _, v := range of.Vehicles[:len(of.Vehicles)-a.MoreVehicles] {
		a.Vehicles = append(a.Vehicles, known{strconv.FormatInt(v.ID, 10), p.cell(v.Name), v.ArchivedAt != nil})
	}
	for _, r := range of.FaultRules[:len(of.FaultRules)-a.MoreCodes] {
		a.Codes = append(a.Codes, known{p.cell(r.Code), p.cell(r.Name), false})
	}
	return a
}

// cell is a text in a table without credentials.
func (p *Page) cell(text string) string { return clip(redacted(p.source, text), maxCell) }

func (p *Page) fault(r sandbox.Record) (fault, error) {
	decoder := json.NewDecoder(bytes.NewReader(r.Fault))
	decoder.UseNumber()
	var properties map[string]any
	if err := decoder.Decode(&properties); err != nil {
		return fault{}, fmt.Errorf("the store's fault %d: %w", r.ID, err)
	}
	shown := fault{account: r.Account, ID: r.ID, properties: map[string]string{}}
	for name, value := range properties {
		if value == nil {
			continue
		}
		text := fmt.Sprint(value)
		if t, err := time.Parse(time.RFC3339, text); err == nil && strings.HasSuffix(name, "_at") {
			text = t.Format("2006-01-02 15:04:05 -07:00") // with the offset that it was told with
		}
		shown.properties[name] = p.cell(text)
	}
	return shown, nil
}
