package contracttest

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/api"
	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
)

var update = flag.Bool("update", false, "write what was found as what is expected")

const recordings = root + "/conformance/testdata/recordings"

// expectation is what NAME.expected.json says of NAME.har.
type expectation struct {
	About string `json:"about"`
	// Known is why the findings stand although the recording is not of a test server: they are known failures.
	Known string `json:"known,omitempty"`
	// Judged is how many of its exchanges are for an operation of the contract and have an answer.
	Judged   int               `json:"judged"`
	Findings []expectedFinding `json:"findings"`
}

type expectedFinding struct {
	Entry   int                `json:"entry"`
	Status  int                `json:"status"`
	Rule    string             `json:"rule"`
	Part    conformance.Part   `json:"part"`
	Pointer string             `json:"pointer"`
	Source  conformance.Source `json:"source"`
}

func expected(f conformance.Finding) expectedFinding {
	e := expectedFinding{Entry: -1, Status: f.Status, Rule: f.Rule, Part: f.Part, Pointer: f.Pointer, Source: f.Source}
	_, entry, _ := strings.Cut(f.Exchange, "#/log/entries/")
	if _, err := fmt.Sscan(entry, &e.Entry); err != nil {
		panic("a finding without its entry: " + f.Exchange)
	}
	return e
}

func sortFindings(list []expectedFinding) {
	slices.SortFunc(list, func(a, b expectedFinding) int {
		return cmp.Or(cmp.Compare(a.Entry, b.Entry), cmp.Compare(a.Part, b.Part), cmp.Compare(a.Pointer, b.Pointer),
			cmp.Compare(a.Rule, b.Rule))
	})
}

func loadContract(t testing.TB) *conformance.Contract {
	t.Helper()
	contract, err := conformance.Load(api.Spec)
	require.NoError(t, err)
	require.Empty(t, contract.Unchecked, "the contract makes claims that nothing checks")
	return contract
}

// TestContractRecordings is the contract test: it judges every recording and compares the findings with what stands
// beside it. It prints the verdict, which `make contract` shows.
func TestContractRecordings(t *testing.T) {
	contract := loadContract(t)
	files, err := filepath.Glob(recordings + "/*.har")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 11, "the vendor's page and at least ten more")
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			findings, judged := judge(t, contract, file)
			want := readExpectation(t, file, judged, findings)
			sortFindings(want.Findings)
			got := []expectedFinding{}
			for _, f := range findings {
				got = append(got, expected(f))
			}
			sortFindings(got)
			as := assert.Equal(t, want.Findings, got, "%s: findings; -update writes them anew", file)
			as = assert.Equal(t, want.Judged, judged, "%s: exchanges that were judged; -update writes it anew", file) && as
			as = assert.Positive(t, judged, "%s: no exchange was judged", file) && as
			printVerdict(t, filepath.Base(file), judged, want, findings, as)
		})
	}
}

// judge counts apart what the contract has nothing to say of.
func judge(t *testing.T, contract *conformance.Contract, path string) (findings []conformance.Finding, judged int) {
	for exchange, err := range traffic.Read(t.Context(), nil, path) {
		require.NoError(t, err)
		found, err := contract.Check(exchange)
		switch {
		case err == nil:
			judged++
		case !errors.Is(err, conformance.ErrNoOperation) && !errors.Is(err, conformance.ErrNoResponse):
			require.NoError(t, err, exchange.Source)
		}
		findings = append(findings, found...)
	}
	return findings, judged
}

func readExpectation(t *testing.T, har string, judged int, findings []conformance.Finding) expectation {
	name := strings.TrimSuffix(har, ".har") + ".expected.json"
	want := expectation{About: "What this recording is for."}
	data, err := os.ReadFile(name)
	if !*update {
		require.NoError(t, err, "say what is expected of the recording; -update writes what was found")
	}
	if err == nil {
		require.NoError(t, json.Unmarshal(data, &want), name)
	}
	if *update {
		want.Judged, want.Findings = judged, []expectedFinding{}
		for _, f := range findings {
			want.Findings = append(want.Findings, expected(f))
		}
		writeExpectation(t, name, want)
	}
	assert.NotEmpty(t, want.About, name)
	return want
}

// writeExpectation keeps a finding on a line, so that a change is a line in a diff.
func writeExpectation(t *testing.T, name string, e expectation) {
	var b strings.Builder
	line := func(v any) string {
		data, err := json.Marshal(v)
		require.NoError(t, err)
		return string(data)
	}
	fmt.Fprintf(&b, "{\n  \"about\": %s,\n", line(e.About))
	if e.Known != "" {
		fmt.Fprintf(&b, "  \"known\": %s,\n", line(e.Known))
	}
	fmt.Fprintf(&b, "  \"judged\": %d,\n  \"findings\": [", e.Judged)
	for i, f := range e.Findings {
		fmt.Fprintf(&b, `%s    {"entry": %d, "status": %d, "rule": %s, "part": %s, "pointer": %s, "source": %s}`,
			[]string{"\n", ",\n"}[min(i, 1)], f.Entry, f.Status, line(f.Rule), line(f.Part), line(f.Pointer), line(f.Source))
	}
	if len(e.Findings) > 0 {
		b.WriteString("\n  ")
	}
	b.WriteString("]\n}\n")
	require.NoError(t, os.WriteFile(name, []byte(b.String()), 0o600))
}

