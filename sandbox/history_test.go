package sandbox

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHistoryIsBounded holds that bodies of strangers do not fill the memory.
func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	s, err := New()
	require.NoError(t, err)
	for range 40 {
		s.call(t, "", func(r *http.Request) { r.Header = http.Header{"X": {strings.Repeat("x", maxBody)}} })
	}
	assert.LessOrEqual(t, s.history.bytes, maxHistoryBytes)
	for range 40 {
		s.call(t, strings.Repeat("x", maxBody), func(r *http.Request) { r.Header = http.Header{} })
	}
	assert.LessOrEqual(t, s.history.bytes, maxHistoryBytes)
	assert.Len(t, s.Requests(), maxHistoryBytes/maxBody-1)
	for range 1000 {
		s.call(t, minimal)
	}
	list := s.history.list
	assert.Len(t, list, 1000)
	total, responses := 0, 0
	for i := range list {
		total += list[i].bytes()
		response := Exchange{ResponseHeader: list[i].ResponseHeader, ResponseBody: list[i].ResponseBody}
		responses += response.bytes()
	}
	assert.Equal(t, total, s.history.bytes, "what was let go is not counted")
	assert.Less(t, total-responses, 5*maxBody/4, "without the responses, which grow with the contract")
}

// TestObserver gets each exchange, also without a history, and clears the history.
func TestObserver(t *testing.T) {
	t.Parallel()
	var observed []*Exchange
	observe := WithObserver(func(e *Exchange) { observed = append(observed, e) })
	for _, kept := range []int{0, 10} {
		s, err := New(observe, WithHistory(kept))
		require.NoError(t, err)
		observed = nil
		require.NoError(t, s.InjectNext(DropAfter()))
		require.True(t, dropped(t, s, minimal))
		s.call(t, minimal)
		s.call(t, minimal, func(r *http.Request) { r.URL.Path = "/none" })
		require.Len(t, observed, 3)
		assert.Equal(t, []any{int64(1), "createFault", 0}, []any{observed[0].Number, observed[0].Operation, observed[0].Status})
		assert.Equal(t, []any{int64(2), "createFault", 201}, []any{observed[1].Number, observed[1].Operation, observed[1].Status})
		assert.Equal(t, []any{int64(3), "", 404}, []any{observed[2].Number, observed[2].Operation, observed[2].Status})
		assert.Equal(t, []string{"Token " + s.accounts[0].APIKeys[0].Key}, observed[1].Header["Authorization"])

		assert.Len(t, s.Requests(), min(3, kept))
		s.ClearRequests()
		assert.Empty(t, s.Requests())
		s.call(t, minimal)
		_, has := s.Exchange(3)
		assert.False(t, has)
		_, has = s.Exchange(4)
		assert.Equal(t, kept > 0, has)
	}
	_, err := New(WithObserver(nil))
	require.EqualError(t, err, "sandbox: the observer is nil")
}
