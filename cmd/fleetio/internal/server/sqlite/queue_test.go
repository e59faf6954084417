package sqlite

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// TestLinger asks how long a batch of one row waits for others, of which one comes every 50 microseconds.
func TestLinger(t *testing.T) {
	t.Parallel()
	const step = 50 * time.Microsecond
	for name, c := range map[string]struct {
		crowd, come int
		closedAfter time.Duration // negative for never
		want        time.Duration
		crowdAfter  int
	}{
		"nobody was seen":    {crowd: 0, come: 3, closedAfter: -1, want: 0, crowdAfter: 0},
		"no crowd":           {crowd: 31, come: 20, closedAfter: -1, want: 0, crowdAfter: 31},
		"half of a crowd":    {crowd: 32, come: 31, closedAfter: -1, want: 15 * step, crowdAfter: 32},
		"half of a larger":   {crowd: 41, come: 40, closedAfter: -1, want: 19 * step, crowdAfter: 41},
		"too few come":       {crowd: 64, come: 3, closedAfter: -1, want: time.Millisecond, crowdAfter: 0},
		"it was closed":      {crowd: 64, come: 0, closedAfter: 0, want: 0, crowdAfter: 64},
		"it is being closed": {crowd: 64, come: 0, closedAfter: 3 * step, want: 3 * step, crowdAfter: 64},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q := newQueue()
				q.crowd = c.crowd
				_, _, err := q.add(sandbox.Record{})
				require.NoError(t, err)
				<-q.wake
				switch {
				case c.closedAfter == 0:
					q.close()
				case c.closedAfter > 0:
					time.AfterFunc(c.closedAfter, q.close)
				}
				go func() {
					for range c.come {
						time.Sleep(step)
						_, _, err := q.add(sandbox.Record{})
						assert.NoError(t, err)
					}
				}()
				begin := time.Now()
				q.linger()
				assert.Equal(t, c.want, time.Since(begin))
				assert.Equal(t, c.crowdAfter, q.crowd)
				assert.Len(t, q.take().rows, 1+min(c.come, int(c.want/step)))
				time.Sleep(time.Second) // the others end
			})
		})
	}
}

// TestWake adds the row that is wanted just after the patience has ended. The next batch must wake whoever writes once more, and
// must not find the token of this one in its way.
func TestWake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		add := func() {
			_, _, err := q.add(sandbox.Record{})
			require.NoError(t, err)
		}
		q.crowd = 32
		add()
		<-q.wake
		q.linger()
		for range 15 {
			add()
		}
		assert.Len(t, q.wake, 1)
		assert.Len(t, q.take().rows, 16)
		assert.Empty(t, q.wake)
		add()
		assert.Len(t, q.wake, 1)
		add()
		assert.Len(t, q.take().rows, 2)
	})
}

func TestCount(t *testing.T) {
	t.Parallel()
	q := newQueue()
	for range 10 {
		_, _, err := q.add(sandbox.Record{})
		require.NoError(t, err)
	}
	q.count(20)
	assert.Equal(t, 30, q.crowd)
	q.take()
	var seen []int
	for q.crowd > 1 {
		q.count(1)
		seen = append(seen, q.crowd)
	}
	assert.Equal(t, []int{28, 26, 24, 22}, seen[:4])
	assert.Less(t, len(seen), 40)
}

// TestRunCounts holds that whoever writes knows about the crowd, and waits for it: the last caller of all waits in vain.
func TestRunCounts(t *testing.T) {
	t.Parallel()
	s := open(t)
	first := s.queue.next
	s.writing.Lock()
	results := []<-chan added{s.goAdd(t.Context(), fault("taken"))}
	s.waitFor(func(next *batch) bool { return next != first })
	for range 40 {
		results = append(results, s.goAdd(t.Context(), fault("queued")))
	}
	s.waitFor(func(next *batch) bool { return len(next.rows) == 40 })
	s.writing.Unlock()
	for _, r := range results {
		require.NoError(t, (<-r).err)
	}
	crowd := func() int {
		s.queue.mu.Lock()
		defer s.queue.mu.Unlock()
		return s.queue.crowd
	}
	assert.Equal(t, 40, crowd())
	begin := time.Now()
	_, err := s.Add(t.Context(), sandbox.Record{Account: account1, Fault: fault("alone")})
	require.NoError(t, err)
	assert.GreaterOrEqual(t, time.Since(begin), lingering)
	assert.Equal(t, 1, crowd())
}
