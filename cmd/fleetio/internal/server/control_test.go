package server

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server/page"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/conformancetest"
	"github.com/fleetcontract/fleetio-go/conformance/report"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// controlled is a server with a control API.
type controlled struct {
	*Server

	url     string
	client  *http.Client
	journal *Journal
}

func serveControl(t *testing.T, change func(*Control), options ...sandbox.Option) *controlled {
	t.Helper()
	contract, err := conformance.Load(api.Spec)
	require.NoError(t, err)
	c := &controlled{journal: NewJournal(contract)}
	newSandbox := func(fixtures *sandbox.Fixtures) (*sandbox.Sandbox, error) {
		all := append([]sandbox.Option{sandbox.WithObserver(c.journal.Observe)}, options...)
		if fixtures != nil {
			all = append(all, sandbox.WithFixtures(*fixtures))
		}
		return sandbox.New(all...)
	}
	box, err := newSandbox(nil)
	require.NoError(t, err)
	listener, err := Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	control := &Control{Journal: c.journal, New: newSandbox}
	if change != nil {
		change(control)
	}
	newPage := func(box *sandbox.Sandbox) *page.Page { return page.New(box, Check(contract, "openapi.yaml")) }
	c.Server = New(listener, slog.New(slog.DiscardHandler), box, newPage, control)
	server := &httptest.Server{Listener: listener.Listener, Config: HTTPServer(c.Server, slog.New(slog.DiscardHandler))}
	server.Start()
	t.Cleanup(func() {
		server.Close()
		assert.NoError(t, c.Sandbox().Close())
	})
	c.url, c.client = server.URL, http.DefaultClient
	return c
}

// serveChecked is serveControl, and has each call of the control API checked by its spec.
func serveChecked(t *testing.T, change func(*Control), options ...sandbox.Option) *controlled {
	t.Helper()
	c := serveControl(t, change, options...)
	own, err := conformance.Load(controlSpec, conformance.Servers(c.url+controlBase))
	require.NoError(t, err)
	c.client = &http.Client{Transport: conformancetest.Transport(t, own, nil, conformancetest.Strict())}
	return c
}

// answer is a response of the API.
type answer struct {
	status int
	header http.Header
	body   string
}

// call calls the API with a body of JSON; "" for none.
func (c *controlled) call(t *testing.T, method, path, body string, change ...func(*http.Request)) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, c.url+controlBase+path, strings.NewReader(body))
	require.NoError(t, err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, f := range change {
		f(r)
	}
	response, err := c.client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{response.StatusCode, response.Header, strings.TrimSpace(string(text))}
}

// create creates a fault by the API of the faults, and returns the status and Retry-After; 0 without a response.
func (c *controlled) create(t *testing.T) (status int, wait string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+faultsPath, strings.NewReader(`{"vehicle_id":1,"code":"P0420"}`))
	require.NoError(t, err)
	account := c.Sandbox().Accounts()[0]
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Token "+account.APIKeys[0].Key)
	r.Header.Set("Account-Token", account.Token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	return response.StatusCode, response.Header.Get("Retry-After")
}

func TestControlFailures(t *testing.T) {
	t.Parallel()
	c := serveChecked(t, nil, failing(t, "503@1%"))
	assert.JSONEq(t, `{"failures":["503@1%"]}`, c.call(t, "GET", "/failures", "").body)
	added := c.call(t, "POST", "/failures", `{"failures":["createFault: drop-after@next2","500@10%"]}`)
	assert.Equal(t, 200, added.status)
	assert.JSONEq(t, `{"failures":["createFault: drop-after@next2","503@1%","500@10%"]}`, added.body)
	status, _ := c.create(t)
	assert.Zero(t, status)
	var stored struct{ Faults []struct{ ID int64 } }
	require.NoError(t, json.Unmarshal([]byte(c.call(t, "GET", "/faults", "").body), &stored))
	require.Len(t, stored.Faults, 1)
	assert.JSONEq(t, `{"failures":["createFault: drop-after@next1","503@1%","500@10%"]}`, c.call(t, "GET", "/failures", "").body)
	assert.Equal(t, 204, c.call(t, "DELETE", "/failures", "").status)
	assert.JSONEq(t, `{"failures":[]}`, c.call(t, "GET", "/failures", "").body)
	status, _ = c.create(t)
	assert.Equal(t, 201, status)
}

