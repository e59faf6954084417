package conformance_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// other is a spec with what the project's own does not have.
const other = `
openapi: 3.0.3
info: {title: other, version: '1'}
components:
  securitySchemes:
    inCookie: {type: apiKey, in: cookie, name: session}
    inQuery: {type: apiKey, in: query, name: key}
    inHeader: {type: apiKey, in: header, name: Authorization}
    asBearer: {type: http, scheme: bearer}
    asOAuth: {type: oauth2, flows: {clientCredentials: {tokenUrl: 'https://h/t', scopes: {}}}}
  headers:
    Count: {schema: {type: integer, maximum: 9}}
  responses:
    Thing:
      description: d
      headers:
        X-Count: {$ref: '#/components/headers/Count'}
        X-Flags: {schema: {type: array, items: {type: boolean}}}
        X-Ratio: {schema: {allOf: [{type: number}]}}
        X-On: {schema: {type: boolean}}
        X-Body: {content: {application/json: {schema: {type: integer}}}}
      content:
        application/json: {schema: {type: object, properties: {n: {type: integer}, s: {type: string}, b: {type: boolean}, list: {type: array, items: {}}}}}
        text/*: {}
      x-criteria:
        - {name: counts, when: [$response.header.X-Count], condition: $response.header.X-Count == $response.body#/n}
        - {name: small, when: [$response.body#/n], condition: $response.body#/n < 5}
        - {name: large, when: [$response.body#/n], condition: $response.body#/n >= 0}
        - {name: not-x, when: [$response.body#/s], condition: $response.body#/s != 'x'}
        - {name: "on", when: [$response.body#/b], condition: $response.body#/b == true}
paths:
  /a:
    get:
      security: [{inCookie: [], inQuery: []}, {asBearer: []}]
      responses: {'200': {$ref: '#/components/responses/Thing'}, '204': {description: d}, 4XX: {$ref: '#/components/responses/Thing'}, default: {description: d, x-assumed: {description: guess}}}
    put:
      security: [{inHeader: []}]
      requestBody: {content: {application/json: {schema: {type: object}}}}
      responses: {2XX: {description: d}}
    patch:
      security: [{asOAuth: []}]
      responses:
        '200':
          description: d
          content: {application/json: {schema: {allOf: [{type: object, properties: {n: {type: integer}}}]}}}
          x-criteria: [{name: one, condition: $response.body#/n == 1}]
    delete:
      security: [{}, {asOAuth: []}]
      responses: {'200': {description: d}}
`

