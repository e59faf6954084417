package page

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

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
		cutOne   = "It has older ones; the newest 50 are shown."
		cutAll   = "Faults older than the newest 500 of all accounts are not shown."
		none     = "none Codes none None."
		noneSeen = "none Codes none None among the newest 500 of all accounts."
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
		"as many as fit": {map[int64]int{1: 500}, 50, 0, true, false, none},
		"one hides all":  {map[int64]int{1: 501, 2: 3}, 50, 0, true, true, noneSeen},
	} {
		s := newStub()
		s.accounts = []sandbox.Account{{ID: 1, Name: "First"}, {ID: 2, Name: "Second"}}
		s.faults = map[int64][]fleetioapi.Fault{}
		for account, n := range c.faults {
			for range n {
				s.faults[account] = append(s.faults[account], fleetioapi.Fault{Code: "P0420"})
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
	}
}

// TestMoreLimits has more accounts than are shown.
func TestMoreLimits(t *testing.T) {
	t.Parallel()
	s := newStub()
	for range mostAccounts {
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
	for i := range int64(mostKnown + 2) {
		a.Vehicles = append(a.Vehicles, sandbox.Vehicle{ID: 100 + i})
	}
	a.Vehicles[0].Name, a.Vehicles[1].ArchivedAt = "Van", &begin
	s.accounts = []sandbox.Account{a}
	shown := section(body200(t, newPage(s, nil), "/"), "1")
	assert.Contains(t, shown, "Vehicles 100 Van 101 (archived) 102 ")
	assert.Contains(t, shown, " 119 and 2 more Codes P0420 Catalyst leaks [hidden]")
}
