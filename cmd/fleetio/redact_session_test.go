package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// call is an exchange in a recording.
type call struct {
	method, url        string
	sent, received     [][2]string
	request, response  string
	requestType, mType string
}

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// loginSession returns the exchanges of a session, with a secret in each place that can have one, and the secrets. The last
// exchange repeats all of them in every encoding.
func loginSession() (calls []call, secrets []string) {
	secret := func(name string) string {
		s := fmt.Sprintf("%s-S3kr3t/%d&x", name, len(secrets))
		secrets = append(secrets, s)
		return s
	}
	escaped := func(name string) string { return url.QueryEscape(secret(name)) }
	quoted := func(name string) string {
		return mustQuote(secret(name))
	}
	header := func(name, value string) [][2]string { return [][2]string{{name, value}} }
	get := func(url string, sent [][2]string) call {
		return call{method: "GET", url: url, sent: sent, response: "{}", mType: jsonType}
	}
	const host = "https://api.example.com"
	for _, name := range []string{"X-Api-Key", "Private-Token", "X-Amz-Security-Token", "Account-Token", "X-CSRF-Token", "Api-Key"} {
		calls = append(calls, get(host, header(name, secret(name))))
	}
	calls = append(calls,
		get(host, header("Authorization", "Bearer "+secret("bearer"))), get(host, header("Proxy-Authorization", "Bearer "+secret("proxy"))),
		get(host, header("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("joe:"+secret("basic"))))),
		get(host, header("Cookie", "lang=en; session="+escaped("cookie"))), get(host, header("Referer", "https://h/?token="+escaped("referer"))),
		get(host+"/?access_token="+escaped("query")+"&a=b", nil), get(host+"/#id_token="+escaped("fragment"), nil),
		get("https://joe:"+escaped("user")+"@api.example.com/", nil), get(host+"/?X-Amz-Signature="+escaped("signature")+"&X-Amz-Credential="+escaped("credential"), nil),
		get(host+"/?next="+url.QueryEscape("https://h/?access_token="+escaped("nested query")), nil), get(host+"/?x_pairing="+escaped("also"), nil),
		call{method: "GET", url: host, response: "", mType: "text/html", received: [][2]string{
			{"Set-Cookie", "first=" + escaped("set-cookie") + "; Path=/\nsecond=" + escaped("second") + "; Path=/, third=" + escaped("third") + "; HttpOnly"},
			{"Location", "https://h/callback?code=" + escaped("code") + "&state=x#access_token=" + escaped("location")}, {"X-Auth-Token", secret("response")}}},
		call{method: "POST", url: host + "/login", requestType: formType, request: "user=joe&password=" + escaped("form") + "&authenticity_token=" + escaped("csrf") +
			"&user%5Bpasswd%5D=" + escaped("bracket"), mType: jsonType, response: `{"access_token":` + quoted("access") + `,"refresh_token" : ` + quoted("refresh") +
			`,"id_token":` + quoted("id") + `,"token_type":"Bearer","data":[{"clientSecret":` + quoted("nested") + `,"api_keys":[` + quoted("list") + `]}]}`},
		call{method: "POST", url: host + "/token", requestType: formType, request: "grant_type=password&client_secret=" + escaped("client"), mType: jsonType, response: "{}"},
		call{method: "POST", url: host + "/json", requestType: jsonType, request: `{"password":` + quoted("json") + `,"inner":` + mustQuote(`{"secret":`+quoted("inner")+`}`) + `}`, mType: jsonType, response: "{}"},
		call{method: "POST", url: host + "/upload", requestType: "multipart/form-data; boundary=b", mType: jsonType, response: "{}",
			request: "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n" + secret("multipart") + "\r\n--b--\r\n"},
	)
	var echo strings.Builder
	for _, s := range secrets {
		for _, form := range encodings(s) {
			echo.WriteString("<" + form + "> ")
		}
	}
	body := `{"echo":` + mustQuote(echo.String()) + `,"english":"en lang true 1"}`
	calls = append(calls, call{method: "GET", url: host, response: body, mType: jsonType}, call{method: "GET", url: host, response: echo.String(), mType: "text/html"})
	return calls, secrets
}

func mustQuote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(quoted)
}

// encodings returns the forms of a secret.
func encodings(s string) []string {
	quoted := mustQuote(s)
	var decimal, hexadecimal strings.Builder
	for _, c := range s {
		fmt.Fprintf(&decimal, "&#%d;", c)
		fmt.Fprintf(&hexadecimal, "&#x%04X;", c)
	}
	return []string{s, strings.ToUpper(s), url.QueryEscape(s), url.PathEscape(s), url.QueryEscape(url.QueryEscape(s)), html.EscapeString(s), decimal.String(),
		hexadecimal.String(), quoted[1 : len(quoted)-1], strings.ReplaceAll(s, "/", `\/`), hex.EncodeToString([]byte(s)), base64.StdEncoding.EncodeToString([]byte(s)),
		base64.RawURLEncoding.EncodeToString([]byte(s))}
}

func asHAR(calls []call) string {
	fields := func(list [][2]string) string {
		all := []string{}
		for _, f := range list {
			all = append(all, fmt.Sprintf(`{"name":%s,"value":%s}`, mustQuote(f[0]), mustQuote(f[1])))
		}
		return strings.Join(all, ",")
	}
	var entries []string
	for _, c := range calls {
		entries = append(entries, fmt.Sprintf(`{"request":{"method":%q,"url":%s,"headers":[%s],"postData":{"mimeType":%s,"text":%s}},"response":{"status":200,"headers":[%s],"content":{"mimeType":%q,"text":%s}}}`,
			c.method, mustQuote(c.url), fields(c.sent), mustQuote(c.requestType), mustQuote(c.request), fields(c.received), c.mType, mustQuote(c.response)))
	}
	return har(strings.Join(entries, ","))
}

func asNDJSON(calls []call) string {
	fields := func(list [][2]string) string {
		all := []string{}
		for _, f := range list {
			all = append(all, "["+mustQuote(f[0])+","+mustQuote(f[1])+"]")
		}
		return strings.Join(all, ",")
	}
	var b strings.Builder
	for _, c := range calls {
		fmt.Fprintf(&b, `{"method":%q,"url":%s,"status":200,"request":{"headers":[%s],"body_base64":%q},"response":{"headers":[%s],"body":%s}}`+"\n", c.method, mustQuote(c.url), fields(c.sent),
			base64.StdEncoding.EncodeToString([]byte(c.request)), fields(c.received), mustQuote(c.response))
	}
	return b.String()
}

func asCassette(calls []call) string {
	fields := func(list [][2]string) string {
		all := []string{}
		for _, f := range list {
			all = append(all, fmt.Sprintf("%s: [%s]", f[0], mustQuote(f[1])))
		}
		return "{" + strings.Join(all, ", ") + "}"
	}
	b := strings.Builder{}
	b.WriteString("---\nversion: 1\ninteractions:\n")
	for _, c := range calls {
		fmt.Fprintf(&b, "- request: {body: %s, headers: %s, url: %s, method: %s}\n  response: {body: %s, headers: %s, code: 200}\n", mustQuote(c.request), fields(c.sent), mustQuote(c.url), c.method,
			mustQuote(c.response), fields(c.received))
	}
	return b.String()
}

// TestRedactSession plants a secret in each place of a session, in each format of recordings, and looks for all of them in
// the copy.
func TestRedactSession(t *testing.T) {
	t.Parallel()
	calls, secrets := loginSession()
	for name, recording := range map[string]string{"HAR": asHAR(calls), "NDJSON": asNDJSON(calls), "cassette": asCassette(calls)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := fleetio(recording, "redact", "--all", "--also", "X_Pairing", "-")
			require.Equal(t, 0, code, stderr)
			assert.Equal(t, len(calls), strings.Count(stdout, "\n"))
			assert.Contains(t, stdout, "en lang true 1")
			shown := strings.ToLower(stdout + html.UnescapeString(stdout))
			if unescaped, err := url.QueryUnescape(strings.ReplaceAll(stdout, "%", "%25")); err == nil {
				shown += strings.ToLower(unescaped)
			}
			for _, s := range secrets {
				for _, form := range encodings(s) {
					assert.NotContains(t, shown, strings.ToLower(strings.TrimRight(form, "=")))
				}
			}
			for line := range strings.Lines(stdout) {
				var ex struct{ Response struct{ Body string } }
				require.NoError(t, json.Unmarshal([]byte(line), &ex))
				if strings.HasPrefix(ex.Response.Body, "{") {
					assert.True(t, json.Valid([]byte(ex.Response.Body)), ex.Response.Body)
				}
			}
		})
	}
}

