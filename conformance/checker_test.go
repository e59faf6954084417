package conformance

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance/internal/testspec"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// components are the schemas that schemas below refer to.
const components = `Tree: {type: object, properties: {left: {$ref: '#/components/schemas/Tree'}, n: {type: integer}}},
	Loop: {allOf: [{$ref: '#/components/schemas/Loop'}, {type: integer}]}`

func withBody(body string) *traffic.Exchange {
	return &traffic.Exchange{Method: http.MethodGet, URL: &url.URL{Path: "/"}, Status: http.StatusOK,
		Request:  traffic.Message{Header: http.Header{}},
		Response: traffic.Message{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}}
}

var schemas = []string{
	"{}", "{type: integer}", "{type: integer, format: int32, minimum: 5}", "{type: integer, format: int64, nullable: true}",
	"{type: number, maximum: 2, exclusiveMaximum: true}", "{type: number}", "{type: integer, multipleOf: 3}",
	"{type: number, minimum: 0.5}", "{type: number, minimum: 0, maximum: 1.5}", "{type: string, minLength: 2, maxLength: 3}", "{type: string, pattern: '^a+$'}",
	"{type: string, enum: [a, b]}", "{enum: [1, null, {a: 1}, true, x]}", "{type: string, format: date-time}", "{type: string, format: date}",
	"{type: string, format: uri}", "{type: string, format: uri-reference}", "{type: string, format: email}", "{type: string, format: uuid}",
	"{type: string, format: byte}", "{type: boolean, nullable: false}", "{type: array, items: {type: integer}, minItems: 1, maxItems: 3}",
	"{type: array, items: {}, uniqueItems: true}", "{type: object, required: [a, b], properties: {a: {type: string}}}",
	"{type: object, additionalProperties: false, properties: {a: {}}}", "{type: object, additionalProperties: {type: integer}}",
	"{type: object, minProperties: 1, maxProperties: 2}", "{type: object, properties: {a: {type: string, writeOnly: true}}}",
	"{allOf: [{type: object, required: [a]}, {properties: {b: {type: integer}}}]}", "{anyOf: [{type: integer}, {type: string, maxLength: 2}]}",
	"{oneOf: [{type: integer}, {type: number, minimum: 3}]}", "{not: {type: integer, minimum: 2}}", "{$ref: '#/components/schemas/Tree'}",
	"{$ref: '#/components/schemas/Loop'}", "{nullable: true, type: object, properties: {a: {nullable: true, type: array, items: {type: string, nullable: true}}}}",
	"{oneOf: [{type: object, properties: {a: {type: integer}}}, {type: object, required: [b]}]}",
}

var values = []string{
	"null", "true", "false", "0", "-0", "1", "2", "3", "5", "-7", "1.0", "1.5", "1e3", "0.5", "2147483648", "9223372036854775807", "9223372036854775808", "012", "1.", "+1", "NaN",
	`""`, `"a"`, `"ab"`, `"aaa"`, `"éé"`, `"😀😀😀😀"`, `"\u0061"`, `"\ud83d\ude00"`, `"\ud800"`, `"\x"`, "\"\t\"", "\"\xff\"", `"x`, `"2023-03-14T13:46:27-06:00"`, `"2023-02-29T00:00:00Z"`,
	`"2024-02-29T23:59:60Z"`, `"0000-01-01T00:00:00.5Z"`, `"2023-03-14"`, `"2023-13-01"`, `"https://a.b/c"`, `"//a"`, `"/a b"`, `"a@b"`, `"123e4567-e89b-12d3-a456-426614174000"`, `"YQ=="`, `"YQ"`,
	"[]", "[1]", "[1,2,3]", "[1,1]", "[1,1.0]", `["a","\u0061"]`, "[1,2,3,4]", "[[1],[1]]", "[1,]", "[,1]", "[", "{}", `{"a":"x"}`, `{"a":1,"b":2}`, `{"b":1}`, `{"a":"x","a":"y"}`, `{"\u0061":1}`,
	`{"a":1,"b":"x","c":3}`, `{"a":[null,"x"]}`, `{"left":{"left":{"n":1}}}`, `{"left":{"m":1}}`, `{"x":{"y":1,"y":2}}`, `{"a":}`, `{"a" 1}`, `{"a":1,}`, "\ufeff1", " 1 ", "1 2", "", "\x001",
	strings.Repeat("[", 150) + strings.Repeat("]", 150), `{"a":{"b":{"c":[{"d":null}]}}}`,
}

const (
	request    = `{"vehicle_id":4711,"code":"P0420"}`
	conforming = `{"id":7,"created_at":"2023-03-14T13:46:29-06:00","updated_at":"2023-03-14T19:46:29.5Z","account_id":12,"vehicle_id":4711,` +
		`"code":"P0420","count":3,"description":"a \"b\" é","external_id":null,"last_occurred_at":"2023-03-14T13:46:27-06:00","name":null,` +
		`"status":"open","source":null,"vehicle_archived_at":null,"fault_rule_id":8,"is_sample":false,"idempotency_key":null}`
)

// TestCheckAllocatesNothing for an exchange that conforms.
func TestCheckAllocatesNothing(t *testing.T) {
	contract, err := Load(testspec.Spec)
	require.NoError(t, err)
	ex := withBody(conforming)
	ex.Method, ex.URL, ex.Status = http.MethodPost, &url.URL{Path: "/api/v1/faults"}, 201
	ex.Request = traffic.Message{Body: []byte(request), Header: http.Header{"Content-Type": {"application/json"},
		"Authorization": {"Token 76cbe06c49a64"}, "Account-Token": {"acc0un7-t0ken"}}}
	ex.Response.Header.Set("Location", "/api/v1/faults/7")
	ledger := contract.NewLedger()
	check := func() {
		if findings, err := ledger.Add(ex); err != nil || len(findings) > 0 {
			panic("a conforming exchange")
		}
	}
	check()
	assert.Zero(t, testing.AllocsPerRun(100, check))
}
