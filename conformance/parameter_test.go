package conformance_test

import (
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

const parameterSpec = `
openapi: 3.0.3
info: {title: parameters, version: '1'}
components:
  securitySchemes:
    key: {type: apiKey, in: query, name: api_key}
paths:
  /faults/latest:
    get: {operationId: latest, responses: {'200': {description: d}}}
  /faults/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: string}}
      - {name: id, in: query, schema: {type: boolean}}
    get:
      operationId: fault
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer, minimum: 1}, x-assumed: {schema: {minimum: A guess.}}}
        - {name: page, in: query, required: true, schema: {type: integer, minimum: 2, maximum: 100}}
        - {name: empty, in: query, allowEmptyValue: true, schema: {type: integer}}
        - {name: filled, in: query, allowEmptyValue: false, schema: {type: string}}
        - {name: api_key, in: query, schema: {type: string, maxLength: 3}}
        - {name: json, in: query, content: {application/json: {schema: {type: object, required: [a]}}}}
        - {name: X-Trace, in: header, required: true, schema: {type: string, minLength: 2}}
        - {name: session, in: cookie, required: true, schema: {type: integer}}
        - {name: authorization, in: header, required: true, schema: {type: integer}}
      responses:
        '200':
          description: d
          headers:
            X-Range: {schema: {type: object, properties: {from: {type: integer, minimum: 0}}}}
          content: {application/json: {schema: {type: object, properties: {id: {type: integer}, url: {type: string}, page: {type: integer}}}}}
          x-criteria:
            - {name: id, when: [$response.body#/id], condition: $response.body#/id == $request.path.id}
            - {name: page, when: [$response.body#/page, $request.query.page], condition: $response.body#/page >= $request.query.page}
            - {name: trace, when: [$request.header.X-Trace, $response.body#/url], condition: $response.body#/url != $request.header.X-Trace}
            - {name: url, when: [$response.body#/url], type: regex, context: $response.body#/url, condition: '^{$url}$'}
            - {name: method, when: [$response.body#/url], condition: $response.body#/url != $method}
        '400': {description: d}
        '404': {description: d}
  /forms:
    post:
      operationId: form
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema: {type: object, required: [n], properties: {n: {type: integer, maximum: 9}, list: {type: array, items: {type: integer}}, deep: {type: object, properties: {a: {type: integer}}}}}
            encoding: {list: {explode: false}, deep: {style: deepObject}}
          multipart/form-data:
            schema: {type: object, required: [n], properties: {n: {type: integer}, file: {type: string, format: binary, maxLength: 4}, meta: {type: object, properties: {a: {type: integer}}}}}
            encoding: {file: {contentType: 'image/png, image/*'}}
          text/plain: {schema: {type: string, maxLength: 3}}
          text/csv: {schema: {type: string}}
      responses:
        '200': {description: d}
        '201':
          description: d
          content: {application/x-www-form-urlencoded: {schema: {type: object, properties: {n: {type: integer}}}}, text/*: {schema: {type: string, pattern: '^[a-z]+$'}}}
          x-criteria: [{name: n, when: [$response.body#/n, $request.body#/n], condition: $response.body#/n == $request.body#/n}]
`

const good = "/faults/7?page=5"

// expect checks an exchange and compares the findings, as "part pointer rule".
func expect(t *testing.T, contract *conformance.Contract, ex *traffic.Exchange, want ...string) []conformance.Finding {
	t.Helper()
	findings, err := contract.Check(ex)
	require.NoError(t, err)
	got := []string{}
	for _, f := range findings {
		got = append(got, string(f.Part)+" "+f.Pointer+" "+f.Rule)
	}
	slices.Sort(got)
	assert.Equal(t, append([]string{}, want...), got)
	return findings
}

func requestOf(t *testing.T, method, target, request, response string, status int) *traffic.Exchange {
	t.Helper()
	u, err := url.Parse("https://api.example" + target)
	require.NoError(t, err)
	return &traffic.Exchange{Method: method, URL: u, Status: status, Request: message(request), Response: message(response)}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	contract, err := conformance.Load([]byte(parameterSpec))
	require.NoError(t, err)
	assert.Empty(t, contract.Unchecked)
	const head, body = "X-Trace: ab\nCookie: a=b; session=7", "Content-Type: application/json\n\n"
	for name, test := range map[string]struct{ target, request, response, want string }{
		"good":                    {good, head, body + `{"id":7,"page":5,"url":"https://api.example/faults/7?page=5"}`, ""},
		"a literal comes first":   {"/faults/latest", "", "", ""},
		"out of range":            {"/faults/0?page=1", head, body + "{}", "request.path /id minimum,request.query /page minimum"},
		"a string":                {"/faults/a%2Fb?page=x", head, body + "{}", "request.path /id type,request.query /page type"},
		"nothing":                 {"/faults/7", "", body + "{}", "request.cookie /session required,request.header /X-Trace required,request.query /page required"},
		"no recorded header":      {good, "-", body + "{}", ""},
		"twice":                   {good + "&page=6", head, body + "{}", "request.query /page type"},
		"the id of the query":     {good + "&id=7", head, body + "{}", "request.query /id type"},
		"may be empty":            {good + "&empty=", head, body + "{}", ""},
		"may be without =":        {good + "&empty", head, body + "{}", ""},
		"must not be empty":       {good + "&filled", head, body + "{}", "request.query /filled allowEmptyValue"},
		"filled":                  {good + "&filled=1&empty=x", head, body + "{}", "request.query /empty type"},
		"JSON":                    {good + `&json={"a":1}`, head, body + "{}", ""},
		"JSON without a property": {good + `&json=%7B%7D`, head, body + "{}", "request.query /json/a required"},
		"no JSON":                 {good + "&json={", head, body + "{}", "request.query /json json"},
		"JSON that is disputed":   {good + `&json={"a":1,"a":2}`, head, body + "{}", ""},
		"header and cookie":       {good, "X-Trace: a\nCookie: session=x", body + "{}", "request.cookie /session type,request.header /X-Trace minLength"},
		"undocumented, once":      {good + "&a/b=1&%61/b=2&zz&=", head, body + "{}", "request.query / undocumented-parameter,request.query /a~1b undocumented-parameter,request.query /zz undocumented-parameter"},
		"an object in a header":   {good, head, "X-Range: from,0\n" + body + "{}", ""},
		"a wrong one":             {good, head, "X-Range: from,-1\n" + body + "{}", "response.header /X-Range/from minimum"},
		"no object":               {good, head, "X-Range: from\n" + body + "{}", "response.header /X-Range type"},
		"another id":              {good, head, body + `{"id":8}`, "response.body /id criterion"},
		"a smaller page":          {good, head, body + `{"page":4}`, "response.body /page criterion"},
		"the trace":               {good, head, body + `{"url":"ab"}`, "response.body /url criterion,response.body /url criterion"},
		"the method":              {good, head, body + `{"url":"GET"}`, "response.body /url criterion,response.body /url criterion"},
		"another URL":             {good, head, body + `{"url":"https://api.example/faults/7"}`, "response.body /url criterion"},
		"a value that is wrong":   {"/faults/0?page=5", head, body + `{"id":8}`, "request.path /id minimum"},
		"a malformed escape":      {good + "&filled=%zz", head, body + "{}", ""},
		"a trailing slash":        {"/faults/7/?page=5", head, body + "{}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want []string
			if test.want != "" {
				want = strings.Split(test.want, ",")
			}
			for _, f := range expect(t, contract, requestOf(t, http.MethodGet, test.target, test.request, test.response, 200), want...) {
				assert.Positive(t, f.Spec.Line)
				assert.Equal(t, f.Rule == "undocumented-parameter", f.Source == conformance.Note)
				if f.Pointer == "/id" && f.Rule == "minimum" {
					assert.Equal(t, "request.path#/paths/~1faults~1{id}/get/parameters/path.id/schema/minimum", f.Claim)
					assert.Equal(t, conformance.Assumed, f.Source)
				}
			}
		})
	}
}

