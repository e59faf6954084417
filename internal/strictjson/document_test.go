package strictjson_test

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/internal/strictjson"
)

// decoded returns the node at an index in the types of encoding/json.
func decoded(d *strictjson.Document, at int32) any {
	n := d.Nodes[at]
	switch n.Type {
	case strictjson.Boolean:
		return string(d.Raw(at)) == "true"
	case strictjson.Number:
		return json.Number(d.Raw(at))
	case strictjson.String:
		return string(d.Text(at, nil))
	case strictjson.Array:
		items := []any{}
		for i := at + 1; i < n.Next; i = d.Nodes[i].Next {
			items = append(items, decoded(d, i))
		}
		return items
	case strictjson.Object:
		properties := map[string]any{}
		for i := at + 1; i < n.Next; i = d.Nodes[i+1].Next {
			if !d.Nodes[i].Repeated {
				properties[string(d.Text(i, nil))] = decoded(d, i+1)
			}
		}
		return properties
	}
	return nil
}

func TestDocument(t *testing.T) {
	t.Parallel()
	var d strictjson.Document
	require.True(t, d.Parse([]byte(`{"a":[1,{"b":null}],"~":"x","a":[2],"\u007e":"\ud83d\ude00\n","é":true}`)))
	assert.Equal(t, -1, d.LoneSurrogate)
	assert.EqualValues(t, 3, d.Nodes[0].Count)
	require.Len(t, d.Duplicates, 2)
	assert.Equal(t, "a", string(d.Text(d.Duplicates[0], nil)))
	assert.Equal(t, "~", string(d.Text(d.Duplicates[1], nil)))
	at, ok := d.Property(0, "a")
	require.True(t, ok)
	item, ok := d.Item(at, 0)
	require.True(t, ok)
	assert.Equal(t, "2", string(d.Raw(item)))
	_, ok = d.Item(at, 1)
	assert.False(t, ok)
	_, ok = d.Property(0, "b")
	assert.False(t, ok)
	at, ok = d.Property(0, "~")
	require.True(t, ok)
	assert.Equal(t, "😀\n", string(d.Text(at, nil)))
	require.True(t, d.Parse([]byte(` "ab\ud83d\u0041" `)), "reuses the memory")
	assert.Equal(t, 4, d.LoneSurrogate)
	assert.Equal(t, "ab\uFFFDA", string(d.Text(0, nil)))
	assert.Empty(t, d.Duplicates)
}

// TestDocumentOfManyNames has more repeated names than Duplicates lists.
// FuzzRepetitive compares a document that was parsed after another one with one that was parsed alone.
func FuzzRepetitive(f *testing.F) {
	for _, texts := range [][2]string{
		{`{"h":[{"n":"a","v":1},{"n":"b"}],"x":1}`, `{"h":[{"n":"a","v":1},{"n":"c"}],"longer":[[],{}]}`},
		{`{"a":{"b":[1,2]}}`, ` { "a":{"b":[1,2]},"c":"é"}`},
		{`[{"a":1},{"a":1}]`, `[0,{"a":1},{"a":1}]`},
		{`[{"a":"\ud800"}]`, `[{"a":"\ud800"}]`},
		{`[{"a":1,"a":2}]`, `[{"a":1,"a":2}]`},
		{`[{"a":1}`, `[{"a":1}]`},
		{`[{"a":1}]`, `[{"a":1}`},
		{`[[1]]`, `[[1]2]`},
	} {
		f.Add([]byte(texts[0]), []byte(texts[1]))
	}
	f.Fuzz(func(t *testing.T, before, text []byte) {
		for _, duplicates := range []bool{false, true} {
			d := strictjson.Document{Repetitive: true, AllowDuplicates: duplicates}
			alone := strictjson.Document{AllowDuplicates: duplicates}
			d.Parse(before)
			for range 3 { // also a text with itself
				require.Equal(t, alone.Parse(text), d.Parse(text))
				if alone.Parse(text) {
					require.Equal(t, alone.Nodes, d.Nodes)
					require.Equal(t, alone.LoneSurrogate, d.LoneSurrogate)
					require.Len(t, d.Duplicates, len(alone.Duplicates))
				}
			}
		}
	})
}

func TestDocumentOfManyNames(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`{"0":0`)
	for range 1000 {
		b.WriteString(`,"` + strings.Repeat("x", b.Len()%97) + `":0`)
	}
	b.WriteString("}")
	var d strictjson.Document
	require.True(t, d.Parse([]byte(b.String())))
	assert.Len(t, d.Duplicates, strictjson.MaxDuplicates)
	assert.Len(t, decoded(&d, 0), int(d.Nodes[0].Count))
}

// FuzzDocument compares a document with the results of the decoder and of encoding/json.
func FuzzDocument(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-0.5e+3,true,null,"\ud83d\ude00"]}`, `{"a":1,}`, `[1,]`, `"\ud83d"`, "\"\x00\"", `01`, `{1:2}`, `nul`, `[}`,
		`{"a":1,"a":2}`, "\"\xff\"", "\ufeff1", `{"":0,"\u0000":{}}`} {
		f.Add([]byte(seed))
	}
	var d strictjson.Document
	f.Fuzz(func(t *testing.T, text []byte) {
		decoder := strictjson.NewDecoder(text)
		err := errors.Join(decoder.Skip(), decoder.End())
		require.Equal(t, err == nil && utf8.Valid(text), d.Parse(text), "%v", err)
		if err != nil || !utf8.Valid(text) {
			return
		}
		standard := json.NewDecoder(strings.NewReader(string(text)))
		standard.UseNumber()
		var want any
		require.NoError(t, standard.Decode(&want))
		require.ErrorIs(t, standard.Decode(&want), io.EOF)
		require.Equal(t, want, decoded(&d, 0))
	})
}
