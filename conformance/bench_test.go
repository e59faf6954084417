package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance/internal/testspec"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// The benchmarks compare this package with json.Valid, which has no schema, and with kin-openapi, for the same bytes.

func load(b *testing.B) (*Contract, *openapi3.T) {
	b.Helper()
	contract, err := Load(testspec.Spec)
	require.NoError(b, err)
	doc, err := openapi3.NewLoader().LoadFromData(testspec.Spec)
	require.NoError(b, err)
	return contract, doc
}

// BenchmarkBody checks the 201 body alone.
func BenchmarkBody(b *testing.B) {
	contract, doc := load(b)
	body := []byte(conforming)
	measure := func(name string, check func() bool) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if !check() {
					b.Fatal("it conforms")
				}
			}
		})
	}
	schema := contract.operations[0].responses["201"].body.checked()
	k := contract.newChecker()
	k.validator.part, k.validator.satisfied = inResponseBody, k.evidence.satisfied
	measure("ours", func() bool {
		defects, ok := k.responseDoc.ParseBody(body)
		return ok && len(defects) == 0 && len(k.validator.validate(schema, value{Doc: &k.responseDoc})) == 0
	})
	measure("json.Valid", func() bool { return json.Valid(body) })
	kin := doc.Components.Schemas["Fault"].Value
	measure("kin", func() bool {
		var value any
		return json.Unmarshal(body, &value) == nil && kin.VisitJSON(value, openapi3.MultiErrors(), openapi3.VisitAsResponse()) == nil
	})
}

