package page

import (
	"errors"
	"flag"
	"html/template"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
	"github.com/fleetcontract/fleetio-go/internal/curl"
	"github.com/fleetcontract/fleetio-go/internal/printable"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestAnswers(t *testing.T) {
	t.Parallel()
	p := newPage(newStub(plainExchange(1)), nil)
	for _, c := range []struct {
		method, path, allow string
		status              int
	}{
		{"GET", "/", "", 200},
		{"HEAD", "/", "", 200},
		{"POST", "/", "GET, HEAD", 405},
		{"OPTIONS", "/", "GET, HEAD", 405},
		{"GET", "/?exchange=1", "", 200},
		{"GET", "/?exchange=2", "", 404},
		{"GET", "/?exchange=0", "", 400},
		{"GET", "/?exchange=-1", "", 400},
		{"GET", "/?exchange=<script>", "", 400},
		{"GET", "/?exchange=99999999999999999999", "", 400},
		{"GET", "/?before=1&only=findings", "", 200},
		{"GET", "/?before=0", "", 400},
		{"GET", "/?before=<script>", "", 400},
		{"GET", "/?only=<script>", "", 400},
		{"GET", "/assets/page.css", "", 200},
		{"HEAD", "/assets/page.js", "", 200},
		{"PUT", "/assets/page.js", "GET, HEAD", 405},
		{"GET", "/assets/page.html", "", 404},
		{"GET", "/assets/", "", 404},
		{"GET", "/index.html", "", 404},
		{"GET", "/state/", "", 404},
		{"HEAD", "/state", "", 200},
		{"DELETE", "/state", "GET, HEAD", 405},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			t.Parallel()
			w := ask(t, p, c.method, c.path)
			assert.Equal(t, c.status, w.Code, "%s %s", c.method, c.path)
			assert.Equal(t, c.allow, strings.Join(w.Header()["Allow"], ", "), "%s %s", c.method, c.path)
			assert.NotContains(t, w.Body.String(), "<script>", "%s %s", c.method, c.path)
		})
	}
}

// TestState has a text of its own after each change that the script shows.
func TestState(t *testing.T) {
	t.Parallel()
	s := newStub(plainExchange(1))
	p := newPage(s, nil)
	assert.Equal(t, "1 0", body200(t, p, "/state"))
	s.add(plainExchange(0))
	s.limits = []sandbox.RateLimit{{Limit: 20, Used: 3}, {Limit: 20, Used: 1}}
	assert.Equal(t, "2 4", body200(t, p, "/state"))
	s.limits = []sandbox.RateLimit{{Limit: 20}, {Limit: 20}}
	assert.Equal(t, "2 0", body200(t, p, "/state"), "a new minute")
}

// TestPolicy is what is sent to the browser. The other tests expect it in each response.
func TestPolicy(t *testing.T) {
	t.Parallel()
	assert.Equal(t, map[string]string{
		"Content-Security-Policy":      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Referrer-Policy":              "no-referrer",
		"X-Content-Type-Options":       "nosniff",
	}, securityHeaders)
	assert.Equal(t, "no-store", get(t, newPage(newStub(), nil), "/").Header().Get("Cache-Control"))
}

func TestAssets(t *testing.T) {
	t.Parallel()
	p := newPage(newStub(), nil)
	shown := body200(t, p, "/")
	for path, c := range map[string]struct {
		mediaType string
		content   []byte
	}{"assets/page.css": {"text/css; charset=utf-8", css}, "assets/page.js": {"text/javascript; charset=utf-8", js}} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			assert.Contains(t, shown, `"`+path+`"`)
			w := get(t, p, "/"+path)
			assert.Equal(t, string(c.content), w.Body.String())
			assert.Equal(t, c.mediaType, w.Header().Get("Content-Type"))
			assert.Equal(t, "no-cache", w.Header().Get("Cache-Control"))
		})
	}
	// What the policy would refuse.
	for _, forbidden := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval(", "Function("} {
		assert.NotContains(t, string(js), forbidden)
	}
	assert.NotRegexp(t, `(?i)<style|\sstyle=|\son\w+=|javascript:|<script>|https?://[^w]`, markup)
}

