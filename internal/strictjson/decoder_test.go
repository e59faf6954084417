package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// read consumes a text token by token.
func read(d *strictjson.Decoder) (tokens []string, err error) {
	for {
		t, err := d.Next()
		if errors.Is(err, io.EOF) {
			return tokens, nil
		}
		if err != nil {
			return tokens, err
		}
		tokens = append(tokens, string(t.Raw))
	}
}

// inAllWays decodes a text from memory, and from streams that break it anywhere.
func inAllWays(text string) map[string]*strictjson.Decoder {
	const limit = 1 << 20
	return map[string]*strictjson.Decoder{
		"bytes":    strictjson.NewDecoder([]byte(text)),
		"stream":   strictjson.NewStreamDecoder(strings.NewReader(text), 0, limit),
		"one byte": strictjson.NewStreamDecoder(iotest.OneByteReader(strings.NewReader(text)), 0, limit),
		"data err": strictjson.NewStreamDecoder(iotest.DataErrReader(strings.NewReader(text)), 0, limit),
	}
}

func TestNext(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		` {"a" : [1, -0.5e+3 ,true,null,{}, []], "\u00e9\\":"\ud83d"} ` + "\n": {"{", `"a"`, "[", "1", "-0.5e+3", "true", "null",
			"{", "}", "[", "]", "]", `"\u00e9\\"`, `"\ud83d"`, "}"},
		"\t7":                  {"7"},
		`"` + "\x7f\xff" + `"`: {`"` + "\x7f\xff" + `"`},
		"[" + strings.Repeat(" ", 9e3) + "0.25E-7]": {"[", "0.25E-7", "]"},
	} {
		for way, d := range inAllWays(text) {
			t.Run(way+" "+text[:min(len(text), 20)], func(t *testing.T) {
				t.Parallel()
				got, err := read(d)
				require.NoError(t, err)
				assert.Equal(t, want, got)
			})
		}
	}
}

// TestErrors has a text for each message. The character ¶ marks the byte that the error leads to.
func TestErrors(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", strictjson.MaxDepth)
	for text, want := range map[string]string{
		`¶`:               "unexpected EOF",
		"  \n¶":           "unexpected EOF",
		`{"a":¶`:          "unexpected EOF",
		`{"a"¶`:           "unexpected EOF",
		`{¶`:              "unexpected EOF",
		`[1,¶`:            "unexpected EOF",
		`"ab¶`:            "unexpected EOF",
		`"ab\¶`:           "unexpected EOF",
		`"ab\u00¶`:        "unexpected EOF",
		`tru¶`:            "unexpected EOF",
		`-¶`:              "unexpected EOF",
		`1.¶`:             "unexpected EOF",
		`¶<html>`:         "invalid character '<' looking for beginning of value",
		`[¶,1]`:           "invalid character ',' looking for beginning of value",
		`[1,¶]`:           "invalid character ']' looking for beginning of value",
		`{"a":¶}`:         "invalid character '}' looking for beginning of value",
		`¶]`:              "invalid character ']' looking for beginning of value",
		`{¶1:2}`:          "invalid character '1' looking for beginning of object key string",
		`{"a":1,¶}`:       "invalid character '}' looking for beginning of object key string",
		`{¶]`:             "invalid character ']' looking for beginning of object key string",
		`{"a"¶,1}`:        "invalid character ',' after object key",
		`{"a":1 ¶"b":2}`:  `invalid character '"' after object key:value pair`,
		`{"a":1¶]`:        "invalid character ']' after object key:value pair",
		`[1 ¶2]`:          "invalid character '2' after array element",
		`[1¶}`:            "invalid character '}' after array element",
		`[0¶1]`:           "invalid character '1' after array element",
		`{} ¶x`:           "invalid character 'x' after top-level value",
		`1 ¶2`:            "invalid character '2' after top-level value",
		`[tr¶x]`:          "invalid character 'x' in literal true (expecting 'u')",
		`[-¶a]`:           "invalid character 'a' in numeric literal",
		`1.¶e5`:           "invalid character 'e' after decimal point in numeric literal",
		`1e+¶-5`:          "invalid character '-' in exponent of numeric literal",
		"\"a¶\nb\"":       `invalid character '\n' in string literal`,
		`"a\¶'"`:          `invalid character '\'' in string escape code`,
		`"a\u00¶x0"`:      `invalid character 'x' in \u hexadecimal character escape`,
		"¶\xff":           "invalid character 'ÿ' looking for beginning of value",
		deep + "¶[":       "nested more than 10000 deep",
		deep + "1" + "¶{": "invalid character '{' after array element",
	} {
		before, after, _ := strings.Cut(text, "¶")
		for way, d := range inAllWays(before + after) {
			t.Run(way+" "+text[max(0, len(text)-20):], func(t *testing.T) {
				t.Parallel()
				_, err := read(d)
				var fault *strictjson.Error
				require.ErrorAs(t, err, &fault)
				assert.EqualError(t, err, want)
				assert.Equal(t, int64(len(before)), fault.Offset)
			})
		}
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	for way, d := range inAllWays(`{"a": {"b":[1,"x"]} ,"c":2}`) {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			for range 2 { // the brace and the name
				_, err := d.Next()
				require.NoError(t, err)
			}
			raw, at, err := d.Value()
			require.NoError(t, err)
			assert.JSONEq(t, `{"b":[1,"x"]}`, string(raw))
			assert.EqualValues(t, 6, at)
			require.True(t, d.More())
			name, err := d.Next()
			require.NoError(t, err)
			assert.Equal(t, `"c"`, string(name.Raw))
			require.NoError(t, d.Skip())
			assert.False(t, d.More())
			_, err = d.Next()
			require.NoError(t, err)
			require.NoError(t, d.End())
		})
	}
}

