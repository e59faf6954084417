package fleetio_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
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

// shelf is a service that stores faults and lists them by external_id. Its clock differs from ours.
type shelf struct {
	mu      sync.Mutex
	ahead   time.Duration
	faults  []map[string]any // the newest first
	creates int
	looks   int
	// create responds to the n-th create, from 1; store stores its fault.
	create func(n int, store func() string) (*reply, error)
	// look responds to the n-th look-up; nil for the faults.
	look func(n int) *reply
}

func (s *shelf) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	n := &s.looks
	if r.Method == http.MethodPost {
		n = &s.creates
	}
	*n++
	number := *n
	s.mu.Unlock()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if r.Method == http.MethodPost {
		var f fleetio.FaultCreate
		body, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(body, &f)
		a, err := s.create(number, func() string { return s.add(f.VehicleID, f.Code, f.ExternalID) })
		if err != nil {
			return nil, err
		}
		return a.response(), nil
	}
	if s.look != nil {
		if a := s.look(number); a != nil {
			return a.response(), nil
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []map[string]any{}
	for _, f := range s.faults {
		if mustJSON(f["external_id"]) == mustJSON(r.URL.Query().Get("filter[external_id][eq]")) {
			found = append(found, f)
		}
	}
	text := mustJSON(map[string]any{"next_cursor": nil, "records": found})
	return reply{200, http.Header{"Date": {s.now().UTC().Format(http.TimeFormat)}}, text}.response(), nil
}

func (s *shelf) now() time.Time { return time.Now().Add(s.ahead) }

// add stores a fault, and returns its JSON.
func (s *shelf) add(vehicle int64, code string, external any) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := map[string]any{"id": len(s.faults) + 1, "vehicle_id": vehicle, "code": code, "external_id": external, "created_at": s.now().UTC().Format(time.RFC3339)}
	s.faults = append([]map[string]any{f}, s.faults...)
	return mustJSON(f)
}

func mustJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

var errLost = errors.New("connection reset")

// lost loses the response, after the fault is stored or not.
func lost(stores bool) func(int, func() string) (*reply, error) {
	return func(_ int, store func() string) (*reply, error) {
		if stores {
			store()
		}
		return nil, errLost
	}
}

func TestReconcileFinds(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		create   func(int, func() string) (*reply, error)
		external *string
		ahead    time.Duration
		looks    int
		after    time.Duration
		lookedUp bool
	}{
		"not needed": {func(_ int, store func() string) (*reply, error) {
			return &reply{201, nil, store()}, nil
		}, nil, 0, 0, 0, false},
		"lost":              {lost(true), nil, 0, 1, 0, true},
		"own external_id":   {lost(true), new("telematics-981"), 0, 1, 0, true},
		"empty external_id": {lost(true), new(""), 0, 1, 0, true},
		"clock ahead":       {lost(true), new("telematics-981"), time.Hour, 1, 0, true},
		"clock behind":      {lost(true), new("telematics-981"), -time.Hour, 1, 0, true},
		"503": {func(_ int, store func() string) (*reply, error) {
			store()
			return new(retryAfter(503, "1")), nil
		}, nil, 0, 1, 0, true},
		"201 that cannot be read": {func(_ int, store func() string) (*reply, error) {
			return &reply{201, nil, store()[:20]}, nil
		}, nil, 0, 1, 0, true},
		"stored late": {func(_ int, store func() string) (*reply, error) {
			time.AfterFunc(time.Minute, func() { store() })
			return nil, errLost
		}, new("telematics-981"), 0, 2, 2 * time.Minute, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start, s := time.Now(), &shelf{create: row.create, ahead: row.ahead}
				c := client(t, s, fleetio.WithReconcile())
				lookedUp := !row.lookedUp
				in := fleetio.FaultCreate{VehicleID: 4711, Code: "P0420", ExternalID: row.external}
				fault, err := c.CreateFault(t.Context(), in, fleetio.WithLookedUp(&lookedUp))
				require.NoError(t, err)
				assert.Equal(t, int64(1), fault.ID)
				assert.Equal(t, row.external, in.ExternalID, "the caller's fault is not changed")
				id, _ := fault.ExternalID.Get()
				if row.external == nil || *row.external == "" {
					assert.Regexp(t, "^fleetio-go-[A-Z2-7]{26}$", id)
				} else {
					assert.Equal(t, *row.external, id)
				}
				assert.Equal(t, row.lookedUp, lookedUp)
				assert.Equal(t, []int{1, row.looks}, []int{s.creates, s.looks})
				assert.GreaterOrEqual(t, time.Since(start), row.after)
			})
		})
	}
}

