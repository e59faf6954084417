package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	fleetio "github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// get calls a GET operation.
func get(t *testing.T, s *sandbox.Server, address string, change ...func(*http.Request)) reply {
	t.Helper()
	return post(t, s, "", append([]func(*http.Request){func(r *http.Request) {
		r.Method, r.Body = http.MethodGet, nil
		r.Header.Del("Content-Type")
		u, err := url.Parse(s.URL + address)
		require.NoError(t, err)
		r.URL = u
	}}, change...)...)
}

func TestRetrieve(t *testing.T) {
	t.Parallel()
	s := start(t)
	foreign := post(t, s, `{"vehicle_id":3,"code":"P0300"}`, set("Authorization", "Token sandbox-key-southwind"), set("Account-Token", "sandbox-account-southwind"))
	require.Equal(t, http.StatusCreated, foreign.StatusCode)
	created := post(t, s, whole)
	for _, address := range []string{"/api/v1/faults/2", "/api/faults/2"} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			got := get(t, s, address)
			assert.Equal(t, http.StatusOK, got.StatusCode)
			assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
			assert.Equal(t, created.body, got.body, "digit by digit")
			assert.Equal(t, created.body, get(t, s, address, set("Authorization", "Token sandbox-key-reporting")).body, "of a key that may only read")
		})
	}
	for _, id := range []string{"1", "3", "0", "-1", "abc", "2.0", "2x", "02", "%32%20", "a%2Fb", "9223372036854775807", "9223372036854775808", "%ff", "2;x", "null", `"2"`} {
		t.Run("no "+id, func(t *testing.T) {
			t.Parallel()
			got := get(t, s, "/api/v1/faults/"+id)
			assert.Equal(t, http.StatusNotFound, got.StatusCode)
			var problem fleetioapi.Problem
			require.NoError(t, json.Unmarshal([]byte(got.body), &problem))
			assert.Equal(t, int64(http.StatusNotFound), problem.Status)
			assert.NotContains(t, got.body, "strconv", "nothing of Go")
		})
	}
}

// TestAliases holds that the paths without a version are the same operations, and that Location has their form.
func TestAliases(t *testing.T) {
	t.Parallel()
	s := start(t)
	got := post(t, s, whole, func(r *http.Request) { r.URL.Path = "/api/faults" })
	assert.Equal(t, http.StatusCreated, got.StatusCode)
	assert.Equal(t, s.URL+"/api/faults/1", got.Header.Get("Location"))
	var page fleetioapi.FaultPage
	require.NoError(t, json.Unmarshal([]byte(get(t, s, "/api/faults").body), &page))
	require.Len(t, page.Records, 1)
	assert.Equal(t, http.StatusUnprocessableEntity, post(t, s, "", func(r *http.Request) { r.URL.Path = "/api/faults" }).StatusCode)
}

// stored returns a store with faults: those of account 12 have the ids 1, 2, 4 and 5.
func stored(t *testing.T) sandbox.Store {
	t.Helper()
	store := sandbox.NewMemory()
	for i, fault := range []string{
		`{"account_id":12,"vehicle_id":1,"code":"P0420","external_id":"e-1","name":"Catalyst efficiency","status":"open","count":3,` +
			`"last_occurred_at":"2026-01-01T02:00:00+02:00","created_at":"2026-01-05T00:00:00Z","updated_at":"2026-01-05T00:00:00Z","fault_rule_id":8}`,
		`{"account_id":12,"vehicle_id":2,"code":"P0420","external_id":"e-2","name":"CATALYST","status":"ignored","count":20,` +
			`"last_occurred_at":"2026-01-01T00:00:01Z","created_at":"2026-01-04T00:00:00Z","updated_at":"2026-01-09T00:00:00Z"}`,
		`{"account_id":13,"vehicle_id":1,"code":"P0420","external_id":"e-1","name":"Catalyst efficiency","status":"open"}`,
		`{"account_id":12,"vehicle_id":1,"code":"P0171","external_id":"\u0065-1","name":null,"status":"resolved",` +
			`"last_occurred_at":null,"created_at":"2026-01-05T01:00:00+01:00","updated_at":"2026-01-05T00:00:00Z"}`,
		`{"account_id":12,"vehicle_id":1,"code":"P0171 x","external_id":"say \"e-1\"","status":"open","last_occurred_at":"2025-12-31T00:00:00Z"}`,
	} {
		account := int64(12)
		if i == 2 {
			account = 13
		}
		_, err := store.Add(t.Context(), sandbox.Record{Account: account, Fault: []byte(fault)})
		require.NoError(t, err)
	}
	return store
}

