package page_test

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// numbers are those of the exchanges in the list.
const numbers = `[...document.querySelectorAll('#exchanges td:first-child')].map(cell => cell.textContent).join()`

func upTo(newest, rows int) string {
	var list []string
	for i := range rows {
		list = append(list, strconv.Itoa(newest-i))
	}
	return strings.Join(list, ",")
}

// TestBrowserLive is about what arrives while it is not visible: a lot at once, while the page is paused, and while the
// server is away.
func TestBrowserLive(t *testing.T) {
	t.Parallel()
	w := openWindow(t)
	s := build(t, nil)
	var armed, away atomic.Bool
	asked, answer := make(chan bool), make(chan bool)
	s.start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" && armed.Load() {
			asked <- true
			<-answer
		}
		if away.Load() {
			panic(http.ErrAbortHandler)
		}
		s.handler.ServeHTTP(w, r)
	}))
	w.open(t, s.url)
	w.text(t, `window.told = [], new MutationObserver(() => told.push([performance.now(), document.getElementById('news').textContent]))
		.observe(document.getElementById('news'), {childList: true}), ''`)
	s.post(t, plain())
	w.until(t, `told.length === 1`)
	for range 149 {
		s.post(t, plain())
	}
	w.until(t, `document.getElementById('exchange-150')`)
	assert.Equal(t, upTo(150, 100), w.text(t, numbers), "each once, the newest first, and no more than a hundred")
	assert.Equal(t, "not checked", w.text(t, `document.querySelector('#exchange-150 .tag').textContent`))

	// A screen reader does not announce each.
	w.until(t, `told.reduce((sum, [, text]) => sum + Number(text.match(/^(\d+) new exchanges/)?.[1] ?? 1), 0) === 150`)
	told := 0
	for text := range strings.SplitSeq(w.text(t, `told.map(([, text]) => text).join('|')`), "|") {
		n := 1
		if several := regexp.MustCompile(`^(\d+) new exchanges\. Exchange `).FindStringSubmatch(text); several != nil {
			n, _ = strconv.Atoi(several[1])
		}
		told += n
	}
	assert.Equal(t, 150, told, "but of all")
	assert.Equal(t, "true", w.text(t, `String(told.length > 1 && told.every(([at], i) => i === 0 || at - told[i - 1][0] > 2990))`))

	// While it is paused nothing changes, not by what was asked for before, either.
	armed.Store(true)
	require.NoError(t, s.InjectNext(sandbox.DropAfter()))
	assert.Equal(t, 0, s.post(t, plain()))
	<-asked
	armed.Store(false)
	w.text(t, `performance.clearResourceTimings(), document.getElementById('pause').click(), ''`)
	answer <- true
	w.until(t, `performance.getEntriesByName(location.href).length`)
	s.post(t, plain())
	w.text(t, `new Promise(done => setTimeout(() => done(''), 50))`)
	assert.Equal(t, "Paused", w.text(t, `document.getElementById('state').textContent`))
	assert.Equal(t, upTo(150, 100), w.text(t, numbers))
	w.text(t, `document.getElementById('pause').click(), ''`)
	w.until(t, `document.getElementById('exchange-152')`)
	assert.Equal(t, upTo(152, 100), w.text(t, numbers))
	assert.Equal(t, "dropped", w.text(t, `document.querySelector('#exchange-151 .tag').textContent`))
	assert.Empty(t, w.heard())

	away.Store(true)
	w.until(t, `document.getElementById('state').textContent === 'Not connected'`)
	away.Store(false)
	s.post(t, plain())
	w.until(t, `document.getElementById('exchange-153') && document.getElementById('state').textContent === 'Live'`)
	assert.Equal(t, upTo(153, 100), w.text(t, numbers))
	w.until(t, `/is lost.*is back/s.test(told.map(([, text]) => text).join())`)
}