// TestRejectedParameters has requests that violate a claim and were rejected: evidence only if they violate nothing else.
func TestRejectedParameters(t *testing.T) {
	t.Parallel()
	contract, err := conformance.Load([]byte(parameterSpec))
	require.NoError(t, err)
	const claim, head = "/get/parameters/query.page/schema/maximum", "X-Trace: ab\nCookie: session=7"
	for name, test := range map[string]struct {
		target, request string
		status          int
		want            conformance.State
	}{
		"accepted":          {good, head, 200, conformance.Consistent},
		"accepted wrongly":  {"/faults/7?page=101", head, 200, conformance.Refuted},
		"rejected":          {"/faults/7?page=101", head, 400, conformance.Supported},
		"not found":         {"/faults/7?page=101", head, 404, conformance.Unobserved},
		"two violations":    {"/faults/0?page=101", head, 400, conformance.Unobserved},
		"unrecorded header": {"/faults/7?page=101", "-", 400, conformance.Unobserved},
		"disputed JSON":     {`/faults/7?page=101&json={"a":1,"a":2}`, head, 400, conformance.Unobserved},
		"with a note":       {"/faults/7?page=101&x=1", head, 400, conformance.Supported},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ledger := contract.NewLedger()
			response := "Content-Type: application/json\n\n{}"
			if test.status != 200 {
				response = ""
			}
			_, err := ledger.Add(requestOf(t, http.MethodGet, test.target, test.request, response, test.status))
			require.NoError(t, err)
			for _, e := range ledger.Report().Claims {
				if strings.HasSuffix(e.ID, claim) {
					assert.Equal(t, test.want, e.State)
				}
			}
		})
	}
}

