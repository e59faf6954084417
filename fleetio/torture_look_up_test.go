package fleetio_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// inProcess sends requests to a handler without a network, which fake time does not know. A handler that aborts closes the
// connection: before the first byte, there is no response, and after it, the body is truncated.
type inProcess struct {
	handler http.Handler
	broken  atomic.Int64 // creates without a complete 201
	looks   atomic.Int64
}

func (p *inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RequestURI, in.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:1"
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w, aborted := httptest.NewRecorder(), false
	func() {
		defer func() { aborted = recover() != nil }()
		p.handler.ServeHTTP(w, in)
	}()
	var body io.Reader = bytes.NewReader(w.Body.Bytes())
	if aborted {
		body = io.MultiReader(body, failingReader{})
	}
	if r.Method == http.MethodGet {
		p.looks.Add(1)
	} else if aborted || w.Code != http.StatusCreated || !strings.HasSuffix(w.Body.String(), "}") {
		p.broken.Add(1)
	}
	if aborted && w.Body.Len() == 0 {
		return nil, errLost
	}
	response := w.Result()
	response.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	response.Body, response.ContentLength = io.NopCloser(body), -1
	return response, nil
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestTortureLookUp makes FLEETIO_TORTURE creates with look-ups in a sandbox, of which 20 % get no proper response: dropped,
// truncated, malformed or a 503, before the fault is stored and after it, and some are stored late. No fault is lost or
// stored twice, no word is wrong, each fault that is stored in time is found, and each create has at most two look-ups.
func TestTortureLookUp(t *testing.T) {
	t.Parallel()
	seed, calls := fromEnvironment(t, "FLEETIO_TORTURE_SEED", rand.Uint64()), int(fromEnvironment(t, "FLEETIO_TORTURE", 300))
	for name, also := range map[string][]string{"creates": {"createFault"}, "creates and look-ups": {"createFault", "listFaults"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { tortureLookUp(t, seed, calls, also) })
		})
	}
}

func tortureLookUp(t *testing.T, seed uint64, calls int, operations []string) {
	t.Helper()
	tooLate := sandbox.StoreLate(10 * time.Minute)
	list := []sandbox.Failure{sandbox.DropBefore(), sandbox.DropAfter(), sandbox.Truncate(), sandbox.Malform(), sandbox.Fail(503), sandbox.Edit("status=503"),
		sandbox.StoreLate(30 * time.Second), tooLate, sandbox.StoreLate(time.Minute).And(sandbox.Fail(504)), sandbox.Edit("type=text/html")}
	r := rand.New(rand.NewPCG(seed, 1))
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	options := []sandbox.Option{sandbox.WithHistory(0)}
	for _, f := range list {
		for _, operation := range operations {
			options = append(options, sandbox.WithFailure(0.022, sandbox.OnOperation(operation, f)))
		}
	}
	s, err := sandbox.New(options...)
	require.NoError(t, err)
	transport := &inProcess{handler: s}
	account := s.Accounts()[0]
	c, err := fleetio.NewClient(fleetio.Credentials{APIKey: account.APIKeys[0].Key, AccountToken: account.Token}, fleetio.WithReconcile(),
		fleetio.WithHTTPClient(&http.Client{Transport: transport}), fleetio.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)

	// The count tells which call a fault is of. Half of the faults have an external_id of their own.
	fault := func(n int) fleetio.FaultCreate {
		f := fleetio.FaultCreate{VehicleID: 1, Code: "P0420", Count: new(int64(n))}
		if n%2 == 0 {
			f.ExternalID = new(fmt.Sprintf("row-%d", n))
		}
		return f
	}
	type outcome struct {
		fault *fleetio.Fault
		err   error
		at    time.Time
	}
	outcomes := make([]outcome, calls)
	var callers sync.WaitGroup
	const lanes = 16
	for lane := range lanes {
		callers.Go(func() {
			if lane%2 == 0 {
				for n := lane; n < calls; n += lanes {
					f, err := c.CreateFault(t.Context(), fault(n))
					outcomes[n] = outcome{f, err, time.Now()}
				}
				return
			}
			faults := func(yield func(fleetio.FaultCreate) bool) {
				for n := lane; n < calls && yield(fault(n)); n += lanes {
					continue
				}
			}
			for result, err := range c.CreateFaults(t.Context(), faults) {
				outcomes[lane+lanes*result.Index] = outcome{result.Fault, err, time.Now()}
			}
		})
	}
	callers.Wait()
	time.Sleep(time.Hour) // what is stored late is stored now
	stored, err := s.NewestFaults(t.Context(), 0, 2*calls)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	byCall := make([][]fleetio.Fault, calls)
	for _, f := range stored {
		n, _ := f.Count.Get()
		byCall[n] = append(byCall[n], f)
	}

	words := map[string]int{}
	for n, o := range outcomes {
		word := became(o.err)
		if _, isMissing := errors.AsType[*fleetio.NotFoundError](o.err); isMissing {
			word = "not found"
		}
		words[word]++
		at := fmt.Sprintf("call %d: %v", n, o.err)
		require.LessOrEqual(t, len(byCall[n]), 1, "doubled: %s", at)
		isStored := len(byCall[n]) == 1
		inTime := isStored && byCall[n][0].CreatedAt.Before(o.at.Add(-time.Second))
		switch word {
		case "no error":
			require.True(t, isStored, "lost: %s", at)
			require.Equal(t, byCall[n][0].ID, o.fault.ID, at)
		case "not found":
			require.False(t, inTime, "stored in time, and not found: %s", at)
		case ambiguous, wasCreated:
			require.True(t, isStored || word == ambiguous, "not created: %s", at)
			require.Contains(t, operations, "listFaults", "a look-up fails only if it is made to: %s", at)
		default:
			require.Fail(t, "a wrong word", "%s: %s", word, at)
		}
	}
	t.Logf("%v, %d stored, %d broken creates, %d requests of look-ups; FLEETIO_TORTURE_SEED=%d", words, len(stored), transport.broken.Load(), transport.looks.Load(), seed)
	if !slices.Contains(operations, "listFaults") {
		assert.LessOrEqual(t, transport.looks.Load(), 2*transport.broken.Load())
		assert.InDelta(t, 0.2*float64(calls), float64(transport.broken.Load()), 0.1*float64(calls))
	}
	for _, word := range []string{"no error", "not found"} {
		assert.Positive(t, words[word], word)
	}
}
