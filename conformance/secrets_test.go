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

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance/internal/credentials"
	"github.com/fleetcontract/fleetio-go/conformance/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// TestConcealKnowsEachForm takes a word that is another one in every encoding, so that no form stands in for another.
func TestConcealKnowsEachForm(t *testing.T) {
	t.Parallel()
	const word = "Ke&y~>/x+d.e~?f?~~>"
	standard, forURLs := base64.RawStdEncoding.EncodeToString([]byte(word)), base64.RawURLEncoding.EncodeToString([]byte(word))
	forms := map[string]string{
		"as is": word, "query": url.QueryEscape(word), "path": url.PathEscape(word), "pointer": strictjson.Pointer(word)[1:],
		"pattern": regexp.QuoteMeta(word), "base64": standard, "base64 for URLs": forURLs,
	}
	seen := map[string]bool{}
	for name, form := range forms {
		assert.False(t, seen[strings.ToLower(form)], "%s is no form of its own", name)
		seen[strings.ToLower(form)] = true
	}
	forms["upper case"] = strings.ToUpper(word)
	queryKey := &operation{security: []alternative{{{In: "query", Name: "key"}}}}
	for place, ex := range map[string]*traffic.Exchange{
		"header": {URL: &url.URL{}, Request: traffic.Message{Header: http.Header{"Authorization": {"Token " + word}}}},
		"query":  {URL: &url.URL{RawQuery: "key=" + url.QueryEscape(word)}},
	} {
		k := &checker{op: queryKey, ex: ex, finders: map[*operation]*credentials.Finder{}}
		for name, form := range forms {
			assert.Equal(t, "<[redacted]>", k.conceal("<"+form+">"), "%s, %s", place, name)
		}
		assert.Equal(t, "nothing of it", k.conceal("nothing of it"))
	}
}

// TestNothingIsShownOfOtherEncodings looks for credentials that stand within a longer text in base64, or in hex.
func TestNothingIsShownOfOtherEncodings(t *testing.T) {
	t.Parallel()
	contract, err := Load(api.Spec)
	require.NoError(t, err)
	const key = "sekretkey123"
	for _, echo := range []string{hex.EncodeToString([]byte(key)), base64.StdEncoding.EncodeToString([]byte("user:" + key)),
		base64.StdEncoding.EncodeToString([]byte("a " + key + " b")), url.QueryEscape(url.QueryEscape("/" + key + "/")), "plain words of no meaning"} {
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
	}
}
