package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
	reader := bufio.NewReader(conn)
	for _, want := range []string{"HTTP/1.1 100 Continue\r\n", "\r\n"} { // so the handler reads the body
		line, err := reader.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, want, line)
	}
	return conn, reader
}

// TestSandboxFinishes ends the sandbox with a request in flight, which still gets its response.
func TestSandboxFinishes(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "faults.db")
	b := serveSandbox(t, "--db", db)
	conn, reader := b.begun(t)

	ended := make(chan int)
	go func() { ended <- b.stop() }()
	for { // until new connections are refused
		late, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(b.url, "http://"))
		if err != nil {
			break
		}
		_ = late.Close()
	}
	_, err := io.WriteString(conn, someFault)
	require.NoError(t, err)
	response, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	assert.Equal(t, 201, response.StatusCode)
	assert.Equal(t, 0, <-ended)
	assert.NotContains(t, b.log.String(), "cut off")

	reply := serveSandbox(t, "--db", db).create(t, http.DefaultClient, someFault)
	assert.Contains(t, reply.body, `"id":2,`, "the first is in the file")
}

// TestSandboxPage shows a request with a wrong response, and the verdict on it.
func TestSandboxPage(t *testing.T) {
	t.Parallel()
	b := serveSandbox(t, "--failure", "set=/id=0@next")
	reply := b.create(t, http.DefaultClient, someFault)
	require.Equal(t, 201, reply.status)
	require.Contains(t, reply.body, `"id":0,`)
	b.create(t, http.DefaultClient, someFault)
	b.create(t, http.DefaultClient, `{"vehicle_id":1.0,"code":"P0420"}`)
	reply = b.get(t, "/", "")
	assert.Equal(t, 200, reply.status)
	assert.Contains(t, reply.body, "conforms, 1 note")
	assert.Contains(t, reply.header.Get("Content-Security-Policy"), "default-src 'none'")
	assert.Contains(t, reply.body, "conforms")
	assert.Contains(t, reply.body, "1 finding")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+"/", strings.NewReader(someFault))
	require.NoError(t, err)
	assert.Contains(t, do(t, http.DefaultClient, r).body, `"status":404`, "a wrong URL gets a problem")
	assert.Contains(t, b.get(t, "/", "").body, `id="exchange-3"`, "and it is seen")
	reply = b.get(t, "/?exchange=1", "")
	assert.Equal(t, 200, reply.status)
	assert.Contains(t, reply.body, "expected at least 1, found 0")
	assert.Contains(t, reply.body, "api/openapi.yaml:")
	assert.NotContains(t, reply.body, b.key)
	assert.NotContains(t, reply.body, b.token)
}

// TestSandboxWithoutPage has the API only.
func TestSandboxWithoutPage(t *testing.T) {
	t.Parallel()
	b := serveSandbox(t, "--no-page")
	assert.NotContains(t, b.stdout, "page")
	for _, path := range []string{"/", "/state", "/assets/page.css"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			reply := b.get(t, path, "")
			assert.Equal(t, 404, reply.status)
			assert.Contains(t, reply.body, `"status":404`)
		})
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
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, want, b.get(t, "/", host).status)
		})
	}
	reply := b.get(t, "/state", "evil.example")
	assert.Equal(t, 403, reply.status)
	assert.NotContains(t, reply.body, "data:")
	assert.Contains(t, reply.body, b.url)
	reply = b.get(t, "/assets/x", "evil.example")
	assert.Equal(t, 403, reply.status)
	reply = b.get(t, "/healthz", "evil.example")
	assert.Equal(t, 200, reply.status)
	reply = b.get(t, "/api/v1/faults", "evil.example")
	assert.Equal(t, 401, reply.status, "the API asks for credentials, not for a name")
}

// TestSandboxForOthers listens on all interfaces, by --addr.
func TestSandboxForOthers(t *testing.T) {
	t.Parallel()
	b := serveSandbox(t, "--addr", "0.0.0.0:0")
	assert.Regexp(t, `^warning: (0\.0\.0\.0|\[::\]):\d+ is no loopback address: `, b.log.String())
	assert.Contains(t, b.url, "http://127.0.0.1:")
	reply := b.get(t, "/", "build.example:8080")
	assert.Equal(t, 200, reply.status, "a server on all interfaces has any name")
	assert.NotContains(t, serveSandbox(t).log.String(), "warning")
}
