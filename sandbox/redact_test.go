package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRedaction looks for credentials in what is shown, wherever and however they are written.
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
			r.Header["Authorization"], r.RequestURI = []string{"Token unkn=own=pass"}, "/unkn=own=pass"
		},
		func(r *http.Request) {
			r.Header["Authorization"] = []string{`Token token="unknown-password", nonce="x"`}
			r.Header["X-Other"], r.RequestURI = []string{"unknown-password"}, "/unknown-password"
		},
		func(r *http.Request) {
			r.Body = http.NoBody
			*r = *httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/api/v1/faults", strings.NewReader(`{"a":"secret-\u0061nd-More\/Of+It"}`))
		},
		func(r *http.Request) {
			r.Body = http.NoBody
			*r = *httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/api/v1/faults", strings.NewReader(`["secret-and-More/Of+It", "secret-\u0061nd-More\/Of+It"]`))
		},
	} {
		s.call(t, `{"vehicle_id":1,"code":"P0420","description":"secret-and-More/Of+It"}`, change)
	}
	for _, e := range s.Requests() {
		shown := fmt.Sprint(e.Method, e.URL, string(e.Body), string(e.ResponseBody), e.Header, e.ResponseHeader)
		plain := strings.ToLower(strings.NewReplacer("%2F", "/", "%2b", "+", `\u0061`, "a", `\/`, "/").Replace(shown))
		assert.NotContains(t, plain, "more/of+it", "%s", shown)
		assert.NotContains(t, plain, "unknown-password", "%s", shown)
		assert.NotContains(t, plain, "unkn=own", "%s", shown)
		raw, ok := s.Unredacted(e.Number)
		require.True(t, ok)
		assert.Contains(t, strings.Join(raw.Header["Authorization"], "")+string(raw.Body), "ecret-", "for a check, it is as it was")
	}
	assert.Equal(t, "[redacted] and [redacted]", s.Redact("SECRET-and-more/of+it and secret"))
	for _, number := range []int64{-1, 0, 99} {
		e, ok := s.Unredacted(number)
		assert.False(t, ok)
		assert.Empty(t, e)
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	edge := time.Unix(60*1000, 0)
	var w rateWindow
	take := func(d time.Duration) bool {
		_, ok := w.take(1, edge.Add(d))
		return ok
	}
	assert.True(t, take(-time.Second))
	assert.True(t, take(time.Nanosecond))
	assert.False(t, take(-time.Nanosecond), "a request that read the clock before the minute began")
	assert.False(t, take(2*time.Nanosecond))
}

// TestNamesAreRedacted has fixtures whose names are credentials.
func TestNamesAreRedacted(t *testing.T) {
	t.Parallel()
	f := DefaultFixtures()
	f.Accounts[0].Name, f.Accounts[0].APIKeys[0].Name = "x "+f.Accounts[1].Token, f.Accounts[0].APIKeys[0].Key
	var log bytes.Buffer
	store := NewMemory()
	s, err := New(WithFixtures(f), WithStore(store), WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	require.NoError(t, err)
	assert.Equal(t, http.StatusCreated, s.call(t, minimal).Code)
	e := s.Requests()[0]
	assert.Equal(t, []string{"x [redacted]", "[redacted]"}, []string{e.Account, e.APIKey})
	assert.Equal(t, "x [redacted]", s.RateLimits()[0].Account)
	assert.NotContains(t, log.String(), f.Accounts[0].APIKeys[0].Key)
	assert.NotContains(t, log.String(), f.Accounts[1].Token)
	stored, err := store.Seed(t.Context(), Fixtures{}, nil)
	require.NoError(t, err)
	assert.Equal(t, f.Accounts[0].Name, stored.Accounts[0].Name, "the store has it as it was given")
}
