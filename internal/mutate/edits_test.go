package mutate

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"

	"github.com/fleetcontract/fleetio-go/internal/generate"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// apiMutants returns the mutants of the repository's spec, which take seconds to make.
var apiMutants = sync.OnceValues(func() ([]Mutant, error) { return Mutants(api.Spec) })

// mutantsOf derives the mutants. They take long under the race detector, and one goroutine sends them all.
func mutantsOf(t *testing.T) (*contract, *conformance.Contract, []Mutant) {
	t.Helper()
	if raceDetector {
		t.Skip("make test runs it without the race detector")
	}
	c, err := parse(api.Spec)
	require.NoError(t, err)
	under, err := conformance.Load(api.Spec)
	require.NoError(t, err)
	mutants, err := apiMutants()
	require.NoError(t, err)
	return c, under, mutants
}

// TestMutantsThroughEdits has the sandbox respond with each mutant, by edits of its own response: the findings must be
// those that the mutant expects.
func TestMutantsThroughEdits(t *testing.T) { //nolint:tparallel // the edits are for the next request
	t.Parallel()
	c, contract, mutants := mutantsOf(t)
	s := sandbox.Start(t)
	client := &http.Client{
		Transport:     &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(client.CloseIdleConnections)
	answer := func(t *testing.T, path string, ex *traffic.Exchange, edits ...string) (int, traffic.Message) {
		t.Helper()
		s.InjectNext(sandbox.Edit(edits...))
		return send(t, client, s.URL+path, ex)
	}
	create := mutants[slices.IndexFunc(mutants, func(m Mutant) bool { return c.operationOf(m.Exchange).id == "createFault" })].Exchange
	var fault struct{ ID json.Number } // for the operations that read one
	_, response := answer(t, create.URL.RequestURI(), create, "accept")
	require.NoError(t, json.Unmarshal(response.Body, &fault))
	used := map[string]int{} // edits by their names, and operations that succeed without
	for i := range mutants {
		m := &mutants[i]
		t.Run(m.Name, func(t *testing.T) {
			if m.Exchange.Status < 200 {
				t.Skip("a status below 200 is not final (RFC 9110, section 15.2)")
			}
			o := c.operationOf(m.Exchange)
			path := m.Exchange.URL.RequestURI()
			if !generate.OfRequest(m.Expected.Part) {
				path = o.pathOf(m.Exchange, fault.ID.String())
			}
			status, unedited := answer(t, path, m.Exchange, "accept")
			if status/100 == 2 {
				used[o.id]++
			}
			edits := editsBetween(status, &unedited, m.Exchange)
			got := *m.Exchange // whose recorded request may lack the body, which would violate another claim
			got.Status, got.Response = answer(t, path, m.Exchange, edits...)
			findings, err := contract.Check(&got)
			require.NoError(t, err)
			assert.ElementsMatch(t, append([]Expectation{m.Expected}, m.SideEffects...), expectations(findings),
				"%q: %d %v %.500q", edits, got.Status, got.Response.Header, got.Response.Body)
			for _, edit := range edits {
				name, _, _ := strings.Cut(edit, "=")
				used[name]++
			}
		})
	}
	for _, name := range []string{"accept", "status", "set", "remove", "header", "body"} {
		assert.Positive(t, used[name], "no mutant needs %s", name)
	}
	for _, o := range c.operations {
		assert.Positive(t, used[o.id], "no mutant is an edit of a success of %s", o.id)
	}
	assert.Greater(t, len(mutants), 2000)
}

// pathOf is the path of an exchange with the id of a stored fault, and without the query, whose filters no fault passes.
func (o *operation) pathOf(ex *traffic.Exchange, id string) string {
	segments := strings.Split(ex.URL.EscapedPath(), "/")
	for i, segment := range strings.Split(o.path, "/") {
		if segment == "{id}" {
			segments[i] = id
		}
	}
	return strings.Join(segments, "/")
}

// editsBetween returns the edits that change a response to an accepted request into that of a mutant.
func editsBetween(status int, unedited *traffic.Message, want *traffic.Exchange) []string {
	edits := []string{"accept"}
	if want.Status != status {
		edits = append(edits, "status="+strconv.Itoa(want.Status))
	}
	for name := range unedited.Header {
		if want.Response.Header[name] == nil && name != "Content-Length" {
			edits = append(edits, "header="+name)
		}
	}
	for name, values := range want.Response.Header {
		for _, value := range values {
			edits = append(edits, "header="+name+"="+value)
		}
	}
	var before, after map[string]json.RawMessage
	if !isObject(unedited.Body, &before) || !isObject(want.Response.Body, &after) {
		return append(edits, "body="+string(want.Response.Body))
	}
	for name := range before {
		if after[name] == nil {
			edits = append(edits, "remove="+pointerTo(name))
		}
	}
	names := slices.Collect(maps.Keys(after)) // the longest value last, as each edit encodes the whole body
	slices.SortFunc(names, func(a, b string) int { return len(after[a]) - len(after[b]) })
	for _, name := range names {
		// A value that is equal now may be another in the next answer: the sandbox counts the ids up.
		const short = 32
		if len(after[name]) <= short || !bytes.Equal(before[name], after[name]) {
			edits = append(edits, "set="+pointerTo(name)+"="+string(after[name]))
		}
	}
	return edits
}

// isObject reports whether a body is a JSON object without repeated names.
func isObject(body []byte, object *map[string]json.RawMessage) bool {
	var once, compact bytes.Buffer
	encoder := json.NewEncoder(&once) // it ends with a line feed
	encoder.SetEscapeHTML(false)
	return utf8.Valid(body) && json.Unmarshal(body, object) == nil && *object != nil && encoder.Encode(*object) == nil &&
		json.Compact(&compact, body) == nil && compact.Len() == once.Len()-1
}

func pointerTo(name string) string {
	return "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// send sends the request of an exchange to a URL, and returns the status and the response.
func send(t *testing.T, client *http.Client, url string, ex *traffic.Exchange) (int, traffic.Message) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), ex.Method, url, bytes.NewReader(ex.Request.Body))
	require.NoError(t, err)
	r.Header = ex.Request.Header.Clone()
	response, err := client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, traffic.Message{Header: response.Header, Body: body}
}