// TestRedactWritesTheContract writes the exchanges for operations of the contract only, without the credentials of others.
func TestRedactWritesTheContract(t *testing.T) {
	t.Parallel()
	login := asNDJSON([]call{{method: "POST", url: "https://login.example.com/", response: `{"note_token":"fr0m-the-login"}`}})
	echo := strings.ReplaceAll(withCredentials, "sesame-open-2\"}", "sesame-open-2 fr0m-the-login\"}")
	code, stdout, stderr := fleetio(echo+login, "redact", "-")
	assert.Equal(t, 0, code, stderr)
	assert.Equal(t, 1, strings.Count(stdout, "\n"))
	assert.Contains(t, stdout, "not [redacted] [redacted]")
	assert.Contains(t, stderr, "1 of 2 exchanges")
	code, stdout, stderr = fleetio(echo+login, "redact", "--all", "-")
	assert.Equal(t, 0, code, stderr)
	assert.Equal(t, 2, strings.Count(stdout, "\n"))
	assert.Empty(t, stderr)
	code, _, stderr = fleetio(login, "redact", "-")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "--all")

	var archive bytes.Buffer
	w := gzip.NewWriter(&archive)
	_, err := w.Write([]byte("sesame-open-2"))
	require.NoError(t, errors.Join(err, w.Close()))
	opaque := strings.Replace(withCredentials, `"body":"not sesame-open-2"`, `"body_base64":"`+base64.StdEncoding.EncodeToString(archive.Bytes())+`"`, 1)
	code, stdout, stderr = fleetio(login+echo+opaque, "redact", "-")
	assert.Equal(t, 2, code)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "exchange 3: a credential cannot be removed")
}

