package page

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/internal/curl"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

func needCurl(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl")
	}
}

// runCurl runs a command with the real curl, where a proxy is set that is not there.
func runCurl(t *testing.T, text string, env ...string) {
	t.Helper()
	shell := exec.CommandContext(t.Context(), "sh", "-c", text)
	shell.Env = append(os.Environ(), append(env, "HOME="+t.TempDir(), "http_proxy=http://127.0.0.1:1", "NO_PROXY=", "no_proxy=")...)
	var stderr bytes.Buffer
	shell.Stderr = &stderr
	require.NoError(t, shell.Run(), "%s: %s", text, &stderr)
}

// TestCommandCurl lets the real curl repeat requests, and compares what arrives.
func TestCommandCurl(t *testing.T) { //nolint:tparallel // the cases share a server
	t.Parallel()
	needCurl(t)
	arrivals := make(chan *sandbox.Exchange, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		arrivals <- &sandbox.Exchange{Method: r.Method, URL: r.RequestURI, Header: r.Header, Body: body}
	}))
	t.Cleanup(server.Close)
	for name, sent := range map[string]sandbox.Exchange{
		"usual":      {Method: "POST", Body: []byte(`{"code":"P0420"}`), Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}, "User-Agent": {"test/1"}}},
		"no headers": {Method: "POST", Body: []byte(`@/etc/passwd`), Header: http.Header{}},
		"repeated":   {Method: "PATCH", Body: []byte("a\nb\n"), Header: http.Header{"X-A": {"1", "", "2"}}},
		"binary":     {Method: "POST", Body: []byte("\x00\xff\r\n%s\\"), Header: http.Header{"X-B": {"\xe9\t!"}}},
		"get":        {Method: "GET", Body: []byte("{}"), Header: http.Header{}},
		"no body":    {Method: "DELETE", Body: []byte{}, Header: http.Header{}},
		"head":       {Method: "HEAD", Body: []byte{}, Header: http.Header{}},
	} {
		t.Run(name, func(t *testing.T) {
			sent.URL = "/api/../v1//faults?a={1,2}&b=[1-3]&c='$x"
			text, note := command(server.URL, &sent, &sent)
			require.Empty(t, note)
			runCurl(t, text)
			arrived := <-arrivals
			arrived.Header.Del("Content-Length")
			assert.Equal(t, &sent, arrived, name)
		})
	}
}

// TestCommandReplays lets the real curl repeat what came to a real sandbox, and compares what the sandbox got.
func TestCommandReplays(t *testing.T) { //nolint:tparallel // the cases share a server
	t.Parallel()
	needCurl(t)
	const key, token = "sandbox-key-integration", "sandbox-account-northwind"
	box, err := sandbox.New()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, box.Close()) })
	server := httptest.NewServer(box)
	t.Cleanup(server.Close)
	p := New(box, nil)
	for _, c := range []struct {
		name, authorization, token, body string
		shown                            string // as Authorization
		note                             string
	}{
		{"a key", "Token " + key, token, "{}", "Token [redacted]", "with the key integration of Northwind Delivery."},
		{"another key", "Token sandbox-key-reporting", token, "{}", "Token [redacted]", "with the key reporting of Northwind Delivery."},
		{"another account", "Token sandbox-key-southwind", "sandbox-account-southwind", "{}", "Token [redacted]", "with the key integration of Southwind Rentals."},
		{"another scheme", "Bearer " + key, token, "{}", "Bearer [redacted]", "with credentials that the sandbox does not know."},
		{"no scheme", key, token, "{}", "[redacted]", "with credentials that the sandbox does not know."},
		{"two schemes", "Token Bearer " + key, token, "{}", "Token [redacted]", "with credentials that the sandbox does not know."},
		{"no token", "Token " + key, "", "{}", "Token [redacted]", "with credentials that the sandbox does not know."},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/api/v1/faults", strings.NewReader(c.body))
			require.NoError(t, err)
			r.Header.Set("Authorization", c.authorization)
			r.Header.Set("Content-Type", "application/json")
			if c.token != "" {
				r.Header.Set("Account-Token", c.token)
			}
			resp, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			sent, _ := box.Unredacted(box.Latest())
			d := p.detail(sent.Number, server.URL)
			assert.Contains(t, d.Request.Headers, header{Name: "Authorization", Value: c.shown}, c.name)
			assert.True(t, strings.HasSuffix(d.CommandNote, c.note), "%s: %s", c.name, d.CommandNote)
			scheme, _, _ := strings.Cut(c.shown, curl.Placeholder)
			runCurl(t, d.Command, "FLEETIO_API_KEY="+strings.TrimPrefix(c.authorization, scheme), "FLEETIO_ACCOUNT_TOKEN="+c.token)
			arrived, _ := box.Unredacted(sent.Number + 1)
			sent.Header.Del("Accept-Encoding") // which curl has no decoder for by default
			assert.Equal(t, sent.Header, arrived.Header, c.name)
			assert.Equal(t, string(sent.Body), string(arrived.Body), c.name)
			assert.Equal(t, sent.Status, arrived.Status, c.name)
		})
	}
}

// TestCommandHidden has credentials where no variable takes their place, and a body that is not there.
func TestCommandHidden(t *testing.T) { //nolint:tparallel // the cases share a server
	t.Parallel()
	box, err := sandbox.New()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, box.Close()) })
	for name, c := range map[string]struct {
		url    string
		header http.Header
		body   io.Reader
		note   string // of the command
		what   string // the note of the body
	}{
		"a body":       {"/api/v1/faults", nil, strings.NewReader(`{"code":"sandbox-key-reporting"}`), "Other credentials are redacted: replace each [redacted] in the command.", "JSON, 32 bytes. Credentials in it are redacted."},
		"a URL":        {"/api/v1/faults?token=1", nil, strings.NewReader(`{}`), "Other credentials are redacted: replace each [redacted] in the command.", "JSON, 2 bytes."},
		"a header":     {"/api/v1/faults", http.Header{"Cookie": {"a=b"}}, strings.NewReader(`{}`), "Other credentials are redacted: replace each [redacted] in the command.", "JSON, 2 bytes."},
		"too long":     {"/api/v1/faults", nil, strings.NewReader(strings.Repeat(" ", 1<<20+1)), "The sandbox did not read the body, so the command does not have it.", "The sandbox could not read the body."},
		"and in parts": {"/api/v1/faults", nil, struct{ io.Reader }{strings.NewReader(strings.Repeat(" ", 1<<20+1))}, "The sandbox did not read the body, so the command does not have it.", "The sandbox could not read the body."},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, c.url, c.body)
			for header := range c.header {
				r.Header[header] = c.header[header]
			}
			r.Header.Set("Content-Type", "application/json")
			box.ServeHTTP(httptest.NewRecorder(), r)
			d := New(box, nil).detail(box.Latest(), "http://127.0.0.1:8080")
			assert.Equal(t, c.note, d.CommandNote, name)
			assert.Equal(t, c.what, d.Request.Body.Note, name)
		})
	}
}
