package redact_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/internal/redact"
)

// secret has characters that each encoding changes.
const secret = `se"kret/K&ey~1.é`

func inBase64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func quoted(t *testing.T, s string) string {
	t.Helper()
	data, err := json.Marshal(s)
	require.NoError(t, err)
	return strings.Trim(string(data), `"`)
}

// TestText replaces a secret in each form, and nothing around it.
func TestText(t *testing.T) {
	t.Parallel()
	var units, entities strings.Builder
	for _, c := range secret {
		fmt.Fprintf(&units, `\u%04x`, c)
		fmt.Fprintf(&entities, "&#%d;", c)
	}
	surrogates := `\ud83d\ude00\ud83d\uDE01`
	for name, form := range map[string]string{
		"as it is": secret, "upper case": strings.ToUpper(strings.ReplaceAll(secret, "é", "")) + "é", "JSON": quoted(t, secret), "PHP's JSON": strings.ReplaceAll(quoted(t, secret), "/", `\/`),
		"code units": units.String(), "code units twice": strings.ReplaceAll(units.String(), `\`, `\\`), "numeric entities": entities.String(),
		"query": url.QueryEscape(secret), "path": url.PathEscape(secret), "query twice": url.QueryEscape(url.QueryEscape(secret)), "JSON in a query": url.QueryEscape(quoted(t, secret)),
		"HTML": html.EscapeString(secret), "pattern": regexp.QuoteMeta(secret), "pointer": strings.NewReplacer("~", "~0", "/", "~1").Replace(secret),
		"hex": hex.EncodeToString([]byte(secret)), "upper case hex": fmt.Sprintf("%X", secret), "base64": base64.RawStdEncoding.EncodeToString([]byte(secret)),
		"base64 for URLs": base64.RawURLEncoding.EncodeToString([]byte(secret)), "surrogate pairs": surrogates,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := redact.New(secret, "short", "😀😁")
			assert.Equal(t, "<[redacted]> %", r.Text("<"+form+"> %"))
			assert.Equal(t, "<[redacted][redacted]>", r.Text("<"+form+form+">"))
			// At different offsets, after a long text.
			for at := range 5 {
				before := strings.Repeat("%41", 1<<16) + strings.Repeat("Q", at) + "."
				data, ok := r.Data([]byte(before + form))
				require.True(t, ok)
				rest, unchanged := strings.CutPrefix(string(data), before)
				assert.True(t, unchanged)
				assert.Equal(t, "[redacted]", rest)
			}
		})
	}
}

// TestWithinBase64 replaces a secret in a longer text in base64, at each offset, encoded once and twice.
func TestWithinBase64(t *testing.T) {
	t.Parallel()
	r := redact.New("sekret/key-123")
	for at := range 6 {
		t.Run(fmt.Sprintf("offset %d", at), func(t *testing.T) {
			t.Parallel()
			for _, text := range []string{
				strings.Repeat("~", at) + "sekret/key-123 and more", strings.Repeat("~", at) + `sekret\/key-123 and more`,
				strings.Repeat("~", at) + "sekret%2Fkey-123 and more",
			} {
				once, twice := r.Text(inBase64(text)), r.Text(inBase64(inBase64(text)))
				assert.Contains(t, once, "[redacted]")
				assert.Contains(t, twice, "[redacted]")
				start, _, _ := strings.Cut(once, "[redacted]")
				decoded, _ := base64.RawStdEncoding.DecodeString(start)
				assert.NotContains(t, string(decoded), "s")
				assert.Contains(t, inBase64(text), start)
			}
		})
	}
}

// TestBase64InLines replaces a secret that a line break of base64 divides.
func TestBase64InLines(t *testing.T) {
	t.Parallel()
	const key = "sekret/Key~123"
	for _, lineBreak := range []string{"\r\n", "\n", "\n  "} {
		t.Run(quoted(t, lineBreak), func(t *testing.T) {
			t.Parallel()
			for at := range 76 {
				whole := inBase64(strings.Repeat("~", at) + key + strings.Repeat(" and more", 12))
				var lines []string
				for line := range slices.Chunk([]byte(whole), 76) { // RFC 2045, section 6.8
					lines = append(lines, string(line))
				}
				text := strings.Join(lines, lineBreak)
				data, ok := redact.New(key).Data([]byte(text))
				assert.True(t, ok)
				assert.Contains(t, string(data), redact.Placeholder, text)
			}
		})
	}
}

// TestIrreplaceable finds secrets that cannot be replaced.
func TestIrreplaceable(t *testing.T) {
	t.Parallel()
	const key = "sekret/Key~123"
	packed := func(open func(io.Writer) io.WriteCloser, text string) string {
		var b bytes.Buffer
		w := open(&b)
		_, err := io.WriteString(w, text)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return b.String()
	}
	zip := func(level int) func(io.Writer) io.WriteCloser {
		return func(w io.Writer) io.WriteCloser {
			z, err := gzip.NewWriterLevel(w, level)
			require.NoError(t, err)
			return z
		}
	}
	best := packed(zip(gzip.BestCompression), "key="+key)
	for name, text := range map[string]string{
		"gzip": best, "gzip at an offset": "<" + best, "stored gzip": packed(zip(gzip.NoCompression), key),
		"gzip cut short": best[:len(best)-8], "gzip of gzip": packed(zip(gzip.BestSpeed), best), "gzip in base64": "<" + inBase64(best) + ">",
		"zlib": packed(func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }, key), "gzip in a URL": url.QueryEscape(best),
		"a bomb": packed(zip(gzip.BestSpeed), strings.Repeat(" ", 17<<20)), "many archives": strings.Repeat("\x1f\x8b\x08", 1<<13),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := redact.New(key)
			_, ok := r.Data([]byte(text))
			assert.False(t, ok)
			assert.Equal(t, redact.Placeholder, r.Text(text))
		})
	}
	for name, text := range map[string]string{"nothing": "", "a part": strings.Repeat("sekret/Ke", 1<<12), "gzip of something else": packed(zip(6), "k=other")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, ok := redact.New(key).Data([]byte(text))
			assert.True(t, ok)
			assert.Equal(t, text, string(data))
		})
	}
}

// TestData replaces a number by a number, and by another one if that is a secret, too.
func TestData(t *testing.T) {
	t.Parallel()
	r := redact.New("9021012345", "1111").With("other-key", "edact")
	for text, want := range map[string]string{
		`{"id":9021012345}`: `{"id":2222222222}`, `[1111]`: `[2222]`, `"x9021012345 other-key"`: `"x[redacted] [redacted]"`,
		`9021012345`: `2222222222`, `{"a":{"other":"9021012345"},"b":true,"c":[-9021012345.5]}`: `{"a":{"other":"[redacted]"},"b":true,"c":[-2222222222.5]}`,
		`["[redacted]"]`: `["[redacted]"]`,
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			data, ok := r.Data([]byte(text))
			assert.True(t, ok)
			assert.Equal(t, want, string(data))
		})
	}
	assert.Equal(t, "[redacted] [redacted]", r.Text("9021012345 other-key"))
}

func TestHeader(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, value, want string }{
		{"Authorization", "Token abc", "Token [redacted]"}, {"Authorization", " bearer  abc d", " bearer [redacted]"},
		{"Authorization", "Mine abc", "Mine [redacted]"}, {"Authorization", "Other abc", "[redacted]"}, {"Authorization", "abc", "[redacted]"},
		{"Authorization", "Token", "Token"}, {"Authorization", "Token Bearer", "Token Bearer"}, {"Authorization", " ", " "},
		{"X-Api-Key", "abc", "[redacted]"}, {"Cookie", "a=b; c=; d", "a=[redacted]; c=;[redacted]"}, {"Cookie", "", ""},
		{"Set-Cookie", "a=b; Path=/; HttpOnly", "a=[redacted]; Path=/; HttpOnly"}, {"Set-Cookie", "a=", "a="},
		{"Set-Cookie", "a=b; Path=/\nc=d; Path=/a=b", "a=[redacted]; Path=/\nc=[redacted]; Path=/a=b"},
		{"Set-Cookie", "a=b; Expires=Wed, 21 Oct 2030 07:28:00 GMT, c=d; Path=/", "a=[redacted]; Expires=Wed, 21 Oct 2030 07:28:00 GMT, c=[redacted]; Path=/"},
		{"Cookie", "a=b\nc=d; e=f", "a=[redacted]\nc=[redacted]; e=[redacted]"},
	} {
		t.Run(test.name+": "+test.value, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, redact.New().Header(test.name, test.value, "mine"))
		})
	}
	assert.Equal(t, "a=1&%74oken=[redacted]&token=&b=%zz", new(redact.Redactor).Text("a=1&%74oken=x&token=&b=%zz"))
}

// TestNoSecrets returns the text without a search.
func TestNoSecrets(t *testing.T) {
	t.Parallel()
	bomb := strings.Repeat("\x1f\x8b\x08", 1<<13)
	data, ok := redact.New("abc", "redact").Data([]byte(bomb))
	assert.True(t, ok)
	assert.Equal(t, bomb, string(data))
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	for value, want := range map[string][]string{
		`Token token="S3kr3t.Key9", nonce=xYz987`: {`Token token="S3kr3t.Key9", nonce=xYz987`, `token="S3kr3t.Key9`, "S3kr3t.Key9", "nonce=xYz987", "xYz987"},
		"Basic dXNlcjp0b3BzZWNyZXRwdw==":          {"Basic dXNlcjp0b3BzZWNyZXRwdw==", "dXNlcjp0b3BzZWNyZXRwdw==", "dXNlcjp0b3BzZWNyZXRwdw", "user:topsecretpw", "topsecretpw"},
		"Bearer [redacted]":                       {"Bearer [redacted]", "[redacted]"},
		"Token abc":                               {"Token abc"}, "true": nil, "Bearer": nil, "password": {"password"}, "Kenworth": {"Kenworth"},
		// Ordinary values.
		"1": nil, "on": nil, "P0420": nil, "en-US": nil, "english": nil, "Detroit": nil, "2024": nil, "1234567": nil, "1,234.5": nil,
		"12345678": {"12345678"}, "hunter2": {"hunter2"}, "hUnter": {"hUnter"}, "p@ssw0": {"p@ssw0"}, "correct horse": {"correct horse", "correct", "horse"},
	} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			s := &redact.Secrets{}
			s.Add(value)
			for word := range s.Words {
				assert.Contains(t, want, word)
			}
			for _, word := range want {
				if len(word) > 7 && !strings.Contains(word, "[redacted]") {
					assert.Equal(t, "<[redacted]>", s.Redactor().Text("<"+word+">"), word)
				}
			}
			assert.Equal(t, "true Token token null user", s.Redactor().Text("true Token token null user"))
		})
	}
	s := &redact.Secrets{Names: redact.NewNames(nil, nil, map[string]bool{"resolved": true})}
	s.Add("Token " + strings.Repeat("k", 100_000))
	assert.True(t, s.TooMany)
	assert.Equal(t, "[redacted]", s.Redactor().Text("anything"))
	_, ok := s.Redactor().Data([]byte("anything"))
	assert.False(t, ok)
}

// TestCookies collects cookies that have the name of a credential or look random.
func TestCookies(t *testing.T) {
	t.Parallel()
	for value, want := range map[string][]string{
		"a=b; lang=en-US; theme=darkmode; seen=2024-01-01T00:00:00Z; ok=true; n=1": nil,
		`session="c00kie8"; theme=AAAAaaaa11112222`:                                {"c00kie8", "AAAAaaaa11112222"},
		"sid=s%3Aab12cd34ef":               {"s%3Aab12cd34ef", "s:ab12cd34ef"},
		`prefs={"unit":"km1234"}`:          nil,
		`prefs={"access_token":"km1234x"}`: {"km1234x"},
		"first=AAAAaaaa11112222; Path=/\nsecond=BBBBbbbb11112222, third=CCCCcccc11112222": {"AAAAaaaa11112222", "BBBBbbbb11112222", "CCCCcccc11112222"},
	} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			s := &redact.Secrets{}
			s.AddCookies("Cookie", value)
			assert.ElementsMatch(t, want, slices.Collect(maps.Keys(s.Words)))
		})
	}
}
