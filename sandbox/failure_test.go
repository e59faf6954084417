package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
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

// TestClientErrors checks each failure as the code sees it that meets it: by the client's errors.
func TestClientErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		failure sandbox.Failure
		status  int // in the error; 0 for no response
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
		"media type":  {sandbox.Edit("type=text/html"), 201, 1, wasCreated},
		"drop before": {sandbox.DropBefore(), 0, 0, ambiguous},
		"drop after":  {sandbox.DropAfter(), 0, 1, ambiguous},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sandbox.Start(t)
			s.InjectNext(c.failure)
			_, err := s.Client.CreateFault(t.Context(), fleetio.FaultCreate{VehicleID: 1, Code: "P0420"})
			var failed *fleetio.Error
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, c.status, failed.StatusCode)
			c.check(t, failed)
			assert.Len(t, s.Faults(), c.stored)
			require.Len(t, s.Requests(), 1)
			assert.Equal(t, c.failure.String(), s.Requests()[0].Failure)
			if c.status == 0 {
				assert.Zero(t, s.Requests()[0].Status)
			}
			_, err = s.Client.CreateFault(t.Context(), fleetio.FaultCreate{VehicleID: 1, Code: "P0420"})
			require.NoError(t, err, "one call only")
			assert.Empty(t, s.Requests()[1].Failure)
		})
	}
}

func is(target error) func(*testing.T, *fleetio.Error) {
	return func(t *testing.T, e *fleetio.Error) { t.Helper(); assert.ErrorIs(t, e, target) }
}
func ambiguous(t *testing.T, e *fleetio.Error)  { t.Helper(); assert.True(t, e.Ambiguous()) }
func wasCreated(t *testing.T, e *fleetio.Error) { t.Helper(); assert.True(t, e.Created) }

// TestErrorsAreAsDocumented checks each error that can be asked for.
func TestErrorsAreAsDocumented(t *testing.T) { //nolint:tparallel // the cases share a server
	t.Parallel()
	s := start(t)
	for _, status := range []int{401, 403, 422, 429, 500} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			s.InjectNext(sandbox.Fail(status))
			assert.Equal(t, status, post(t, s, whole).StatusCode)
		})
	}
	s.InjectNext(sandbox.RateLimited(90*time.Second + 1))
	got := post(t, s, whole)
	assert.Equal(t, "91", got.Header.Get("Retry-After"))
	assert.Empty(t, s.Faults())
}

func TestDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := sandbox.New()
		require.NoError(t, err)
		require.NoError(t, s.InjectNext(sandbox.Delay(3*time.Second), sandbox.Delay(time.Hour)))
		checked := conformancetest.Middleware(t, contract(), s)
		began := time.Now()
		w, r := recorded(t, s)
		checked.ServeHTTP(w, r)
		assert.Equal(t, http.StatusCreated, w.Code)
		assert.Equal(t, 3*time.Second, time.Since(began))
		// A client that disconnects earlier still creates a fault.
		w, r = recorded(t, s)
		ctx, cancel := contextWithTimeout(t, time.Minute)
		defer cancel()
		checked.ServeHTTP(w, r.WithContext(ctx))
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
		checked := conformancetest.Middleware(t, contract(), s)
		time.Sleep(18 * time.Second) // the fake clock begins with a minute
		// The vendor's example: one request a second from :18 is refused from :38 until the next minute.
		for second := 18; second < 90; second++ {
			w, r := recorded(t, s)
			checked.ServeHTTP(w, r)
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
			checked.ServeHTTP(w, r)
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

// TestFailuresKnowTheCaller holds that an exchange names the caller, whatever failure it met.
func TestFailuresKnowTheCaller(t *testing.T) { //nolint:tparallel // the cases share a server
	t.Parallel()
	s := sandbox.Start(t)
	accept := sandbox.Edit("accept")
	for _, c := range []struct {
		failure sandbox.Failure
		key     string
		want    string
	}{
		{sandbox.Fail(500), s.Credentials.APIKey, "Northwind Delivery/integration"},
		{sandbox.RateLimited(time.Second), s.Credentials.APIKey, "Northwind Delivery/integration"},
		{sandbox.Fail(500), "unknown", "/"},
		{accept, s.Credentials.APIKey, "Northwind Delivery/integration"},
		{accept, "unknown", "/"},
	} {
		t.Run(c.failure.String()+" "+c.key, func(t *testing.T) {
			s.InjectNext(c.failure)
			post(t, s, whole, set("Authorization", "Token "+c.key))
			last, ok := s.Exchange(s.Latest())
			require.True(t, ok)
			assert.Equal(t, c.want, last.Account+"/"+last.APIKey, "%s with %s", c.failure, c.key)
		})
	}
}

// TestFailuresAreWhole looks at errors that the operation does not have.
func TestFailuresAreWhole(t *testing.T) { //nolint:tparallel // the cases share a server
	t.Parallel()
	s := start(t)
	for status, title := range map[int]string{405: "Method Not Allowed", 499: "Error", 503: "Service Unavailable"} {
		t.Run(title, func(t *testing.T) {
			s.InjectNext(sandbox.Fail(status))
			got := post(t, s, whole)
			assert.Equal(t, status, got.StatusCode)
			assert.Contains(t, got.body, `"title":"`+title+`"`)
			assert.Empty(t, got.Header.Get("Retry-After"))
		})
	}
}

// TestUnavailable is an outage that is known to end: a client that trusts its 503 waits.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.InjectNext(sandbox.Unavailable(1500*time.Millisecond), sandbox.Unavailable(0))
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

// TestAccepting sends what must be refused to a sandbox that accepts it; the response is a fault all the same.
func TestAccepting(t *testing.T) { //nolint:tparallel // the cases share a server
	t.Parallel()
	s := sandbox.Start(t)
	for _, body := range []string{"", "[]", `{"vehicle_id":"x","code":null,"status":"closed","count":[],"last_occurred_at":"never"}`, `{"vehicle_id":-1,"code":"P9","name":"x"}`} {
		t.Run(body, func(t *testing.T) {
			s.InjectNext(sandbox.Edit("accept"))
			got := post(t, s, body, set("Authorization"))
			require.Equal(t, http.StatusCreated, got.StatusCode, body)
			var fault fleetio.Fault
			require.NoError(t, json.Unmarshal([]byte(got.body), &fault))
			assert.Equal(t, fleetio.FaultStatusOpen, fault.Status)
		})
	}
	assert.Len(t, s.Faults(), 4)
	for _, e := range s.Requests() {
		ex := exchange(t, e)
		ex.Request = traffic.Message{Header: http.Header{"Authorization": {"Token x"}, "Account-Token": {"x"}}, BodyOmitted: true} // one that is right
		findings, err := contract().Check(ex)
		require.NoError(t, err)
		assert.Empty(t, findings, "%s", e.ResponseBody)
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
		"nil":                                  nil,
		"the store is nil":                     sandbox.WithStore(nil),
		"the logger is nil":                    sandbox.WithLogger(nil),
		"-1 is negative":                       sandbox.WithRateLimit(-1),
		"history of -1":                        sandbox.WithHistory(-1),
		"more than 1000000":                    sandbox.WithHistory(1 << 40),
		"wraps the handler is nil":             sandbox.WithHandler(nil),
		"a share of 0":                         sandbox.WithFailure(0, sandbox.Truncate()),
		"a share of 1.5":                       sandbox.WithFailure(1.5, sandbox.Truncate()),
		"a function of this package makes one": sandbox.WithFailure(1, sandbox.Failure{}),
		"\"399\": no error status":             sandbox.WithFailure(1, sandbox.Fail(399)),
		"\"-1s\" is no duration":               sandbox.WithFailure(1, sandbox.RateLimited(-time.Second)),
		"\"delay=-1s\": ":                      sandbox.WithFailure(1, sandbox.Delay(-time.Second)),
		"accounts is empty":                    sandbox.WithFixtures(sandbox.Fixtures{}),
		"the store cannot be read":             sandbox.WithStore(closed()),
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			failing := &tb{T: t}
			assert.Nil(t, sandbox.Start(failing, option))
			assert.Contains(t, failing.said, want)
		})
	}
	failing := &tb{T: t}
	s := sandbox.Start(failing)
	s.InjectNext(sandbox.Fail(200))
	assert.Contains(t, failing.said, "no error status")
	require.Error(t, s.Sandbox.InjectNext(sandbox.Truncate(), sandbox.Failure{}))
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
	assert.Zero(t, failed.StatusCode, "no server")
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

