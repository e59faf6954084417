package fleetio_test

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
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

	"github.com/fleetcontract/fleetio-go"
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
	switch {
	case a.drop == "head" || a.drop == "body":
		a.store = false
	case a.drop == "stall":
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
	f := fleetio.FaultCreate{VehicleID: int64(c.number + 1), Code: fmt.Sprintf("P%04d", c.number%10), ExternalID: fleetio.Ptr(strconv.Itoa(c.number))}
	var fault *fleetio.Fault
	if c.number%4 == 0 {
		for result, one := range client.CreateFaults(ctx, slices.Values([]fleetio.FaultCreate{f})) {
			fault, err = result.Fault, one
		}
	} else {
		fault, err = client.CreateFault(ctx, f)
	}
	c.word = became(err)
	var failed *fleetio.Error
	if errors.As(err, &failed) {
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
	var failed *fleetio.Error
	if errors.As(err, &failed) {
		fmt.Fprintf(&b, "%s %v %v %s ", failed.Body, failed.Header, failed.Fields, failed.RequestID)
		if p := failed.Problem; p != nil {
			text, _ := json.Marshal(p)
			b.Write(text)
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

// tortureServer stores faults and responds as the acts of each call say, over HTTP/1.1, over HTTP/2, and behind a gateway.
type tortureServer struct {
	t          *testing.T
	calls      []tortureCall
	urls       map[string]string
	transports map[string]*http.Transport
	close      func()
	handlers   sync.WaitGroup // of HTTP/2, which outlast their connection

	lastID    atomic.Int64
	dials     atomic.Int64
	elsewhere atomic.Int64 // requests that came to the host that redirects lead to
	away      string       // that host
	log       syncBuffer
}

type syncBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func newTortureServer(t *testing.T, seed uint64, calls int) *tortureServer {
	t.Helper()
	s := &tortureServer{t: t, calls: make([]tortureCall, calls)}
	for n := range s.calls {
		s.calls[n].number = n
		s.calls[n].plan(rand.New(rand.NewPCG(seed, uint64(n))))
	}
	quiet := log.New(&s.log, "", 0)

	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { s.elsewhere.Add(1) }))
	s.away = elsewhere.URL

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { s.serveConn(conn) })
		}
	})
	raw := "http://" + listener.Addr().String()

	http2 := httptest.NewUnstartedServer(http.HandlerFunc(s.serveHTTP2))
	http2.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) }
	http2.Config.ErrorLog = quiet
	http2.EnableHTTP2 = true
	http2.StartTLS()

	// A stock gateway: when it loses the server, it responds itself.
	target, err := url.Parse(raw)
	require.NoError(t, err)
	behind := &http.Transport{}
	gateway := httptest.NewUnstartedServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, ErrorLog: quiet, Transport: behind,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, _ error) {
			n, _ := strconv.Atoi(strings.TrimPrefix(r.UserAgent(), "torture/"))
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Location", s.away)
			status := []int{503, 503, 502, 504, 408, 499, 460, 520, 524, 527, 307, 308}[n/7%12]
			if !s.calls[n].trusts || status != 503 {
				w.Header().Set("Retry-After", strconv.Itoa(5*(n%2)))
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<html><h1>Error 503 Backend fetch failed</h1><p>Guru Meditation:</p></html>")
		}})
	gateway.Config.ErrorLog = quiet
	gateway.Start()

	s.urls = map[string]string{"http": raw, "reuse": raw, "gateway": gateway.URL, "http2": http2.URL}
	s.transports = map[string]*http.Transport{
		"http":    {DisableKeepAlives: true},
		"reuse":   {DialContext: s.dial},
		"gateway": {},
		"http2":   http2.Client().Transport.(*http.Transport),
	}
	s.close = func() {
		for _, transport := range s.transports {
			transport.CloseIdleConnections()
		}
		gateway.Close()
		behind.CloseIdleConnections()
		http2.Close()
		s.handlers.Wait()
		_ = listener.Close()
		conns.Wait()
		elsewhere.Close()
	}
	return s
}

