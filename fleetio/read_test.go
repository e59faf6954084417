package fleetio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

func TestFault(t *testing.T) {
	t.Parallel()
	server := respond(reply{200, nil, created})
	fault, err := client(t, server).Fault(t.Context(), 90210)
	require.NoError(t, err)
	assert.Equal(t, "P0420", fault.Code)
	assert.Equal(t, "https://secure.fleetio.com/api/v1/faults/90210", server.request.URL.String())
	assert.Equal(t, http.MethodGet, server.request.Method)
	assert.Nil(t, server.request.Body)
	assert.Equal(t, http.Header{"Accept": {"application/json"}, "Account-Token": {accountToken}, "Authorization": {"Token " + apiKey},
		"User-Agent": {"fleetio-go"}}, server.request.Header)
}

// TestReadTable has what becomes of the first response to a read: whether it is sent again, and the error of one attempt.
func TestReadTable(t *testing.T) {
	t.Parallel()
	fails := func(err error) http.RoundTripper {
		return roundTripper(func(*http.Request) (*http.Response, error) { return nil, err })
	}
	problem := `{"status":404,"title":"Not Found","detail":"There is no fault 7."}`
	for name, row := range map[string]struct {
		first http.RoundTripper
		again bool
		after time.Duration
		want  string
		is    error
	}{
		"lost":            {fails(io.ErrUnexpectedEOF), true, 250 * time.Millisecond, "fleetio: retrieve fault: unexpected EOF", io.ErrUnexpectedEOF},
		"hangs":           {roundTripper(func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() }), true, 30*time.Second + 250*time.Millisecond, "fleetio: retrieve fault: no response within 30s: context deadline exceeded", context.DeadlineExceeded},
		"500":             {respond(reply{status: 500}), true, 250 * time.Millisecond, "fleetio: retrieve fault: 500 Internal Server Error", nil},
		"503 with a wait": {respond(retryAfter(503, "5")), true, 5 * time.Second, "503 Service Unavailable", nil},
		"429":             {respond(retryAfter(429, "5")), true, 5 * time.Second, "fleetio: retrieve fault: the rate limit is exhausted: try again in 5s", nil},
		"429 without":     {respond(reply{status: 429}), false, 0, "the rate limit is exhausted", nil},
		"408":             {respond(reply{status: 408}), true, 250 * time.Millisecond, "408", nil},
		"499":             {respond(reply{status: 499}), true, 250 * time.Millisecond, "499", nil},
		"truncated":       {respond(reply{status: 200, body: created[:99]}), true, 250 * time.Millisecond, "200 OK: its body is cut off or no JSON", nil},
		"no JSON":         {respond(reply{200, http.Header{"Content-Type": {"text/html"}}, "<html>"}), true, 250 * time.Millisecond, "200 OK: its Content-Type is not JSON", nil},
		"another":         {respond(reply{status: 200, body: strings.Replace(created, "90210", "9", 1)}), true, 250 * time.Millisecond, "the response is about another fault", nil},
		"404":             {respond(reply{status: 404, body: problem}), false, 0, "fleetio: retrieve fault: 404 Not Found: There is no fault 7.", fleetio.ErrNotFound},
		"403":             {respond(reply{status: 403}), false, 0, "403 Forbidden", fleetio.ErrForbidden},
		"401":             {respond(reply{status: 401}), false, 0, "401 Unauthorized", fleetio.ErrUnauthorized},
		"307":             {respond(reply{status: 307}), false, 0, "307 Temporary Redirect", nil},
		"201":             {respond(reply{status: 201, body: created}), false, 0, "201 Created: the contract has no such status", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, err := client(t, row.first, once).Fault(t.Context(), 90210)
				require.ErrorContains(t, err, row.want)
				assert.NotContains(t, err.Error(), "created")
				assert.NotContains(t, err.Error(), "Bulk")
				if row.is != nil {
					require.ErrorIs(t, err, row.is)
				}
				var e *fleetio.Error
				require.ErrorAs(t, err, &e)
				assert.False(t, e.Ambiguous())
				assert.False(t, e.Created)
				requests, start := 0, time.Now()
				fault, err := client(t, roundTripper(func(r *http.Request) (*http.Response, error) {
					if requests++; requests == 1 {
						return row.first.RoundTrip(r)
					}
					return reply{200, nil, created}.response(), nil
				})).Fault(t.Context(), 90210)
				if !row.again {
					require.Error(t, err)
					assert.Equal(t, 1, requests)
					return
				}
				require.NoError(t, err)
				assert.Equal(t, int64(90210), fault.ID)
				assert.GreaterOrEqual(t, time.Since(start), row.after)
				assert.LessOrEqual(t, time.Since(start), row.after+time.Second)
			})
		})
	}
}

func TestReadIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := respond(reply{status: 500})
		_, err := client(t, server).Fault(t.Context(), 7)
		require.ErrorContains(t, err, "500")
		assert.Equal(t, 4, server.count)
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(300*time.Millisecond, stop)
		server = respond(reply{status: 500})
		_, err = client(t, server).Fault(ctx, 7)
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, 2, server.count)
	})
}

// page is a page of faults with the ids from first down to last.
func page(next string, first, last int) reply {
	records := []string{}
	for id := first; id >= last; id-- {
		records = append(records, fmt.Sprintf(`{"id":%d,"vehicle_id":1,"code":"P0420","x":%d}`, id, id))
	}
	return reply{200, nil, `{"start_cursor":null,"next_cursor":` + next + `,"per_page":2,"estimated_remaining_count":0,"records":[` + strings.Join(records, ",") + `]}`}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	var queries []url.Values
	pages := map[string]reply{"": page(`"b"`, 5, 4), "b": page(`"c"`, 3, 2), "c": page("null", 1, 1)}
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		assert.Equal(t, "/api/v1/faults", r.URL.Path)
		queries = append(queries, r.URL.Query())
		return pages[r.URL.Query().Get("start_cursor")].response(), nil
	})
	at := time.Date(2026, 3, 14, 13, 46, 27, 0, time.FixedZone("", -6*60*60))
	filter := fleetio.FaultFilter{FilterExternalIDEq: new("a&b=[é]"), FilterStatusInclude: []fleetio.FaultStatus{fleetio.FaultStatusOpen, fleetio.FaultStatusIgnored},
		FilterCreatedAtGte: &at, SortID: new(fleetio.SortDirectionAsc), PerPage: new(int64(2))}
	var ids []int64
	for fault, err := range client(t, transport).Faults(t.Context(), filter) {
		require.NoError(t, err)
		ids = append(ids, fault.ID)
		assert.Equal(t, strconv.FormatInt(fault.ID, 10), string(fault.Extra["x"]))
	}
	assert.Equal(t, []int64{5, 4, 3, 2, 1}, ids)
	require.Len(t, queries, 3)
	for i, cursor := range []string{"", "b", "c"} {
		assert.Equal(t, cursor, queries[i].Get("start_cursor"))
		queries[i].Del("start_cursor")
		assert.Equal(t, url.Values{"filter[external_id][eq]": {"a&b=[é]"}, "filter[status][include]": {"open,ignored"},
			"filter[created_at][gte]": {"2026-03-14T13:46:27-06:00"}, "sort[id]": {"asc"}, "per_page": {"2"}}, queries[i])
	}
	assert.Nil(t, filter.StartCursor, "the caller's filter is not changed")

	queries = nil
	filter.StartCursor = new("b")
	for fault, err := range client(t, transport).Faults(t.Context(), filter) {
		require.NoError(t, err)
		if fault.ID == 3 {
			break
		}
	}
	assert.Len(t, queries, 1, "a break ends it")
}