func failing(t *testing.T, text string) sandbox.Option {
	t.Helper()
	option, err := sandbox.ParseFailure(text)
	require.NoError(t, err)
	return option
}

// TestControlClock waits out a rate limit.
func TestControlClock(t *testing.T) {
	t.Parallel()
	c := serveChecked(t, nil, sandbox.WithRateLimit(1))
	set := c.call(t, "PUT", "/clock", `{"now":"2026-03-14T13:46:15.5+01:00"}`)
	require.Equal(t, 200, set.status, set.body)
	assert.Regexp(t, `^{"now":"2026-03-14T12:46:15.5\d*Z"}$`, set.body)
	status, _ := c.create(t)
	require.Equal(t, 201, status)
	status, wait := c.create(t)
	require.Equal(t, 429, status)
	assert.Equal(t, "45", wait)
	assert.Equal(t, 200, c.call(t, "POST", "/clock/advance", `{"by":"`+wait+`s"}`).status)
	status, _ = c.create(t)
	assert.Equal(t, 201, status)
	assert.Contains(t, c.call(t, "GET", "/faults?limit=1", "").body, `"created_at":"2026-03-14T12:47:0`)
	assert.Contains(t, c.call(t, "GET", "/clock", "").body, `"2026-03-14T12:47:0`)
}

func TestControlReset(t *testing.T) {
	t.Parallel()
	c := serveChecked(t, nil, failing(t, "500@next"), sandbox.WithRateLimit(1))
	before := c.call(t, "GET", "/accounts", "")
	require.Equal(t, 200, before.status)
	expected, err := json.Marshal(sandbox.Fixtures{Accounts: c.Sandbox().Accounts()})
	require.NoError(t, err)
	assert.JSONEq(t, string(expected), before.body)
	c.call(t, "POST", "/clock/advance", `{"by":"1h"}`)
	for _, want := range []int{500, 201, 429} {
		status, _ := c.create(t)
		require.Equal(t, want, status)
	}

	require.Equal(t, 204, c.call(t, "POST", "/reset", "").status)
	assert.JSONEq(t, `{"faults":[]}`, c.call(t, "GET", "/faults", "").body)
	assert.WithinDuration(t, time.Now(), c.Sandbox().Now(), time.Minute)
	assert.JSONEq(t, `{"failures":["500@next1"]}`, c.call(t, "GET", "/failures", "").body)
	assert.Empty(t, c.call(t, "GET", "/journal", "").body)
	assert.Zero(t, c.verdict(t).Exchanges)

	fleet, err := os.ReadFile("fixture/testdata/fleet.yaml")
	require.NoError(t, err)
	reset := c.call(t, "POST", "/reset", string(fleet), func(r *http.Request) { r.Header.Set("Content-Type", "application/yaml") })
	require.Equal(t, 204, reset.status, reset.body)
	after := c.call(t, "GET", "/accounts", "").body
	assert.Contains(t, after, "Harbour Logistics")
	assert.NotContains(t, after, "Northwind")
	assert.Contains(t, c.call(t, "GET", "/faults?account=501", "").body, "telematics-981")
	require.Equal(t, 204, c.call(t, "POST", "/reset", before.body).status, "it takes what it has listed")
	assert.JSONEq(t, before.body, c.call(t, "GET", "/accounts", "").body)

	page, err := http.Get(c.url + "/")
	require.NoError(t, err)
	defer page.Body.Close()
	text, err := io.ReadAll(page.Body)
	require.NoError(t, err)
	assert.Contains(t, string(text), "Northwind")

	wrong := c.call(t, "POST", "/reset", `{"accounts":[{"id":0,"token":"s3cret-token","api_keys":[]}]}`)
	assert.Equal(t, 422, wrong.status)
	assert.Contains(t, wrong.body, "body:1: accounts[0].id is less than 1")
	assert.NotContains(t, wrong.body, "s3cret")
	assert.JSONEq(t, before.body, c.call(t, "GET", "/accounts", "").body)

	inFile := serveChecked(t, func(c *Control) { c.New = nil })
	assert.Equal(t, 409, inFile.call(t, "POST", "/reset", "").status)
}

