package fleetio_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

// What an error says of the fault, in the words of the package comment's table.
const (
	notCreated = "not created"
	ambiguous  = "ambiguous"
	wasCreated = "created"
	rateLimit  = "RateLimitError"
)

// became says what an error says of the fault.
func became(err error) string {
	var limited *fleetio.RateLimitError
	var e *fleetio.Error
	switch {
	case err == nil:
		return "no error"
	case errors.As(err, &limited):
		if limited.Err == nil || limited.Err.Ambiguous() || limited.Err.Created {
			return "a wrong " + rateLimit
		}
		return rateLimit
	case !errors.As(err, &e):
		return "an error of another type: " + err.Error()
	case e.Created && e.Ambiguous():
		return "created and ambiguous"
	case e.Created:
		return wasCreated
	case e.Ambiguous():
		return ambiguous
	default:
		return notCreated
	}
}

// TestRetryTable has a test for each row of the table in the package comment: what happens on the first attempt, and on
// all others where there is no second response.
func TestRetryTable(t *testing.T) {
	t.Parallel()
	ok := reply{status: 201, body: created}
	lost := errors.New("read: connection reset by peer")
	untrusted := &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
	// fails is a transport that fails, before or after it has read the body.
	fails := func(err error, read bool) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if read {
				_, _ = io.ReadAll(r.Body)
			}
			return nil, err
		})
	}
	hangs := func(read bool) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if read {
				_, _ = io.ReadAll(r.Body)
			}
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
	}
	for name, row := range map[string]struct {
		first http.RoundTripper
		again bool
		after time.Duration // at least, and a second more at most
		left  string
	}{
		"no connection":                        {fails(&net.OpError{Op: "dial", Err: errors.New("refused")}, false), true, 250 * time.Millisecond, notCreated},
		"certificate":                          {fails(untrusted, false), false, 0, notCreated},
		"lost before the body":                 {fails(lost, false), true, 250 * time.Millisecond, notCreated},
		"lost later":                           {fails(lost, true), false, 0, ambiguous},
		"end of file later":                    {fails(io.ErrUnexpectedEOF, true), false, 0, ambiguous},
		"timeout before the body":              {hangs(false), false, 30 * time.Second, notCreated},
		"timeout later":                        {hangs(true), false, 30 * time.Second, ambiguous},
		"201 that cannot be read":              {respond(reply{status: 201, body: `{"id":7`}), false, 0, wasCreated},
		"429 with Retry-After":                 {respond(retryAfter(429, "22")), true, 22 * time.Second, rateLimit},
		"429 with a Retry-After of 0":          {respond(retryAfter(429, "0")), true, 0, rateLimit},
		"429 at the bound":                     {respond(retryAfter(429, "120")), true, 120 * time.Second, rateLimit},
		"429 with a date":                      {respond(retryAfter(429, "Sat, 01 Jan 2000 00:00:30 GMT")), true, 30 * time.Second, rateLimit},
		"429 with a date that is past":         {respond(retryAfter(429, "Fri, 31 Dec 1999 23:00:00 GMT")), true, 0, rateLimit},
		"429 over the bound":                   {respond(retryAfter(429, "121")), false, 0, rateLimit},
		"429 far over the bound":               {respond(retryAfter(429, "99999999999999999999")), false, 0, rateLimit},
		"429 with a date over the bound":       {respond(retryAfter(429, "Sat, 01 Jan 2000 00:02:01 GMT")), false, 0, rateLimit},
		"429 without Retry-After":              {respond(reply{status: 429}), false, 0, rateLimit},
		"429 with a negative Retry-After":      {respond(retryAfter(429, "-1")), false, 0, rateLimit},
		"429 with a Retry-After of no kind":    {respond(retryAfter(429, "soon")), false, 0, rateLimit},
		"503 with Retry-After":                 {respond(retryAfter(503, "5")), false, 0, ambiguous},
		"503 without Retry-After":              {respond(reply{status: 503}), false, 0, ambiguous},
		"307":                                  {respond(reply{status: 307}), false, 0, ambiguous},
		"308":                                  {respond(reply{status: 308}), false, 0, ambiguous},
		"401":                                  {respond(reply{status: 401}), false, 0, notCreated},
		"403":                                  {respond(reply{status: 403}), false, 0, notCreated},
		"404":                                  {respond(reply{status: 404}), false, 0, notCreated},
		"408":                                  {respond(reply{status: 408}), false, 0, ambiguous},
		"422":                                  {respond(reply{status: 422}), false, 0, notCreated},
		"200":                                  {respond(reply{status: 200, body: created}), false, 0, ambiguous},
		"202":                                  {respond(reply{status: 202}), false, 0, ambiguous},
		"303":                                  {respond(reply{status: 303}), false, 0, ambiguous},
		"500":                                  {respond(reply{status: 500}), false, 0, ambiguous},
		"500 with Retry-After":                 {respond(retryAfter(500, "1")), false, 0, ambiguous},
		"502":                                  {respond(reply{status: 502}), false, 0, ambiguous},
		"504":                                  {respond(reply{status: 504}), false, 0, ambiguous},
		"a response that is neither":           {fails(nil, false), true, 250 * time.Millisecond, notCreated},
		"a response that is neither, but sent": {fails(nil, true), false, 0, ambiguous},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Where the second attempt gets a response.
			synctest.Test(t, func(t *testing.T) {
				tries, begun := 0, time.Now()
				fault, err := client(t, roundTripper(func(r *http.Request) (*http.Response, error) {
					if tries++; tries == 1 {
						return row.first.RoundTrip(r)
					}
					return respond(ok).RoundTrip(r)
				})).CreateFault(t.Context(), minimal)
				took := time.Since(begun)
				assert.GreaterOrEqual(t, took, row.after)
				if !row.again {
					assert.Equal(t, 1, tries)
					assert.Equal(t, row.left, became(err), "%v", err)
					assert.Nil(t, fault)
					assert.Equal(t, row.after, took, "it is said at once")
					return
				}
				require.NoError(t, err)
				assert.Equal(t, 2, tries)
				assert.Equal(t, int64(90210), fault.ID)
				assert.LessOrEqual(t, took, min(row.after+time.Second, 2*time.Minute))
			})
			// Where nothing changes.
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				_, err := client(t, roundTripper(func(r *http.Request) (*http.Response, error) {
					tries++
					return row.first.RoundTrip(r)
				})).CreateFault(t.Context(), minimal)
				assert.Equal(t, row.left, became(err), "%v", err)
				assert.LessOrEqual(t, tries, 4)
			})
		})
	}
}