func TestShares(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.WithFailure(0.1, sandbox.Fail(503)), sandbox.WithFailure(0.5, sandbox.Fail(500)))
	var got []string
	for range 20 {
		got = append(got, strconv.Itoa(post(t, s, whole).StatusCode))
	}
	want := strings.Fields("201 500 201 500 201 500 201 500 201 503 500 500 201 500 201 500 201 500 201 503")
	assert.Equal(t, want, got)
}

// TestSharesAfterNext holds that requests with an injected failure do not add up to a burst.
func TestSharesAfterNext(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.WithFailure(0.5, sandbox.Fail(500)))
	for range 10 {
		s.InjectNext(sandbox.Fail(422))
	}
	var got []string
	for range 16 {
		got = append(got, strconv.Itoa(post(t, s, whole).StatusCode))
	}
	assert.Equal(t, strings.Repeat("422 ", 10)+"201 500 201 500 201 500", strings.Join(got, " "))
}

func TestEveryCall(t *testing.T) {
	t.Parallel()
	s := start(t, sandbox.WithFailure(1, sandbox.Fail(500)))
	s.InjectNext(sandbox.Fail(422), sandbox.Fail(403))
	for _, want := range []int{422, 403, 500, 500} {
		assert.Equal(t, want, post(t, s, whole).StatusCode)
	}
}

// TestParseFailure has three requests for each text.
func TestParseFailure(t *testing.T) {
	t.Parallel()
	for text, c := range map[string]struct {
		want string // statuses; 0 for no response
		met  string // the requests that met the failure
	}{
		"500": {"500 500 500", "123"}, "503@next": {"503 201 201", "1"}, "503@next2": {"503 503 201", "12"}, "422@50%": {"201 422 201", "2"},
		"429=30s": {"429 429 429", "123"}, "drop-after@100%": {"0 0 0", "123"}, "type=text/html@next": {"201 201 201", "1"},
		"truncate@34%": {"201 201 201", "3"}, "delay=1ms": {"201 201 201", "123"}, "status=202@next": {"202 201 201", "1"},
		"malform": {"201 201 201", "123"}, "503=2s@next": {"503 201 201", "1"}, "drop-before@next": {"0 201 201", "1"},
		"429 && header=Retry-After && delay=1ms@next": {"429 201 201", "1"}, "status=200 && body=a && status=300@next": {"200 201 201", "1"},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			option, err := sandbox.ParseFailure(text)
			require.NoError(t, err)
			s := sandbox.Start(t, option)
			var got []string
			for range 3 {
				response, err := http.DefaultClient.Do(request(t, s, whole))
				if err != nil {
					got = append(got, "0")
					continue
				}
				got = append(got, strconv.Itoa(response.StatusCode))
				_ = response.Body.Close()
			}
			assert.Equal(t, c.want, strings.Join(got, " "))
			var met []byte
			what, _, _ := strings.Cut(text, "@")
			for i, e := range s.Requests() {
				if e.Failure != "" {
					met = strconv.AppendInt(met, int64(i+1), 10)
					assert.Equal(t, what, e.Failure)
				}
			}
			assert.Equal(t, c.met, string(met))
		})
	}
	for text, want := range map[string]string{
		"": "unknown; there are a status from 400 to 599, ", "no": `failure "no": unknown; there are `, "200": "no error status", "600": "no error status",
		"@next": "unknown", "500@0%": "above 0%", "500@101%": "above 0%", "500@x%": "above 0%", "500@NaN%": "above 0%", "500@next0": "from 1 to",
		"500@next99999999999999999999": "from 1 to", "delay": "unknown", "delay=": "no duration", "delay=-1s": "no duration", "delay=soon": "no duration",
		"429=-1s": "no duration", "500=1s": "no error status", "truncate=1": "unknown", "accept=1": "unknown", "503 && ": `failure "": unknown`,
		"set=/id": `failure "set=/id": set takes a JSON pointer and a JSON value`, "set=/id=x": "set takes", "set=id=0": `"id" is no JSON pointer`,
		"set=/id=\"\xff\"": "set takes", "set=/a~2=0": "is no JSON pointer", "remove=": "body= sets the whole", "remove=id": "is no JSON pointer",
		"status=199": "from 200 to 999", "status=x": "from 200", "header=": "a header is", "header=a b=c": "a header is", "header=X=a\r\nY: b": "a header is",
		"type=\n": "a header is",
	} {
		t.Run("not "+text, func(t *testing.T) {
			t.Parallel()
			_, err := sandbox.ParseFailure(text)
			assert.ErrorContains(t, err, want)
		})
	}
}

