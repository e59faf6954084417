package redact_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/internal/redact"
)

// TestIsCredential has names of credentials, and names like them.
func TestIsCredential(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"credentials": "access_token accessToken refresh_token id_token token password Passwd user[password] new-password password_confirmation " +
			"secret client_secret clientSecret api_key apikey X-Api-Key API-KEY X-Amz-Security-Token X-Amz-Signature X-Amz-Credential Private-Token " +
			"Authorization Proxy-Authorization Cookie Set-Cookie session_id sessionid JSESSIONID PHPSESSID connect.sid sid ASP.NET_SessionId " +
			"X-Auth-Token X-CSRF-Token csrfmiddlewaretoken __RequestVerificationToken authenticity_token _csrf jwt client_assertion " +
			"SAMLResponse code_verifier private_key aws_secret_access_key Ocp-Apim-Subscription-Key key sig account_token",
		"others": "id name code count token_type expires_in WWW-Authenticate author authority authorized work_authorization status key_id monkey " +
			"next_page_token continuationToken description passenger compass secretary state signature_url max_tokens ___ Content-Type",
	} {
		for word := range strings.FieldsSeq(want) {
			t.Run(name+" "+word, func(t *testing.T) {
				t.Parallel()
				assert.Equal(t, name == "credentials", redact.IsCredential(word))
			})
		}
	}
	names := redact.NewNames([]string{"X-Device-Id"}, []string{"customer"}, nil)
	assert.True(t, names.Has("x_device_id"))
	assert.True(t, names.Has("customer"))
	assert.False(t, names.Has("device"))
}

// TestValues replaces values by their names.
func TestValues(t *testing.T) {
	t.Parallel()
	const r = "[redacted]"
	for text, want := range map[string]string{
		`{"access_token" : "a","token_type":"Bearer","expires_in":3600,"n":{"Password":"b\"c"}}`: `{"access_token" : "[redacted]","token_type":"Bearer","expires_in":3600,"n":{"Password":"[redacted]"}}`,
		`{"password":null,"secret":true,"token":"","pin":1,"session":{"id":7}}`:                  `{"password":null,"secret":true,"token":"","pin":1,"session":{"id":7}}`,
		`{"token":12345,"otp":123}`:                                              `{"token":11111,"otp":123}`,
		`{"api_keys":["a", "b"],"key":"c","code":"P0420"}`:                       `{"api_keys":["[redacted]", "[redacted]"],"key":"c","code":"P0420"}`,
		`{"token":["a",["b"]],"x":"token"}`:                                      `{"token":["[redacted]",["b"]],"x":"token"}`,
		`{"s":"{\"refresh_token\":\"abc\"}"}`:                                    `{"s":"{\"refresh_token\":\"[redacted]\"}"}`,
		`{"u":"https:\/\/h\/?access_token=a\u0026b=c"}`:                          `{"u":"https:\/\/h\/?access_token=[redacted]\u0026b=c"}`,
		`{"a":"https://joe:pw@h/p","b":"https://h/@x"}`:                          `{"a":"https://joe:[redacted]@h/p","b":"https://h/@x"}`,
		"user=joe&password=it's;x&a=b":                                           "user=joe&password=[redacted]&a=b",
		"https://h/cb?code=ab12cd34ef&state=x#id_token=a.b":                      "https://h/cb?code=[redacted]&state=x#id_token=[redacted]",
		`{"grant_type":"authorization_code","code":"ab12cd34ef"}`:                `{"grant_type":"authorization_code","code":"[redacted]"}`,
		"https://h/faults?code=ab12cd34ef":                                       "https://h/faults?code=ab12cd34ef",
		"/x?X-Amz-Credential=A%2F2024&X-Amz-Signature=0f&X-Amz-Security-Token=b": "/x?X-Amz-Credential=[redacted]&X-Amz-Signature=[redacted]&X-Amz-Security-Token=[redacted]",
		`<a href="/p?token=a&amp;b=c">`:                                          `<a href="/p?token=[redacted]&amp;b=c">`,
		"--x\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\na\r\nb\r\n--x\r\nContent-Disposition: form-data; name=\"c\"\r\n\r\nd\r\n--x--": "--x\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n[redacted]\r\n--x\r\nContent-Disposition: form-data; name=\"c\"\r\n\r\nd\r\n--x--",
		"let token=getToken(); x.password=y":                    "let token=getToken(); x.password=y",
		"user%5Bpassword%5D=a":                                  "user%5Bpassword%5D=[redacted]",
		"continue=https%3A%2F%2Fh%3Faccess_token%3Dabc%26x%3D1": "continue=https%3A%2F%2Fh%3Faccess_token%3D[redacted]%26x%3D1",
		`{"token`: `{"token`, `{"token":`: `{"token":`, `{"token":"a`: `{"token":"[redacted]`, `{"token":[`: `{"token":[`, "token=": "token=", "form-data; name=password": "form-data; name=password",
		"form-data; name=password\n\nx": "form-data; name=password\n\n[redacted]",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			data, ok := new(redact.Redactor).Data([]byte(text))
			assert.True(t, ok)
			assert.Equal(t, want, string(data))
			again, ok := new(redact.Redactor).Data(data)
			assert.True(t, ok)
			assert.Equal(t, strings.ReplaceAll(want, "11111", "22222"), string(again), r)
		})
	}
}

