package page

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// TestVerdicts looks when the checker is called: for a page, and once for the lists.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	asked := map[int64]int{}
	s := newStub()
	p := newPage(s, func(ex *sandbox.Exchange) ([]Finding, error) {
		asked[ex.Number]++
		if ex.Number == 1 {
			return nil, errUnknown
		}
		return nil, nil
	})
	s.add(plainExchange(0), plainExchange(0))
	dropped := plainExchange(0)
	dropped.Status = 0
	s.add(dropped)
	assert.Empty(t, asked, "no page is open")
	for range 3 {
		shown := body200(t, p, "/?exchange=1")
		assert.Contains(t, shown, "not checked: "+errUnknown.Error())
	}
	assert.Equal(t, map[int64]int{1: 4, 2: 1}, asked, "for its row, and for each look at the details")
	for range maxRows + 50 {
		s.add(plainExchange(0))
		p.row(s.Latest())
	}
	assert.Len(t, p.rows.entries, maxRows)
	assert.Len(t, p.rows.order, maxRows)
	p.row(s.Latest())
	assert.Equal(t, 1, asked[s.Latest()])

	assert.Contains(t, body200(t, newPage(s, nil), "/?exchange=2"), "not checked: this sandbox has no checker")
}

// TestVerdictText holds the tag to count what the links lead to.
func TestVerdictText(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		found           string // f fails, d is drift, n is a note
		kind, tag, list string
		places          []string // the marks, in the order of the page
	}{
		"nothing":       {"", "conforms", "conforms", "", nil},
		"a note":        {"n", "conforms", "conforms, 1 note", "notes: 1", []string{"noted Note 1"}},
		"notes":         {"nn", "conforms", "conforms, 2 notes", "notes: 1 2", []string{"noted Note 1", "noted Note 2"}},
		"drift":         {"d", "drift", "drift", "drift: 1", []string{"drift Drift 1"}},
		"drift, a note": {"nd", "drift", "drift", "drift: 2|notes: 1", []string{"noted Note 1", "drift Drift 2"}},
		"a finding":     {"f", "fails", "1 finding", "findings: 1", []string{"fails Finding 1"}},
		"all":           {"ndfdf", "fails", "2 findings", "findings: 3 5|drift: 2 4|notes: 1", []string{"noted Note 1", "drift Drift 2", "fails Finding 3", "drift Drift 4", "fails Finding 5"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPage(newStub(plainExchange(1)), func(*sandbox.Exchange) (list []Finding, _ error) {
				for _, kind := range c.found {
					list = append(list, Finding{Rule: "rule", Part: "response.status", Fails: kind == 'f', Note: kind == 'n'})
				}
				return list, nil
			})
			shown := body200(t, p, "/?exchange=1")
			assert.Equal(t, 2, strings.Count(shown, `<span class="tag `+c.kind+`">`+c.tag+`</span>`), "in the list and above the exchange")
			_, facts, _ := strings.Cut(shown, `<p class="facts">`)
			facts, _, _ = strings.Cut(facts, "</p>")
			var list []string
			for _, span := range regexp.MustCompile(`<span>(\w+: <a .*) </span>`).FindAllStringSubmatch(facts, -1) {
				list = append(list, regexp.MustCompile(`<[^>]*>`).ReplaceAllString(span[1], ""))
			}
			assert.Equal(t, c.list, strings.Join(list, "|"))
			var places []string
			for _, mark := range regexp.MustCompile(`<p class="mark (\w+)" id="finding-\d+"><b>(\w+ \d+)</b>`).FindAllStringSubmatch(shown, -1) {
				places = append(places, mark[1]+" "+mark[2])
			}
			assert.Equal(t, c.places, places)
		})
	}
}

// TestMarked colours a line by the worst that is said of it.
func TestMarked(t *testing.T) {
	t.Parallel()
	for kinds, want := range map[string]string{"": "", "n": "marked noted", "nd": "marked drift", "ndf": "marked fails", "fdn": "marked fails"} {
		t.Run(kinds, func(t *testing.T) {
			t.Parallel()
			var about marks
			for _, kind := range kinds {
				about = append(about, newMark(1, Finding{Fails: kind == 'f', Note: kind == 'n'}))
			}
			assert.Equal(t, want, about.Kind(), kinds)
		})
	}
}
