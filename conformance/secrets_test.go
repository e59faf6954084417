package conformance

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance/internal/credentials"
	"github.com/fleetcontract/fleetio-go/conformance/internal/testspec"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/internal/yamltree"
)

// TestFindingsWithoutEncodedCredentials has a credential that differs in every encoding.
func TestFindingsWithoutEncodedCredentials(t *testing.T) {
	t.Parallel()
	const word = "Ke&y~>/x+d.e~?f?~~>"
	standard, forURLs := base64.RawStdEncoding.EncodeToString([]byte(word)), base64.RawURLEncoding.EncodeToString([]byte(word))
	forms := map[string]string{
		"as is": word, "query": url.QueryEscape(word), "path": url.PathEscape(word), "pointer": strictjson.Pointer(word)[1:],
		"pattern": regexp.QuoteMeta(word), "base64": standard, "base64 for URLs": forURLs,
	}
	distinct := map[string]bool{}
	for _, form := range forms {
		distinct[strings.ToLower(form)] = true
	}
	require.Len(t, distinct, len(forms))
	forms["upper case"] = strings.ToUpper(word)
	rules := credentials.NewRules([]credentials.Credential{{In: "query", Name: "key"}}, &yamltree.Tree{Root: &yamltree.Node{}})
	for place, ex := range map[string]*traffic.Exchange{
		"header": {URL: &url.URL{}, Request: traffic.Message{Header: http.Header{"Authorization": {"Token " + word}}}},
		"query":  {URL: &url.URL{RawQuery: "key=" + url.QueryEscape(word)}},
	} {
		for name, form := range forms {
			t.Run(place+" "+name, func(t *testing.T) {
				t.Parallel()
				k := &checker{ex: ex, finder: rules.Finder()}
				assert.Equal(t, "<[redacted]>", k.redact("<"+form+">"))
				assert.Equal(t, "nothing of it", k.redact("nothing of it"))
			})
		}
	}
}

// TestFindingsWithoutPartsOfCredentials has a server that repeats a credential within a longer encoded text.
func TestFindingsWithoutPartsOfCredentials(t *testing.T) {
	t.Parallel()
	contract, err := Load(testspec.Spec)
	require.NoError(t, err)
	const key = "sekretkey123"
	for _, echo := range []string{hex.EncodeToString([]byte(key)), base64.StdEncoding.EncodeToString([]byte("user:" + key)),
		base64.StdEncoding.EncodeToString([]byte("a " + key + " b")), url.QueryEscape(url.QueryEscape("/" + key + "/")), "plain words of no meaning"} {
		t.Run(echo, func(t *testing.T) {
			t.Parallel()
			ex := create()
			ex.Request.Header.Set("Authorization", "Token "+key)
			ex.Response.Body = bytes.Replace(ex.Response.Body, []byte(`"open"`), []byte(`"`+echo+`"`), 1)
			findings, err := contract.Check(ex)
			require.NoError(t, err)
			require.Len(t, findings, 1)
			if echo == "plain words of no meaning" {
				assert.Contains(t, findings[0].Message, echo)
			} else {
				assert.NotContains(t, findings[0].Message, echo[:10])
			}
		})
	}
}