// page decodes a page, and returns the ids of its faults.
func page(t *testing.T, got reply) (p fleetioapi.FaultPage, ids []int64) {
	t.Helper()
	require.Equal(t, http.StatusOK, got.StatusCode, got.body)
	require.NoError(t, json.Unmarshal([]byte(got.body), &p))
	for _, f := range p.Records {
		ids = append(ids, f.ID)
	}
	return p, ids
}

func TestList(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.WithStore(stored(t)))
	for query, want := range map[string]string{
		"":                                                        "[5 4 2 1]",
		"filter[external_id][eq]=e-1":                             "[4 1]",
		"filter[external_id][eq]=e":                               "[]",
		"filter[external_id][eq]=E-1":                             "[]",
		"filter[external_id][eq]=":                                "[]",
		`filter[external_id][eq]=say "e-1"`:                       "[5]",
		"filter[code][eq]=P0171":                                  "[4]",
		"filter[vehicle_id][eq]=1":                                "[5 4 1]",
		"filter[vehicle_id][eq]=2":                                "[2]",
		"filter[fault_rule_id][eq]=8":                             "[1]",
		"filter[name][eq]=CATALYST":                               "[2]",
		"filter[name][like]=catalyst":                             "[2 1]",
		"filter[name][like]=EFF":                                  "[1]",
		"filter[status][include]=open":                            "[5 1]",
		"filter[status][include]=ignored,resolved":                "[4 2]",
		"filter[last_occurred_at][lt]=2026-01-01T00:00:00Z":       "[5]",
		"filter[last_occurred_at][lte]=2026-01-01T01:00:00+01:00": "[5 1]",
		"filter[last_occurred_at][gt]=2026-01-01T00:00:00Z":       "[2]",
		"filter[last_occurred_at][gte]=2026-01-01T00:00:00.0Z":    "[2 1]",
		"filter[created_at][gte]=2026-01-05T00:00:00Z":            "[4 1]",
		"filter[updated_at][gt]=2026-01-05T00:00:00Z":             "[2]",
		"filter[external_id][eq]=e-1&filter[code][eq]=P0420":      "[1]",
		"sort[id]=desc":                                           "[5 4 2 1]",
		"sort[id]=asc":                                            "[1 2 4 5]",
		"sort[created_at]=asc":                                    "[2 4 1 5]",
		"sort[created_at]=desc":                                   "[4 1 2 5]",
		"sort[last_occurred_at]=desc":                             "[2 1 5 4]",
		"sort[last_occurred_at]=asc":                              "[5 1 2 4]",
		"sort[created_at]=asc&sort[id]=asc":                       "[2 1 4 5]",
		"sort[updated_at]=desc&sort[id]=asc":                      "[2 1 4 5]",
		"sort[id]=asc&sort[created_at]=desc":                      "[1 2 4 5]",
		"per_page=2":                                              "[5 4]",
		"per_page=3&filter[status][include]=open":                 "[5 1]",
		"tracking=1&x":                                            "[5 4 2 1]",
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			escaped := strings.NewReplacer(" ", "%20", `"`, "%22", "+", "%2B").Replace(query)
			_, ids := page(t, get(t, s, "/api/v1/faults?"+escaped))
			assert.Equal(t, want, fmt.Sprint(ids))
		})
	}
}

// TestListEnvelope has the properties beside the records.
func TestListEnvelope(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.WithStore(stored(t)))
	def := perPage(t).Typed().Default
	for query, want := range map[string]string{
		"":            `{"start_cursor":null,"next_cursor":null,"per_page":` + def + `,"estimated_remaining_count":0,"filtered_by":[],"sorted_by":[{"id":"desc"}]}`,
		"per_page=50": `{"start_cursor":null,"next_cursor":null,"per_page":50,"estimated_remaining_count":0,"filtered_by":[],"sorted_by":[{"id":"desc"}]}`,
		"per_page=100&filter[status][include]=open&filter[vehicle_id][eq]=1&sort[created_at]=asc&sort[id]=desc": `{"start_cursor":null,"next_cursor":null,
			"per_page":100,"estimated_remaining_count":0,"filtered_by":[{"status":{"include":["open"]}},{"vehicle_id":{"eq":1}}],
			"sorted_by":[{"created_at":"asc"},{"id":"desc"}]}`,
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			var got map[string]any
			require.NoError(t, json.Unmarshal([]byte(get(t, s, "/api/v1/faults?"+query).body), &got))
			delete(got, "records")
			text, err := json.Marshal(got)
			require.NoError(t, err)
			assert.JSONEq(t, want, string(text))
		})
	}
}

