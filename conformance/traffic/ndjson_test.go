package traffic

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lineOf is a line with those members besides a method and a URL.
func lineOf(members string) string {
	return `{"method":"POST","url":"http://x/"` + members + `}`
}

// goodLines are valid by the schema.
var goodLines = []struct{ in string }{
	{lineOf(``)},
	{" " + lineOf(` , "status" : 0 `) + "\t\r"},
	{lineOf(`,"status":201`)},
	{lineOf(`,"status":201.0`)},
	{lineOf(`,"status":2e2`)},
	{lineOf(`,"x-":null,"_":[{"a":{}}],"x-a":1e999`)},
	{lineOf(`,"x-a":1,"x-a":2`)},
	{`{"method":"GET","url":""}`},
	{`{"method":"GET","url":"::"}`},
	{`{"m\u0065thod":"GET","url":"http://x/"}`},
	{lineOf(`,"request":{}`)},
	{lineOf(`,"request":{"headers":[],"body":""}`)},
	{lineOf(`,"request":{"headers":{},"body_base64":""}`)},
	{lineOf(`,"request":{"headers":[["A","1"],["a","2"],[":path","/"],["B",""]]}`)},
	{lineOf(`,"request":{"headers":{"A":"1","a":["2","3"],":path":"/","B":[]}}`)},
	{lineOf(`,"request":{"headers":{"\u0041":"1"}}`)},
	{lineOf(`,"request":{"headers":[["\u0041","\u00e9\ud83d\ude00"]]}`)},
	{lineOf(`,"request":{"body":"a\n\"\\\u003c\u0000é"}`)},
	{lineOf(`,"request":{"body":"\ud800"}`)},
	{lineOf(`,"request":{"body_base64":"AP8="},"status":200,"response":{"body_base64":"AP8"}`)},
	{lineOf(`,"request":{"body_base64":"AP\u0038="}`)},
	{lineOf(`,"request":{"body_json":null}`)},
	{lineOf(`,"request":{"body_json": {"a" : [1, "\ud800", 1e999], "a": 2} , "_x": 1}`)},
	{lineOf(`,"request":{"body_json":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`)},
	{lineOf(`,"request":{"media_type":"text/plain"},"status":204,"response":{"media_type":""}`)},
	{lineOf(`,"request":{"headers":[],"media_type":""}`)},
}

// badLines are not valid by the schema. The character ¶ marks the byte that the error must lead to; it is not part of
// the line.
var badLines = []struct{ in, want string }{
	{`¶[]`, "expected an object, got an array"},
	{` ¶null`, "expected an object, got null"},
	{`¶{}`, "method: missing"},
	{`¶{"method":"GET"}`, "url: missing"},
	{`{"method":¶"","url":"http://x/"}`, "method: empty"},
	{`{"method":¶null,"url":"http://x/"}`, "method: expected a string, got null"},
	{`{"method":"GET","url":¶7}`, "url: expected a string, got a number"},
	{`{"Method":¶"GET","url":"http://x/"}`, `unknown property "Method"`},
	{lineOf(`,"statu":¶200`), `unknown property "statu"`},
	{lineOf(`,"status":¶"200"`), "status: expected a number, got a string"},
	{lineOf(`,"status":¶null`), "status: expected a number, got null"},
	{lineOf(`,"status":¶true`), "status: expected a number, got a boolean"},
	{lineOf(`,"status":¶1000`), "status: expected an integer from 0 to 999"},
	{lineOf(`,"status":¶-1`), "status: expected an integer from 0 to 999"},
	{lineOf(`,"status":¶200.5`), "status: expected an integer from 0 to 999"},
	{lineOf(`,"status":¶1e99`), "status: expected an integer from 0 to 999"},
	{lineOf(`,"response":¶{}`), "response: without a status"},
	{lineOf(`,"response":¶{},"status":0`), "response: without a status"},
	{lineOf(`,"request":¶null`), "request: expected an object, got null"},
	{lineOf(`,"status":200,"response":¶[]`), "response: expected an object, got an array"},
	{lineOf(`,"request":{"header":¶[]}`), `request: unknown property "header"`},
	{lineOf(`,"request":{"headers":¶null}`), "request.headers: expected an array, got null"},
	{lineOf(`,"request":{"headers":[¶{}]}`), "request.headers: expected an array, got an object"},
	{lineOf(`,"request":{"headers":[["a","b"], ¶["a"]]}`), "request.headers: expected a name and a value"},
	{lineOf(`,"request":{"headers":[¶["a","b","c"]]}`), "request.headers: expected a name and a value"},
	{lineOf(`,"request":{"headers":[["a",¶1]]}`), "request.headers: expected a string, got a number"},
	{lineOf(`,"request":{"headers":¶[["","b"]]}`), "request.headers: a name that is empty"},
	{lineOf(`,"request":{"headers":¶{"":"b"}}`), "request.headers: a name that is empty"},
	{lineOf(`,"request":{"headers":¶{"":[]}}`), "request.headers: a name that is empty"},
	{lineOf(`,"request":{"headers":{"a":¶1}}`), "request.headers: expected a string, got a number"},
	{lineOf(`,"request":{"headers":{"a":["b",¶["c"]]}}`), "request.headers: expected a string, got an array"},
	{lineOf(`,"request":{"media_type":¶1}`), "request.media_type: expected a string, got a number"},
	{lineOf(`,"request":¶{"headers":[],"media_type":"text/plain"}`), "request: media_type beside headers"},
	{lineOf(`,"request":¶{"media_type":"text/plain","headers":[]}`), "request: media_type beside headers"},
	{lineOf(`,"request":{"body":¶null}`), "request.body: expected a string, got null"},
	{lineOf(`,"request":{"body":¶{}}`), "request.body: expected a string, got an object"},
	{lineOf(`,"request":{"body":"","body_json":¶1}`), "request.body_json: beside body"},
	{lineOf(`,"request":{"body_base64":"","body":¶""}`), "request.body: beside body_base64"},
	{lineOf(`,"request":{"body_base64":"","body_json":¶1}`), "request.body_json: beside body_base64"},
	{lineOf(`,"request":{"body_base64":¶"A"}`), "request.body_base64: illegal base64 data at input byte 0"},
	{lineOf(`,"request":{"body_base64":¶"AP8\n="}`), "request.body_base64: illegal base64 data: a line break"},
}