// dial fails at times, before anything is sent.
func (s *tortureServer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if s.dials.Add(1)%7 == 0 {
		return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("connection refused")}
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

// begin finds the call of a request, and what is to be done in this attempt.
func (s *tortureServer) begin(r *http.Request) (*tortureCall, act) {
	n, err := strconv.Atoi(strings.TrimPrefix(r.UserAgent(), "torture/"))
	if !assert.NoError(s.t, err) || !assert.Less(s.t, n, len(s.calls)) {
		panic(http.ErrAbortHandler)
	}
	assert.Equal(s.t, "Token "+tortureCredentials.APIKey, r.Header.Get("Authorization"))
	c := &s.calls[n]
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.acts[min(c.attempts, len(c.acts)-1)]
	c.attempts++
	return c, a
}

// store stores the fault of a request that has come whole, and returns its id; 0 for another one.
func (s *tortureServer) store(c *tortureCall, body []byte) int64 {
	var sent map[string]any
	if json.Unmarshal(body, &sent) != nil || sent["external_id"] != strconv.Itoa(c.number) {
		return 0
	}
	id := s.lastID.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stored = append(c.stored, id)
	return id
}

// foreignID is an id that is never stored.
const foreignID = 7_000_000_000

// compose makes the header and the body of a response. A fault has no value that has a digit too few or too many when
// a byte is put in between, so that what is broken can be seen to be. What is foreign is not cut before it says so.
func (s *tortureServer) compose(c *tortureCall, a *act, id int64) (http.Header, string) {
	header := http.Header{}
	for name, value := range a.header {
		header.Set(name, value)
	}
	if a.elsewhere {
		header.Set("Location", s.away+"/api/v1/faults")
	}
	keys := ""
	if a.repeatKeys {
		keys = tortureCredentials.APIKey + " " + tortureCredentials.AccountToken
		header.Set("X-Request-Id", keys)
		header.Set("X-"+tortureCredentials.APIKey, keys)
	}
	vehicle, code := c.number+1, fmt.Sprintf("P%04d", c.number%10)
	rest := fmt.Sprintf(`"account_id":12,"vehicle_id":%d,"code":%q,"count":null,"description":null,"external_id":"%d","status":"open","is_sample":false,`+
		`"created_at":"2026-03-14T13:46:29-06:00"}`, vehicle, code, c.number)
	fault := fmt.Sprintf(`{"id":%d,%s`, id, rest)
	switch a.body {
	case "fault":
		return header, fault
	case "decoys":
		return header, fmt.Sprintf(`{"ID":%d,"id":%d,"Id":%d,"VEHICLE_ID":1,"Code":"x",%s`, foreignID, id, foreignID, rest)
	case "capitals":
		return header, strings.ToUpper(strings.Replace(fault, strconv.FormatInt(id, 10), strconv.Itoa(foreignID), 1))
	case "repeated":
		return header, fmt.Sprintf(`{"id":%d,"id":%d,%s`, id, foreignID, rest)
	case "foreign":
		return header, fmt.Sprintf(`{"vehicle_id":%d,"code":"P0420","id":%d}`, vehicle+1, foreignID)
	case "cut":
		return header, fault[:len(fault)*a.permille/1000]
	case "broken":
		at := len(fault) * a.permille / 1000
		return header, fault[:at] + "\x00" + fault[at:]
	case "problem":
		return header, fmt.Sprintf(`{"status":%d,"title":"No","detail":"not for %s","instance":%q}`, a.status, keys, keys)
	case "errors":
		return header, fmt.Sprintf(`{"errors":{"code":["is unknown to %s"],"x %s":["y"]}}`, keys, keys)
	case "null":
		return header, "null"
	case "html":
		return header, "<html>" + keys
	default:
		return header, ""
	}
}

// serveConn serves HTTP/1.1, byte by byte, as no http.Server would.
func (s *tortureServer) serveConn(conn net.Conn) {
	defer conn.Close()
	from := bufio.NewReader(conn)
	for isClean := true; isClean; {
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		r, err := http.ReadRequest(from)
		if err != nil {
			return
		}
		c, a := s.begin(r)
		switch a.drop {
		case "head":
			_ = conn.(*net.TCPConn).SetLinger(0) // a reset
			return
		case "body":
			_, _ = io.CopyN(io.Discard, r.Body, 5)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		id, goesOn := s.storeOrStall(c, &a, body)
		isClean = goesOn && s.write(conn, c, &a, id)
	}
}

// storeOrStall does what comes before the response, and reports whether there is one.
func (s *tortureServer) storeOrStall(c *tortureCall, a *act, body []byte) (id int64, goesOn bool) {
	if a.store && !a.late {
		if id = s.store(c, body); id == 0 {
			return 0, false
		}
	}
	if a.drop == "stall" {
		time.Sleep(60 * time.Millisecond)
	}
	if a.late {
		s.store(c, body)
	}
	return id, a.drop == ""
}

// write sends a response, and reports whether the connection is in order after it.
func (s *tortureServer) write(conn net.Conn, c *tortureCall, a *act, id int64) bool {
	header, body := s.compose(c, a, id)
	var b bytes.Buffer
	for range a.interim {
		b.WriteString("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n")
	}
	fmt.Fprintf(&b, "HTTP/1.1 %d \r\n", a.status)
	_ = header.Write(&b)
	length, isClean := len(body), true
	at := len(body) * a.permille / 1000
	switch a.frame {
	case "cut":
		body, isClean = body[:at], false
	case "long":
		length, isClean = len(body)+10, false
	case "short":
		length, isClean = at, false
	case "malformed":
		b.WriteString(header.Get("X-Request-Id") + " no header\r\n")
		isClean = false
	case "chunks", "endless":
		chunks := fmt.Sprintf("%x\r\n%s\r\n%x\r\n%s\r\n", at, body[:at], len(body)-at, body[at:])
		if at == 0 || at == len(body) { // an empty one is the last
			chunks = fmt.Sprintf("%x\r\n%s\r\n", len(body), body)
		}
		b.WriteString("Transfer-Encoding: chunked\r\n\r\n" + chunks)
		for a.frame == "endless" && b.Len() < 200<<10 {
			b.WriteString("400\r\n" + strings.Repeat(" ", 0x400) + "\r\n")
		}
		if _, err := conn.Write(b.Bytes()); err != nil {
			return false
		}
		_, err := io.WriteString(conn, "zz\r\n") // where the last one should be
		return err == nil && false
	case "gzip":
		var z bytes.Buffer
		to := gzip.NewWriter(&z)
		_, _ = io.WriteString(to, body)
		_ = to.Close()
		body, length = z.String(), z.Len()
		b.WriteString("Content-Encoding: gzip\r\n")
	case "garbage":
		b.WriteString("Content-Encoding: gzip\r\n")
	}
	if a.status == http.StatusNoContent || a.status == http.StatusNotModified {
		body, isClean = "", false
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", length)
	if a.frame == "drip" {
		for _, part := range []string{b.String(), body[:at], body[at:]} {
			_, _ = io.WriteString(conn, part)
			time.Sleep(time.Millisecond)
		}
		return isClean
	}
	b.WriteString(body)
	_, err := conn.Write(b.Bytes())
	return err == nil && isClean
}

type connKey struct{}

// serveHTTP2 resets streams, sends GOAWAY, and closes connections.
func (s *tortureServer) serveHTTP2(w http.ResponseWriter, r *http.Request) {
	s.handlers.Add(1)
	defer s.handlers.Done()
	c, a := s.begin(r)
	switch a.drop {
	case "head":
		panic(http.ErrAbortHandler)
	case "body":
		_, _ = io.CopyN(io.Discard, r.Body, 5)
		panic(http.ErrAbortHandler)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	id, goesOn := s.storeOrStall(c, &a, body)
	if !goesOn {
		panic(http.ErrAbortHandler)
	}
	header, response := s.compose(c, &a, id)
	for name, values := range header {
		w.Header()[name] = values
	}
	for range a.interim {
		w.WriteHeader(http.StatusEarlyHints)
	}
	at := len(response) * a.permille / 1000
	switch a.frame {
	case "long", "short":
		w.Header().Set("Content-Length", strconv.Itoa(at))
	case "chunks":
		w.Header().Set("Connection", "close") // a GOAWAY
	case "garbage":
		w.Header().Set("Content-Encoding", "gzip")
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, response[:at])
	if a.frame == "cut" || a.frame == "drip" {
		_ = http.NewResponseController(w).Flush()
	}
	switch a.frame {
	case "malformed": // ends all streams of the connection
		_ = r.Context().Value(connKey{}).(net.Conn).Close()
	case "cut":
		panic(http.ErrAbortHandler)
	}
	_, _ = io.WriteString(w, response[at:])
	for range 200 {
		if _, err := io.WriteString(w, strings.Repeat(" ", 1<<10)); a.frame != "endless" || err != nil {
			return
		}
	}
}
