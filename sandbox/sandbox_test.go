package sandbox_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/conformancetest"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

var contract = sync.OnceValue(func() *conformance.Contract {
	c, err := conformance.Load(api.Spec)
	if err != nil {
		panic(err)
	}
	return c
})

// start starts a sandbox whose exchanges the checker checks: a finding is an error of the test.
func start(t *testing.T, opts ...sandbox.Option) *sandbox.Server {
	t.Helper()
	return sandbox.Start(t, append(opts, sandbox.WithHandler(func(next http.Handler) http.Handler {
		return conformancetest.Middleware(t, contract(), next)
	}))...)
}

// maxLength is the limit of the contract for a string of a request.
func maxLength(name string) int {
	for _, f := range fleetioapi.FaultCreateFields {
		if f.Name == name {
			return *f.Schema.MaxLength
		}
	}
	panic("the contract has no " + name)
}

// reply is the response to a request.
type reply struct {
	*http.Response

	body string
}

// request is a valid request, as changed by change.
func request(t *testing.T, s *sandbox.Server, body string, change ...func(*http.Request)) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/faults", strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Token "+s.Credentials.APIKey)
	r.Header.Set("Account-Token", s.Credentials.AccountToken)
	for _, c := range change {
		c(r)
	}
	return r
}

func post(t *testing.T, s *sandbox.Server, body string, change ...func(*http.Request)) reply {
	t.Helper()
	return do(t, request(t, s, body, change...))
}

func do(t *testing.T, r *http.Request) reply {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return reply{response, string(body)}
}

func set(name string, values ...string) func(*http.Request) {
	return func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = values }
}

const whole = `{"vehicle_id": 4711, "code": "P0420", "count": 3, "description": "Efficiency \u003c threshold", "external_id": "t-1",
	"last_occurred_at": "2023-03-14T13:46:27.123456789012-06:00", "name": "Catalyst", "status": "ignored", "source": "unit"}`

