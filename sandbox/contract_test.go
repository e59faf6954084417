package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	fleetio "github.com/fleetcontract/fleetio-go/fleetio"
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

func logger(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// exchange is what the engine reads.
func exchange(t *testing.T, e sandbox.Exchange) *traffic.Exchange {
	t.Helper()
	u, err := url.Parse(e.URL)
	require.NoError(t, err)
	return &traffic.Exchange{Source: strconv.FormatInt(e.Number, 10), Method: e.Method, URL: u, Status: e.Status,
		Request: traffic.Message{Header: e.Header, Body: e.Body}, Response: traffic.Message{Header: e.ResponseHeader, Body: e.ResponseBody}}
}

// TestDriftIsKnown holds what the sandbox sends and the contract does not document: only what is configured.
func TestDriftIsKnown(t *testing.T) {
	t.Parallel()
	s := sandbox.Start(t)
	post(t, s, whole)
	post(t, s, whole, set("Content-Type", "text/html"))
	post(t, s, `"`+strings.Repeat("x", 1<<20)+`"`)
	drift := map[string]bool{}
	for _, e := range s.Requests() {
		findings, err := contract().Check(exchange(t, e))
		require.NoError(t, err)
		for _, f := range findings {
			drift[fmt.Sprintf("%d %s%s", f.Status, f.Rule, f.Pointer)] = true
			assert.False(t, f.Fails(), f.Message)
		}
	}
	assert.Equal(t, map[string]bool{"415 status": true, "413 status": true}, drift)
}

// broken is a store that fails.
type broken struct {
	sandbox.Store

	add func() (int64, error)
}

func (b broken) Add(context.Context, sandbox.Record) (int64, error) { return b.add() }

func TestFailuresInside(t *testing.T) {
	t.Parallel()
	for name, add := range map[string]func() (int64, error){
		"error": func() (int64, error) { return 0, errors.New("inner secret") },
		"panic": func() (int64, error) { panic("inner secret") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			s := start(t, sandbox.WithStore(broken{sandbox.NewMemory(), add}), sandbox.WithLogger(logger(&log)))
			got := post(t, s, whole)
			assert.Equal(t, http.StatusInternalServerError, got.StatusCode)
			assert.NotContains(t, got.body, "inner secret")
			assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
			assert.Contains(t, log.String(), "inner secret")
			assert.Equal(t, http.StatusInternalServerError, post(t, s, whole).StatusCode, "it goes on")
		})
	}
}

// TestAccountsAreApart lets hundreds of callers of many accounts call at once.
func TestAccountsAreApart(t *testing.T) {
	t.Parallel()
	const accounts, callers, calls = 20, 15, 2
	var f sandbox.Fixtures
	for a := range int64(accounts) {
		f.Accounts = append(f.Accounts, sandbox.Account{ID: a + 1, Name: strconv.FormatInt(a+1, 10), Token: fmt.Sprintf("token-%d", a+1),
			APIKeys:    []sandbox.APIKey{{Name: "key", Key: fmt.Sprintf("key-%d", a+1), Permissions: []sandbox.Permission{sandbox.CreateFaults}}},
			Vehicles:   []sandbox.Vehicle{{ID: a + 100}},
			FaultRules: []sandbox.FaultRule{{ID: a + 1000, Code: fmt.Sprintf("C%d", a+1)}}})
	}
	s := start(t, sandbox.WithFixtures(f))
	var wg sync.WaitGroup
	for a := range int64(accounts) {
		for c := range callers {
			wg.Go(func() {
				client, err := fleetio.NewClient(fleetio.Credentials{APIKey: fmt.Sprintf("key-%d", a+1), AccountToken: fmt.Sprintf("token-%d", a+1)},
					fleetio.WithBaseURL(s.URL))
				if !assert.NoError(t, err) {
					return
				}
				for n := range calls {
					own := fmt.Sprintf("%d/%d/%d", a, c, n)
					fault, err := client.CreateFault(t.Context(), fleetio.FaultCreate{VehicleID: a + 100, Code: fmt.Sprintf("C%d", a+1), ExternalID: &own})
					if !assert.NoError(t, err) {
						return
					}
					assert.Equal(t, fleetioapi.Value(own), fault.ExternalID)
					assert.Equal(t, a+1, fault.AccountID)
					assert.Equal(t, fleetioapi.Value(a+1000), fault.FaultRuleID)
					_, err = client.CreateFault(t.Context(), fleetio.FaultCreate{VehicleID: (a+1)%accounts + 100, Code: fmt.Sprintf("C%d", a+1)})
					assert.ErrorIs(t, err, fleetio.ErrInvalid, "another's vehicle")
				}
			})
		}
	}
	wg.Wait()
	all := s.Faults()
	require.Len(t, all, accounts*callers*calls)
	for i, fault := range all {
		assert.Equal(t, int64(i+1), fault.ID)
	}
	for a := range int64(accounts) {
		own, err := s.NewestFaults(t.Context(), a+1, 1000)
		require.NoError(t, err)
		assert.Len(t, own, callers*calls)
		for _, fault := range own {
			assert.Equal(t, a+1, fault.AccountID)
		}
	}
}

// FuzzCreate looks for a body whose response violates the contract, or is not what is stored.
func FuzzCreate(f *testing.F) {
	for _, seed := range []string{whole, `{}`, `{"vehicle_id":1,"code":"P0420","x":[{"a":"\ud83d\ude00"}]}`, `[1,2`, "\"\\ud83d\"", `{"vehicle_id":1e2,"code":"\u0000"}`} {
		f.Add([]byte(seed))
	}
	s, err := sandbox.New(sandbox.WithHistory(1))
	require.NoError(f, err)
	account := s.Accounts()[0]
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/api/v1/faults", bytes.NewReader(body))
		r.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Token " + account.APIKeys[0].Key}, "Account-Token": {account.Token}}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		assert.Contains(t, []int{http.StatusCreated, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge}, w.Code)
		findings, err := contract().Check(&traffic.Exchange{Method: r.Method, URL: r.URL, Status: w.Code,
			Request: traffic.Message{Header: r.Header, Body: body}, Response: traffic.Message{Header: w.Header(), Body: w.Body.Bytes()}})
		require.NoError(t, err)
		for _, finding := range findings {
			assert.False(t, finding.Fails(), "%s %s: %s", finding.Part, finding.Pointer, finding.Message)
		}
		if w.Code == http.StatusCreated {
			var got fleetio.Fault
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
			stored, err := s.NewestFaults(t.Context(), 0, 1)
			require.NoError(t, err)
			assert.Equal(t, []fleetio.Fault{got}, stored)
		}
	})
}
