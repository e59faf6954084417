package sandbox

import (
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAdvance waits out a rate limit, a late fault and a late response without a wait.
func TestAdvance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := New(WithRateLimit(1))
		require.NoError(t, err)
		began := time.Now()
		require.Equal(t, http.StatusCreated, s.call(t, minimal).Code)
		limited := s.call(t, minimal)
		require.Equal(t, http.StatusTooManyRequests, limited.Code)
		seconds, err := strconv.Atoi(limited.Header().Get("Retry-After"))
		require.NoError(t, err)
		require.NoError(t, s.Advance(time.Duration(seconds)*time.Second-1))
		assert.Equal(t, http.StatusTooManyRequests, s.call(t, minimal).Code)
		require.NoError(t, s.Advance(1))
		created := s.call(t, minimal)
		require.Equal(t, http.StatusCreated, created.Code)
		assert.Equal(t, began.Add(time.Duration(seconds)*time.Second), s.Now())
		assert.Contains(t, created.Body.String(), `"created_at":"`+s.Now().UTC().Format(time.RFC3339)+`"`)
		assert.Equal(t, s.Now().UTC().Format(http.TimeFormat), created.Header().Get("Date"))
		latest, _ := s.Exchange(s.Latest())
		assert.Equal(t, s.Now(), latest.At)
		assert.Equal(t, s.Now().Add(time.Minute), s.RateLimits()[0].Reset)

		require.NoError(t, s.Advance(time.Minute))
		require.NoError(t, s.InjectNext(StoreLate(time.Hour), Delay(time.Hour)))
		require.True(t, dropped(t, s, minimal))
		time.Sleep(time.Minute)
		require.NoError(t, s.Advance(time.Hour-time.Minute-1))
		synctest.Wait()
		assert.Len(t, stored(t, s), 2)
		require.NoError(t, s.Advance(1))
		synctest.Wait()
		assert.Len(t, stored(t, s), 3)

		require.NoError(t, s.Advance(time.Minute))
		waited := make(chan int)
		before := time.Now()
		go func() { waited <- s.call(t, minimal).Code }() //nolint:testifylint // its assertions do not end the goroutine early
		synctest.Wait()
		require.NoError(t, s.Advance(time.Hour))
		assert.Equal(t, http.StatusCreated, <-waited)
		assert.Equal(t, before, time.Now())
		require.NoError(t, s.Close())
	})
}

// TestSetTime sets the clock back: limits start anew, and what waits does not wait longer.
func TestSetTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := New(WithRateLimit(1))
		require.NoError(t, err)
		require.NoError(t, s.InjectNext(StoreLate(time.Hour)))
		require.True(t, dropped(t, s, minimal))
		require.Equal(t, http.StatusCreated, s.call(t, minimal).Code)
		past := time.Date(1999, time.December, 31, 23, 59, 59, 0, time.UTC)
		require.NoError(t, s.SetTime(past))
		assert.Zero(t, s.RateLimits()[0].Used)
		require.Equal(t, http.StatusCreated, s.call(t, minimal).Code)
		limited := s.call(t, minimal)
		assert.Equal(t, "1", limited.Header().Get("Retry-After"))
		time.Sleep(time.Second)
		assert.True(t, past.Add(time.Second).Equal(s.Now()), "it runs on")
		time.Sleep(time.Hour - time.Second)
		synctest.Wait()
		assert.Len(t, stored(t, s), 3)

		for _, err := range []error{s.SetTime(time.Unix(-1, 0)), s.SetTime(maxTime), s.Advance(1<<63 - 1), s.Advance(-1)} {
			require.ErrorContains(t, err, "sandbox: the clock can")
		}
		require.NoError(t, s.SetTime(maxTime.Add(-time.Second)))
		require.NoError(t, s.SetTime(time.Unix(0, 0)))
		require.NoError(t, s.Close())
	})
}
