package fleetio_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

func TestRequest(t *testing.T) {
	t.Parallel()
	server := respond(reply{201, nil, created})
	fault, err := client(t, server).CreateFault(t.Context(), minimal)
	require.NoError(t, err)
	assert.Equal(t, int64(90210), fault.ID)
	assert.Equal(t, "https://secure.fleetio.com/api/v1/faults", server.request.URL.String())
	assert.Equal(t, http.MethodPost, server.request.Method)
	assert.Equal(t, "secure.fleetio.com", server.request.Host)
	assert.JSONEq(t, `{"vehicle_id":4711,"code":"P0420"}`, server.body)
	assert.Equal(t, int64(len(server.body)), server.request.ContentLength)
	assert.Equal(t, http.Header{"Accept": {"application/json"}, "Account-Token": {accountToken}, "Authorization": {"Token " + apiKey},
		"Content-Type": {"application/json"}, "User-Agent": {"fleetio-go"}}, server.request.Header)

	_, err = client(t, server, fleetio.WithAPIVersion("2025-05-05"), fleetio.WithUserAgent("fleet/7 (ops)"),
		fleetio.WithBaseURL("http://[::1]:8080/proxy/")).CreateFault(t.Context(), minimal)
	require.NoError(t, err)
	assert.Equal(t, "http://[::1]:8080/proxy/api/faults", server.request.URL.String())
	assert.Equal(t, "2025-05-05", server.request.Header.Get("X-Api-Version"))
	assert.Equal(t, "fleet/7 (ops)", server.request.Header.Get("User-Agent"))
}

// TestVersionsOfPaths has paths without a version from the version on that has them.
func TestVersionsOfPaths(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{"": "/api/v1/faults", "2024-03-15": "/api/v1/faults", "2025-05-04": "/api/v1/faults",
		"2025-05-05": "/api/faults", "2026-01-01": "/api/faults"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			var options []fleetio.Option
			if version != "" {
				options = append(options, fleetio.WithAPIVersion(version))
			}
			var paths []string
			c := client(t, roundTripper(func(r *http.Request) (*http.Response, error) {
				paths = append(paths, r.URL.Path)
				return reply{status: 404}.response(), nil
			}), options...)
			_, err := c.CreateFault(t.Context(), minimal)
			require.Error(t, err)
			_, err = c.Fault(t.Context(), 7)
			require.ErrorIs(t, err, fleetio.ErrNotFound)
			for _, err := range c.Faults(t.Context(), fleetio.FaultFilter{}) {
				require.ErrorIs(t, err, fleetio.ErrNotFound)
			}
			assert.Equal(t, []string{want, want + "/7", want}, paths)
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"":                             "no URL with a scheme and a host",
		"secure.fleetio.com":           "no URL with a scheme and a host",
		"https://":                     "no URL with a scheme and a host",
		"https://:443":                 "no URL with a scheme and a host",
		"https:secure.fleetio.com":     "no URL with a scheme and a host",
		"https://user:pass word@h\x7f": "no URL with a scheme and a host",
		"https://user:password@secure.fleetio.com": "user info",
		"https://h/api?x=1":                        "a query",
		"https://h/api?":                           "a query",
		"https://h/api#f":                          "a fragment",
		"https://h/api#":                           "a fragment",
		"http://secure.fleetio.com":                "not https",
		"http://localhost.example":                 "not https",
		"http://10.0.0.1":                          "not https, and would send the credentials unencrypted; for a test server in another container, WithInsecureHTTP",
		"ftp://localhost":                          "neither https nor http",
		"https://h/":                               "", "HTTPS://h": "", "http://localhost:80": "", "http://127.9.9.9": "", "http://[::1]": "",
	} {
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			_, err := fleetio.NewClient(credentials, fleetio.WithBaseURL(base))
			if want == "" {
				assert.NoError(t, err, base)
				return
			}
			require.ErrorContains(t, err, want, base)
			assert.NotContains(t, err.Error(), "pass")
		})
	}
	for name, options := range map[string][]fleetio.Option{
		"before": {fleetio.WithInsecureHTTP(), fleetio.WithBaseURL("http://sandbox:8080")},
		"after":  {fleetio.WithBaseURL("http://10.0.0.1"), fleetio.WithInsecureHTTP()},
	} {
		t.Run("insecure "+name, func(t *testing.T) {
			t.Parallel()
			_, err := fleetio.NewClient(credentials, options...)
			require.NoError(t, err)
		})
	}
	for name, option := range map[string]fleetio.Option{
		"HTTP client":     fleetio.WithHTTPClient(nil),
		"timeout":         fleetio.WithTimeout(0),
		"a user agent":    fleetio.WithUserAgent("a\r\nX-Evil: 1"),
		"no user agent":   fleetio.WithUserAgent(""),
		"API version":     fleetio.WithAPIVersion("2025-05-05\r\nX-Evil: 1"),
		"attempts":        fleetio.WithRetryPolicy(fleetio.RetryPolicy{MaxAttempts: -1}),
		"wait":            fleetio.WithRetryPolicy(fleetio.RetryPolicy{MaxWait: -1}),
		"bytes":           fleetio.WithMaxResponseBytes(0),
		"delay":           fleetio.WithReconcileDelay(0),
		"an option's nil": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := fleetio.NewClient(credentials, option)
			assert.Error(t, err, name)
			assert.Nil(t, c, name)
		})
	}
	for name, c := range map[string]fleetio.Credentials{
		"no key": {AccountToken: "abcd"}, "no token": {APIKey: "abcd"}, "line break": {APIKey: "abcd\n", AccountToken: "abcd"},
		"injection": {APIKey: "abcd", AccountToken: "abcd\r\nX-Evil: 1"}, "scheme": {APIKey: "Token abcd", AccountToken: "abcd"},
		"no ASCII": {APIKey: "abcdé", AccountToken: "abcd"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := fleetio.NewClient(c)
			require.Error(t, err, name)
			assert.NotContains(t, err.Error(), "abcd")
		})
	}
}

