package sandbox

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
)

// dropped calls the sandbox, and reports whether the connection was dropped.
func dropped(t *testing.T, s *Sandbox, body string, change ...func(*http.Request)) (is bool) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			assert.Equal(t, http.ErrAbortHandler, p)
			is = true
		}
	}()
	s.call(t, body, change...)
	return false
}

func stored(t *testing.T, s *Sandbox) []Record {
	t.Helper()
	list, err := s.NewestRecords(t.Context(), 0, 100)
	require.NoError(t, err)
	return list
}

func TestStoreLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := New()
		require.NoError(t, err)
		began := time.Now()
		require.NoError(t, s.InjectNext(StoreLate(2*time.Second), StoreLate(time.Minute).And(Fail(504))))
		assert.True(t, dropped(t, s, minimal))
		w := s.call(t, minimal)
		assert.Equal(t, http.StatusGatewayTimeout, w.Code)
		assert.Equal(t, began, time.Now(), "the response is not delayed")
		assert.Empty(t, stored(t, s))
		ex, _ := s.Exchange(1)
		assert.Equal(t, "store-late=2s", ex.Failure)
		assert.Equal(t, "integration", ex.APIKey)
		assert.Zero(t, ex.Status)

		time.Sleep(2*time.Second - 1)
		assert.Empty(t, stored(t, s))
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		list := stored(t, s)
		require.Len(t, list, 1)
		assert.Contains(t, string(list[0].Fault), `"created_at":"`+time.Now().UTC().Format(time.RFC3339)+`"`, "when it was stored")
		assert.EqualValues(t, len(minimal), s.bodies.Load(), "of the other one")
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Len(t, stored(t, s), 2)
		assert.Zero(t, s.bodies.Load())
		assert.EqualValues(t, 2, s.Latest(), "it is no exchange of its own")
	})
}

// TestStoreLateIsChecked holds that what is invalid is not stored later either, and that it is then that it counts.
func TestStoreLateIsChecked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := New(WithFailure(1, StoreLate(time.Second)), WithRateLimit(1))
		require.NoError(t, err)
		assert.True(t, dropped(t, s, `{}`))
		assert.True(t, dropped(t, s, minimal, func(r *http.Request) { r.Header.Del("Authorization") }))
		assert.Zero(t, s.RateLimits()[0].Used)
		require.NoError(t, s.InjectNext(StoreLate(time.Second).And(Edit("accept"))))
		assert.True(t, dropped(t, s, `{"code":"P9"}`))
		time.Sleep(2 * time.Second)
		assert.Len(t, stored(t, s), 1, "the one that is accepted")
		assert.Equal(t, 1, s.RateLimits()[0].Used)
		require.NoError(t, s.Close())
	})
}

// TestStoreLateEndsWithTheSandbox would fail in its bubble if a goroutine were left.
func TestStoreLateEndsWithTheSandbox(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &memory{}
		s, err := New(WithStore(store), WithFailure(1, StoreLate(time.Hour)))
		require.NoError(t, err)
		for range 3 {
			assert.True(t, dropped(t, s, minimal))
		}
		require.NoError(t, s.Close())
		require.NoError(t, s.Close())
		assert.True(t, dropped(t, s, minimal), "and none begins")
		assert.Empty(t, store.records)
		assert.Zero(t, s.bodies.Load())
	})
}

// TestOnOperation breaks creates, and not the look-ups after them.
func TestOnOperation(t *testing.T) {
	t.Parallel()
	parsed, err := ParseFailure("listFaults: 503@next2")
	require.NoError(t, err)
	s, err := New(parsed, WithFailure(0.5, OnOperation("createFault", Fail(500))))
	require.NoError(t, err)
	require.NoError(t, s.InjectNext(OnOperation("retrieveFault", Edit("status=418"))))
	reading := func(path string) func(*http.Request) {
		return func(r *http.Request) { r.Method, r.URL.Path = http.MethodGet, path }
	}
	var got []string
	for range 2 {
		for _, w := range []*httptest.ResponseRecorder{
			s.call(t, minimal), s.call(t, "", reading("/api/v1/faults")), s.call(t, "", reading("/api/v1/faults/1")), s.call(t, minimal),
		} {
			got = append(got, strconv.Itoa(w.Code))
		}
	}
	s.call(t, "", reading("/api/v1/faults"))
	assert.Equal(t, "201 503 418 500 201 503 200 500", strings.Join(got, " "))
	ex, _ := s.Exchange(2)
	assert.Equal(t, "listFaults: 503", ex.Failure)

	var operations []string
	for _, o := range fleetioserver.Operations {
		operations = append(operations, o.ID)
	}
	for name, f := range map[string]Failure{
		`failure "createfault: 500": the contract has no such operation; it has ` + strings.Join(operations, ", "): OnOperation("createfault", Fail(500)),
		"it is not for createFault":     OnOperation("createFault", Fail(500)).And(OnOperation("listFaults", Truncate())),
		"no error status":               OnOperation("createFault", Fail(200)),
		"a function of this package":    OnOperation("createFault", Failure{}),
		"the delay must be more than 0": StoreLate(0),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.ErrorContains(t, s.InjectNext(f), name)
		})
	}
	both := OnOperation("createFault", Fail(429)).And(Edit("header=Retry-After"))
	assert.Equal(t, "createFault: 429 && header=Retry-After", both.String())
}