// perPage is the parameter of the size of a page, whose limits the tests take from the contract.
func perPage(t *testing.T) *fleetioapi.Schema {
	t.Helper()
	for _, o := range fleetioserver.Operations {
		for _, p := range o.Parameters {
			if o.ID == "listFaults" && p.Name == "per_page" {
				return p.Schema
			}
		}
	}
	t.Fatal("the contract has no per_page")
	return nil
}

// TestListPages follows the cursors in each order.
func TestListPages(t *testing.T) {
	t.Parallel()
	const faults = 620
	store := sandbox.NewMemory()
	for i := range faults {
		_, err := store.Add(t.Context(), sandbox.Record{Account: 12, Fault: fmt.Appendf(nil,
			`{"account_id":12,"vehicle_id":1,"code":"P0420","created_at":"2026-01-01T00:00:%02dZ"}`, i%7)})
		require.NoError(t, err)
	}
	s := start(t, sandbox.WithStore(store))
	most, err := strconv.Atoi(perPage(t).Maximum)
	require.NoError(t, err)
	for _, order := range []string{"", "&sort[id]=asc", "&sort[created_at]=desc", "&sort[created_at]=asc&sort[id]=asc", "&filter[created_at][lt]=2026-01-01T00:00:06Z"} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			var all []int64
			query, expected := "per_page="+strconv.Itoa(most)+order, ""
			for cursor := ""; ; {
				p, ids := page(t, get(t, s, "/api/v1/faults?"+query+cursor))
				all = append(all, ids...)
				if cursor == "" {
					assert.Equal(t, fleetioapi.Null[string](), p.StartCursor)
					wantRemaining := int64(min(faults-len(all), 500))
					if !strings.Contains(order, "filter") {
						assert.Equal(t, wantRemaining, p.EstimatedRemainingCount)
					}
				} else {
					assert.Equal(t, fleetioapi.Value(expected), p.StartCursor)
				}
				next, more := p.NextCursor.Get()
				if !more {
					assert.Zero(t, p.EstimatedRemainingCount)
					break
				}
				assert.Len(t, ids, most)
				expected, cursor = next, "&start_cursor="+url.QueryEscape(next)
			}
			seen := slices.Compact(slices.Sorted(slices.Values(all)))
			assert.Len(t, seen, len(all), "none twice")
			if !strings.Contains(order, "filter") {
				assert.Len(t, all, faults)
			}
		})
	}
}

// TestListRefuses has the parameters that are refused, with a 400 as documented.
func TestListRefuses(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.WithStore(stored(t)))
	first, _ := page(t, get(t, s, "/api/v1/faults?per_page=2"))
	cursor, _ := first.NextCursor.Get()
	least, err := strconv.Atoi(perPage(t).Minimum)
	require.NoError(t, err)
	most, err := strconv.Atoi(perPage(t).Maximum)
	require.NoError(t, err)
	for _, query := range []string{
		"per_page=" + strconv.Itoa(least-1), "per_page=" + strconv.Itoa(most+1), "per_page=", "per_page=x", "per_page=2.5", "per_page=2&per_page=3", "per_page=2e99999999999",
		"per_page=%zz", "start_cursor=", "start_cursor=x", "start_cursor=" + cursor[1:], "start_cursor=AAAAAAAAAAAAAAAAAAAAAA", "start_cursor=%ff",
		"start_cursor=" + cursor + "&sort[id]=asc", "start_cursor=" + cursor + "&filter[code][eq]=P0420",
		"filter[vehicle_id][eq]=0", "filter[vehicle_id][eq]=x", "filter[status][include]=closed", "filter[status][include]=", "filter[status][include]=open,closed", "filter[status][include]=open%2Cignored",
		"filter[created_at][lt]=yesterday", "filter[created_at][lt]=2026-01-01", "sort[id]=up", "sort[id]=", "sort[none]=asc", "filter[code][neq]=x", "filter[extrenal_id][eq]=x",
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			got := get(t, s, "/api/v1/faults?"+query)
			require.Equal(t, http.StatusBadRequest, got.StatusCode, got.body)
			assert.NotContains(t, got.body, "strconv", "nothing of Go")
			assert.NotContains(t, got.body, "extrenal", "nothing of the request")
		})
	}
	other := get(t, s, "/api/v1/faults?start_cursor="+cursor, set("Authorization", "Token sandbox-key-southwind"), set("Account-Token", "sandbox-account-southwind"))
	assert.Equal(t, http.StatusBadRequest, other.StatusCode, "of another account")
}

