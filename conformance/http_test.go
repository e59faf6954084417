package conformance_test

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/internal/testspec"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// other is a spec with features that the project's own spec does not use.
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
	assert.Empty(t, contract.Unchecked)

	for _, test := range []struct {
		name     string
		method   string
		url      string
		status   int
		request  string // header fields, a blank line, the body
		response string
		want     string // "part pointer rule", sorted
	}{
		{name: "cookie and query", url: "/a?key=k", request: "Cookie: session=s", status: 204},
		{name: "cookie alone", url: "/a", request: "Cookie: session=s", status: 204, want: "request.header /URL/key security"},
		{name: "query alone", url: "/a?key=k", request: "Cookie: other=s", status: 204, want: "request.header /Cookie/session security"},
		{name: "bearer", url: "/a", request: "Authorization: bEaReR x", status: 204},
		{name: "basic is no bearer", url: "/a", request: "Authorization: Basic x", status: 204, want: "request.header /Authorization security"},
		{name: "the closest alternative", url: "/a", status: 204, want: "request.header /Authorization security"},
		{name: "OAuth is a bearer", method: "PATCH", url: "/a", request: "Authorization: Basic x", status: 200,
			response: "Content-Type: application/json\n\n{\"n\":1}", want: "request.header /Authorization security"},
		{name: "a criterion on a property of allOf", method: "PATCH", url: "/a", request: "Authorization: Bearer x", status: 200,
			response: "Content-Type: application/json\n\n{\"n\":2}", want: "response.body /n criterion"},
		{name: "a scheme alone", method: "PUT", url: "/a", request: "Authorization: Token ", status: 200, want: "request.header /Authorization security"},
		{name: "rejected", method: "GET", url: "/a", status: 403, response: "Content-Type: text/plain\n\nx"},
		{name: "no credential is an alternative", method: "DELETE", url: "/a", status: 200},
		{name: "202 is an acceptance", method: "PUT", url: "/a", request: "Authorization: k\nContent-Type: application/json\n\n[]", status: 202,
			want: "request.body  type"},
		{name: "an optional body", method: "PUT", url: "/a", request: "Authorization: k", status: 202},
		{name: "a redirect", method: "PUT", url: "/a", request: "Authorization: k", status: 301, want: "response.status  status"},

		{name: "204 with a body", url: "/a?key=k", request: "Cookie: session=s", status: 204, response: "\n\nx"},
		{name: "304", url: "/a", status: 304, response: "\n\nx"},
		{name: "default without content", url: "/a", status: 500, response: "\n\nx", want: "response.body  body"},
		{name: "a range of statuses", url: "/a", status: 418, want: "response.body  body"},
		{name: "a range of media types", url: "/a", status: 418, response: "Content-Type: TEXT/anything\n\nx"},
		{name: "another", url: "/a", status: 418, response: "Content-Type: image/png\n\nx", want: "response.header /Content-Type media-type"},
		{name: "ASCII", url: "/a", status: 418, response: "Content-Type: application/json; charset=US-ASCII\n\n{}"},
		{name: "two types", url: "/a", status: 418, response: "Content-Type: application/json\nContent-Type: text/html\n\n{}",
			want: "response.header /Content-Type media-type"},
		{name: "an unrecorded header", url: "/a", status: 418, response: "-\n\n{\"n\":\"x\"}", want: "response.body /n type"},

		{name: "good headers", url: "/a", status: 418, response: "Content-Type: application/json\nX-Count: 004\nX-Flags: true, false\nX-Ratio: 0.5\nX-On: true\nX-Body: 7\n\n{\"n\":4}"},
		{name: "bad headers", url: "/a", status: 418, response: "Content-Type: application/json\nX-Count: 1e0\nX-Flags: true,no\nX-Ratio: half\nX-On: 1\nX-Body: x\n\n{}",
			want: "response.header /X-Body json,response.header /X-Count type,response.header /X-Flags/1 type,response.header /X-On type,response.header /X-Ratio type"},
		{name: "too many", url: "/a", status: 418, response: "Content-Type: application/json\nX-Count: 10\n\n{\"n\":10}",
			want: "response.body /n criterion,response.header /X-Count maximum"},
		{name: "a header unlike the body", url: "/a", status: 418, response: "Content-Type: application/json\nX-Count: 4\n\n{\"n\":3}",
			want: "response.header /X-Count criterion"},
		{name: "a header without what it is compared with", url: "/a", status: 418, response: "Content-Type: application/json\nX-Count: 4\n\n{}",
			want: "response.header /X-Count criterion"},
		{name: "literals", url: "/a", status: 418, response: "Content-Type: application/json\n\n{\"n\":-1,\"s\":\"x\",\"b\":false}",
			want: "response.body /b criterion,response.body /n criterion,response.body /s criterion"},
		{name: "twice is not compared", url: "/a", status: 418, response: "Content-Type: application/json\n\n{\"n\":-1,\"n\":-1}",
			want: "response.body /n duplicate-key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			u, err := url.Parse("http://127.0.0.1" + test.url)
			require.NoError(t, err)
			findings, err := contract.Check(&traffic.Exchange{Method: cmp.Or(test.method, http.MethodGet), URL: u, Status: test.status,
				Request: message(test.request), Response: message(test.response)})
			require.NoError(t, err)
			var got []string
			for _, f := range findings {
				got = append(got, string(f.Part)+" "+f.Pointer+" "+f.Rule)
				assert.Positive(t, f.Spec.Line)
			}
			wanted := []string{}
			if test.want != "" {
				wanted = strings.Split(test.want, ",")
			}
			assert.ElementsMatch(t, wanted, got)
		})
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

