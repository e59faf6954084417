package fleetio_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/fleetio"
)

// many is n faults, of the vehicles 1 to n. It changes each one when the next is asked for, as a reader of a file may.
func many(n int) iter.Seq[fleetio.FaultCreate] {
	return func(yield func(fleetio.FaultCreate) bool) {
		count := int64(0)
		for i := range n {
			count = int64(i)
			if !yield(fleetio.FaultCreate{VehicleID: int64(i + 1), Code: "P0420", Count: &count}) {
				return
			}
		}
	}
}

// minutes is a server that takes so many calls in each of its clock minutes, which begin offset after ours.
type minutes struct {
	mu      sync.Mutex
	limit   int
	offset  time.Duration
	takes   time.Duration
	minute  int64
	used    int
	refused int
	taken   map[int64]int // by vehicle
	running int
	most    int
}

func (s *minutes) RoundTrip(r *http.Request) (*http.Response, error) {
	var f fleetio.FaultCreate
	body, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(body, &f); err != nil || *f.Count != f.VehicleID-1 {
		return reply{status: 400}.response(), nil
	}
	s.mu.Lock()
	s.running++
	s.most = max(s.most, s.running)
	now := time.Now().Add(-s.offset)
	if minute := now.Unix() / 60; minute != s.minute {
		s.minute, s.used = minute, 0
	}
	limited := s.used >= s.limit
	if limited {
		s.refused++
	} else {
		s.used++
		s.taken[f.VehicleID]++
	}
	s.mu.Unlock()
	var err error
	select {
	case <-time.After(s.takes):
	case <-r.Context().Done():
		err = r.Context().Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	if err != nil {
		return nil, err
	}
	if limited {
		return retryAfter(429, strconv.FormatInt(60-now.Unix()%60, 10)).response(), nil
	}
	return reply{201, nil, fmt.Sprintf(`{"id":%d,"vehicle_id":%d,"code":"P0420"}`, 1000+f.VehicleID, f.VehicleID)}.response(), nil
}

func TestCreateFaultsInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &minutes{limit: 1000, takes: time.Second, taken: map[int64]int{}}
		c, begun, next := client(t, server), time.Now(), 0
		for r, err := range c.CreateFaults(t.Context(), many(100), fleetio.WithConcurrency(10)) {
			require.NoError(t, err)
			assert.Equal(t, next, r.Index)
			assert.Equal(t, int64(1001+next), r.Fault.ID)
			next++
		}
		assert.Equal(t, 100, next)
		assert.Equal(t, 10, server.most)
		assert.Equal(t, 10*time.Second, time.Since(begun))
	})
}

// TestCreateFaultsLearnTheMinute lets 200 faults through a server that takes 20 a minute, whose minute is not ours: each
// fault is created once, and few calls are refused.
func TestCreateFaultsLearnTheMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &minutes{limit: 20, offset: 17 * time.Second, takes: 100 * time.Millisecond, taken: map[int64]int{}}
		c, begun, count := client(t, server), time.Now(), 0
		for r, err := range c.CreateFaults(t.Context(), many(200), fleetio.WithConcurrency(16)) {
			require.NoError(t, err)
			assert.Equal(t, count, r.Index)
			count++
		}
		assert.Equal(t, 200, count)
		assert.Len(t, server.taken, 200)
		for vehicle, times := range server.taken {
			assert.Equal(t, 1, times, "vehicle %d", vehicle)
		}
		t.Logf("%d refused, %v", server.refused, time.Since(begun))
		assert.Less(t, server.refused, 60, "of 200; some 100 where nothing is learned but when the minute ends")
		assert.Less(t, time.Since(begun), 12*time.Minute)
	})
}

func TestCreateFaultsGoOnAfterErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := client(t, roundTripper(func(r *http.Request) (*http.Response, error) {
			body, _ := io.ReadAll(r.Body)
			switch {
			case bytes.Contains(body, []byte(`"vehicle_id":2`)):
				return nil, io.ErrUnexpectedEOF
			case bytes.Contains(body, []byte(`"vehicle_id":4`)):
				return retryAfter(429, "3600").response(), nil
			}
			return reply{201, nil, `{"id":7,` + string(body[1:])}.response(), nil
		}))
		faults := func(yield func(fleetio.FaultCreate) bool) {
			for f := range many(5) {
				if f.VehicleID == 3 {
					f.Code = ""
				}
				if !yield(f) {
					return
				}
			}
		}
		var got []string
		for r, err := range c.CreateFaults(t.Context(), faults, fleetio.WithConcurrency(0)) {
			assert.Equal(t, len(got), r.Index)
			if errors.Is(err, fleetio.ErrInvalid) {
				got = append(got, "invalid")
				continue
			}
			got = append(got, became(err))
			assert.Equal(t, err == nil, r.Fault != nil)
		}
		// The fifth is not even sent: the limiter knows that it would be refused.
		assert.Equal(t, []string{"no error", ambiguous, "invalid", rateLimit, rateLimit}, got)
	})
}

// TestCreateFaultsWhenCancelled has a result for every fault that was read.
func TestCreateFaultsWhenCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		server := &minutes{limit: 1000, takes: time.Second, taken: map[int64]int{}}
		time.AfterFunc(2500*time.Millisecond, cancel)
		read, results := 0, map[string]int{}
		faults := func(yield func(fleetio.FaultCreate) bool) {
			for f := range many(100) {
				if read++; !yield(f) {
					return
				}
			}
		}
		for _, err := range client(t, server).CreateFaults(ctx, faults) {
			results[became(err)]++
			if err != nil {
				require.ErrorIs(t, err, context.Canceled)
			}
		}
		assert.Equal(t, map[string]int{"no error": 8, ambiguous: 4}, results)
		assert.Equal(t, 12, read)
	})
}

// settled waits until each fault is on its way before it gives the next, so that the first ones are those that are taken.
func settled(faults iter.Seq[fleetio.FaultCreate]) iter.Seq[fleetio.FaultCreate] {
	return func(yield func(fleetio.FaultCreate) bool) {
		for f := range faults {
			if !yield(f) {
				return
			}
			synctest.Wait()
		}
	}
}

// TestCreateFaultsWhenBrokenOff ends the loop while calls are on their way, wait for a minute, or have not begun. The
// bubble fails the test if a goroutine stays behind.
func TestCreateFaultsWhenBrokenOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		server := &minutes{limit: 3, takes: time.Second, taken: map[int64]int{}}
		c := client(t, server, fleetio.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		begun := time.Now()
		for r, err := range c.CreateFaults(t.Context(), settled(many(100)), fleetio.WithConcurrency(6)) {
			require.NoError(t, err)
			assert.Zero(t, r.Index)
			break
		}
		assert.Equal(t, time.Second, time.Since(begun), "nothing waits for the next minute")
		assert.Len(t, server.taken, 3)
		for _, vehicle := range slices.Sorted(maps.Keys(server.taken))[1:] {
			assert.Contains(t, log.String(), fmt.Sprintf("index=%d id=%d", vehicle-1, 1000+vehicle))
		}
		assert.Equal(t, 3, strings.Count(log.String(), `error="fleetio: create fault: the rate limit is exhausted`))
	})
}

func TestCreateFaultsOfNothing(t *testing.T) {
	t.Parallel()
	for range client(t, respond()).CreateFaults(t.Context(), nil) {
		t.Fatal("a result")
	}
	for range client(t, respond()).CreateFaults(t.Context(), many(0)) {
		t.Fatal("a result")
	}
}

// TestCreateFaultsThatPanic leaves no goroutine behind when the loop's body, or the sequence, panics.
func TestCreateFaultsThatPanic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := client(t, &minutes{limit: 1000, takes: time.Second, taken: map[int64]int{}})
		assert.Panics(t, func() {
			for range c.CreateFaults(t.Context(), many(100)) {
				panic("of the loop")
			}
		})
		assert.Panics(t, func() {
			faults := func(yield func(fleetio.FaultCreate) bool) {
				yield(minimal)
				panic("of the sequence")
			}
			for range c.CreateFaults(t.Context(), faults) {
				continue
			}
		})
	})
}
