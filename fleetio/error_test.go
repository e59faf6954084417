package fleetio_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// once makes calls that are not tried again.
var once = fleetio.WithRetryPolicy(fleetio.RetryPolicy{MaxAttempts: 1})

// TestErrors has a response of each kind: what the error holds, and its text as a whole.
func TestErrors(t *testing.T) {
	t.Parallel()
	problem := `{"status":401,"title":"Unauthorized","detail":"The API key is not valid.","instance":"/problems/1"}`
	typed := func(media string) http.Header { return http.Header{"Content-Type": {media}} }
	untyped := http.Header{"Content-Type": nil}
	const foreign = "the fault was created: the response is about another fault, as vehicle_id or code is not what was sent: find the id in Fleetio"
	date := strings.Replace(created, `"2023-03-14T13:46:29-06:00"`, `"14.3.2023"`, 1)
	for name, row := range map[string]struct {
		reply

		is       error
		became   string
		id       int64
		problem  bool
		foreign  bool // nothing is said of the fault
		fields   map[string][]string
		contains string
	}{
		"401":                         {reply: reply{401, nil, problem}, is: fleetio.ErrUnauthorized, became: notCreated, problem: true, contains: "401 Unauthorized: The API key is not valid."},
		"401 with a problem's type":   {reply: reply{401, typed("application/problem+json"), problem}, is: fleetio.ErrUnauthorized, became: notCreated, problem: true, contains: "401 Unauthorized: The API key is not valid."},
		"401 in capitals":             {reply: reply{401, typed("APPLICATION/JSON; Charset=UTF-8"), problem}, is: fleetio.ErrUnauthorized, became: notCreated, problem: true, contains: "401 Unauthorized: The API key is not valid."},
		"401 that claims JSON":        {reply: reply{401, nil, "<html>"}, is: fleetio.ErrUnauthorized, became: notCreated, contains: "401 Unauthorized: its body is no problem object"},
		"401 without a body":          {reply: reply{401, nil, ""}, is: fleetio.ErrUnauthorized, became: notCreated, contains: "401 Unauthorized"},
		"401 as text":                 {reply: reply{401, typed("text/plain"), "HTTP Token: Access denied"}, is: fleetio.ErrUnauthorized, became: notCreated, contains: "401 Unauthorized: its Content-Type is not JSON"},
		"401 as text that is no JSON": {reply: reply{401, typed("text/x-notjson"), problem}, is: fleetio.ErrUnauthorized, became: notCreated, contains: "401 Unauthorized: its Content-Type is not JSON"},
		"401 without a type":          {reply: reply{401, untyped, problem}, is: fleetio.ErrUnauthorized, became: notCreated, contains: "401 Unauthorized: it has no Content-Type"},
		"401 with a malformed type":   {reply: reply{401, typed("application/json; ="), problem}, is: fleetio.ErrUnauthorized, became: notCreated, contains: "401 Unauthorized: its Content-Type is malformed"},
		"403 with an empty body":      {reply: reply{403, untyped, ""}, is: fleetio.ErrForbidden, became: notCreated, contains: "403 Forbidden"},
		"403 that is null":            {reply: reply{403, nil, "null"}, is: fleetio.ErrForbidden, became: notCreated, contains: "403 Forbidden: its body is no problem object"},
		"422": {reply: reply{422, nil, `{"errors":{"vehicle_id":["must exist"],"code":["can't be blank","must match a Fault Rule"]}}`}, is: fleetio.ErrInvalid, became: notCreated,
			fields: map[string][]string{"vehicle_id": {"must exist"}, "code": {"can't be blank", "must match a Fault Rule"}}, contains: "422 Unprocessable Entity: code can't be blank, must match a Fault Rule; vehicle_id must exist"},
		"422 without fields":        {reply: reply{422, nil, `{"errors":{}}`}, is: fleetio.ErrInvalid, became: notCreated, fields: map[string][]string{}, contains: "422 Unprocessable Entity"},
		"422 of another shape":      {reply: reply{422, nil, `{"errors":{"code":"can't be blank"}}`}, is: fleetio.ErrInvalid, became: notCreated, contains: "422 Unprocessable Entity: its body does not list fields"},
		"422 with nothing":          {reply: reply{422, nil, `{}`}, is: fleetio.ErrInvalid, became: notCreated, contains: "422 Unprocessable Entity: its body does not list fields"},
		"404 as a page":             {reply: reply{404, typed("text/html"), "<html>"}, became: notCreated, contains: "404 Not Found: its Content-Type is not JSON"},
		"429":                       {reply: retryAfter(429, "22"), became: rateLimit, contains: "the rate limit is exhausted: try again in 22s; for many faults, use the Bulk API (POST /api/v1/bulk_api_jobs)"},
		"429 that does not say":     {reply: reply{429, nil, "{}"}, became: rateLimit, contains: "the rate limit is exhausted: the response does not say until when; for many faults, use the Bulk API (POST /api/v1/bulk_api_jobs)"},
		"500":                       {reply: reply{500, http.Header{"X-Request-Id": {"r-7"}}, `{"status":500,"title":"Internal Server Error"}`}, became: ambiguous, problem: true, contains: "500 Internal Server Error: unknown whether created (request r-7)"},
		"502 as a page":             {reply: reply{502, typed("text/html"), "<html>"}, became: ambiguous, contains: "502 Bad Gateway: its Content-Type is not JSON: unknown whether created"},
		"200":                       {reply: reply{200, nil, created}, became: ambiguous, contains: "200 OK: the contract has no such status: unknown whether created"},
		"302":                       {reply: reply{302, http.Header{"Location": {"https://elsewhere.example"}}, ""}, became: ambiguous, contains: "302 Found: unknown whether created"},
		"a redirect of no kind":     {reply: reply{307, http.Header{"Location": {"%zz\x7f"}}, ""}, became: ambiguous, contains: "307 Temporary Redirect: unknown whether created"},
		"a status of no name":       {reply: reply{299, nil, ""}, became: ambiguous, contains: "299: unknown whether created"},
		"201 with a malformed date": {reply: reply{201, nil, date}, became: wasCreated, id: 90210, contains: "the fault was created (id 90210): its property created_at cannot be read"},
		"201 with bad null":         {reply: reply{201, nil, `{"id":7,"count":"many","code":"P0420"}`}, became: wasCreated, id: 7, contains: "the fault was created (id 7): its property count cannot be read"},
		"201 as text":               {reply: reply{201, typed("text/plain"), created}, became: wasCreated, id: 90210, contains: "the fault was created (id 90210): its Content-Type is not JSON"},
		"201 without a type":        {reply: reply{201, untyped, created}, became: wasCreated, id: 90210, contains: "the fault was created (id 90210): it has no Content-Type"},
		"201 that is null":          {reply: reply{201, nil, "null"}, became: wasCreated, contains: "the fault was created: its body is no JSON object"},
		"201 that is empty":         {reply: reply{201, nil, ""}, became: wasCreated, contains: "the fault was created: its body is no JSON object"},
		"201 that is a list":        {reply: reply{201, nil, "[]"}, became: wasCreated, contains: "the fault was created: its body is no JSON object"},
		"201 without properties":    {reply: reply{201, nil, "{}"}, became: wasCreated, contains: "the fault was created: its property id is missing or no id"},
		"201 whose id is null":      {reply: reply{201, nil, `{"id":null,"code":"P0420"}`}, became: wasCreated, contains: "the fault was created: its property id is missing or no id"},
		"201 whose id is 0":         {reply: reply{201, nil, `{"id":0}`}, became: wasCreated, contains: "the fault was created: its property id is missing or no id"},
		"201 whose id is text":      {reply: reply{201, nil, `{"id":"7","code":"P0420"}`}, became: wasCreated, contains: "the fault was created: its property id cannot be read"},
		"201 that goes on":          {reply: reply{201, nil, created + "{}"}, became: wasCreated, id: 90210, contains: "the fault was created (id 90210): its body has something after the JSON object"},
		"201 that is no UTF-8":      {reply: reply{201, nil, strings.Replace(created, "telematics", "\xff", 1)}, became: wasCreated, id: 90210, contains: "the fault was created (id 90210): its body is not valid UTF-8"},
		"201 with a BOM":            {reply: reply{201, nil, "\ufeff" + created}, became: wasCreated, contains: "the fault was created: its body is no JSON object"},
		"201 in another case":       {reply: reply{201, nil, strings.Replace(created, `"id"`, `"ID"`, 1)}, became: wasCreated, contains: "the fault was created: its property id is missing or no id"},
		"201 in two cases":          {reply: reply{201, nil, `{"id":7,"Id":8,"vehicle_id":4711,"VEHICLE_ID":1,"code":"P0420","Code":"x"` + `,"count":"many"}`}, became: wasCreated, id: 7, contains: "the fault was created (id 7): its property count cannot be read"},
		"201 in a case of Unicode":  {reply: reply{201, nil, `{"id":7,"vehicle_id":4711,"code":"P0420","\u017ftatu\u017f":5,"count":"many"}`}, became: wasCreated, id: 7, contains: "the fault was created (id 7): its property count cannot be read"},
		"201 with two ids":          {reply: reply{201, nil, `{"id":7,"id":7,"vehicle_id":4711,"code":"P0420"}`}, became: wasCreated, contains: "the fault was created: its property id is repeated"},
		"201 with an escaped id":    {reply: reply{201, nil, `{"id":7,"\u0069d":8,"vehicle_id":4711,"code":"P0420"}`}, became: wasCreated, contains: "the fault was created: its property id is repeated"},
		"201 cut in its id":         {reply: reply{201, nil, `{"vehicle_id":4711,"code":"P0420","id":902`}, became: wasCreated, contains: "the fault was created: its body is cut off or no JSON"},
		"201 broken in its id":      {reply: reply{201, nil, "{\"vehicle_id\":4711,\"code\":\"P0420\",\"id\":902\x0010}"}, became: wasCreated, contains: "the fault was created: its body is cut off or no JSON"},
		"201 of another vehicle":    {reply: reply{201, nil, `{"id":7,"vehicle_id":4712,"code":"P0420"}`}, became: wasCreated, foreign: true, contains: foreign},
		"201 of another code":       {reply: reply{201, nil, `{"id":7,"vehicle_id":4711,"code":"p0420"}`}, became: wasCreated, foreign: true, contains: foreign},
		"201 of another, null":      {reply: reply{201, nil, `{"id":7,"vehicle_id":null,"code":"P0300"}`}, became: wasCreated, foreign: true, contains: foreign},
		"201 of another, cut off":   {reply: reply{201, nil, `{"id":7,"vehicle_id":4712,`}, became: wasCreated, foreign: true, contains: foreign},
		"201 of another, as text":   {reply: reply{201, typed("text/plain"), `{"id":7,"vehicle_id":4712,"code":"P0420"}`}, became: wasCreated, foreign: true, contains: "the fault was created: its Content-Type is not JSON"},
		"201 without a vehicle":     {reply: reply{201, nil, `{"id":7,"code":"P0420"}`}, became: wasCreated, id: 7, contains: "the fault was created (id 7): its property vehicle_id is missing"},
		"201 without a code":        {reply: reply{201, nil, `{"id":7,"vehicle_id":4711}`}, became: wasCreated, id: 7, contains: "the fault was created (id 7): its property code is missing"},
		"401 in another case":       {reply: reply{401, nil, `{"Status":401,"TITLE":"x","Detail":"y"}`}, is: fleetio.ErrUnauthorized, became: notCreated, contains: "401 Unauthorized: its body is no problem object"},
		"422 in another case":       {reply: reply{422, nil, `{"Errors":{"code":["is unknown"]}}`}, is: fleetio.ErrInvalid, became: notCreated, contains: "422 Unprocessable Entity: its body does not list fields"},
		"422 in two cases":          {reply: reply{422, nil, `{"errors":{"code":["a"],"Code":["b"]},"ERRORS":{"x":["y"]}}`}, is: fleetio.ErrInvalid, became: notCreated, fields: map[string][]string{"code": {"a"}, "Code": {"b"}}, contains: "422 Unprocessable Entity: Code b; code a"},
		"201 that is deep":          {reply: reply{201, nil, `{"id":7,"x":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`}, became: wasCreated, id: 7, contains: "the fault was created (id 7): its body is cut off or no JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var raw *http.Response
			fault, err := client(t, respond(row.reply), once).CreateFault(t.Context(), minimal, fleetio.WithRawResponse(&raw))
			assert.Nil(t, fault)
			assert.Equal(t, row.became, became(err))
			require.EqualError(t, err, "fleetio: create fault: "+row.contains)
			var e *fleetio.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, row.status, e.StatusCode)
			assert.Equal(t, row.body, string(e.Body))
			assert.Equal(t, row.headers(), e.Header)
			assert.Equal(t, row.problem, e.Problem != nil)
			assert.Equal(t, row.fields, e.Fields)
			if row.id != 0 {
				require.NotNil(t, e.Fault)
				assert.Equal(t, row.id, e.Fault.ID)
			} else if e.Fault != nil {
				assert.Zero(t, e.Fault.ID)
				assert.False(t, row.foreign)
			}
			for _, sentinel := range []error{fleetio.ErrUnauthorized, fleetio.ErrForbidden, fleetio.ErrInvalid} {
				assert.Equal(t, sentinel == row.is, errors.Is(err, sentinel), "%v", sentinel) //nolint:errorlint // which of them
			}
			require.NotNil(t, raw)
			assert.Equal(t, row.status, raw.StatusCode)
		})
	}
}

