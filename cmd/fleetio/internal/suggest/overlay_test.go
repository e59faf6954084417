package suggest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/suggest"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// TestAllAtOnce answers the deviations of all rows with one overlay, for the spec in YAML and in JSON.
func TestAllAtOnce(t *testing.T) {
	t.Parallel()
	s := shop(t)
	var calls []call
	for _, row := range shopRows() {
		if !row.documented && !row.nothing && !row.alone {
			calls = append(calls, row.calls...)
		}
	}
	var tree any
	require.NoError(t, yaml.Unmarshal(s.spec, &tree))
	inJSON, err := json.Marshal(tree)
	require.NoError(t, err)
	for form, spec := range map[string][]byte{"YAML": s.spec, "JSON": inJSON} {
		_, before := s.check(t, spec, calls)
		text, err := suggest.Overlay(spec, before, false)
		require.NoError(t, err)
		_, after := s.check(t, apply(t, spec, text), calls)
		var left []string
		for _, k := range after.Deviations {
			if k.Source != conformance.Note {
				left = append(left, k.Rule+" "+k.Pointer)
			}
		}
		// Those that removing an exclusive bound uncovers, one that a criterion needs, names like positions, one documented.
		assert.Equal(t, []string{"minimum /ratio", "maximum /ratio", "format /from", "undocumented-header /X-When",
			"undocumented-header /X-Why", "undocumented-header /6", "undocumented-property /inner/2", "minimum /id"}, left, form)
	}
}

func TestNothingToSuggest(t *testing.T) {
	t.Parallel()
	s := faults()
	_, conformant := s.check(t, s.spec, []call{{}})
	require.Empty(t, conformant.Deviations)
	_, note := s.check(t, s.spec, answers(`{"id":7.0}`))
	require.Len(t, note.Deviations, 1)
	_, known := s.check(t, s.spec, answers(`{"status":null}`))
	known.Deviations[0].Known = "It is mended next week."
	for name, r := range map[string]*conformance.Report{"conformant": conformant, "a note": note, "known": known} {
		text, err := suggest.Overlay(s.spec, r, true)
		assert.Nil(t, text, name)
		assert.EqualError(t, err, suggest.ErrNothing.Error(), name)
	}
}

func TestWrongSpec(t *testing.T) {
	t.Parallel()
	s := faults()
	_, r := s.check(t, s.spec, answers(`{"status":null}`))
	_, err := suggest.Overlay(append([]byte("# edited\n"), s.spec...), r, false)
	require.ErrorContains(t, err, "the report is about another spec")
	_, err = suggest.Overlay([]byte("openapi: 3.1.0"), r, false)
	require.Error(t, err)
}

// TestAnchor lets two members share a schema by an anchor. An overlay would change both, and the readers of overlays
// differ about how.
func TestAnchor(t *testing.T) {
	t.Parallel()
	s := shop(t)
	s.spec = []byte(strings.Replace(string(s.spec), "        other:\n", "        shared: &shared {type: integer, minimum: 1, x-assumed: {minimum: A guess.}}\n"+
		"        sharing: *shared\n        other:\n", 1))
	for _, member := range []string{"shared", "sharing"} {
		_, r := s.check(t, s.spec, answers(`{"`+member+`":0}`))
		require.Len(t, r.Deviations, 1)
		_, err := suggest.Overlay(s.spec, r, false)
		require.ErrorIs(t, err, suggest.ErrNothing)
		assert.ErrorContains(t, err, "has an anchor", member)
	}
}

// TestManyMembers is what hostile traffic would like to be slow: each member of an answer undocumented.
func TestManyMembers(t *testing.T) {
	t.Parallel()
	s := shop(t)
	var calls []call
	for i := range 8 {
		var members []string
		for j := range 25 {
			members = append(members, fmt.Sprintf(`"m%d_%d":%d`, i, j, j))
		}
		calls = append(calls, call{response: "{" + strings.Join(members, ",") + `,"from":"yesterday"}`})
	}
	_, r := s.check(t, s.spec, calls)
	text, err := suggest.Overlay(s.spec, r, false)
	require.NoError(t, err)
	_, after := s.check(t, apply(t, s.spec, text), calls)
	require.Len(t, after.Deviations, 1)
	assert.Equal(t, "format", after.Deviations[0].Rule)
}