// TestReadsAreGuarded has the errors that the operations share.
func TestReadsAreGuarded(t *testing.T) {
	t.Parallel()
	f := sandbox.DefaultFixtures()
	f.Accounts[0].APIKeys = append(f.Accounts[0].APIKeys,
		sandbox.APIKey{Name: "none", Key: "key-none"},
		sandbox.APIKey{Name: "writer", Key: "key-writer", Permissions: []sandbox.Permission{sandbox.CreateFaults}})
	s := start(t, sandbox.WithFixtures(f), sandbox.WithRateLimit(100))
	require.Equal(t, http.StatusCreated, post(t, s, whole).StatusCode)
	for _, address := range []string{"/api/v1/faults", "/api/v1/faults/1"} {
		for name, c := range map[string]struct {
			change func(*http.Request)
			want   int
		}{
			"no key":                   {set("Authorization"), http.StatusUnauthorized},
			"unknown token":            {set("Account-Token", "unknown"), http.StatusUnauthorized},
			"no permission":            {set("Authorization", "Token key-none"), http.StatusForbidden},
			"create only":              {set("Authorization", "Token key-writer"), http.StatusForbidden},
			"read only":                {set("Authorization", "Token sandbox-key-reporting"), http.StatusOK},
			"any media type":           {set("Content-Type", "text/html"), http.StatusOK},
			"unauthorized before what": {func(r *http.Request) { r.Header.Del("Authorization"); r.URL.RawQuery = "per_page=x" }, http.StatusUnauthorized},
		} {
			t.Run(address+" "+name, func(t *testing.T) {
				t.Parallel()
				assert.Equal(t, c.want, get(t, s, address, c.change).StatusCode)
			})
		}
	}
}

func TestReadsCountForTheRateLimit(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.WithRateLimit(2))
	get(t, s, "/api/v1/faults")
	get(t, s, "/api/v1/faults/1")
	got := get(t, s, "/api/v1/faults")
	assert.Equal(t, http.StatusTooManyRequests, got.StatusCode)
	assert.NotEmpty(t, got.Header.Get("Retry-After"))
}

// TestReadsAfterClose holds that a store that fails is a 500.
func TestReadsAfterClose(t *testing.T) {
	t.Parallel()
	s := start(t)
	require.NoError(t, s.Sandbox.Close())
	for _, address := range []string{"/api/v1/faults", "/api/v1/faults/1"} {
		assert.Equal(t, http.StatusInternalServerError, get(t, s, address).StatusCode)
	}
}

// TestRules holds what a Fault Rule does to a fault.
func TestRules(t *testing.T) {
	t.Parallel()
	s := start(t)
	for code, want := range map[string][3]any{
		"P0420":          {"mine", "my words", "resolved"},
		"P0171":          {"System too lean", "Too little fuel or too much air on bank 1", "resolved"},
		"SPN 3226 FMI 4": {"NOx sensor, voltage below normal", "my words", "resolved"},
		"P0442":          {"Small evaporative leak", "my words", "ignored"},
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			got := post(t, s, `{"vehicle_id":1,"code":"`+code+`","name":"mine","description":"my words","status":"resolved"}`)
			require.Equal(t, http.StatusCreated, got.StatusCode)
			var fault fleetio.Fault
			require.NoError(t, json.Unmarshal([]byte(got.body), &fault))
			name, _ := fault.Name.Get()
			description, _ := fault.Description.Get()
			assert.Equal(t, want, [3]any{name, description, string(fault.Status)})
		})
	}
}