func TestClientThatWasNotMade(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]*fleetio.Client{"nil": nil, "zero": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := c.CreateFault(t.Context(), minimal)
			require.Error(t, err)
			for _, err := range c.CreateFaults(t.Context(), many(1)) {
				require.Error(t, err)
			}
			_, err = c.Fault(t.Context(), 1)
			require.Error(t, err)
			for _, err := range c.Faults(t.Context(), fleetio.FaultFilter{}) {
				require.Error(t, err)
			}
			_, err = c.FindCreated(t.Context(), minimal, time.Now())
			require.Error(t, err)
		})
	}
	_, err := client(t, respond()).CreateFault(nil, minimal) //nolint:staticcheck // that is what is tested
	require.Error(t, err)
	for _, err := range client(t, respond()).CreateFaults(nil, many(1)) { //nolint:staticcheck // that is what is tested
		require.Error(t, err)
	}
}

// TestHTTPClientIsCopied takes over what belongs to a client, and changes nothing in it.
func TestHTTPClientIsCopied(t *testing.T) {
	t.Parallel()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	var deadline time.Duration
	sent := []string{}
	given := &http.Client{Jar: jar, Timeout: time.Hour, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		until, _ := r.Context().Deadline()
		deadline = time.Until(until)
		sent = append(sent, r.Header.Get("Cookie"))
		return reply{201, http.Header{"Set-Cookie": {"route=b"}}, created}.response(), nil
	})}
	before := *given
	c, err := fleetio.NewClient(credentials, fleetio.WithHTTPClient(given))
	require.NoError(t, err)
	for range 2 {
		_, err = c.CreateFault(t.Context(), minimal)
		require.NoError(t, err)
	}
	assert.Greater(t, deadline, 59*time.Minute, "its timeout counts")
	assert.Equal(t, []string{"", "route=b"}, sent)
	assert.Len(t, jar.Cookies(&url.URL{Scheme: "https", Host: "secure.fleetio.com", Path: "/api/v1/faults"}), 1)
	assert.Nil(t, given.CheckRedirect)
	assert.Equal(t, before.Timeout, given.Timeout)
}

func TestClientIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	c := client(t, respond(reply{201, nil, created}))
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			for range 20 {
				_, err := c.CreateFault(t.Context(), full())
				assert.NoError(t, err)
			}
		})
	}
	calls.Wait()
}

func TestRawResponse(t *testing.T) {
	t.Parallel()
	var raw *http.Response
	c := client(t, respond(reply{201, http.Header{"Location": {"/api/v1/faults/90210"}}, created}, reply{201, nil, ""}))
	_, err := c.CreateFault(t.Context(), minimal, fleetio.WithRawResponse(&raw))
	require.NoError(t, err)
	var body bytes.Buffer
	_, err = body.ReadFrom(raw.Body)
	require.NoError(t, err)
	assert.Equal(t, created, body.String()) //nolint:testifylint // the bytes, not the JSON
	assert.Equal(t, "/api/v1/faults/90210", raw.Header.Get("Location"))
	assert.Nil(t, raw.Request, "it holds the credentials")
	_, err = client(t, roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("gone") }), once).
		CreateFault(t.Context(), minimal, fleetio.WithRawResponse(&raw))
	require.Error(t, err)
	assert.Nil(t, raw, "that of an earlier call")
}

