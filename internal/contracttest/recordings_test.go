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

var update = flag.Bool("update", false, "rewrite the expected findings")

const recordings = root + "/conformance/testdata/recordings"

// expectation is the content of NAME.expected.json, for NAME.har.
type expectation struct {
	About string `json:"about"`
	// Known is the reason of findings in a recording of a real server: they are known failures.
	Known string `json:"known,omitempty"`
	// Checked is the number of exchanges for an operation of the contract that have a response.
	Checked  int               `json:"checked"`
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
		panic("a finding without an entry: " + f.Exchange)
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
	return contract
}

// TestContractRecordings is the contract test: it checks every recording and compares the findings with the expected ones
// beside it. It prints the verdict for `make contract`.
func TestContractRecordings(t *testing.T) {
	contract := loadContract(t)
	files, err := filepath.Glob(recordings + "/*.har")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 11, "the vendor's page and at least ten more")
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			findings, checked := checkRecordings(t, contract, file)
			want := readExpectation(t, file, checked, findings)
			sortFindings(want.Findings)
			got := []expectedFinding{}
			for _, f := range findings {
				got = append(got, expected(f))
			}
			sortFindings(got)
			ok := assert.Equal(t, want.Findings, got, "%s: findings; -update rewrites them", file)
			ok = assert.Equal(t, want.Checked, checked, "%s: checked exchanges; -update rewrites the number", file) && ok
			ok = assert.Positive(t, checked, "%s: no exchange was checked", file) && ok
			printVerdict(t, filepath.Base(file), checked, want, findings, ok)
		})
	}
}

// checkRecordings returns the findings in the recordings of a path, and the number of checked exchanges.
func checkRecordings(t *testing.T, contract *conformance.Contract, path string) (findings []conformance.Finding, checked int) {
	for exchange, err := range traffic.Read(t.Context(), nil, path) {
		require.NoError(t, err)
		found, err := contract.Check(exchange)
		switch {
		case err == nil:
			checked++
		case !errors.Is(err, conformance.ErrNoOperation) && !errors.Is(err, conformance.ErrNoResponse):
			require.NoError(t, err, exchange.Source)
		}
		findings = append(findings, found...)
	}
	return findings, checked
}

func readExpectation(t *testing.T, har string, checked int, findings []conformance.Finding) expectation {
	name := strings.TrimSuffix(har, ".har") + ".expected.json"
	want := expectation{About: "The purpose of this recording."}
	data, err := os.ReadFile(name)
	if !*update {
		require.NoError(t, err, "the recording has no expected findings; -update writes the actual ones")
	}
	if err == nil {
		require.NoError(t, json.Unmarshal(data, &want), name)
	}
	if *update {
		want.Checked, want.Findings = checked, []expectedFinding{}
		for _, f := range findings {
			want.Findings = append(want.Findings, expected(f))
		}
		writeExpectation(t, name, want)
	}
	assert.NotEmpty(t, want.About, name)
	return want
}

// writeExpectation writes each finding on a line of its own, for readable diffs.
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
	fmt.Fprintf(&b, "  \"checked\": %d,\n  \"findings\": [", e.Checked)
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

func printVerdict(t *testing.T, name string, checked int, want expectation, findings []conformance.Finding, ok bool) {
	verdict := "conforms"
	failing := 0
	for _, f := range findings {
		if f.Fails() {
			failing++
		}
	}
	switch {
	case !ok:
		verdict = "NOT AS EXPECTED"
	case want.Known != "":
		verdict = fmt.Sprintf("%d known failures: %s", len(findings), want.Known)
	case failing > 0:
		verdict = fmt.Sprintf("%d findings, all planted: %s", failing, want.About)
	}
	if others := len(findings) - failing; others > 0 {
		verdict += fmt.Sprintf(" (and %d of drift and notes)", others)
	}
	_, _ = fmt.Fprintf(t.Output(), "%-24s %2d checked  %s\n", name, checked, verdict)
	if want.Known == "" && ok {
		return
	}
	for _, f := range findings {
		_, _ = fmt.Fprintf(t.Output(), "    %d %s %s %s: %s (%s, api/openapi.yaml:%d)\n",
			f.Status, f.Part, f.Pointer, f.Rule, f.Message, f.Source, f.Spec.Line)
	}
}