func TestFaultsEnds(t *testing.T) {
	t.Parallel()
	at := time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		list   []reply
		filter fleetio.FaultFilter
		faults int
		want   string
	}{
		"none":            {list: []reply{page("null", 0, 1)}},
		"no next_cursor":  {list: []reply{{200, nil, `{"records":[]}`}}},
		"repeated cursor": {list: []reply{page(`"b"`, 5, 4)}, faults: 4, want: "fleetio: list faults: the pages have no end"},
		"empty page":      {list: []reply{page(`"b"`, 5, 4), page(`"c"`, 0, 1)}, faults: 2, want: "the pages have no end"},
		"error":           {list: []reply{page(`"b"`, 5, 4), {status: 400, body: `{"status":400,"title":"Bad Request","detail":"No."}`}}, faults: 2, want: "fleetio: list faults: 400 Bad Request: No."},
		"bare array":      {list: []reply{{200, nil, `[` + created + `]`}}, want: "use WithAPIVersion"},
		"no records":      {list: []reply{{200, nil, `{"next_cursor":null}`}}, want: "its property records is missing"},
		"broken record":   {list: []reply{{200, nil, `{"next_cursor":null,"records":[{"id":"x"}]}`}}, want: "its property records cannot be read"},
		"incomplete":      {list: []reply{{200, nil, `{"next_cursor":null,"records":[` + created + `,{"id":2,"vehicle_id":1}]}`}}, want: "record 1: its property code is missing"},
		"no UTF-8":        {list: []reply{{200, nil, "{\"next_cursor\":\"\xff\",\"records\":[]}"}}, want: "not valid UTF-8"},
		"too long":        {list: []reply{{200, nil, `{"records":[]` + strings.Repeat(" ", 17<<20) + "}"}}, want: "more than 16777216 bytes"},
		"time":            {filter: fleetio.FaultFilter{FilterCreatedAtGt: &at}, want: "fleetio: list faults: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults, errs := 0, []error{}
			for fault, err := range client(t, respond(c.list...), once).Faults(t.Context(), c.filter) {
				if err != nil {
					assert.Equal(t, fleetio.Fault{}, fault)
					errs = append(errs, err)
				} else {
					faults++
				}
			}
			assert.Equal(t, c.faults, faults)
			if c.want == "" {
				assert.Empty(t, errs)
				return
			}
			require.Len(t, errs, 1)
			require.ErrorContains(t, errs[0], c.want)
			var e *fleetio.Error
			require.ErrorAs(t, errs[0], &e)
			assert.False(t, e.Ambiguous())
		})
	}
}

// TestFaultsSharesTheRateWindow reads after a create was rejected: it waits for the next minute without being rejected.
func TestFaultsSharesTheRateWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		c := client(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			if time.Since(start) < 30*time.Second {
				assert.Equal(t, http.MethodPost, r.Method)
				return retryAfter(429, "30").response(), nil
			}
			return page("null", 2, 1).response(), nil
		}), once)
		for _, err := range c.CreateFaults(t.Context(), many(1)) {
			var limited *fleetio.RateLimitError
			require.ErrorAs(t, err, &limited)
		}
		for _, err := range c.Faults(t.Context(), fleetio.FaultFilter{}) {
			require.NoError(t, err)
		}
		assert.GreaterOrEqual(t, time.Since(start), 30*time.Second)
	})
}

func TestReadErrorsHideCredentials(t *testing.T) {
	t.Parallel()
	both := apiKey + " and " + accountToken
	for _, body := range []string{`{"status":500,"title":"` + both + `"}`, both, `{"id":"` + both + `"}`} {
		for _, status := range []int{200, 500, 404} {
			_, err := client(t, respond(reply{status, nil, body}), once).Fault(t.Context(), 7)
			var e *fleetio.Error
			require.ErrorAs(t, err, &e)
			assertDumpHidden(t, err, e)
		}
	}
	_, err := client(t, roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New(both) }), once).Fault(t.Context(), 7)
	assertHidden(t, err.Error())
}