// TestMutantRequests sends the requests that violate a claim: the sandbox must reject each, and name what is wrong.
func TestMutantRequests(t *testing.T) {
	t.Parallel()
	c, contract, mutants := mutantsOf(t)
	s, err := sandbox.New()
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	account := s.Accounts()[0]
	sent := map[conformance.Part]int{}
	for _, m := range mutants {
		if !generate.OfRequest(m.Expected.Part) || m.Expected.Claim == "" && m.Expected.Rule != "body" {
			continue // drift, or an undocumented media type, which the others cover
		}
		sent[m.Expected.Part]++
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), m.Exchange.Method, "http://127.0.0.1"+m.Exchange.URL.RequestURI(), bytes.NewReader(m.Exchange.Request.Body))
			r.Header = m.Exchange.Request.Header.Clone()
			// Valid credentials replace those of the mutant.
			for name, value := range map[string]string{"Authorization": "Token " + account.APIKeys[0].Key, "Account-Token": account.Token} {
				if strings.Contains(r.Header.Get(name), "k3y") {
					r.Header.Set(name, value)
				}
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			want, named := c.operationOf(m.Exchange).rejection(&m)
			require.Equal(t, want, w.Code, "%s", w.Body)
			var answer struct {
				Errors map[string][]string `json:"errors"`
				Detail string              `json:"detail"`
			}
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
			if want == http.StatusUnprocessableEntity {
				assert.NotEmpty(t, answer.Errors[named], "%s", w.Body)
			} else {
				assert.Contains(t, answer.Detail, named)
			}
			findings, err := contract.Check(&traffic.Exchange{Method: r.Method, URL: r.URL, Status: w.Code,
				Request: m.Exchange.Request, Response: traffic.Message{Header: w.Header(), Body: w.Body.Bytes()}})
			require.NoError(t, err)
			assert.False(t, slices.ContainsFunc(findings, func(f conformance.Finding) bool { return f.Fails() }), "%+v", findings)
		})
	}
	for _, part := range []conformance.Part{conformance.RequestPath, conformance.RequestQuery, conformance.RequestHeader, conformance.RequestBody} {
		assert.Positive(t, sent[part], part)
	}
	assert.Greater(t, sent[conformance.RequestHeader]+sent[conformance.RequestBody], 290)
}

// rejection is the status with which the sandbox rejects a mutant of a request, and what the response names: the field,
// or something in its detail.
func (o *operation) rejection(m *Mutant) (status int, named string) {
	const badHeader = http.StatusUnsupportedMediaType // of the body, which the sandbox checks first
	field := "base"
	if path := generate.Tokens(m.Expected.Pointer); len(path) > 0 {
		field = path[0]
	}
	switch part := m.Expected.Part; {
	case m.Expected.Rule == "security":
		return http.StatusUnauthorized, field
	case m.Expected.Rule == "media-type" || part == conformance.RequestBody && m.Exchange.Request.Header["Content-Type"] == nil:
		return badHeader, "application/json"
	case part == conformance.RequestBody && field != "base":
		return http.StatusUnprocessableEntity, m.Expected.Pointer[1:]
	case part == conformance.RequestBody:
		return http.StatusUnprocessableEntity, field
	case slices.ContainsFunc(o.responses, func(r *response) bool { return r.key == "400" }):
		return http.StatusBadRequest, "The parameter " + field + " "
	case part == conformance.RequestPath:
		return http.StatusNotFound, "The parameter " + field + " "
	}
	return http.StatusUnprocessableEntity, field
}

// TestStatusNotes shows that a valid request that is rejected because of its content gets a note, and an invalid one that
// is answered with a server error; other statuses get none.
func TestStatusNotes(t *testing.T) {
	t.Parallel()
	c, contract, mutants := mutantsOf(t)
	notes := func(t *testing.T, ex *traffic.Exchange) (rules []string) {
		t.Helper()
		findings, err := contract.Check(ex)
		require.NoError(t, err)
		for _, f := range findings {
			if f.Part == conformance.ResponseStatus && f.Source == conformance.Note {
				rules = append(rules, f.Rule)
			}
		}
		return rules
	}
	otherReasons := []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusTooManyRequests}
	rng := newRand(6)
	for _, o := range c.operations {
		ex := conforming(rng, combinations(o, o.responses[0])[0], true).exchange()
		for status := 200; status < 600; status++ {
			ex.Status = status
			var want []string
			if status/100 == 4 && !slices.Contains(otherReasons, status) {
				want = []string{"rejected"}
			}
			assert.Equal(t, want, notes(t, ex), "%s %d", o.id, status)
		}
	}
	for i := range mutants {
		m := &mutants[i]
		if !generate.OfRequest(m.Expected.Part) || m.Expected.Claim == "" {
			continue
		}
		for status, want := range map[int][]string{http.StatusBadGateway: {"server-error"}, http.StatusBadRequest: nil} {
			if m.Expected.Rule == "security" {
				want = nil
			}
			ex := *m.Exchange
			ex.Status = status
			assert.Equal(t, want, notes(t, &ex), "%s %d", m.Name, status)
		}
	}
}