func TestForms(t *testing.T) {
	t.Parallel()
	contract, err := conformance.Load([]byte(parameterSpec))
	require.NoError(t, err)
	const form, text, multi = "Content-Type: application/x-www-form-urlencoded\n\n", "Content-Type: text/plain\n\n", "Content-Type: multipart/form-data; boundary=b\n\n"
	part := func(head, body string) string {
		return "--b\r\nContent-Disposition: form-data; name=" + head + "\r\n\r\n" + body + "\r\n"
	}
	for name, test := range map[string]struct {
		request, response string
		status            int
		want              string
	}{
		"form":                 {form + "n=1&list=1,2&deep[a]=3&other=x", "", 200, "request.body /other undocumented-property"},
		"form violations":      {form + "n=10&list=1,x&deep[a]=y", "", 200, "request.body /deep/a type,request.body /list/1 type,request.body /n maximum"},
		"form without n":       {form + "list=1", "", 200, "request.body /n required"},
		"rejected":             {form + "n=10", "", 400, "response.status  status"},
		"form response":        {form + "n=1", form + "n=1", 201, ""},
		"form drift":           {form + "n=1", form + "n=1&m=2", 201, "response.body /m undocumented-property"},
		"form criterion":       {form + "n=1", form + "n=2", 201, "response.body /n criterion"},
		"text":                 {text + "abc", text + "abc", 201, ""},
		"text violations":      {text + "abcd", text + "ABC", 201, "request.body  maxLength,response.body  pattern"},
		"another charset":      {"Content-Type: text/plain; charset=utf-16\n\nabcd", "", 200, ""},
		"multipart":            {multi + part("n", "1") + part("file; filename=f\r\nContent-Type: image/gif", "\xff\xfe\xfd\xfc") + part("meta\r\nContent-Type: application/json", `{"a":1}`) + "--b--", "", 200, ""},
		"a file of JSON":       {multi + part("n", "1") + part("file\r\nContent-Type: image/vnd+json", `{"a":1`) + "--b--", "", 200, "request.body /file maxLength"},
		"multipart violations": {multi + part("n", "x") + part("file", "12345") + part("meta", `{"a":"1"}`) + "--b--", "", 200, "request.body /file maxLength,request.body /file media-type,request.body /meta/a type,request.body /n type"},
		"truncated":            {multi + part("n", "1"), "", 200, "request.body  multipart"},
		"no boundary":          {"Content-Type: multipart/form-data\n\n--b--", "", 200, "request.body  multipart"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want []string
			if test.want != "" {
				want = strings.Split(test.want, ",")
			}
			// message splits at the first blank line only
			expect(t, contract, requestOf(t, http.MethodPost, "/forms", test.request, test.response, test.status), want...)
		})
	}
}

