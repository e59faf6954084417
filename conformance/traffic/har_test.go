package traffic

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// collect ranges over seq to its end, and returns the first error.
func collect(seq iter.Seq2[*Exchange, error]) (exchanges []*Exchange, err error) {
	ended := false
	for e, failure := range seq {
		if ended {
			panic("yielded after an error")
		}
		if failure != nil {
			ended = !errors.As(failure, new(*EntryError))
			if err == nil {
				err = failure
			}
			continue
		}
		exchanges = append(exchanges, e)
	}
	return exchanges, err
}

// readAs reads a recording in that format, or in the one that it seems to have.
func readAs(file io.Reader, name string, as format) iter.Seq2[*Exchange, error] {
	return func(yield func(*Exchange, error) bool) {
		r := &recording{ctx: context.Background(), pool: &Pool{}, name: name, yield: yield, attachments: noFiles{}}
		if err := r.read(file, as); err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	}
}

func readHAR(file io.Reader, name string) iter.Seq2[*Exchange, error] {
	return readAs(file, name, formatHAR)
}

// archive is a HAR file of those entries.
func archive(entries ...string) string {
	return `{"log":{"version":"1.2","creator":{"name":"test","version":"1"},"entries":[` + strings.Join(entries, ",") + `]}}`
}

// entry is an entry with those members added to its request and response.
func entry(method, request, response string) string {
	return fmt.Sprintf(`{"request":{"method":%q,"url":"https://secure.fleetio.com/api/v1/faults"%s},"response":{%s}}`,
		method, request, response)
}

// show puts an exchange on a few lines.
func show(e *Exchange) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s %d\n", e.Source, e.Method, e.URL, e.Status)
	for _, m := range []Message{e.Request, e.Response} {
		keys := make([]string, 0, len(m.Header))
		for key := range m.Header {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for _, key := range keys {
			fmt.Fprintf(&b, "  %s: %s\n", key, strings.Join(m.Header[key], " | "))
		}
		body := fmt.Sprintf("%q", m.Body)
		if m.BodyOmitted {
			body = "omitted"
		}
		fmt.Fprintf(&b, "  = %s\n", body)
	}
	return b.String()
}

var update = flag.Bool("update", false, "write the golden file anew")

func TestReadHARRecorders(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	for _, name := range []string{"chrome", "firefox", "safari", "mitmproxy", "playwright"} {
		raw, err := os.ReadFile(filepath.Join("testdata", name+".har"))
		if err != nil {
			t.Fatal(err)
		}
		exchanges, err := collect(readHAR(bytes.NewReader(raw), name+".har"))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range exchanges {
			got.WriteString(show(e))
		}

		// What is read does not depend on how the bytes arrive.
		again, err := collect(readHAR(iotest.OneByteReader(bytes.NewReader(raw)), name+".har"))
		if err != nil || !reflect.DeepEqual(again, exchanges) {
			t.Errorf("%s.har, byte by byte: other exchanges, or error %v", name, err)
		}
	}
	const path = "testdata/exchanges.golden"
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(golden) {
		t.Errorf("%s differs; -update writes it anew. Found:\n%s", path, &got)
	}
}

func TestReadHARStructure(t *testing.T) {
	t.Parallel()
	one := entry("GET", "", `"status":204`)
	tests := []struct {
		name, in string
		want     int
	}{
		{"no entries", archive(), 0},
		{"two entries", archive(one, one), 2},
		{"entries first", `{"log":{"entries":[` + one + `],"pages":[{"id":"p"}],"version":"1.2"}}`, 1},
		{"unknown members everywhere", `{"_a":[{"log":{"entries":7}}],"log":{"entries":[` + one + `],"_b":{"entries":[1,[2]]}},"_c":1e999}`, 1},
		{"blanks", " \r\n\t" + archive(one) + "\n \n", 1},
		{"byte order mark", "\ufeff" + archive(one), 1},
		{"a member named with escapes", `{"l\u006fg":{"entries":[` + one + `]}}`, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := collect(readHAR(strings.NewReader(tt.in), "x.har"))
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != tt.want {
				t.Errorf("%d exchanges, want %d", len(got), tt.want)
			}
		})
	}
}