// BenchmarkExchange checks request and response, with a ledger.
func BenchmarkExchange(b *testing.B) {
	contract, doc := load(b)
	ex := create()
	size := int64(len(ex.Request.Body) + len(ex.Response.Body))
	b.Run("ours", func(b *testing.B) {
		ledger := contract.NewLedger()
		b.SetBytes(size)
		b.ReportAllocs()
		for b.Loop() {
			if findings, err := ledger.Add(ex); err != nil || len(findings) > 0 {
				b.Fatal(findings, err)
			}
		}
	})
	b.Run("deviating", func(b *testing.B) {
		bad := create()
		bad.Response.Body = bytes.Replace(bad.Response.Body, []byte(`"id":7`), []byte(`"id":0`), 1)
		ledger := contract.NewLedger()
		b.SetBytes(size)
		b.ReportAllocs()
		for b.Loop() {
			if findings, err := ledger.Add(bad); err != nil || len(findings) != 1 {
				b.Fatal(findings, err)
			}
		}
	})
	b.Run("parameters", func(b *testing.B) {
		contract, err := Load([]byte("openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths: {'/f/{id}': {get: {parameters: [" +
			"{name: id, in: path, required: true, schema: {type: integer, minimum: 1}}, {name: page, in: query, schema: {type: integer, maximum: 9}}, " +
			"{name: sort, in: query, schema: {type: string, enum: [id, name]}}], responses: {'204': {description: d}}}}}"))
		require.NoError(b, err)
		get := &traffic.Exchange{Method: http.MethodGet, URL: &url.URL{Path: "/f/7", RawQuery: "page=5&sort=name"}, Status: http.StatusNoContent}
		ledger := contract.NewLedger()
		b.ReportAllocs()
		for b.Loop() {
			if findings, err := ledger.Add(get); err != nil || len(findings) > 0 {
				b.Fatal(findings, err)
			}
		}
	})
	b.Run("kin", func(b *testing.B) {
		router, err := legacy.NewRouter(doc)
		require.NoError(b, err)
		b.SetBytes(size)
		b.ReportAllocs()
		for b.Loop() {
			if err := kinCheck(b.Context(), router, ex); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// kinCheck checks an exchange with kin-openapi's router and filters.
func kinCheck(ctx context.Context, router routers.Router, ex *traffic.Exchange) error {
	r, err := http.NewRequestWithContext(ctx, ex.Method, ex.URL.String(), bytes.NewReader(ex.Request.Body))
	if err != nil {
		return err
	}
	r.Header = ex.Request.Header
	route, path, err := router.FindRoute(r)
	if err != nil {
		return err
	}
	options := &openapi3filter.Options{MultiError: true, IncludeResponseStatus: true, SkipSettingDefaults: true,
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}
	request := &openapi3filter.RequestValidationInput{Request: r, PathParams: path, Route: route, Options: options}
	if err := openapi3filter.ValidateRequest(ctx, request); err != nil {
		return err
	}
	return openapi3filter.ValidateResponse(ctx, &openapi3filter.ResponseValidationInput{RequestValidationInput: request,
		Status: ex.Status, Header: ex.Response.Header, Body: io.NopCloser(bytes.NewReader(ex.Response.Body)), Options: options})
}

// create is an exchange that conforms.
func create() *traffic.Exchange {
	ex := withBody(conforming)
	ex.Method, ex.Status = http.MethodPost, http.StatusCreated
	ex.URL = &url.URL{Scheme: "https", Host: "secure.fleetio.com", Path: "/api/v1/faults"}
	ex.Request = traffic.Message{Body: []byte(request), Header: http.Header{"Content-Type": {"application/json"},
		"Authorization": {"Token 76cbe06c49a64"}, "Account-Token": {"acc0un7-t0ken"}}}
	ex.Response.Header.Set("Location", "https://secure.fleetio.com/api/v1/faults/7")
	ex.Response.Header.Set("Date", "Mon, 23 Nov 2026 10:00:00 GMT")
	return ex
}

// largeHAR writes an archive of at least size bytes, like Chrome's.
func largeHAR(tb testing.TB, size int) (path string, entries int) {
	tb.Helper()
	path = filepath.Join(tb.TempDir(), "large.har")
	f, err := os.Create(path)
	require.NoError(tb, err)
	_, err = io.WriteString(f, `{"log":{"version":"1.2","creator":{"name":"WebInspector","version":"537.36"},"pages":[],"entries":[`)
	require.NoError(tb, err)
	for written := 0; written < size; entries++ {
		entry := largeEntry(entries)
		if entries > 0 {
			entry = "," + entry
		}
		n, err := io.WriteString(f, entry)
		require.NoError(tb, err)
		written += n
	}
	_, err = io.WriteString(f, "]}}\n")
	require.NoError(tb, err)
	require.NoError(tb, f.Close())
	return path, entries
}

func largeEntry(i int) string {
	id := 90210 + i
	text := func(s string) string {
		data, err := json.Marshal(s)
		if err != nil {
			panic(err)
		}
		return string(data)
	}
	header := func(pairs ...string) string {
		var list []string
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, fmt.Sprintf(`{"name":%s,"value":%s}`, text(pairs[i]), text(pairs[i+1])))
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	sent := fmt.Sprintf(`{"vehicle_id":4711,"code":"P0420","external_id":"telematics-%d","last_occurred_at":"2023-03-14T13:46:27-06:00","name":"Catalyst efficiency"}`, i)
	got := fmt.Sprintf(`{"id":%d,"created_at":"2023-03-14T13:46:29-06:00","updated_at":"2023-03-14T13:46:29-06:00","account_id":12,"vehicle_id":4711,"code":"P0420","count":1,`+
		`"description":"Efficiency of the catalyst on bank 1 is below its threshold","external_id":"telematics-%d","last_occurred_at":"2023-03-14T13:46:27-06:00",`+
		`"name":"Catalyst efficiency","status":"open","source":null,"vehicle_archived_at":null,"fault_rule_id":8,"is_sample":false,"idempotency_key":null}`, id, i)
	return fmt.Sprintf(`{"_initiator":{"type":"script","stack":{"callFrames":[{"functionName":"send","scriptId":"5","url":"https://app.example.com/static/app.js","lineNumber":121,"columnNumber":9}]}},`+
		`"_priority":"High","_resourceType":"fetch","cache":{},"connection":"44321","pageref":"page_1","request":{"method":"POST","url":"https://secure.fleetio.com/api/v1/faults","httpVersion":"http/2.0",`+
		`"headers":%s,"queryString":[],"cookies":[],"headersSize":-1,"bodySize":%d,"postData":{"mimeType":"application/json","text":%s}},`+
		`"response":{"status":201,"statusText":"","httpVersion":"http/2.0","headers":%s,"cookies":[],"content":{"size":%d,"mimeType":"application/json","text":%s},"redirectURL":"","headersSize":-1,"bodySize":-1,"_transferSize":740,"_error":null},`+
		`"serverIPAddress":"203.0.113.7","startedDateTime":"2026-11-23T10:00:00.000Z","time":61.9,"timings":{"blocked":2.2,"dns":-1,"ssl":-1,"connect":-1,"send":0.3,"wait":58.4,"receive":1,"_blocked_queueing":1.4}}`,
		header(":authority", "secure.fleetio.com", ":method", "POST", ":path", "/api/v1/faults", ":scheme", "https", "accept", "application/json", "accept-encoding", "gzip, deflate, br, zstd",
			"authorization", "Token redacted", "account-token", "redacted", "content-type", "application/json", "origin", "https://app.example.com", "referer", "https://app.example.com/vehicles/4711",
			"user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"),
		len(sent), text(sent),
		header("cache-control", "max-age=0, private, must-revalidate", "content-encoding", "gzip", "content-type", "application/json; charset=utf-8", "date", "Mon, 23 Nov 2026 10:00:00 GMT",
			"etag", `W/"5d41402abc4b2a76b9719d911017c592"`, "location", fmt.Sprintf("https://secure.fleetio.com/api/v1/faults/%d", id), "server", "cloudflare", "strict-transport-security", "max-age=63072000; includeSubDomains",
			"vary", "Accept-Encoding", "x-request-id", fmt.Sprintf("4e0a8b1c-%012d", i), "x-runtime", "0.048211"),
		len(got), text(got))
}

// decoderAndKin checks an archive by a plain loop: encoding/json for the entries and kin-openapi for the exchanges.
func decoderAndKin(b *testing.B, router routers.Router, path string) (checked int) {
	type message struct {
		Headers []struct{ Name, Value string }
	}
	f, err := os.Open(path)
	require.NoError(b, err)
	defer f.Close()
	d := json.NewDecoder(f)
	for token := json.Token(nil); token != "entries"; {
		if token, err = d.Token(); err != nil {
			b.Fatal(err)
		}
	}
	if _, err = d.Token(); err != nil {
		b.Fatal(err)
	}
	for d.More() {
		var entry struct {
			Request struct {
				message

				Method, URL string
				PostData    struct{ Text string }
			}
			Response struct {
				message

				Status  int
				Content struct{ Text string }
			}
		}
		if err := d.Decode(&entry); err != nil {
			b.Fatal(err)
		}
		ex := &traffic.Exchange{Method: entry.Request.Method, Status: entry.Response.Status}
		if ex.URL, err = url.Parse(entry.Request.URL); err != nil {
			b.Fatal(err)
		}
		header := func(m message) http.Header {
			h := http.Header{}
			for _, f := range m.Headers {
				h.Add(f.Name, f.Value)
			}
			return h
		}
		ex.Request = traffic.Message{Header: header(entry.Request.message), Body: []byte(entry.Request.PostData.Text)}
		ex.Response = traffic.Message{Header: header(entry.Response.message), Body: []byte(entry.Response.Content.Text)}
		if err := kinCheck(b.Context(), router, ex); err != nil {
			b.Fatal(err)
		}
		checked++
	}
	return checked
}