// TestGolden keeps the whole page, with a finding at every kind of place.
func TestGolden(t *testing.T) {
	t.Parallel()
	s := newStub(plainExchange(1), plainExchange(2), plainExchange(3), plainExchange(4), plainExchange(5))
	s.exchanges[1].Failure = "429=1s"
	s.exchanges[1].Status = http.StatusTooManyRequests
	s.exchanges[2].Status, s.exchanges[2].ResponseBody, s.exchanges[2].ResponseHeader = 0, nil, nil
	s.exchanges[2].Failure, s.exchanges[2].Account, s.exchanges[2].APIKey = "drop-after", "", ""
	s.exchanges[3].URL = "/api/v1/vehicles"
	s.accounts = []sandbox.Account{
		{
			ID: 12, Name: "Northwind Delivery", Token: "secret-token",
			Vehicles:   []sandbox.Vehicle{{ID: 1, Name: "Van 1"}, {ID: 2, ArchivedAt: &begin}},
			FaultRules: []sandbox.FaultRule{{ID: 1, Code: "P0420", Name: "Catalyst"}, {ID: 2, Code: "P0171"}},
		},
		{ID: 13, Name: "Southwind"},
	}
	s.limits = []sandbox.RateLimit{
		{Account: "Northwind Delivery", Limit: 20, Used: 20, Reset: begin.Truncate(time.Minute).Add(time.Minute)},
		{Account: "Southwind", Reset: begin},
	}
	s.faults = map[int64][]fleetioapi.Fault{12: {{
		ID: 7, AccountID: 12, Code: "P0420", Status: fleetioapi.FaultStatusOpen, CreatedAt: &begin,
		VehicleID: fleetioapi.Value[int64](1), Count: fleetioapi.Value[int64](3), Name: fleetioapi.Value("Catalyst"),
		Description: fleetioapi.Null[string](), LastOccurredAt: fleetioapi.Value(begin), VehicleArchivedAt: fleetioapi.Value(begin),
	}}}
	p := newPage(s, everywhere)
	shown := body200(t, p, "/?exchange=1")
	golden(t, "page.html", shown)
}

// everywhere finds something at every kind of place of the first exchange.
func everywhere(ex *sandbox.Exchange) ([]Finding, error) {
	switch {
	case ex.URL == "/api/v1/vehicles":
		return nil, errUnknown
	case ex.Number == 1:
		return []Finding{
			{Rule: "maxLength", Part: "request.body", Pointer: "/name", Message: "too long", Spec: "api/openapi.yaml:331", Fails: true},
			{Rule: "required", Part: "request.body", Pointer: "/absent/deep", Message: "missing", Fails: true},
			{Rule: "security", Part: "request.header", Pointer: "/Authorization", Message: "no credential", Fails: true},
			{Rule: "status", Part: "response.status", Message: "undocumented", Fails: true},
			{Rule: "format", Part: "response.header", Pointer: "/location/0", Message: "no URI", Fails: true},
			{Rule: "required", Part: "response.header", Pointer: "/X-Absent", Message: "missing", Fails: true},
			{Rule: "minimum", Part: "response.body", Pointer: "/id", Message: "less than 1", Fails: true},
			{Rule: "undocumented-property", Part: "response.body", Pointer: "/errors/name/1", Message: "drift here"},
			{Rule: "other", Part: "elsewhere", Pointer: "/x", Message: "no place for this", Fails: true},
			{Rule: "portability", Part: "request.body", Pointer: "/vehicle_id", Message: "worth knowing", Note: true},
		}, nil
	case ex.Number == 2:
		return []Finding{{Rule: "portability", Part: "response.body", Message: "a note", Note: true}}, nil
	default:
		return nil, nil
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name + ".golden"
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "go test -run %s -update writes it anew", t.Name())
}

// TestEscapes fills every field that anybody can write with text that is dangerous somewhere.
func TestEscapes(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"script":       "<script>window.pwned=1</script>",
		"attribute":    `"><img src=x onerror=alert(1)>`,
		"quote":        `' onmouseover='alert(1)`,
		"textarea":     "</textarea></pre></title></style><svg onload=alert(1)>",
		"comment":      "--><!--<script>",
		"template":     "{{.}}${1}`",
		"separators":   "\u2028\u2029\u0085",
		"nul":          "a\x00b\x07\x1b[2J",
		"bidi":         "\u202etxt.exe\u2066\u200f",
		"invisible":    "a\u200b\ufeff\u00ad\U000e0041",
		"invalid":      "\xff\xfe\xc0\xaf\xed\xa0\x80",
		"entity":       "&lt;script&gt;&#60;",
		"fresh marker": "id=exchange-1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checker := func(*sandbox.Exchange) ([]Finding, error) {
				return []Finding{
					{Rule: text, Part: "response.body", Pointer: "/" + text, Message: text, Spec: text, Fails: true},
					{Rule: text, Part: text, Pointer: text, Message: text, Spec: text},
				}, nil
			}
			refuse := func(*sandbox.Exchange) ([]Finding, error) { return nil, errors.New(text) }
			broken := hostile(text)
			broken.broken = errors.New(text)
			times := 38
			if !utf8.ValidString(text) {
				times -= 6 // the faults, which are JSON
			}
			assertEscaped(t, body200(t, newPage(hostile(text), checker), "/?exchange=1"), text, times)
			assertEscaped(t, body200(t, newPage(broken, refuse), "/?exchange=1"), text, 26)
		})
	}
}