func TestReconcileDoesNotFind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start, s := time.Now(), &shelf{create: lost(false)}
		_, err := client(t, s, fleetio.WithReconcile(), fleetio.WithReconcileDelay(time.Hour)).CreateFault(t.Context(), minimal)
		var missing *fleetio.NotFoundError
		require.ErrorAs(t, err, &missing)
		assert.Regexp(t, "^fleetio-go-[A-Z2-7]{26}$", missing.ExternalID)
		require.EqualError(t, err, "fleetio: create fault: connection reset: not found by its external_id "+missing.ExternalID)
		require.NotErrorIs(t, err, fleetio.ErrNotFound)
		var e *fleetio.Error
		require.ErrorAs(t, err, &e)
		assert.True(t, e.Ambiguous(), "to a caller that does not know the type")
		assert.Equal(t, missing.ExternalID, e.ExternalID)
		assert.Equal(t, []int{1, 2}, []int{s.creates, s.looks})
		assert.Equal(t, time.Hour, time.Since(start))
	})
}

// TestReconcileStaysAmbiguous has every reason for which nothing can be said.
func TestReconcileStaysAmbiguous(t *testing.T) {
	t.Parallel()
	with := func(a reply) func(int) *reply { return func(int) *reply { return &a } }
	match := `{"next_cursor":null,"records":[{"id":1,"vehicle_id":4711,"code":"P0420","external_id":"mine"}]}`
	for name, row := range map[string]struct {
		look     func(int) *reply
		external string
		deadline time.Duration
		want     string
	}{
		"403":               {with(reply{status: 403}), "", 0, "the look-up failed: list faults: 403 Forbidden"},
		"429":               {with(reply{status: 429}), "", 0, "the rate limit is exhausted"},
		"422":               {with(reply{status: 422}), "", 0, "422 Unprocessable Entity"},
		"500":               {with(reply{status: 500}), "", 0, "500 Internal Server Error"},
		"bare array":        {with(reply{200, nil, "[]"}), "", 0, "bare array"},
		"filter is ignored": {with(reply{200, nil, match}), "other", 0, "faults with another external_id"},
		"no Date":           {with(reply{200, nil, match}), "mine", 0, "no Date or created_at"},
		"second fails": {func(n int) *reply {
			if n == 1 {
				return nil
			}
			return &reply{status: 404}
		}, "", 0, "404 Not Found"},
		"deadline": {nil, "", time.Minute, "the deadline leaves no time to look again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &shelf{create: lost(false), look: row.look}
				ctx := t.Context()
				if row.deadline > 0 {
					var stop context.CancelFunc
					ctx, stop = context.WithTimeout(ctx, row.deadline)
					defer stop()
				}
				in := minimal
				if row.external != "" {
					in.ExternalID = &row.external
				}
				_, err := client(t, s, fleetio.WithReconcile()).CreateFault(ctx, in)
				require.ErrorContains(t, err, row.want)
				require.Equal(t, ambiguous, became(err))
				require.ErrorIs(t, err, errLost)
				for _, class := range []error{fleetio.ErrForbidden, fleetio.ErrNotFound, fleetio.ErrInvalid} {
					require.NotErrorIs(t, err, class, "it is of the look-up")
				}
				var e *fleetio.Error
				require.ErrorAs(t, err, &e)
				assert.NotEmpty(t, e.ExternalID)
				assert.Contains(t, err.Error(), "unknown whether created, external_id "+e.ExternalID)
				assert.Equal(t, 1, s.creates)
			})
		})
	}
}

