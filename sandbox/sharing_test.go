package sandbox

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	fleetio "github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// TestNothingIsShared holds that what a caller does to its values later changes nothing.
func TestNothingIsShared(t *testing.T) {
	t.Parallel()
	f := DefaultFixtures()
	s, err := New(WithFixtures(f))
	require.NoError(t, err)
	*f.Accounts[0].Vehicles[1].ArchivedAt = time.Time{}
	f.Accounts[0].Vehicles[0].ID = 99
	s.Accounts()[0].Vehicles[0].ID = 98
	*s.Accounts()[0].Vehicles[1].ArchivedAt = time.Time{}
	assert.Equal(t, http.StatusCreated, s.call(t, minimal).Code)
	assert.Contains(t, s.call(t, `{"vehicle_id":2,"code":"P0420"}`).Body.String(), `"vehicle_archived_at":"2025-11-30T17:00:00-06:00"`)
	var later *http.Request
	w := s.call(t, minimal, func(r *http.Request) { later = r })
	later.Header.Set("Content-Type", "changed")
	w.Header().Set("Location", "changed")
	last, ok := s.Exchange(3)
	require.True(t, ok)
	assert.Equal(t, "application/json", last.Header.Get("Content-Type"))
	assert.NotEqual(t, "changed", last.ResponseHeader.Get("Location"))
}

// TestOptionsAreUsedAgain is for the race detector: tests that run at the same time may share an option.
func TestOptionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	f := DefaultFixtures()
	f.Accounts[0].Faults = []fleetio.FaultCreate{{VehicleID: 1, Code: "P0420", Name: new("first")}}
	option := WithFixtures(f)
	*f.Accounts[0].Faults[0].Name = "changed"
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := New(option)
			if !assert.NoError(t, err) {
				return
			}
			faults, err := s.NewestFaults(t.Context(), 0, 10)
			if assert.NoError(t, err) && assert.Len(t, faults, 1) {
				assert.Equal(t, fleetioapi.Value("first"), faults[0].Name)
			}
			assert.NoError(t, s.Close())
		})
	}
	wg.Wait()
}

// TestLookingWhileCalling is for the race detector: whatever is on its way may be looked at.
func TestLookingWhileCalling(t *testing.T) { //nolint:tparallel // the cases share a server
	t.Parallel()
	for _, failure := range []Failure{Truncate(), Malform(), Edit("type=text/html"), Edit("header=Location", "set=/id=0")} {
		t.Run(failure.String(), func(t *testing.T) {
			s := Start(t, WithFailure(1, failure))
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for range 10 {
						r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v1/faults", strings.NewReader(minimal))
						if !assert.NoError(t, err) {
							return
						}
						r.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Token " + s.Credentials.APIKey}, "Account-Token": {s.Credentials.AccountToken}}
						if response, err := http.DefaultClient.Do(r); assert.NoError(t, err) {
							_ = response.Body.Close()
						}
						s.Requests()
					}
				})
			}
			wg.Wait()
			for _, e := range s.Requests() {
				if failure.plan.cut {
					assert.Len(t, s.whole(t, e.Number), 2*len(e.ResponseBody), "what was sent")
				}
			}
		})
	}
}

// whole is the fault of the number as a response has it, when each call made one; its length made even.
func (s *Server) whole(t *testing.T, number int64) []byte {
	t.Helper()
	records, err := s.store.Records(t.Context(), Query{Limit: 1000})
	require.NoError(t, err)
	body := records[int64(len(records))-number].JSON()
	return body[:len(body)/2*2]
}

// TestMiddlewareChangesHeaders is for the race detector: what wraps the sandbox may change headers while they are
// looked at.
func TestMiddlewareChangesHeaders(t *testing.T) {
	t.Parallel()
	s := Start(t, WithHandler(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(late{w}, r)
			r.Header.Set("X-Late", "yes")
		})
	}))
	stop := make(chan struct{})
	var looking sync.WaitGroup
	looking.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				for _, e := range s.Requests() {
					assert.NotContains(t, e.ResponseHeader, "X-Late")
				}
			}
		}
	})
	for range 50 {
		_, err := s.Client.CreateFault(t.Context(), fleetio.FaultCreate{VehicleID: 1, Code: "P0420"})
		require.NoError(t, err)
	}
	close(stop)
	looking.Wait()
}

// late is a writer that adds a header when the response is written.
type late struct{ http.ResponseWriter }

func (l late) WriteHeader(status int) {
	l.Header().Set("X-Late", "yes")
	l.ResponseWriter.WriteHeader(status)
}