// TestClaimsOfParametersAreStable reorders parameters.
func TestClaimsOfParametersAreStable(t *testing.T) {
	t.Parallel()
	ids := func(spec string) (list []string) {
		contract, err := conformance.Load([]byte(spec))
		require.NoError(t, err)
		for _, claim := range contract.Claims() {
			list = append(list, claim.ID)
			assert.NotEmpty(t, claim.Places)
		}
		return list
	}
	page := "        - {name: page, in: query, required: true, schema: {type: integer, minimum: 2, maximum: 100}}\n"
	session := "        - {name: session, in: cookie, required: true, schema: {type: integer}}\n"
	moved := strings.Replace(strings.Replace(parameterSpec, page, "", 1), session, session+page, 1)
	require.NotEqual(t, parameterSpec, moved)
	assert.Equal(t, ids(parameterSpec), ids(moved))
	assert.Contains(t, ids(moved), "request.query#/paths/~1faults~1{id}/get/parameters/query.page/required")
	assert.Contains(t, ids(moved), "request.query#/paths/~1faults~1{id}/parameters/query.id/schema/type")
	assert.NotContains(t, ids(moved), "request.path#/paths/~1faults~1{id}/parameters/path.id/schema/type", "the operation overrides it")
}

// TestQueryKeysAreRedacted has a credential as a documented parameter, with a malformed escape, and as a name.
func TestQueryKeysAreRedacted(t *testing.T) {
	t.Parallel()
	contract, err := conformance.Load([]byte(parameterSpec))
	require.NoError(t, err)
	const secret = "s3cr3t-%zz;key"
	for _, target := range []string{good + "&api_key=" + secret, good + "&api%5Fkey=" + secret + "&" + secret + "=1&filled=" + secret} {
		ex := requestOf(t, http.MethodGet, target, "X-Trace: ab\nCookie: session="+secret, "Content-Type: application/json\n\n"+`{"url":"`+secret+`"}`, 200)
		findings, err := contract.Check(ex)
		require.NoError(t, err)
		assert.NotEmpty(t, findings)
		assert.NotContains(t, mustJSON(t, findings), "s3cr3t")
		clean, err := contract.Redact(ex)
		require.NoError(t, err)
		assert.NotContains(t, clean.URL.String()+string(clean.Response.Body), "s3cr3t")
	}
}

func TestExpressionsOfParameters(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"$request.path.ids":      "the contract has no such request path",
		"$request.query.pages":   "the contract has no such request query",
		"$request.query":         "is not an expression",
		"$request.cookie.a":      "is not an expression",
		"$request.header.X-Tra":  "the contract has no such request header",
		"$request.query.json":    "is not a scalar",
		"$urls":                  "is not an expression",
		"$request.body#/id":      "has no schema that is checked",
		"$response.header.X-Tra": "the contract has no such response header",
	} {
		t.Run(expression, func(t *testing.T) {
			t.Parallel()
			_, err := conformance.Load([]byte(strings.Replace(parameterSpec, "== $request.path.id", "== "+expression, 1)))
			require.ErrorContains(t, err, want)
		})
	}
}

// FuzzParameters looks for a request or form that makes the checker panic, or its report invalid.
func FuzzParameters(f *testing.F) {
	contract, err := conformance.Load([]byte(parameterSpec))
	require.NoError(f, err)
	f.Add("/faults/7", "page=5&json={}&deep[a][]=1", "ab", "session=7", "n=1&list=1,2&deep[a]=3", "from,0")
	f.Add("/faults/%zz", "page=%zz&&=&page", "\x00", "a;;=b", "--b\r\nContent-Disposition: form-data; name=n\r\n\r\n1\r\n--b--", "from")
	f.Fuzz(func(t *testing.T, path, query, header, cookie, body, response string) {
		ledger := contract.NewLedger()
		for _, mediaType := range []string{"application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/plain"} {
			for _, ex := range []*traffic.Exchange{
				{Method: http.MethodGet, URL: &url.URL{Path: path, RawQuery: query}, Status: 200,
					Request:  traffic.Message{Header: http.Header{"X-Trace": {header}, "Cookie": {cookie}}},
					Response: traffic.Message{Header: http.Header{"X-Range": {response}}}},
				{Method: http.MethodPost, URL: &url.URL{Path: "/forms"}, Status: 201,
					Request:  traffic.Message{Header: http.Header{"Content-Type": {mediaType}}, Body: []byte(body)},
					Response: traffic.Message{Header: http.Header{"Content-Type": {mediaType}}, Body: []byte(body)}},
			} {
				_, _ = ledger.Add(ex)
			}
		}
		mustJSON(t, ledger.Report())
	})
}
