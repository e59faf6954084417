package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance/conformancetest"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	fleetio "github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// TestTroubleSeenByTheClient looks at each trouble as the code does that meets it: by the client's errors.
func TestTroubleSeenByTheClient(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		trouble sandbox.Trouble
		status  int // in the error; 0 for no answer
		stored  int
		check   func(*testing.T, *fleetio.Error)
	}{
		"401":         {sandbox.Fail(401), 401, 0, is(fleetio.ErrUnauthorized)},
		"403":         {sandbox.Fail(403), 403, 0, is(fleetio.ErrForbidden)},
		"422":         {sandbox.Fail(422), 422, 0, is(fleetio.ErrInvalid)},
		"500":         {sandbox.Fail(500), 500, 0, ambiguous},
		"503":         {sandbox.Fail(503), 503, 0, ambiguous},
		"unavailable": {sandbox.Unavailable(0), 503, 0, ambiguous},
		"truncated":   {sandbox.Truncate(), 201, 1, wasCreated},
		"malformed":   {sandbox.Malform(), 201, 1, wasCreated},
		"media type":  {sandbox.MediaType("text/html"), 201, 1, wasCreated},
		"drop before": {sandbox.DropBefore(), 0, 0, ambiguous},
		"drop after":  {sandbox.DropAfter(), 0, 1, ambiguous},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sandbox.Start(t, sandbox.WithNext(c.trouble))
			_, err := s.Client.CreateFault(t.Context(), fleetio.FaultCreate{VehicleID: 1, Code: "P0420"})
			var failed *fleetio.Error
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, c.status, failed.StatusCode)
			c.check(t, failed)
			assert.Len(t, s.Faults(), c.stored)
			require.Len(t, s.Requests(), 1)
			assert.Equal(t, c.trouble.String(), s.Requests()[0].Trouble)
			if c.status == 0 {
				assert.Zero(t, s.Requests()[0].Status)
			}
			_, err = s.Client.CreateFault(t.Context(), fleetio.FaultCreate{VehicleID: 1, Code: "P0420"})
			require.NoError(t, err, "one call only")
			assert.Empty(t, s.Requests()[1].Trouble)
		})
	}
}

func is(target error) func(*testing.T, *fleetio.Error) {
	return func(t *testing.T, e *fleetio.Error) { t.Helper(); assert.ErrorIs(t, e, target) }
}
func ambiguous(t *testing.T, e *fleetio.Error)  { t.Helper(); assert.True(t, e.Ambiguous()) }
func wasCreated(t *testing.T, e *fleetio.Error) { t.Helper(); assert.True(t, e.Created) }

// TestErrorsAreAsDocumented lets the engine look at each error that can be asked for.
func TestErrorsAreAsDocumented(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, status := range []int{401, 403, 422, 429, 500} {
		s.Next(sandbox.Fail(status))
		assert.Equal(t, status, post(t, s, whole).StatusCode)
	}
	s.Next(sandbox.RateLimited(90*time.Second + 1))
	got := post(t, s, whole)
	assert.Equal(t, "91", got.Header.Get("Retry-After"))
	assert.Regexp(t, `^\{"error":".*91 seconds`, got.body)
	assert.Empty(t, s.Faults())
}

func TestDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := sandbox.New(sandbox.WithNext(sandbox.Delay(3*time.Second), sandbox.Delay(time.Hour)))
		require.NoError(t, err)
		judged := conformancetest.Middleware(t, contract(), s)
		began := time.Now()
		w, r := recorded(t, s)
		judged.ServeHTTP(w, r)
		assert.Equal(t, http.StatusCreated, w.Code)
		assert.Equal(t, 3*time.Second, time.Since(began))
		// Who does not wait as long still has made a fault.
		w, r = recorded(t, s)
		ctx, cancel := contextWithTimeout(t, time.Minute)
		defer cancel()
		judged.ServeHTTP(w, r.WithContext(ctx))
		assert.Equal(t, 63*time.Second, time.Since(began))
		faults, err := s.NewestFaults(t.Context(), 0, 10)
		require.NoError(t, err)
		assert.Len(t, faults, 2)
	})
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := sandbox.New(sandbox.WithRateLimit(20))
		require.NoError(t, err)
		judged := conformancetest.Middleware(t, contract(), s)
		time.Sleep(18 * time.Second) // the fake clock begins with a minute
		// The vendor's example: one request a second from :18 is refused from :38 until the next minute.
		for second := 18; second < 90; second++ {
			w, r := recorded(t, s)
			judged.ServeHTTP(w, r)
			if second >= 38 && second < 60 {
				require.Equal(t, http.StatusTooManyRequests, w.Code, second)
				assert.Equal(t, strconv.Itoa(60-second), w.Header().Get("Retry-After"))
				assert.Equal(t, sandbox.RateLimit{Account: "Northwind Delivery", Limit: 20, Used: 20, Reset: time.Now().Truncate(time.Minute).Add(time.Minute)}, s.RateLimits()[0])
			} else if second < 80 {
				require.Equal(t, http.StatusCreated, w.Code, second)
			}
			assert.Zero(t, s.RateLimits()[1].Used, "of the other account")
			time.Sleep(time.Second)
		}
		time.Sleep(89*time.Second + 999*time.Millisecond) // almost the end of the next minute
		call := func(change ...func(*http.Request)) *httptest.ResponseRecorder {
			w, r := recorded(t, s)
			for _, c := range change {
				c(r)
			}
			judged.ServeHTTP(w, r)
			return w
		}
		for range 20 {
			assert.Equal(t, http.StatusUnauthorized, call(set("Authorization", "Token unknown")).Code)
			assert.Equal(t, http.StatusCreated, call().Code, "those of strangers do not count")
		}
		limited := call()
		assert.Equal(t, http.StatusTooManyRequests, limited.Code)
		assert.Equal(t, "1", limited.Header().Get("Retry-After"), "never 0, at the end of a minute")
	})
}

// TestTroubleKnowsTheCaller holds that an exchange names who called, whatever befell the call.
func TestTroubleKnowsTheCaller(t *testing.T) {
	t.Parallel()
	s := sandbox.Start(t)
	deviation := sandbox.Deviate("201/request/code/required/missing")
	for _, c := range []struct {
		trouble sandbox.Trouble
		key     string
		want    string
	}{
		{sandbox.Fail(500), s.Credentials.APIKey, "Northwind Delivery/integration"},
		{sandbox.RateLimited(time.Second), s.Credentials.APIKey, "Northwind Delivery/integration"},
		{sandbox.Fail(500), "unknown", "/"},
		{deviation, s.Credentials.APIKey, "Northwind Delivery/integration"},
		{deviation, "unknown", "/"},
	} {
		s.Next(c.trouble)
		post(t, s, whole, set("Authorization", "Token "+c.key))
		last, kept := s.Exchange(s.Latest())
		require.True(t, kept)
		assert.Equal(t, c.want, last.Account+"/"+last.APIKey, "%s with %s", c.trouble, c.key)
	}
}

// TestFailuresAreWhole looks at errors that the operation does not have.
func TestFailuresAreWhole(t *testing.T) {
	t.Parallel()
	s := start(t)
	for status, title := range map[int]string{405: "Method Not Allowed", 499: "Error", 503: "Service Unavailable"} {
		s.Next(sandbox.Fail(status))
		got := post(t, s, whole)
		assert.Equal(t, status, got.StatusCode)
		assert.Equal(t, status == 405, got.Header.Get("Allow") == "POST")
		assert.Contains(t, got.body, `"title":"`+title+`"`)
		assert.Empty(t, got.Header.Get("Retry-After"))
	}
}

// TestUnavailable is an outage that is known to end: a client that trusts its 503 waits.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.WithNext(sandbox.Unavailable(1500*time.Millisecond), sandbox.Unavailable(0)))
	got := post(t, s, whole)
	assert.Equal(t, http.StatusServiceUnavailable, got.StatusCode)
	assert.Equal(t, "2", got.Header.Get("Retry-After"))
	client, err := fleetio.NewClient(s.Credentials, fleetio.WithBaseURL(s.URL), fleetio.WithRetry503())
	require.NoError(t, err)
	_, err = client.CreateFault(t.Context(), fleetio.FaultCreate{VehicleID: 1, Code: "P0420"})
	require.NoError(t, err, "after a 503 that says how long")
	assert.Len(t, s.Requests(), 3)
	assert.Len(t, s.Faults(), 1)
}

