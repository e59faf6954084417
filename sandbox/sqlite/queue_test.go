package sqlite

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

// TestLinger asks how long a batch of one row waits for others, of which one comes every 100 microseconds.
func TestLinger(t *testing.T) {
	t.Parallel()
	const step = 100 * time.Microsecond
	for name, c := range map[string]struct {
		crowd, come int
		closed      bool
		want        time.Duration
		crowdAfter  int
	}{
		"nobody was seen":    {crowd: 0, come: 3, want: 0, crowdAfter: 0},
		"one caller":         {crowd: 1, come: 3, want: 0, crowdAfter: 1},
		"three callers":      {crowd: 3, come: 3, want: 0, crowdAfter: 3},
		"four callers":       {crowd: 4, come: 3, want: step, crowdAfter: 4},
		"half of ten":        {crowd: 10, come: 9, want: 4 * step, crowdAfter: 10},
		"too few come":       {crowd: 10, come: 3, want: lingering, crowdAfter: 0},
		"it is being closed": {crowd: 10, come: 0, closed: true, want: 0, crowdAfter: 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				q := newQueue()
				q.crowd = c.crowd
				_, _, err := q.add(sandbox.Record{})
				require.NoError(t, err)
				<-q.wake
				if c.closed {
					q.close()
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
				time.Sleep(lingering) // the others end
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
		q.crowd = 4
		add()
		<-q.wake
		q.linger()
		add()
		assert.Len(t, q.wake, 1)
		assert.Len(t, q.take().rows, 2)
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
