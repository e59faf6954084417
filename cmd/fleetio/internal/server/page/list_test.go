package page

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// numbered has exchanges of which some were let go already.
func numbered(from, to int64) *stub {
	s := newStub()
	for n := from; n <= to; n++ {
		s.exchanges = append(s.exchanges, plainExchange(n))
	}
	return s
}

// every finds something in every n-th exchange, drift in the others, and counts how often it is asked.
func every(n int64, asked *int) Check {
	return func(ex *sandbox.Exchange) ([]Finding, error) {
		*asked++
		return []Finding{{Rule: "rule", Part: "response.status", Fails: ex.Number%n == 0}}, nil
	}
}

// links are the links of an element of the page, as "where text".
func links(shown, from, to string) string {
	_, shown, _ = strings.Cut(shown, from)
	shown, _, _ = strings.Cut(shown, to)
	var list []string
	for _, link := range regexp.MustCompile(`<a [^>]*href="([^"]*)"( hidden)?>([^<]*)</a>`).FindAllStringSubmatch(shown, -1) {
		list = append(list, strings.ReplaceAll(link[1], "&amp;", "&")+" "+link[3]+link[2])
	}
	return strings.Join(list, ", ")
}

func TestList(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		source      *stub
		path        string
		first, last int64 // of the rows; 0 for none
		rows        int
		note        string
		links       string // below the list
	}{
		"nothing":            {newStub(), "/", 0, 0, 0, "", ""},
		"nothing is kept":    {&stub{latest: 7}, "/", 0, 0, 0, "", ""},
		"a few":              {numbered(1, 3), "/", 3, 1, 3, "3 shown, the newest first.", ""},
		"a full page":        {numbered(1, 100), "/", 100, 1, 100, "100 shown, the newest first.", ""},
		"one more":           {numbered(1, 101), "/", 101, 2, 100, "100 shown, the newest first.", "?before=2#list Older"},
		"one more, let go":   {numbered(2, 101), "/", 101, 2, 100, "100 shown, the newest first.", ""},
		"the second page":    {numbered(1, 250), "/?before=151", 150, 51, 100, "100 shown, the newest first. They are from before exchange 151; new ones do not appear here.", "./#list Newest, ?before=51#list Older"},
		"the last page":      {numbered(1, 250), "/?before=51", 50, 1, 50, "50 shown, the newest first. They are from before exchange 51; new ones do not appear here.", "./#list Newest"},
		"from let go on":     {numbered(101, 250), "/?before=51", 0, 0, 0, "", "./#list Newest"},
		"from not yet on":    {numbered(1, 3), "/?before=900", 3, 1, 3, "3 shown, the newest first. They are from before exchange 900; new ones do not appear here.", "./#list Newest"},
		"findings":           {numbered(1, 1000), "/?only=findings", 1000, 10, 100, "100 shown, the newest first.", ""},
		"more findings":      {numbered(1, 1010), "/?only=findings", 1010, 20, 100, "100 shown, the newest first.", "?only=findings&before=11#list Older"},
		"the oldest finding": {numbered(1, 1010), "/?only=findings&before=20", 10, 10, 1, "1 shown, the newest first. They are from before exchange 20; new ones do not appear here.", "?only=findings#list Newest"},
		"too many to look":   {numbered(1, 1105), "/?only=findings&before=1100", 1090, 100, 100, "100 shown, the newest first. They are from before exchange 1100; new ones do not appear here.", "?only=findings#list Newest, ?only=findings&before=100#list Older"},
		"no findings":        {numbered(1, 9), "/?only=findings", 0, 0, 0, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			shown := body200(t, newPage(c.source, every(10, &asked)), c.path)
			assert.Equal(t, c.rows, strings.Count(shown, `aria-label="Exchange `))
			if c.rows > 0 {
				numbers := regexp.MustCompile(`id="exchange-(\d+)"`).FindAllStringSubmatch(shown, -1)
				assert.Equal(t, []string{strconv.FormatInt(c.first, 10), strconv.FormatInt(c.last, 10)}, []string{numbers[0][1], numbers[len(numbers)-1][1]})
			} else {
				assert.Contains(t, shown, `id="exchange-none"`)
				assert.NotContains(t, shown, `id="count"`)
			}
			assert.Contains(t, shown, c.note)
			assert.Equal(t, c.links, links(shown, `<div id="pages"`, "</div>"))
			assert.LessOrEqual(t, asked, maxLooked+maxListed)
		})
	}
}

