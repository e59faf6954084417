package conformance_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/redact"
)

// everywhere returns an exchange whose server repeats a text in every part of the response.
func everywhere(t testing.TB, text string) *traffic.Exchange {
	t.Helper()
	ex := exchange(t, 201, request, "")
	body, err := json.Marshal(map[string]any{"name": text, text: 1, "list": []string{"x" + text + "y"}})
	require.NoError(t, err)
	ex.Response.Body = body
	ex.Response.Header["X-Echo"] = []string{"a " + text + " b", text}
	return ex
}

// shows reports whether a credential is in an exchange. It does not use package redact: it searches every text in lower
// case, as it is and without escapes.
func shows(t testing.TB, ex *traffic.Exchange, credential string) bool {
	t.Helper()
	texts := []string{ex.Source, ex.URL.String(), ex.URL.Path, string(ex.Request.Body), string(ex.Response.Body)}
	for _, h := range []http.Header{ex.Request.Header, ex.Response.Header} {
		for name, values := range h {
			texts = append(append(texts, name), values...)
		}
	}
	for _, body := range [][]byte{ex.Request.Body, ex.Response.Body} {
		var value any
		if json.Unmarshal(body, &value) == nil {
			plain, err := json.Marshal(value)
			require.NoError(t, err)
			texts = append(texts, string(plain))
		}
	}
	all := strings.ToLower(strings.Join(texts, "\n"))
	if unescaped, err := url.QueryUnescape(all); err == nil {
		all += "\n" + unescaped
	}
	all += "\n" + html.UnescapeString(all)
	for _, form := range []string{credential, base64.StdEncoding.EncodeToString([]byte(credential)), hex.EncodeToString([]byte(credential))} {
		if strings.Contains(all, strings.ToLower(strings.TrimRight(form, "="))) {
			return true
		}
	}
	return false
}

func TestRedact(t *testing.T) {
	t.Parallel()
	contract := loadContract(t)
	var escaped strings.Builder
	for _, c := range apiKey {
		escaped.WriteString("\\u00" + hex.EncodeToString([]byte{byte(c)}))
	}
	for what, text := range map[string]string{
		"plain": apiKey, "the other": accountToken, "upper case": strings.ToUpper(apiKey), "within a word": "x" + apiKey + "y", "with its scheme": "Token " + apiKey,
		"base64": base64.StdEncoding.EncodeToString([]byte(apiKey)), "within base64": base64.StdEncoding.EncodeToString([]byte(`{"key":"` + apiKey + `"}`)), "base64 for URLs": base64.RawURLEncoding.EncodeToString([]byte(accountToken)),
		"hex": hex.EncodeToString([]byte(apiKey)), "for a URL": "https://h/?k=" + url.QueryEscape(accountToken), "escaped": escaped.String(), "both": apiKey + accountToken,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			ex := everywhere(t, text)
			if what == "escaped" {
				ex.Response.Body = []byte(`{"name":"` + text + `"}`)
			}
			require.True(t, what == "escaped" || shows(t, ex, apiKey) || shows(t, ex, accountToken), what)
			redacted, err := contract.Redact(ex)
			require.NoError(t, err, what)
			assert.False(t, shows(t, redacted, apiKey), "%s: %s %s", what, redacted.Response.Body, redacted.Response.Header)
			assert.False(t, shows(t, redacted, accountToken), "%s: %s %s", what, redacted.Response.Body, redacted.Response.Header)
			assert.True(t, json.Valid(redacted.Response.Body), "%s: %s", what, redacted.Response.Body)
			assert.Equal(t, "Token [redacted]", redacted.Request.Header.Get("Authorization"))
			assert.Equal(t, "[redacted]", redacted.Request.Header.Get("Account-Token"))
			assert.Equal(t, "Token "+apiKey, ex.Request.Header.Get("Authorization"), "the original is unchanged")
		})
	}
	ex := exchange(t, 201, request, "{}")
	ex.URL.User = url.UserPassword("someone", "pa55word")
	ex.Request.Header.Set("Cookie", "a=b0000; session=c00kie")
	ex.Response.Header["Set-Cookie"] = []string{"session=n3wcookie; Path=/; HttpOnly"}
	ex.Response.Body = []byte(`{"s":"n3wcookie c00kie pa55word","n":17}`)
	redacted, err := contract.Redact(ex)
	require.NoError(t, err)
	assert.Equal(t, "a=[redacted]; session=[redacted]", redacted.Request.Header.Get("Cookie"))
	assert.Equal(t, "session=[redacted]; Path=/; HttpOnly", redacted.Response.Header.Get("Set-Cookie"))
	assert.JSONEq(t, `{"s":"[redacted] [redacted] [redacted]","n":17}`, string(redacted.Response.Body))
	assert.Equal(t, "https://redacted:redacted@secure.fleetio.com/api/v1/faults", redacted.URL.String())
}

