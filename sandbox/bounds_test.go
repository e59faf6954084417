package sandbox

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMemoryIsFull refuses what it cannot keep, and keeps what it has.
func TestMemoryIsFull(t *testing.T) {
	t.Parallel()
	store := &memory{}
	s, err := New(WithStore(store))
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, s.call(t, minimal).Code)
	records, err := store.Records(t.Context(), Query{Limit: 9})
	require.NoError(t, err)
	size := store.bytes
	assert.Equal(t, cap(records[0].Fault)+int(unsafe.Sizeof(records[0])), size, "all that a fault holds is counted")

	store.bytes = maxStored - size + 1
	full := s.call(t, minimal)
	assert.Equal(t, http.StatusInternalServerError, full.Code)
	assert.Contains(t, full.Body.String(), "64 MiB of faults in memory")
	assert.Contains(t, full.Body.String(), "--db")
	require.ErrorAs(t, s.Check(t.Context()), new(fullError))
	_, err = store.Seed(t.Context(), Fixtures{}, []Record{{Account: 4711, Fault: make([]byte, 1<<20)}})
	require.ErrorAs(t, err, new(fullError))
	store.bytes = maxStored - size
	require.Equal(t, http.StatusCreated, s.call(t, minimal).Code, "as much as fits")
	require.NoError(t, s.Check(t.Context()))
	require.Equal(t, http.StatusInternalServerError, s.call(t, minimal).Code)
	records, err = store.Records(t.Context(), Query{Limit: 9})
	require.NoError(t, err)
	assert.Len(t, records, 2, "nothing is dropped for another")
}

// TestSeedTakesAllOrNothing where there is room for a part.
func TestSeedTakesAllOrNothing(t *testing.T) {
	t.Parallel()
	store := &memory{bytes: maxStored - 1000}
	_, err := store.Seed(t.Context(), Fixtures{}, []Record{{Account: 1, Fault: make([]byte, 500)}, {Account: 1, Fault: make([]byte, 500)}})
	require.ErrorAs(t, err, new(fullError))
	assert.Empty(t, store.records)
	assert.Equal(t, maxStored-1000, store.bytes)
}

// TestBodiesShareTheirRoom so that many callers together hold no more than one bound.
func TestBodiesShareTheirRoom(t *testing.T) { //nolint:tparallel // the cases share a server
	t.Parallel()
	s, err := New()
	require.NoError(t, err)
	large := `{"vehicle_id":1,"code":"P0420","description":"` + strings.Repeat("x", 100<<10) + `"}`
	for name, test := range map[string]struct {
		held   int64
		body   string
		change func(*http.Request)
		want   int
	}{
		"as much as there is":            {maxBodies - int64(len(minimal)), minimal, nil, http.StatusCreated},
		"less than there is":             {maxBodies - int64(len(minimal)) + 1, minimal, nil, http.StatusServiceUnavailable},
		"less than comes in the end":     {maxBodies - 64<<10, large, nil, http.StatusServiceUnavailable},
		"nothing announced":              {maxBodies - 64<<10, large, func(r *http.Request) { r.ContentLength = -1 }, http.StatusServiceUnavailable},
		"a body that breaks off":         {0, "", func(r *http.Request) { r.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF)) }, http.StatusBadRequest},
		"a body that is too large":       {0, strings.Repeat("x", maxBody+1), func(r *http.Request) { r.ContentLength = -1 }, http.StatusRequestEntityTooLarge},
		"a byte less than a larger body": {0, strings.Repeat(" ", maxBody-len(minimal)) + minimal, nil, http.StatusCreated},
	} {
		t.Run(name, func(t *testing.T) {
			s.bodies.Store(test.held)
			if test.change == nil {
				test.change = func(*http.Request) {}
			}
			w := s.call(t, test.body, test.change)
			assert.Equal(t, test.want, w.Code, name)
			if test.want == http.StatusServiceUnavailable {
				assert.Equal(t, "1", w.Header().Get("Retry-After"))
				assert.Contains(t, w.Body.String(), "more than 32 MiB")
			}
			assert.Equal(t, test.held, s.bodies.Load(), "%s: the room is given back", name)
		})
	}
	s.bodies.Store(0)
	require.NoError(t, s.InjectNext(DropBefore()))
	assert.Panics(t, func() { s.call(t, minimal) }, "the connection is dropped")
	assert.Zero(t, s.bodies.Load())
}

// TestRoomIsMadeForWhatArrives and not for what is announced.
func TestRoomIsMadeForWhatArrives(t *testing.T) { //nolint:tparallel // the cases share a server
	t.Parallel()
	s, err := New()
	require.NoError(t, err)
	for sent, limit := range map[int]int64{0: 8 << 10, 100: 8 << 10, 100 << 10: 256 << 10} {
		t.Run(strconv.Itoa(sent), func(t *testing.T) {
			stalled := 0
			stall := iotest.ErrReader(io.ErrUnexpectedEOF)
			s.call(t, "", func(r *http.Request) {
				r.ContentLength = maxBody
				r.Body = io.NopCloser(io.MultiReader(strings.NewReader(strings.Repeat("x", sent)), readerFunc(func(p []byte) (int, error) {
					stalled++
					assert.LessOrEqual(t, s.bodies.Load(), limit, "%d bytes came", sent)
					return stall.Read(p)
				})))
			})
			assert.Equal(t, 1, stalled)
		})
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestHistoryCountsAllThatItHolds of headers with many short fields, of which a map takes much more than their texts.
func TestHistoryCountsAllThatItHolds(t *testing.T) {
	t.Parallel()
	header := http.Header{}
	for i := range 1000 {
		header[string(rune('a'+i%26))+strings.Repeat("b", i/26)] = []string{""}
	}
	for name, e := range map[string]Exchange{
		"request": {Header: header}, "response": {ResponseHeader: header},
		"values": {Header: http.Header{"A": make([]string, 10_000)}}, "room behind a body": {Body: make([]byte, 1, 100_000), ResponseBody: make([]byte, 1, 100_000)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Greater(t, e.bytes(), 100_000, name)
		})
	}
}