// TestFaultIsSalvaged keeps all properties of a 201 but the one that cannot be read.
func TestFaultIsSalvaged(t *testing.T) {
	t.Parallel()
	_, err := client(t, respond(reply{201, nil, strings.Replace(created, `"count":3`, `"count":3.5`, 1)})).CreateFault(t.Context(), minimal)
	var e *fleetio.Error
	require.ErrorAs(t, err, &e)
	var want fleetio.Fault
	require.NoError(t, json.Unmarshal([]byte(strings.Replace(created, `"count":3,`, "", 1)), &want))
	assert.Equal(t, &want, e.Fault)
}

func TestFaultMayHaveUnknownMembers(t *testing.T) {
	t.Parallel()
	body := strings.Replace(created, `"status":"open"`, `"status":"snoozed","x_severity":{"level":[1],"id":1},"ID":1,"Code":"x"`, 1)
	fault, err := client(t, respond(reply{201, nil, body})).CreateFault(t.Context(), minimal)
	require.NoError(t, err)
	assert.Equal(t, fleetio.FaultStatus("snoozed"), fault.Status)
	assert.Equal(t, int64(90210), fault.ID)
	assert.Equal(t, "P0420", fault.Code)
}

// TestFaultOfNoVehicle reads a vehicle_id that is null, which the contract allows.
func TestFaultOfNoVehicle(t *testing.T) {
	t.Parallel()
	fault, err := client(t, respond(reply{201, nil, strings.Replace(created, "4711", "null", 1)})).CreateFault(t.Context(), minimal)
	require.NoError(t, err)
	assert.Equal(t, int64(90210), fault.ID)
	assert.True(t, fault.VehicleID.IsNull())
}