// The character ¶ in an input marks the byte that the error must lead to; it is not part of the file.
func TestReadHARErrors(t *testing.T) {
	t.Parallel()
	ok := entry("GET", "", `"status":204`)
	tests := []struct {
		name, in string
		entry    int
		want     string
	}{
		{"empty file", "¶", -1, "the file is empty"},
		{"only a byte order mark", "\ufeff¶", -1, "unexpected EOF"},
		{"only blanks", " \n¶", -1, "unexpected EOF"},
		{"UTF-16", "¶\xff\xfe{\x00", -1, "text in UTF-16; convert it to UTF-8"},
		{"not JSON", "¶<html>", -1, "HTML or XML instead of a recording"},
		{"not JSON after a byte order mark", "\ufeff ¶<html>", -1, "HTML or XML instead of a recording"},
		{"array", " ¶[]", -1, "expected an object, got an array"},
		{"string", ` ¶"log"`, -1, "expected an object, got a string"},
		{"no log", `{"entries":[]}¶`, -1, "no log, so not a HAR file"},
		{"no entries", `{"log":{"pages":[]}¶}`, -1, "log: no entries, so not a HAR file"},
		{"log is null", `{"log": ¶null}`, -1, "log: expected an object, got null"},
		{"log is a number", `{"log":¶-1.50}`, -1, "log: expected an object, got a number"},
		{"entries is an object", `{"log":{"entries" : ¶{}}}`, -1, "log.entries: expected an array, got an object"},
		{"entries is a boolean", `{"log":{"entries":¶false}}`, -1, "log.entries: expected an array, got a boolean"},
		{"two logs", `{"log":{"entries":[]}, "log":¶{}}`, -1, "log: given twice"},
		{"two lists", `{"log":{"entries":[],"entries":¶[]}}`, -1, "log.entries: given twice"},
		{"data after the end", archive() + "\n¶{}", -1, "data after the end of the archive"},
		{"bracket after the end", archive() + "¶]", -1, "data after the end of the archive"},
		{"nonsense after the end", archive() + " ¶x", -1, "data after the end of the archive"},
		{"bad literal in a skipped member", `{"a":[{"b": [1, tr¶x]}]}`, -1, "invalid character 'x' in literal true (expecting 'u')"},
		{"no comma between members", `{"a":1 ¶"b":2}`, -1, `invalid character '"' after object key:value pair`},
		{"no colon", `{"a" ¶1}`, -1, "invalid character '1' after object key"},
		{"nested too deeply", `{"a":` + strings.Repeat("[", strictjson.MaxDepth-1) + "¶[", -1, "nested more than 10000 deep"},

		{"cut off between entries", `{"log":{"entries":[` + ok + `¶`, -1, "unexpected EOF"},
		{"cut off after a comma", `{"log":{"entries":[` + ok + `, ¶`, 1, "unexpected EOF"},
		{"cut off in an entry", `{"log":{"entries":[` + ok + `,{"request":{"met¶`, 1, "unexpected EOF"},
		{"cut off after the entries", `{"log":{"entries":[` + ok + `]}¶`, -1, "unexpected EOF"},
		{"no comma between entries", `{"log":{"entries":[` + ok + ` ¶` + ok + `]}}`, 1, `invalid character '{' after array element`},
		{"comma after the last entry", `{"log":{"entries":[` + ok + `, ¶]}}`, 1, "invalid character ']' looking for beginning of value"},
		{"list closed as an object", `{"log":{"entries":[` + ok + ` ¶}}}`, -1, "invalid character '}' after array element"},
		{"syntax in an entry", archive(ok, ` {"request": {"method": ¶GET}}`), 1, "invalid character 'G' looking for beginning of value"},
		{"control character in a string", archive(ok, "{\"request\":{\"method\":\"G¶\nT\"}}"), 1, `invalid character '\n' in string literal`},
		{"not UTF-8", archive(ok, ok, entry("GET", "", `"status":200,"content":{"text":"a€¶`+"\xe9"+`b"}`)), 2, "not valid UTF-8"},
		{"not UTF-8 after a byte order mark", "\ufeff" + archive("{\"a\":\"¶\xff\"}"), 0, "not valid UTF-8"},

		{"entry is a number", archive(ok, " ¶12"), 1, "expected an object, got a number"},
		{"entry is null", archive("¶null"), 0, "request: missing"},
		{"no request", archive(`¶{"response":{"status":200}}`), 0, "request: missing"},
		{"request is a string", archive(`{"request" : ¶"a\"b"}`), 0, "request: expected an object, got a string"},
		{"no method", archive(`¶{"request":{"url":"https://x"}}`), 0, "request.method: missing or empty"},
		{"no URL", archive(`¶{"request":{"method":"GET","url":null}}`), 0, "request.url: missing or empty"},
		{"status as a string", archive(ok, entry("GET", "", `"headers":[],"status": ¶"200"`)), 1, "response.status: expected an integer, got a string"},
		{"status with a fraction", archive(entry("GET", "", `"status":¶200.5`)), 0, "response.status: expected an integer, got a number"},
		{"status too large", archive("¶" + entry("GET", "", `"status":1000`)), 0, "response.status: 1000 is not an HTTP status"},
		{"size out of range", archive(entry("GET", `,"bodySize":¶1e999`, "")), 0, "request.bodySize: expected a number, got one that is out of range"},
		{"headers as an object", archive(entry("GET", `,"headers":¶{"a":"b"}`, "")), 0, "request.headers: expected an array, got an object"},
		{"header value as a number", archive(entry("GET", `,"headers":[{"name":"a","value":"b"},{"name":"c","value":¶8675309}]`, "")), 0, "request.headers.value: expected a string, got a number"},
		{"text as an object", archive(entry("GET", "", `"content":{"text":¶{"s3cret":1}}`)), 0, "response.content.text: expected a string, got an object"},
		{"text as a boolean", archive(entry("POST", `,"postData":{"text":¶true}`, "")), 0, "request.postData.text: expected a string, got a boolean"},
		{"bad base64", archive("¶" + entry("GET", "", `"status":200,"content":{"text":"eyJ!","encoding":"base64"}`)), 0, "response.content.text: illegal base64 data at input byte 3"},
		{"bad base64 of a request", archive("¶" + entry("POST", `,"postData":{"text":"e","encoding":"base64"}`, "")), 0, "request.postData.text: illegal base64 data at input byte 0"},
		{"other encoding", archive("¶" + entry("GET", "", `"status":200,"content":{"text":"a","encoding":"gzip"}`)), 0, "response.content.encoding: expected base64 or nothing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			before, after, found := strings.Cut(tt.in, "¶")
			if !found {
				t.Fatal("no mark")
			}
			// Byte by byte too: where the buffers end must not show.
			for _, r := range []io.Reader{
				strings.NewReader(before + after),
				iotest.OneByteReader(strings.NewReader(before + after)),
			} {
				_, err := collect(readHAR(r, "x.har"))
				var got *Error
				if !errors.As(err, &got) {
					t.Fatalf("error %v (%T)", err, err)
				}
				want := Error{File: "x.har", Entry: tt.entry, Offset: int64(len(before))}
				if got.File != want.File || got.Entry != want.Entry || got.Offset != want.Offset || got.Err.Error() != tt.want {
					t.Errorf("file %s, entry %d, byte %d: %v\nwant entry %d, byte %d: %s",
						got.File, got.Entry, got.Offset, got.Err, want.Entry, want.Offset, tt.want)
				}
			}
		})
	}
}

