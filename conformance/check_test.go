package conformance_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/internal/testspec"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

func statusCode(t *testing.T, text string) int {
	t.Helper()
	status, err := strconv.Atoi(text)
	require.NoError(t, err)
	return status
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return string(data)
}

const (
	apiKey       = "76cbe06c49a64"
	accountToken = "acc0un7-t0ken"
)

// exchange is a create with both credentials.
func exchange(t testing.TB, status int, request, response string) *traffic.Exchange {
	t.Helper()
	u, err := url.Parse("https://secure.fleetio.com/api/v1/faults")
	require.NoError(t, err)
	header := func(pairs ...string) http.Header {
		h := http.Header{"Content-Type": {"application/json"}}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	ex := &traffic.Exchange{Source: "test#0", Method: "POST", URL: u, Status: status,
		Request:  traffic.Message{Header: header("Authorization", "Token "+apiKey, "Account-Token", accountToken), Body: []byte(request)},
		Response: traffic.Message{Header: header(), Body: []byte(response)}}
	if status == http.StatusCreated {
		ex.Response.Header.Set("Location", "/api/v1/faults/7")
	}
	return ex
}

const request = `{"vehicle_id":4711,"code":"P0420"}`

// TestNoCredentialIsShown has a server that repeats the credentials wherever a finding could quote them, in several
// encodings.
func TestNoCredentialIsShown(t *testing.T) {
	t.Parallel()
	contract := loadContract(t)
	long := strings.Repeat("x", 50)
	for _, credentials := range [][2]string{
		{"Token 76cbe06c49a64", "acc0un7-t0ken"},
		{"Token AbCd/Ef~12+34==", "AbCd/Ef~12"}, // one is a part of the other
		{`Token token="S3kr3t.Key9", nonce=xYz987`, "7chars!"},
		{"Bearer x.Y-z_1", "9021012345"},
	} {
		var secrets []string
		for _, word := range strings.Fields(credentials[0])[1:] {
			word = strings.Trim(word, `,"`)
			if name, value, isParameter := strings.Cut(word, "="); isParameter && strings.Trim(value, "=") != "" && name != "" {
				word = strings.Trim(value, `"`)
			}
			secrets = append(secrets, word)
		}
		secrets = append(secrets, credentials[1])
		for _, secret := range secrets {
			if len(secret) < 4 {
				continue
			}
			for _, form := range []string{secret, strings.ToUpper(secret), url.QueryEscape(secret), url.PathEscape(secret),
				base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret))} {
				t.Run(form, func(t *testing.T) {
					t.Parallel()
					for i, ex := range echoes(t, form, long) {
						ex.Request.Header.Set("Authorization", credentials[0])
						ex.Request.Header.Set("Account-Token", credentials[1])
						findings, err := contract.Check(ex)
						require.NoError(t, err)
						for _, f := range findings {
							shown := strings.ToLower(mustJSON(t, f) + f.Expected + f.Actual)
							shown = strings.ReplaceAll(strings.ReplaceAll(shown, "~1", "/"), "~0", "~")
							assert.NotContains(t, shown, strings.ToLower(form), "exchange %d", i)
							assert.NotContains(t, shown, strings.ToLower(form[:min(len(form), 6)]), "exchange %d", i)
						}
					}
				})
			}
		}
	}
}

// echoes returns exchanges that have a text in each part that a finding can show.
func echoes(t *testing.T, secret, long string) []*traffic.Exchange {
	t.Helper()
	var exchanges []*traffic.Exchange
	add := func(status int, request, response string) *traffic.Exchange {
		ex := exchange(t, status, request, response)
		exchanges = append(exchanges, ex)
		return ex
	}
	fault := func(name string, value any) string {
		return string(testspec.Fault(func(f map[string]any) { f[name] = value }))
	}
	quoted := mustJSON(t, secret)
	add(201, request, fault("status", secret))
	add(201, request, fault("created_at", long+secret)) // cut in the middle of it
	add(201, request, fault("code", secret))
	add(201, `{"vehicle_id":4711,"code":`+quoted+`}`, fault("code", "P0420"))
	add(201, `{"vehicle_id":4711,"code":"P0420","status":`+quoted+`}`, fault("status", "open"))
	add(201, request, secret)
	add(201, request, `{`+quoted+`:1,`+quoted+`:2}`)
	add(422, request, `{"errors":{`+quoted+`:`+quoted+`}}`)
	add(500, request, `{"status":500,"title":7,"instance":`+quoted+`}`)
	for name, value := range map[string]string{"Location": "/" + secret, "Content-Type": "text/" + secret} {
		add(201, request, fault("name", nil)).Response.Header.Set(name, value)
	}
	add(201, request, fault("name", nil)).Response.Header.Set("Content-Type", "application/json; charset="+secret)
	add(429, request, `{"error":"x"}`).Response.Header.Set("Retry-After", secret)
	return exchanges
}