// TestAccepting sends what must be refused to a sandbox that accepts it; the answer is a fault all the same.
func TestAccepting(t *testing.T) {
	t.Parallel()
	s := sandbox.Start(t)
	for _, body := range []string{"", "[]", `{"vehicle_id":"x","code":null,"status":"closed","count":[],"last_occurred_at":"never"}`, `{"vehicle_id":-1,"code":"P9","name":"x"}`} {
		s.Next(sandbox.Deviate("201/request/code/required/missing"))
		got := post(t, s, body, set("Authorization"))
		require.Equal(t, http.StatusCreated, got.StatusCode, body)
		var fault fleetio.Fault
		require.NoError(t, json.Unmarshal([]byte(got.body), &fault))
		assert.Equal(t, fleetio.FaultStatusOpen, fault.Status)
	}
	assert.Len(t, s.Faults(), 4)
	for _, e := range s.Requests() {
		ex := exchange(t, e)
		ex.Request = traffic.Message{Header: http.Header{"Authorization": {"Token x"}, "Account-Token": {"x"}}, BodyOmitted: true} // one that is right
		findings, err := contract().Check(ex)
		require.NoError(t, err)
		assert.Empty(t, findings, "%s", e.AnswerBody)
	}
}

// tb is a test that fails without ending the one around it.
type tb struct {
	*testing.T

	said string
}

func (f *tb) Fatalf(format string, args ...any) { f.said += fmt.Sprintf(format, args...) }

func TestWhatCannotBe(t *testing.T) {
	t.Parallel()
	for want, option := range map[string]sandbox.Option{
		"nil":                           nil,
		"the store is nil":              sandbox.WithStore(nil),
		"the logger is nil":             sandbox.WithLogger(nil),
		"-1 is negative":                sandbox.WithRateLimit(-1),
		"history of -1":                 sandbox.WithHistory(-1),
		"more than 1000000":             sandbox.WithHistory(1 << 40),
		"what wraps the handler is nil": sandbox.WithHandler(nil),
		"a media type is empty, or":     sandbox.WithNext(sandbox.MediaType("text/html\r\nX: y")),
		"a share of 0":                  sandbox.WithTrouble(0, sandbox.Truncate()),
		"a share of 1.5":                sandbox.WithTrouble(1.5, sandbox.Truncate()),
		"none that this package makes":  sandbox.WithTrouble(1, sandbox.Trouble{}),
		"399 is no error status":        sandbox.WithNext(sandbox.Fail(399)),
		"a wait of -1s":                 sandbox.WithNext(sandbox.RateLimited(-time.Second)),
		"a delay of -1s":                sandbox.WithNext(sandbox.Delay(-time.Second)),
		"accounts is empty":             sandbox.WithFixtures(sandbox.Fixtures{}),
		"no-such-deviation":             sandbox.WithNext(sandbox.Deviate("no-such-deviation")),
		"the store cannot be read":      sandbox.WithStore(closed()),
	} {
		failing := &tb{T: t}
		assert.Nil(t, sandbox.Start(failing, option))
		assert.Contains(t, failing.said, want)
	}
	failing := &tb{T: t}
	s := sandbox.Start(failing)
	s.Next(sandbox.Fail(200))
	assert.Contains(t, failing.said, "200 is no error status")
	require.Error(t, s.Sandbox.Next(sandbox.Truncate(), sandbox.Trouble{}))
	assert.Equal(t, http.StatusCreated, post(t, s, whole).StatusCode, "nothing was scripted")
}

func closed() sandbox.Store {
	store := sandbox.NewMemory()
	if err := store.Close(); err != nil {
		panic(err)
	}
	return store
}

func TestClosed(t *testing.T) {
	t.Parallel()
	s := start(t)
	require.NoError(t, s.Sandbox.Close())
	_, err := s.Client.CreateFault(t.Context(), fleetio.FaultCreate{VehicleID: 1, Code: "P0420"})
	var failed *fleetio.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, http.StatusInternalServerError, failed.StatusCode)
	s.Close()
	s.Close()
	_, err = s.Client.CreateFault(t.Context(), fleetio.FaultCreate{VehicleID: 1, Code: "P0420"})
	require.ErrorAs(t, err, &failed)
	assert.Zero(t, failed.StatusCode, "nobody answers")
	assert.Len(t, s.Requests(), 1, "what arrived is still known")
}

// TestHandlersWrap holds that each wrapper is called, and that none is left out without a word.
func TestHandlersWrap(t *testing.T) {
	t.Parallel()
	named := func(name string) sandbox.Option {
		return sandbox.WithHandler(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Add("X-Through", name)
				next.ServeHTTP(w, r)
			})
		})
	}
	s := start(t, named("inner"), named("outer"))
	assert.Equal(t, []string{"outer", "inner"}, post(t, s, whole).Header["X-Through"])
	_, err := sandbox.New(named("none"))
	require.ErrorContains(t, err, "WithHandler is for Start")
}
