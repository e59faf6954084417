package page

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
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
	Columns                 []string // the properties of which one of the faults has a value
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
	cells       map[string]cell // by property, without those that are null
	err         error           // why it cannot be read
}

// cell is the value of a property, formatted.
type cell struct {
	Text string
	Kind string // the class of the style sheet
}

// Cell returns the value of a property; the zero value if it is null or absent.
func (f fault) Cell(property string) cell { return f.cells[property] }

// columns returns the properties of the contract of which one of the faults has a value. The id comes first.
func columns(faults []fault) []string {
	list := []string{"id"}
	for _, f := range fleetioapi.FaultSchema.Fields() {
		if f.Name != "id" && slices.ContainsFunc(faults, func(one fault) bool { return one.cells[f.Name].Text != "" }) {
			list = append(list, f.Name)
		}
	}
	return list
}

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
		a.Columns = columns(a.Faults)
	}
	return s
}

// newest reads the newest faults, at most one more than are displayed. Each is formatted once, as faults never change, and
// may be long.
func (p *Page) newest(ctx context.Context) (list []fault, err error) {
	records, err := p.source.NewestRecords(ctx, 0, maxFaults+1)
	for _, r := range records {
		f := p.faults.get(r.ID, func() fault { return p.fault(r) })
		if f.err != nil {
			return nil, f.err
		}
		list = append(list, f)
	}
	return list, err
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
func (p *Page) fault(r sandbox.Record) fault {
	f := fault{account: r.Account, ID: r.ID, cells: map[string]cell{"id": {strconv.FormatInt(r.ID, 10), "number"}}}
	var properties map[string]json.RawMessage
	if err := json.Unmarshal(r.Fault, &properties); err != nil {
		f.err = fmt.Errorf("the store's fault %d: %w", r.ID, err)
	}
	for name, raw := range properties {
		text, kind := string(raw), "words"
		switch kindOf(raw[0]) {
		case "digits":
			kind = "number"
		case "string":
			_ = json.Unmarshal(raw, &text) // it is a string
			if t, err := time.Parse(time.RFC3339, text); err == nil {
				text, kind = t.Format("2006-01-02 15:04:05 -07:00"), "time" // with the offset of the request
			}
		}
		if text != "null" {
			f.cells[name] = cell{p.cell(text), kind}
		}
	}
	return f
}
