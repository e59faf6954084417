package traffic

import (
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
)

// repeat reads as head, then chunk n times, then tail.
func repeat(head, chunk string, n int, tail string) io.Reader {
	return io.MultiReader(strings.NewReader(head), &repeater{chunk: chunk, n: n}, strings.NewReader(tail))
}

type repeater struct {
	chunk, rest string
	n           int
}

func (r *repeater) Read(p []byte) (int, error) {
	if r.rest == "" {
		if r.n == 0 {
			return 0, io.EOF
		}
		r.n--
		r.rest = r.chunk
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// heapPeak runs read, calling sample within it from time to time, and returns by how much the live heap grew at most.
func heapPeak(read func(sample func())) uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	base, peak := m.HeapAlloc, uint64(0)
	read(func() {
		runtime.GC()
		runtime.ReadMemStats(&m)
		if m.HeapAlloc > base {
			peak = max(peak, m.HeapAlloc-base)
		}
	})
	return peak
}

// skipLarge skips a test of a large file where it would take long. The race detector slows encoding/json down tenfold,
// and there is no concurrency here for it to look at.
func skipLarge(t *testing.T) {
	t.Helper()
	if testing.Short() || raceEnabled {
		t.Skip("reads a large file")
	}
}

// These tests do not run in parallel with others: they measure the heap, which all tests share.

func TestReadHARMemoryIsFlat(t *testing.T) {
	skipLarge(t)
	one := entry("POST", `,"postData":{"text":"`+strings.Repeat("a", 24<<10)+`"}`,
		`"status":201,"content":{"text":"`+strings.Repeat("b", 24<<10)+`"}`)
	n := 64<<20/len(one) + 1
	count := 0
	peak := heapPeak(func(sample func()) {
		for _, err := range readHAR(repeat(`{"log":{"entries":[`+one, ","+one, n, `]}}`), "big.har") {
			if err != nil {
				t.Fatal(err)
			}
			if count++; count%500 == 0 {
				sample()
			}
		}
	})
	if count != n+1 {
		t.Errorf("%d exchanges, want %d", count, n+1)
	}
	if peak > 4<<20 {
		t.Errorf("the heap grew by %d bytes", peak)
	}
}

func TestReadHARSkipsInBoundedMemory(t *testing.T) {
	skipLarge(t)
	// The exchange behind the skipped pages is where the heap is looked at, while the buffers are still in use.
	in := repeat(`{"log":{"pages":[0`, `,{"id":"page","x":[1,true,null]}`, 4<<20/32, `],"entries":[`+entry("GET", "", `"status":204`)+`]}}`)
	peak := heapPeak(func(sample func()) {
		for _, err := range readHAR(in, "big.har") {
			if err != nil {
				t.Fatal(err)
			}
			sample()
		}
	})
	if peak > 1<<20 {
		t.Errorf("the heap grew by %d bytes", peak)
	}
}

func TestReadHARTooLarge(t *testing.T) {
	skipLarge(t)
	megabyte := strings.Repeat("a", 1<<20)
	small := entry("GET", "", `"status":204`)
	head := `{"log":{"entries":[` + small + `, `
	tests := []struct {
		name   string
		in     io.Reader
		entry  int
		offset int
	}{
		{"entry", repeat(head+`{"request":{"method":"PUT","url":"http://y/z","a":["`, megabyte, 65, `\"]"]}},`+small+`]}}`), 1, len(head)},
		{"entry that is cut off", repeat(head+`{"a":"`, megabyte, 65, ``), 1, len(head) + len(`{"a":"`) + 65<<20},
		{"skipped string", repeat(`{"a": "`, megabyte, 1<<20, `"}`), -1, len(`{"a": `)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found, err := collect(readHAR(tt.in, "big.har"))
			var got *Error
			if !errors.As(err, &got) || !errors.Is(err, errTooLarge) && !errors.Is(err, io.ErrUnexpectedEOF) ||
				got.Entry != tt.entry || got.Offset != int64(tt.offset) {
				t.Errorf("error %v, want one of entry %d at byte %d", err, tt.entry, tt.offset)
			}
			var entry *EntryError
			if errors.As(err, &entry) != (tt.name == "entry") {
				t.Fatalf("error %v", err)
			}
			if entry != nil && (entry.Method != http.MethodPut || entry.URL.String() != "http://y/z" || len(found) != 2 || found[1].Source != "big.har#/log/entries/2") {
				t.Errorf("%s %s, then %d exchanges", entry.Method, entry.URL, len(found))
			}
		})
	}
}