func TestCheckHTTP(t *testing.T) {
	t.Parallel()
	contract, err := conformance.Load([]byte(other))
	require.NoError(t, err)
	require.Len(t, contract.Unchecked, 1)
	assert.Contains(t, contract.Unchecked[0].Spec.Pointer, "/headers/X-Body")

	for _, test := range []struct {
		what     string
		method   string
		url      string
		status   int
		request  string // header fields, a blank line, the body
		response string
		want     string // "part pointer rule", sorted
	}{
		{what: "cookie and query", url: "/a?key=k", request: "Cookie: session=s", status: 204},
		{what: "cookie alone", url: "/a", request: "Cookie: session=s", status: 204, want: "request.header /URL/key security"},
		{what: "query alone", url: "/a?key=k", request: "Cookie: other=s", status: 204, want: "request.header /Cookie/session security"},
		{what: "bearer", url: "/a", request: "Authorization: bEaReR x", status: 204},
		{what: "basic is no bearer", url: "/a", request: "Authorization: Basic x", status: 204, want: "request.header /Authorization security"},
		{what: "the closest alternative", url: "/a", status: 204, want: "request.header /Authorization security"},
		{what: "OAuth is a bearer", method: "PATCH", url: "/a", request: "Authorization: Basic x", status: 200,
			response: "Content-Type: application/json\n\n{\"n\":1}", want: "request.header /Authorization security"},
		{what: "a criterion on a member of allOf", method: "PATCH", url: "/a", request: "Authorization: Bearer x", status: 200,
			response: "Content-Type: application/json\n\n{\"n\":2}", want: "response.body /n criterion"},
		{what: "a scheme alone", method: "PUT", url: "/a", request: "Authorization: Token ", status: 200, want: "request.header /Authorization security"},
		{what: "refused", method: "GET", url: "/a", status: 403, response: "Content-Type: text/plain\n\nx"},
		{what: "no credential is an alternative", method: "DELETE", url: "/a", status: 200},
		{what: "202 is an acceptance", method: "PUT", url: "/a", request: "Authorization: k\nContent-Type: application/json\n\n[]", status: 202,
			want: "request.body  type"},
		{what: "an optional body", method: "PUT", url: "/a", request: "Authorization: k", status: 202},
		{what: "a redirect", method: "PUT", url: "/a", request: "Authorization: k", status: 301, want: "response.status  status"},

		{what: "204 with a body", url: "/a?key=k", request: "Cookie: session=s", status: 204, response: "\n\nx"},
		{what: "304", url: "/a", status: 304, response: "\n\nx"},
		{what: "default without content", url: "/a", status: 500, response: "\n\nx", want: "response.body  body"},
		{what: "a range of statuses", url: "/a", status: 418, want: "response.body  body"},
		{what: "a range of media types", url: "/a", status: 418, response: "Content-Type: TEXT/anything\n\nx"},
		{what: "another", url: "/a", status: 418, response: "Content-Type: image/png\n\nx", want: "response.header /Content-Type media-type"},
		{what: "ASCII", url: "/a", status: 418, response: "Content-Type: application/json; charset=US-ASCII\n\n{}"},
		{what: "two types", url: "/a", status: 418, response: "Content-Type: application/json\nContent-Type: text/html\n\n{}",
			want: "response.header /Content-Type media-type"},
		{what: "the header was not recorded", url: "/a", status: 418, response: "-\n\n{\"n\":\"x\"}", want: "response.body /n type"},

		{what: "good headers", url: "/a", status: 418, response: "Content-Type: application/json\nX-Count: 004\nX-Flags: true, false\nX-Ratio: 0.5\nX-On: true\nX-Body: x\n\n{\"n\":4}"},
		{what: "bad headers", url: "/a", status: 418, response: "Content-Type: application/json\nX-Count: 1e0\nX-Flags: true,no\nX-Ratio: half\nX-On: 1\n\n{}",
			want: "response.header /X-Count type,response.header /X-Flags/1 type,response.header /X-On type,response.header /X-Ratio type"},
		{what: "too many", url: "/a", status: 418, response: "Content-Type: application/json\nX-Count: 10\n\n{\"n\":10}",
			want: "response.body /n criterion,response.header /X-Count maximum"},
		{what: "a header unlike the body", url: "/a", status: 418, response: "Content-Type: application/json\nX-Count: 4\n\n{\"n\":3}",
			want: "response.header /X-Count criterion"},
		{what: "a header without what it is compared with", url: "/a", status: 418, response: "Content-Type: application/json\nX-Count: 4\n\n{}",
			want: "response.header /X-Count criterion"},
		{what: "literals", url: "/a", status: 418, response: "Content-Type: application/json\n\n{\"n\":-1,\"s\":\"x\",\"b\":false}",
			want: "response.body /b criterion,response.body /n criterion,response.body /s criterion"},
		{what: "twice is not compared", url: "/a", status: 418, response: "Content-Type: application/json\n\n{\"n\":-1,\"n\":-1}",
			want: "response.body /n duplicate-key"},
	} {
		if test.method == "" {
			test.method = http.MethodGet
		}
		u, err := url.Parse("http://127.0.0.1" + test.url)
		require.NoError(t, err)
		findings, err := contract.Check(&traffic.Exchange{Method: test.method, URL: u, Status: test.status,
			Request: message(test.request), Response: message(test.response)})
		require.NoError(t, err, test.what)
		var got []string
		for _, f := range findings {
			got = append(got, string(f.Part)+" "+f.Pointer+" "+f.Rule)
			assert.Positive(t, f.Spec.Line, test.what)
		}
		wanted := []string{}
		if test.want != "" {
			wanted = strings.Split(test.want, ",")
		}
		assert.ElementsMatch(t, wanted, got, test.what)
	}
}

func message(text string) traffic.Message {
	head, body, _ := strings.Cut(text, "\n\n")
	m := traffic.Message{Header: http.Header{}, Body: []byte(body), HeaderOmitted: head == "-"}
	for line := range strings.SplitSeq(head, "\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			m.Header.Add(name, value)
		}
	}
	return m
}

// TestAmbiguousRequests are read in two ways, so what was stored refutes nothing.
func TestAmbiguousRequests(t *testing.T) {
	t.Parallel()
	for _, sent := range []string{`{"vehicle_id":4711,"vehicle_id":1,"code":"P0420"}`, `{"vehicle_id":4711,"code":"P0420","name":"\ud800"}`} {
		findings, err := loadContract(t).Check(exchange(t, 201, sent, string(validFault(nil))))
		require.NoError(t, err)
		assert.Empty(t, findings, sent)
	}
}

func TestFindingsAreBounded(t *testing.T) {
	t.Parallel()
	findings, err := loadContract(t).Check(exchange(t, 422, request, `{"errors":{"a":[`+strings.Repeat("1,", 100_000)+`1]}}`))
	require.NoError(t, err)
	assert.Len(t, findings, 100)
}

