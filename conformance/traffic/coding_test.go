package traffic

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// compressed returns a text in a content coding.
func compressed(t testing.TB, coding, text string) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "br":
		w = brotli.NewWriter(&b)
	case "zstd":
		w, err = zstd.NewWriter(&b)
	case "deflate":
		w = zlib.NewWriter(&b)
	case "raw deflate":
		w, err = flate.NewWriter(&b, 9)
	}
	require.NoError(t, err)
	_, err = io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

// asLatin1 returns a text with a character for each byte.
func asLatin1(text string) string {
	var b strings.Builder
	for i := range len(text) {
		b.WriteRune(rune(text[i]))
	}
	return b.String()
}

func TestCodings(t *testing.T) {
	t.Parallel()
	const text = `{"id":1,"name":"é 🚗"}`
	gz := compressed(t, "gzip", text)
	half := base64.StdEncoding.EncodeToString([]byte(gz[:10])) + `","` + base64.StdEncoding.EncodeToString([]byte(gz[10:]))
	quoted := func(s string) string {
		b, err := json.Marshal(s)
		require.NoError(t, err)
		return string(b)
	}
	base64Of := func(s string) string {
		return quoted(base64.StdEncoding.EncodeToString([]byte(s))) + `,"encoding":"base64"`
	}
	const omitted = "omitted"
	type test struct{ coding, text, want string } // the text of the content, and what may follow it
	tests := map[string]test{
		"undone before":                   {"gzip", quoted(text), text},
		"undone before, br":               {"br", quoted(text), text},
		"undone before, in base64":        {"br", base64Of(text), text},
		"a control character":             {"br", quoted("{\"a\":\"\x01é\"}"), "{\"a\":\"\x01é\"}"},
		"a control character, no Latin-1": {"br", quoted("{\"a\":\"\x01🚗\"}"), "{\"a\":\"\x01🚗\"}"},
		"not compressed, not text, gzip":  {"gzip", base64Of("\xff\xfe"), "\xff\xfe"},
		"not text, br":                    {"br", base64Of("\xff\xfe"), omitted},
		"unknown":                         {"dcz", base64Of("\xff\xfe"), omitted},
		"unknown, of text":                {"dcz", quoted(text), text},
		"none":                            {"", base64Of("\xff\xfe"), "\xff\xfe"},
		"identity":                        {"identity", base64Of("\xff\xfe"), "\xff\xfe"},
		"two":                             {"gzip, br", base64Of(compressed(t, "br", gz)), text},
		"the second undone":               {"gzip, br", base64Of(gz), omitted},
		"in two fields":                   {"gzip\nbr", base64Of(compressed(t, "br", gz)), text},
		"x-gzip":                          {"x-GZIP", base64Of(gz), text},
		"cut off":                         {"gzip", base64Of(gz[:len(gz)-9]), omitted},
		"characters were lost":            {"gzip", quoted(strings.ToValidUTF8(gz, "\ufffd")), omitted},
		"chunks in base64":                {"gzip", quoted(`["`+half+`"]`) + `,"encoding":"base64"`, text},
		"chunks in hexadecimal":           {"gzip", quoted(`["` + hex.EncodeToString([]byte(gz[:10])) + `","` + hex.EncodeToString([]byte(gz[10:])) + `"]`), text},
		"empty":                           {"gzip", `""`, ""},
		"behind the data":                 {"deflate", base64Of(compressed(t, "raw deflate", text) + "\xff"), omitted},
	}
	for _, coding := range []string{"gzip", "br", "zstd", "deflate", "raw deflate"} {
		for _, long := range []string{text, strings.Repeat(text, 5000), "aa"} {
			name := strings.TrimPrefix(coding, "raw ")
			packed := compressed(t, coding, long)
			tests[coding+" "+long[:min(len(long), 5)]] = test{name, base64Of(packed), long}
			tests[coding+" as Latin-1 "+long[:min(len(long), 5)]] = test{name, quoted(asLatin1(packed)), long}
		}
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			headers := `,"headers":[{"name":"content-encoding","value":` + quoted(tt.coding) + `}]`
			found, err := collect(readHAR(strings.NewReader(archive(entry("POST", headers+`,"postData":{"text":`+tt.text+`}`,
				`"status":200`+headers+`,"content":{"text":`+tt.text+`}`))), "x.har"))
			require.NoError(t, err)
			for _, m := range []Message{found[0].Request, found[0].Response} {
				assert.Equal(t, tt.want == omitted, m.BodyOmitted)
				assert.Equal(t, strings.TrimPrefix(tt.want, omitted), string(m.Body))
			}
		})
	}
}

// TestCodingBombs checks that no body is unpacked beyond the limit of an exchange.
func TestCodingBombs(t *testing.T) {
	skipLarge(t)
	zeros := strings.Repeat("\x00", maxSize+1)
	for _, coding := range []string{"gzip", "br", "zstd", "deflate"} {
		bomb := archive(entry("GET", "", `"status":200,"headers":[{"name":"Content-Encoding","value":"`+coding+`"}],"content":{"encoding":"base64","text":"`+
			base64.StdEncoding.EncodeToString([]byte(compressed(t, coding, zeros)))+`"}`), entry("GET", "", `"status":204`))
		found, err := collect(readHAR(strings.NewReader(bomb), "x.har"))
		require.ErrorIs(t, err, errTooLarge, coding)
		require.ErrorAs(t, err, new(*EntryError))
		assert.Len(t, found, 1, coding)
	}
}
