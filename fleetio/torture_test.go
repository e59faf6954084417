package fleetio_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

var tortureCredentials = fleetio.Credentials{APIKey: "Torture-Key-3F9a1C7b", AccountToken: "Torture-Account-77D0e2"}

// fromEnvironment reads a number, for make torture and to repeat a run.
func fromEnvironment(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(cmp.Or(os.Getenv(name), strconv.FormatUint(otherwise, 10)), 10, 64)
	require.NoError(t, err, name)
	return n
}

// TestTorture makes FLEETIO_TORTURE calls of a server that breaks in every way, and compares what the client says of each
// fault with what the server has stored: no fault is stored twice, no word is wrong, and no credential is shown.
//
// A server can lie so that no client is right. This one sends a 201 only after it has stored the fault, and a 429 or one of
// the refusals only if it has not. Each other status comes either way.
func TestTorture(t *testing.T) {
	t.Parallel()
	log.SetOutput(io.Discard) // net/http logs what comes after a response
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	seed, calls := fromEnvironment(t, "FLEETIO_TORTURE_SEED", rand.Uint64()), int(fromEnvironment(t, "FLEETIO_TORTURE", 300))
	s := newTortureServer(t, seed, calls)
	var callers sync.WaitGroup
	var next atomic.Int64
	for range 32 {
		callers.Go(func() {
			for n := int(next.Add(1)) - 1; n < calls; n = int(next.Add(1)) - 1 {
				s.calls[n].make(t, s)
			}
		})
	}
	callers.Wait()
	s.close() // what comes too late for the client is stored now
	words, requests, stored := map[string]int{}, 0, 0
	for n := range s.calls {
		c := &s.calls[n]
		c.mu.Lock()
		words[c.word]++
		requests += c.attempts
		stored += len(c.stored)
		if wrong := c.wrong(); wrong != "" {
			t.Errorf("call %d: %s: stored as %d, the client says %s (id %d): %s\n%+v", n, wrong, c.stored, c.word, c.id, c.message, c.acts)
		}
		c.mu.Unlock()
	}
	assert.Zero(t, s.elsewhere.Load(), "a redirect was followed")
	assert.NotRegexp(t, "(?i)torture-(key|account)-", s.log.String())
	t.Logf("%d calls, %d requests, %d faults stored, %v; FLEETIO_TORTURE_SEED=%d FLEETIO_TORTURE=%d repeats what was planned", calls, requests, stored, words, seed, calls)
}

// tortureCall is one fault: what the server does to it, what became of it there, and what the client says.
type tortureCall struct {
	number  int
	acts    []act // one for each attempt, and the last one for all others
	server  string
	retry   fleetio.RetryPolicy
	timeout time.Duration
	cancel  time.Duration // 0 for never
	trusts  bool          // the 503 of the service
	strict  string        // the one word that is right; "" where time decides

	mu       sync.Mutex
	attempts int
	stored   []int64 // the ids

	word, message string
	id            int64
}

