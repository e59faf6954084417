package suggest_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/speakeasy-api/openapi/overlay"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/fleetcontract/fleetio-go/cmd/fleetio/internal/suggest"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

// someSpec is the spec of the checker's tests: an edit of the project's contract does not change it.
var someSpec = func() []byte {
	spec, err := os.ReadFile("../../../../conformance/internal/testspec/spec.yaml")
	if err != nil {
		panic(err)
	}
	return spec
}()

var update = flag.Bool("update", false, "write the golden files anew")

// call is an exchange in a table: what differs from a conformant one.
type call struct {
	status   int    // 200 (of the shop) or 201 by default
	request  string // members to change in the request, as JSON
	response string // members to change in a 2xx answer, or the body of another, as JSON
	body     string // the answer's body as it is
	none     bool   // the answer has no body
	empty    bool   // the request has none
	sent     http.Header
	got      http.Header
}

var credentials = map[string]string{"X-Key": "s3cr3t-key-1", "X-Account": "s3cr3t-acc-2", "Authorization": "Token s3cr3t-key-3",
	"Account-Token": "s3cr3t-acc-4"}

// service is one spec with what a conformant exchange for it is.
type service struct {
	spec              []byte
	url               string
	status            int
	request, response string
	header            http.Header
}

func shop(t testing.TB) service {
	t.Helper()
	spec, err := os.ReadFile(filepath.Join("testdata", "shop.yaml"))
	require.NoError(t, err)
	return service{spec: spec, url: "https://shop.example/items", status: 200, request: `{"name":"pen"}`,
		response: `{"id":7,"name":"pen","it's":"so","last":true}`, header: http.Header{"X-Left": {"3"}}}
}

func faults() service {
	return service{spec: someSpec, url: "https://secure.fleetio.com/api/v1/faults", status: 201,
		request: `{"vehicle_id":4711,"code":"P0420"}`,
		response: `{"id":7,"account_id":12,"vehicle_id":4711,"code":"P0420","count":null,"description":null,"last_occurred_at":null,
			"name":null,"status":"open","source":null,"vehicle_archived_at":null,"fault_rule_id":null,"is_sample":false}`,
		header: http.Header{"Location": {"/api/v1/faults/7"}}}
}

// absent takes a member away.
const absent = `"(absent)"`

func change(t testing.TB, body, changes string) []byte {
	t.Helper()
	var members, changed map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(body), &members))
	if changes != "" {
		require.NoError(t, json.Unmarshal([]byte(changes), &changed), changes)
	}
	for name, value := range changed {
		if string(value) == absent {
			delete(members, name)
		} else {
			members[name] = value
		}
	}
	out, err := json.Marshal(members)
	require.NoError(t, err)
	return out
}

func (s service) exchange(t testing.TB, i int, c call) *traffic.Exchange {
	t.Helper()
	u, err := url.Parse(s.url)
	require.NoError(t, err)
	ex := &traffic.Exchange{Source: fmt.Sprintf("calls.har#%d", i), Method: http.MethodPost, URL: u, Status: c.status}
	if ex.Status == 0 {
		ex.Status = s.status
	}
	ex.Request = traffic.Message{Header: http.Header{"Content-Type": {"application/json"}}, Body: change(t, s.request, c.request)}
	if c.empty {
		ex.Request.Body = nil
	}
	for name, secret := range credentials {
		ex.Request.Header.Set(name, secret)
	}
	ex.Response = traffic.Message{Header: http.Header{"Content-Type": {"application/json"}}}
	switch {
	case c.none:
		ex.Response.Header.Del("Content-Type")
	case c.body != "":
		ex.Response.Body = []byte(c.body)
	case ex.Status == s.status:
		ex.Response.Body = change(t, s.response, c.response)
	default:
		ex.Response.Body = []byte(c.response)
	}
	if ex.Status == s.status {
		maps.Copy(ex.Response.Header, s.header)
	}
	for to, from := range map[*http.Header]http.Header{&ex.Request.Header: c.sent, &ex.Response.Header: c.got} {
		for name, values := range from {
			if (*to)[name] = values; values == nil {
				delete(*to, name)
			}
		}
	}
	return ex
}

// check checks the calls.
func (s service) check(t testing.TB, spec []byte, calls []call) (*conformance.Contract, *conformance.Report) {
	t.Helper()
	contract, err := conformance.Load(spec)
	require.NoError(t, err, "%s", spec)
	ledger := contract.NewLedger()
	for i, c := range calls {
		_, err := ledger.Add(s.exchange(t, i, c))
		require.NoError(t, err)
	}
	return contract, ledger.Report()
}

