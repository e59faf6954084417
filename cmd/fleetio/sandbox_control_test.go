package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// control calls the control API with a token.
func (b *box) control(t *testing.T, method, path, token string) received {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.url+"/_sandbox"+path, nil)
	require.NoError(t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return do(t, http.DefaultClient, r)
}

const controlToken = "0123456789abcdef"

func TestSandboxControl(t *testing.T) {
	t.Parallel()
	file := func(t *testing.T, token string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "token")
		require.NoError(t, os.WriteFile(path, []byte("FLEETIO_CONTROL_TOKEN="+token+"\n"), 0o600))
		return path
	}
	for name, test := range map[string]struct {
		args   []string
		token  string
		status int
		stderr string
	}{
		"loopback":         {nil, "", 200, ""},
		"no page":          {[]string{"--no-page"}, "", 200, ""},
		"off":              {[]string{"--no-control"}, "", 404, ""},
		"off, no page":     {[]string{"--no-control", "--no-page"}, "", 404, ""},
		"token, not sent":  {[]string{"--control-token", file(t, controlToken)}, "", 401, ""},
		"token":            {[]string{"--control-token", file(t, controlToken)}, controlToken, 200, ""},
		"others, no token": {[]string{"--addr", "0.0.0.0:0"}, "", 404, "without --control-token or $FLEETIO_CONTROL_TOKEN it has no control API"},
		"others, not sent": {[]string{"--addr", "0.0.0.0:0", "--control-token", file(t, controlToken)}, "", 401, "every host that reaches it"},
		"others":           {[]string{"--addr", "0.0.0.0:0", "--control-token", file(t, controlToken)}, controlToken, 200, "every host that reaches it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serveSandbox(t, test.args...)
			got := b.control(t, http.MethodGet, "/clock", test.token)
			assert.Equal(t, test.status, got.status, got.body)
			assert.Equal(t, test.status != 404, strings.Contains(b.stdout, "# The control API: "+b.url+"/_sandbox/openapi.yaml\n"))
			assert.Contains(t, b.log.String(), test.stderr)
			assert.NotContains(t, b.stdout+b.log.String(), controlToken)
			if test.status == 200 { // a reset serves as before
				require.Equal(t, 204, b.control(t, http.MethodPost, "/reset", test.token).status)
				require.Equal(t, 201, b.create(t, http.DefaultClient, someFault).status)
				assert.Contains(t, b.control(t, http.MethodGet, "/verdict", test.token).body, `"exchanges": 1,`)
				assert.Contains(t, b.control(t, http.MethodGet, "/journal?since=0", test.token).body, `"url":"`+b.url+`/api/v1/faults"`)
			}
		})
	}
	for name, test := range map[string]struct {
		args   []string
		stderr string
	}{
		"short token": {[]string{"--control-token", file(t, "short")}, "at least 16 characters"},
		"no token":    {[]string{"--control-token", file(t, "")}, "no FLEETIO_CONTROL_TOKEN"},
		"no file":     {[]string{"--control-token", "nowhere"}, "nowhere: no such file"},
		"empty":       {[]string{"--control-token", ""}, "--control-token is empty"},
		"CA alone":    {[]string{"--ca-file", "x"}, "--ca-file needs --tls"},
		"CA elsewhere": {[]string{"--tls", "--ca-file", filepath.Join(t.TempDir(), "none", "ca.pem")},
			"no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := fleetio("", append([]string{"sandbox", "--addr", "127.0.0.1:0"}, test.args...)...)
			assert.Equal(t, exitNotRun, code)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, test.stderr)
		})
	}
}

// TestSandboxOfAFileIsNotReset holds that a request does not delete what is stored.
func TestSandboxOfAFileIsNotReset(t *testing.T) {
	t.Parallel()
	b := serveSandbox(t, "--db", filepath.Join(t.TempDir(), "faults.db"))
	require.Equal(t, 201, b.create(t, http.DefaultClient, someFault).status)
	assert.Equal(t, 409, b.control(t, http.MethodPost, "/reset", "").status)
	assert.Contains(t, b.control(t, http.MethodGet, "/faults", "").body, `"id":1,`)
}

// TestSandboxFailsOnFindings has the exit code of the exchanges, also of those that the journal no longer has.
func TestSandboxFailsOnFindings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		failure string
		clear   string // before the end
		none    bool   // no request
		ends    int
		log     string
	}{
		"conforms":               {failure: "429=1s@next", ends: exitConforms, log: "2 exchanges checked: conforms"},
		"findings":               {failure: "set=/id=0@next", ends: exitFindings, log: "expected at least 1, found 0"},
		"findings, then cleared": {failure: "set=/id=0@next", clear: "/journal", ends: exitFindings, log: "2 exchanges were checked, with 1 findings"},
		"nothing":                {failure: "500@next", none: true, ends: exitNotRun, log: "no exchange was checked"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serveSandbox(t, "--log", "off", "--fail-on-findings", "--failure", test.failure)
			b.ends = test.ends
			if !test.none {
				b.create(t, http.DefaultClient, someFault)
				b.create(t, http.DefaultClient, someFault)
			}
			if test.clear != "" {
				require.Equal(t, 204, b.control(t, http.MethodDelete, test.clear, "").status)
			}
			require.Equal(t, test.ends, b.stop())
			assert.Contains(t, b.log.String(), test.log)
			assert.NotContains(t, b.log.String(), b.key)
		})
	}
}

// TestSandboxTLS trusts the certificate that the sandbox writes or prints, and no other.
func TestSandboxTLS(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ca.pem")
	for name, test := range map[string]struct {
		args  []string
		hosts []string
	}{
		"printed":       {[]string{"--tls"}, []string{"127.0.0.1", "localhost"}},
		"written":       {[]string{"--tls", "--ca-file", file}, []string{"127.0.0.1"}},
		"all addresses": {[]string{"--tls", "--addr", "0.0.0.0:0"}, []string{"127.0.0.1", "localhost"}},
		"a name":        {[]string{"--tls", "--addr", "localhost:0"}, []string{"localhost"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := serveSandbox(t, test.args...)
			assert.Contains(t, b.url, "https://")
			certificate := []byte(regexp.MustCompile(`(?s)-----BEGIN.*-----\n`).FindString(b.stdout))
			if name == "written" {
				assert.Contains(t, b.stdout, "export SSL_CERT_FILE='"+file+"'\nexport NODE_EXTRA_CA_CERTS='"+file+"'\n")
				certificate = []byte(read(t, file))
			}
			roots := x509.NewCertPool()
			require.True(t, roots.AppendCertsFromPEM(certificate))
			_, err := new(tls.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(b.url, "https://"))
			require.ErrorContains(t, err, "certificate")
			port := b.url[strings.LastIndex(b.url, ":"):]
			for _, host := range test.hosts {
				for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
					transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: proto == "HTTP/2.0"}
					t.Cleanup(transport.CloseIdleConnections)
					b.url = "https://" + host + port
					got := b.create(t, &http.Client{Transport: transport}, someFault)
					assert.Equal(t, []any{201, proto}, []any{got.status, got.proto})
					assert.Contains(t, got.header.Get("Location"), b.url)
				}
			}
		})
	}
}