// TestReadHARAlike reads entries that are almost like the one before, as each would be read alone: what is remembered of an
// entry must not show in the next.
func TestReadHARAlike(t *testing.T) {
	t.Parallel()
	entry := func(request, response string) string {
		return `{"_a":1,"request":{"method":"POST","url":"http://x/a"` + request + `},"b":[{}],"response":{"status":201` + response + `},"time":1}`
	}
	headers := func(fields string) string { return `,"headers":[` + fields + `]` }
	a, b := `{"name":"A","value":"1"}`, `{"name":"b","value":"2"}`
	entries := []string{
		entry(headers(a+`,`+b)+`,"postData":{"mimeType":"a/b","text":"x"}`, headers(b)+`,"content":{"size":1,"text":"y"}`),
		entry(headers(a+`, `+b)+`,"postData":{"mimeType":"a/b", "text":"x"}`, headers(b)+`,"content":{"size":1,"text":"y"}`),
		entry(headers(a)+`,"postData":{"mimeType":null,"text":null}`, headers(``)+`,"content":{"size":null,"text":null}`),
		entry(headers(b+`,`+a+`,`+b)+`,"postData":null`, headers(`null,`+b)+`,"content":null`),
		entry(headers(`{"name":"A","value":null},{"name":"b","value":"2","name":"C"}`), headers(`{"value":"1","name":"A"},{"value":"2"}`)),
		entry(headers(`{"name":"A","value":"1","value":"2"},`+a), headers(`{"name":":A","value":"1"},{"name":"","value":"2"},{}`)),
		entry(`,"x":{"headers":[1]}`+headers(a), `,"content":{"text":"y","size":1}`+headers(b+`,`+b)),
		entry(`,"method":"GET","url":"http://x/b","headers":null`, `,"status":404,"content":{"text":"\u00e9","mimeType":"c/d"}`),
		`{"response":{"headers":[` + a + `],"status":200},"request":{"url":"http://x/c","method":"PUT","bodySize":0}}`,
		`{"request":{"method":"GET","url":"/"},"response":null}`,
	}
	var all []string
	for i := range entries {
		for j := range entries {
			all = append(all, entries[i], entries[j])
		}
	}
	found, err := collect(readHAR(strings.NewReader(archive(all...)), "x"))
	if err != nil || len(found) != len(all) {
		t.Fatalf("%d exchanges, error %v", len(found), err)
	}
	for i, text := range all {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			want, err := collect(readHAR(strings.NewReader(archive(text)), "x"))
			if err != nil {
				t.Fatal(err)
			}
			want[0].Source, want[0].Size = found[i].Source, found[i].Size
			if !reflect.DeepEqual(want[0], found[i]) {
				t.Errorf("%s: %s\nbehind %s: %s", text, show(want[0]), all[max(i-1, 0)], show(found[i]))
			}
		})
	}
}