// TestCredentialsAreHidden prints whatever holds the credentials, in each way that there is.
func TestCredentialsAreHidden(t *testing.T) {
	t.Parallel()
	c := client(t, respond(reply{}))
	type config struct {
		Name        string
		Credentials fleetio.Credentials
		Pointer     *fleetio.Credentials
	}
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	texts := []string{}
	for _, v := range []any{credentials, &credentials, config{"x", credentials, &credentials}, []any{credentials}, c, *c} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			texts = append(texts, fmt.Sprintf(verb, v))
		}
		data, err := json.Marshal(v)
		require.NoError(t, err)
		texts = append(texts, string(data), fmt.Sprint(v))
		logger.Info("x", "v", v)
	}
	texts = append(texts, log.String(), credentials.String(), credentials.GoString())
	assertHidden(t, texts...)
	assert.Equal(t, "[redacted]", fmt.Sprintf("%#v", credentials))
}

func assertHidden(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		for _, secret := range []string{apiKey, accountToken, fmt.Sprintf("%x", apiKey)} {
			assert.NotContains(t, text, secret)
		}
	}
}

// TestErrorsHideCredentials has a server, and a transport, that repeat the credentials wherever they can.
func TestErrorsHideCredentials(t *testing.T) {
	t.Parallel()
	both := apiKey + " and " + accountToken
	header := http.Header{"X-Request-Id": {both}, "Location": {"https://elsewhere.example/?key=" + apiKey}, "X-" + both: {"1"}}
	typed := http.Header{"Content-Type": {both}, "X-Request-Id": {both}}
	for name, a := range map[string]reply{
		"problem":   {401, header, `{"status":401,"title":"` + both + `","detail":"` + both + `","instance":"` + both + `"}`},
		"title":     {401, header, `{"status":401,"title":"` + both + `"}`},
		"fields":    {422, header, `{"errors":{"` + both + `":["` + both + `"]}}`},
		"limit":     {429, header, `{"error":"` + both + `"}`},
		"type":      {500, typed, both},
		"redirect":  {302, header, both},
		"malformed": {201, header, `{"id":7,"count":"` + both + `","` + both + `":1}`},
		"property":  {201, header, `{"id":"` + both + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := client(t, respond(a)).CreateFault(t.Context(), minimal)
			require.Error(t, err, name)
			var e *fleetio.Error
			require.ErrorAs(t, err, &e)
			assertDumpHidden(t, err, e)
		})
	}
	cause := errors.New("cannot send Authorization: Token " + apiKey)
	_, err := client(t, roundTripper(func(*http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("%w, nor %s", cause, accountToken)
	}), once).CreateFault(t.Context(), minimal)
	require.ErrorIs(t, err, cause, "it is found all the same")
	var e *fleetio.Error
	require.ErrorAs(t, err, &e)
	assertDumpHidden(t, err, e)
	for ; err != nil; err = errors.Unwrap(err) {
		assertHidden(t, err.Error())
	}
}

// TestErrorsHideCredentialsThatAreCut ends the body after each byte of the credentials.
func TestErrorsHideCredentialsThatAreCut(t *testing.T) {
	t.Parallel()
	for _, key := range []string{apiKey, accountToken} {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			for n := 4; n <= len(key); n++ {
				for _, c := range []*fleetio.Client{
					client(t, respond(reply{500, nil, "<html>" + key[:n]})),
					client(t, respond(reply{500, nil, "<html>" + key + key}), fleetio.WithMaxResponseBytes(int64(len("<html>")+n))),
				} {
					_, err := c.CreateFault(t.Context(), minimal)
					var e *fleetio.Error
					require.ErrorAs(t, err, &e)
					assert.Equal(t, "<html>[redacted]", string(e.Body))
				}
			}
		})
	}
}

func assertDumpHidden(t *testing.T, err error, e *fleetio.Error) {
	t.Helper()
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "err", err)
	data, failed := json.Marshal(struct {
		E       *fleetio.Error
		Problem *fleetio.Problem
	}{e, e.Problem})
	require.NoError(t, failed)
	assertHidden(t, err.Error(), log.String(), string(data), string(e.Body), fmt.Sprintf("%+v %#v %v %v %v", err, e, e.Header, e.Fields, e.RequestID))
}