// TestInject injects by text, lists what is left in the same words, and clears it.
func TestInject(t *testing.T) {
	t.Parallel()
	s := sandbox.Start(t, fail(t, "500@10%"))
	assert.Equal(t, []string{"500@10%"}, s.Failures())
	texts := []string{"createFault: drop-after@next1", "429=30s && header=Retry-After@next3", "body=x@next@next1", "delay=0s@100%", "504@7%", "503@33.3333333%"}
	require.NoError(t, s.Inject(texts...))
	assert.Equal(t, append(texts[:3:3], append([]string{"500@10%"}, texts[3:]...)...), s.Failures())
	_, err := s.Client.CreateFault(t.Context(), fleetio.FaultCreate{VehicleID: 1, Code: "P0420"})
	require.Error(t, err)
	assert.Len(t, s.Faults(), 1)
	require.NotContains(t, s.Failures(), texts[0])

	require.ErrorContains(t, s.Inject("500@next", "nonsense"), "unknown")
	assert.Len(t, s.Failures(), 6, "none of them")
	s.ClearFailures()
	assert.Equal(t, []string{}, s.Failures())
	require.NoError(t, s.Inject(slices.Repeat([]string{"500@next10000"}, 10)...))
	require.ErrorContains(t, s.Inject("500"), "more than 100000 failures")
	assert.Equal(t, slices.Repeat([]string{"500@next10000"}, 10), s.Failures())
}

func fail(t *testing.T, text string) sandbox.Option {
	t.Helper()
	option, err := sandbox.ParseFailure(text)
	require.NoError(t, err)
	return option
}

// FuzzParseFailure looks for a text that is taken and cannot be served.
func FuzzParseFailure(f *testing.F) {
	for _, seed := range []string{"500@next", "429=1ms && header=X=a", "set=/a~1b/0=[1]", "remove=/errors/code/0", "status=204", "body=@next && x", "accept && type=a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		option, err := sandbox.ParseFailure(text)
		if err != nil || strings.Contains(text, "delay") {
			return
		}
		s, err := sandbox.New(option)
		require.NoError(t, err)
		again, err := sandbox.New()
		require.NoError(t, err)
		require.NoError(t, again.Inject(s.Failures()...))
		require.Equal(t, s.Failures(), again.Failures())
		defer func() { assert.Contains(t, []any{nil, http.ErrAbortHandler}, recover()) }()
		w, r := recorded(t, s)
		s.ServeHTTP(w, r)
	})
}