func (c *controlled) verdict(t *testing.T) *conformance.Report {
	t.Helper()
	got := c.call(t, "GET", "/verdict", "")
	require.Equal(t, 200, got.status)
	r, err := report.Read(strings.NewReader(got.body))
	require.NoError(t, err)
	return r
}

// TestControlVerdict compares the verdict with that of the journal, and clears both.
func TestControlVerdict(t *testing.T) {
	t.Parallel()
	c := serveChecked(t, nil, failing(t, "set=/id=0@next"), failing(t, "drop-after@next"))
	for range 3 {
		c.create(t)
	}
	verdict := c.verdict(t)
	assert.Equal(t, []int{2, 1, 1}, []int{verdict.Exchanges, verdict.Summary.Findings, verdict.Summary.Unanswered})
	require.Len(t, verdict.Findings, 1)
	assert.Equal(t, "exchange 1", verdict.Findings[0].Exchange)
	assert.Equal(t, "/id", verdict.Findings[0].Pointer)

	journal := c.call(t, "GET", "/journal", "")
	for _, secret := range []string{c.Sandbox().Accounts()[0].Token, c.Sandbox().Accounts()[0].APIKeys[0].Key} {
		assert.NotContains(t, journal.body, secret)
	}
	contract, err := conformance.Load(api.Spec)
	require.NoError(t, err)
	again, err := contract.Verify(traffic.Read(t.Context(), strings.NewReader(journal.body), "-"), conformance.Options{})
	require.NoError(t, err)
	assert.Equal(t, verdict.Summary, again.Summary)

	require.Equal(t, 204, c.call(t, "DELETE", "/journal", "").status)
	empty := c.call(t, "GET", "/journal", "")
	assert.Empty(t, empty.body)
	assert.Equal(t, "3", empty.header.Get("Sandbox-Latest"))
	c.create(t)
	assert.Equal(t, 1, c.verdict(t).Exchanges)
	_, earlier := c.journal.Report(c.Sandbox().Redact)
	assert.Equal(t, Earlier{Exchanges: 2, Findings: 1}, earlier)
}

func TestControlJournal(t *testing.T) {
	t.Parallel()
	c := serveChecked(t, nil, failing(t, "500@next"), failing(t, "drop-before@next"))
	for range 4 {
		c.create(t)
	}
	for query, test := range map[string]struct{ lines, latest int }{
		"":                         {4, 4},
		"?since=3":                 {1, 4},
		"?since=4":                 {0, 4},
		"?since=99":                {0, 4},
		"?status=201":              {2, 4},
		"?status=0":                {1, 4},
		"?operation=createFault":   {4, 4},
		"?operation=listFaults":    {0, 4},
		"?status=500&since=1":      {0, 4},
		"?wait=60&status=500":      {1, 4},
		"?operation=retrieveFault": {0, 4},
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			got := c.call(t, "GET", "/journal"+query, "")
			assert.Equal(t, map[bool]int{true: 200, false: 204}[test.lines > 0], got.status)
			assert.Equal(t, test.lines, strings.Count(got.body, `{"method":`), got.body)
			assert.Equal(t, strconv.Itoa(test.latest), got.header.Get("Sandbox-Latest"))
		})
	}
}