// unsoundLines are refused, but by what a schema cannot say.
var unsoundLines = []struct{ in, want string }{
	{lineOf(`,"url":¶"http://y/"`), `url: given twice`},
	{lineOf(`,"request":{"body":"","body":¶""}`), `request.body: given twice`},
	{lineOf(``) + `¶x`, "invalid character 'x' after top-level value"},
	{`{"method":"GET","url":"http://x/¶`, "unexpected EOF"},
	{lineOf(`,"x-a":"`) + "¶\xff\"}", ""},
	{"{\"¶\xff\":1}", "not valid UTF-8"},
	{lineOf(`,"x-a":` + strings.Repeat("[", 9_999) + `¶[`), "nested more than 10000 deep"},
}

// TestNDJSONSchema compares the reader and the schema.
func TestNDJSONSchema(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.NewCompiler().Compile("../../docs/exchange.schema.json")
	require.NoError(t, err)
	valid := func(line string) error {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		require.NoError(t, err, line)
		return schema.Validate(value)
	}
	for _, good := range goodLines {
		require.NoError(t, valid(good.in), good.in)
		found, err := collect(readAs(strings.NewReader(good.in), "x.ndjson", formatNDJSON))
		require.NoError(t, err, good.in)
		require.Len(t, found, 1, good.in)
	}
	for _, bad := range badLines {
		require.Error(t, valid(strings.ReplaceAll(bad.in, "¶", "")), bad.in)
	}
}

func TestNDJSONErrors(t *testing.T) {
	t.Parallel()
	for _, bad := range append(badLines, unsoundLines...) {
		at := strings.Index(bad.in, "¶")
		in := strings.ReplaceAll(bad.in, "¶", "")
		before := lineOf("") + "\n \r\n"
		found, err := collect(readAs(strings.NewReader(before+in+"\n"+lineOf("")), "x.ndjson", formatNDJSON))
		var fault *Error
		require.ErrorAs(t, err, &fault, in)
		if errors.As(err, new(*EntryError)) {
			require.Len(t, found, 2, in)
		} else {
			require.Len(t, found, 1, in)
		}
		assert.Equal(t, []any{"x.ndjson", 1, int64(len(before) + at)}, []any{fault.File, fault.Entry, fault.Offset}, in)
		assert.True(t, strings.HasPrefix(fault.Err.Error(), "line 3: "+bad.want), "%.99s: %v", in, err)
	}
}

func TestNDJSONLines(t *testing.T) {
	t.Parallel()
	one := lineOf(`,"status":204`)
	tests := []struct {
		name, in string
		want     []string
	}{
		{"no line feed at the end", one, []string{"L1"}},
		{"line feed at the end", one + "\n", []string{"L1"}},
		{"blank lines", "\n\n" + one + "\r\n \t\r\n" + one + "\n\n ", []string{"L3", "L5"}},
		{"only blank lines", "\n \n", nil},
		{"many", strings.Repeat(one+"\n", 3), []string{"L1", "L2", "L3"}},
	}
	for _, tt := range tests {
		for _, r := range []io.Reader{strings.NewReader(tt.in), iotest.OneByteReader(strings.NewReader(tt.in)), iotest.DataErrReader(strings.NewReader(tt.in))} {
			found, err := collect(readAs(r, "x", formatNDJSON))
			require.NoError(t, err, tt.name)
			var got []string
			for _, e := range found {
				got = append(got, strings.TrimPrefix(e.Source, "x#"))
			}
			assert.Equal(t, tt.want, got, tt.name)
		}
	}
	broken := errors.New("broken")
	_, err := collect(readAs(io.MultiReader(strings.NewReader(one+"\n"+one), iotest.ErrReader(broken)), "x", formatNDJSON))
	require.ErrorIs(t, err, broken)
	assert.EqualError(t, err, fmt.Sprintf("x: entry 1 (byte %d): line 2: broken", 2*len(one)+1))
}