// TestRedactLeavesTheWordsOfTheSpec has credentials that equal a word of the spec. The values of its examples are no such
// words.
func TestRedactLeavesTheWordsOfTheSpec(t *testing.T) {
	t.Parallel()
	contract := loadContract(t)
	for word, left := range map[string]bool{"vehicle_id": true, "resolved": true, "application/json": true, "9021012345": false} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			ex := exchange(t, 201, request, `{"a":"`+word+`"}`)
			ex.Request.Header.Set("Account-Token", word)
			redacted, err := contract.Redact(ex)
			require.NoError(t, err)
			assert.Equal(t, "[redacted]", redacted.Request.Header.Get("Account-Token"), word)
			assert.Equal(t, left, string(redacted.Response.Body) == string(ex.Response.Body), word)
		})
	}
}

// TestRedactFails if a credential cannot be removed.
func TestRedactFails(t *testing.T) {
	t.Parallel()
	contract := loadContract(t)
	packed := func(level int) string {
		var b bytes.Buffer
		w, err := gzip.NewWriterLevel(&b, level)
		require.NoError(t, err)
		_, err = w.Write([]byte("key=" + apiKey))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return b.String()
	}
	for what, body := range map[string]string{
		"compressed in base64": base64.StdEncoding.EncodeToString([]byte(packed(gzip.BestCompression))),
		"compressed":           packed(gzip.BestCompression),
		"stored":               packed(gzip.NoCompression), // the compressor of Go 1.27 does that for a short text
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			ex := exchange(t, 201, request, "{}")
			ex.Response.Body = []byte(body)
			_, err := contract.Redact(ex)
			require.ErrorIs(t, err, conformance.ErrCredential, what)
			assert.Contains(t, err.Error(), "test#0")
			assert.NotContains(t, err.Error(), apiKey)
		})
	}
}

// TestRedactKeepsFindings compares the findings for all recordings, with credentials in place of the placeholders.
func TestRedactKeepsFindings(t *testing.T) {
	t.Parallel()
	contract := loadContract(t)
	compared := 0
	for ex, err := range traffic.Read(t.Context(), nil, recordings) {
		require.NoError(t, err)
		if ex.Request.Header.Get("Authorization") == "Token [redacted]" {
			ex.Request.Header.Set("Authorization", "Token "+apiKey)
		}
		if ex.Request.Header.Get("Account-Token") == "[redacted]" {
			ex.Request.Header.Set("Account-Token", accountToken)
		}
		redacted, err := contract.Redact(ex)
		require.NoError(t, err, ex.Source)
		want, wantErr := contract.Check(ex)
		got, gotErr := contract.Check(redacted)
		assert.Equal(t, wantErr, gotErr)
		assert.Equal(t, want, got, ex.Source)
		compared += len(want)
	}
	assert.Greater(t, compared, 100)
}

// FuzzRedact puts any credential into any response: the result contains none, or there is an error.
func FuzzRedact(f *testing.F) {
	contract, err := conformance.Load(spec())
	require.NoError(f, err)
	words := strings.ToLower(string(spec()))
	f.Add("76cbe06c49a64", `{"a":"`, `"}`)
	f.Add("9021012345", `{"id":`, `}`)
	f.Add("AbCd/Ef~12+34==", `https://h/?k=`, "&x=y")
	f.Add("\u00e9t\u00e9s\u00e9cret", "\\", "%")
	f.Fuzz(func(t *testing.T, credential, before, after string) {
		header := http.Header{"Account-Token": {credential}}
		if strings.ContainsAny(credential, " \t,;:()\"=\r\n") || isPart(credential, "[redacted]") || isPart(credential, words) {
			return // several words, or none; or no credential, such as the name of a property
		}
		secrets := &redact.Secrets{}
		if secrets.AddWord(credential); len(secrets.Words) == 0 {
			return // an ordinary word
		}
		u, _ := url.Parse("https://secure.fleetio.com/api/v1/faults")
		ex := &traffic.Exchange{Source: "a", Method: "POST", URL: u, Status: 201, Request: traffic.Message{Header: header},
			Response: traffic.Message{Header: http.Header{"X-Echo": {credential}}, Body: []byte(before + credential + after)}}
		redacted, err := contract.Redact(ex)
		if err != nil {
			require.ErrorIs(t, err, conformance.ErrCredential)
			return
		}
		if redacted.Request.Header.Get("Account-Token") == credential {
			return // the name of a scheme is no credential
		}
		require.NotContains(t, string(redacted.Response.Body), credential)
		require.NotContains(t, redacted.Response.Header.Get("X-Echo"), credential)
	})
}

func isPart(part, of string) bool { return strings.Contains(of, strings.ToLower(part)) }

// TestRedactor removes the credentials of each exchange from the others, too.
func TestRedactor(t *testing.T) {
	t.Parallel()
	redactor := loadContract(t).Redactor()
	first := exchange(t, 201, request, "{}")
	first.Request.Header.Set("Account-Token", "0therAcc0unt")
	first.Response.Body = []byte(`{"next":"` + base64.StdEncoding.EncodeToString([]byte(accountToken)) + `"}`)
	second := everywhere(t, "0therAcc0unt")
	for _, ex := range []*traffic.Exchange{first, second} {
		redactor.Add(ex)
	}
	for _, ex := range []*traffic.Exchange{first, second} {
		ex, err := redactor.Redact(ex)
		require.NoError(t, err)
		for _, credential := range []string{apiKey, accountToken, "0therAcc0unt"} {
			assert.False(t, shows(t, ex, credential), "%s: %s %s", credential, ex.Response.Body, ex.Response.Header)
		}
	}
}