// TestControlWait waits for an exchange, which arrives, does not, or never will as the server ends.
func TestControlWait(t *testing.T) {
	t.Parallel()
	c := serveChecked(t, nil)
	answers := make(chan answer)
	go func() { answers <- c.call(t, "GET", "/journal?wait=60&status=201", "") }() //nolint:testifylint // a failure is seen as a missing answer
	for range 3 {
		status, _ := c.create(t)
		assert.Equal(t, 201, status)
	}
	got := <-answers
	assert.Contains(t, got.body, `"status":201`)

	began := time.Now()
	assert.Empty(t, c.call(t, "GET", "/journal?wait=1&status=404", "").body)
	assert.GreaterOrEqual(t, time.Since(began), time.Second)
	go func() { answers <- c.call(t, "GET", "/journal?wait=60&status=404", "") }() //nolint:testifylint // likewise
	close(c.control.stopping)
	assert.Empty(t, (<-answers).body)
}

func TestControlWebhook(t *testing.T) {
	t.Parallel()
	c := serveChecked(t, nil)
	c.create(t)
	received := make(chan *fleetio.WebhookEvent, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		event, err := fleetio.VerifyWebhook(body, r.Header, "shared-key")
		assert.NoError(t, err)
		received <- event
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	t.Cleanup(receiver.Close)
	send := func(url string, fault int) answer {
		return c.call(t, "POST", "/webhooks", fmt.Sprintf(`{"url":%q,"key":"shared-key","fault":%d}`, url, fault))
	}
	sent := send(receiver.URL, 1)
	require.Equal(t, 200, sent.status, sent.body)
	assert.JSONEq(t, `{"status":307}`, sent.body)
	assert.Equal(t, int64(1), (<-received).Fault.ID)

	assert.Contains(t, send(receiver.URL, 2).body, "there is no fault 2")
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	unreachable := send(closed.URL+"/?password=s3cret", 1)
	assert.Equal(t, 502, unreachable.status)
	assert.NotContains(t, unreachable.body, "s3cret")
	for _, url := range []string{"http://example.com", "http://10.0.0.1", "http://127.0.0.1.example.com", "ftp://127.0.0.1", "http://u:p@127.0.0.1", "x", "http://0.0.0.0"} {
		assert.Equal(t, 422, send(url, 1).status, url)
	}
	require.ErrorContains(t, onlyLoopback("tcp", "10.0.0.1:80", nil), "no loopback", "whatever localhost resolves to")
	require.NoError(t, onlyLoopback("tcp", "[::1]:80", nil))
}

// TestControlRejects has requests that change nothing.
func TestControlRejects(t *testing.T) {
	t.Parallel()
	c := serveChecked(t, nil)
	for name, test := range map[string]struct {
		method, path, body string
		status             int
		detail             string
	}{
		"no failure":         {"POST", "/failures", `{"failures":["explode"]}`, 422, `failure \"explode\": unknown`},
		"no list":            {"POST", "/failures", `{}`, 400, "failures is missing"},
		"another property":   {"POST", "/failures", `{"failures":[],"next":1}`, 400, "unknown field"},
		"no JSON":            {"POST", "/failures", `{`, 400, "not the JSON"},
		"two values":         {"POST", "/failures", `{"failures":[]} {}`, 400, "more than one value"},
		"too long":           {"POST", "/failures", `"` + strings.Repeat("x", maxControlBody) + `"`, 413, "longer than"},
		"no time":            {"PUT", "/clock", `{}`, 400, "now is missing"},
		"time out of range":  {"PUT", "/clock", `{"now":"1969-12-31T23:59:59Z"}`, 422, "from 1970 to 2199"},
		"no duration":        {"POST", "/clock/advance", `{"by":"45"}`, 422, `such as 45s`},
		"backwards":          {"POST", "/clock/advance", `{"by":"-1s"}`, 422, "SetTime sets it back"},
		"limit":              {"GET", "/faults?limit=0", "", 400, "from 1 to 1000"},
		"limit too high":     {"GET", "/faults?limit=1001", "", 400, "from 1 to 1000"},
		"account":            {"GET", "/faults?account=0", "", 400, "from 1"},
		"no number":          {"GET", "/journal?since=x", "", 400, "since"},
		"negative":           {"GET", "/journal?since=-1", "", 400, "from 0"},
		"status":             {"GET", "/journal?status=1000", "", 400, "from 0 to 999"},
		"long wait":          {"GET", "/journal?wait=61", "", 400, "from 0 to 60"},
		"unknown operation":  {"GET", "/journal?operation=createFalut", "", 400, "no operation"},
		"unknown parameter":  {"GET", "/journal?statu=1", "", 400, "there are since"},
		"fixtures":           {"POST", "/reset", `{"accounts":[]}`, 422, "body:1: accounts is empty"},
		"webhook key":        {"POST", "/webhooks", `{"url":"http://127.0.0.1","key":"","fault":1}`, 422, "key is empty"},
		"negative web fault": {"POST", "/webhooks", `{"url":"http://127.0.0.1","key":"k","fault":-1}`, 422, "no fault -1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := c.call(t, test.method, test.path, test.body)
			assert.Equal(t, test.status, got.status, got.body)
			assert.Contains(t, got.body, test.detail)
			assert.Equal(t, "application/problem+json", got.header.Get("Content-Type"))
		})
	}
	t.Cleanup(func() { assert.Empty(t, c.Sandbox().Failures()) })
}