// refusals are the 4xx that a standard defines, but 408 and 429. They say that the request was refused.
var refusals = []int{400, 401, 402, 403, 404, 405, 406, 407, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424, 425, 426, 428, 431, 451}

// TestEachStatus has the word for each status that a server or a gateway may send, with and without a Retry-After, which
// changes nothing but for a 429. No request is sent twice.
func TestEachStatus(t *testing.T) {
	t.Parallel()
	for status := 200; status < 1000; status++ {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			want := ambiguous
			switch {
			case status == 201:
				want = wasCreated
			case status == 429:
				want = rateLimit
			case slices.Contains(refusals, status):
				want = notCreated
			}
			for _, a := range []reply{{status: status}, retryAfter(status, "3600"), retryAfter(status, "0")} {
				if status == 429 && a.header.Get("Retry-After") == "0" {
					continue
				}
				server := respond(a)
				_, err := client(t, server).CreateFault(t.Context(), minimal)
				assert.Equal(t, want, became(err), "%d: %v", status, err)
				assert.Equal(t, want == ambiguous, strings.HasSuffix(err.Error(), "unknown whether created"), "%v", err)
				assert.Equal(t, 1, server.count, status)
			}
		})
	}
}

// TestRetry503 is for a service whose 503 with a Retry-After says that nothing was done.
func TestRetry503(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		reply

		tries  int
		waited time.Duration // at least, and a second for each more at most
		became string
	}{
		"503":                          {retryAfter(503, "59"), 3, 118 * time.Second, notCreated},
		"503 with a date":              {retryAfter(503, "Sat, 01 Jan 2000 00:00:50 GMT"), 4, 50 * time.Second, notCreated},
		"503 over the bound":           {retryAfter(503, "121"), 1, 0, notCreated},
		"503 without Retry-After":      {reply{status: 503}, 1, 0, ambiguous},
		"503 with another Retry-After": {retryAfter(503, "soon"), 1, 0, ambiguous},
		"502":                          {retryAfter(502, "1"), 1, 0, ambiguous},
		"408":                          {retryAfter(408, "1"), 1, 0, ambiguous},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server, start := respond(row.reply), time.Now()
				_, err := client(t, server, fleetio.WithRetry503()).CreateFault(t.Context(), minimal)
				assert.Equal(t, row.became, became(err), "%v", err)
				assert.Equal(t, row.tries, server.count)
				assert.GreaterOrEqual(t, time.Since(start), row.waited)
				assert.LessOrEqual(t, time.Since(start), row.waited+time.Duration(row.tries-1)*time.Second)
			})
		})
	}
}

