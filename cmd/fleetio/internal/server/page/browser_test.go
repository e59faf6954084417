package page_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server/page"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// nasty is text that must stay text. In a field of a fault it comes back in the response and in the list of faults.
const nasty = `</textarea></script><script>window.pwned=1;alert(1)</script>"><img src=x onerror="window.pwned=1">'` + "`${1}`\u2028\u202e\x00"

// nastyCode is short, as a contract may limit a code.
const nastyCode = `"><img src=x onerror=alert(1)>`

// shown is how the page writes it.
var shown = strings.NewReplacer("\u2028", `\u2028`, "\u202e", `\u202e`, "\x00", `\x00`).Replace(nasty)

// suspicious finds something at every kind of place of the first exchange, with nasty messages.
func suspicious(ex *sandbox.Exchange) ([]page.Finding, error) {
	if ex.Number != 1 {
		return nil, nil
	}
	return []page.Finding{
		{Rule: "minimum", Part: "response.body", Pointer: "/id", Message: nasty, Spec: "api/openapi.yaml:400", Fails: true},
		{Rule: "required", Part: "response.body", Pointer: "/" + nasty, Message: nasty, Fails: true},
		{Rule: "undocumented-property", Part: "request.body", Pointer: "/name", Message: nasty},
		{Rule: "format", Part: "response.header", Pointer: "/Location", Message: nasty, Fails: true},
		{Rule: "status", Part: "response.status", Message: nasty, Fails: true},
		{Rule: "portability", Part: "request.body", Pointer: "/vehicle_id", Message: nasty, Note: true},
	}, nil
}

// TestBrowser uses the page with the keyboard only.
func TestBrowser(t *testing.T) {
	w := openWindow(t)
	s := serve(t, suspicious, sandbox.WithRateLimit(20))
	w.open(t, s.url)
	assert.Equal(t, "Nothing has arrived yet.", w.text(t, `document.querySelector('#exchanges').textContent.trim()`))
	w.tab(t, `document.activeElement.dataset.copy === 'first-command'`)
	w.press(t, kb.Enter)
	w.until(t, `document.activeElement.textContent === 'Copied'`)
	assert.Contains(t, w.text(t, `navigator.clipboard.readText()`), `--data-raw '{"vehicle_id":1,"code":"P0420"}'`)

	// It appears without a reload, and is announced.
	require.Equal(t, http.StatusCreated, s.post(t, markup()))
	w.until(t, `document.querySelector('#exchange-1 .tag')?.textContent === '4 findings'`)
	w.until(t, `document.getElementById('news').textContent === 'Exchange 1 POST /api/v1/faults 201 Created 4 findings'`)
	// A minute that begins just now sets it back; the golden page has a meter that nothing moves.
	assert.Regexp(t, "^[01] of 20$", w.text(t, `document.getElementById('limit-0').textContent.match(/\d+ of \d+/)[0]`))
	assert.Equal(t, shown, w.text(t, `document.querySelector('#account-12 tbody tr').cells[5].textContent`), "the name is there as it is")
	assert.Equal(t, nastyCode, w.text(t, `document.querySelector('#account-12 tbody tr').cells[2].textContent`), "and the code")

	assert.Equal(t, "group", w.text(t, `document.activeElement.getAttribute('role')`), "the command that had the focus is gone, and the list has it")
	assert.Equal(t, "fleetio sandbox", w.text(t, `document.title`))

	// Tab leads to it, Enter opens it, and what opened has the focus.
	w.tab(t, `document.activeElement.getAttribute('href') === '?exchange=1'`)
	assert.Equal(t, "solid", w.text(t, `getComputedStyle(document.activeElement, '::after').outlineStyle`), "the focus can be seen")
	w.press(t, kb.Enter)
	w.until(t, `document.activeElement.textContent === 'Exchange 1'`)
	assert.Equal(t, "?exchange=1", w.text(t, `location.search`))
	assert.Equal(t, "Exchange 1 · fleetio sandbox", w.text(t, `document.title`))
	assert.Equal(t, "none", w.text(t, `getComputedStyle(document.getElementById('next')).display`), "there is no next one")
	assert.Equal(t, "true", w.text(t, `document.querySelector('#exchange-1 a').getAttribute('aria-current')`))

	// The findings are below what they are about.
	for number, place := range map[int]string{1: `"id": 1,`, 2: "{", 3: `"name": "`, 4: "Location", 5: "201 Created"} {
		found := `document.getElementById('finding-` + strconv.Itoa(number) + `')`
		assert.Contains(t, w.text(t, found+`.textContent`), shown)
		assert.Contains(t, w.text(t, `(`+found+`.closest('.headers div') ?? `+found+`.previousElementSibling).textContent.trim()`), place, number)
	}
	assert.Contains(t, w.text(t, `document.querySelector('#chosen').textContent`), "<script>window.pwned=1</script>")

	// The button copies the command, which is that of the page.
	w.tab(t, `document.activeElement.id === 'copy'`)
	w.press(t, kb.Enter)
	w.until(t, `document.activeElement.textContent === 'Copied'`)
	copied := w.text(t, `navigator.clipboard.readText()`)
	assert.Equal(t, w.text(t, `document.getElementById('command').textContent`), copied)
	assert.Contains(t, copied, `--header 'Authorization: Token '"${FLEETIO_API_KEY:?}"`)
	assert.NotContains(t, copied, "sandbox-key")

	// What is new does not take away what is in view.
	require.Equal(t, http.StatusCreated, s.post(t, plain()))
	w.until(t, `document.getElementById('exchanges').rows[0].id === 'exchange-2'`)
	assert.Equal(t, "copy", w.text(t, `document.activeElement.id`))
	assert.Equal(t, "Exchange 1", w.text(t, `document.getElementById('chosen-title').textContent`))
	assert.Equal(t, "exchange-1", w.text(t, `document.querySelector('#exchanges [aria-current]').closest('tr').id`))

	assert.Equal(t, "block", w.text(t, `getComputedStyle(document.getElementById('next')).display`), "now there is")

	// The way back.
	w.text(t, `document.querySelector('#exchange-2 a').focus(), ''`)
	w.press(t, kb.ArrowDown)
	assert.Equal(t, "?exchange=1", w.text(t, `document.activeElement.getAttribute('href')`))
	w.press(t, kb.ArrowUp)
	w.press(t, kb.Enter)
	w.until(t, `document.activeElement.textContent === 'Exchange 2'`)
	w.text(t, `history.back(), ''`)
	w.until(t, `document.activeElement.textContent === 'Exchange 1'`)

	assert.Equal(t, "undefined", w.text(t, `typeof window.pwned`))
	assert.Empty(t, w.heard(), "no dialog, no violated policy, no error")

	// The policy is the last line. What would break it is refused, and heard of.
	assert.Equal(t, "TypeError", w.text(t, `(() => { try { document.body.insertAdjacentHTML('beforeend', '<i>'); } catch (e) { return e.name; } return ''; })()`))
	assert.Equal(t, "TypeError", w.text(t, `(() => { try { document.createElement('script').text = 'window.pwned=1'; } catch (e) { return e.name; } return ''; })()`))
	assert.NotEmpty(t, w.heard())
}