// TestListLinks holds the links to lead to the list that one is at, and the script to know which page is live.
func TestListLinks(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]struct{ other, row, chosen, live string }{
		"/":               {"?only=findings#list Findings only", "?exchange=140", "", "./"},
		"/?exchange=150":  {"?only=findings#list Findings only", "?exchange=140", "?exchange=149 Previous, ?exchange=151 Next, ./ Close", "./"},
		"/?only=findings": {"./#list All exchanges", "?only=findings&exchange=140", "", "?only=findings"},
		"/?before=145":    {"?only=findings#list Findings only", "?before=145&exchange=140", "", ""},
		"/?exchange=150&before=145&only=findings": {"./#list All exchanges", "?only=findings&before=145&exchange=140", "?only=findings&before=145&exchange=149 Previous, ?only=findings&before=145&exchange=151 Next, ?only=findings&before=145 Close", ""},
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			asked := 0
			shown := body200(t, newPage(numbered(1, 200), every(10, &asked)), path)
			assert.Equal(t, want.other, links(shown, `<nav aria-label="Lists">`, "</nav>"), path)
			assert.Contains(t, shown, `href="`+strings.ReplaceAll(want.row, "&", "&amp;")+`" aria-label="Exchange 140"`, path)
			assert.Equal(t, want.chosen, links(shown, `<nav aria-label="Exchanges">`, "</nav>"), path)
			if want.live == "" {
				assert.NotContains(t, shown, "data-live", path)
			} else {
				assert.Contains(t, shown, `data-newest="200" data-live="`+want.live+`"`, path)
			}
			values, err := url.ParseQuery(strings.TrimPrefix(path, "/?"))
			assert.NoError(t, err)
			q, problem := readQuery(values)
			assert.Empty(t, problem)
			again, err := url.ParseQuery(strings.TrimPrefix(q.String(), "?"))
			assert.NoError(t, err)
			if path != "/" {
				assert.Equal(t, values, again, "an address is passed on whole")
			}
		})
	}
}

// TestNeighbours leads nowhere but to what is kept, and back from what is not.
func TestNeighbours(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]struct {
		status             int
		links, title, note string
	}{
		"/":             {200, "", "fleetio sandbox", "Choose one above"},
		"/?exchange=5":  {200, "?exchange=6 Next, ./ Close", "Exchange 5 · fleetio sandbox", ""},
		"/?exchange=6":  {200, "?exchange=5 Previous, ?exchange=7 Next, ./ Close", "Exchange 6 · fleetio sandbox", ""},
		"/?exchange=8":  {200, "?exchange=7 Previous, ?exchange=9 Next hidden, ./ Close", "Exchange 8 · fleetio sandbox", ""},
		"/?exchange=4":  {404, "?exchange=8 Newest, ./ Close", "Exchange 4 · fleetio sandbox", "It is no longer in the history."},
		"/?exchange=9":  {404, "?exchange=8 Newest, ./ Close", "Exchange 9 · fleetio sandbox", "It has not arrived yet."},
		"/?exchange=99": {404, "?exchange=8 Newest, ./ Close", "Exchange 99 · fleetio sandbox", "It has not arrived yet."},
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			w := get(t, newPage(numbered(5, 8), nil), path)
			assert.Equal(t, want.status, w.Code, path)
			assert.Equal(t, want.links, links(w.Body.String(), `<nav aria-label="Exchanges">`, "</nav>"), path)
			assert.Contains(t, w.Body.String(), "<title>"+want.title+"</title>", path)
			assert.Contains(t, w.Body.String(), want.note, path)
		})
	}
	w := get(t, newPage(newStub(), nil), "/?exchange=1")
	assert.Equal(t, http.StatusNotFound, w.Code)
	assert.Equal(t, "./ Close", links(w.Body.String(), `<nav aria-label="Exchanges">`, "</nav>"))
}

// TestListRemembers looks at the list of findings again and again while exchanges arrive. Each is checked once.
func TestListRemembers(t *testing.T) {
	t.Parallel()
	asked := 0
	s := numbered(1, maxLooked)
	p := newPage(s, every(500, &asked))
	const added = 10
	for range 3 * maxLooked / added {
		p.list(query{Only: true}, s.Latest())
		s.add(slices.Repeat([]sandbox.Exchange{plainExchange(0)}, added)...)
	}
	assert.Equal(t, int(s.Latest())-added, asked, "all but the last, which were not listed")
}
