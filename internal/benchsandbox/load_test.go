package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

func loadFor(t *testing.T, address string, d time.Duration) (all loaded, err error) {
	t.Helper()
	var out bytes.Buffer
	if err := load(t.Context(), &config{load: address, conns: []int{8}, time: d, warmUp: d / 2}, &out); err != nil {
		return loaded{}, err
	}
	return all, json.Unmarshal(out.Bytes(), &all)
}

// TestLoadCounts has a server that counts, too, and that gives each second answer the id of the one before.
func TestLoadCounts(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var calls, incomplete int64
	sent := map[string]bool{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var fault fleetioapi.FaultCreate
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&fault))
		mu.Lock()
		defer mu.Unlock()
		calls++
		if assert.NotNil(t, fault.ExternalID) {
			sent[*fault.ExternalID] = true
		}
		if calls%10 == 0 {
			incomplete++
		} else {
			w.Header().Set("Location", "/api/v1/faults/1")
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"account_id":12,"id":%d}`, 1+calls/2)
	}))
	defer s.Close()
	all, err := loadFor(t, s.Listener.Addr().String(), 100*time.Millisecond)
	require.NoError(t, err)
	s.Close() // nothing is under way any more
	assert.Equal(t, calls, all.Answered)
	assert.Len(t, sent, int(calls), "each has an external_id of its own")
	assert.Equal(t, calls-incomplete, all.Complete)
	assert.InDelta(t, 0.4*float64(calls), all.Doubled, 1, "of ten, four come twice, and one has no Location")
	assert.Positive(t, all.Measured)
	assert.LessOrEqual(t, all.Measured, all.Answered)
	assert.GreaterOrEqual(t, all.Took, 100*time.Millisecond)
	assert.Positive(t, all.P50)
	assert.GreaterOrEqual(t, all.P99, all.P50)
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	from := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	window := span{from: from, to: from.Add(2 * time.Second)}
	for name, test := range map[string]struct {
		ends     []time.Duration // of the calls of one connection, each a second long
		measured int64
		took     time.Duration
	}{
		"the warm-up is not":     {[]time.Duration{-time.Second, 0, time.Second}, 1, 2 * time.Second},
		"what comes late is not": {[]time.Duration{time.Second, 2 * time.Second, 3 * time.Second}, 2, 2 * time.Second},
		"but for the only one":   {[]time.Duration{-time.Second, 5 * time.Second}, 1, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			quick, c := &connection{}, &connection{}
			quick.measure(window, from, from.Add(time.Millisecond))
			for _, end := range test.ends {
				c.measure(window, from.Add(end-time.Second), from.Add(end))
			}
			all := sum([]*connection{c, quick}, window)
			assert.Equal(t, test.measured+1, all.Measured)
			assert.Equal(t, test.took, all.Took)
			assert.InEpsilon(t, time.Second, all.P99, 1.0/subBuckets)
		})
	}
}

func refuse(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

func TestLoadFindsOut(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		says    string
	}{
		"refused": {refuse(http.StatusTooManyRequests), "an answer is a 429"},
		"fails":   {refuse(http.StatusInternalServerError), "an answer is a 500"},
		"chunked": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_ = http.NewResponseController(w).Flush()
		}, errLength.Error()},
		"dropped": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(test.handler)
			defer s.Close()
			_, err := loadFor(t, s.Listener.Addr().String(), time.Hour) // the first wrong answer ends it
			require.ErrorContains(t, err, test.says)
		})
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	sent := newRequest("127.0.0.1:80")
	for number, id := range map[int64]string{0: "telematics-0000000000", 1234567: "telematics-0001234567", 12345678901: "telematics-2345678901"} {
		sent.number(number)
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(sent.wire)))
		require.NoError(t, err)
		assert.Equal(t, "127.0.0.1:80", r.Host)
		assert.Equal(t, "/api/v1/faults", r.URL.Path)
		data, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		fault := map[string]any{}
		require.NoError(t, json.Unmarshal(data, &fault))
		assert.Len(t, fault, len(fleetioapi.FaultCreateFields), "it has every field")
		assert.Equal(t, id, fault["external_id"])
		for name, value := range header() {
			assert.Equal(t, value, r.Header[name])
		}
	}
}