// TestJSONStaysJSON replaces secrets that are JSON themselves or parts of it.
func TestJSONStaysJSON(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ secret, text, want string }{
		{`{"unit":"km123456"}`, `{"id":1,"prefs":{"unit":"km123456"}}`, `{"id":1,"prefs":{"unit":"[redacted]"}}`},
		{`{"unit":"km123456"}`, `{"prefs":"{\"unit\":\"km123456\"}"}`, `{"prefs":"[redacted]"}`},
		{`km123456"}`, `{"a":{"unit":"km123456"}}`, `{"a":{"unit":"[redacted]"}}`},
		{`[1,22,true]`, `{"a":[1,22,true]}`, `{"a":[2,11,true]}`}, {`secret-name`, `{"secret-name":1}`, `{"[redacted]":1}`},
		{`ends\`, `["ends\\","a"]`, `["[redacted]","a"]`}, {`\begins`, `["a\\begins"]`, `["a[redacted]"]`}, {"9021012345", "[19021012345e1]", "[11111111111e1]"},
		{"bare-word", "[bare-word, bare-word]", "[[redacted], [redacted]]"}, {"null-and", `[null-and]`, `[[redacted]]`},
	} {
		t.Run(test.secret+" in "+test.text, func(t *testing.T) {
			t.Parallel()
			data, ok := redact.New(test.secret).Data([]byte(test.text))
			require.True(t, ok)
			assert.Equal(t, test.want, string(data))
			assert.Equal(t, json.Valid([]byte(test.text)), json.Valid(data))
		})
	}
}

// TestMasking keeps lengths and kinds of characters.
func TestMasking(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"token":"Ab1-é\u0041\n/"}`: `{"token":"Aa1-aaa/"}`, `{"token":"aa11"}`: `{"token":"bb22"}`, `{"token":"--- --"}`: `{"token":"[redacted]"}`, `{"a":"s3kr3t-9"}`: `{"a":"a1aa1a-1"}`,
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			data, ok := redact.New("s3kr3t-9").Masking().Data([]byte(text))
			assert.True(t, ok)
			assert.Equal(t, want, string(data))
		})
	}
	assert.Equal(t, "sid=bbb; lang=aa; x=1/1", redact.New().Masking().Header("Cookie", "sid=aaa; lang=en; x=2/3"))
	assert.Equal(t, "Basic aa1aAaA=", redact.New().Masking().Header("Authorization", "Basic am9lOnA="))
}

// TestMalformedEscapes finds a parameter with a malformed escape in other texts.
func TestMalformedEscapes(t *testing.T) {
	t.Parallel()
	s := &redact.Secrets{}
	s.AddNamed([]byte("/?token=p%zz+q-s3cr%65t"))
	assert.Equal(t, "[redacted] [redacted]", s.Redactor().Text("p%zz q-s3cret p%25zz%20q-s3cret"))
}

// TestEffort redacts texts that repeat the start of something, in time that grows with their size only.
func TestEffort(t *testing.T) {
	t.Parallel()
	for _, repeated := range []string{
		"a", "?token=", "&token=a", `"token":"`, `"token":[`, `{"token":["a",`, "://", "://a@", "form-data;", "form-data; name=\"token\"\n\n", `\`, `\"`,
		"%25", "&#", "\n", "aaaaaaaaaaaaaaaaaaaa\n", `"code":"ab12cd34ef",`, "=", ":", `":`, "sekretkey123", `"sekretkey123\`, `\u0041`, `"token":12345,`,
	} {
		for _, start := range []string{"", "{", `"`} {
			t.Run(start+repeated, func(t *testing.T) {
				t.Parallel()
				text := []byte(start + strings.Repeat(repeated, 1<<19/len(repeated)))
				before := time.Now()
				redact.New("sekretkey123", strings.Repeat("a", 60)+"9").Data(text)
				new(redact.Secrets).AddNamed(text)
				assert.Less(t, time.Since(before), 20*time.Second) // one that looks at all that follows takes minutes
			})
		}
	}
}

// FuzzData puts a secret into JSON: the result is JSON without it. The other text does not end in a part of an escape.
func FuzzData(f *testing.F) {
	f.Add("s3kr3t/K&y~", "a", 3)
	f.Add(`{"a":[1,"x"]}`, `\u00e9`, 0)
	f.Add("90210123", "41", 1)
	f.Fuzz(func(t *testing.T, secret, other string, at int) {
		if strings.ContainsAny(other, "%&~") {
			return
		}
		body, err := json.Marshal(map[string]any{"a": other + secret, "list": []any{at, secret, other}, "password": other, secret: other, "u": "/?token=" + url.QueryEscape(other)})
		require.NoError(t, err)
		s := &redact.Secrets{}
		s.AddWord(secret)
		data, ok := s.Redactor().Data(body)
		if !ok {
			return
		}
		require.True(t, json.Valid(data), "%s -> %s", body, data)
		if strings.Contains(fmt.Sprint("map[a: list: password: u:/?token= [redacted]", at, other), secret) {
			return
		}
		var value any
		require.NoError(t, json.Unmarshal(data, &value))
		for word := range s.Words {
			require.NotContains(t, fmt.Sprint(value), word, "%s -> %s", body, data)
		}
	})
}