// apply applies an overlay by another program's library. An action that meets nothing, or changes nothing, fails.
func apply(t testing.TB, spec, text []byte) []byte {
	t.Helper()
	out, warnings := applyLax(t, spec, text)
	require.Empty(t, warnings, "%s", text)
	return out
}

// applyLax is apply for actions that may change nothing.
func applyLax(t testing.TB, spec, text []byte) (out []byte, warnings []string) {
	t.Helper()
	o, err := overlay.ParseReader(bytes.NewReader(text))
	require.NoError(t, err, "%s", text)
	require.NoError(t, o.Validate(), "%s", text)
	var doc yaml.Node
	require.NoError(t, yaml.Unmarshal(spec, &doc))
	warnings, err = o.ApplyToStrict(&doc)
	require.NoError(t, err, "%s", text)
	out, err = yaml.Marshal(&doc)
	require.NoError(t, err)
	return out, warnings
}

// suggestion is a row of the tables.
type suggestion struct {
	name       string
	calls      []call
	documented bool     // asked to loosen what is documented
	changes    []string // claims that change, as globs of their IDs without the part; of all others none may
	left       []string // rules that are refuted or drift afterwards; none by default
	unsaid     string   // what x-not-suggested, or the error, says
	nothing    bool
	alone      bool // beside other values of the same place, the report does not show this one
}

func (s service) run(t *testing.T, rows []suggestion, golden string) {
	t.Helper()
	texts := make([]string, len(rows))
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			contract, before := s.check(t, s.spec, row.calls)
			require.NotEmpty(t, before.Deviations, "the calls deviate in nothing")
			text, err := suggest.Overlay(s.spec, before, row.documented)
			if row.nothing {
				require.ErrorIs(t, err, suggest.ErrNothing)
				assert.Contains(t, err.Error(), row.unsaid)
				assert.Nil(t, text)
				return
			}
			require.NoError(t, err)
			again, err := suggest.Overlay(s.spec, before, row.documented)
			require.NoError(t, err)
			assert.Equal(t, string(text), string(again))
			texts[i] = fmt.Sprintf("--- # %s\n%s", row.name, text)
			if row.unsaid == "" {
				assert.NotContains(t, string(text), "x-not-suggested")
			} else {
				assert.Contains(t, strings.Join(strings.Fields(string(text)), " "), row.unsaid)
			}
			for _, secret := range credentials {
				assert.NotContains(t, string(text), strings.Fields(secret)[len(strings.Fields(secret))-1])
			}
			changed := apply(t, s.spec, text)
			overlaid, after := s.check(t, changed, row.calls)
			var left []string
			for _, k := range after.Deviations {
				if k.Source != conformance.Note {
					left = append(left, k.Rule)
				}
			}
			assert.ElementsMatch(t, row.left, left, "%s\n%s", text, messages(after))
			assert.ElementsMatch(t, row.changes, changes(t, contract, overlaid), "%s", text)
			added(t, contract, overlaid)
		})
	}
	t.Cleanup(func() {
		if t.Failed() {
			return
		}
		path, all := filepath.Join("testdata", golden), strings.Join(texts, "")
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(all), 0o600))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, string(want), all)
	})
}

func messages(r *conformance.Report) string {
	var list []string
	for _, k := range r.Deviations {
		list = append(list, fmt.Sprintf("%s %s#%s %s %s", k.Rule, k.Part, k.Pointer, k.Spec.Pointer, k.Message))
	}
	return strings.Join(list, "\n")
}

// changes lists the claims that are gone or say something else, without their part, each once.
func changes(t *testing.T, before, after *conformance.Contract) []string {
	t.Helper()
	now := map[string]conformance.Claim{}
	for _, c := range after.Claims() {
		now[c.ID] = c
	}
	list := map[string]bool{}
	for _, c := range before.Claims() {
		if same := now[c.ID]; same.Text != c.Text || same.Source != c.Source || same.Reason != c.Reason {
			_, at, _ := strings.Cut(c.ID, "#")
			list[at] = true
		}
	}
	return slices.Sorted(maps.Keys(list))
}

// added proves that what the overlay adds is marked, but that an answer or a type of body is there at all.
func added(t *testing.T, before, after *conformance.Contract) {
	t.Helper()
	was := map[string]bool{}
	for _, c := range before.Claims() {
		was[c.ID] = true
	}
	for _, c := range after.Claims() {
		if !was[c.ID] && !was[strings.Replace(c.ID, "/maximum", "/exclusiveMaximum", 1)] && c.Rule != "media-type" && c.Rule != "security" {
			assert.Equal(t, conformance.Assumed, c.Source, c.ID)
			assert.Contains(t, c.Reason+"Observed in A guess.", "Observed in", c.ID)
		}
	}
}