// assertEscaped looks for a text that is at so many places of a page.
func assertEscaped(t *testing.T, shown, text string, times int) {
	t.Helper()
	for _, tag := range regexp.MustCompile(`<[^>]*>`).FindAllString(shown, -1) {
		assert.Regexp(t, `^</?[a-z0-9]+[^<]*>$|^<!doctype html>$`, tag)
		assert.NotRegexp(t, `(?i)\son\w+\s*=|<(script>|img|svg|style|textarea)`, tag)
	}
	assert.Equal(t, 1, strings.Count(shown, "<script"), "the page's own")
	assert.True(t, utf8.ValidString(shown))
	assert.NotRegexp(t, "[\x00-\x09\x0b-\x1f\x7f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffd]", shown)
	shown = regexp.MustCompile(`(?s)<pre .*</pre>`).ReplaceAllString(shown, "") // which TestCommand is about
	assert.Equal(t, times, strings.Count(shown, template.HTMLEscapeString(printable.Text(text))), "it is shown as it is")
}

func hostile(text string) *stub {
	ex := sandbox.Exchange{
		Number: 1, Account: text, APIKey: text, Method: text, URL: "/" + text, Status: 299, Failure: text,
		Header: http.Header{text: {text}, "Authorization": {text}, "Account-Token": {curl.Placeholder}}, Body: []byte(text),
		ResponseHeader: http.Header{text: {text}}, ResponseBody: []byte(text),
	}
	s := newStub(ex)
	s.accounts = []sandbox.Account{{ID: 1, Name: text, Vehicles: []sandbox.Vehicle{{Name: text}}, FaultRules: []sandbox.FaultRule{{Code: text, Name: text}}}}
	s.limits = []sandbox.RateLimit{{Account: text, Limit: 1}}
	stored := strings.ToValidUTF8(text, "")
	some := fleetioapi.Value(stored)
	s.faults = map[int64][]fleetioapi.Fault{1: {{
		Code: stored, Status: fleetioapi.FaultStatus(stored), Name: some, Description: some, ExternalID: some, Source: some,
	}}}
	return s
}

// TestBounds gives the page too much of everything.
func TestBounds(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("é", 1<<19)
	ex := plainExchange(1)
	ex.Account, ex.APIKey, ex.Failure, ex.Method = big, big, big, big
	ex.URL = "/" + big
	ex.Body = []byte(`{"name":"` + big + `","` + big + `":[` + strings.Repeat("0,", 1<<19) + `0]}`)
	ex.ResponseBody = []byte(strings.Repeat("[\n", 1<<19))
	for i := range 1000 {
		ex.Header.Add("X-Many", big[:2*i])
		ex.ResponseHeader["X-"+strings.Repeat("a", i)] = []string{"x"}
	}
	s := newStub()
	for i := range int64(1000) {
		s.exchanges = append(s.exchanges, ex)
		s.exchanges[i].Number = i + 1
		s.accounts = append(s.accounts, sandbox.Account{ID: i + 1, Name: big})
		s.accounts[0].Vehicles = append(s.accounts[0].Vehicles, sandbox.Vehicle{ID: i, Name: big})
		s.accounts[0].FaultRules = append(s.accounts[0].FaultRules, sandbox.FaultRule{Code: big, Name: big})
		s.limits = append(s.limits, sandbox.RateLimit{Account: big, Limit: 1})
	}
	some, pointer := fleetioapi.Value(big[:32<<10]), "/"+big[:32<<10]
	s.faults = map[int64][]fleetioapi.Fault{1: slices.Repeat([]fleetioapi.Fault{{Code: big[:32<<10], Name: some, Description: some}}, 1000)}
	p := newPage(s, func(*sandbox.Exchange) ([]Finding, error) {
		found := make([]Finding, 10_000)
		for i := range found {
			found[i] = Finding{Rule: big, Part: "response.body", Pointer: pointer, Message: big, Spec: big, Fails: true}
		}
		return found, nil
	})
	shown := body200(t, p, "/?exchange=7")
	assert.Less(t, len(shown), 4<<20)
	assert.Equal(t, 100, strings.Count(shown, `id="exchange-`))
	assert.Contains(t, shown, `<a id="older" href="?before=901#list">Older</a>`)
	assert.Contains(t, shown, "10000 findings")
	assert.Contains(t, shown, "<span>9800 more are not shown</span>")
	assert.Equal(t, 2, strings.Count(shown, "980 more accounts are not shown"), "limits and faults")
	assert.Equal(t, 2, strings.Count(shown, "and 980 more</dd>"), "vehicles and codes")
	assert.Equal(t, 50, strings.Count(shown, `<tr id="fault-`))
	assert.True(t, regexp.MustCompile(`JSON, \d+ bytes; the first \d+ lines are shown\.`).MatchString(shown))
	assert.True(t, regexp.MustCompile(`Not JSON, \d+ bytes; the first 2000 lines are shown\.`).MatchString(shown))
	assert.Contains(t, shown, "No command: the request is too long.")
}