func TestNDJSONIsHandedOutAtOnce(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	defer r.Close()
	line := lineOf("") + "\n"
	go func() { _, _ = io.WriteString(w, line) }()
	n := 0
	for e, err := range Read(t.Context(), r, "-") { // would wait for ever if it wanted more than a line
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprintf("-#L%d", n+1), e.Source)
		if n++; n == 3 {
			break
		}
		go func() { _, _ = io.WriteString(w, line) }()
	}
	assert.Equal(t, 3, n)
}

func TestWriteNDJSON(t *testing.T) {
	t.Parallel()
	for _, good := range goodLines {
		ex, err := newLineReader().exchange([]byte(good.in), &Exchange{})
		require.NoError(t, err)
		requireRoundTrip(t, ex)
	}
	for e, err := range Read(t.Context(), nil, "testdata") {
		require.NoError(t, err)
		e.Source = ""
		requireRoundTrip(t, e)
	}

	var out bytes.Buffer
	ex, err := newLineReader().exchange([]byte(lineOf(`,"status":200,"request":{"headers":{"b":"<1>","a":["2","3"]},"body":""},"response":{"body_base64":"/w"}`)), &Exchange{})
	require.NoError(t, err)
	require.NoError(t, WriteNDJSON(&out, ex))
	assert.Equal(t, lineOf(`,"status":200,"request":{"headers":[["A","2"],["A","3"],["B","<1>"]],"body":""},"response":{"body_base64":"/w=="}`)+"\n", out.String())
}

// requireRoundTrip writes an exchange, which must be read back as the same.
func requireRoundTrip(t *testing.T, ex *Exchange) {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, WriteNDJSON(&out, ex))
	again, err := collect(readAs(&out, "x", formatUnknown))
	require.NoError(t, err)
	require.Len(t, again, 1)
	again[0].Source, again[0].Size = ex.Source, ex.Size
	require.Equal(t, ex.URL.String(), again[0].URL.String())
	again[0].URL = ex.URL
	require.Equal(t, ex, again[0])
}

func TestWriteNDJSONErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*Exchange){
		"method: empty":                                             func(e *Exchange) { e.Method = "" },
		"method: not valid UTF-8":                                   func(e *Exchange) { e.Method = "\xff" },
		"url: not valid UTF-8":                                      func(e *Exchange) { e.URL.RawQuery = "\xff" },
		"status: 1000 is not an HTTP status":                        func(e *Exchange) { e.Status = 1000 },
		"request.headers: a value of \"Token\" is not valid UTF-8":  func(e *Exchange) { e.Request.Header["Token"] = []string{"secret\xff"} },
		"response.headers: a name that is empty or not valid UTF-8": func(e *Exchange) { e.Response.Header[""] = []string{"a"} },
		"request.media_type: not valid UTF-8":                       func(e *Exchange) { e.Request.HeaderOmitted = true; e.Request.Header.Set("Content-Type", "\xff") },
	}
	for want, change := range tests {
		ex, err := newLineReader().exchange([]byte(lineOf(`,"status":200,"request":{"headers":[]},"response":{"headers":[]}`)), &Exchange{})
		require.NoError(t, err)
		change(ex)
		var out bytes.Buffer
		require.EqualError(t, WriteNDJSON(&out, ex), want)
		assert.Zero(t, out.Len(), want)
	}
}

// These tests do not run in parallel with others, see har_large_test.go.

func TestNDJSONTooLarge(t *testing.T) {
	skipLarge(t)
	one := lineOf("") + "\n"
	for tail, skips := range map[string]bool{"": false, "\"}\n" + one: true} {
		found, err := collect(readAs(repeat(one+`{"method":"PUT","url":"http://y/z","a":"`, strings.Repeat("a", 1<<20), 65, tail), "x", formatNDJSON))
		require.ErrorIs(t, err, errTooLarge)
		assert.EqualError(t, err, fmt.Sprintf("x: entry 1 (byte %d): line 2: larger than the limit of 64 MiB", len(one)))
		var entry *EntryError
		require.Equal(t, skips, errors.As(err, &entry), "a last line without its end may be cut off")
		if skips {
			require.Equal(t, []string{"PUT", "http://y/z"}, []string{entry.Method, entry.URL.String()})
			assert.Equal(t, "x#L3", found[1].Source)
			assert.Equal(t, int64(len(one)), found[1].Size)
		}
	}
}