// TestEveryCredentialIsRedacted has a request with credentials in every place, and a server that repeats each.
func TestEveryCredentialIsRedacted(t *testing.T) {
	t.Parallel()
	contract := loadContract(t)
	for repeated, want := range map[string]string{
		"second-Key-99 session-8":          `"[redacted] [redacted]"`, // of a second field, and of a cookie
		"first-Word last-word":             `"[redacted]"`,
		"u53rname p4ssword":                `"[redacted] [redacted]"`, // of the URL
		"user:topsecretpw":                 `"[redacted]"`,            // of Basic, decoded
		"c2Vjb25kLWtleS05OQ":               `"[redacted]"`,
		"xsecond-key-99xlast-wordx":        `"x[redacted]x[redacted]x"`,
		"token bearer":                     `"token bearer"`,
		strings.Repeat("second-key-99", 9): `"` + strings.Repeat("[redacted]", 6) + `"… (117 characters)`,
	} {
		t.Run(repeated, func(t *testing.T) {
			t.Parallel()
			ex := exchange(t, 201, request, string(testspec.Fault(func(f map[string]any) { f["status"] = repeated })))
			ex.Request.Header["Authorization"] = []string{"Token second-key-98", "Token second-key-99", "Basic dXNlcjp0b3BzZWNyZXRwdw=="}
			ex.Request.Header.Set("Account-Token", "first-word last-word")
			ex.Request.Header.Set("Cookie", "a=b; id=session-8")
			ex.URL.User = url.UserPassword("u53rname", "p4ssword")
			findings, err := contract.Check(ex)
			require.NoError(t, err)
			require.Len(t, findings, 1)
			assert.Equal(t, want, findings[0].Actual)
		})
	}
	// In the expected value, too: the id that Location should end with is a credential.
	ex := exchange(t, 201, request, string(testspec.Fault(func(f map[string]any) { f["id"] = 9021012345 })))
	ex.Request.Header.Set("Account-Token", "9021012345")
	findings, err := contract.Check(ex)
	require.NoError(t, err)
	require.Len(t, findings, 1)
	assert.NotContains(t, mustJSON(t, findings), "9021012345")
}

// TestManyCookies has as many and as long cookies as browsers record: the finding shows everything else.
func TestManyCookies(t *testing.T) {
	t.Parallel()
	ex := exchange(t, 201, request, string(testspec.Fault(func(f map[string]any) { f["status"] = "closed by cookie-value-77" })))
	var cookies []string
	for i := range 150 {
		cookies = append(cookies, fmt.Sprintf("name%d=cookie-value-%d", i, i))
	}
	ex.Request.Header.Set("Cookie", strings.Join(append(cookies, "jwt="+strings.Repeat("e", 4000)), "; "))
	findings, err := loadContract(t).Check(ex)
	require.NoError(t, err)
	require.Len(t, findings, 1)
	assert.Equal(t, `"closed by [redacted]"`, findings[0].Actual)
}

// TestTooManyCredentials shows nothing of an exchange with more credentials than it searches for.
func TestTooManyCredentials(t *testing.T) {
	t.Parallel()
	contract := loadContract(t)
	var many strings.Builder
	for i := range 2_000 {
		fmt.Fprintf(&many, "a=bbbb-%08d; ", i)
	}
	for name, value := range map[string]string{
		"Authorization": "Token " + strings.Repeat("k", 600_000), "Cookie": many.String(),
		"Account-Token": "caf\xe9-\xff\xff",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ex := exchange(t, 201, request, string(testspec.Fault(func(f map[string]any) { f["status"] = value })))
			ex.Request.Header.Set(name, value)
			ex.URL.User = url.UserPassword("\xff\xff\xff\xff", "\xfe\xfe\xfe\xfe")
			findings, err := contract.Check(ex)
			require.NoError(t, err)
			require.NotEmpty(t, findings)
			shown := mustJSON(t, findings)
			assert.NotContains(t, shown, "kkkk")
			assert.NotContains(t, shown, "caf")
			assert.NotContains(t, shown, "bbbb")
			assert.Less(t, len(shown), 5000)
		})
	}
}

