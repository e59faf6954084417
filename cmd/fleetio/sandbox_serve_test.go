package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/server/page"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// begun is a call whose header has arrived, and whose body has not.
func (b *box) begun(t *testing.T) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(b.url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "POST /api/v1/faults HTTP/1.1\r\nHost: x\r\nAuthorization: Token %s\r\nAccount-Token: %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", b.key, b.token, len(someFault))
	require.NoError(t, err)
	answers := bufio.NewReader(conn)
	for _, want := range []string{"HTTP/1.1 100 Continue\r\n", "\r\n"} { // so the handler reads the body
		line, err := answers.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, want, line)
	}
	return conn, answers
}

// TestSandboxFinishes ends the sandbox with a call on its way, which still gets its answer, and a page that is open.
func TestSandboxFinishes(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "faults.db")
	b := serveSandbox(t, "--db", db)
	conn, answers := b.begun(t)
	events, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+"/events", nil)
	require.NoError(t, err)
	stream, err := http.DefaultClient.Do(events)
	require.NoError(t, err)
	defer func() { _ = stream.Body.Close() }()

	ended := make(chan int)
	go func() { ended <- b.stop() }()
	for { // until nobody is let in
		late, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(b.url, "http://"))
		if err != nil {
			break
		}
		_ = late.Close()
	}
	_, err = io.WriteString(conn, someFault)
	require.NoError(t, err)
	response, err := http.ReadResponse(answers, nil)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	assert.Equal(t, 201, response.StatusCode)
	assert.Equal(t, 0, <-ended)
	assert.NotContains(t, b.log.String(), "cut off")
	_, err = io.Copy(io.Discard, stream.Body)
	require.NoError(t, err, "the stream has an end")

	answer := serveSandbox(t, "--db", db).create(t, http.DefaultClient, someFault)
	assert.Contains(t, answer.body, `"id":2,`, "the first is in the file")
}

// TestSilentConnection has a connection that has sent nothing, as browsers keep them: the end does not wait for it.
func TestSilentConnection(t *testing.T) {
	t.Parallel()
	b := serveSandbox(t, "--no-page")
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(b.url, "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	b.create(t, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, someFault) // by now that one was let in
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(4*time.Second)))                   // net/http waits for 5
	assert.Equal(t, 0, b.stop())
	_, err = conn.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF, "it was not waited for")
}

// TestServeCutsOff has a call that does not come to its end.
func TestServeCutsOff(t *testing.T) {
	t.Parallel()
	s, err := sandbox.New()
	require.NoError(t, err)
	listener, err := listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended, log := make(chan error), &shared{wrote: make(chan bool)}
	go func() {
		ended <- serve(ctx, &front{sandbox: s}, listener, slog.New(slog.NewTextHandler(log, nil)), time.Millisecond)
	}()
	b := box{url: baseURL(listener.Addr()), key: "k", token: "t"}
	_, answers := b.begun(t)
	cancel()
	require.NoError(t, <-ended)
	_, err = answers.ReadByte()
	require.ErrorIs(t, err, io.EOF)
	assert.Contains(t, log.String(), "calls were cut off")
}

// TestHealth has a store that answers, and then does not.
func TestHealth(t *testing.T) {
	t.Parallel()
	s, err := sandbox.New()
	require.NoError(t, err)
	for _, want := range []string{"200 ok\n", "503 no fault can be stored: the store is closed\n"} {
		answer := httptest.NewRecorder()
		(&front{sandbox: s, logger: slog.New(slog.DiscardHandler)}).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/healthz", nil))
		assert.Equal(t, want, fmt.Sprint(answer.Code, " ", answer.Body))
		require.NoError(t, s.Close())
	}
}

// TestSandboxPage shows a call that is answered wrongly, and the verdict on it.
func TestSandboxPage(t *testing.T) {
	t.Parallel()
	b := serveSandbox(t, "--trouble", "deviate=201/body/id/minimum/zero@next")
	answer := b.create(t, http.DefaultClient, someFault)
	require.Equal(t, 201, answer.status)
	require.Contains(t, answer.body, `"id":0,`)
	b.create(t, http.DefaultClient, someFault)
	b.create(t, http.DefaultClient, `{"vehicle_id":1.0,"code":"P0420"}`)
	answer = b.get(t, "/", "")
	assert.Equal(t, 200, answer.status)
	assert.Contains(t, answer.body, "conforms, 1 note")
	assert.Contains(t, answer.header.Get("Content-Security-Policy"), "default-src 'none'")
	assert.Contains(t, answer.body, "conforms")
	assert.Contains(t, answer.body, "1 finding")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+"/", strings.NewReader(someFault))
	require.NoError(t, err)
	assert.Contains(t, answerTo(t, http.DefaultClient, r).body, `"status":404`, "whoever has a wrong URL gets a problem")
	assert.Contains(t, b.get(t, "/", "").body, `id="exchange-3"`, "and it is seen")
	answer = b.get(t, "/?exchange=1", "")
	assert.Equal(t, 200, answer.status)
	assert.Contains(t, answer.body, "expected at least 1, found 0")
	assert.Contains(t, answer.body, "api/openapi.yaml:")
	assert.NotContains(t, answer.body, b.key)
	assert.NotContains(t, answer.body, b.token)
}

