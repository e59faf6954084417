package sandbox

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
)

// TestArguments reads parameters of kinds that the contract may gain.
func TestArguments(t *testing.T) {
	t.Parallel()
	object := &fleetioapi.Schema{Type: "object", Required: []string{"n"}}
	for name, c := range map[string]struct {
		parameter    fleetioserver.Parameter
		url          string
		want, refuse string
	}{
		"wildcard":       {fleetioserver.Parameter{Name: "note-id", In: "path", Wildcard: "note_id", Schema: &fleetioapi.Schema{Type: "integer"}}, "/notes/7", "7", ""},
		"object as JSON": {fleetioserver.Parameter{Name: "part", In: "query", Style: "json", Schema: object}, `/notes/7?part=%7B%22n%22:1%7D`, `{"n":1}`, ""},
		"invalid JSON":   {fleetioserver.Parameter{Name: "part", In: "query", Style: "json", Schema: object}, "/notes/7?part=5", "", "must be an object"},
		"deep object":    {fleetioserver.Parameter{Name: "part", In: "query", Style: "deepObject", Schema: object}, "/notes/7?part[n]=1", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mux := http.NewServeMux()
			mux.HandleFunc("/notes/{note_id}", func(_ http.ResponseWriter, r *http.Request) {
				list, _, problem := readArguments(&fleetioserver.Operation{Parameters: []fleetioserver.Parameter{c.parameter}}, r)
				assert.Equal(t, c.refuse, problem)
				var got strings.Builder
				for _, a := range list {
					_, _ = got.WriteString(a.value)
				}
				assert.Equal(t, c.want, got.String())
			})
			mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, c.url, nil))
		})
	}
}

// TestUndecodable names the parameter that the generated server cannot decode, whatever its error.
func TestUndecodable(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		&fleetioserver.InvalidParamFormatError{ParamName: "b"}, &fleetioserver.UnmarshalingParamError{ParamName: "b"},
		&fleetioserver.RequiredParamError{ParamName: "b"}, &fleetioserver.RequiredHeaderError{ParamName: "b"},
		&fleetioserver.TooManyValuesForParamError{ParamName: "b"}, &fleetioserver.UnescapedCookieParamError{ParamName: "b"},
	} {
		c := &exchange{response: response{header: http.Header{}}, operation: &fleetioserver.Operation{Parameters: []fleetioserver.Parameter{{Name: "a"}, {Name: "b"}}}}
		undecodable(c, nil, err)
		assert.JSONEq(t, `{"errors":{"b":["is invalid"]}}`, string(c.body), "%T", err)
	}
}

// TestNewHeader responds with a header that the sandbox does not know.
func TestNewHeader(t *testing.T) {
	t.Parallel()
	s, err := New()
	require.NoError(t, err)
	o := *operationAt(http.MethodPost, "/api/v1/faults")
	o.Header = map[string]string{"X-Remaining": "5", "Location": "/example"}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/faults", nil)
	for _, status := range []int{o.Status, http.StatusTeapot} {
		c := &exchange{response: response{header: http.Header{}}, request: r, operation: &o, failure: Failure{plan: plan{accept: true}}}
		s.perform(c, "", func(http.ResponseWriter, *http.Request) {
			c.status = status
			c.header.Set("Location", "/7")
		})
		assert.Equal(t, status == o.Status, c.header.Get("X-Remaining") == "5")
		assert.Equal(t, "/7", c.header.Get("Location"))
	}
}

// TestOtherBodies sends bodies to an operation that takes JSON and others, whose content is not checked.
func TestOtherBodies(t *testing.T) {
	t.Parallel()
	s, err := New()
	require.NoError(t, err)
	o := *operationAt(http.MethodPost, "/api/v1/faults")
	o.OtherBodies = []string{"application/x-www-form-urlencoded", "text/*"}
	for mediaType, want := range map[string]int{
		"application/json": http.StatusUnprocessableEntity, "text/csv; charset=utf-8": http.StatusOK, "application/x-www-form-urlencoded": http.StatusOK,
		"image/png": http.StatusUnsupportedMediaType, "": http.StatusUnsupportedMediaType,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		r.Header = http.Header{"Content-Type": {mediaType}, "Authorization": {"Token " + s.accounts[0].APIKeys[0].Key}, "Account-Token": {s.accounts[0].Token}}
		c := &exchange{response: response{header: http.Header{}}, request: r, operation: &o, sent: []byte("a=b")}
		c.caller, _ = s.keys.find(r.Header)
		c.account = c.caller.account
		s.perform(c, "", func(http.ResponseWriter, *http.Request) {
			if c.status = http.StatusOK; c.input.problems != nil {
				c.invalid(c.input.problems)
			}
		})
		assert.Equal(t, want, c.status, mediaType)
	}
}

// TestSortByUnknown sorts by a property that the contract's faults do not have.
func TestSortByUnknown(t *testing.T) {
	t.Parallel()
	sort := argument{Parameter: &fleetioserver.Parameter{Name: "sort[unknown]"}, texts: []string{"desc"}, value: `"desc"`}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	l, problem := newListing(&exchange{request: r, operation: &fleetioserver.Operation{}, arguments: []argument{sort}})
	assert.Empty(t, problem)
	assert.Equal(t, []sorting{{"unknown", word, true}}, l.sorts)
}
