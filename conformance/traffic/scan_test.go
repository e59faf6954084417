package traffic

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// drawnEntry is an entry with texts that are hard to find the end of: runs of backslashes, quotes, brackets, and bytes that
// are a quote or a backslash but for their high bit.
func drawnEntry(r *rand.Rand) string {
	pieces := []string{`\\`, `\\\\\\`, `\"`, `\n`, "{", "}", "[", "]", "¢", "܀", ",", "a", "plain text ", strings.Repeat("x", r.IntN(70))}
	text := func() string {
		var b strings.Builder
		for range r.IntN(20) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		return b.String()
	}
	return entry("POST", `,"_a":[[{"b`+text()+`":"`+text()+`"},[]],{"c":[-1.5e3]}],"postData":{"text":"`+text()+`"}`,
		`"status":201,"headers":[],"content":{"text":"`+text()+`"}`)
}

// TestBatchesHoldTheEntries reads an archive of many buffers, of which every byte must be where it belongs, while other
// goroutines give the buffers back.
func TestBatchesHoldTheEntries(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	entries := make([]string, 3000)
	for i := range entries {
		entries[i] = drawnEntry(r)
	}
	in := archive(entries...)
	require.True(t, json.Valid([]byte(in)))
	require.Greater(t, len(in), 3*batchSize)

	seen := make([]string, len(entries))
	views := make([]bool, len(entries))
	var bytesRead int64
	var group sync.WaitGroup
	for batch, err := range ReadBatches(strings.NewReader(in), "-") {
		require.NoError(t, err)
		bytesRead += batch.Bytes()
		group.Go(func() {
			var v View
			for i := range batch.Records() {
				record := &batch.Records()[i]
				seen[record.Index] = string(record.raw)
				views[record.Index] = record.View(&v)
			}
			batch.Release()
			batch.Release() // no more than once
		})
	}
	group.Wait()
	require.Equal(t, entries, seen)
	require.NotContains(t, views, false)
	require.EqualValues(t, strings.LastIndex(in, "]}}"), bytesRead)
}

// TestObjectEndIsResumed shows the scanner a text that grows by a byte at a time, from wherever the blocks start.
func TestObjectEndIsResumed(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		in := []byte(drawnEntry(r))
		text := append(bytes.Repeat([]byte("\\\""), r.IntN(40)), in...)
		start := len(text) - len(in)
		s := objectEnd{pos: start}
		for n := start + 1; n < len(text); n++ {
			_, found := s.find(text[:n])
			require.False(t, found, "%s", text[start:n])
		}
		end, found := s.find(append(text, "]}\"\\"...))
		require.True(t, found)
		require.Equal(t, len(text), end)
	}
}

// TestReadBatchesFromPipe gets each entry as soon as it is there.
func TestReadBatchesFromPipe(t *testing.T) {
	t.Parallel()
	n := 0
	for batch, err := range ReadBatches(iotest.OneByteReader(strings.NewReader(archive(entry("GET", "", `"status":204`), entry("GET", "", `"status":204`)))), "-") {
		require.NoError(t, err)
		require.Len(t, batch.Records(), 1)
		n++
	}
	require.Equal(t, 2, n)
}
