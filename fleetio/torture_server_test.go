package fleetio_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
	bytes.Buffer

	mu sync.Mutex
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
		header.Set("X-Request-ID", keys)
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
		b.WriteString(header.Get("X-Request-ID") + " no header\r\n")
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
		body, at, isClean = "", 0, false
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
	maps.Copy(w.Header(), header)
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