// TestReadHARBrokenAlike breaks entries where the one before was well-formed.
func TestReadHARBrokenAlike(t *testing.T) {
	t.Parallel()
	one := entry("POST", `,"headers":[{"name":"A","value":"1"},{"name":"B","value":"2"}]`, `"status":200`)
	for i := 1; i < len(one); i++ {
		for name, broken := range map[string]string{"cut": one[:i], "doubled": one[:i+1] + one[i:], "left out": one[:i] + one[i+1:]} {
			t.Run(fmt.Sprintf("%s at %d", name, i), func(t *testing.T) {
				t.Parallel()
				want, wantErr := collect(readHAR(strings.NewReader(archive(broken)), "x"))
				found, err := collect(readHAR(strings.NewReader(archive(one, broken)), "x"))
				switch {
				case (err == nil) != (wantErr == nil):
					t.Errorf("%v behind an entry, %v alone", err, wantErr)
				case err == nil && show(want[0]) != strings.Replace(show(found[1]), "/entries/1", "/entries/0", 1):
					t.Error(show(found[1]))
				}
			})
		}
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	fault := errors.New("response.status: expected an integer, got a string")
	for want, err := range map[string]*Error{
		"page.har: entry 3 (byte 10422): response.status: expected an integer, got a string": {"page.har", 3, 10422, fault},
		"page.har: byte 0: response.status: expected an integer, got a string":               {"page.har", -1, 0, fault},
		"page.har: response.status: expected an integer, got a string":                       {"page.har", -1, -1, fault},
	} {
		if got := err.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if !errors.Is(err, fault) {
			t.Errorf("%v does not wrap its fault", err)
		}
	}
}

func TestReadHARErrorTypes(t *testing.T) {
	t.Parallel()
	_, err := collect(readHAR(strings.NewReader(`{"log":`), "x.har"))
	if !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		t.Errorf("cut off: %v", err)
	}
	_, err = collect(readHAR(strings.NewReader(`{"log":}`), "x.har"))
	if !errors.As(err, new(strictjson.SyntaxError)) {
		t.Errorf("syntax: %v", err)
	}

	broken := errors.New("broken pipe")
	for _, n := range []int{0, 2, 40, len(archive())} {
		r := io.MultiReader(strings.NewReader(archive()[:n]), iotest.ErrReader(broken))
		_, err = collect(readHAR(r, "x.har"))
		var got *Error
		if !errors.As(err, &got) || !errors.Is(err, broken) || got.Offset != int64(n) {
			t.Errorf("reader that fails after %d bytes: %v", n, err)
		}
	}
}

func TestReadHARStopsAtAnError(t *testing.T) {
	t.Parallel()
	ok := entry("GET", "", `"status":204`)
	got, err := collect(readHAR(strings.NewReader(archive(ok, `{"a":x}`, ok)), "x.har"))
	if len(got) != 1 || err == nil {
		t.Errorf("%d exchanges, error %v", len(got), err)
	}
}

func TestReadHARStopsWithItsConsumer(t *testing.T) {
	t.Parallel()
	ok := entry("GET", "", `"status":204`)
	// The error behind the second entry must not be reached.
	for e, err := range readHAR(strings.NewReader(archive(ok, ok)+"x"), "x.har") {
		if err != nil {
			t.Fatal(err)
		}
		if e.Source == "x.har#/log/entries/1" {
			break
		}
	}
}

func TestReadHARStatus(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, response string
		want           int
	}{
		{"missing response", ``, 0},
		{"null response", `,"response":null`, 0},
		{"empty response", `,"response":{}`, 0},
		{"null status", `,"response":{"status":null}`, 0},
		{"0", `,"response":{"status":0,"headers":[{"name":"A","value":"b"}],"content":{"text":"x","encoding":"?"}}`, 0},
		{"-1", `,"response":{"status":-1}`, 0},
		{"100", `,"response":{"status":100}`, 100},
		{"201", `,"response":{"status":201}`, 201},
		{"999", `,"response":{"status":999}`, 999},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := archive(`{"request":{"method":"GET","url":"https://x/"}` + tt.response + `}`)
			got, err := collect(readHAR(strings.NewReader(in), "x.har"))
			if err != nil {
				t.Fatal(err)
			}
			e := got[0]
			if e.Status != tt.want || e.Answered() != (tt.want != 0) {
				t.Errorf("status %d, answered %t", e.Status, e.Answered())
			}
			if !e.Answered() && !reflect.DeepEqual(e.Response, Message{}) {
				t.Errorf("a response without an answer: %+v", e.Response)
			}
		})
	}
}

