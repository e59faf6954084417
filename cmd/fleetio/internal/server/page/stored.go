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
	maxFaults    = 100 // the newest of all accounts: to search those of one account may take long
	maxOfAccount = 50  // faults of an account
	maxAccounts  = 20  // with faults and limits
	maxKnown     = 20  // vehicles, and codes, of an account
)

// stored are the faults by account.
type stored struct {
	Accounts []account
	More     int  // accounts that are not displayed
	Cut      bool // older faults are not displayed
}

// account is an account with its newest faults, and the vehicles and codes that it accepts.
type account struct {
	ID                      int64
	Name                    string
	Vehicles, Codes         []known
	MoreVehicles, MoreCodes int
	Faults                  []fault
	Cut                     bool   // further ones among the newest of all are not displayed
	Problem                 string // why the faults cannot be read
}

// known is a vehicle or a code.
type known struct {
	What, Name string // the id or the code, and its name
	Archived   bool
}

// fault is a fault in the list.
type fault struct {
	account, ID int64
	properties  map[string]string // formatted, without those that are null
}

// Get returns a property of the fault; "" if it is null or absent.
func (f fault) Get(property string) string { return f.properties[property] }

// MaxFaults is for the template.
func (stored) MaxFaults() int { return maxFaults }

// MaxOfAccount is for the template.
func (stored) MaxOfAccount() int { return maxOfAccount }

func (p *Page) stored(ctx context.Context) (s stored) {
	s.Accounts = slices.Clone(p.known)
	s.More = len(p.accounts) - len(s.Accounts)
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

// faults are the newest faults when they were last read, at most one more than are displayed.
type faults struct {
	mu   sync.Mutex
	list []fault
}

// newest reads the newest faults down to one that it knows. Faults never change, and may be long.
func (p *Page) newest(ctx context.Context) ([]fault, error) {
	p.faults.mu.Lock()
	defer p.faults.mu.Unlock()
	known := p.faults.list
	indexOf := func(id int64) int { return slices.IndexFunc(known, func(f fault) bool { return f.ID == id }) }
	for n := 1; ; n = min(8*n, maxFaults+1) {
		records, err := p.source.NewestRecords(ctx, 0, n)
		if err != nil {
			return nil, err
		}
		oldest := -1 // index of the oldest record, if there may be older ones
		if len(records) == n {
			if oldest = indexOf(records[n-1].ID); oldest < 0 && n <= maxFaults {
				continue
			}
		}
		list := make([]fault, 0, maxFaults+1)
		for _, r := range records {
			if i := indexOf(r.ID); i >= 0 {
				list = append(list, known[i])
				continue
			}
			f, err := p.fault(r)
			if err != nil {
				return nil, err
			}
			list = append(list, f)
		}
		if oldest >= 0 {
			list = append(list, known[oldest+1:]...)
		}
		p.faults.list = list[:min(len(list), maxFaults+1)]
		return p.faults.list, nil
	}
}

// account formats an account without its faults.
func (p *Page) account(s *sandbox.Account) account {
	a := account{
		ID: s.ID, Name: p.cell(s.Name),
		MoreVehicles: max(0, len(s.Vehicles)-maxKnown), MoreCodes: max(0, len(s.FaultRules)-maxKnown),
	}
	for _, v := range s.Vehicles[:len(s.Vehicles)-a.MoreVehicles] {
		a.Vehicles = append(a.Vehicles, known{strconv.FormatInt(v.ID, 10), p.cell(v.Name), v.ArchivedAt != nil})
	}
	for _, r := range s.FaultRules[:len(s.FaultRules)-a.MoreCodes] {
		a.Codes = append(a.Codes, known{p.cell(r.Code), p.cell(r.Name), false})
	}
	return a
}

// cell formats a string for a table. Any name may contain a credential.
func (p *Page) cell(s string) string { return clip(redacted(p.source, s), maxCell) }

// fault formats a fault.
func (p *Page) fault(r sandbox.Record) (fault, error) {
	decoder := json.NewDecoder(bytes.NewReader(r.Fault))
	decoder.UseNumber()
	var properties map[string]any
	if err := decoder.Decode(&properties); err != nil {
		return fault{}, fmt.Errorf("the store's fault %d: %w", r.ID, err)
	}
	f := fault{account: r.Account, ID: r.ID, properties: map[string]string{}}
	for name, value := range properties {
		if value == nil {
			continue
		}
		s := fmt.Sprint(value)
		if t, err := time.Parse(time.RFC3339, s); err == nil && strings.HasSuffix(name, "_at") {
			s = t.Format("2006-01-02 15:04:05 -07:00") // with the offset of the request
		}
		f.properties[name] = p.cell(s)
	}
	return f, nil
}
