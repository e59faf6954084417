package printable_test

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/internal/printable"
)

func TestText(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"plain":            {`a "b" \ é Ж 😀 '`, `a "b" \ é Ж 😀 '`},
		"line break, tab":  {"a\n\tb\r\n", `a\n\tb\r\n`},
		"C0":               {"\x00\x07\x1b[2J", `\x00\a\x1b[2J`},
		"DEL":              {"\x7f", `\u007f`},
		"C1":               {"\u0080\u009b\u0085", `\u0080\u009b\u0085`},
		"bidi":             {"\u200e\u200f\u061c\u202a\u202e\u2066\u2069", `\u200e\u200f\u061c\u202a\u202e\u2066\u2069`},
		"separators":       {"\u2028\u2029", `\u2028\u2029`},
		"invisible":        {"\u200b\u200d\ufeff\u00ad", `\u200b\u200d\ufeff\u00ad`},
		"other spaces":     {"\u00a0\u3000", "\u00a0\u3000"},
		"not yet assigned": {"\U0001fae9\u1c89\U000323b0", "\U0001fae9\u1c89\U000323b0"}, // the last one has no meaning in Unicode 17
		"noncharacters":    {"\ufffe\U0010ffff", `\ufffe\udbff\udfff`},
		"beyond the BMP":   {"\U000e0041", `\udb40\udc41`},
		"not UTF-8":        {"a\x9b\xffb", `a\x9b\xffb`},
		"cut off":          {"\xe2\x80", `\xe2\x80`},
		"replacement char": {"\ufffd", "\ufffd"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, printable.Text(test.text))
		})
	}
}

// TestLinesOfJSON compares escaped JSON with the original.
func TestLinesOfJSON(t *testing.T) {
	t.Parallel()
	var every []rune
	for r := range rune(0x30000) {
		if r < 0xd800 || r > 0xdfff {
			every = append(every, r)
		}
	}
	every = append(every, 0xe0001, 0xe007f, 0x10ffff)
	want := map[string]string{string(every): string(every)}
	text, err := json.MarshalIndent(want, "", "\t")
	require.NoError(t, err)
	escaped := printable.Lines(text)
	assert.NotEqual(t, text, escaped)
	assert.Equal(t, escaped, printable.Lines(escaped), "a second time changes nothing")
	var got map[string]string
	require.NoError(t, json.Unmarshal(escaped, &got))
	assert.Equal(t, want, got)
}

// TestWriter writes a text at once and byte by byte.
func TestWriter(t *testing.T) {
	t.Parallel()
	const text = "a\tb\néЖ😀\u202e\x1b\u009b\U000e0041 \x9b\xe2\x82 end\xe2\x80"
	const want = "a\tb\néЖ😀" + `\u202e\x1b\u009b\udb40\udc41 \x9b\xe2\x82 end\xe2\x80`
	for name, reader := range map[string]io.Reader{
		"at once":      bytes.NewBufferString(text),
		"byte by byte": iotest.OneByteReader(bytes.NewBufferString(text)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			w := printable.NewWriter(&out)
			n, err := io.Copy(w, reader)
			require.NoError(t, err)
			assert.EqualValues(t, len(text), n)
			require.NoError(t, w.Flush())
			assert.Equal(t, want, out.String())
		})
	}
}

func TestWriterFails(t *testing.T) {
	t.Parallel()
	r, broken := io.Pipe()
	require.NoError(t, r.Close())
	n, err := printable.NewWriter(broken).Write([]byte("x"))
	assert.Zero(t, n)
	assert.ErrorIs(t, err, io.ErrClosedPipe)
}

// TestFlushDoesNotWait has a reader that has stopped reading, which must not block the end of a process.
func TestFlushDoesNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reader, pipe := io.Pipe()
		w := printable.NewWriter(pipe)
		go func() { _, _ = w.Write([]byte("log")) }()
		synctest.Wait()
		require.NoError(t, w.Flush())
		require.NoError(t, reader.Close())
	})
}

func TestUnescaped(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	assert.Same(t, &out, printable.Unescaped(printable.NewWriter(&out)))
	assert.Same(t, &out, printable.Unescaped(&out))
}