func TestReadHARHeaders(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, response string
		want           http.Header
	}{
		{"none", `"headers":[]`, http.Header{}},
		{"null", `"headers":null,"content":null`, http.Header{}},
		{"canonical", `"headers":[{"name":"x-request-id","value":"1"}]`, http.Header{"X-Request-Id": {"1"}}},
		{"in order", `"headers":[{"name":"vary","value":"b"},{"name":"Vary","value":"a"}]`, http.Header{"Vary": {"b", "a"}}},
		{"pseudo", `"headers":[{"name":":status","value":"200"},{"name":"a","value":"b"}]`, http.Header{"A": {"b"}}},
		{"null value, no name, null field", `"headers":[{"name":"a","value":null},{"value":"x"},null]`, http.Header{"A": {""}}},
		{"media type without a list", `"content":{"mimeType":"application/json"}`, http.Header{"Content-Type": {"application/json"}}},
		{"media type beside a list", `"headers":[{"name":"a","value":"b"}],"content":{"mimeType":"text/plain"}`, http.Header{"A": {"b"}}},
		{"media type beside pseudo headers", `"headers":[{"name":":status","value":"200"}],"content":{"mimeType":"text/plain"}`, http.Header{}},
		{"unknown media type", `"content":{"mimeType":"x-unknown"}`, http.Header{}},
		{"empty media type", `"content":{"mimeType":""}`, http.Header{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := collect(readHAR(strings.NewReader(archive(entry("GET", "", `"status":200,`+tt.response))), "x.har"))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got[0].Response.Header, tt.want) {
				t.Errorf("got %v, want %v", got[0].Response.Header, tt.want)
			}
		})
	}
	t.Run("request", func(t *testing.T) {
		t.Parallel()
		got, err := collect(readHAR(strings.NewReader(archive(entry("POST", `,"postData":{"mimeType":"a/b","text":"x"}`, ""))), "x.har"))
		if err != nil || got[0].Request.Header.Get("Content-Type") != "a/b" {
			t.Errorf("%v, error %v", got, err)
		}
	})
}

func TestReadHARRequestBody(t *testing.T) {
	t.Parallel()
	const omitted = "(omitted)"
	length := `"headers":[{"name":"Content-Length","value":"5"}]`
	tests := []struct {
		name, method, request, want string
	}{
		{"text", "POST", `"postData":{"text":"ab"},"bodySize":-1`, "ab"},
		{"text of a GET", "GET", `"postData":{"text":"ab"}`, "ab"},
		{"base64", "POST", `"postData":{"text":"YQ==","encoding":"base64"}`, "a"},
		{"text and params", "POST", `"postData":{"text":"a=b","params":[{"name":"a","value":"b"}]}`, "a=b"},

		{"nothing known", "POST", `"method":"POST"`, omitted},
		{"size 0", "POST", `"bodySize":0`, ""},
		{"size 0 and a length", "POST", `"bodySize":0,` + length, omitted},
		{"size -1", "POST", `"bodySize":-1`, omitted},
		{"size 5", "POST", `"bodySize":5`, omitted},
		{"null postData, size 0", "PUT", `"postData":null,"bodySize":0`, ""},
		{"null everything", "PATCH", `"postData":null,"bodySize":null`, omitted},

		{"GET, nothing known", "GET", `"headers":[]`, ""},
		{"GET, size -1", "GET", `"bodySize":-1`, ""},
		{"GET, size 5", "GET", `"bodySize":5`, omitted},
		{"GET, empty postData", "GET", `"bodySize":-1,"postData":{"mimeType":"","text":""}`, ""},
		{"DELETE and a length", "DELETE", `"bodySize":-1,` + length, omitted},
		{"HEAD, OPTIONS, TRACE alike", "TRACE", `"bodySize":-1`, ""},
		{"another method", "QUERY", `"bodySize":-1`, omitted},

		{"empty text, no size", "POST", `"postData":{"text":""}`, ""},
		{"empty text, size 0", "POST", `"postData":{"text":"","params":[]},"bodySize":0`, ""},
		{"empty text, size 5", "POST", `"postData":{"text":""},"bodySize":5`, omitted},
		{"empty text, size -1, as Playwright", "POST", `"postData":{"text":"","params":[]},"bodySize":-1`, omitted},
		{"empty text and params", "POST", `"postData":{"text":"","params":[{"name":"a"}]},"bodySize":0`, omitted},
		{"empty text and a comment, as Firefox", "POST", `"postData":{"text":"","comment":"discarded"},"bodySize":0`, omitted},
		{"only params", "POST", `"postData":{"params":[{"name":"a"}]}`, omitted},
		{"no text, size 0", "POST", `"postData":{"mimeType":"a/b"},"bodySize":0`, ""},
		{"no text, no size", "POST", `"postData":{"mimeType":"a/b"}`, omitted},
		{"null text, size 0, as mitmproxy", "POST", `"postData":{"text":null,"params":[]},"bodySize":0`, omitted},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := collect(readHAR(strings.NewReader(archive(entry(tt.method, ","+tt.request, ""))), "x.har"))
			if err != nil {
				t.Fatal(err)
			}
			checkBody(t, got[0].Request, tt.want == omitted, strings.TrimSuffix(tt.want, omitted))
		})
	}
}

