package page

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// section is the part of the page about an account, without its markup.
func section(shown, account string) string {
	_, shown, _ = strings.Cut(shown, `<section id="account-`+account+`"`)
	shown, _, _ = strings.Cut(shown, "</section>")
	return strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(shown, " ")), " ")
}

// TestStoredCut says what is left out, and nothing where all is there.
func TestStoredCut(t *testing.T) {
	t.Parallel()
	const (
		cutOne   = "The newest 50 are shown."
		cutAll   = "Faults older than the newest 100 of all accounts are not shown."
		none     = "none Codes none No faults."
		noneSeen = "none Codes none No faults among the newest 100 of all accounts."
	)
	for name, c := range map[string]struct {
		faults          map[int64]int // by account
		first, second   int           // rows
		one, all        bool
		secondHasNoneOf string
	}{
		"none":           {map[int64]int{}, 0, 0, false, false, none},
		"some":           {map[int64]int{1: 50, 2: 1}, 50, 1, false, false, ""},
		"many of one":    {map[int64]int{1: 51, 2: 3}, 50, 3, true, false, ""},
		"as many as fit": {map[int64]int{1: maxFaults}, 50, 0, true, false, none},
		"one hides all":  {map[int64]int{1: maxFaults + 1, 2: 3}, 50, 0, true, true, noneSeen},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStub()
			s.accounts = []sandbox.Account{{ID: 1, Name: "First"}, {ID: 2, Name: "Second"}}
			s.faults = map[int64][]fleetioapi.Fault{}
			for account, n := range c.faults {
				for i := range n {
					s.faults[account] = append(s.faults[account], fleetioapi.Fault{ID: account*1000 + int64(i), Code: "P0420"})
				}
			}
			shown := body200(t, newPage(s, nil), "/")
			first, second := section(shown, "1"), section(shown, "2")
			assert.Equal(t, c.first, strings.Count(first, "P0420"), name)
			assert.Equal(t, c.second, strings.Count(second, "P0420"), name)
			assert.Equal(t, c.one, strings.Contains(first, cutOne), name)
			assert.NotContains(t, second, cutOne, name)
			assert.Equal(t, c.all, strings.Contains(shown, cutAll), name)
			assert.True(t, strings.HasSuffix(second, c.secondHasNoneOf), "%s: %s", name, second)
		})
	}
}

// TestMoreLimits has more accounts than are shown.
func TestMoreLimits(t *testing.T) {
	t.Parallel()
	s := newStub()
	for range maxAccounts {
		s.limits = append(s.limits, sandbox.RateLimit{Account: "x"})
	}
	assert.NotContains(t, body200(t, newPage(s, nil), "/"), "more accounts are not shown")
	s.limits = append(s.limits, sandbox.RateLimit{Account: "y"})
	assert.Contains(t, body200(t, newPage(s, nil), "/"), `<li id="limit-more" class="note">1 more accounts are not shown.</li>`)
}

// TestKnown lists what may be sent.
func TestKnown(t *testing.T) {
	t.Parallel()
	s := newStub()
	a := sandbox.Account{ID: 1, Name: "First", FaultRules: []sandbox.FaultRule{{Code: "P0420", Name: "Catalyst"}, {Code: "leaks " + secret}}}
	for i := range int64(maxKnown + 2) {
		a.Vehicles = append(a.Vehicles, sandbox.Vehicle{ID: 100 + i})
	}
	a.Vehicles[0].Name, a.Vehicles[1].ArchivedAt = "Van", &begin
	s.accounts = []sandbox.Account{a}
	shown := section(body200(t, newPage(s, nil), "/"), "1")
	assert.Contains(t, shown, "Vehicles 100 Van 101 (archived) 102 ")
	assert.Contains(t, shown, " 119 and 2 more Codes P0420 Catalyst leaks [redacted]")
}

// TestFirst shows the first command, if the fixtures allow one.
func TestFirst(t *testing.T) {
	t.Parallel()
	fixtures := func(edit func(a []sandbox.Account)) []sandbox.Account {
		a := sandbox.DefaultFixtures().Accounts
		edit(a)
		return a
	}
	for name, c := range map[string]struct {
		accounts []sandbox.Account
		note     string // "" for no command
		data     string
	}{
		"as it comes":   {fixtures(func([]sandbox.Account) {}), "printed for the key integration of Northwind Delivery, this creates a fault:", `{"vehicle_id":1,"code":"P0420"}`},
		"no permission": {fixtures(func(a []sandbox.Account) { a[0].APIKeys[0].Permissions = nil }), "printed for the key integration of Southwind Rentals,", `{"vehicle_id":3,"code":"P0300"}`},
		"another key": {fixtures(func(a []sandbox.Account) {
			a[0].APIKeys = a[0].APIKeys[1:]
			a[0].APIKeys[0].Permissions = []sandbox.Permission{sandbox.CreateFaults}
		}), "printed for the key reporting of Northwind Delivery,", `{"vehicle_id":1,"code":"P0420"}`},
		"no vehicle": {fixtures(func(a []sandbox.Account) { a[0].Vehicles = nil }), "of Southwind Rentals,", `{"vehicle_id":3,"code":"P0300"}`},
		"no rule":    {fixtures(func(a []sandbox.Account) { a[0].FaultRules = nil }), "of Southwind Rentals,", `{"vehicle_id":3,"code":"P0300"}`},
		"a quote":    {fixtures(func(a []sandbox.Account) { a[0].FaultRules[0].Code = "it's $HOME" }), "of Northwind Delivery,", `{"vehicle_id":1,"code":"it'\''s $HOME"}`},
		"nothing":    {fixtures(func(a []sandbox.Account) { a[0].Vehicles, a[1].Vehicles = nil, nil }), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStub()
			s.accounts = c.accounts
			p := newPage(s, nil)
			shown := body200(t, p, "/")
			_, at, has := strings.Cut(shown, `<div id="first">`)
			assert.Equal(t, c.note != "", has, name)
			assert.Contains(t, strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(at, "")), " "), c.note, name)
			assert.Contains(t, p.first("http://127.0.0.1:8080").Command, c.data, name)
			s.add(plainExchange(1))
			assert.NotContains(t, body200(t, p, "/"), `id="first"`, name)
		})
	}
}

// TestFirstRuns runs the command with the real curl against a real sandbox.
func TestFirstRuns(t *testing.T) {
	t.Parallel()
	needCurl(t)
	fixtures := sandbox.DefaultFixtures()
	fixtures.Accounts[0].FaultRules[0].Code = "a 'b' \u202e\n\"$(c)"
	box, err := sandbox.New(sandbox.WithFixtures(fixtures))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, box.Close()) })
	server := httptest.NewServer(box)
	t.Cleanup(server.Close)
	p := New(box, nil)
	runCurl(t, p.first(server.URL).Command, "FLEETIO_API_KEY=sandbox-key-integration", "FLEETIO_ACCOUNT_TOKEN=sandbox-account-northwind")
	ex, _ := box.Exchange(1)
	assert.Equal(t, http.StatusCreated, ex.Status)
	var sent map[string]any
	require.NoError(t, json.Unmarshal(ex.Body, &sent))
	assert.Equal(t, fixtures.Accounts[0].FaultRules[0].Code, sent["code"])
}
