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

	"github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// Fixtures are the initial accounts of a sandbox. The command reads them from a file.
type Fixtures struct {
	Accounts []Account `json:"accounts"`
}

// Account is an account of the vendor's. It sees nothing of other accounts.
type Account struct {
	ID    int64  `json:"id"` // from 1
	Name  string `json:"name,omitempty"`
	Token string `json:"token"` // the header Account-Token

	APIKeys    []APIKey    `json:"api_keys"`
	Vehicles   []Vehicle   `json:"vehicles,omitempty"`
	FaultRules []FaultRule `json:"fault_rules,omitempty"`
	// Faults are created when the account is first added to a store, and never again.
	Faults []fleetio.FaultCreate `json:"faults,omitempty"`
}

// APIKey is a key that callers send as "Authorization: Token KEY".
type APIKey struct {
	Name        string       `json:"name"` // for logs and [Exchange.APIKey]
	Key         string       `json:"key"`
	Permissions []Permission `json:"permissions,omitempty"` // without one, each request gets a 403
}

// Permission is a permission of an [APIKey].
type Permission string

const (
	// CreateFaults allows a key to create faults, and to call every other operation that changes something.
	CreateFaults Permission = "create_faults"
	// ReadFaults allows a key to read faults, and to call every other operation that changes nothing.
	ReadFaults Permission = "read_faults"
)

// Vehicle is a vehicle. Faults of an archived one are created, too, and have its vehicle_archived_at.
type Vehicle struct {
	ID         int64      `json:"id"` // from 1, and the vehicle of one account only
	Name       string     `json:"name,omitempty"`
	ArchivedAt *time.Time `json:"archived_at,omitempty"` // nil for a vehicle in use
}

// FaultRule is a Fault Rule. An account needs one for each code that it accepts.
type FaultRule struct {
	ID   int64  `json:"id"` // from 1, and the rule of one account only
	Code string `json:"code"`
	// Name and Description, unless they are "", replace those of a request.
	Name             string           `json:"name,omitempty"`
	Description      string           `json:"description,omitempty"`
	PriorityHandling PriorityHandling `json:"priority_handling,omitempty"` // "" is PriorityOff
}

// PriorityHandling is what a [FaultRule] does with the faults of its code.
type PriorityHandling string

// The values of PriorityHandling that the vendor documents.
const (
	PriorityOff      PriorityHandling = "off"
	PriorityIgnore   PriorityHandling = "ignore"   // the faults get the status ignored
	PriorityCritical PriorityHandling = "critical" // without an effect in the sandbox
)

//go:embed default.json
var defaultFixtures []byte

// DefaultFixtures returns the default fixtures: an account with a key that may create and read faults and one that may
// only read, a vehicle in use (1) and an archived one (2), and a few codes: P0420, whose rule changes nothing, P0171,
// whose rule sets name and description, SPN 3226 FMI 4, whose rule sets the name, and P0442, whose faults are ignored;
// and a second account. The keys are the same in each sandbox, and no secret.
func DefaultFixtures() Fixtures {
	var f Fixtures
	if err := json.Unmarshal(defaultFixtures, &f); err != nil {
		panic(err) // a test reads it
	}
	return f
}

// Validate returns all problems of the fixtures, joined [*FixtureError] values; nil for none. They contain no
// credential.
func (f Fixtures) Validate() error { return f.validateWith(Fixtures{}) }

// validateWith is Validate for fixtures that are added to a store: the stored accounts that they do not replace have
// their own ids and credentials.
func (f Fixtures) validateWith(stored Fixtures) error {
	c := checker{places: map[string]string{}}
	for _, a := range stored.Accounts {
		if !slices.ContainsFunc(f.Accounts, func(ours Account) bool { return ours.ID == a.ID }) {
			c.account(fmt.Sprintf("(account %d in the store)", a.ID), &a)
		}
	}
	c.problems = nil // of the store, which these fixtures cannot change
	if len(f.Accounts) == 0 {
		c.add("accounts", "is empty, so no request could be accepted")
	}
	for i := range f.Accounts {
		c.account(fmt.Sprintf("accounts[%d]", i), &f.Accounts[i])
	}
	return errors.Join(c.problems...)
}

// clone returns a deep copy of valid fixtures, so that the caller cannot change those of a sandbox.
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

// merge returns the fixtures with others added. An account replaces the one of the same id.
func (f Fixtures) merge(others Fixtures) Fixtures {
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

// FixtureError is one problem of fixtures.
type FixtureError struct {
	Place  string // such as accounts[0].vehicles[1].id
	Reason string
}

// Error returns the place and the reason.
func (e *FixtureError) Error() string { return e.Place + " " + e.Reason }

// checker checks fixtures.
type checker struct {
	problems []error
	places   map[string]string // of values that must be unique
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
		c.notEmpty(at+".name", k.Name)
		c.secret(at+".key", k.Key)
		for j, p := range k.Permissions {
			oneOf(c, fmt.Sprintf("%s.permissions[%d]", at, j), p, CreateFaults, ReadFaults)
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
		c.notEmpty(at+".code", r.Code)
		c.unique(at+".code", fmt.Sprintf("code %q of account %d", r.Code, a.ID))
		oneOf(c, at+".priority_handling", r.PriorityHandling, "", PriorityOff, PriorityIgnore, PriorityCritical)
	}
	// A fault must be valid as a request.
	known := newAccount(*a)
	for i := range a.Faults {
		at := fmt.Sprintf("%s.faults[%d]", at, i)
		body, err := json.Marshal(a.Faults[i])
		if err != nil {
			c.add(at, "cannot be written as JSON: "+err.Error())
			continue
		}
		in := readInput(fleetioapi.FaultCreateSchema, body)
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
	c.unique(at, fmt.Sprintf("%s %d", kind, id))
}

func (c *checker) unique(at, value string) {
	if first, repeated := c.places[value]; repeated {
		c.add(at, "is the same as "+first)
		return
	}
	c.places[value] = at
}

func oneOf[T ~string](c *checker, at string, value T, known ...T) {
	if !slices.Contains(known, value) {
		c.add(at, fmt.Sprintf("is unknown; expected one of %q", slices.DeleteFunc(known, func(k T) bool { return k == "" })))
	}
}

func (c *checker) notEmpty(at, s string) {
	if strings.TrimSpace(s) == "" {
		c.add(at, "is empty")
	} else if !utf8.ValidString(s) {
		c.add(at, "is not valid UTF-8")
	}
}

// secret accepts valid header values, which a caller can send.
func (c *checker) secret(at, s string) {
	switch {
	case s == "":
		c.add(at, "is empty")
	case strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }):
		c.add(at, "has a character that no key has; it takes visible ASCII, without spaces")
	default:
		c.unique(at, "secret "+s)
	}
}
