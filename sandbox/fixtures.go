package sandbox

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// Fixtures is what a sandbox knows when it begins. The command reads it from a file.
type Fixtures struct {
	Accounts []Account `json:"accounts"`
}

// Account is a customer of the vendor's. No account sees what another has.
type Account struct {
	ID    int64  `json:"id"` // from 1
	Name  string `json:"name,omitempty"`
	Token string `json:"token"` // what its callers send as Account-Token

	APIKeys    []APIKey    `json:"api_keys"`
	Vehicles   []Vehicle   `json:"vehicles,omitempty"`
	FaultRules []FaultRule `json:"fault_rules,omitempty"`
	// Faults are created when the account first comes into a store, and not again.
	Faults []fleetioapi.FaultCreate `json:"faults,omitempty"`
}

// APIKey is what a caller sends as "Authorization: Token KEY".
type APIKey struct {
	Name        string       `json:"name"` // for people, logs and [Exchange.APIKey]
	Key         string       `json:"key"`
	Permissions []Permission `json:"permissions,omitempty"` // none is a key that may do nothing here
}

// Permission is something that a key may do.
type Permission string

// CreateFaults lets a key create faults; a key without it gets a 403.
const CreateFaults Permission = "create_faults"

// Vehicle is what faults are about. An archived one takes faults like another, and they tell since when it is archived.
type Vehicle struct {
	ID         int64      `json:"id"` // from 1, and the vehicle of one account only
	Name       string     `json:"name,omitempty"`
	ArchivedAt *time.Time `json:"archived_at,omitempty"` // nil for a vehicle in use
}

// FaultRule is what an account must have for each code that it takes.
type FaultRule struct {
	ID   int64  `json:"id"` // from 1, and the rule of one account only
	Code string `json:"code"`
	Name string `json:"name,omitempty"`
}

//go:embed default.json
var defaultFixtures []byte

// DefaultFixtures returns the fixtures of a sandbox that was given none: an account with one key that may create faults
// and one that may not, a vehicle in use (1) and an archived one (2), and a few codes, P0420 among them; and a second
// account. The keys are the same in each sandbox, and are no secret.
func DefaultFixtures() Fixtures {
	var f Fixtures
	if err := json.Unmarshal(defaultFixtures, &f); err != nil {
		panic(err) // a test reads it
	}
	return f
}

// Validate returns what is wrong with the fixtures, each with its place (accounts[0].api_keys[1].key); nil if nothing.
// It does not repeat credentials.
func (f Fixtures) Validate() error { return f.beside(Fixtures{}) }

// beside is Validate where a store has accounts, too: those that the fixtures do not replace have their ids and
// credentials for themselves.
func (f Fixtures) beside(stored Fixtures) error {
	c := checker{seen: map[string]string{}}
	for _, a := range stored.Accounts {
		if !slices.ContainsFunc(f.Accounts, func(ours Account) bool { return ours.ID == a.ID }) {
			c.account(fmt.Sprintf("(account %d in the store)", a.ID), &a)
		}
	}
	c.problems = nil // what is stored cannot be changed by these
	if len(f.Accounts) == 0 {
		c.add("accounts", "is empty, so no request could be accepted")
	}
	for i := range f.Accounts {
		c.account(fmt.Sprintf("accounts[%d]", i), &f.Accounts[i])
	}
	return errors.Join(c.problems...)
}

// clone shares nothing with valid fixtures, so that nothing changes later what a sandbox knows.
func (f Fixtures) clone() (c Fixtures) {
	data, err := json.Marshal(f)
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		panic(err) // they are valid
	}
	return c
}

// with returns the fixtures with others added. An account of a known id is replaced.
func (f Fixtures) with(others Fixtures) Fixtures {
	all := slices.Clone(f.Accounts)
	for _, a := range others.Accounts {
		a.Faults = nil
		if i := slices.IndexFunc(all, func(known Account) bool { return known.ID == a.ID }); i >= 0 {
			all[i] = a
		} else {
			all = append(all, a)
		}
	}
	return Fixtures{Accounts: all}
}

// FixtureError says what is wrong at one place of the fixtures.
type FixtureError struct {
	Place  string // such as accounts[0].vehicles[1].id
	Reason string
}

// Error returns the place and the reason.
func (e *FixtureError) Error() string { return e.Place + " " + e.Reason }

type checker struct {
	problems []error
	seen     map[string]string // what must be there once, and where it is
}

func (c *checker) add(place, reason string) {
	c.problems = append(c.problems, &FixtureError{Place: place, Reason: reason})
}

func (c *checker) account(at string, a *Account) {
	c.id(at+".id", "account", a.ID)
	c.secret(at+".token", a.Token)
	if len(a.APIKeys) == 0 {
		c.add(at+".api_keys", "is empty, so no request could be accepted")
	}
	for i, k := range a.APIKeys {
		at := fmt.Sprintf("%s.api_keys[%d]", at, i)
		c.text(at+".name", k.Name)
		c.secret(at+".key", k.Key)
		for j, p := range k.Permissions {
			if p != CreateFaults {
				known := fmt.Sprintf("is unknown; the only permission is %q", CreateFaults)
				c.add(fmt.Sprintf("%s.permissions[%d]", at, j), known)
			}
		}
	}
	for i, v := range a.Vehicles {
		at := fmt.Sprintf("%s.vehicles[%d]", at, i)
		c.id(at+".id", "vehicle", v.ID)
		if v.ArchivedAt != nil {
			if _, err := v.ArchivedAt.MarshalText(); err != nil {
				c.add(at+".archived_at", "cannot be written as RFC 3339")
			}
		}
	}
	for i, r := range a.FaultRules {
		at := fmt.Sprintf("%s.fault_rules[%d]", at, i)
		c.id(at+".id", "fault rule", r.ID)
		c.text(at+".code", r.Code)
		c.once(at+".code", fmt.Sprintf("code %q of account %d", r.Code, a.ID))
	}
	// What is asked of a request is asked of a fault.
	known := newAccount(*a)
	for i := range a.Faults {
		at := fmt.Sprintf("%s.faults[%d]", at, i)
		body, err := json.Marshal(a.Faults[i])
		if err != nil {
			c.add(at, "cannot be written as JSON: "+err.Error())
			continue
		}
		in := readInput(body)
		known.check(in)
		for _, property := range slices.Sorted(maps.Keys(in.problems)) {
			c.add(at+"."+property, strings.Join(in.problems[property], ", "))
		}
	}
}

func (c *checker) id(at, kind string, id int64) {
	if id < 1 {
		c.add(at, "is less than 1")
		return
	}
	c.once(at, fmt.Sprintf("%s %d", kind, id))
}

func (c *checker) once(at, what string) {
	if first, twice := c.seen[what]; twice {
		c.add(at, "is the same as "+first)
		return
	}
	c.seen[what] = at
}

func (c *checker) text(at, s string) {
	if strings.TrimSpace(s) == "" {
		c.add(at, "is empty")
	} else if !utf8.ValidString(s) {
		c.add(at, "is not valid UTF-8")
	}
}

// secret takes what a header can hold, so that a caller can send it.
func (c *checker) secret(at, s string) {
	switch {
	case s == "":
		c.add(at, "is empty")
	case strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }):
		c.add(at, "has a character that no key has; it takes visible ASCII, without spaces")
	default:
		c.once(at, "secret "+s)
	}
}
