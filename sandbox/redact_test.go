package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	fleetio "github.com/fleetcontract/fleetio-go"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// call calls a handler with the credentials of the default fixtures.
func (s *Sandbox) call(body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "http://127.0.0.1/api/v1/faults", strings.NewReader(body))
	r.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Token " + s.accounts[0].APIKeys[0].Key}, "Account-Token": {s.accounts[0].Token}}
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

const minimal = `{"vehicle_id":1,"code":"P0420"}`

// TestRedaction looks for credentials in what is shown, wherever and however somebody wrote them.
func TestRedaction(t *testing.T) {
	t.Parallel()
	f := DefaultFixtures()
	f.Accounts[0].Token, f.Accounts[0].APIKeys[0].Key = "secret", "secret-and-More/Of+It" // one is the beginning of the other
	s, err := New(WithFixtures(f))
	require.NoError(t, err)
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = append(r.Header[name], value) }
	}
	for _, change := range []func(*http.Request){
		func(r *http.Request) { r.Method = "secret-and-More/Of+It" },
		func(r *http.Request) { r.RequestURI = "http://user:unknown-password@h/api/v1/faults" },
		func(r *http.Request) {
			r.RequestURI = "/api/v1/faults?access_token=unknown-password&b=secret-and-More%2FOf%2bIt"
		},
		func(r *http.Request) { r.RequestURI = "/SECRET-AND-MORE/OF+IT" },
		set("Secret-And-More/of+it", "x"), set("X-Api-Key", "unknown-password"), set("X-Auth", "Basic unknown-password"), set("Cookie", "a=unknown-password"),
		set("Proxy-Authorization", "Basic unknown-password"), set("X-Other", "secret-and-More/Of+It"), set("Account-Token", "unknown-password"),
		func(r *http.Request) {
			r.Body = http.NoBody
			*r = *httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/api/v1/faults", strings.NewReader(`{"a":"secret-\u0061nd-More\/Of+It"}`))
		},
		func(r *http.Request) {
			r.Body = http.NoBody
			*r = *httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/api/v1/faults", strings.NewReader(`["secret-and-More/Of+It", "secret-\u0061nd-More\/Of+It"]`))
		},
	} {
		s.call(`{"vehicle_id":1,"code":"P0420","description":"secret-and-More/Of+It"}`, change)
	}
	for _, e := range s.Requests() {
		shown := fmt.Sprint(e.Method, e.URL, string(e.Body), string(e.AnswerBody), e.Header, e.AnswerHeader)
		plain := strings.ToLower(unescape(shown))
		assert.NotContains(t, plain, "more/of+it", "%s", shown)
		assert.NotContains(t, plain, "unknown-password", "%s", shown)
		raw, kept := s.Unredacted(e.Number)
		require.True(t, kept)
		assert.Contains(t, strings.Join(raw.Header["Authorization"], "")+string(raw.Body), "ecret-", "for a judge, it is as it was")
	}
	assert.Equal(t, "[hidden] and [hidden]", s.Redact("SECRET-and-more/of+it and secret"))
	assert.Equal(t, hidden, redactor{}.with(`ab"cd\ef`).text(`{"a":"ab\"cd\\ef"}`), "with characters that JSON escapes")
	for _, number := range []int64{-1, 0, 99} {
		e, kept := s.Unredacted(number)
		assert.False(t, kept)
		assert.Empty(t, e)
	}
}

// TestHistoryIsBounded holds that bodies of strangers do not fill the memory.
func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	s, err := New()
	require.NoError(t, err)
	for range 40 {
		s.call("", func(r *http.Request) { r.Header = http.Header{"X": {strings.Repeat("x", mostBody)}} })
	}
	assert.LessOrEqual(t, s.history.bytes, mostKept)
	for range 40 {
		s.call(strings.Repeat("x", mostBody), func(r *http.Request) { r.Header = http.Header{} })
	}
	assert.LessOrEqual(t, s.history.bytes, mostKept)
	assert.Len(t, s.Requests(), mostKept/mostBody-1)
	for range 1000 {
		s.call(minimal)
	}
	list := s.history.since(0)
	assert.Len(t, list, 1000)
	total := 0
	for i := range list {
		total += list[i].bytes()
	}
	assert.Equal(t, total, s.history.bytes, "what was let go is not counted")
	assert.Less(t, s.history.bytes, mostBody)
}

// TestLookingWhileCalling is for the race detector: whatever is on its way may be looked at.
func TestLookingWhileCalling(t *testing.T) {
	t.Parallel()
	for _, trouble := range []Trouble{Truncate(), Malform(), MediaType("text/html"), Deviate("201/header/Location/required/missing")} {
		s := Start(t, WithTrouble(1, trouble))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 20 {
					r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/faults", strings.NewReader(minimal))
					if !assert.NoError(t, err) {
						return
					}
					r.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Token " + s.Credentials.APIKey}, "Account-Token": {s.Credentials.AccountToken}}
					if response, err := http.DefaultClient.Do(r); assert.NoError(t, err) {
						_ = response.Body.Close()
					}
					s.Requests()
				}
			})
		}
		wg.Wait()
		for _, e := range s.Requests() {
			if trouble.cut {
				assert.Len(t, s.whole(t, e.Number), 2*len(e.AnswerBody), "what was sent")
			}
		}
	}
}

// whole is the fault of the number as an answer has it, when each call made one; its length made even.
func (s *Server) whole(t *testing.T, number int64) []byte {
	t.Helper()
	records, err := s.store.Records(t.Context(), 0, 1000)
	require.NoError(t, err)
	body := withID(nil, number, records[int64(len(records))-number].Fault)
	return body[:len(body)/2*2]
}

