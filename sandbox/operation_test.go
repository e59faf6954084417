package sandbox

import (
	"bytes"
	"cmp"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
)

// TestWithoutBehaviour serves every operation as one that the sandbox does not know.
func TestWithoutBehaviour(t *testing.T) { //nolint:tparallel // the cases share a server
	t.Parallel()
	var log bytes.Buffer
	s, err := New(WithLogger(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))))
	require.NoError(t, err)
	s.mux = http.NewServeMux()
	fleetioserver.HandlerWithOptions(fleetioserver.Unimplemented(s.answerExample),
		fleetioserver.StdHTTPServerOptions{BaseRouter: router{s}, ErrorHandlerFunc: undecodable})
	for _, o := range fleetioserver.Operations {
		t.Run(o.ID, func(t *testing.T) {
			id := cmp.Or(strings.Trim(maps.Collect(properties(o.Example))["id"], `"`), "7") // of a criterion
			for _, p := range o.Parameters {
				if valid := p.Schema.Check([]byte(asJSON(p.Schema, id))) == nil; p.Required && (p.In != "path" || !valid || p.Style != "simple") {
					t.Skip("the contract has no examples for the parameters")
				}
			}
			body := ""
			if o.Body != nil {
				values := map[string]string{}
				for _, f := range o.Body.Fields() {
					if f.Required {
						values[f.Name] = f.Schema.Example
					}
				}
				if body = string(objectOf(o.Body).write(values)); o.Body.Check([]byte(body)) != nil {
					t.Skip("the contract has no examples for the body")
				}
			}
			call := func(change ...func(*http.Request)) int {
				w := s.call(t, body, append([]func(*http.Request){func(r *http.Request) {
					r.Method, r.URL.Path = o.Method, regexp.MustCompile(`{[^}]*}`).ReplaceAllString(o.Path, id)
				}}, change...)...)
				if w.Code == o.Status {
					assert.Equal(t, o.ContentType, w.Header().Get("Content-Type"))
					assert.Equal(t, string(o.Example), w.Body.String())
					for name, value := range o.Header {
						assert.Equal(t, value, w.Header().Get(name))
					}
				}
				return w.Code
			}
			for range 2 {
				assert.Equal(t, o.Status, call())
			}
			assert.Equal(t, http.StatusUnauthorized, call(func(r *http.Request) { r.Header.Del("Account-Token") }))
			if o.Body != nil {
				assert.Equal(t, http.StatusUnsupportedMediaType, call(func(r *http.Request) { r.Header.Del("Content-Type") }))
				assert.Equal(t, http.StatusForbidden, call(func(r *http.Request) { r.Header.Set("Authorization", "Token sandbox-key-reporting") }))
			}
			assert.Equal(t, 1, strings.Count(log.String(), `"operation":`+quote(o.ID)), "it is logged once")
		})
	}
	reading := func(path, query string) func(*http.Request) {
		return func(r *http.Request) { r.Method, r.URL.Path, r.URL.RawQuery = http.MethodGet, path, query }
	}
	assert.Equal(t, http.StatusBadRequest, s.call(t, "", reading("/api/v1/faults", "per_page=x")).Code)
	assert.Equal(t, http.StatusNotFound, s.call(t, "", reading("/api/v1/faults/x", "")).Code)
	assert.Equal(t, http.StatusUnprocessableEntity, s.call(t, "{}").Code)
	assert.Empty(t, stored(t, s))
}

// TestNothingHere lists what there is.
func TestNothingHere(t *testing.T) {
	t.Parallel()
	s, err := New()
	require.NoError(t, err)
	w := s.call(t, "", func(r *http.Request) { r.URL.Path = "/api/v1/vehicles" })
	assert.Equal(t, http.StatusNotFound, w.Code)
	for _, o := range fleetioserver.Operations {
		assert.Contains(t, w.Body.String(), o.Method+" "+o.Path)
	}
}
