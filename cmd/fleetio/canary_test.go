package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance/report"
)

// canaries are credentials that occur nowhere else.
var canaries = struct{ key, token, cookie, password, session string }{"Canary+K3y/7f2a91=", "canaryT0ken5e8b", "canaryC00kie44d1", "canaryPassw0rd93", "canaryS3ssion77a0"}

// assertNoCanary fails if a text has a canary, in any encoding.
func assertNoCanary(t *testing.T, what, text string) {
	t.Helper()
	lower := strings.ToLower(text)
	for _, canary := range []string{canaries.key, canaries.token, canaries.cookie, canaries.password, canaries.session} {
		for _, form := range []string{canary, url.QueryEscape(canary), url.PathEscape(canary), hex.EncodeToString([]byte(canary)), mustQuote(canary)[1 : len(canary)+1]} {
			assert.NotContains(t, lower, strings.ToLower(form), "%s leaks %s", what, canary)
		}
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
			assert.NotContains(t, text, encoding.EncodeToString([]byte(canary)), "%s leaks %s", what, canary)
		}
	}
}

// echoes is text that a server writes, with the credentials that it has seen.
func echoes() string {
	var all []string
	for _, canary := range []string{canaries.key, canaries.token, canaries.cookie, canaries.password, canaries.session} {
		all = append(all, canary, url.QueryEscape(canary), hex.EncodeToString([]byte(canary)), base64.StdEncoding.EncodeToString([]byte(canary)), strings.ToUpper(canary))
	}
	return strings.Join(all, " ")
}

// canaryRecording writes a recording with a credential in each place of an exchange, and responses that repeat all of them
// where findings and errors quote them.
func canaryRecording(t *testing.T) string {
	t.Helper()
	var lines bytes.Buffer
	e := json.NewEncoder(&lines)
	type m = map[string]any
	headers := [][2]string{{"Authorization", "Token " + canaries.key}, {"Account-Token", canaries.token}, {"Content-Type", "application/json"},
		{"Cookie", "session=" + canaries.cookie}}
	echo := echoes()
	for _, exchange := range []m{
		{"method": "POST", "url": "https://joe:" + canaries.password + "@secure.fleetio.com/api/v1/faults?access_token=" + canaries.session, "status": 201,
			"request":  m{"headers": headers, "body": `{"vehicle_id":0,"code":` + mustQuote(echo) + `,"password":"` + canaries.password + `"}`},
			"response": m{"headers": [][2]string{{"Content-Type", "application/json"}, {"Location", echo}, {"X-" + canaries.token, "1"}}, "body": `{"id":` + mustQuote(echo) + `,` + mustQuote(echo) + `:1}`}},
		{"method": "POST", "url": "https://secure.fleetio.com/api/v1/faults", "status": 418,
			"request": m{"headers": headers, "body": `{"session":"` + canaries.session + `"}`}, "response": m{"headers": [][2]string{{"Content-Type", "text/" + canaries.token}}, "body": echo}},
		{"method": "GET", "url": "https://secure.fleetio.com/api/v1/faults/" + url.PathEscape(canaries.key), "status": 200,
			"request": m{"headers": headers}, "response": m{"headers": [][2]string{{"Set-Cookie", "session=" + canaries.cookie}}, "body": `{"access_token":"` + canaries.session + `"}`}},
		{"method": "GET", "url": "https://secure.fleetio.com/api/v1/faults", "status": 401, "request": m{"headers": headers},
			"response": m{"headers": [][2]string{{"Content-Type", "application/json"}}, "body_base64": base64.StdEncoding.EncodeToString([]byte(`{"error":` + mustQuote(echo) + `}`))}},
	} {
		require.NoError(t, e.Encode(exchange))
	}
	return write(t, "canaries.ndjson", lines.String())
}

// echoing is a server that repeats the credentials of its requests, and canaries, in everything that it sends.
func echoing(t *testing.T) string {
	t.Helper()
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		n++
		echo := strings.Join([]string{r.Header.Get("Authorization"), r.Header.Get("Account-Token"), canaries.key, canaries.token}, " ")
		w.Header().Set("X-Echo", echo)
		w.Header().Set("Location", "/api/v1/faults/"+url.PathEscape(canaries.key))
		w.Header().Set("Content-Type", []string{"application/json", "text/plain", "application/" + canaries.token}[n%3])
		w.WriteHeader([]int{201, 422, 400, 404, 401, 200}[n%6])
		_, _ = io.WriteString(w, `{"id":`+mustQuote(echo)+`,"errors":{`+mustQuote(echo)+`:[`+mustQuote(hex.EncodeToString([]byte(canaries.key)))+`]}}`)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestCanaries runs every command with credentials in each place that can have one, and looks for them in all that it prints
// and writes.
func TestCanaries(t *testing.T) {
	t.Parallel()
	recording, server := canaryRecording(t), echoing(t)
	keys := write(t, "keys.env", envAPIKey+"="+canaries.key+"\n"+envToken+"="+canaries.token+"\n")
	rows := write(t, "faults.csv", "vehicle_id,code\n1,P0420\n2,P0420\n")
	folder := t.TempDir()
	var reports []string
	for _, format := range report.Formats() {
		reports = append(reports, "--report", format+"="+filepath.Join(folder, "verify."+format))
	}
	at := func(name string) string { return filepath.Join(folder, name) }
	runs := map[string][]string{
		"verify": append([]string{"verify", "--suggest", at("overlay.yaml"), "--suggest-documented", recording}, reports...),
		"redact": {"redact", "-o", at("redacted.ndjson"), "--all", recording},
		"claims": {"claims", "--against", recording},
		"probe":  {"probe", "--base-url", server, "--credentials", keys, "--record", at("probe.ndjson"), "--report", "html=" + at("probe.html")},
		"replay": {"replay", "--base-url", server, "--credentials", keys, recording, "--record", at("replay.ndjson")},
		"test":   {"test", "--base-url", server, "--credentials", keys, recording, "--report", "html=" + at("test.html")},
		"create": {"create", "--base-url", server, "--credentials", keys, "--vehicle-id", "1", "--code", "P0420"},
		"import": {"import", "--base-url", server, "--credentials", keys, "--look-up-delay", "1ms", rows},
	}
	for _, format := range report.Formats() {
		runs["verify as "+format] = []string{"verify", "--format", format, recording}
	}
	for name, args := range runs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errOut := fleetio("", args...)
			assertNoCanary(t, "standard output", out)
			assertNoCanary(t, "standard error", errOut)
			assert.Contains(t, []int{exitConforms, exitFindings, exitNotRun}, code)
		})
	}
	t.Cleanup(func() { // after all of them
		files := 0
		require.NoError(t, filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			files++
			text, err := os.ReadFile(path)
			assertNoCanary(t, filepath.Base(path), string(text))
			return err
		}))
		assert.GreaterOrEqual(t, files, len(report.Formats())+5)
		code, out, errOut := fleetio("", "merge", "--format", "markdown", at("verify.json"))
		assert.Equal(t, exitFindings, code)
		assertNoCanary(t, "merge", out+errOut)
		journal, err := os.ReadFile(rows + ".journal")
		require.NoError(t, err)
		assertNoCanary(t, "the journal", string(journal))
	})
}
