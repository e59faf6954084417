package mutate

import (
	"bytes"
	"encoding/json"
	"io"
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
	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
	"github.com/fleetcontract/fleetio-go/sandbox"
)

// apiMutants returns the mutants of the repository's spec, which take seconds to make.
var apiMutants = sync.OnceValues(func() ([]Mutant, error) { return Mutants(api.Spec) })

// mutantsOf derives the mutants. They take long under the race detector, and one goroutine sends them all.
func mutantsOf(t *testing.T) (*conformance.Contract, []Mutant) {
	t.Helper()
	if raceDetector {
		t.Skip("make test runs it without the race detector")
	}
	contract, err := conformance.Load(api.Spec)
	require.NoError(t, err)
	mutants, err := apiMutants()
	require.NoError(t, err)
	return contract, mutants
}

// TestMutantsThroughEdits has the sandbox respond with each mutant, by edits of its response: the findings must be those
// that the mutant expects.
func TestMutantsThroughEdits(t *testing.T) { //nolint:tparallel // the edits are for the next request
	t.Parallel()
	contract, mutants := mutantsOf(t)
	s := sandbox.Start(t)
	client := &http.Client{
		Transport:     &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(client.CloseIdleConnections)
	s.InjectNext(sandbox.Edit("accept"))
	_, accepted := send(t, client, s.URL, mutants[0].Exchange)
	used := map[string]int{} // edits by their names
	for i := range mutants {
		m := &mutants[i]
		t.Run(m.Name, func(t *testing.T) {
			if m.Exchange.Status < 200 {
				t.Skip("a status below 200 is not final (RFC 9110, section 15.2)")
			}
			edits := editsBetween(t, &accepted, m.Exchange)
			s.InjectNext(sandbox.Edit(edits...))
			got := *m.Exchange // whose recorded request may lack the body, which would violate another claim
			got.Status, got.Response = send(t, client, s.URL, m.Exchange)
			findings, err := contract.Check(&got)
			require.NoError(t, err)
			var actual []Expectation
			for _, f := range findings {
				actual = append(actual, Expectation{Claim: f.Claim, Rule: f.Rule, Part: f.Part, Pointer: f.Pointer})
			}
			assert.ElementsMatch(t, append([]Expectation{m.Expected}, m.SideEffects...), actual,
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
	assert.Greater(t, len(mutants), 2000)
}

// editsBetween returns the edits that change the response to an accepted request into that of a mutant.
func editsBetween(t *testing.T, accepted *traffic.Message, want *traffic.Exchange) []string {
	t.Helper()
	edits := []string{"accept"}
	if want.Status != http.StatusCreated {
		edits = append(edits, "status="+strconv.Itoa(want.Status))
	}
	for name := range accepted.Header {
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
	require.NoError(t, json.Unmarshal(accepted.Body, &before))
	if !isObject(want.Response.Body, &after) {
		return append(edits, "body="+string(want.Response.Body))
	}
	for name, value := range after {
		edits = append(edits, "set="+pointerTo(name)+"="+string(value))
	}
	for name := range before {
		if after[name] == nil {
			edits = append(edits, "remove="+pointerTo(name))
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

// send sends the request of an exchange, and returns the status and the response.
func send(t *testing.T, client *http.Client, base string, ex *traffic.Exchange) (int, traffic.Message) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), ex.Method, base+ex.URL.RequestURI(), bytes.NewReader(ex.Request.Body))
	require.NoError(t, err)
	r.Header = ex.Request.Header.Clone()
	response, err := client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, traffic.Message{Header: response.Header, Body: body}
}

// TestMutantRequests sends the requests that violate a claim: the sandbox must reject each.
func TestMutantRequests(t *testing.T) {
	t.Parallel()
	contract, mutants := mutantsOf(t)
	s, err := sandbox.New()
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	account := s.Accounts()[0]
	sent := 0
	for _, m := range mutants {
		var want int
		switch {
		case m.Expected.Part == conformance.RequestHeader && m.Expected.Rule == "security":
			want = http.StatusUnauthorized
		case m.Expected.Part == conformance.RequestHeader:
			want = http.StatusUnsupportedMediaType
		case m.Expected.Part == conformance.RequestBody && m.Exchange.Request.Header["Content-Type"] == nil:
			want = http.StatusUnsupportedMediaType // the sandbox checks the header first
		case m.Expected.Part == conformance.RequestBody:
			want = http.StatusUnprocessableEntity
		default:
			continue
		}
		if m.Expected.Claim == "" && m.Expected.Rule != "body" {
			continue // drift, or an undocumented media type, which the cases above cover
		}
		sent++
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
			require.Equal(t, want, w.Code, "%s", w.Body)
			if m.Expected.Part == conformance.RequestBody && want == http.StatusUnprocessableEntity {
				var rejected fleetioapi.ValidationErrors
				require.NoError(t, json.Unmarshal(w.Body.Bytes(), &rejected))
				field := "base"
				if len(m.Expected.Pointer) > 1 {
					field = m.Expected.Pointer[1:]
				}
				assert.NotEmpty(t, rejected.Errors[field], "%s", w.Body)
			}
			findings, err := contract.Check(&traffic.Exchange{Method: r.Method, URL: r.URL, Status: w.Code,
				Request: m.Exchange.Request, Response: traffic.Message{Header: w.Header(), Body: w.Body.Bytes()}})
			require.NoError(t, err)
			assert.False(t, slices.ContainsFunc(findings, func(f conformance.Finding) bool { return f.Fails() }), "%+v", findings)
		})
	}
	assert.Greater(t, sent, 290)
}