// TestAmbiguousRequests has bodies that parsers disagree about, so that the stored value refutes nothing.
func TestAmbiguousRequests(t *testing.T) {
	t.Parallel()
	for _, sent := range []string{`{"vehicle_id":4711,"vehicle_id":1,"code":"P0420"}`, `{"vehicle_id":4711,"code":"P0420","name":"\ud800"}`} {
		t.Run(sent, func(t *testing.T) {
			t.Parallel()
			findings, err := loadContract(t).Check(exchange(t, 201, sent, string(testspec.Fault(nil))))
			require.NoError(t, err)
			assert.Empty(t, findings)
		})
	}
}

func TestFindingsAreBounded(t *testing.T) {
	t.Parallel()
	findings, err := loadContract(t).Check(exchange(t, 422, request, `{"errors":{"a":[`+strings.Repeat("1,", 100_000)+`1]}}`))
	require.NoError(t, err)
	assert.Len(t, findings, 101, "with the note that a valid request was rejected")
}

// TestHostileBodies checks in bounded time and memory; many findings of one deviation must not hide another.
func TestHostileBodies(t *testing.T) {
	t.Parallel()
	contract := loadContract(t)
	long := strings.Repeat("k", 100_000)
	for name, test := range map[string]struct {
		status int
		body   string
		rules  []string
	}{
		"items below a long name": {422, `{"errors":{"` + long + `":[` + strings.Repeat("1,", 100_000) + `1]}}`, []string{"rejected", "type"}},
		"repeats below it":        {422, `{"errors":{},"` + long + `":{` + strings.Repeat(`"a":1,`, 100_000) + `"a":1}}`, []string{"duplicate-key", "rejected", "undocumented-property"}},
		"a flood beside others":   {201, strings.Replace(string(testspec.Fault(nil)), "4711", "5", 1)[:1] + strings.Repeat(`"z":1,`, 1200) + strings.Replace(string(testspec.Fault(nil)), "4711", "5", 1)[1:], []string{"criterion", "duplicate-key", "undocumented-property"}},
		"a lone surrogate":        {201, `{"z":"\ud800",` + string(testspec.Fault(func(f map[string]any) { f["id"] = 8 }))[1:], []string{"criterion", "undocumented-property", "unicode"}},
		"a number of a million":   {201, strings.Replace(string(testspec.Fault(nil)), `"count":null`, `"count":0.`+strings.Repeat("0", 1_000_001)+"1", 1), []string{"type"}},
		"a string of many bytes":  {201, strings.Replace(string(testspec.Fault(nil)), `"open"`, `"`+strings.Repeat("x", 300_000)+`"`, 1), []string{"enum"}},
		"a URI of many":           {500, `{"status":500,"title":"x","instance":"` + strings.Repeat("/a", 150_000) + ` "}`, []string{"format"}},
		"a time of many":          {201, strings.Replace(string(testspec.Fault(nil)), `{`, `{"created_at":"2023-03-14T13:46:27.`+strings.Repeat("1", 300_000)+`",`, 1), []string{"format"}},
		"nested properties":       {422, `{"errors":` + strings.Repeat(`{"a":`, 9000) + `1` + strings.Repeat(`}`, 9000) + `}`, []string{"rejected", "type"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			findings, err := contract.Check(exchange(t, test.status, request, test.body))
			require.NoError(t, err)
			rules := map[string]bool{}
			size := 0
			for _, f := range findings {
				rules[f.Rule] = true
				size += len(mustJSON(t, f))
			}
			assert.Equal(t, test.rules, slices.Sorted(maps.Keys(rules)))
			assert.Less(t, size, 1<<20)
		})
	}
}