func TestReadHARResponseBody(t *testing.T) {
	t.Parallel()
	const omitted = "(omitted)"
	length := `"headers":[{"name":"content-length","value":"5"}]`
	tests := []struct {
		name, method string
		status       int
		response     string
		want         string
	}{
		{"text", "POST", 201, `"content":{"size":2,"text":"ab"}`, "ab"},
		{"text of an unknown size", "POST", 201, `"content":{"size":-1,"text":"ab"}`, "ab"},
		{"text beyond ASCII", "POST", 201, `"content":{"text":"\u00fc\ud83d\ude00"}`, "ü😀"},
		{"text with an empty encoding", "POST", 201, `"content":{"text":"ab","encoding":""}`, "ab"},
		{"text with a null encoding", "POST", 201, `"content":{"text":"ab","encoding":null}`, "ab"},
		{"base64", "POST", 201, `"content":{"text":"/+8=","encoding":"base64"}`, "\xff\xef"},
		{"base64 in capitals", "POST", 201, `"content":{"text":"YQ==","encoding":"BASE64"}`, "a"},
		{"base64 without padding", "POST", 201, `"content":{"text":"YQ","encoding":"base64"}`, "a"},
		{"base64 in lines", "POST", 201, `"content":{"text":" YW\r\n\tJj","encoding":"base64"}`, "abc"},
		{"text of a HEAD", "HEAD", 200, `"content":{"text":"ab"}`, "ab"},

		{"empty text", "POST", 403, `"content":{"text":""}`, ""},
		{"empty text, size 0", "POST", 403, `"content":{"size":0,"text":"","encoding":"base64"}`, ""},
		{"empty text, size -1", "POST", 403, `"content":{"size":-1,"text":""}`, ""},
		{"empty text, size 5", "POST", 403, `"content":{"size":5,"text":""}`, omitted},
		{"empty base64, size 5", "POST", 403, `"content":{"size":5,"text":"","encoding":"base64"}`, omitted},
		{"empty text and a length", "POST", 403, `"content":{"size":0,"text":""},` + length, omitted},

		{"no content", "POST", 201, `"bodySize":-1`, omitted},
		{"no content, body size 0", "POST", 201, `"bodySize":0`, ""},
		{"null content, no body size", "POST", 201, `"content":null`, omitted},
		{"no text, size 0", "POST", 201, `"content":{"size":0}`, ""},
		{"no text, size 0, body size -1", "POST", 201, `"content":{"size":0},"bodySize":-1`, ""},
		{"no text, size 0, body size 5", "POST", 201, `"content":{"size":0},"bodySize":5`, omitted},
		{"no text, size 0 and a length", "POST", 201, `"content":{"size":0},` + length, omitted},
		{"no text, size 0 and a comment, as Firefox", "POST", 201, `"content":{"size":0,"comment":"discarded"}`, omitted},
		{"null text, size 0, as mitmproxy", "POST", 201, `"content":{"size":0,"text":null},"bodySize":0`, omitted},
		{"no text, size -1", "POST", 201, `"content":{"size":-1},"bodySize":0`, omitted},
		{"no text, size 5", "POST", 201, `"content":{"size":5}`, omitted},
		{"no text, no size", "POST", 201, `"content":{"mimeType":"a/b"}`, omitted},
		{"no text, no size, body size 0", "POST", 201, `"content":{},"bodySize":0`, ""},
		{"a file beside it, as Playwright", "POST", 201, `"content":{"size":5,"_file":"a.json"},"bodySize":-1`, omitted},

		{"HEAD", "HEAD", 200, `"content":{"size":5},` + length, ""},
		{"204", "POST", 204, `"content":{"size":-1},"bodySize":-1`, ""},
		{"304", "GET", 304, length, ""},
		{"101", "GET", 101, `"content":null`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := archive(entry(tt.method, "", fmt.Sprintf(`"status":%d,%s`, tt.status, tt.response)))
			got, err := collect(readHAR(strings.NewReader(in), "x.har"))
			if err != nil {
				t.Fatal(err)
			}
			checkBody(t, got[0].Response, tt.want == omitted, strings.TrimSuffix(tt.want, omitted))
		})
	}
}