func TestWindow(t *testing.T) {
	t.Parallel()
	edge := time.Unix(60*1000, 0)
	var w window
	take := func(d time.Duration) bool {
		_, ok := w.take(1, edge.Add(d))
		return ok
	}
	assert.True(t, take(-time.Second))
	assert.True(t, take(time.Nanosecond))
	assert.False(t, take(-time.Nanosecond), "who has read the clock before the minute began, and comes late")
	assert.False(t, take(2*time.Nanosecond))
}

func TestIsHost(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"a": true, "a.b-c_d:80": true, "127.0.0.1:1": true, "[::1]": true, "[::1]:80": true, "a:": true,
		"": false, ":80": false, "a:b": false, "::::": false, "[::1": false, "[]": false, "[::1]80": false, "[::1]:x": false, "[fe80::1%25x]": false, "a b": false, "a:1:2": false, "[1.2.3.4]": false,
	} {
		assert.Equal(t, want, isHost(host), host)
	}
}

// TestNothingIsShared holds that what a caller does to its values later changes nothing.
func TestNothingIsShared(t *testing.T) {
	t.Parallel()
	f := DefaultFixtures()
	s, err := New(WithFixtures(f))
	require.NoError(t, err)
	*f.Accounts[0].Vehicles[1].ArchivedAt = time.Time{}
	f.Accounts[0].Vehicles[0].ID = 99
	s.Accounts()[0].Vehicles[0].ID = 98
	*s.Accounts()[0].Vehicles[1].ArchivedAt = time.Time{}
	assert.Equal(t, http.StatusCreated, s.call(minimal).Code)
	assert.Contains(t, s.call(`{"vehicle_id":2,"code":"P0420"}`).Body.String(), `"vehicle_archived_at":"2025-11-30T17:00:00-06:00"`)
	var later *http.Request
	w := s.call(minimal, func(r *http.Request) { later = r })
	later.Header.Set("Content-Type", "changed")
	w.Header().Set("Location", "changed")
	last := s.Since(2)[0]
	assert.Equal(t, "application/json", last.Header.Get("Content-Type"))
	assert.NotEqual(t, "changed", last.AnswerHeader.Get("Location"))
}

// closes counts.
type closes struct {
	Store

	closed int
	ctx    error // that of the context of the last Add
}

func (c *closes) Close() error { c.closed++; return nil }

func (c *closes) Add(ctx context.Context, r Record) (int64, error) {
	c.ctx = ctx.Err()
	return c.Store.Add(ctx, r)
}

func TestStoreIsClosed(t *testing.T) {
	t.Parallel()
	for _, opts := range [][]Option{{WithRateLimit(-1)}, {nil}, {WithFixtures(Fixtures{})}} {
		store := &closes{Store: NewMemory()}
		_, err := New(append(opts, WithStore(store))...)
		require.Error(t, err)
		assert.Equal(t, 1, store.closed)
	}
	first, second := &closes{Store: NewMemory()}, &closes{Store: NewMemory()}
	_, err := New(WithStore(first), WithStore(second))
	require.ErrorContains(t, err, "there are two stores")
	assert.Equal(t, []int{1, 1}, []int{first.closed, second.closed})
}

// TestOptionsAreUsedAgain is for the race detector: tests that run at the same time may share an option.
func TestOptionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	f := DefaultFixtures()
	f.Accounts[0].Faults = []fleetioapi.FaultCreate{{VehicleID: 1, Code: "P0420", Name: fleetio.Ptr("first")}}
	option := WithFixtures(f)
	*f.Accounts[0].Faults[0].Name = "changed"
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := New(option)
			if !assert.NoError(t, err) {
				return
			}
			faults, err := s.NewestFaults(t.Context(), 0, 10)
			if assert.NoError(t, err) && assert.Len(t, faults, 1) {
				assert.Equal(t, fleetioapi.Value("first"), faults[0].Name)
			}
			assert.NoError(t, s.Close())
		})
	}
	wg.Wait()
}

// TestMiddlewareChangesHeaders is for the race detector: what wraps the sandbox may change headers while they are looked at.
func TestMiddlewareChangesHeaders(t *testing.T) {
	t.Parallel()
	s := Start(t, WithHandler(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(late{w}, r)
			r.Header.Set("X-Late", "yes")
		})
	}))
	stop := make(chan struct{})
	var looking sync.WaitGroup
	looking.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				for _, e := range s.Requests() {
					assert.NotContains(t, e.AnswerHeader, "X-Late")
				}
			}
		}
	})
	for range 200 {
		_, err := s.Client.CreateFault(t.Context(), fleetio.FaultCreate{VehicleID: 1, Code: "P0420"})
		require.NoError(t, err)
	}
	close(stop)
	looking.Wait()
}

// late is a writer that adds a header when the answer is written.
type late struct{ http.ResponseWriter }

func (l late) WriteHeader(status int) {
	l.Header().Set("X-Late", "yes")
	l.ResponseWriter.WriteHeader(status)
}

// TestCallerLeaves holds that a fault is created although nobody waits for the answer.
func TestCallerLeaves(t *testing.T) {
	t.Parallel()
	store := &closes{Store: NewMemory()}
	s, err := New(WithStore(store))
	require.NoError(t, err)
	left, leave := context.WithCancel(t.Context())
	leave()
	w := s.call(minimal, func(r *http.Request) { *r = *r.WithContext(left) })
	assert.Equal(t, http.StatusCreated, w.Code)
	require.NoError(t, store.ctx)
}