// TestText has what json.Unmarshal makes of strings, which are written in words, at the ends of words and behind them.
func TestText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "a", `\"`, `\\\/\b\f\n\r\t`, `\u00e9`, `\ud83d\ude00`, `\ud83d`, `\ude00\ud83d`, `\ud83d\u0061`, "é", "€😀", "\xff", "\xf0\x9f",
		strings.Repeat("\xff", 50), "\x7f", "<>&\u2028"} {
		for n := range 18 {
			raw := `"` + strings.Repeat("x", n) + text + strings.Repeat("y", n) + `"`
			t.Run(raw, func(t *testing.T) {
				t.Parallel()
				d := strictjson.NewDecoder([]byte(raw))
				d.RequireUTF8 = true
				_, err := d.Next()
				require.Equal(t, !utf8.ValidString(raw), errors.Is(err, strictjson.ErrUTF8))
				var doc strictjson.Document
				require.Equal(t, err == nil, doc.Parse([]byte(raw)))
				if err == nil {
					var want string
					require.NoError(t, json.Unmarshal([]byte(raw), &want))
					assert.Equal(t, "- "+want, "- "+string(doc.Text(0, nil)))
				}
			})
		}
	}
}

// TestParse parses the items of a list, whether they are whole in the buffer or not.
func TestParse(t *testing.T) {
	t.Parallel()
	text := `[ {"a":[1]} ,"b",-1.5e3, 12,` + strings.Repeat(" ", 100) + `"` + strings.Repeat("c", 1e5) + `",` + "\"\xff\"" + `]`
	for way, d := range inAllWays(text) {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			_, err := d.Next()
			require.NoError(t, err)
			var doc strictjson.Document
			for _, want := range []string{`{"a":[1]}`, `"b"`, `-1.5e3`, `12`, `"` + strings.Repeat("c", 1e5) + `"`} {
				at, err := d.Parse(&doc)
				require.NoError(t, err)
				require.EqualValues(t, strings.Index(text, want), at)
				require.Equal(t, strings.Trim(want, `"`), strictjson.Value{Doc: &doc}.Text())
			}
			at, err := d.Parse(&doc)
			require.ErrorIs(t, err, strictjson.ErrUTF8)
			require.EqualValues(t, strings.Index(text, "\xff")-1, at)
		})
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	t.Run("too large", func(t *testing.T) {
		t.Parallel()
		for _, text := range []string{`[1, "` + strings.Repeat("a", 9e3), `[1, {"a":"` + strings.Repeat(`","b":"`, 9e3)} {
			d := strictjson.NewStreamDecoder(io.MultiReader(strings.NewReader(text), strings.NewReader(strings.Repeat("a", 1e5))), 100, 8<<10)
			for range 2 {
				_, err := d.Next()
				require.NoError(t, err)
			}
			_, _, err := d.Value()
			var fault *strictjson.Error
			require.ErrorAs(t, err, &fault)
			require.ErrorIs(t, err, strictjson.ErrTooLarge)
			assert.EqualValues(t, 100+len(`[1, `), fault.Offset)
		}
	})
	t.Run("any number of blanks and tokens", func(t *testing.T) {
		t.Parallel()
		d := strictjson.NewStreamDecoder(strings.NewReader(strings.Repeat(" ", 1e6)+"[0"+strings.Repeat(",1", 1e6)+"] x"), 0, 8<<10)
		require.NoError(t, d.Skip())
		var fault *strictjson.Error
		require.ErrorAs(t, d.End(), &fault)
		assert.EqualValues(t, 3_000_004, fault.Offset)
	})
	t.Run("a reader that fails", func(t *testing.T) {
		t.Parallel()
		broken := errors.New("broken")
		_, err := read(strictjson.NewStreamDecoder(io.MultiReader(strings.NewReader("[1,"), iotest.ErrReader(broken)), 0, 8<<10))
		var fault *strictjson.Error
		require.ErrorAs(t, err, &fault)
		require.ErrorIs(t, err, broken)
		assert.EqualValues(t, 3, fault.Offset)
	})
}

// FuzzDecoder compares the decoder with the standard library: what is JSON, and what the values are.
func FuzzDecoder(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-0.5e+3,true,null,"\ud83d\ude00"]}`, `{"a":1,}`, `[1,]`, `"\ud83d"`, "\"\x00\"", `01`, `{1:2}`, `nul`, `[}`, `-`, `1.e`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d := strictjson.NewDecoder(text)
		raw, at, err := d.Value()
		if err == nil {
			err = d.End()
		}
		streamed := strictjson.NewStreamDecoder(iotest.HalfReader(bytes.NewReader(text)), 0, 1<<20)
		streamErr := streamed.Skip()
		if streamErr == nil {
			streamErr = streamed.End()
		}
		require.Equal(t, err, streamErr)
		if err != nil {
			require.False(t, json.Valid(text), "%v", err)
			return
		}
		require.True(t, json.Valid(text))
		require.Equal(t, bytes.Trim(text, " \t\r\n"), raw)
		require.EqualValues(t, bytes.Index(text, raw), at)
	})
}