// TestErrorsAreShort gives a server's words more room than a message has, and characters that a log must not get.
func TestErrorsAreShort(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 100_000)
	fields := map[string][]string{}
	for i := range 100 {
		fields[fmt.Sprintf("field%03d\n\x1b[31m", i)] = []string{long}
	}
	body, err := json.Marshal(map[string]any{"errors": fields})
	require.NoError(t, err)
	for _, a := range []reply{
		{422, nil, string(body[:900_000]) + `"]}}`}, {422, nil, `{"errors":{"a\nb":["` + long + `"]}}`},
		{500, http.Header{"X-Request-Id": {long}}, `{"status":500,"title":"x","detail":"\u001b[31m` + long + `"}`},
	} {
		t.Run(http.StatusText(a.status), func(t *testing.T) {
			t.Parallel()
			_, err := client(t, respond(a)).CreateFault(t.Context(), minimal)
			require.Error(t, err)
			assert.Less(t, len(err.Error()), 3000)
			assert.NotContains(t, err.Error(), "\n")
			assert.NotContains(t, err.Error(), "\x1b")
		})
	}
	e := fleetio.Error{StatusCode: 422, Fields: fields}
	assert.Less(t, len([]rune(e.Error())), 2500)
	assert.Contains(t, e.Error(), "and 90 more")
}