func checkBody(t *testing.T, m Message, omitted bool, body string) {
	t.Helper()
	if m.BodyOmitted != omitted || string(m.Body) != body {
		t.Errorf("body %q, omitted %t; want %q, omitted %t", m.Body, m.BodyOmitted, body, omitted)
	}
}

// Whatever is wrong with an entry, what it holds must not get into the error.
func TestErrorsKeepSecrets(t *testing.T) {
	t.Parallel()
	const secret = "s3cret"
	url := `"url":"https://user:s3cret@secure.fleetio.com/?key=s3cret"`
	headers := `"headers":[{"name":"Authorization","value":"s3cret"}]`
	tests := map[string]string{
		"method":        `{"request":{` + url + `,` + headers + `}}`,
		"status":        `{"request":{"method":"GET",` + url + `,` + headers + `},"response":{"status":"s3cret"}}`,
		"header":        `{"request":{"method":"GET",` + url + `,"headers":"s3cret"}}`,
		"header name":   `{"request":{"method":"GET",` + url + `,"headers":[{"name":{"s3cret":1},"value":"s3cret"}]}}`,
		"base64":        `{"request":{"method":"POST",` + url + `,"postData":{"text":"s3cret!","encoding":"base64"}}}`,
		"encoding":      `{"request":{"method":"POST",` + url + `,"postData":{"text":"s3cret","encoding":"s3cret"}}}`,
		"not UTF-8":     `{"request":{"method":"POST",` + url + `,"postData":{"text":"s3cret` + "\xff" + `"}}}`,
		"syntax":        `{"request":{"method":"POST",` + url + `,"postData":{"text":s3cret}}}`,
		"unclosed text": `{"request":{"method":"POST",` + url + `,"postData":{"text":"s3cret`,
		"entry":         `"s3cret"`,
	}
	for name, in := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := collect(readHAR(strings.NewReader(archive(in)), "x.har"))
			if err == nil {
				t.Fatal("no error")
			}
			for ; err != nil; err = errors.Unwrap(err) {
				if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, secret) {
					t.Errorf("the secret is in the error: %s", text)
				}
			}
		})
	}
}

// TestReadHARKeepsBadURLs reads on past a request to somewhere else, whose URL Go refuses.
func TestReadHARKeepsBadURLs(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"https://user:s3cret", "https://ads.example/%zz", "http://[::1"} {
		archive := `{"log":{"entries":[{"request":{"method":"GET","url":"` + bad + `"}},{"request":{"method":"GET","url":"/a"}}]}}`
		var paths []string
		for e, err := range readHAR(strings.NewReader(archive), "a.har") {
			if err != nil {
				t.Fatal(err)
			}
			paths = append(paths, e.URL.Path)
		}
		if len(paths) != 2 || paths[0] != "" || paths[1] != "/a" {
			t.Errorf("%s: paths %q", bad, paths)
		}
	}
}

// TestReadHAROmittedHeaders tells a header that was not recorded from one without fields.
func TestReadHAROmittedHeaders(t *testing.T) {
	t.Parallel()
	for member, omitted := range map[string]bool{``: true, `,"headers":null`: true, `,"headers":[]`: true,
		`,"headers":[{"name":"A","value":"b"}]`: false} {
		archive := `{"log":{"entries":[{"request":{"method":"GET","url":"/a"` + member + `},"response":{"status":200` + member +
			`,"content":{"mimeType":"a/b"}}}]}}`
		for e, err := range readHAR(strings.NewReader(archive), "a.har") {
			if err != nil {
				t.Fatal(err)
			}
			if e.Request.HeaderOmitted != omitted || e.Response.HeaderOmitted != omitted {
				t.Errorf("%q: omitted %t and %t, want %t", member, e.Request.HeaderOmitted, e.Response.HeaderOmitted, omitted)
			}
			if got, want := e.Response.Header.Get("Content-Type"), !strings.Contains(member, "name"); (got == "a/b") != want {
				t.Errorf("%q: Content-Type %q", member, got)
			}
		}
	}
}