// TestControlAccess has callers that must not get in: pages of other origins, and others without the token.
func TestControlAccess(t *testing.T) {
	t.Parallel()
	const token = "a token of the test"
	open, locked := serveControl(t, nil), serveControl(t, func(c *Control) { c.Token = token })
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	host := func(r *http.Request) { r.Host = "evil.example" }
	for name, test := range map[string]struct {
		server *controlled
		change func(*http.Request)
		status int
	}{
		"no browser":          {open, header("X", "x"), 200},
		"page of the sandbox": {open, header("Sec-Fetch-Site", "same-origin"), 200},
		"another origin":      {open, header("Origin", "http://evil.example"), 403},
		"another site":        {open, header("Sec-Fetch-Site", "cross-site"), 403},
		"a form":              {open, header("Content-Type", "text/plain"), 415},
		"rebound name":        {open, host, 403},
		"no token":            {locked, header("X", "x"), 401},
		"wrong token":         {locked, header("Authorization", "Bearer "+token+"x"), 401},
		"another scheme":      {locked, header("Authorization", "Token "+token), 401},
		"token":               {locked, header("Authorization", "Bearer "+token), 200},
		"token, other origin": {locked, func(r *http.Request) {
			header("Authorization", "Bearer "+token)(r)
			header("Origin", "http://evil.example")(r)
		}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := test.server.call(t, "POST", "/failures", `{"failures":[]}`, test.change)
			assert.Equal(t, test.status, got.status, got.body)
			assert.NotContains(t, got.body, token)
			assert.Equal(t, test.status == 401, got.header.Get("WWW-Authenticate") == "Bearer")
			assert.Empty(t, got.header.Get("Access-Control-Allow-Origin"))
		})
	}
}

// TestControlSpec serves the spec, and has the guide name all operations.
func TestControlSpec(t *testing.T) {
	t.Parallel()
	c := serveControl(t, nil)
	spec := c.call(t, "GET", "/openapi.yaml", "")
	assert.Equal(t, strings.TrimSpace(string(controlSpec)), spec.body)
	guide, err := os.ReadFile("../../../../docs/sandbox.md")
	require.NoError(t, err)
	own, err := openapi3.NewLoader().LoadFromData(controlSpec)
	require.NoError(t, err)
	require.NoError(t, own.Validate(t.Context(), openapi3.EnableExamplesValidation()))
	for path, item := range own.Paths.Map() {
		for method := range item.Operations() {
			assert.Contains(t, string(guide), "`"+method+" "+path)
		}
	}
}