func TestCreate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body string
		want map[string]any
	}{
		"only what is required": {`{"vehicle_id":1,"code":"P0420"}`, map[string]any{
			"status": "open", "count": nil, "description": nil, "external_id": nil, "last_occurred_at": nil, "name": nil, "source": nil,
			"vehicle_archived_at": nil, "fault_rule_id": 8.0, "is_sample": false, "idempotency_key": nil, "account_id": 12.0,
		}},
		"every field": {whole, map[string]any{
			"vehicle_id": 4711.0, "count": 3.0, "description": "Efficiency < threshold", "external_id": "t-1", "status": "ignored",
			"last_occurred_at": "2023-03-14T13:46:27.123456789012-06:00", "name": "Catalyst", "source": "unit",
		}},
		"an archived vehicle":           {`{"vehicle_id":2,"code":"P0171"}`, map[string]any{"vehicle_archived_at": "2025-11-30T17:00:00-06:00"}},
		"unknown properties":            {`{"id":7,"zz":{"code":[1,{"code":"no"}]},"vehicle_id":1,"code":"P0420","is_sample":true,"account_id":13}`, map[string]any{"is_sample": false, "account_id": 12.0}},
		"another case":                  {`{"vehicle_id":1,"Vehicle_ID":9,"code":"P0420","CODE":"x","\u017fource":5}`, map[string]any{"code": "P0420", "vehicle_id": 1.0, "source": nil}},
		"an escaped name":               {`{"vehicle\u005fid":1,"c\u006fde":"P0420"}`, map[string]any{"code": "P0420"}},
		"integers that look like none":  {`{"vehicle_id":1.0,"code":"P0420","count":9.00719925e15}`, map[string]any{"vehicle_id": 1.0}},
		"zero":                          {`{"vehicle_id":1e0,"code":"P0420","count":-0.0e9}`, map[string]any{"count": 0.0}},
		"as many characters as may be":  {`{"vehicle_id":1,"code":"P0420","name":"` + strings.Repeat("é", maxLength("name")) + `"}`, map[string]any{"name": strings.Repeat("é", maxLength("name"))}},
		"nothing in texts":              {`{"vehicle_id":1,"code":"P0420","name":"","description":" "}`, map[string]any{"name": "", "description": " "}},
		"characters that need escapes":  {`{"vehicle_id":1,"code":"P0420","name":"\u0000\"\\\n\t\r\u001f\ud83d\ude00</script>\u2028"}`, map[string]any{"name": "\x00\"\\\n\t\r\x1f😀</script>\u2028"}},
		"white space around everything": {" \r\n\t{ \"vehicle_id\" : 1 , \"code\" : \"P0420\" }\n ", map[string]any{"code": "P0420"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			got := post(t, s, c.body)
			require.Equal(t, http.StatusCreated, got.StatusCode, got.body)
			assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
			assert.Equal(t, s.URL+"/api/v1/faults/1", got.Header.Get("Location"))
			var fault map[string]any
			require.NoError(t, json.Unmarshal([]byte(got.body), &fault))
			for name, want := range c.want {
				assert.Equal(t, want, fault[name], name)
				assert.Contains(t, fault, name)
			}
			assert.Equal(t, fault["created_at"], fault["updated_at"])
			require.Len(t, s.Faults(), 1)
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := start(t)
	for name, c := range map[string]struct{ body, want string }{
		"nothing":              {`{}`, `{"errors":{"code":["can't be blank"],"vehicle_id":["can't be blank"]}}`},
		"nulls":                {`{"code":null,"vehicle_id":null,"name":null}`, `{"errors":{"code":["can't be blank"],"name":["can't be null"],"vehicle_id":["can't be blank"]}}`},
		"blank code":           {`{"vehicle_id":1,"code":" "}`, `{"errors":{"code":["can't be blank","must match a Fault Rule"]}}`},
		"code in another case": {`{"vehicle_id":1,"code":"p0420"}`, `{"errors":{"code":["must match a Fault Rule"]}}`},
		"long texts": {`{"vehicle_id":1,"code":"` + strings.Repeat("é", maxLength("code")+1) + `","name":"` + strings.Repeat("x", maxLength("name")+1) + `","external_id":"` + strings.Repeat("x", 300) + `"}`,
			fmt.Sprintf(`{"errors":{"code":["is too long (maximum is %d characters)","must match a Fault Rule"],"external_id":["is too long (maximum is %d characters)"],"name":["is too long (maximum is %d characters)"]}}`,
				maxLength("code"), maxLength("external_id"), maxLength("name"))},
		"unknown status":     {`{"vehicle_id":1,"code":"P0420","status":"closed"}`, `{"errors":{"status":["is not included in the list"]}}`},
		"no vehicle":         {`{"vehicle_id":0,"code":"P0420"}`, `{"errors":{"vehicle_id":["must be greater than or equal to 1"]}}`},
		"unknown vehicle":    {`{"vehicle_id":9,"code":"P0420"}`, `{"errors":{"vehicle_id":["must exist"]}}`},
		"another's vehicle":  {`{"vehicle_id":3,"code":"P0420"}`, `{"errors":{"vehicle_id":["must exist"]}}`},
		"another's rule":     {`{"vehicle_id":1,"code":"P0300"}`, `{"errors":{"code":["must match a Fault Rule"]}}`},
		"kinds":              {`{"vehicle_id":"1","code":7,"count":"3","name":[],"source":{},"status":true}`, `{"errors":{"code":["must be a string"],"count":["must be an integer"],"name":["must be a string"],"source":["must be a string"],"status":["must be a string"],"vehicle_id":["must be an integer"]}}`},
		"fractions":          {`{"vehicle_id":1.5,"code":"P0420","count":1e-1}`, `{"errors":{"count":["must be an integer"],"vehicle_id":["must be an integer"]}}`},
		"too large":          {`{"vehicle_id":9223372036854775808,"code":"P0420","count":-1e999999999999}`, `{"errors":{"count":["is not a valid int64"],"vehicle_id":["is not a valid int64"]}}`},
		"far too small":      {`{"vehicle_id":-9223372036854775809,"code":"P0420"}`, `{"errors":{"vehicle_id":["is not a valid int64","must be greater than or equal to 1"]}}`},
		"a leap second":      {`{"vehicle_id":1,"code":"P0420","last_occurred_at":"2016-12-31T23:59:60Z"}`, `{"errors":{"last_occurred_at":["is not a date and time such as 2026-03-14T13:46:27-06:00"]}}`},
		"a time without one": {`{"vehicle_id":1,"code":"P0420","last_occurred_at":"2023-03-14"}`, `{"errors":{"last_occurred_at":["is not a date and time such as 2026-03-14T13:46:27-06:00"]}}`},
		"names in capitals":  {`{"VEHICLE_ID":1,"Code":"P0420"}`, `{"errors":{"code":["can't be blank"],"vehicle_id":["can't be blank"]}}`},
		"names twice":        {`{"vehicle_id":1,"code":"P0171","c\u006fde":"P0420","name":"a","name":"b","name":"c"}`, `{"errors":{"code":["is there more than once"],"name":["is there more than once"]}}`},
		"no body":            {``, `{"errors":{"base":["the body is empty"]}}`},
		"white space":        {" \n", `{"errors":{"base":["the body is empty"]}}`},
		"no JSON":            {`{"vehicle_id":1,}`, `{"errors":{"base":["the body is not valid JSON"]}}`},
		"two values":         {`{"vehicle_id":1,"code":"P0420"}{}`, `{"errors":{"base":["the body is not valid JSON"]}}`},
		"a byte order mark":  {"\uFEFF{}", `{"errors":{"base":["the body is not valid JSON"]}}`},
		"no object":          {`[{"vehicle_id":1}]`, `{"errors":{"base":["must be an object"]}}`},
		"no UTF-8":           {"{\"x\":\"\xff\"}", `{"errors":{"base":["the body is not valid UTF-8"]}}`},
		"half a character":   {`{"x":"a\\\ud83d\\"}`, `{"errors":{"base":["the body has an escape of a lone surrogate"]}}`},
		"the second half":    {`{"x":"\ud83d\ude00\ude00"}`, `{"errors":{"base":["the body has an escape of a lone surrogate"]}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := post(t, s, c.body)
			assert.Equal(t, http.StatusUnprocessableEntity, got.StatusCode)
			assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
			assert.JSONEq(t, c.want, got.body)
		})
	}
	t.Cleanup(func() { assert.Empty(t, s.Faults()) })
}

func TestProblems(t *testing.T) {
	t.Parallel()
	s := start(t)
	const right = `{"vehicle_id":1,"code":"P0420"}`
	for name, c := range map[string]struct {
		status int
		body   string
		change func(*http.Request)
	}{
		"no key":                       {401, right, set("Authorization")},
		"no token":                     {401, right, set("Account-Token")},
		"empty key":                    {401, right, set("Authorization", "")},
		"another scheme":               {401, right, set("Authorization", "Bearer "+s.Credentials.APIKey)},
		"no scheme":                    {401, right, set("Authorization", s.Credentials.APIKey)},
		"only the scheme":              {401, right, set("Authorization", "Token ")},
		"a no-break space":             {401, right, set("Authorization", "Token "+s.Credentials.APIKey+"\u00a0")},
		"unknown key":                  {401, right, set("Authorization", "Token unknown-key")},
		"unknown token":                {401, right, set("Account-Token", "unknown-token")},
		"another account's token":      {401, right, set("Account-Token", "sandbox-account-southwind")},
		"two keys":                     {401, right, set("Authorization", "Token "+s.Credentials.APIKey, "Token "+s.Credentials.APIKey)},
		"two tokens":                   {401, right, set("Account-Token", s.Credentials.AccountToken, s.Credentials.AccountToken)},
		"a key that may only read":     {403, right, set("Authorization", "Token sandbox-key-reporting")},
		"another path":                 {404, right, func(r *http.Request) { r.URL.Path = "/api/v1/vehicles" }},
		"a slash more":                 {404, right, func(r *http.Request) { r.URL.Path += "/" }},
		"two slashes":                  {404, right, func(r *http.Request) { r.URL.Path = "//api/v1/faults" }},
		"the root":                     {404, right, func(r *http.Request) { r.URL.Path = "/" }},
		"another method":               {405, right, func(r *http.Request) { r.Method = http.MethodPut }},
		"a long path":                  {404, right, func(r *http.Request) { r.URL.Path += "/1/x" }},
		"no media type":                {415, right, set("Content-Type")},
		"another media type":           {415, right, set("Content-Type", "application/x-www-form-urlencoded")},
		"another charset":              {415, right, set("Content-Type", "application/json; charset=iso-8859-1")},
		"malformed media type":         {415, right, set("Content-Type", "application/json; charset")},
		"compressed":                   {415, right, set("Content-Encoding", "gzip")},
		"too large":                    {413, `{"x":"` + strings.Repeat("x", 1<<20) + `"}`, func(*http.Request) {}},
		"too large, of unknown length": {413, `{"x":"` + strings.Repeat("x", 1<<20) + `"}`, func(r *http.Request) { r.ContentLength = -1 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := post(t, s, c.body, c.change)
			require.Equal(t, c.status, got.StatusCode, got.body)
			assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
			var problem struct {
				Status                  int
				Title, Detail, Instance string
			}
			decoder := json.NewDecoder(strings.NewReader(got.body))
			decoder.DisallowUnknownFields()
			require.NoError(t, decoder.Decode(&problem))
			assert.Equal(t, c.status, problem.Status)
			assert.Equal(t, http.StatusText(c.status), problem.Title)
			assert.NotEmpty(t, problem.Detail)
			assert.NotEmpty(t, problem.Instance)
			assert.Equal(t, c.status == 405, got.Header.Get("Allow") == "GET, HEAD, POST")
			assert.Equal(t, c.status == 401, got.Header.Get("WWW-Authenticate") != "")
		})
	}
	t.Cleanup(func() { assert.Empty(t, s.Faults()) })
}

// TestTooLargeIsTakenIn sends all of a body before it reads, as many clients do.
func TestTooLargeIsTakenIn(t *testing.T) {
	t.Parallel()
	s := start(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	const length = 20 << 20
	head := "POST /api/v1/faults HTTP/1.1\r\nHost: x\r\nAuthorization: Token " + s.Credentials.APIKey + "\r\nAccount-Token: " +
		s.Credentials.AccountToken + "\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(length) + "\r\n\r\n"
	_, err = io.WriteString(conn, head)
	require.NoError(t, err)
	_, err = conn.Write(make([]byte, length))
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode)

	// A client that waits for 100 Continue sends nothing.
	conn, err = net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	_, err = io.WriteString(conn, strings.Replace(head, "Host: x", "Host: x\r\nExpect: 100-continue", 1))
	require.NoError(t, err)
	response, err = http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode)
}

// TestHead holds that an exchange has what was sent: a HEAD has no body.
func TestHead(t *testing.T) {
	t.Parallel()
	s := start(t)
	got := post(t, s, "", func(r *http.Request) { r.Method = http.MethodHead })
	assert.Equal(t, http.StatusOK, got.StatusCode, "as a GET")
	assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
	assert.Empty(t, s.Requests()[0].ResponseBody)
	s.InjectNext(sandbox.Fail(503))
	assert.Equal(t, http.StatusMethodNotAllowed, post(t, s, "", func(r *http.Request) { r.Method = http.MethodPut }).StatusCode, "a failure is for the operation")
	assert.Equal(t, http.StatusServiceUnavailable, post(t, s, whole).StatusCode)
}

// TestBodyOmitted holds that a body that was not taken in does not look like none.
func TestBodyOmitted(t *testing.T) {
	t.Parallel()
	s := start(t)
	post(t, s, `"`+strings.Repeat("x", 1<<20)+`"`, func(r *http.Request) { r.ContentLength = -1 })
	post(t, s, "")
	list := s.Requests()
	assert.True(t, list[0].BodyOmitted)
	assert.Empty(t, list[0].Body)
	assert.False(t, list[1].BodyOmitted)
}

func TestContentTypes(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, name := range []string{"application/json; charset=utf-8", `Application/JSON;charset="UTF-8"`, "application/json; version=1"} {
		for _, encoding := range []string{"", "identity", "Identity"} {
			t.Run(name+" "+encoding, func(t *testing.T) {
				t.Parallel()
				got := post(t, s, whole, set("Content-Type", name), set("Content-Encoding", encoding), set("Authorization", "token "+s.Credentials.APIKey))
				assert.Equal(t, http.StatusCreated, got.StatusCode)
			})
		}
	}
}

// TestVariants is about what the vendor's pages contradict each other in; so the engine must object to it.
func TestVariants(t *testing.T) {
	t.Parallel()
	s := sandbox.Start(t, sandbox.WithEmptyForbidden(), sandbox.WithTextUnauthorized())
	got := post(t, s, whole, set("Authorization", "Token sandbox-key-reporting"))
	assert.Equal(t, http.StatusForbidden, got.StatusCode)
	assert.Empty(t, got.body)
	assert.Empty(t, got.Header.Get("Content-Type"))
	got = post(t, s, whole, set("Authorization", "Token unknown-key"))
	assert.Equal(t, http.StatusUnauthorized, got.StatusCode)
	assert.Equal(t, "HTTP Token: Access denied", got.body)
	assert.Equal(t, "text/plain; charset=utf-8", got.Header.Get("Content-Type"))
	for _, e := range s.Requests() {
		findings, err := contract().Check(exchange(t, e))
		require.NoError(t, err)
		assert.NotEmpty(t, findings, e.Status)
	}
}

// TestLocation holds that a Host that is no host makes no Location that is no URL.
func TestLocation(t *testing.T) { //nolint:tparallel // the cases share a server
	t.Parallel()
	s := start(t)
	for host, want := range map[string]string{
		"api.example": "http://api.example/api/v1/faults/", "[::1]:80": "http://[::1]:80/api/v1/faults/", "a%22b": "/api/v1/faults/", "a<b>": "/api/v1/faults/",
	} {
		t.Run(host, func(t *testing.T) {
			got := post(t, s, whole, func(r *http.Request) { r.Host = host })
			if got.StatusCode == http.StatusBadRequest {
				return // net/http knows it for none
			}
			assert.Regexp(t, "^"+strings.NewReplacer("[", `\[`, "]", `\]`).Replace(want)+`\d+$`, got.Header.Get("Location"), host)
		})
	}
}

// TestCredentialsStayHidden looks for credentials in all output of the sandbox.
func TestCredentialsStayHidden(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := start(t, sandbox.WithLogger(logger(&log)))
	secrets := []string{s.Credentials.APIKey, s.Credentials.AccountToken, "some-wrong-key", "some-wrong-token"}
	body := `{"vehicle_id":1,"code":"P0420","description":"` + strings.Join(secrets, " ") + `"}`
	query := func(r *http.Request) { r.URL.RawQuery = "k=" + strings.Join(secrets, "+") }
	for _, change := range []func(*http.Request){
		func(*http.Request) {}, set("Authorization", "Token some-wrong-key"), set("Account-Token", "some-wrong-token"), set("Authorization", "some-wrong-key"),
		func(r *http.Request) { r.URL.Path += "/" + s.Credentials.APIKey },
	} {
		post(t, s, body, query, change, set("X-Other", s.Credentials.APIKey))
	}
	exchanges := s.Requests()
	require.Len(t, exchanges, 5)
	texts := []string{log.String()}
	for _, e := range exchanges {
		texts = append(texts, fmt.Sprint(e.URL, string(e.Body), string(e.ResponseBody), e.Header, e.ResponseHeader))
	}
	for _, secret := range secrets[:2] {
		assert.NotContains(t, strings.Join(texts, "\n"), secret)
	}
	// Of wrong ones, the sandbox knows only what is in their headers.
	assert.NotContains(t, texts[2]+texts[4], "some-wrong-key")
	assert.NotContains(t, texts[3], "some-wrong-token")
	assert.Equal(t, "Token [redacted]", exchanges[0].Header.Get("Authorization"))
	assert.Equal(t, "integration", exchanges[0].APIKey)
	assert.Contains(t, log.String(), "integration")
}
