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