// TestBrowserKeepsPlace holds what is new not to move what is in view.
func TestBrowserKeepsPlace(t *testing.T) {
	t.Parallel()
	w := openWindow(t)
	s := serve(t, nil)
	south := func() {
		require.Equal(t, http.StatusCreated, s.postAs(t, "sandbox-key-southwind", "sandbox-account-southwind", map[string]any{"vehicle_id": 3, "code": "P0300"}))
	}
	for range 60 {
		south()
	}
	for range 45 {
		s.post(t, plain())
	}
	w.open(t, s.url)

	// In the faults of an account, while another one gets some, and then that account itself.
	w.text(t, `(window.group = document.querySelector('#account-13 .scroll')).focus(), group.scrollTop = 200, ''`)
	south() // so that the group is changed, and what comes after is no first time
	w.until(t, `document.querySelector('#account-13 tbody tr').id === 'fault-106'`)
	assert.Equal(t, "true", w.text(t, `String(document.activeElement === group)`))
	w.text(t, `group.scrollTop = 200, ''`)
	s.post(t, plain())
	w.until(t, `document.querySelector('#account-12 tbody tr').id === 'fault-107'`)
	assert.Equal(t, "true 200", w.text(t, `(document.activeElement === group) + ' ' + group.scrollTop`))
	assert.Equal(t, "51", w.text(t, `String(group.querySelectorAll('tbody tr').length)`), "50, and that there are older ones")

	// On a link that changes.
	w.text(t, `document.getElementById('older').focus(), ''`)
	assert.Equal(t, "?before=8", w.text(t, `document.activeElement.search`))
	s.post(t, plain())
	w.until(t, `document.activeElement.search === '?before=9'`)

	// A row that the keyboard leads to is not hidden by the head of the table.
	w.text(t, `document.querySelector('#exchange-70 a').focus(), ''`)
	w.text(t, `document.querySelector('#list .scroll').scrollTop += document.getElementById('exchange-71').getBoundingClientRect().top -
		document.querySelector('#list .scroll').getBoundingClientRect().top, ''`)
	w.press(t, kb.ArrowUp)
	assert.Equal(t, "?exchange=71", w.text(t, `document.activeElement.search`))
	assert.Equal(t, "true", w.text(t, `String(document.activeElement.closest('tr').getBoundingClientRect().top >= document.querySelector('#list th').getBoundingClientRect().bottom - 1)`))

	// On a page of older exchanges, only the rest is live.
	require.Equal(t, "?before=9", w.text(t, `document.getElementById('older').search`))
	w.open(t, s.url+"/?before=9")
	assert.Equal(t, upTo(8, 8), w.text(t, numbers))
	s.post(t, plain())
	w.until(t, `document.getElementById('fault-109')`)
	assert.Equal(t, upTo(8, 8), w.text(t, numbers))
	assert.Equal(t, "8 shown, the newest first. They are from before exchange 9; new ones do not appear here.", w.text(t, `document.getElementById('count').textContent`))
	w.text(t, `document.querySelector('#exchange-5 a').click(), ''`)
	w.until(t, `document.activeElement.textContent === 'Exchange 5'`)
	assert.Equal(t, "?before=9&exchange=5", w.text(t, `location.search`))
	assert.Equal(t, "exchange-5", w.text(t, `document.querySelector('#exchanges [aria-current]').closest('tr').id`))
	assert.Empty(t, w.heard())
}

// TestBrowserAnotherRun is about a sandbox that is stopped, and another one at its address, which counts from 1 again.
func TestBrowserAnotherRun(t *testing.T) {
	t.Parallel()
	w := openWindow(t)
	first, second := build(t, nil), build(t, nil)
	var now atomic.Pointer[served]
	now.Store(first)
	first.start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { now.Load().handler.ServeHTTP(w, r) }))
	second.url = first.url
	for range 3 {
		first.post(t, map[string]any{"vehicle_id": 1, "code": "P0420", "name": "of the first run"})
	}
	w.open(t, first.url+"/?exchange=1")
	assert.Contains(t, w.text(t, `document.getElementById('chosen').textContent`), "of the first run")
	now.Store(second)
	second.post(t, map[string]any{"vehicle_id": 1, "code": "P0171", "name": "of the second run"})
	w.until(t, `document.getElementById('chosen')?.textContent.includes('of the second run')`)
	assert.Equal(t, "1", w.text(t, numbers))
}