func TestReconcileIsCanceled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, stop)
		s := &shelf{create: lost(false)}
		_, err := client(t, s, fleetio.WithReconcile()).CreateFault(ctx, minimal)
		require.ErrorContains(t, err, "the second look-up was canceled: context canceled")
		assert.Equal(t, ambiguous, became(err))
		assert.Equal(t, 1, s.looks)
		s = &shelf{create: func(int, func() string) (*reply, error) { stop(); return nil, errLost }}
		_, err = client(t, s, fleetio.WithReconcile()).CreateFault(ctx, minimal)
		assert.Equal(t, notCreated, became(err), "nothing was sent")
	})
}

// TestReconcileDoesNotMistakeOlderFaults has faults with the same external_id, vehicle and code that are not the new one.
func TestReconcileDoesNotMistakeOlderFaults(t *testing.T) {
	t.Parallel()
	in := fleetio.FaultCreate{VehicleID: 4711, Code: "P0420", ExternalID: new("mine")}
	for name, row := range map[string]struct {
		before func(t *testing.T, c *fleetio.Client, s *shelf)
		stores bool
		ahead  time.Duration
		want   string // "" for the new fault
	}{
		"an hour old": {func(_ *testing.T, _ *fleetio.Client, s *shelf) { s.add(4711, "P0420", "mine"); time.Sleep(time.Hour) }, false, 0, "not found by its external_id"},
		"3 s old": {func(_ *testing.T, _ *fleetio.Client, s *shelf) {
			s.add(4711, "P0420", "mine")
			time.Sleep(3 * time.Second)
		}, false, 0, "not found by its external_id"},
		"ahead": {func(_ *testing.T, _ *fleetio.Client, s *shelf) {
			s.add(4711, "P0420", "mine")
			time.Sleep(3 * time.Second)
		}, false, 24 * time.Hour, "not found by its external_id"},
		"behind": {func(_ *testing.T, _ *fleetio.Client, s *shelf) {
			s.add(4711, "P0420", "mine")
			time.Sleep(3 * time.Second)
		}, false, -24 * time.Hour, "not found by its external_id"},
		"and the new": {func(_ *testing.T, _ *fleetio.Client, s *shelf) { s.add(4711, "P0420", "mine"); time.Sleep(time.Hour) }, true, 0, ""},
		"vehicle":     {func(_ *testing.T, _ *fleetio.Client, s *shelf) { s.add(4712, "P0420", "mine") }, true, 0, ""},
		"code":        {func(_ *testing.T, _ *fleetio.Client, s *shelf) { s.add(4711, "p0420", "mine") }, true, 0, ""},
		"several":     {func(_ *testing.T, _ *fleetio.Client, s *shelf) { s.add(4711, "P0420", "mine") }, true, 0, "2 faults match, the newest with the id 2"},
		"just created": {func(t *testing.T, c *fleetio.Client, _ *shelf) {
			_, err := c.CreateFault(t.Context(), in)
			require.NoError(t, err)
		}, false, 0, "another create had the same external_id"},
		"4 min ago": {func(t *testing.T, c *fleetio.Client, _ *shelf) {
			_, err := c.CreateFault(t.Context(), in)
			require.NoError(t, err)
			time.Sleep(4 * time.Minute)
		}, true, 0, "another create had the same external_id"},
		"6 min ago": {func(t *testing.T, c *fleetio.Client, _ *shelf) {
			_, err := c.CreateFault(t.Context(), in)
			require.NoError(t, err)
			time.Sleep(6 * time.Minute)
		}, true, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &shelf{ahead: row.ahead, create: func(_ int, store func() string) (*reply, error) {
					return &reply{201, nil, store()}, nil
				}}
				c := client(t, s, fleetio.WithReconcile())
				row.before(t, c, s)
				older := len(s.faults)
				s.create = lost(row.stores)
				fault, err := c.CreateFault(t.Context(), in)
				if row.want != "" {
					require.ErrorContains(t, err, row.want)
					return
				}
				require.NoError(t, err)
				assert.Equal(t, int64(older+1), fault.ID)
			})
		})
	}
}