// act is what the server does in one attempt.
type act struct {
	drop       string // where the connection ends: "", "head", "body", "read", "stall"
	store      bool
	late       bool // it is stored when the client has given up
	status     int
	header     map[string]string
	body       string // the kind
	frame      string // how the body is sent: "", "cut", "long", "short", "chunks", "endless", "gzip", "garbage", "drip", "malformed"
	interim    int    // responses of 1xx before it
	permille   int    // of the body, where it is cut
	elsewhere  bool   // it redirects
	repeatKeys bool
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// plan draws a call. All that is random is drawn here.
func (c *tortureCall) plan(r *rand.Rand) {
	c.server = pick(r, "http", "http", "reuse", "reuse", "gateway", "http2")
	c.retry = fleetio.RetryPolicy{MaxWait: pick(r, 20*time.Millisecond, 20*time.Millisecond, 20*time.Millisecond, 300*time.Millisecond)}
	c.timeout = 20 * time.Second
	c.trusts = r.IntN(4) == 0
	for range 1 + r.IntN(4) {
		c.acts = append(c.acts, c.planAct(r))
	}
	first := &c.acts[0]
	if r.IntN(12) == 0 {
		c.cancel = time.Duration(1 + r.IntN(15_000_000))
	}
	for _, a := range c.acts {
		if a.drop == "stall" {
			c.timeout = 40 * time.Millisecond
		}
	}
	isWhole := first.drop == "" && slices.Contains([]string{"", "drip", "gzip"}, first.frame)
	if c.server != "http" || c.cancel != 0 || c.timeout < time.Second || !isWhole || first.status == 429 {
		return
	}
	switch {
	case first.status == 201 && slices.Contains([]string{"fault", "decoys"}, first.body) && first.header["Content-Type"] == "application/json":
		c.strict = "no error"
	case first.status == 201:
		c.strict = wasCreated
	case slices.Contains(refusals, first.status):
		c.strict = notCreated
	case first.status != 503 || !c.trusts:
		c.strict = ambiguous
	}
}

func (c *tortureCall) planAct(r *rand.Rand) act {
	if r.IntN(3) == 0 {
		return act{store: true, status: 201, body: "fault", header: map[string]string{"Content-Type": "application/json"}}
	}
	a := act{
		drop:     pick(r, "", "", "", "", "", "", "", "", "", "", "", "", "head", "body", "read", "stall"),
		store:    r.IntN(2) == 0,
		status:   pick(r, 201, 201, 201, 503, 429, 422, pick(r, refusals...), 200+r.IntN(400), 500+r.IntN(30)),
		frame:    pick(r, "", "", "", "", "", "cut", "long", "short", "chunks", "endless", "gzip", "garbage", "drip", "malformed"),
		interim:  pick(r, 0, 0, 0, 0, 1, 1, 100, 5000),
		permille: r.IntN(1000),
		header:   map[string]string{"Content-Type": pick(r, "application/json", "application/json", "application/json", "text/html", "", "application/json; =")},
	}
	retry := pick(r, "", "", "0", "0", "-1", "1", "soon", "1e40", "99999999999999999999", "Fri, 31 Dec 1999 23:59:59 GMT", "NaN")
	if retry != "" {
		a.header["Retry-After"] = retry
	}
	if a.status == 201 {
		a.store = true
		a.body = pick(r, "fault", "fault", "fault", "decoys", "capitals", "repeated", "foreign", "cut", "broken", "null", "empty", "html")
	} else {
		a.body = pick(r, "problem", "errors", "fault", "capitals", "null", "empty", "html", "cut")
	}
	_, isDate := http.ParseTime(retry)
	isWait := retry != "" && (isDate == nil || strings.Trim(retry, "0123456789") == "")
	if a.status == 429 || slices.Contains(refusals, a.status) || a.status == 503 && c.trusts && isWait {
		a.store = false
	}
	switch a.drop {
	case "head", "body":
		a.store = false
	case "stall":
		a.late = a.store && r.IntN(2) == 0
	}
	a.elsewhere = a.status/100 == 3
	a.repeatKeys = r.IntN(4) == 0
	return a
}

// make calls the server and notes what the client says.
func (c *tortureCall) make(t *testing.T, s *tortureServer) {
	ctx := t.Context()
	if c.cancel > 0 {
		var stop context.CancelFunc
		if c.number%2 == 0 {
			ctx, stop = context.WithTimeout(ctx, c.cancel)
		} else {
			ctx, stop = context.WithCancel(ctx)
			time.AfterFunc(c.cancel, stop)
		}
		defer stop()
	}
	options := []fleetio.Option{fleetio.WithBaseURL(s.urls[c.server]), fleetio.WithHTTPClient(&http.Client{Transport: s.transports[c.server]}),
		fleetio.WithUserAgent("torture/" + strconv.Itoa(c.number)), fleetio.WithRetryPolicy(c.retry), fleetio.WithTimeout(c.timeout),
		fleetio.WithLogger(slog.New(slog.NewTextHandler(&s.log, nil))), fleetio.WithMaxResponseBytes(64 << 10)}
	if c.trusts {
		options = append(options, fleetio.WithRetry503())
	}
	client, err := fleetio.NewClient(tortureCredentials, options...)
	if !assert.NoError(t, err) {
		return
	}
	f := fleetio.FaultCreate{VehicleID: int64(c.number + 1), Code: fmt.Sprintf("P%04d", c.number%10), ExternalID: new(strconv.Itoa(c.number))}
	var fault *fleetio.Fault
	if c.number%4 == 0 {
		for result, one := range client.CreateFaults(ctx, slices.Values([]fleetio.FaultCreate{f})) {
			fault, err = result.Fault, one
		}
	} else {
		fault, err = client.CreateFault(ctx, f)
	}
	c.word = became(err)
	if failed, ok := errors.AsType[*fleetio.Error](err); ok {
		fault = failed.Fault
	}
	if fault != nil {
		c.id = fault.ID
	}
	if err != nil {
		c.message = err.Error()
		assert.NotRegexp(t, "(?i)torture-(key|account)-", everythingIn(err), "call %d", c.number)
	}
}

// everythingIn is each text that an error holds.
func everythingIn(err error) string {
	var b strings.Builder
	if failed, ok := errors.AsType[*fleetio.Error](err); ok {
		fmt.Fprintf(&b, "%s %v %v %s ", failed.Body, failed.Header, failed.Fields, failed.RequestID)
		if p := failed.Problem; p != nil {
			fmt.Fprintln(&b, p.Title, *cmp.Or(p.Detail, new(string)), *cmp.Or(p.Instance, new(string)))
		}
	}
	for ; err != nil; err = errors.Unwrap(err) {
		fmt.Fprintf(&b, "%v %+v %#v ", err, err, err.Error())
	}
	return b.String()
}

// wrong returns what is wrong with what the client says; "" where it is right.
func (c *tortureCall) wrong() string {
	says := c.word
	switch {
	case len(c.stored) > 1:
		return "doubled"
	case len(c.stored) == 1 && (says == notCreated || says == rateLimit):
		return "stored, and not said so"
	case len(c.stored) == 0 && (says == wasCreated || says == "no error"):
		return "not stored, and said to be"
	case c.id != 0 && (len(c.stored) == 0 || c.id != c.stored[0]):
		return "the id of another fault"
	case says == "no error" && c.id == 0:
		return "no id"
	case !slices.Contains([]string{"no error", wasCreated, ambiguous, notCreated, rateLimit}, says):
		return "no word for it"
	case c.strict != "" && c.strict != says:
		return "should be " + c.strict
	default:
		return ""
	}
}