// TestReadHARBrowsers reads what browsers write of requests that they answered on their own.
func TestReadHARBrowsers(t *testing.T) {
	t.Parallel()
	const field = `"headers":[{"name":"A","value":"b"}]`
	one := func(member, response string) string {
		return `{` + member + `"request":{"method":"GET","url":"/a",` + field + `},"response":{` + field + `,"content":{"text":"body"},` + response + `}}`
	}
	tests := map[string]struct {
		entry                           string
		status                          int
		requestOmitted, responseOmitted bool // headers
		body                            string
	}{
		"from the network":          {one(`"_fetchType":"Network Load","_fromCache":null,`, `"status":200`), 200, false, false, "body"},
		"Chrome's cache":            {one(`"_fromCache":"disk",`, `"status":200`), 200, true, true, "body"},
		"Safari's cache":            {one(`"_fetchType":"Memory Cache",`, `"status":200`), 200, true, true, "body"},
		"a service worker":          {one("", `"status":200,"_fetchedViaServiceWorker":true`), 200, true, true, "body"},
		"no service worker":         {one("", `"status":200,"_fetchedViaServiceWorker":false`), 200, false, false, "body"},
		"a cache that was asked":    {one("", `"status":304`), 304, false, true, ""},
		"a part":                    {one("", `"status":206`), 206, false, false, "omitted"},
		"a redirect of the server":  {one("", `"status":307`), 307, false, false, "body"},
		"a redirect of the browser": {strings.Replace(one("", `"status":307`), `"response":{"headers":[`, `"response":{"headers":[{"name":"Non-Authoritative-Reason","value":"HSTS"},`, 1), 0, false, false, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := collect(readHAR(strings.NewReader(archive(tt.entry)), "x.har"))
			require.NoError(t, err)
			e := found[0]
			assert.Equal(t, []any{tt.status, tt.requestOmitted, tt.responseOmitted, tt.body == "omitted"},
				[]any{e.Status, e.Request.HeaderOmitted, e.Response.HeaderOmitted, e.Response.BodyOmitted})
			assert.Equal(t, strings.TrimPrefix(tt.body, "omitted"), string(e.Response.Body))
		})
	}
}

// TestReadHARFields reads header fields that recorders write in other ways.
func TestReadHARFields(t *testing.T) {
	t.Parallel()
	fields := func(pairs ...string) string {
		var list []string
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, fmt.Sprintf(`{"name":%q,"value":%q}`, pairs[i], pairs[i+1]))
		}
		return `"headers":[` + strings.Join(list, ",") + `]`
	}
	const cookies = `,"cookies":[{"name":"a","value":"1"},{"name":"sid","value":"x y\u00e9","path":"/"},{"name":7,"value":"z"},{"name":"none"},3]`
	tests := map[string]struct {
		members string
		want    http.Header
	}{
		"joined by line feeds":     {fields("cookie", "a=1\nsid=2", "x-shards", "1\n2"), http.Header{"Cookie": {"a=1", "sid=2"}, "X-Shards": {"1", "2"}}},
		"joined by CRLF":           {fields("A", "1\r\n2\r3\n"), http.Header{"A": {"1", "2", "3"}}},
		"a line that is continued": {fields("A", "1,\r\n \t2\n3"), http.Header{"A": {"1, 2", "3"}}},
		"and once more":            {fields("A", "1\n2", "B", "1\n2", "A", "1\n2"), http.Header{"A": {"1", "2", "1", "2"}, "B": {"1", "2"}}},
		"cookies beside it":        {fields("A", "b") + cookies, http.Header{"A": {"b"}, "Cookie": {"a=1", "sid=x yé"}}},
		"cookies in both":          {fields("cookie", "b=2") + cookies, http.Header{"Cookie": {"b=2"}}},
		"cookies that are none":    {fields("A", "b") + `,"cookies":[]`, http.Header{"A": {"b"}}},
		"cookies that are no list": {fields("A", "b") + `,"cookies":{"a":1}`, http.Header{"A": {"b"}}},
		"cookies alone":            {`"headers":[]` + cookies, http.Header{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := archive(entry("GET", ","+tt.members, `"status":200,`+tt.members), entry("GET", ","+tt.members, ""))
			found, err := collect(readHAR(strings.NewReader(in), "x.har"))
			require.NoError(t, err)
			assert.Equal(t, tt.want, found[0].Request.Header)
			assert.Equal(t, tt.want, found[1].Request.Header)
			want := tt.want.Clone()
			switch name {
			case "cookies beside it":
				want["Set-Cookie"] = want["Cookie"]
				delete(want, "Cookie")
			case "cookies in both": // of which the field is none of a response
				want["Set-Cookie"] = []string{"a=1", "sid=x yé"}
			}
			assert.Equal(t, want, found[0].Response.Header)
		})
	}
}