// TestRetryWaits holds the limits of the policy: how often, and how long in all.
func TestRetryWaits(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		policy  fleetio.RetryPolicy
		reply   reply
		tries   int
		atLeast time.Duration
	}{
		"by default 4 attempts":   {fleetio.RetryPolicy{}, retryAfter(429, "1"), 4, 3 * time.Second},
		"by default 2 minutes":    {fleetio.RetryPolicy{}, retryAfter(429, "59"), 3, 118 * time.Second},
		"never again":             {fleetio.RetryPolicy{MaxAttempts: 1}, retryAfter(429, "1"), 1, 0},
		"more attempts":           {fleetio.RetryPolicy{MaxAttempts: 6}, retryAfter(429, "1"), 6, 5 * time.Second},
		"a shorter wait":          {fleetio.RetryPolicy{MaxWait: 10 * time.Second}, retryAfter(429, "11"), 1, 0},
		"a shorter wait in all":   {fleetio.RetryPolicy{MaxWait: 10 * time.Second}, retryAfter(429, "5"), 2, 5 * time.Second},
		"a longer wait":           {fleetio.RetryPolicy{MaxWait: time.Hour}, retryAfter(429, "600"), 4, 30 * time.Minute},
		"a response with its own": {fleetio.RetryPolicy{MaxAttempts: 2}, reply{429, http.Header{"Date": {"Thu, 05 Jun 2025 10:00:00 GMT"}, "Retry-After": {"Thu, 05 Jun 2025 10:00:09 GMT"}}, ""}, 2, 9 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server, begun := respond(row.reply), time.Now()
				_, err := client(t, server, fleetio.WithRetryPolicy(row.policy)).CreateFault(t.Context(), minimal)
				require.Error(t, err)
				assert.Equal(t, row.tries, server.count)
				assert.GreaterOrEqual(t, time.Since(begun), row.atLeast)
				assert.Less(t, time.Since(begun), row.atLeast+time.Duration(row.tries)*time.Second)
			})
		})
	}
}

func TestRetryStopsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // the deadline comes before the end of the wait: there is nothing to wait for
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begun := time.Now()
		_, err := client(t, respond(retryAfter(429, "22"))).CreateFault(ctx, minimal)
		assert.Equal(t, rateLimit, became(err))
		assert.Equal(t, begun, time.Now())
	})
	synctest.Test(t, func(t *testing.T) { // cancelled while it waits
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		begun := time.Now()
		_, err := client(t, respond(retryAfter(429, "22"))).CreateFault(ctx, minimal)
		assert.Equal(t, rateLimit, became(err))
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, 10*time.Second, time.Since(begun))
	})
	synctest.Test(t, func(t *testing.T) { // cancelled before it begins
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		server := respond(reply{status: 201, body: created})
		_, err := client(t, server).CreateFault(ctx, minimal)
		assert.Equal(t, notCreated, became(err))
		require.ErrorIs(t, err, context.Canceled)
		assert.Zero(t, server.count)
	})
	synctest.Test(t, func(t *testing.T) { // cancelled on its way, with a cause of the caller's own
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("the shop closes")
		_, err := client(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			_, _ = io.ReadAll(r.Body)
			cancel(cause)
			return nil, context.Cause(r.Context())
		})).CreateFault(ctx, minimal)
		assert.Equal(t, ambiguous, became(err))
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, cause)
	})
}

// TestRetryReadsNoBodyLater gives an attempt up before the transport has asked for the body, and then lets it ask: it
// gets nothing, so that the fault cannot be created behind the caller's back while it is sent again.
func TestRetryReadsNoBodyLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var first io.Reader
		tries := 0
		fault, err := client(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			if tries++; tries == 1 {
				first = r.Body
				return nil, errors.New("gone")
			}
			assert.Nil(t, r.GetBody, "net/http could send it again")
			return respond(reply{status: 201, body: created}).RoundTrip(r)
		})).CreateFault(t.Context(), minimal)
		require.NoError(t, err)
		assert.Equal(t, int64(90210), fault.ID)
		late, err := io.ReadAll(first)
		require.Error(t, err)
		assert.Empty(t, late)
	})
}

func TestRetryIsLogged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		server := respond(retryAfter(429, "22"), reply{500, nil, `{"status":500,"title":"for ` + apiKey + `"}`})
		_, err := client(t, server, fleetio.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))).CreateFault(t.Context(), minimal)
		require.Error(t, err)
		assert.Equal(t, 1, strings.Count(log.String(), "\n"))
		assert.Contains(t, log.String(), "attempt=2 wait=22.")
		assert.NotContains(t, log.String()+err.Error(), apiKey)
	})
}