// TestErrorsMayBeMade makes errors as a test of error handling does.
func TestErrorsMayBeMade(t *testing.T) {
	t.Parallel()
	e := &fleetio.Error{StatusCode: 403}
	require.ErrorIs(t, e, fleetio.ErrForbidden)
	limited := &fleetio.RateLimitError{RetryAfter: 1500 * time.Millisecond}
	assert.Contains(t, limited.Error(), "1.5s")
	limited = &fleetio.RateLimitError{Err: &fleetio.Error{StatusCode: 429, Header: http.Header{"Retry-After": {"0"}}}}
	assert.Contains(t, limited.Error(), "try again at once")
	limited.Err.Header = nil
	assert.Contains(t, limited.Error(), "the response does not say until when")
	assert.NoError(t, errors.Unwrap(&fleetio.RateLimitError{}), "no typed nil")
	assert.True(t, (&fleetio.Error{}).Ambiguous(), "what is not known is ambiguous")
}

func TestCheck(t *testing.T) {
	t.Parallel()
	require.NoError(t, fleetio.Check(minimal))
	server := respond(reply{201, nil, created})
	bad := fleetio.FaultCreate{VehicleID: -1, Name: new(strings.Repeat("ö", 256)), Source: new("\xff"),
		Status: new(fleetio.FaultStatus("secret")), LastOccurredAt: new(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))}
	_, err := client(t, server).CreateFault(t.Context(), bad)
	assert.Zero(t, server.count, "nothing is sent")
	require.EqualError(t, err, "fleetio: create fault: nothing was sent: code is required; last_occurred_at cannot be written as a date-time; "+
		"name has more than 255 characters; source is not valid UTF-8; status is none of "+
		strings.Join(fleetioapi.FaultStatusSchema.Choices(), ", ")+"; vehicle_id is less than 1")
	require.ErrorIs(t, err, fleetio.ErrInvalid)
	assert.Equal(t, err, fleetio.Check(bad))
	var invalid *fleetio.InvalidError
	require.ErrorAs(t, err, &invalid)
	assert.Equal(t, fleetio.Violation{Field: "name", Rule: "maxLength", Limit: "255"}, invalid.Violations[2])
}
