package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// opened serves one of the servers, and returns its address and what ends it.
func opened(t *testing.T, s server, file string) (address string, end func()) {
	t.Helper()
	served, closeStore, err := s.open(t.Context(), file)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error)
	go func() { ended <- served.Serve(listener) }()
	return listener.Addr().String(), func() {
		assert.NoError(t, served.Shutdown(context.Background()))
		assert.ErrorIs(t, <-ended, http.ErrServerClosed)
		assert.NoError(t, closeStore())
	}
}

func TestProbe(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			address, end := opened(t, s, storeFile(t.TempDir()))
			defer end()
			require.NoError(t, probe(t.Context(), address, s.checks))
		})
	}
}

// TestProbeFindsOut has servers that are fast because they do not do the work.
func TestProbeFindsOut(t *testing.T) {
	t.Parallel()
	answer := func(status int, location, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	whole := strings.Replace(body, "{", `{"id":7,`, 1)
	for name, test := range map[string]struct {
		handler http.Handler
		says    string
	}{
		"checks nothing":   {answer(http.StatusCreated, "/api/v1/faults/7", whole), "a wrong key is answered with a 201"},
		"creates nothing":  {answer(http.StatusOK, "/api/v1/faults/7", whole), "a create is answered with a 200"},
		"no Location":      {answer(http.StatusCreated, "", whole), `the Location of the fault 7 is ""`},
		"another Location": {answer(http.StatusCreated, "/api/v1/faults/8", whole), `the Location of the fault 7 is "/api/v1/faults/8"`},
		"another fault":    {answer(http.StatusCreated, "/api/v1/faults/7", `{"id":7}`), "which is"},
		"no JSON":          {answer(http.StatusCreated, "/api/v1/faults/7", "fine"), "the answer to a create: invalid"},
		"the bare one":     {bareHandler(), "the Location of the fault"},
		"fails for no reason": {http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength != int64(len(body)) || r.Header.Get("Authorization") != header().Get("Authorization") {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			answer(http.StatusCreated, "/api/v1/faults/7", whole)(w, r)
		}), "a wrong key is answered with a 500"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(test.handler)
			defer s.Close()
			err := probe(t.Context(), s.Listener.Addr().String(), true)
			require.ErrorContains(t, err, test.says)
		})
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	has := func(n int64, err error) func(context.Context, string) (int64, error) {
		return func(context.Context, string) (int64, error) { return n, err }
	}
	good := loaded{Answered: 100, Complete: 100, Measured: 80}
	for name, test := range map[string]struct {
		server server
		all    loaded
		says   string
	}{
		"all are there":         {server{checks: true, count: has(101, nil)}, good, ""},
		"one is not there":      {server{checks: true, count: has(100, nil)}, good, "the store has 100 faults, but 101 were answered"},
		"one is there twice":    {server{checks: true, count: has(102, nil)}, good, "the store has 102 faults, but 101 were answered"},
		"the file is gone":      {server{checks: true, count: has(0, errors.New("gone"))}, good, "the store: gone"},
		"nothing is stored":     {server{checks: true}, good, ""},
		"no answers":            {server{}, loaded{}, "only 0 answers"},
		"too late":              {server{}, loaded{Answered: 10}, "only 10 answers came, 0 of them in the measured"},
		"an id is missing":      {server{checks: true}, loaded{Answered: 100, Complete: 99, Measured: 80}, "1 of 100 answers have no id"},
		"the bare one has none": {server{}, loaded{Answered: 100, Measured: 80}, ""},
		"an id came twice":      {server{checks: true}, loaded{Answered: 100, Complete: 100, Doubled: 2, Measured: 80}, "2 ids came more than once"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := verify(t.Context(), test.server, "", test.all)
			if test.says == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.says)
			}
		})
	}
}

// TestVerifyReadsTheFile loads real servers, and then tells of one answer more than there was.
func TestVerifyReadsTheFile(t *testing.T) {
	t.Parallel()
	for _, s := range servers() {
		if s.count == nil {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "faults.db")
			address, end := opened(t, s, file)
			all, err := loadFor(t, address, 50*time.Millisecond)
			end()
			require.NoError(t, err)
			require.NoError(t, verify(t.Context(), s, file, loaded{Answered: all.Answered - probed, Complete: all.Complete - probed, Measured: 1}))
			require.ErrorContains(t, verify(t.Context(), s, file, all), "were answered")
		})
	}
}