// TestHostileBodies are judged in bounded time and memory, and a flood of one deviation does not hide another.
func TestHostileBodies(t *testing.T) {
	t.Parallel()
	contract := loadContract(t)
	long := strings.Repeat("k", 100_000)
	for what, test := range map[string]struct {
		status int
		body   string
		rules  []string
	}{
		"items below a long name":  {422, `{"errors":{"` + long + `":[` + strings.Repeat("1,", 100_000) + `1]}}`, []string{"type"}},
		"repeats below it":         {422, `{"errors":{},"` + long + `":{` + strings.Repeat(`"a":1,`, 100_000) + `"a":1}}`, []string{"duplicate-key", "undocumented-property"}},
		"a flood beside others":    {201, strings.Replace(string(validFault(nil)), "4711", "5", 1)[:1] + strings.Repeat(`"z":1,`, 1200) + strings.Replace(string(validFault(nil)), "4711", "5", 1)[1:], []string{"criterion", "duplicate-key", "undocumented-property"}},
		"half a pair beside one":   {201, `{"z":"\ud800",` + string(validFault(func(f map[string]any) { f["id"] = 8 }))[1:], []string{"criterion", "undocumented-property", "unicode"}},
		"a number of a million":    {201, strings.Replace(string(validFault(nil)), `"count":null`, `"count":0.`+strings.Repeat("0", 1_000_001)+"1", 1), []string{"type"}},
		"a text of many bytes":     {201, strings.Replace(string(validFault(nil)), `"open"`, `"`+strings.Repeat("x", 300_000)+`"`, 1), []string{"enum"}},
		"a URI of many":            {500, `{"status":500,"title":"x","instance":"` + strings.Repeat("/a", 150_000) + ` "}`, []string{"format"}},
		"a time of many":           {201, strings.Replace(string(validFault(nil)), `{`, `{"created_at":"2023-03-14T13:46:27.`+strings.Repeat("1", 300_000)+`",`, 1), []string{"format"}},
		"members of other members": {422, `{"errors":` + strings.Repeat(`{"a":`, 9000) + `1` + strings.Repeat(`}`, 9000) + `}`, []string{"type"}},
	} {
		findings, err := contract.Check(exchange(t, test.status, request, test.body))
		require.NoError(t, err, what)
		rules := map[string]bool{}
		size := 0
		for _, f := range findings {
			rules[f.Rule] = true
			size += len(mustJSON(t, f))
		}
		assert.Equal(t, test.rules, slices.Sorted(maps.Keys(rules)), what)
		assert.Less(t, size, 1<<20, what)
	}
}

// TestDeepBodies are judged like others, and end where encoding/json ends.
func TestDeepBodies(t *testing.T) {
	t.Parallel()
	deep := func(n int) string {
		return string(validFault(nil)[:1]) + `"x":` + strings.Repeat(`[`, n) + strings.Repeat(`]`, n) + `,` + string(validFault(nil)[1:])
	}
	findings, err := loadContract(t).Check(exchange(t, 201, request, deep(5000)))
	require.NoError(t, err)
	require.Len(t, findings, 1)
	assert.Equal(t, "undocumented-property", findings[0].Rule)
	findings, err = loadContract(t).Check(exchange(t, 201, request, deep(20_000)))
	require.NoError(t, err)
	require.Len(t, findings, 1)
	assert.Contains(t, findings[0].Found, "deep")
}

// TestOneDefectIsOneFinding where a criterion could say it a second time.
func TestOneDefectIsOneFinding(t *testing.T) {
	t.Parallel()
	fault := func(name string, value any) string {
		return string(validFault(func(f map[string]any) { f[name] = value }))
	}
	for what, test := range map[string]struct{ request, response, want string }{
		"id, and Location names another":   {request, fault("id", 0), "minimum"},
		"id of another type":               {request, fault("id", "7"), "type"},
		"accepted status, another stored":  {`{"vehicle_id":4711,"code":"P0420","status":"closed"}`, fault("status", "open"), "enum"},
		"accepted zero, another stored":    {`{"vehicle_id":0,"code":"P0420"}`, fault("vehicle_id", 4711), "minimum"},
		"the code is null":                 {request, fault("code", nil), "nullable"},
		"created_at is no time":            {request, fault("created_at", "today"), "format"},
		"the status is none":               {request, fault("status", "closed"), "enum"},
		"the vehicle is another":           {request, fault("vehicle_id", 4712), "criterion"},
		"vehicle_id is written otherwise":  {request, strings.Replace(string(validFault(nil)), "4711", "4.711e3", 1), "portability"},
		"the code differs in letter case":  {request, fault("code", "p0420"), "criterion"},
		"description was not sent, but is": {request, fault("description", "x"), ""},
	} {
		findings, err := loadContract(t).Check(exchange(t, 201, test.request, test.response))
		require.NoError(t, err)
		var rules []string
		for _, f := range findings {
			rules = append(rules, f.Rule)
		}
		assert.Equal(t, test.want, strings.Join(rules, ","), what)
	}
}