func printVerdict(t *testing.T, name string, judged int, want expectation, findings []conformance.Finding, as bool) {
	verdict := "conforms"
	failing := 0
	for _, f := range findings {
		if f.Fails() {
			failing++
		}
	}
	switch {
	case !as:
		verdict = "NOT AS EXPECTED"
	case want.Known != "":
		verdict = fmt.Sprintf("%d known failures: %s", len(findings), want.Known)
	case failing > 0:
		verdict = fmt.Sprintf("%d findings, all planted: %s", failing, want.About)
	}
	if apart := len(findings) - failing; apart > 0 {
		verdict += fmt.Sprintf(" (and %d of drift and notes)", apart)
	}
	_, _ = fmt.Fprintf(t.Output(), "%-24s %2d judged  %s\n", name, judged, verdict)
	if want.Known == "" && as {
		return
	}
	for _, f := range findings {
		_, _ = fmt.Fprintf(t.Output(), "    %d %s %s %s: %s (%s, api/openapi.yaml:%d)\n",
			f.Status, f.Part, f.Pointer, f.Rule, f.Message, f.Source, f.Spec.Line)
	}
}

// TestRecordingsCoverRules fails where a rule or a keyword of the contract has no recording that breaks it, or an
// expectation has lost its recording.
func TestRecordingsCoverRules(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(recordings + "/*.expected.json")
	require.NoError(t, err)
	broken := map[string]bool{}
	for _, file := range files {
		assert.FileExists(t, strings.TrimSuffix(file, ".expected.json")+".har")
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var e expectation
		require.NoError(t, json.Unmarshal(data, &e), file)
		for _, f := range e.Findings {
			broken[f.Rule] = true
		}
	}
	rules := []string{
		"status", "media-type", "body", "json", "unicode", "duplicate-key", "security", "criterion", "nullable",
		"undocumented-property", "undocumented-header", "portability",
	}
	doc, err := openapi3.NewLoader().LoadFromData(api.Spec)
	require.NoError(t, err)
	require.NoError(t, doc.WalkSchemas(func(_ string, ref *openapi3.SchemaRef) error {
		rules = append(rules, claims(t, ref.Value)...)
		return nil
	}))
	slices.Sort(rules)
	for _, rule := range slices.Compact(rules) {
		assert.True(t, broken[rule], "no recording breaks %s", rule)
	}
}

// claims lists the keywords of a schema that a value can break. What is not known to claim nothing counts, so that a
// keyword that the spec has never had is seen. Null can be wrong without a keyword, so nullable is not listed.
func claims(t *testing.T, schema *openapi3.Schema) []string {
	t.Helper()
	data, err := json.Marshal(schema)
	require.NoError(t, err)
	var members map[string]any
	require.NoError(t, json.Unmarshal(data, &members))
	if members["exclusiveMinimum"] == true {
		delete(members, "minimum") // it is the exclusive bound that breaks
	}
	if members["exclusiveMaximum"] == true {
		delete(members, "maximum")
	}
	var keywords []string
	for keyword, value := range members {
		switch keyword {
		case "title", "description", "default", "example", "externalDocs", "deprecated", "xml", "discriminator", "nullable":
		case "properties", "items", "allOf": // hold schemas, each with its own claims
		case "additionalProperties":
			if value == false {
				keywords = append(keywords, keyword)
			}
		default:
			if !strings.HasPrefix(keyword, "x-") {
				keywords = append(keywords, keyword)
			}
		}
	}
	return keywords
}

// TestVendorPage says by itself what is true of the vendor's examples, so that -update cannot change it.
func TestVendorPage(t *testing.T) {
	t.Parallel()
	findings, judged := judge(t, loadContract(t), recordings+"/vendor-page.har")
	require.Equal(t, 6, judged)
	var got []string
	for _, f := range findings {
		got = append(got, fmt.Sprintf("%d %s %s", f.Status, f.Rule, f.Pointer))
	}
	assert.ElementsMatch(t, []string{
		"201 minimum /id", "201 minimum /account_id", "201 minimum /vehicle_id", "201 minimum /fault_rule_id",
		"401 minimum /status", "401 criterion /status",
		"403 minimum /status", "403 criterion /status",
		"500 minimum /status", "500 criterion /status",
	}, got)
}

// TestFindingsPointIntoSpec proves pointer and line against the text of the spec, without the engine's own lookup.
func TestFindingsPointIntoSpec(t *testing.T) {
	t.Parallel()
	contract := loadContract(t)
	lines := strings.Split(string(api.Spec), "\n")
	prints := map[string]conformance.Finding{}
	findings, _ := judge(t, contract, recordings)
	for _, f := range findings {
		tokens := strings.Split(f.Spec.Pointer, "/")
		last := strings.NewReplacer("~1", "/", "~0", "~").Replace(tokens[len(tokens)-1])
		if f.Rule == "required" && f.Part != conformance.ResponseHeader {
			last = f.Pointer[strings.LastIndex(f.Pointer, "/")+1:]
		}
		require.LessOrEqual(t, f.Spec.Line, len(lines))
		line := strings.TrimLeft(lines[f.Spec.Line-1], " -'")
		assert.True(t, strings.HasPrefix(line, last), "%s %s: line %d is %q, expected %q", f.Rule, f.Spec.Pointer,
			f.Spec.Line, line, last)
		if same, seen := prints[f.Fingerprint]; seen {
			assert.Equal(t, [3]any{same.Rule, same.Pointer, same.Spec}, [3]any{f.Rule, f.Pointer, f.Spec})
		}
		prints[f.Fingerprint] = f
		assert.Len(t, f.Fingerprint, 16)
		assert.Equal(t, "createFault", f.Operation)
	}
	assert.Greater(t, len(prints), 60)
}