// FuzzOverlay reads the deviations of a report from elsewhere. Whatever they are, there is no panic, and what is suggested
// can be applied.
func FuzzOverlay(f *testing.F) {
	s := shop(f)
	_, r := s.check(f, s.spec, append(answers(`{"count":0,"ratio":9,"word":null,"new":1,"one":"x","closed":{"b":1}}`, `{"mood":3,"id":0}`, `{"last":"(absent)"}`),
		call{status: 403, none: true}, plainText(404, "no"), plainText(409, "no"), call{sent: http.Header{"X-Key": nil}}, call{got: http.Header{"X-A": {"b"}}}))
	for _, k := range r.Deviations {
		names := ""
		if k.Observed != nil {
			names = strings.Join(slices.Concat(k.Observed.Types, k.Observed.MediaTypes, k.Observed.Headers, k.Observed.Bodies), " ")
		}
		f.Add(k.Rule, string(k.Part), string(k.Source), k.Claim, k.Spec.Pointer, k.Pointer, k.Status, names, "1")
	}
	f.Fuzz(func(t *testing.T, rule, part, basis, claim, place, pointer string, status int, names, number string) {
		list := strings.Fields(names)
		k := conformance.Deviation{Rule: rule, Part: conformance.Part(part), Source: conformance.Source(basis), Claim: claim,
			Spec: conformance.Location{Pointer: place}, Pointer: pointer, Status: status,
			Observed: &conformance.Observed{Types: list, MediaTypes: list, Headers: list, Bodies: list, Minimum: json.Number(number), Maximum: json.Number(number), Criteria: list}}
		forged := conformance.Report{Spec: r.Spec, Claims: r.Claims, Deviations: []conformance.Deviation{k}}
		text, err := suggest.Overlay(s.spec, &forged, true)
		if err != nil {
			require.ErrorIs(t, err, suggest.ErrNothing)
			return
		}
		changed, _ := applyLax(t, s.spec, text)
		_, err = conformance.Load(changed)
		require.NoError(t, err, "%s", text)
	})
}

func BenchmarkOverlay(b *testing.B) {
	s := faults()
	_, r := s.check(b, s.spec, append(answers(`{"status":null,"name":1,"new":1}`), call{status: 403, none: true}))
	for b.Loop() {
		if _, err := suggest.Overlay(s.spec, r, false); err != nil {
			b.Fatal(err)
		}
	}
}

// Example checks a 403 without a body, which the vendor's pages contradict each other about.
func Example() {
	contract, err := conformance.Load(someSpec)
	if err != nil {
		fmt.Println(err)
		return
	}
	ledger := contract.NewLedger()
	if _, err := ledger.Add(&traffic.Exchange{
		Source: "answers.har#0", Method: http.MethodPost, Status: http.StatusForbidden,
		URL:      &url.URL{Scheme: "https", Host: "secure.fleetio.com", Path: "/api/v1/faults"},
		Request:  traffic.Message{HeaderOmitted: true, BodyOmitted: true},
		Response: traffic.Message{Header: http.Header{}},
	}); err != nil {
		fmt.Println(err)
		return
	}
	overlay, err := suggest.Overlay(someSpec, ledger.Report(), false)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(overlay))
	// Output:
	// overlay: 1.0.0
	// x-speakeasy-jsonpath: rfc9535
	// info:
	//   title: What traffic showed of Fleetio Create Fault
	//   version: 1.0.0
	// actions:
	//   - target: $.paths["/api/v1/faults"].post.responses["403"]["x-assumed"]
	//     description: 'createFault with response 403, response.body: expected a body of
	//       application/json, found none. Findings: 1, exchanges: 1, first answers.har#0.
	//       Fingerprint 3876115f3b6d1c0b.'
	//     remove: true
	//   - target: $.paths["/api/v1/faults"].post.responses["403"].content
	//     description: Goes with the action before it.
	//     remove: true
	//   - target: $.paths["/api/v1/faults"].post.responses["403"]["x-criteria"]
	//     description: Goes with the action before it.
	//     remove: true
	//   - target: $.paths["/api/v1/faults"].post.responses["403"]
	//     description: Goes with the action before it.
	//     update:
	//       content: {}
	//       x-assumed:
	//         content: Observed in 1 exchange(s), not documented.
}