// TestSandboxWithoutPage has the API only.
func TestSandboxWithoutPage(t *testing.T) {
	t.Parallel()
	b := serveSandbox(t, "--no-page")
	assert.NotContains(t, b.stdout, "page")
	for _, path := range []string{"/", "/events", "/assets/page.css"} {
		answer := b.get(t, path, "")
		assert.Equal(t, 404, answer.status)
		assert.Contains(t, answer.body, `"status":404`)
	}
}

// TestSandboxOfAnotherName asks as a browser does for a site that has let its name point here.
func TestSandboxOfAnotherName(t *testing.T) {
	t.Parallel()
	b := serveSandbox(t)
	for host, want := range map[string]int{
		"": 200, "localhost": 200, "LOCALHOST:80": 200, "127.0.0.1:1": 200, "[::1]:80": 200, "[::1]": 200, "10.0.0.1": 200,
		"evil.example": 403, "evil.example:80": 403, "localhost.evil.example": 403, "127.0.0.1.evil.example": 403, "localhost.": 403,
	} {
		answer := b.get(t, "/", host)
		assert.Equal(t, want, answer.status, host)
	}
	answer := b.get(t, "/events", "evil.example")
	assert.Equal(t, 403, answer.status)
	assert.NotContains(t, answer.body, "data:")
	assert.Contains(t, answer.body, b.url)
	answer = b.get(t, "/assets/x", "evil.example")
	assert.Equal(t, 403, answer.status)
	answer = b.get(t, "/healthz", "evil.example")
	assert.Equal(t, 200, answer.status)
	answer = b.get(t, "/api/v1/faults", "evil.example")
	assert.Equal(t, 405, answer.status)
}

// TestSandboxForOthers listens on all interfaces, as it was told to.
func TestSandboxForOthers(t *testing.T) {
	t.Parallel()
	b := serveSandbox(t, "--addr", "0.0.0.0:0")
	assert.Regexp(t, `^warning: (0\.0\.0\.0|\[::\]):\d+ is no loopback address: `, b.log.String())
	assert.Contains(t, b.url, "http://127.0.0.1:")
	answer := b.get(t, "/", "build.example:8080")
	assert.Equal(t, 200, answer.status, "whoever may reach it by a name")
	assert.NotContains(t, serveSandbox(t).log.String(), "warning")
}

func TestJudge(t *testing.T) {
	t.Parallel()
	judge, err := (&serving{}).judge()
	require.NoError(t, err)
	s := sandbox.Start(t, sandbox.WithNext(sandbox.MediaType("text/html")))
	call := func(path, body string) sandbox.Exchange {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Token "+s.Credentials.APIKey)
		r.Header.Set("Account-Token", s.Credentials.AccountToken)
		answerTo(t, http.DefaultClient, r)
		all := s.Requests()
		return all[len(all)-1]
	}
	wrong := call("/api/v1/faults", someFault)
	found, err := judge(&wrong)
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Regexp(t, `^api/openapi\.yaml:\d+$`, found[0].Spec)
	assert.NotEmpty(t, found[0].Message)
	found[0].Spec, found[0].Message = "", ""
	assert.Equal(t, page.Finding{Rule: "media-type", Part: "response.header", Pointer: "/Content-Type"}, found[0], "drift")

	odd := call("/api/v1/faults", `{"vehicle_id":1.0,"code":"P0420"}`)
	found, err = judge(&odd)
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, []any{"portability", "/vehicle_id", false, true}, []any{found[0].Rule, found[0].Pointer, found[0].Fails, found[0].Note})

	elsewhere := call("/api/v1/vehicles", "")
	_, err = judge(&elsewhere)
	require.EqualError(t, err, "the contract has no such operation")
	_, err = judge(&sandbox.Exchange{Method: http.MethodPost, URL: "/api/v1/faults"})
	require.Error(t, err, "dropped")
	_, err = judge(&sandbox.Exchange{Method: http.MethodPost, URL: "\x00", Status: 400})
	require.Error(t, err)

	none, err := (&serving{noPage: true}).judge()
	require.NoError(t, err)
	assert.Nil(t, none)
}

// TestExchangeOf has a body that the sandbox did not keep, and one that is not there.
func TestExchangeOf(t *testing.T) {
	t.Parallel()
	e := &sandbox.Exchange{Method: http.MethodPost, URL: "/api/v1/faults?x=1", Status: 413, Header: http.Header{"X": {"1"}}, BodyOmitted: true,
		AnswerHeader: http.Header{"Content-Type": {"application/json"}}, AnswerBody: []byte("{}")}
	ex := exchangeOf(e)
	assert.Equal(t, "/api/v1/faults", ex.URL.Path)
	assert.Equal(t, traffic.Message{Header: e.Header, BodyOmitted: true}, ex.Request)
	assert.Equal(t, traffic.Message{Header: e.AnswerHeader, Body: e.AnswerBody}, ex.Response)
	e.Header, e.BodyOmitted = http.Header{"Content-Length": {"7"}}, false
	assert.Equal(t, traffic.Message{Header: e.Header}, exchangeOf(e).Request, "the length alone tells nothing")
	e.Header, e.Body = http.Header{"Content-Length": {"2"}}, []byte("{}")
	assert.Equal(t, traffic.Message{Header: e.Header, Body: e.Body}, exchangeOf(e).Request)
}

// TestServerLogs holds that what goes wrong in the server itself is told where all else is.
func TestServerLogs(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	newServer(http.NotFoundHandler(), slog.New(slog.NewTextHandler(&log, nil))).ErrorLog.Print("broken")
	assert.Contains(t, log.String(), "level=ERROR msg=broken")
}