// TestDeepBodies has a body within and one beyond the depth limit of encoding/json.
func TestDeepBodies(t *testing.T) {
	t.Parallel()
	deep := func(n int) string {
		return string(testspec.Fault(nil)[:1]) + `"x":` + strings.Repeat(`[`, n) + strings.Repeat(`]`, n) + `,` + string(testspec.Fault(nil)[1:])
	}
	findings, err := loadContract(t).Check(exchange(t, 201, request, deep(5000)))
	require.NoError(t, err)
	require.Len(t, findings, 1)
	assert.Equal(t, "undocumented-property", findings[0].Rule)
	findings, err = loadContract(t).Check(exchange(t, 201, request, deep(20_000)))
	require.NoError(t, err)
	require.Len(t, findings, 1)
	assert.Contains(t, findings[0].Actual, "deep")
}

// TestOneDefectIsOneFinding where a criterion could report it a second time.
func TestOneDefectIsOneFinding(t *testing.T) {
	t.Parallel()
	fault := func(name string, value any) string {
		return string(testspec.Fault(func(f map[string]any) { f[name] = value }))
	}
	for name, test := range map[string]struct{ request, response, want string }{
		"id, and Location has another":     {request, fault("id", 0), "minimum"},
		"id of another type":               {request, fault("id", "7"), "type"},
		"accepted status, another stored":  {`{"vehicle_id":4711,"code":"P0420","status":"closed"}`, fault("status", "open"), "enum"},
		"accepted zero, another stored":    {`{"vehicle_id":0,"code":"P0420"}`, fault("vehicle_id", 4711), "minimum"},
		"the code is null":                 {request, fault("code", nil), "nullable"},
		"created_at is no time":            {request, fault("created_at", "today"), "format"},
		"the status is not in the enum":    {request, fault("status", "closed"), "enum"},
		"the vehicle is another":           {request, fault("vehicle_id", 4712), "criterion"},
		"vehicle_id is written otherwise":  {request, strings.Replace(string(testspec.Fault(nil)), "4711", "4.711e3", 1), "portability"},
		"the code differs in letter case":  {request, fault("code", "p0420"), "criterion"},
		"description was not sent, but is": {request, fault("description", "x"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			findings, err := loadContract(t).Check(exchange(t, 201, test.request, test.response))
			require.NoError(t, err)
			var rules []string
			for _, f := range findings {
				rules = append(rules, f.Rule)
			}
			assert.Equal(t, test.want, strings.Join(rules, ","))
		})
	}
}