// TestFingerprintIsStable compares the fingerprints of a few findings: known failures contain fingerprints.
func TestFingerprintIsStable(t *testing.T) {
	t.Parallel()
	contract := loadContract(t)
	fingerprints := func(ex *traffic.Exchange) []string {
		findings, err := contract.Check(ex)
		require.NoError(t, err)
		var list []string
		for _, f := range findings {
			list = append(list, f.Fingerprint)
		}
		return list
	}
	withID := func(id int) *traffic.Exchange {
		ex := exchange(t, 201, request, string(testspec.Fault(func(f map[string]any) { f["id"] = id })))
		ex.Response.Header.Set("Location", "/"+strconv.Itoa(id))
		return ex
	}
	assert.Equal(t, []string{"9ac383b85c7a39ba"}, fingerprints(withID(0)))
	other := withID(-3)
	other.Source = "elsewhere#9"
	assert.Equal(t, fingerprints(withID(0)), fingerprints(other), "neither value nor exchange counts")
	assert.Equal(t, fingerprints(exchange(t, 422, request, `{"errors":{"a":["x",1]}}`)),
		fingerprints(exchange(t, 422, request, `{"errors":{"a":[1]}}`)), "nor does the position in a list")
	assert.NotEqual(t, fingerprints(exchange(t, 422, request, `{"errors":{"a":[1]}}`)), fingerprints(exchange(t, 422, request, `{"errors":{"b":[1]}}`)))

	edited, err := conformance.Load(edit(t, "        - account_id\n        - vehicle_id\n", "        - vehicle_id\n        - account_id\n"))
	require.NoError(t, err)
	missing := exchange(t, 201, request, string(testspec.Fault(func(f map[string]any) { delete(f, "account_id") })))
	findings, err := edited.Check(missing)
	require.NoError(t, err)
	require.Len(t, findings, 1)
	assert.Equal(t, []string{findings[0].Fingerprint}, fingerprints(missing), "nor does the place in the spec")
}

func TestCheckIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	contract := loadContract(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				findings, err := contract.Check(exchange(t, 201, request, string(testspec.Fault(func(f map[string]any) { f["id"] = nil }))))
				if err != nil || len(findings) != 1 {
					t.Errorf("%v, %v", findings, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestCheckDoesNotPanic checks exchanges that no reader of recordings yields.
func TestCheckDoesNotPanic(t *testing.T) {
	t.Parallel()
	contract := loadContract(t)
	for status := range 1000 {
		_, err := contract.Check(&traffic.Exchange{Method: "POST", URL: &url.URL{Path: "/api/v1/faults"}, Status: status})
		if status == 0 {
			require.ErrorIs(t, err, conformance.ErrNoResponse)
		} else {
			require.NoError(t, err)
		}
	}
}

// FuzzCheck looks for a body that makes Check panic, and for an incomplete finding.
func FuzzCheck(f *testing.F) {
	contract, err := conformance.Load(spec())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint16(201), []byte(request), testspec.Fault(nil))
	f.Add(uint16(401), []byte(`{}`), []byte(`{"status":401,"title":""}`))
	f.Add(uint16(422), []byte(`{"vehicle_id":1e400}`), []byte(`{"errors":{"~/":[null]}}`))
	f.Add(uint16(201), []byte(`{"vehicle_id":1,"code":"\ud800"}`), []byte(`[[[`))
	f.Fuzz(func(t *testing.T, status uint16, sent, got []byte) {
		ex := exchange(t, 1+int(status%999), string(sent), string(got))
		findings, err := contract.Check(ex)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range findings {
			if f.Rule == "" || f.Part == "" || f.Spec.Pointer == "" || f.Spec.Line < 2 || f.Message == "" || f.Source == "" || f.Fingerprint == "" {
				t.Fatalf("a part is missing: %+v", f)
			}
		}
	})
}
