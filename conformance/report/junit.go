package report

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/internal/printable"
)

// JUnit XML has no standard. The elements and attributes are those that two schemas both allow, with all that one of them
// requires: jenkins-junit.xsd of Jenkins and JUnit 5, and JUnit.xsd for Ant (Windy Road). So a case has neither its file
// nor an output, and a skipped one has a text instead of a message.
type junitSuites struct {
	XMLName xml.Name      `xml:"testsuites"`
	Suites  []*junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	ID        int           `xml:"id,attr"`
	Name      string        `xml:"name,attr"`
	Package   string        `xml:"package,attr"`
	Hostname  string        `xml:"hostname,attr"`
	Timestamp string        `xml:"timestamp,attr"`
	Time      int           `xml:"time,attr"` // 0, as a claim takes none
	Tests     int           `xml:"tests,attr"`
	Failures  int           `xml:"failures,attr"`
	Errors    int           `xml:"errors,attr"`
	Skipped   int           `xml:"skipped,attr"`
	Property  junitProperty `xml:"properties>property"`
	Cases     []junitCase   `xml:"testcase"`
	Output    string        `xml:"system-out"`
	ErrOutput struct{}      `xml:"system-err"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    int           `xml:"time,attr"`
	Skipped string        `xml:"skipped,omitempty"` // why
	Failure *junitFailure `xml:"failure"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// junit collects the suites: one for the run itself, then one for each operation and part of its exchanges.
type junit struct {
	o      Options
	suites []*junitSuite
}

// writeJUnit writes a test case for each claim, each deviation that refutes no claim, each problem, and one that fails if
// no exchange was checked.
func writeJUnit(b *bytes.Buffer, r *conformance.Report, o Options) error {
	j := &junit{o: o}
	j.run(r)
	refuting := map[string][]*conformance.Deviation{}
	claimed := map[string]bool{}
	for _, e := range r.Claims {
		claimed[e.ID] = true
	}
	var rest []*conformance.Deviation
	for _, g := range groups(r) {
		for _, d := range g.deviations {
			if claimed[d.Claim] {
				refuting[d.Claim] = append(refuting[d.Claim], d)
			} else {
				rest = append(rest, d)
			}
		}
	}
	for i := range r.Claims {
		j.claim(&r.Claims[i], refuting[r.Claims[i].ID])
	}
	for _, d := range rest {
		j.deviation(d)
	}
	// The suite of the run stays the first.
	slices.SortStableFunc(j.suites[1:], func(a, b *junitSuite) int { return cmp.Compare(a.Name, b.Name) })
	for i, s := range j.suites {
		s.ID = i
	}
	b.WriteString(xml.Header)
	e := xml.NewEncoder(b)
	e.Indent("", "  ")
	if err := e.Encode(junitSuites{Suites: j.suites}); err != nil {
		return err
	}
	b.WriteByte('\n')
	return nil
}

// add adds a case to a suite, with its output, and escapes characters that XML does not allow.
func (j *junit) add(suite string, c junitCase, output string) {
	suite = printable.Text(suite)
	i := slices.IndexFunc(j.suites, func(s *junitSuite) bool { return s.Name == suite })
	if i < 0 {
		i = len(j.suites)
		// Equal runs give equal reports, on any machine and at any time.
		j.suites = append(j.suites, &junitSuite{Name: suite, Package: "fleetio", Hostname: "localhost", Timestamp: "1970-01-01T00:00:00",
			Property: junitProperty{"spec", printable.Text(j.o.Spec)}})
	}
	s := j.suites[i]
	c.Class, c.Name, c.Skipped = suite, printable.Text(c.Name), printable.Text(c.Skipped)
	s.Output += output
	s.Tests++
	if c.Failure != nil {
		c.Failure.Message = printable.Text(c.Failure.Message)
		s.Failures++
	}
	if c.Skipped != "" {
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

// run adds the cases of the run itself: one without evidence must not pass.
func (j *junit) run(r *conformance.Report) {
	var output strings.Builder
	for _, line := range slices.Concat([]string{verdict(r, j.o), coverage(r)}, skipped(r), uncheckedLines(r, j.o)) {
		output.WriteString(printable.Text(line) + "\n")
	}
	checked := junitCase{Name: "exchanges were checked"}
	if noneChecked(r) {
		checked.Failure = &junitFailure{Message: "no exchange was checked", Type: "no-verdict", Text: output.String()}
	}
	j.add("run", checked, output.String())
	if warning := vacuous(r); warning != "" {
		j.add("run", junitCase{Name: "an exchange was accepted", Skipped: warning}, "")
	}
	for _, problem := range j.o.Problems {
		j.add("run", junitCase{Name: problem, Failure: &junitFailure{Message: problem, Type: "problem"}}, "")
	}
}

// claim adds the case of a claim. deviations are those that refute it.
func (j *junit) claim(e *conformance.Evidence, deviations []*conformance.Deviation) {
	suite := strings.Join(operations(e.Uses), ", ") + " " + string(e.Part)
	_, pointer, _ := strings.Cut(e.ID, "#")
	c := junitCase{Name: pointer + ": " + e.Text}
	unknown := slices.IndexFunc(deviations, func(d *conformance.Deviation) bool { return d.Known == "" })
	switch {
	case unknown >= 0:
		c.Failure = &junitFailure{Message: about(deviations[unknown]) + ": " + deviations[unknown].Message, Type: string(deviations[unknown].Source)}
		for _, d := range deviations {
			c.Failure.Text += j.describe(d, e.Reason)
		}
	case len(deviations) > 0:
		c.Skipped = "known failure: " + deviations[0].Known
	case e.State == conformance.Refuted: // beyond the bounds, deviations are counted and not listed
		c.Failure = &junitFailure{Message: "refuted by " + plural(e.Refuted, "exchange"), Type: "refuted", Text: printable.Text(j.o.at(e.Spec))}
	case e.State == conformance.Unobserved:
		c.Skipped = unobservedBecause(&e.Claim) + " (" + j.o.at(e.Spec) + ")"
	}
	j.add(suite, c, "")
}

// deviation adds the case of a deviation that refutes no claim: mostly drift and notes.
func (j *junit) deviation(d *conformance.Deviation) {
	suite := d.Operation + " " + string(d.Part)
	c := junitCase{Name: fmt.Sprintf("%s: %d %s %s [%s]", d.Source, d.Status, d.Pointer, d.Rule, d.Fingerprint)}
	output := ""
	switch {
	case d.Known != "":
		c.Skipped = "known failure: " + d.Known
	case d.Source == conformance.Note:
		output = j.describe(d, "")
	case d.Source == conformance.Drift && !j.o.Strict:
		c.Skipped = "drift, which fails only with --strict: " + d.Message + " (" + j.o.at(d.Spec) + ")"
	default:
		c.Failure = &junitFailure{Message: about(d) + ": " + d.Message, Type: string(d.Source), Text: j.describe(d, "")}
	}
	j.add(suite, c, output)
}

// describe returns a description of a deviation in a few lines.
func (j *junit) describe(d *conformance.Deviation, because string) string {
	var text strings.Builder
	for _, line := range describe(d, because, j.o) {
		text.WriteString(printable.Text(line) + "\n")
	}
	return text.String()
}

// operations returns the operations of a claim's uses, without the status of responses.
func operations(uses []string) []string {
	var list []string
	for _, use := range uses {
		// The status follows the last space. An operation without an ID is named by its method and path.
		if i := strings.LastIndexByte(use, ' '); i >= 0 && !strings.HasPrefix(use[i+1:], "/") {
			use = use[:i]
		}
		if !slices.Contains(list, use) {
			list = append(list, use)
		}
	}
	return list
}