// TestReconcileOfEqualCreates has two equal creates at a time, of which one is lost before it is stored: neither is taken
// for the other.
func TestReconcileOfEqualCreates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{create: func(n int, store func() string) (*reply, error) {
			if n == 1 {
				store()
			}
			time.Sleep(time.Second)
			return nil, errLost
		}}
		in := fleetio.FaultCreate{VehicleID: 4711, Code: "P0420", ExternalID: new("mine")}
		for _, err := range client(t, s, fleetio.WithReconcile()).CreateFaults(t.Context(), slices.Values([]fleetio.FaultCreate{in, in})) {
			require.ErrorContains(t, err, "another create had the same external_id")
		}
	})
}

// TestReconcileMany loses every other response, and stores each fault.
func TestReconcileMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{create: func(n int, store func() string) (*reply, error) {
			if n%5 == 0 {
				return nil, errLost
			}
			text := store()
			if n%2 == 0 {
				return nil, errLost
			}
			return &reply{201, nil, text}, nil
		}}
		outcomes := map[string]int{}
		for result, err := range client(t, s, fleetio.WithReconcile()).CreateFaults(t.Context(), many(20)) {
			var missing *fleetio.NotFoundError
			switch {
			case errors.As(err, &missing):
				outcomes["not found"]++
				assert.False(t, result.LookedUp)
			case assert.NoError(t, err):
				vehicle, _ := result.Fault.VehicleID.Get()
				assert.Equal(t, int64(result.Index+1), vehicle)
				outcomes[strconv.FormatBool(result.LookedUp)]++
			}
		}
		assert.Equal(t, map[string]int{"not found": 4, "true": 8, "false": 8}, outcomes)
		assert.Equal(t, []int{20, 8 + 2*4}, []int{s.creates, s.looks})
	})
}

func TestFindCreated(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		external *string
		began    time.Duration // ago
		stored   time.Duration // ago; 0 for never
		looks    int
		want     string
	}{
		"found":          {new("mine"), time.Minute, 59 * time.Second, 1, ""},
		"older":          {new("mine"), time.Minute, time.Hour, 2, "fleetio: create fault: not found by its external_id mine"},
		"not found":      {new("mine"), time.Minute, 0, 2, "fleetio: create fault: not found by its external_id mine"},
		"long ago":       {new("mine"), time.Hour, 0, 1, "fleetio: create fault: not found by its external_id mine"},
		"no external_id": {nil, time.Hour, 0, 0, "without an external_id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &shelf{}
				start := time.Now()
				if row.stored > 0 {
					s.add(4711, "P0420", "mine")
				}
				time.Sleep(row.stored)
				looked := time.Now()
				fault, err := client(t, s).FindCreated(t.Context(), fleetio.FaultCreate{VehicleID: 4711, Code: "P0420", ExternalID: row.external}, time.Now().Add(-row.began))
				assert.Equal(t, row.looks, s.looks)
				if row.looks == 2 {
					assert.Equal(t, 2*time.Minute-row.began, time.Since(looked), "the rest of the delay")
				}
				if row.want != "" {
					require.ErrorContains(t, err, row.want)
					assert.Nil(t, fault)
					return
				}
				require.NoError(t, err)
				assert.Equal(t, int64(1), fault.ID)
				assert.WithinDuration(t, start, *fault.CreatedAt, time.Second)
			})
		})
	}
}

func TestNewExternalID(t *testing.T) {
	t.Parallel()
	first, second := fleetio.NewExternalID(), fleetio.NewExternalID()
	assert.NotEqual(t, first, second)
	assert.True(t, strings.HasPrefix(fleetio.NewExternalID(), "fleetio-go-"))
	f := minimal
	f.ExternalID = new(fleetio.NewExternalID())
	assert.NoError(t, fleetio.Check(f))
}