// TestBrowserWithoutScript sees all but what is new.
func TestBrowserWithoutScript(t *testing.T) {
	w := openWindow(t)
	s := serve(t, suspicious)
	s.post(t, markup())
	w.withoutScript(t)
	require.NoError(t, chromedp.Do(w.ctx, chromedp.Navigate(s.url)))
	assert.Equal(t, "Reload to see what is new", w.text(t, `document.getElementById('state').textContent`))
	w.tab(t, `document.activeElement.getAttribute('href') === '?exchange=1'`)
	require.NoError(t, chromedp.Do(w.ctx, chromedp.Navigate(w.text(t, `document.activeElement.href`))))
	assert.Equal(t, "Exchange 1", w.text(t, `document.getElementById('chosen-title').textContent`))
	assert.Equal(t, "none", w.text(t, `getComputedStyle(document.getElementById('copy')).display`), "what does nothing is not shown")
	assert.Empty(t, w.heard())
}

// TestBrowserLooks is about light, dark, and narrow screens.
func TestBrowserLooks(t *testing.T) {
	w := openWindow(t)
	s := serve(t, suspicious, sandbox.WithRateLimit(3))
	s.post(t, markup())
	require.NoError(t, s.InjectNext(sandbox.Fail(http.StatusInternalServerError), sandbox.DropBefore()))
	for range 4 {
		s.post(t, plain())
	}
	grounds := map[string]bool{}
	for _, scheme := range []string{"light", "dark"} {
		w.scheme(t, scheme)
		w.open(t, s.url+"/?exchange=1")
		grounds[w.text(t, `getComputedStyle(document.body).backgroundColor`)] = true
		assert.Empty(t, w.text(t, pale), "texts with too little contrast, %s", scheme)
		for _, width := range []int64{1360, 700, 320} {
			w.size(t, width, 800)
			assert.Equal(t, strconv.FormatInt(width, 10), w.text(t, `String(document.documentElement.scrollWidth)`), "nothing sticks out")
		}
	}
	assert.Len(t, grounds, 2)
	assert.Empty(t, w.heard())
}

// pale lists the texts whose contrast is less than 4.5 to 1 (WCAG 2.2, success criterion 1.4.3).
const pale = `(() => {
	const part = (c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
	const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
	const colour = (text) => text.match(/[\d.]+/g).map(Number);
	const ground = (e) => { const c = colour(getComputedStyle(e).backgroundColor); return c.length === 4 && c[3] === 0 ? ground(e.parentElement) : c; };
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	const bad = new Set();
	let seen = 0;
	while (walker.nextNode()) {
		const e = walker.currentNode.parentElement;
		if (!walker.currentNode.textContent.trim() || e.closest('meter')) continue;
		seen++;
		const [a, b] = [light(colour(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
		if ((a + 0.05) / (b + 0.05) < 4.5) bad.add(e.tagName + '.' + e.className + ': ' + walker.currentNode.textContent.slice(0, 30));
	}
	return seen < 100 ? 'too few texts' : [...bad].join('; ');
})()`