// TestRecordingsCoverRules fails if no recording violates a rule or a keyword of the checker's test spec, or if an
// expectation has no recording. The mutants of internal/mutate violate what else the contract has.
func TestRecordingsCoverRules(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(recordings + "/*.expected.json")
	require.NoError(t, err)
	violated := map[string]bool{}
	for _, file := range files {
		assert.FileExists(t, strings.TrimSuffix(file, ".expected.json")+".har")
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var e expectation
		require.NoError(t, json.Unmarshal(data, &e), file)
		for _, f := range e.Findings {
			violated[f.Rule] = true
		}
	}
	rules := []string{
		"status", "media-type", "body", "json", "unicode", "duplicate-key", "security", "criterion", "nullable",
		"undocumented-property", "undocumented-header", "portability",
	}
	spec, err := os.ReadFile(root + "/conformance/internal/testspec/spec.yaml")
	require.NoError(t, err)
	doc, err := openapi3.NewLoader().LoadFromData(spec)
	require.NoError(t, err)
	require.NoError(t, doc.WalkSchemas(func(_ string, ref *openapi3.SchemaRef) error {
		rules = append(rules, claimKeywords(t, ref.Value)...)
		return nil
	}))
	slices.Sort(rules)
	for _, rule := range slices.Compact(rules) {
		assert.True(t, violated[rule], "no recording violates %s", rule)
	}
}

// claimKeywords lists the keywords of a schema that a value can violate. It includes unknown keywords, so that the test
// fails for a keyword that is new in the spec. A null can be a violation without a keyword, so nullable is not listed.
func claimKeywords(t *testing.T, schema *openapi3.Schema) []string {
	t.Helper()
	data, err := json.Marshal(schema)
	require.NoError(t, err)
	var properties map[string]any
	require.NoError(t, json.Unmarshal(data, &properties))
	if properties["exclusiveMinimum"] == true {
		delete(properties, "minimum") // a value violates the exclusive bound
	}
	if properties["exclusiveMaximum"] == true {
		delete(properties, "maximum")
	}
	var keywords []string
	for keyword, value := range properties {
		switch keyword {
		case "title", "description", "default", "example", "externalDocs", "deprecated", "xml", "discriminator", "nullable":
		case "properties", "items", "allOf": // have schemas with claims of their own
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

// TestVendorPage lists the findings in the vendor's examples, which -update cannot change.
func TestVendorPage(t *testing.T) {
	t.Parallel()
	findings, checked := checkRecordings(t, loadContract(t), recordings+"/vendor-page.har")
	require.Equal(t, 6, checked)
	var got []string
	for _, f := range findings {
		got = append(got, fmt.Sprintf("%d %s %s", f.Status, f.Rule, f.Pointer))
	}
	// The examples lack a property that an edit of the spec makes required.
	got = slices.DeleteFunc(got, func(finding string) bool { return strings.HasPrefix(finding, "201 required ") })
	assert.ElementsMatch(t, []string{
		"201 minimum /id", "201 minimum /account_id", "201 minimum /vehicle_id", "201 minimum /fault_rule_id",
		"401 minimum /status", "401 criterion /status",
		"403 minimum /status", "403 criterion /status",
		"500 minimum /status", "500 criterion /status",
	}, got)
}

// TestFindingsPointIntoSpec compares pointers and lines with the text of the spec, without package conformance.
func TestFindingsPointIntoSpec(t *testing.T) {
	t.Parallel()
	contract := loadContract(t)
	lines := strings.Split(string(api.Spec), "\n")
	byFingerprint := map[string]conformance.Finding{}
	findings, _ := checkRecordings(t, contract, recordings)
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
		if same, found := byFingerprint[f.Fingerprint]; found {
			assert.Equal(t, [3]any{same.Rule, same.Pointer, same.Spec}, [3]any{f.Rule, f.Pointer, f.Spec})
		}
		byFingerprint[f.Fingerprint] = f
		assert.Len(t, f.Fingerprint, 16)
		assert.Equal(t, "createFault", f.Operation)
	}
	assert.Greater(t, len(byFingerprint), 60)
}
