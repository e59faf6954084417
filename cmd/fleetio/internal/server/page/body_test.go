package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// whole is a body without a credential.
func whole(text string) content { return content{raw: []byte(text), redacted: []byte(text)} }

// drawn draws a body as text, with the numbers of the findings behind their lines, and of the rest in front.
func drawn(b body) string {
	var out strings.Builder
	for _, m := range b.Marks {
		fmt.Fprintf(&out, "#%d ", m.Number)
	}
	for _, l := range b.Lines {
		out.WriteString("\n" + l.Indent + l.Key)
		if l.Key != "" {
			out.WriteString(": ")
		}
		out.WriteString(l.Value + l.Tail)
		for _, m := range l.Marks {
			fmt.Fprintf(&out, " #%d", m.Number)
		}
	}
	return out.String()
}

func TestBody(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		content  string
		pointers []string
		want     string
	}{
		"nothing":             {"", []string{"/id"}, "#1 "},
		"a value":             {" 12.50e3\n", []string{"", "/0"}, "\n12.50e3 #1 #2"},
		"a text":              {`"a"`, []string{"/a"}, "\n\"a\" #1"},
		"null":                {`null`, nil, "\nnull"},
		"properties":          {`{"a":1,"b":{"c":[true,{}]}}`, []string{"/a", "/b/c/0", "/b/c/1", "/b"}, "\n{\n  \"a\": 1, #1\n  \"b\": { #4\n    \"c\": [\n      true, #2\n      {} #3\n    ]\n  }\n}"},
		"missing":             {`{"a":{"b":[]},"c":[0]}`, []string{"/x", "/a/x/y", "/a/b/0", "/c/1", "/c/-"}, "\n{ #1\n  \"a\": { #2\n    \"b\": [] #3\n  },\n  \"c\": [ #4 #5\n    0\n  ]\n}"},
		"escapes":             {`{"a/b":1,"m~n":2,"~1":3,"":4,"\u0063":5}`, []string{"/a~1b", "/m~0n", "/~01", "/", "/c"}, "\n{\n  \"a/b\": 1, #1\n  \"m~n\": 2, #2\n  \"~1\": 3, #3\n  \"\": 4, #4\n  \"\\u0063\": 5 #5\n}"},
		"the whole":           {`[1]`, []string{""}, "\n[ #1\n  1\n]"},
		"no pointer":          {`[1]`, []string{"0"}, "\n[\n  1 #1\n]"},
		"twice":               {`{"a":1,"a":{"b":2}}`, []string{"/a", "/a/b"}, "\n{\n  \"a\": 1,\n  \"a\": { #1\n    \"b\": 2 #2\n  }\n}"},
		"a name like a place": {`{"0":["x"]}`, []string{"/0", "/0/0"}, "\n{\n  \"0\": [ #1\n    \"x\" #2\n  ]\n}"},
		"spaces":              {"\r\n{ \"a\"\t: [ ] , \"b\" : { } }\n", nil, "\n{\n  \"a\": [],\n  \"b\": {}\n}"},
		"quotes":              {`["\"]","\\","a\\\"b,"]`, []string{"/1"}, "\n[\n  \"\\\"]\",\n  \"\\\\\", #1\n  \"a\\\\\\\"b,\"\n]"},
		"not JSON":            {"{\"id\": 1,}\n<p>", []string{"/id"}, "#1 \n{\"id\": 1,}\n<p>"},
		"two values":          {"1 2", nil, "\n1 2"},
		"bytes":               {"\x00\xff\n\xe2\x80\xae", nil, "\n\\x00\\xff\n\\u202e"},
		"invalid in JSON":     {"{\"\xff\":\"\u202e\xfe\"}", []string{"/\xff"}, "\n{ #1\n  \"\\xff\": \"\\u202e\\xfe\"\n}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var about marks
			for i, p := range c.pointers {
				about = append(about, newMark(i+1, Finding{Pointer: p}))
			}
			assert.Equal(t, c.want, drawn(newBody(whole(c.content), about)))
		})
	}
}

