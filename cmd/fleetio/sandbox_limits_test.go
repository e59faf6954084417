package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestVerdictIsAboutWhatArrived checks a fault that repeats a credential in a spelling of its own: it conforms, and shows
// nothing.
func TestVerdictIsAboutWhatArrived(t *testing.T) {
	t.Parallel()
	box := serveSandbox(t)
	escaped := strings.Replace(box.key, "e", `\u0065`, 1)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, box.url+"/api/v1/faults",
		strings.NewReader(`{"vehicle_id":1,"code":"P0420","description":"`+escaped+`","name":"`+box.token+`"}`))
	require.NoError(t, err)
	r.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Token " + box.key}, "Account-Token": {box.token}}
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusCreated, response.StatusCode)
	page, err := http.Get(box.url + "/?exchange=1")
	require.NoError(t, err)
	shown, err := io.ReadAll(page.Body)
	require.NoError(t, err)
	require.NoError(t, page.Body.Close())
	assert.Contains(t, string(shown), ">conforms<")
	assert.NotContains(t, string(shown), " finding")
	assert.NotContains(t, string(shown), box.key)
	assert.NotContains(t, string(shown), box.token)
}