// TestRedactedIsCheckedAlike compares the reports about all recordings of the repository before and after, but for the
// texts.
func TestRedactedIsCheckedAlike(t *testing.T) {
	t.Parallel()
	type report struct {
		Claims []struct {
			ID, State                      string
			Supported, Consistent, Refuted int
		}
		Findings, Drift, Notes []struct {
			Rule, Part, Pointer, Claim, Source string
			Index                              int
		}
	}
	check := func(t *testing.T, path string) (int, report) {
		t.Helper()
		var r report
		code, stdout, stderr := fleetio("", "verify", "--format", "json", path)
		if code != 2 {
			require.NoError(t, json.Unmarshal([]byte(stdout), &r), stderr)
		}
		return code, r
	}
	checked := 0
	for _, folder := range []string{recordings, "../../conformance/traffic/testdata/"} {
		for _, name := range names(t, folder) {
			if filepath.Ext(name) == ".golden" || filepath.Ext(name) == ".json" {
				continue
			}
			checked++
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				out := filepath.Join(t.TempDir(), "out.ndjson")
				code, _, stderr := fleetio("", "redact", "--all", "-o", out, folder+name)
				require.Equal(t, 0, code, stderr)
				wantCode, want := check(t, folder+name)
				gotCode, got := check(t, out)
				assert.Equal(t, wantCode, gotCode)
				assert.Equal(t, want, got)
			})
		}
	}
	assert.Greater(t, checked, 25)
}

// TestRedactKeepsSchemas replaces credentials for which a schema has more rules by others that satisfy them.
func TestRedactKeepsSchemas(t *testing.T) {
	t.Parallel()
	spec := write(t, "spec.yaml", `
openapi: 3.0.3
info: {title: t, version: "1"}
paths:
  /me:
    get:
      operationId: me
      parameters:
        - {name: key, in: query, schema: {type: string, pattern: '^[0-9a-f]{12}$'}}
        - {name: session, in: cookie, schema: {type: string, minLength: 12}}
        - {name: X-Csrf-Token, in: header, schema: {type: integer}}
      responses:
        '200': {description: ok, content: {application/json: {schema: {type: object, properties: {
          session_id: {type: string, format: uuid}, token: {type: string, minLength: 20, pattern: '^[a-z0-9]+$'}, pin_token: {type: integer, minimum: 1000},
          url: {type: string, format: uri}, auth: {type: string, enum: [none, basic]}}}}}}
`)
	in := write(t, "in.ndjson", asNDJSON([]call{{method: "GET", url: "https://h/me?key=0a1b2c3d4e5f", sent: [][2]string{
		{"Content-Type", "application/json"}, {"Cookie", "lang=en; session=s3ss10nc00k1e"}, {"X-Csrf-Token", "70417041"}}, response: `{"session_id":"550e8400-e29b-41d4-a716-446655440000","token":"abcdefghij0123456789",` +
		`"pin_token":90210,"url":"https://h/?access_token=abcdefghij0123456789","auth":"basic"}`}}))
	in2 := strings.ReplaceAll(read(t, in), `"headers":[]`, `"headers":[["Content-Type","application/json"]]`)
	code, stdout, stderr := fleetio(in2, "redact", "--spec", spec, "-")
	require.Equal(t, 0, code, stderr)
	for _, left := range []string{"550e8400", "abcdefghij", "90210", "0a1b2c", "s3ss10n", "7041"} {
		assert.NotContains(t, stdout, left)
	}
	for _, recording := range []string{in2, stdout} {
		code, report, stderr := fleetio(recording, "verify", "--strict", "--spec", spec, "-")
		assert.Equal(t, 0, code, report+stderr)
	}
}