// TestBodyCut has findings beyond what is shown. They are not lost.
func TestBodyCut(t *testing.T) {
	t.Parallel()
	about := marks{newMark(1, Finding{Pointer: "/0"}), newMark(2, Finding{Pointer: "/2500"}), newMark(3, Finding{Pointer: "/9999"})}
	b := newBody(whole("["+strings.Repeat("0,", 3000)+"0]"), about)
	assert.Equal(t, "JSON, 6003 bytes; the first 2000 lines are shown.", b.Note)
	assert.Len(t, b.Lines, maxLines)
	assert.Equal(t, 2, b.Lines[0].Marks[0].Number, "the item is there, but not shown")
	assert.Equal(t, 3, b.Lines[0].Marks[1].Number, "there is no such item, but there is the list")
	assert.Equal(t, 1, b.Lines[1].Marks[0].Number)

	deep := newBody(whole(strings.Repeat("[", 9999)+strings.Repeat("]", 9999)), nil)
	lines := len(deep.Lines)
	assert.Equal(t, 829, lines, "as many as fit, indented no further than forty levels")

	long := newBody(whole(`["`+strings.Repeat("é", 5000)+`"]`), nil)
	assert.Equal(t, "JSON, 10004 bytes.", long.Note)
	assert.Equal(t, `"`+strings.Repeat("é", 999)+" … and 8003 bytes more", long.Lines[1].Value)
}

// TestBodyNote says what a body was, and not what the page made of it.
func TestBodyNote(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		content content
		want    string
	}{
		"nothing":              {whole(""), "No body."},
		"omitted":              {content{omitted: true}, "The sandbox could not read the body."},
		"JSON":                 {whole(" {} \n"), "JSON, 5 bytes."},
		"no JSON":              {whole("\v{}"), "Not JSON, 3 bytes."},
		"a credential":         {content{raw: []byte(`{"a":"a long credential"}`), redacted: []byte(`{"a":"[redacted]"}`)}, "JSON, 25 bytes. Credentials in it are redacted."},
		"as a number":          {content{raw: []byte(`[123456]`), redacted: []byte(`[[redacted]]`)}, "JSON, 8 bytes. Credentials in it are redacted."},
		"all of it":            {content{raw: []byte(`{"a":"\u0061b"}`), redacted: []byte(`[redacted]`)}, "JSON, 15 bytes. Credentials in it are redacted."},
		"a credential in text": {content{raw: []byte(`key=abcdef`), redacted: []byte(`key=[redacted]`)}, "Not JSON, 10 bytes. Credentials in it are redacted."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, newBody(c.content, nil).Note, name)
		})
	}
}

// FuzzBody shows any input: JSON stays the same JSON, all findings are shown, once, and the
// page stays small.
func FuzzBody(f *testing.F) {
	f.Add([]byte(`{"a":[1,"x\"",{"b":null}],"":{}}`), "/a/2/b")
	f.Add([]byte("\xff{\n"), "a")
	f.Add([]byte(strings.Repeat(`[{"a":`, 40)), "/0/a/0")
	f.Add([]byte(strings.Repeat(`[`, 50)+strings.Repeat(`]`, 50)), "/0/0/0")
	f.Fuzz(func(t *testing.T, content []byte, pointer string) {
		b := newBody(whole(string(content)), marks{newMark(1, Finding{Pointer: pointer})})
		count, size := len(b.Marks), 0
		var again bytes.Buffer
		cut := strings.Contains(b.Note, "shown")
		for _, l := range b.Lines {
			count += len(l.Marks)
			size += len(l.Indent) + len(l.Key) + len(l.Value)
			again.WriteString(l.Key)
			if l.Key != "" {
				again.WriteByte(':')
			}
			again.WriteString(l.Value + l.Tail)
			cut = cut || strings.Contains(l.Key+l.Value, "bytes more")
		}
		assert.Equal(t, 1, count)
		assert.LessOrEqual(t, size, maxBytes)
		assert.LessOrEqual(t, len(b.Lines), maxLines)
		if json.Valid(content) && !cut && string(content) == printable.Text(string(content)) {
			var want bytes.Buffer
			assert.NoError(t, json.Compact(&want, content))
			assert.Equal(t, want.String(), again.String())
		}
	})
}

func TestClip(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "ab … and 1 bytes more", clip("abc", 2))
	assert.Equal(t, " … and 4 bytes more", clip("😀", 3))
	assert.Equal(t, `\x80\x80 … and 7 bytes more`, clip(strings.Repeat("\x80", 9), 5), "no character is that long")
}
